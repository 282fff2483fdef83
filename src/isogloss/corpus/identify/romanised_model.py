"""A hashed n-gram model of romanised text: read from a folder, asked about a batch of texts.

    read_model(Path("romanised")).judge(["yaar kya kar rahe ho"])      # Verdict, as the function words give

Six classes, the five of ROMANISED and everything else in Latin letters. A text is the runs of 2 to 4 bytes within its
words, a space on both sides, each hashed to one of ``buckets`` rows of a table; the rows add up, divided by the square
root of their number, to the six scores of a softmax. The table is 1.5 MB at 65,536 buckets.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from isogloss.corpus.identify.romanised import ROMANISED, Verdict
from isogloss.manifest import read_manifest

__all__ = ["CLASSES", "KIND", "RomanisedModel", "count_runs", "read_model"]

KIND = "romanised-model"
CLASSES = (*ROMANISED, "other")
LENGTHS = (2, 3, 4)
# Less than this of one class, or of a text, is no answer: names and headings are like nothing else.
MIN_PROBABILITY = 0.8
MIN_CHARACTERS = 30
_FACTOR, _MIX = np.uint32(0x01000193), np.uint32(0x9E3779B1)
_SPACE, _BREAK = 32, 10
# Letters of ASCII in lower case and what UTF-8 has beyond ASCII stand for themselves, the rest is space.
_PLAIN = np.full(256, _SPACE, np.uint8)
_PLAIN[ord("a") : ord("z") + 1] = _PLAIN[ord("A") : ord("Z") + 1] = np.arange(ord("a"), ord("z") + 1)
_PLAIN[128:] = np.arange(128, 256)
_PLAIN[_BREAK] = _BREAK


@dataclass(frozen=True)
class RomanisedModel:
    """``weights`` (buckets, 6), float32."""

    weights: np.ndarray[Any, np.dtype[np.float32]]

    def probabilities(self, texts: Sequence[str]) -> np.ndarray[Any, np.dtype[np.float64]]:
        """(texts, 6), the classes in the order of CLASSES."""
        rows, buckets = count_runs(texts, len(self.weights))
        scores = np.zeros((len(texts), len(CLASSES)))
        for column in range(len(CLASSES)):
            scores[:, column] = np.bincount(rows, weights=self.weights[buckets, column], minlength=len(texts))
        scores /= np.sqrt(np.maximum(np.bincount(rows, minlength=len(texts)), 1))[:, None]
        scores = np.exp(scores - scores.max(axis=1, keepdims=True, initial=0.0))
        shares: np.ndarray[Any, np.dtype[np.float64]] = scores / scores.sum(axis=1, keepdims=True)
        return shares

    def judge(self, texts: Sequence[str]) -> Verdict:
        """The language of each text among the five, or none of them."""
        probabilities = self.probabilities(texts)
        best = probabilities.argmax(axis=1)
        top = probabilities[np.arange(len(best)), best]
        long_enough = np.array([len(text) >= MIN_CHARACTERS for text in texts], np.bool_)
        found = (best < len(ROMANISED)) & (top >= MIN_PROBABILITY) & long_enough
        return Verdict(np.where(found, best, -1), np.where(found, top, 0.0))


def count_runs(
    texts: Sequence[str], num_buckets: int
) -> tuple[np.ndarray[Any, np.dtype[np.int64]], np.ndarray[Any, np.dtype[np.int64]]]:
    """Each run of bytes within a word: whose it is and its bucket, two arrays of the same length."""
    joined = "".join(f" {text} \n" for text in (text.replace("\n", " ") for text in texts))
    symbols = _PLAIN[np.frombuffer(joined.encode("utf-8", "surrogatepass"), np.uint8)]
    breaks = symbols == _BREAK
    owner = breaks.cumsum() - breaks
    blank = (symbols == _SPACE) | breaks
    rows, buckets = [], []
    for length in LENGTHS:
        places = len(symbols) - length + 1
        if places <= 0:
            continue
        # No blank but at an end: a run stays within one word, with the space before or after it.
        kept = ~breaks[:places] & ~breaks[length - 1 :]
        for inner in range(1, length - 1):
            kept &= ~blank[inner : inner + places]
        kept &= ~(blank[:places] & blank[length - 1 :])
        found = np.flatnonzero(kept)
        hashed = np.full(len(found), length, np.uint32)
        for offset in range(length):
            hashed = (hashed ^ symbols[found + offset]) * _FACTOR
        rows.append(owner[found])
        buckets.append((hashed * _MIX >> np.uint32(8)).astype(np.int64) % num_buckets)
    none = np.empty(0, np.int64)
    return np.concatenate([none, *rows]), np.concatenate([none, *buckets])


@functools.lru_cache(maxsize=4)
def read_model(folder: Path) -> RomanisedModel:
    """The model of a folder that ``isogloss corpus identify-train`` wrote. Raises FolderError."""
    read_manifest(folder, KIND)
    return RomanisedModel(np.load(folder / "weights.npy", allow_pickle=False))
