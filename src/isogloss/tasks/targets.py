"""What a model should give for each window: labels at rows, or the rows where an answer starts and ends.

    targets = make_targets("tag", examples, windows, labels)
    answer_lengths(questions, windows)                     # [2, 5, …] pieces, 0 where no window shows an answer

A row is that of a sequence with its special tokens. What is trained here is what `outputs` reads.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from isogloss.tasks.examples import Answer, Kind, QuestionExample
from isogloss.tasks.windows import ContextWindow, TextWindow, Window, WordWindow
from isogloss.tasks.words import IntArray

__all__ = ["Target", "answer_lengths", "make_targets"]

# Ratings become whole numbers of this part of a point, as published ones have three digits.
RATING_STEP = 1000


@dataclass(frozen=True, slots=True)
class Target:
    """What a window should give: labels at rows (all kinds but one), or the rows where the answer starts and ends."""

    rows: IntArray
    labels: IntArray


def make_targets(kind: Kind, examples: Sequence[Any], windows: Sequence[Window], labels: Sequence[str]) -> list[Target]:
    """The target of each window. Words that share another word's row have none; an answer outside the window is <s>.

    A word's further rows continue its entity, or have its tag where tags are not those of entities.
    Of a choice it is 1 if it is right, else 0; of a rating its thousandths.
    """
    index = {label: position for position, label in enumerate(labels)}
    targets: list[Target] = []
    seen = Counter[int]()
    for window in windows:
        example = examples[window.example]
        if kind == "choose":
            targets.append(Target(_ints([0]), _ints([int(example.label == str(seen[window.example]))])))
            seen[window.example] += 1
        elif kind == "rate":
            targets.append(Target(_ints([0]), _ints([round(example.rating * RATING_STEP)])))
        elif isinstance(window, TextWindow):
            targets.append(Target(_ints([0]), _ints([index[example.label]])))
        elif isinstance(window, WordWindow):
            targets.append(_tag_target(window, example.tags, index))
        else:
            targets.append(Target(_ints(_answer_rows(window, example.answers[0])), _ints([])))
    return targets


def answer_lengths(examples: Sequence[QuestionExample], windows: Sequence[Window]) -> list[int]:
    """How many pieces each example's shortest answer is, in a window that shows it whole; 0 where none does."""
    lengths: list[list[int]] = [[] for _ in examples]
    for window in windows:
        assert isinstance(window, ContextWindow), "only questions have answers"
        for answer in examples[window.example].answers:
            first, last = _answer_rows(window, answer)
            lengths[window.example] += [last - first + 1] if first else []
    return [min(found, default=0) for found in lengths]


def _tag_target(window: WordWindow, tags: Sequence[str], index: Mapping[str, int]) -> Target:
    """The rows that words own, and the further ones whose label the model has."""
    rows, labels = window.rows[window.own].tolist(), [index[tags[word]] for word in window.words[window.own].tolist()]
    for row, word in zip(window.further_rows.tolist(), window.further_words.tolist(), strict=True):
        label = index.get(f"I-{tags[word][2:]}" if tags[word].startswith("B-") else tags[word])
        if label is not None:
            rows.append(row)
            labels.append(label)
    return Target(_ints(rows), _ints(labels))


def _answer_rows(window: ContextWindow, answer: Answer) -> tuple[int, int]:
    """The rows of the first and the last piece that hold a character of the answer; 0, 0 unless all those are here.

    Spaces around the answer, and characters that normalisation dropped, are no piece's and may lie behind an edge.
    """
    end = answer.start + len(answer.text.rstrip())
    start = end - len(answer.text.strip())
    held = (window.starts < end) & (window.ends > start) & (window.starts < window.ends)
    if not held.any() or start < window.shown[0] or end > window.shown[1]:
        return 0, 0
    pieces = np.flatnonzero(held)
    return window.first_row + int(pieces[0]), window.first_row + int(pieces[-1])


def _ints(values: Sequence[int]) -> IntArray:
    return np.array(values, np.int32)
