"""MinHash: a text as K small numbers, of which two texts share the part that their shingles overlap (Broder 1997).

    signatures = sign(texts, language="sw", settings=settings)      # (texts, K) uint32
    share_equal(signatures[0], signatures[1])                       # estimates |A ∩ B| / |A ∪ B| of their shingles

Each permutation is x → a·x + b modulo 2^32 with its own odd a and its own b, over the high half of a shingle's hash.
The estimate's deviation is sqrt(J (1 - J) / K): 0.04 at most for K = 128.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from isogloss.config import Settings
from isogloss.corpus.dedup.shingles import Division, division_of, shingle_hashes
from isogloss.randomness import key_of, spread

__all__ = ["MinHashSettings", "Signatures", "chance_of_meeting", "share_equal", "sign"]

Signatures = npt.NDArray[np.uint32]
# Shingles at a time: few enough for a core's cache, enough to pay for a call.
BLOCK_SHINGLES = 1 << 15


class MinHashSettings(Settings):
    """Near-duplicates: how texts are compared, and from which share of common shingles on one of them goes."""

    num_hashes: int = Field(128, gt=0, description="permutations; four bytes a document each")
    num_bands: int = Field(
        32, gt=0, description="bands of num_hashes / num_bands; documents meet where a band is equal"
    )
    threshold: float = Field(0.5, ge=0, le=1, description="least estimated share of common shingles of near-duplicates")
    words: int = Field(3, gt=0, description="words in a shingle, for languages with spaces")
    ideographs: int = Field(5, gt=0, description="characters in a shingle, for Chinese and Japanese")
    letters: int = Field(10, gt=0, description="characters in a shingle, for other languages without spaces")
    seed: int = Field(0, description="chooses the permutations")
    memory_bytes: int = Field(
        1 << 30,
        ge=1 << 20,
        description="memory the search takes, beside 8 bytes a document compared and 16 more for each that goes",
    )

    @model_validator(mode="after")
    def _whole_bands(self) -> MinHashSettings:
        if self.num_hashes % self.num_bands:
            raise ValueError(
                f"num_hashes = {self.num_hashes} cannot be cut into num_bands = {self.num_bands} of one size; "
                "choose a multiple"
            )
        return self

    def shingle_length(self, division: Division) -> int:
        """Words or characters in a shingle of this kind."""
        return {"words": self.words, "ideographs": self.ideographs, "letters": self.letters}[division]


def sign(texts: Any, *, language: str, settings: MinHashSettings) -> Signatures:
    """The signature of each text of an Arrow column of strings in one language; all ones for a text without words."""
    division = division_of(language)
    shingles = shingle_hashes(texts, length=settings.shingle_length(division), division=division)
    signatures = np.full((len(texts), settings.num_hashes), 2**32 - 1, np.uint32)
    values = (shingles.hashes >> np.uint64(32)).astype(np.uint32)
    for start in range(0, len(values), BLOCK_SHINGLES):
        block = values[start : start + BLOCK_SHINGLES]
        first = int(np.searchsorted(shingles.starts, start, side="right")) - 1
        last = int(np.searchsorted(shingles.starts, start + len(block)))
        # Texts that have shingles in this block; the first may have begun before it.
        rows = first + np.flatnonzero(np.diff(shingles.starts[first : last + 1]))
        begins = np.maximum(shingles.starts[rows] - start, 0)
        least = _least(block, begins, settings)
        signatures[rows] = np.minimum(signatures[rows], least)
    return signatures


def share_equal(some: Signatures, others: Signatures) -> npt.NDArray[np.float64]:
    """Of two signatures, or of each row of two tables: the share of places where they are equal."""
    return np.asarray(np.mean(some == others, axis=-1), np.float64)


def chance_of_meeting(similarity: float, settings: MinHashSettings) -> float:
    """How probable it is that two texts with this share of common shingles have a band in common."""
    rows = settings.num_hashes // settings.num_bands
    return 1 - (1 - similarity**rows) ** settings.num_bands


def _least(block: npt.NDArray[np.uint32], begins: npt.NDArray[np.int64], settings: MinHashSettings) -> Signatures:
    """The least value of each permutation in each stretch of the block."""
    factors, terms = _permutations(settings.num_hashes, settings.seed)
    least = np.empty((settings.num_hashes, len(begins)), np.uint32)
    values = np.empty(len(block), np.uint32)
    for number in range(settings.num_hashes):
        np.multiply(block, factors[number], out=values)
        np.add(values, terms[number], out=values)
        np.minimum.reduceat(values, begins, out=least[number])
    return least.T


@functools.lru_cache(maxsize=4)
def _permutations(num_hashes: int, seed: int) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint32]]:
    bits = spread(key_of(seed, "minhash"), np.arange(num_hashes))
    return (bits >> np.uint64(32)).astype(np.uint32) | np.uint32(1), bits.astype(np.uint32)
