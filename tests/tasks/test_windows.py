"""Examples to sequences and back: forms of input, windows that cover everything, answers that are substrings."""

import itertools
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isogloss.errors import ConfigError
from isogloss.tasks import (
    Answer,
    ChoiceExample,
    PairExample,
    QuestionExample,
    RatedExample,
    TaggedExample,
    TextExample,
    make_targets,
    make_windows,
    predictions,
    question_windows,
    text_windows,
    word_windows,
)
from isogloss.tasks.outputs import LONGEST_ANSWER, best_spans, no_answers, ranked_spans, word_tags
from isogloss.tasks.training import TrainingSet
from isogloss.tasks.windows import ContextWindow, WordWindow, _divide, _openings, _roomiest
from isogloss.vocab import Vocabulary

BOS, EOS = 0, 2
SENTENCES = {
    "en": ("Anna", "lives", "in", "Oslo", "and", "works", "for", "the", "Red", "Cross", "."),
    "zh": ("安娜", "住在", "奥斯陆", "，", "北京", "大学", "。"),
    "th": ("แอนนา", "อาศัย", "อยู่", "ใน", "ออสโล"),
    "ar": ("آنا", "تعيش", "في", "أوسلو"),
}
CONTEXTS = {
    "en": "Anna lives in Oslo and works for the Red Cross . " * 8,
    "zh": "安娜住在奥斯陆，她在红十字会工作。北京大学在北京。" * 8,
    "th": "แอนนาอาศัยอยู่ในออสโลและทำงานให้กับสภากาชาด" * 8,
    "ar": "آنا تعيش في أوسلو وتعمل في الصليب الأحمر " * 8,
}


def test_a_text_and_a_pair_have_the_forms_of_xlm_r(vocabulary: Vocabulary) -> None:
    first, second = vocabulary.encode(["Anna lives", "in Oslo"])
    single, pair = text_windows([("Anna lives",), ("Anna lives", "in Oslo")], vocabulary, max_length=64)
    assert single.ids.tolist() == [BOS, *first, EOS]
    assert pair.ids.tolist() == [BOS, *first, EOS, EOS, *second, EOS]
    assert (single.example, pair.example) == (0, 1)


@given(lengths=st.tuples(st.integers(0, 60), st.integers(0, 60)), max_length=st.integers(16, 60))
@settings(deadline=None)
def test_a_long_pair_is_cut_at_its_longer_text_first(
    vocabulary: Vocabulary, lengths: tuple[int, int], max_length: int
) -> None:
    texts = tuple(" ".join(["Oslo"] * length) for length in lengths)
    (window,) = text_windows([texts], vocabulary, max_length=max_length)
    whole = [len(ids) for ids in vocabulary.encode(texts)]
    first, second = np.split(np.flatnonzero(window.ids == EOS), [1])
    kept = [int(first[0]) - 1, int(second[1] - second[0]) - 1]
    assert len(window.ids) == min(max_length, sum(whole) + 4)
    if kept[0] < whole[0] and kept[1] < whole[1]:
        assert abs(kept[0] - kept[1]) <= 1
    elif kept != whole:
        cut = 0 if kept[0] < whole[0] else 1
        assert kept[cut] >= kept[1 - cut] - 1


@pytest.mark.parametrize("language", SENTENCES)
@pytest.mark.parametrize("repeat", [1, 9])
def test_every_word_is_in_one_window_and_tags_come_back(vocabulary: Vocabulary, language: str, repeat: int) -> None:
    words = SENTENCES[language] * repeat
    labels = ("O", "B-PER", "I-PER", "B-LOC")
    tags = tuple(labels[position % 2 * 3] for position in range(len(words)))
    examples = [TaggedExample(words, tags), TaggedExample(("Oslo",), ("B-LOC",))]
    windows = make_windows("tag", examples, vocabulary, language=language, max_length=80)
    assert (len(windows) > 2) == (repeat > 1)
    assert all(len(window.ids) <= 80 for window in windows)
    seen = [
        (window.example, word) for window in windows if isinstance(window, WordWindow) for word in window.words.tolist()
    ]
    assert sorted(seen) == [(0, word) for word in range(len(words))] + [(1, 0)]
    # A model that knows the targets gives the tags back.
    targets = make_targets("tag", examples, windows, labels)
    logits = [np.zeros((len(window.ids), len(labels)), np.float32) for window in windows]
    for scores, target in zip(logits, targets, strict=True):
        scores[target.rows, target.labels] = 1
    found = predictions("tag", windows, logits, labels, num_examples=2)
    own = {
        (window.example, int(word))
        for window in windows
        if isinstance(window, WordWindow)
        for word in window.words[window.own]
    }
    assert len(own) > 0.8 * len(seen)
    further = sum(len(window.further_rows) for window in windows if isinstance(window, WordWindow))
    # What a word's pieces continue has no label here but that of PER.
    assert len(own) <= sum(len(target.rows) for target in targets) <= len(own) + further
    assert further == 0 or language in ("zh", "th")
    for example, gold in enumerate(examples):
        assert len(found[example]) == len(gold.tags)
        for word, (got, expected) in enumerate(zip(found[example], gold.tags, strict=True)):
            assert got == expected or (example, word) not in own


def test_a_word_is_read_where_most_text_surrounds_it(vocabulary: Vocabulary) -> None:
    text = " ".join(["Oslo"] * 200)
    spans = [(5 * word, 5 * word + 4) for word in range(200)]
    windows = word_windows([(text, spans)], vocabulary, max_length=66)
    last = len(windows) - 1
    for number, window in enumerate(windows):
        num_pieces = len(window.ids) - 2
        for row in window.rows:
            piece = row - 1
            assert number == 0 or piece >= num_pieces // 4 - 1
            assert number == last or num_pieces - piece >= num_pieces // 4 - 1


@given(st.integers(16, 90), st.integers(1, 700), st.data())
@settings(deadline=None)
def test_the_window_with_most_text_around_a_word_is_found_without_comparing_all(
    room: int, num_pieces: int, data: st.DataObject
) -> None:
    rows = np.array(sorted(data.draw(st.lists(st.integers(0, num_pieces - 1), max_size=40))), np.int32)
    openings = _openings(num_pieces, room)
    starts = np.array(openings)[:, None]
    left = np.where(starts == 0, num_pieces, rows - starts)
    right = np.where(starts + room >= num_pieces, num_pieces, starts + room - 1 - rows)
    inside = (rows >= starts) & (rows < starts + room)
    expected = np.where(inside, np.minimum(left, right), -1).argmax(axis=0)
    assert _roomiest(rows, openings, num_pieces, room).tolist() == expected.tolist()


@given(st.lists(st.integers(0, 300), min_size=1, max_size=2), st.integers(16, 90))
def test_windows_of_a_text_or_pair_show_all_of_the_longer_one(lengths: list[int], room: int) -> None:
    pieces = [np.arange(length, dtype=np.int32) for length in lengths]
    windows = _divide(pieces, room)
    longer = lengths.index(max(lengths))
    shown = [window[longer].tolist() for window in windows]
    assert all(sum(map(len, window)) <= room for window in windows)
    assert sorted({piece for part in shown for piece in part}) == list(range(lengths[longer]))
    assert (len(windows) == 1) == (max(lengths) + min(room // 2, sum(lengths) - max(lengths)) <= room)
    for one, other in itertools.pairwise(shown):
        assert one[0] < other[0] <= one[(len(one) + 1) // 2], "neighbours share half of what they show, or 128 pieces"
        assert one[-1] < other[-1]
    for window in windows:
        for part, whole in zip(window, pieces, strict=True):
            assert part is window[longer] or part.tolist() == whole[: room // 2].tolist()


def test_texts_are_divided_into_windows_only_where_that_is_asked_for(vocabulary: Vocabulary) -> None:
    texts = [("Anna lives",), ("Anna lives in Oslo . " * 40,), ("Where ?", "Oslo " * 90)]
    windows = text_windows(texts, vocabulary, max_length=48, long="windows")
    assert sorted({window.example for window in windows}) == [0, 1, 2]
    assert sum(window.example == 0 for window in windows) == 1 < sum(window.example == 1 for window in windows)
    assert max(len(window.ids) for window in windows) == 48
    cut = text_windows(texts, vocabulary, max_length=48)
    assert [window.example for window in cut] == [0, 1, 2]
    for example in range(2):
        first = next(window for window in windows if window.example == example)
        assert first.ids.tolist() == cut[example].ids.tolist()
    with pytest.raises(ConfigError, match="long = 'all' is not known: use cut or windows"):
        text_windows(texts, vocabulary, max_length=48, long="all")  # type: ignore[arg-type]


def test_a_word_that_shares_a_row_continues_the_entity() -> None:
    window = WordWindow(0, np.array([0, 9, 2]), np.array([0, 1]), np.array([1, 1]), np.array([True, False]))
    labels = ("O", "B-PER", "I-PER")
    logits_TL = np.zeros((3, 3), np.float32)
    logits_TL[1, 1] = 1
    assert word_tags([window], [logits_TL], labels, num_examples=1) == [("B-PER", "I-PER")]


def test_sentences_of_nothing_still_get_a_tag_a_word(vocabulary: Vocabulary) -> None:
    examples = [TaggedExample(("\u200b", ""), ("O", "O"))]
    windows = make_windows("tag", examples, vocabulary, language="en", max_length=24)
    logits = [np.ones((len(window.ids), 1), np.float32) for window in windows]
    assert predictions("tag", windows, logits, ("O",), num_examples=1) == [("O", "O")]
    assert [len(target.rows) for target in make_targets("tag", examples, windows, ("O",))] == [0]


@pytest.mark.parametrize("language", CONTEXTS)
@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_an_answer_is_found_again_through_windows(vocabulary: Vocabulary, language: str, data: st.DataObject) -> None:
    context = CONTEXTS[language]
    start = data.draw(st.integers(0, len(context) - 1))
    end = data.draw(st.integers(start + 1, min(len(context), start + 8)))
    text = context[start:end]
    start, text = start + len(text) - len(text.lstrip()), text.strip()
    if not text:
        return
    examples = [QuestionExample("q", "Where does Anna live?", context, (Answer(text, start),))]
    windows = make_windows("answer", examples, vocabulary, language=language, max_length=48)
    assert len(windows) > 2
    assert max(len(window.ids) for window in windows) <= 48
    targets = make_targets("answer", examples, windows, ())
    logits = []
    for window, target in zip(windows, targets, strict=True):
        scores = np.zeros((len(window.ids), 2), np.float32)
        first, last = target.rows
        if first > 0:
            scores[first, 0] = scores[last, 1] = 1
        logits.append(scores)
    assert any(target.rows[0] > 0 for target in targets), "overlapping windows hold every short answer whole"
    (found,) = predictions("answer", windows, logits, (), num_examples=1, contexts=[context])
    assert found in context
    assert text in found, "the pieces that hold the answer are found"
    assert len(found) <= len(text) + 20


@given(seed=st.integers(0, 10_000), length=st.integers(1, 80), longest=st.sampled_from([LONGEST_ANSWER, 1, 5, 79, 600]))
@settings(deadline=None)
def test_the_best_span_is_that_of_a_search_over_all_pairs(seed: int, length: int, longest: int) -> None:
    logits_T2 = np.random.default_rng(seed).normal(size=(length + 5, 2)).astype(np.float32)
    starts = np.arange(length, dtype=np.int32)
    window = ContextWindow(0, np.zeros(length + 5, np.int32), 4, starts, starts + 1)
    (span,) = best_spans([window], [logits_T2], ["x" * length], longest_answer=longest)
    if longest == LONGEST_ANSWER:
        assert span == best_spans([window], [logits_T2], ["x" * length])[0]
    pairs = [
        (float(logits_T2[4 + first, 0] + logits_T2[4 + last, 1]), first, last + 1)
        for first in range(length)
        for last in range(first, min(length, first + longest))
    ]
    score, start, end = max(pairs)
    assert (span.start, span.end) == (start, end)
    assert span.score == pytest.approx(score)


@given(st.integers(1, 25), st.integers(1, 4), st.randoms(use_true_random=False))
@settings(deadline=None)
def test_ranked_spans_are_those_of_trying_all(length: int, top_k: int, random: Random) -> None:
    """Two windows of one context; the second best is the best of those that touch no better one, and so on."""
    starts = np.arange(length, dtype=np.int32)
    halves = [slice(0, (2 * length + 2) // 3), slice(length // 3, length)]
    windows, logits, scores = [], [], {}
    for half in halves:
        shown = starts[half]
        windows.append(ContextWindow(0, np.zeros(len(shown) + 4, np.int32), 3, shown, shown + 1))
        logits.append(np.array([[random.random(), random.random()] for _ in range(len(shown) + 4)], np.float32))
        for first in range(len(shown)):
            for last in range(first, min(len(shown), first + LONGEST_ANSWER)):
                span = (int(shown[first]), int(shown[last]) + 1)
                score = float(logits[-1][3 + first, 0] + logits[-1][3 + last, 1])
                scores[span] = max(score, scores.get(span, -1.0))
    expected = []
    while scores and len(expected) < top_k:
        start, end = max(scores, key=lambda span: scores[span])
        expected.append((start, end, pytest.approx(scores[start, end])))
        scores = {span: score for span, score in scores.items() if span[1] <= start or span[0] >= end}
    (found,) = ranked_spans(windows, logits, ["x" * length], top_k=top_k)
    assert [(span.start, span.end, span.score) for span in found] == expected
    assert all(0 < span.probability < 1 for span in found)
    (best,) = best_spans(windows, logits, ["x" * length])
    assert best == found[0]
    (nothing,) = no_answers(windows, logits, num_examples=1)
    assert nothing.score == pytest.approx(min(float(rows[0].sum()) for rows in logits))


def test_what_holds_no_character_is_no_answer(vocabulary: Vocabulary) -> None:
    context = "  Anna \u3000 lives"
    windows = question_windows([("Where?", context)], vocabulary, max_length=48)
    (window,) = windows
    for row in range(len(window.starts)):
        logits_T2 = np.zeros((len(window.ids), 2), np.float32)
        logits_T2[window.first_row + row] = 9
        (spans,) = ranked_spans(windows, [logits_T2], [context], top_k=3)
        assert all(context[span.start : span.end].strip() for span in spans)


def test_a_piece_of_blanks_is_no_answer_however_high_its_score() -> None:
    # To SentencePiece the next-line character is a letter.
    context = "a\x85\x85b"
    starts = np.arange(4, dtype=np.int32)
    window = ContextWindow(0, np.zeros(5, np.int32), 1, starts, starts + 1)
    logits_T2 = np.array([[0, 0], [1, 1], [9, 9], [8, 8], [2, 2]], np.float32)
    (spans,) = ranked_spans([window], [logits_T2], [context], top_k=4)
    assert [(context[span.start : span.end], span.score) for span in spans] == [("b", 11.0), ("a", 2.0)]


def test_words_before_all_visible_ones_are_no_part_of_an_entity(vocabulary: Vocabulary) -> None:
    labels = ("O", "B-PER", "I-PER")
    example = TaggedExample(("\u200e", "\u200f", "Anna", "\u200e", "lives"), ("O",) * 5)
    windows = make_windows("tag", [example], vocabulary, language="en", max_length=24)
    logits = []
    for window in windows:
        scores = np.zeros((len(window.ids), len(labels)), np.float32)
        scores[1, 1] = 1
        logits.append(scores)
    (found,) = predictions("tag", windows, logits, labels, num_examples=1)
    assert found[:3] == ("O", "O", "B-PER")
    # Tags that are not those of entities have no O to give.
    (found,) = predictions("tag", windows, logits, ("ADJ", "NOUN", "VERB"), num_examples=1)
    assert found[:3] == ("NOUN", "NOUN", "NOUN")


def test_a_context_without_pieces_gives_an_empty_answer(vocabulary: Vocabulary) -> None:
    windows = question_windows([("Where?", " \u200b ")], vocabulary, max_length=48)
    (span,) = best_spans(windows, [np.zeros((len(window.ids), 2), np.float32) for window in windows], [" \u200b "])
    assert (span.start, span.end, span.score) == (0, 0, float("-inf"))


def test_a_long_question_leaves_half_of_the_window_to_the_context(vocabulary: Vocabulary) -> None:
    windows = question_windows([("Oslo " * 500, CONTEXTS["en"])], vocabulary, max_length=64)
    assert all(len(window.starts) >= 28 for window in windows)
    assert max(len(window.ids) for window in windows) == 64


def test_a_context_is_encoded_once_for_all_its_questions(
    vocabulary: Vocabulary, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    encode = vocabulary.encode_with_offsets
    monkeypatch.setattr(vocabulary, "encode_with_offsets", lambda text: calls.append(text) or encode(text))
    question_windows([("Where?", CONTEXTS["en"]), ("Who?", CONTEXTS["en"])], vocabulary, max_length=64)
    assert len(calls) == 1


def test_labels_become_targets(vocabulary: Vocabulary) -> None:
    examples = [TextExample(("a", "b"), "neutral"), TextExample(("c", "d"), "entailment")]
    windows = make_windows("classify", examples, vocabulary, language="en", max_length=32)
    targets = make_targets("classify", examples, windows, ("entailment", "neutral"))
    assert [target.labels.tolist() for target in targets] == [[1], [0]]
    logits = [np.array([0.0, 1.0], np.float32), np.array([3.0, 1.0], np.float32)]
    assert predictions("classify", windows, logits, ("entailment", "neutral"), num_examples=2) == [
        "neutral",
        "entailment",
    ]


def test_a_length_without_room_is_refused(vocabulary: Vocabulary) -> None:
    with pytest.raises(ConfigError, match="max_length = 8"):
        make_windows("classify", [TextExample(("a",), "x")], vocabulary, language="en", max_length=8)


def test_a_choice_is_a_sequence_behind_its_premise_and_the_highest_logit_wins(vocabulary: Vocabulary) -> None:
    examples = [
        ChoiceExample("Anna", "cause", ("Oslo", "lives"), "1"),
        ChoiceExample("Anna", "effect", ("works", "for"), "0"),
    ]
    windows = make_windows("choose", examples, vocabulary, language="en", max_length=64)
    assert [window.example for window in windows] == [0, 0, 1, 1]
    asked = vocabulary.encode(["Anna What was the cause?", "Oslo", "lives"])
    for window, choice in zip(windows, asked[1:], strict=False):
        assert window.ids.tolist() == [BOS, *asked[0], EOS, EOS, *choice, EOS]
    targets = make_targets("choose", examples, windows, ("right",))
    assert [target.labels.tolist() for target in targets] == [[0], [1], [1], [0]]
    logits = [np.array([value], np.float32) for value in (-2, -1, 3, 3)]
    assert predictions("choose", windows, logits, ("right",), num_examples=2) == ["1", "0"]


def test_a_rating_is_a_number_in_thousandths_to_train_on(vocabulary: Vocabulary) -> None:
    examples = [RatedExample(("Anna", "Oslo"), 3.8), RatedExample(("Anna", "Anna"), -0.0004)]
    windows = make_windows("rate", examples, vocabulary, language="en", max_length=64)
    targets = make_targets("rate", examples, windows, ("rating",))
    assert [target.labels.tolist() for target in targets] == [[3800], [0]]
    batch = TrainingSet.of("rate", windows, targets).batch(np.array([1, 0], np.int32))
    assert batch.labels_M.tolist() == [0.0, 3.8]
    logits = [np.array([value], np.float32) for value in (3.5, 0.25)]
    assert predictions("rate", windows, logits, ("rating",), num_examples=2) == [3.5, 0.25]


def test_translations_are_found_by_their_vectors(vocabulary: Vocabulary) -> None:
    examples = [PairExample("Ana", "Anna"), PairExample("nyumba", "house"), PairExample("mto", "river")]
    windows = make_windows("retrieve", examples, vocabulary, language="sw", max_length=64)
    assert len(windows) == 6
    vectors = [np.array(vector, np.float32) for vector in ((1, 0), (0, 1), (1, 1), (0, 2), (3, 0), (2, 2))]
    assert predictions("retrieve", windows, vectors, (), num_examples=3) == ["1", "0", "2"]
