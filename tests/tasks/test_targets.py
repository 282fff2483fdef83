"""Targets: an answer's pieces whatever blanks surround it, and labels for every row that running text is read from."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isogloss.tasks import Answer, QuestionExample, TaggedExample, answer_lengths, make_targets, make_windows
from isogloss.tasks.windows import ContextWindow, WordWindow
from isogloss.vocab import Vocabulary

LABELS = ("O", "B-PER", "I-PER", "B-LOC")


def asked(context: str, start: int, end: int) -> QuestionExample:
    return QuestionExample("q", "?", context, (Answer(context[start:end], start),))


@given(context=st.text("ab \u200b\u3000\u200e北京1.", min_size=1, max_size=60), data=st.data())
@settings(max_examples=150)
def test_an_answer_is_in_the_windows_that_hold_all_its_pieces(
    vocabulary: Vocabulary, context: str, data: st.DataObject
) -> None:
    start = data.draw(st.integers(0, len(context) - 1))
    example = asked(context, start, data.draw(st.integers(start + 1, len(context))))
    windows = make_windows("answer", [example], vocabulary, language="en", max_length=16)
    _, starts, ends = vocabulary.encode_with_offsets(context)
    held = {place for one, other in zip(starts, ends, strict=True) for place in range(one, other)}
    answer = {place for place in range(start, start + len(example.answers[0].text)) if place in held}
    targets = make_targets("answer", [example], windows, ())
    for window, target in zip(windows, targets, strict=True):
        assert isinstance(window, ContextWindow)
        pieces = [set(range(one, other)) for one, other in zip(window.starts, window.ends, strict=True)]
        rows = [window.first_row + piece for piece, characters in enumerate(pieces) if characters & answer]
        whole = answer and answer <= set().union(*pieces)
        assert target.rows.tolist() == ([rows[0], rows[-1]] if whole else [0, 0])
    lengths = [int(last - first + 1) for first, last in (target.rows for target in targets) if first]
    assert answer_lengths([example], windows) == [min(lengths, default=0)]


def test_an_answer_is_found_where_a_window_begins_behind_its_blanks(vocabulary: Vocabulary) -> None:
    context = "Anna lives in Oslo , \u200b Bergen \u200b and works for the Red Cross . " * 3
    windows = make_windows("answer", [asked(context, 0, 4)], vocabulary, language="en", max_length=24)
    edges = [window.shown for window in windows if isinstance(window, ContextWindow)]
    for start, end in edges:
        # From where the window before ends to where the one behind begins, with what lies between.
        whole = asked(context, start, end)
        found = [target.rows[0] > 0 for target in make_targets("answer", [whole], windows, ())]
        assert found == [edge == (start, end) for edge in edges]


def test_a_space_that_is_a_piece_behind_the_edge_takes_nothing_from_the_answer() -> None:
    # a | ▁ in one window, b in the other.
    parts = [((0, 1), (1, 2), (0, 2)), ((2,), (3,), (2, 3))]
    windows = [
        ContextWindow(0, np.zeros(6, np.int32), 3, np.array(starts, np.int32), np.array(ends, np.int32), shown)
        for starts, ends, shown in parts
    ]
    assert [target.rows.tolist() for target in make_targets("answer", [asked("a b", 1, 3)], windows, ())] == [
        [0, 0],
        [3, 3],
    ]


def test_an_answer_that_was_dropped_whole_is_nowhere(vocabulary: Vocabulary) -> None:
    example = asked("Anna \u200b lives", 5, 6)
    windows = make_windows("answer", [example], vocabulary, language="en", max_length=24)
    assert [target.rows.tolist() for target in make_targets("answer", [example], windows, ())] == [[0, 0]]
    assert answer_lengths([example], windows) == [0]


@pytest.mark.parametrize(
    ("labels", "tag", "further"),
    [
        (LABELS, "B-PER", "I-PER"),
        (LABELS, "I-PER", "I-PER"),
        (LABELS, "O", "O"),
        (LABELS, "B-LOC", None),
        (("NOUN", "VERB"), "VERB", "VERB"),
    ],
)
def test_further_pieces_of_a_word_without_spaces_continue_what_it_is(
    vocabulary: Vocabulary, labels: tuple[str, ...], tag: str, further: str | None
) -> None:
    word = "".join("安娜住在北京大学")
    example = TaggedExample((word, "."), (tag, labels[0]))
    for language, more in (("zh", further), ("en", None)):
        windows = make_windows("tag", [example], vocabulary, language=language, max_length=24)
        (window,), (target,) = windows, make_targets("tag", [example], windows, labels)
        assert isinstance(window, WordWindow)
        assert (len(window.further_rows) > 0) == (language == "zh")
        labelled = dict(zip(target.rows.tolist(), (labels[label] for label in target.labels), strict=True))
        assert len(labelled) == len(target.rows), "no row has two labels"
        assert [labelled[row] for row in window.rows.tolist()] == [tag, labels[0]], "words keep their own"
        assert {labelled.get(row) for row in window.further_rows.tolist()} == ({more} if language == "zh" else set())


@given(words=st.lists(st.sampled_from(["安娜", "北京大学", "Oslo", "。", "在", ""]), min_size=1, max_size=60))
@settings(max_examples=60)
def test_further_rows_are_trained_once_through_windows(vocabulary: Vocabulary, words: list[str]) -> None:
    example = TaggedExample(tuple(words), ("O",) * len(words))
    (whole,) = make_windows("tag", [example], vocabulary, language="zh", max_length=2000)
    parts = make_windows("tag", [example], vocabulary, language="zh", max_length=24)
    assert isinstance(whole, WordWindow)
    trained = list(zip(make_targets("tag", [example], parts, LABELS), parts, strict=True))
    shown = [part.ids[row] for target, part in trained for row in target.rows.tolist()]
    rows = np.concatenate([whole.rows[whole.own], whole.further_rows])
    assert sorted(shown) == sorted(whole.ids[rows].tolist())
