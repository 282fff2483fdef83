"""Which pieces of a vocabulary are spelt like another: by strings of two to four characters that both have.

    found = resembling(["▁kitabu"], vocabulary.pieces, most=10)
    found[0]                                   # [(4711, 0.31), …]: places of pieces and weights that sum to 1

Strings are weighted by how rare they are (tf-idf) and compared by cosine. A piece of one character resembles none.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["resembling"]

LENGTHS = (2, 3, 4)
# The nearer ones count for more: weights follow the cosine to this power.
SHARPNESS = 2


def resembling(pieces: Sequence[str], among: Sequence[str], *, most: int) -> list[list[tuple[int, float]]]:
    """Of each piece the ``most`` nearest of ``among``, nearest first; empty where none has a string of it."""
    wanted = {string for piece in pieces for string in _strings(piece)}
    frequency = Counter(string for piece in among for string in _strings(piece))
    rarity = {string: math.log(len(among) / frequency[string]) + 1 for string in frequency}
    places: dict[str, list[int]] = {string: [] for string in wanted}
    norms = np.ones(len(among))
    for place, piece in enumerate(among):
        strings = _strings(piece)
        norms[place] = math.sqrt(sum(rarity[string] ** 2 for string in strings)) or 1.0
        for string in strings & wanted:
            places[string].append(place)
    arrays = {string: np.array(found, np.int64) for string, found in places.items() if found}
    return [_nearest(_strings(piece), arrays, rarity, norms, most) for piece in pieces]


def _strings(piece: str) -> set[str]:
    return {piece[start : start + size] for size in LENGTHS for start in range(len(piece) - size + 1)}


def _nearest(
    strings: set[str],
    places: dict[str, npt.NDArray[np.int64]],
    rarity: dict[str, float],
    norms: npt.NDArray[np.float64],
    most: int,
) -> list[tuple[int, float]]:
    # Sets of strings have another order in each process, and sums of floats depend on it.
    shared = sorted(string for string in strings if string in places)
    if not shared:
        return []
    met = np.concatenate([places[string] for string in shared])
    gains = np.repeat([rarity[string] ** 2 for string in shared], [len(places[string]) for string in shared])
    found, back = np.unique(met, return_inverse=True)
    # The new piece's own norm is the same for all.
    cosines = np.bincount(back, weights=gains) / norms[found]
    order = np.argsort(-cosines, kind="stable")[:most]
    weights = cosines[order] ** SHARPNESS
    weights /= weights.sum()
    return list(zip(found[order].tolist(), weights.tolist(), strict=True))
