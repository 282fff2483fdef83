"""What the five questions give: small values, which `dataclasses.asdict` turns into JSON."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["AnswerSpan", "FoundAnswer", "MaskFill", "TaggedSpan", "TextLabel"]


@dataclass(frozen=True)
class MaskFill:
    """A piece that may stand at a mask; `text` is the piece with its mark of a new word as a space."""

    text: str
    id: int
    probability: float


@dataclass(frozen=True)
class TextLabel:
    """The most probable label, and the probability of each."""

    label: str
    probabilities: dict[str, float]

    @property
    def probability(self) -> float:
        return self.probabilities[self.label]


@dataclass(frozen=True)
class TaggedSpan:
    """Characters `start` to `end` of the text and what they are: an entity's type, or a word's tag.

    `score` is the mean over the span's words of the probability of each word's tag.
    """

    start: int
    end: int
    text: str
    tag: str
    score: float


@dataclass(frozen=True)
class AnswerSpan:
    """Characters `start` to `end` of a context; `score` and `probability` as in `FoundAnswer`."""

    start: int
    end: int
    text: str
    score: float
    probability: float


@dataclass(frozen=True)
class FoundAnswer:
    """Characters `start` to `end` of the context, the best answer in it.

    `score`, the sum of its start's and end's logits, compares answers of one model. `probability` is the product of
    both their probabilities among all tokens of the window that the answer was read in, which is what training
    raises. `no_answer_score` is the sum of both logits at `<s>`, the smallest over the windows of the context. `others`
    are the next best answers, none of which shares a character with another.
    """

    start: int
    end: int
    text: str
    score: float
    probability: float
    no_answer_score: float
    others: tuple[AnswerSpan, ...] = ()

    @property
    def answered(self) -> bool:
        """Whether the answer scores higher than none; for models that were shown questions without an answer."""
        return self.score > self.no_answer_score
