"""Alignment where it is hard: words longer than a window, empty words, very long contexts, text from right to left."""

import itertools
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isogloss.tasks import (
    Answer,
    QuestionExample,
    TaggedExample,
    Window,
    divide_words,
    make_targets,
    make_windows,
    predictions,
)
from isogloss.tasks.windows import ContextWindow, WordWindow
from isogloss.vocab import Vocabulary

LABELS = ("O", "B-PER", "I-PER", "B-LOC")
# Letters with marks, digits and Latin between them, marks of direction, brackets that are mirrored.
RIGHT_TO_LEFT = (
    ("آنا", "(Anna)", "تعيش", "في", "12", "أوسلو\u200f", "،", "2019\u200e", "."),
    ("אַנָּה", "גרה", "ב־", "Oslo", "«כאן»", "\u202b12\u202c", "!"),
)


def told(windows: list[Window], examples: list[TaggedExample]) -> list[np.ndarray]:
    """The logits of a model that knows the targets."""
    logits = []
    for window, target in zip(windows, make_targets("tag", examples, windows, LABELS), strict=True):
        scores = np.zeros((len(window.ids), len(LABELS)), np.float32)
        scores[target.rows, target.labels] = 1
        logits.append(scores)
    return logits


def own_words(windows: list[Window]) -> set[tuple[int, int]]:
    of_words = [window for window in windows if isinstance(window, WordWindow)]
    return {(window.example, word) for window in of_words for word in window.words[window.own].tolist()}


@pytest.mark.parametrize("before", [0, 1, 40])
@pytest.mark.parametrize("after", [0, 1, 40])
def test_a_word_longer_than_the_window_is_read_at_its_first_piece(
    vocabulary: Vocabulary, before: int, after: int
) -> None:
    words = (*["Oslo"] * before, "Anna" * 200, *["lives"] * after)
    tags = (*["B-LOC"] * before, "B-PER", *["O"] * after)
    examples = [TaggedExample(words, tags)]
    windows = make_windows("tag", list(examples), vocabulary, language="en", max_length=32)
    assert predictions("tag", windows, told(windows, examples), LABELS, num_examples=1) == [tags]
    seen = sorted(word for window in windows if isinstance(window, WordWindow) for word in window.words.tolist())
    assert seen == list(range(len(words))), "each word once"
    assert all(len(window.words) > 0 for window in windows if isinstance(window, WordWindow)), "nothing is run for none"
    assert max(len(window.ids) for window in windows) <= 32


@given(words=st.lists(st.sampled_from(["", "Oslo", "Anna", "安娜", "\u200b", "."]), min_size=1, max_size=30))
def test_empty_words_get_a_tag_and_take_none_from_others(vocabulary: Vocabulary, words: list[str]) -> None:
    for language in ("en", "zh"):
        examples = [TaggedExample(tuple(words), tuple("B-LOC" if word == "Oslo" else "O" for word in words))]
        windows = make_windows("tag", list(examples), vocabulary, language=language, max_length=24)
        (found,) = predictions("tag", windows, told(windows, examples), LABELS, num_examples=1)
        assert len(found) == len(words)
        own = own_words(windows)
        for place, (word, tag) in enumerate(zip(words, found, strict=True)):
            assert (word == "") <= ((0, place) not in own), "an empty word has no piece of its own"
            if (0, place) in own:
                assert tag == examples[0].tags[place]
        # Without spaces a piece may hold two words; with them every visible word has its own.
        visible = {(0, place) for place, word in enumerate(words) if word not in ("", "\u200b")}
        assert own == visible or language == "zh"


@pytest.mark.parametrize("words", RIGHT_TO_LEFT, ids=["ar", "he"])
def test_words_from_right_to_left_have_rows_of_their_own(vocabulary: Vocabulary, words: tuple[str, ...]) -> None:
    tags = tuple(LABELS[place % len(LABELS)] for place in range(len(words)))
    examples = [TaggedExample(words * 5, tags * 5)]
    windows = make_windows("tag", list(examples), vocabulary, language="ar", max_length=40)
    assert len(windows) > 1
    assert own_words(windows) == {(0, place) for place in range(len(words) * 5)}
    assert predictions("tag", windows, told(windows, examples), LABELS, num_examples=1) == [tags * 5]


@pytest.mark.parametrize("words", RIGHT_TO_LEFT, ids=["ar", "he"])
def test_an_answer_from_right_to_left_is_a_part_of_the_context(vocabulary: Vocabulary, words: tuple[str, ...]) -> None:
    context = " ".join(words * 6)
    for place, word in enumerate(words):
        start = context.rindex(word) if place else context.index(word)
        (found,) = answers_of(vocabulary, context, [(word, start)], max_length=40)
        assert found in context
        assert word.strip("\u200e\u200f\u202b\u202c") in found
        assert len(found) <= len(word) + 4


def test_a_context_of_a_hundred_thousand_characters_takes_a_moment(vocabulary: Vocabulary) -> None:
    """Each size in processor time: ten times the text may take ten times as long, and a margin for a busy machine."""
    sentence = "Anna lives in Oslo and works for the Red Cross . "
    seconds = {}
    for length in (10_000, 100_000):
        filler = sentence * (length // len(sentence))
        context = f"Bo {filler} Ana anaishi Bergen"
        wanted = [("Bo", 0), ("Bergen", len(context) - 6), ("Ana anaishi", len(context) - 18)]
        start = time.process_time()
        found = answers_of(vocabulary, context, wanted, max_length=384)
        words = divide_words(context, *vocabulary.encode_with_offsets(context)[1:])
        seconds[length] = time.process_time() - start
        assert found == [text for text, _ in wanted]
        assert len(words) == len(context.split())
    assert seconds[100_000] < 5, seconds
    assert seconds[100_000] < 40 * max(seconds[10_000], 0.02), seconds


def test_windows_of_a_long_context_cover_every_piece_and_overlap(vocabulary: Vocabulary) -> None:
    context = "Anna lives in Oslo . " * 5000
    windows = make_windows(
        "answer", [QuestionExample("q", "Where?", context, ())], vocabulary, language="en", max_length=384
    )
    _, starts, _ = vocabulary.encode_with_offsets(context)
    spans = [(int(w.starts[0]), int(w.starts[-1])) for w in windows if isinstance(w, ContextWindow)]
    assert (spans[0][0], spans[-1][1]) == (int(starts[0]), int(starts[-1]))
    for (_, last), (first, _) in itertools.pairwise(spans):
        assert np.count_nonzero((starts >= first) & (starts <= last)) >= 128


def answers_of(vocabulary: Vocabulary, context: str, wanted: list[tuple[str, int]], *, max_length: int) -> list[str]:
    """What is found in a context by a model that knows where the answers are."""
    examples = [
        QuestionExample(str(number), "Where?", context, (Answer(text, start),))
        for number, (text, start) in enumerate(wanted)
    ]
    windows = make_windows("answer", list(examples), vocabulary, language="en", max_length=max_length)
    logits = []
    for window, target in zip(windows, make_targets("answer", examples, windows, ()), strict=True):
        scores = np.zeros((len(window.ids), 2), np.float32)
        if target.rows[0] > 0:
            scores[target.rows[0], 0] = scores[target.rows[1], 1] = 1
        logits.append(scores)
    return predictions("answer", windows, logits, (), num_examples=len(examples), contexts=[context] * len(examples))
