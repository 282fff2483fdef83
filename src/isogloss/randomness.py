"""Random numbers by position: pure functions of a key, with no generator whose state would have to be saved.

Whatever is random in the data of a run (the language of a sequence, its place in the text, its masked positions) is a
hash of the seed and an index, so any part of it can be computed alone, in any order, by any process.

    key = key_of(seed, "mask")                      # a number from names and numbers
    spread(key, np.arange(10))                      # ten random 64-bit numbers, the same ones always
    permute(np.arange(5), size=5, key=key)          # a shuffle of 0..4 without ever holding the shuffle
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import xxhash

__all__ = ["Array64", "key_of", "permute", "spread", "uniform"]

Array64 = npt.NDArray[np.uint64]

# splitmix64 (Steele, Lea, Flood 2014): a counter times an odd constant, then two multiply-and-shift rounds.
_STRIDE = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)
_FEISTEL_ROUNDS = 6


def key_of(*parts: int | str) -> int:
    """One 64-bit key from a seed, names and numbers; the order of the parts counts."""
    return xxhash.xxh3_64_intdigest(repr(parts).encode())


def spread(key: int | Array64, counter: npt.ArrayLike) -> Array64:
    """Random 64-bit numbers, one for each pair of ``key`` and ``counter`` (broadcast against each other)."""
    keys = np.atleast_1d(np.asarray(key, dtype=np.uint64))
    mixed = keys + np.atleast_1d(np.asarray(counter)).astype(np.uint64) * _STRIDE
    mixed ^= mixed >> np.uint64(30)
    mixed *= _FIRST
    mixed ^= mixed >> np.uint64(27)
    mixed *= _SECOND
    mixed ^= mixed >> np.uint64(31)
    return mixed


def uniform(bits: Array64) -> npt.NDArray[np.float64]:
    """Random 64-bit numbers as numbers in [0, 1)."""
    return (bits >> np.uint64(11)).astype(np.float64) * 2.0**-53


def permute(index: npt.ArrayLike, *, size: npt.ArrayLike, key: int | Array64) -> npt.NDArray[np.int64]:
    """Where ``index`` goes in the shuffle of ``0 … size-1`` that ``key`` stands for; all three are broadcast.

    A Feistel network over pairs (left, right) of numbers under ``ceil(sqrt(size))``, which is a bijection of at least
    ``size`` numbers; a result beyond ``size`` is sent through again until it falls inside.
    """
    parts = (np.asarray(size, dtype=np.uint64), np.asarray(index).astype(np.uint64), np.asarray(key, dtype=np.uint64))
    sizes, places, keys = np.broadcast_arrays(*map(np.atleast_1d, parts))
    assert bool(np.all(places < sizes)), "permute: an index lies outside its size"
    side = np.ceil(np.sqrt(sizes.astype(np.float64))).astype(np.uint64)
    result = _feistel(places, side, keys)
    while bool(np.any(outside := result >= sizes)):
        result[outside] = _feistel(result[outside], side[outside], keys[outside])
    return result.astype(np.int64)


def _feistel(places: Array64, side: Array64, keys: Array64) -> Array64:
    left, right = np.divmod(places, side)
    for turn in range(_FEISTEL_ROUNDS):
        left, right = right, (left + spread(keys, right + np.uint64(turn << 40)) % side) % side
    return left * side + right
