"""Two opinions and a writing → one code with a confidence, for a whole batch at once.

fastText says p for its best label. Where CLD2 says something else, it was right 8 times (1 - p) / p as often (fitted on
lines of 90 languages, see docs/notebook.md): CLD2 knows the small languages that fastText takes for English at p = 0.2,
fastText the large ones of which it is sure. So a candidate weighs p from fastText and ``second_weight`` (1 - p) from
CLD2, both where they agree, and what neither of them knows weighs ``NEITHER`` (1 - p); confidence is the share of the
weights.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from isogloss.corpus.identify.labels import Codes
from isogloss.corpus.identify.opinions import Answers

__all__ = ["Joined", "coded", "join"]

Integers = np.ndarray[Any, np.dtype[np.int64]]
Floats = np.ndarray[Any, np.dtype[np.float64]]
Flags = np.ndarray[Any, np.dtype[np.bool_]]

# The third language, that both miss: chosen, not fitted.
NEITHER = 0.3
# What CLD2 itself calls unreliable counts this much.
UNRELIABLE = 0.2
# CLD2's share of the text counts by its fourth power: at shares of 0.5 to 0.7 it was right 7 times and fastText 35.
POWER = 4
# CLD2 says English where a line is full of names, and Serbian of Bulgarian and Macedonian: where fastText differed,
# it was right 99 times and CLD2 once (en), 52 times and 23 (sr).
LESS_BELIEVED = {"en": 0.05, "sr": 0.35}
# What fastText is at most believed against a language that it has no label for, and what CLD2's weight is multiplied by
# where fastText names a language that CLD2 does not know.
MOST_AGAINST_UNKNOWN = 0.7
AGAINST_UNKNOWN = 0.1


@dataclass(frozen=True)
class Joined:
    """``codes`` (texts,) places in Codes.names, 0 for none; ``first`` and ``second`` what each opinion says alone."""

    codes: Integers
    confidence: Floats
    agreed: Flags
    first: Integers
    second: Integers


def join(
    codes: Codes,
    writing: Integers,
    first: tuple[Integers, Floats],
    second: tuple[Integers, Floats],
    *,
    second_weight: float,
    unknown_to_first: Flags,
    unknown_to_second: Flags,
    prior: tuple[Integers, Floats] | None = None,
) -> Joined:
    """Weigh the candidates: ``first`` and ``second`` are codes (texts, k) and their shares; code 0 is no opinion.

    ``unknown_to_first`` (names,) are codes that fastText cannot answer, ``unknown_to_second`` that CLD2 cannot;
    ``prior`` is a further candidate of each text and what it weighs at p = 0, as CLD2's weight falls. Where nothing is
    left and the writing has one language in the table, it is that, with confidence one half.
    """
    (codes_1, shares_1), (codes_2, shares_2) = first, second
    shares_1 = np.where(codes_1 > 0, shares_1, 0.0)
    shares_2 = np.where(codes_2 > 0, shares_2, 0.0)
    believed = shares_1.max(axis=1, initial=0.0)[:, None]
    doubt = 1 - np.where(unknown_to_first[codes_2], np.minimum(believed, MOST_AGAINST_UNKNOWN), believed)
    alone_1, alone_2 = _top(codes_1, shares_1), _top(codes_2, shares_2)
    belief = np.where(codes_2 == alone_1[:, None], 1.0, _belief(codes)[codes_2])
    belief *= np.where(unknown_to_second[alone_1], AGAINST_UNKNOWN, 1.0)[:, None]
    candidates = [codes_1, codes_2]
    weights = [shares_1, second_weight * doubt * shares_2**POWER * belief]
    if prior is not None:
        candidates.append(prior[0][:, None])
        weights.append(np.where(prior[0] > 0, prior[1], 0.0)[:, None] * (1 - believed))
    place, weight = np.hstack(candidates), np.hstack(weights)
    totals = np.zeros_like(weight)
    for column in range(place.shape[1]):
        totals += weight[:, [column]] * codes.supports[place, place[:, [column]]]
    best = totals.argmax(axis=1)[:, None]
    total = np.take_along_axis(totals, best, axis=1)[:, 0]
    winner = np.where(total > 0, np.take_along_axis(place, best, axis=1)[:, 0], codes.of_script[writing])
    all_weight = weight.sum(axis=1) + NEITHER * (1 - believed[:, 0])
    with np.errstate(invalid="ignore", divide="ignore"):
        confidence = np.where(total > 0, total / all_weight, np.where(winner > 0, 0.5, 0.0))
    agreed = (alone_1 > 0) & (alone_2 > 0) & codes.supports[winner, alone_1] & codes.supports[winner, alone_2]
    return Joined(winner, confidence, agreed, alone_1, alone_2)


def coded(codes: Codes, rows: Integers, answers: Answers, writing: Integers) -> tuple[Integers, Floats]:
    """An opinion's answers as codes that the writing allows, and shares; ``rows`` are its labels' places in Codes."""
    found = codes.of_label[rows[answers.labels], writing[:, None]]
    return found, answers.shares * np.where(answers.reliable, 1.0, UNRELIABLE)[:, None]


def _belief(codes: Codes) -> Floats:
    belief = np.ones(len(codes.names))
    for name, share in LESS_BELIEVED.items():
        belief[codes.code(name)] = share
    return belief


def _top(codes: Integers, shares: Floats) -> Integers:
    best = np.where(codes > 0, shares, -1.0).argmax(axis=1)[:, None]
    return np.take_along_axis(codes, best, axis=1)[:, 0]
