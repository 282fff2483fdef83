"""Whether two segmentations of one text have the same score to SentencePiece, which adds up in 32 bits.

    same_score(vocabulary, ours, theirs)     # ids of "..." "." and of "." "..."

SentencePiece takes the best sum of scores rounded to a float32, ``tokenizers`` of a float64. Where two segmentations
are nearer to each other than the rounding, chance decides in each; both are right by the model.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from isogloss.vocab.layout import Vocabulary

__all__ = ["same_score"]


def same_score(vocabulary: Vocabulary, ours: Sequence[int], theirs: Sequence[int]) -> bool:
    """Whether both spell the same text and differ only between segmentations that a float32 does not tell apart."""
    sides = (ours, theirs)
    if any(index in vocabulary.special_ids for ids in sides for index in ids):
        return False
    pieces = [[vocabulary.pieces[index] for index in ids] for ids in sides]
    if "".join(pieces[0]) != "".join(pieces[1]):
        return False
    ends = [list(itertools.accumulate(map(len, said))) for said in pieces]
    sums = [np.cumsum([vocabulary.scores[index] for index in ids]) for ids in sides]
    # Between two places where both have an end lies a stretch that each cuts in its own way.
    common = sorted(set(ends[0]) & set(ends[1]))
    at = [np.searchsorted(side, common) for side in ends]
    gains = [np.diff(total[index], prepend=0.0) for total, index in zip(sums, at, strict=True)]
    numbers = np.maximum(*(np.diff(index, prepend=-1) for index in at))
    rounding = numbers * np.spacing(np.abs(sums[0][at[0]]).astype(np.float32))
    return bool(np.all(np.abs(gains[0] - gains[1]) <= rounding))
