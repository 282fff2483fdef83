"""Examples: what readers give and scorers compare with. One without a label, tags or answers is read from a test set.

TextExample(("Anna sleeps.", "Nobody sleeps."), "contradiction")
gold_labels(examples)                            # what a constant answer is chosen from
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

__all__ = [
    "UNKNOWN_START",
    "Answer",
    "ChoiceExample",
    "Example",
    "Kind",
    "PairExample",
    "QuestionExample",
    "RatedExample",
    "TaggedExample",
    "TextExample",
    "gold_labels",
    "is_labelled",
]


# What is predicted: a label, a tag a word, a piece of a context, one of several choices, a number, a translation.
Kind = Literal["classify", "tag", "answer", "choose", "rate", "retrieve"]


@dataclass(frozen=True, slots=True)
class TextExample:
    """One text or a pair, and its label; "" where the file has none."""

    texts: tuple[str, ...]
    label: str


@dataclass(frozen=True, slots=True)
class RatedExample:
    """A pair of texts and its rating, a number; None where the file has none."""

    texts: tuple[str, ...]
    rating: float | None


@dataclass(frozen=True, slots=True)
class ChoiceExample:
    """A premise, what is asked about it, the choices, and the number of the right one from 0 as text; "" for none."""

    premise: str
    question: str
    choices: tuple[str, ...]
    label: str


@dataclass(frozen=True, slots=True)
class PairExample:
    """A sentence and its translation, which is to be found among those of all the others."""

    source: str
    target: str


@dataclass(frozen=True, slots=True)
class TaggedExample:
    """A sentence as words, each with its tag; no tags at all where the file has none."""

    words: tuple[str, ...]
    tags: tuple[str, ...]


# Where an answer begins that its file gives as text alone, which is enough for scores.
UNKNOWN_START = -1


@dataclass(frozen=True, slots=True)
class Answer:
    """A right answer: `context[start : start + len(text)] == text`, or a start that is unknown."""

    text: str
    start: int


@dataclass(frozen=True, slots=True)
class QuestionExample:
    """A question, the text that answers it, and every answer that counts as right; none where the file has none."""

    id: str
    question: str
    context: str
    answers: tuple[Answer, ...]


Example = TextExample | RatedExample | ChoiceExample | PairExample | TaggedExample | QuestionExample


def is_labelled(example: Example) -> bool:
    """Whether there is something to compare a prediction with."""
    match example:
        case TextExample() | ChoiceExample():
            return bool(example.label)
        case RatedExample():
            return example.rating is not None
        case TaggedExample():
            return len(example.tags) == len(example.words)
        case QuestionExample():
            return bool(example.answers)
        case PairExample():
            return True


def gold_labels(examples: Sequence[Example]) -> list[str]:
    """Every label of the examples: one a text, one a word; of a question each different text that answers it.

    A rating is its number as text, a translation its place among the examples.
    """
    labels: list[str] = []
    for place, example in enumerate(examples):
        match example:
            case TextExample() | ChoiceExample():
                labels.append(example.label)
            case RatedExample():
                labels.append(str(example.rating))
            case TaggedExample():
                labels.extend(example.tags)
            case QuestionExample():
                labels.extend(dict.fromkeys(answer.text for answer in example.answers))
            case PairExample():
                labels.append(str(place))
    return labels
