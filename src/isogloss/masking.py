"""Masked-language-model noise over a whole batch at once: which positions are hidden, and what stands there instead.

Of the n pieces of a sequence exactly floor(rate * n + u) are chosen (u random in [0, 1)), so the rate holds on average
for short sequences too; 80 % of them become ``<mask>``, 10 % a random piece of the whole vocabulary, 10 % stay.
Special pieces are never chosen and never put in.

    rows, targets = mask_batch(ids, lengths, ...)       # ids are changed in place; targets are what stood in the rows

The keys come from the caller, one for each position: the same sequence of the same run gets the same mask always.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from isogloss.randomness import Array64, spread, uniform

__all__ = ["NUM_SPECIAL", "UNKNOWN", "Noise", "mask_batch"]

Ids = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

# <s> <pad> </s> <unk> are ids 0 to 3 in every vocabulary of this family; <mask> has an id of its own.
NUM_SPECIAL = 4
UNKNOWN = 3
_MASKED, _RANDOM = 0.8, 0.9  # below the first: <mask>; below the second: a random piece; above: unchanged
_PLACE_BITS = 16  # low bits of a sort key hold the place in the sequence, the others the random number
_COUNT, _CHOICE, _DECISION, _PIECE = range(4)


@dataclass(frozen=True)
class Noise:
    """How text is hidden: the share of pieces, and the vocabulary's ids. ``word_starts`` set means whole words."""

    rate: float
    vocabulary_size: int
    mask_id: int
    word_starts: Flags | None = None


def mask_batch(ids: Ids, lengths: Ids, keys: Array64, noise: Noise, *, in_pieces: Flags) -> tuple[Ids, Ids]:
    """Hide pieces of the packed sequences ``ids`` in place; returns the chosen rows, ascending, and what stood there.

    ``keys`` holds one random 64-bit number for each position. ``in_pieces`` marks sequences whose language writes no
    spaces: there a whole word cannot be seen and single pieces are chosen.
    """
    text = (ids >= NUM_SPECIAL) & (ids != noise.mask_id)
    starts = text if noise.word_starts is None else _unit_starts(ids, lengths, text, noise.word_starts, in_pieces)
    units = _choose(starts, lengths, keys, noise.rate)
    if noise.word_starts is None:
        rows, keys_M = units, keys[units]
    else:
        # Each position belongs to the last unit that started at or before it, and shares its key and its fate.
        unit_of = np.maximum.accumulate(np.where(starts, np.arange(len(ids)), -1))
        chosen = np.zeros(len(ids) + 1, dtype=bool)  # one place more, for positions before the first unit (-1)
        chosen[units] = True
        rows = np.flatnonzero(chosen[unit_of] & text)
        keys_M = keys[unit_of[rows]]
    targets = ids[rows]
    fate = uniform(spread(keys_M, _DECISION))
    ids[rows[fate < _MASKED]] = noise.mask_id
    random_rows = rows[(fate >= _MASKED) & (fate < _RANDOM)]
    # The piece is drawn by position, not by unit: a whole word gets different random pieces.
    numbers = spread(keys[random_rows], _PIECE) % np.uint64(noise.vocabulary_size - NUM_SPECIAL - 1)
    pieces = numbers.astype(np.int64) + NUM_SPECIAL
    ids[random_rows] = pieces + (pieces >= noise.mask_id)
    return rows, targets


def _unit_starts(ids: Ids, lengths: Ids, text: Flags, word_starts: Flags, in_pieces: Flags) -> Flags:
    """Where a word begins: at a piece that opens one, and after a special piece or the edge of the sequence."""
    after_special = np.concatenate([[True], ~text[:-1]])
    after_special[np.cumsum(lengths)[:-1]] = True
    starts: Flags = text & (word_starts[ids] | after_special | np.repeat(in_pieces, lengths))
    return starts


def _choose(starts: Flags, lengths: Ids, keys: Array64, rate: float) -> Ids:
    """The chosen units: in each sequence floor(rate * units + u) of them, those with the smallest numbers."""
    num_sequences, longest = len(lengths), int(lengths.max())
    assert longest < 1 << _PLACE_BITS, f"a sequence of {longest} tokens is longer than masking can address"
    firsts = np.cumsum(lengths) - lengths
    sequences = np.repeat(np.arange(num_sequences), lengths)
    places = np.arange(len(starts)) - firsts[sequences]
    units = np.bincount(sequences[starts], minlength=num_sequences)
    wanted = np.floor(rate * units + uniform(spread(keys[firsts], _COUNT))).astype(np.int64)
    # One row a sequence, filled up with keys that sort last; numpy sorts such a matrix far faster than it argsorts.
    order = np.full((num_sequences, longest), np.iinfo(np.uint64).max, dtype=np.uint64)
    numbers = spread(keys[starts], _CHOICE) >> np.uint64(_PLACE_BITS) << np.uint64(_PLACE_BITS)
    order[sequences[starts], places[starts]] = numbers | places[starts].astype(np.uint64)
    order.sort(axis=1)
    most = int(wanted.max())
    chosen = order[:, :most] & np.uint64((1 << _PLACE_BITS) - 1)
    kept = np.arange(most) < wanted[:, None]
    return np.sort((chosen.astype(np.int64) + firsts[:, None])[kept])
