"""Shingles: a text as the set of its stretches of n words, or of n characters where words have no spaces between them.

What a shingle is made of depends on the language (isogloss.languages): words between spaces (syllables for
Vietnamese), ideographs for Chinese and Japanese, letters for Thai, Lao, Khmer and Burmese, where one character says
far less than an ideograph. A text shorter than n is one shingle: itself.

    shingles = shingle_hashes(texts, length=5, division="words")
    shingles.hashes[shingles.starts[i] : shingles.starts[i + 1]]       # of text i, in order, repeats included

Hashes are polynomials over normalised text modulo 2^64, taken as differences of running sums, so every stretch costs
the same whatever its length, and nothing is a Python object but the block.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from isogloss.corpus.dedup.normalise import LINE_FEED, SPACE, NormaliseSettings, normalise_lines, num_lines, text_blocks
from isogloss.languages import is_known, language
from isogloss.randomness import key_of, spread

__all__ = ["Division", "Shingles", "division_of", "shingle_hashes"]

Division = Literal["words", "ideographs", "letters"]
Numbers = npt.NDArray[np.uint64]
Places = npt.NDArray[np.int64]

IDEOGRAPHIC_SCRIPTS = {"Hans", "Hant", "Jpan"}
# Odd, so each has an inverse modulo 2^64; one for characters within a token, one for tokens within a shingle.
CHARACTER_BASE = key_of("shingles", "characters") | 1
TOKEN_BASE = key_of("shingles", "tokens") | 1
MODULUS = 1 << 64


@dataclass(frozen=True)
class Shingles:
    """Hashes of the shingles of several texts, one text after the other; ``starts`` has one entry more than texts.

    ``tokens`` counts each text's words or characters.
    """

    hashes: Numbers
    starts: Places
    tokens: Places


def division_of(code: str) -> Division:
    """What shingles of a language are made of; a language outside the table is taken to have spaces."""
    if not is_known(code) or language(code).word_division != "none":
        return "words"
    return "ideographs" if language(code).script in IDEOGRAPHIC_SCRIPTS else "letters"


def shingle_hashes(
    texts: Any, *, length: int, division: Division, by_line: bool = False, settings: NormaliseSettings | None = None
) -> Shingles:
    """The shingles of each text of an Arrow column of strings; line ends divide words and nothing else.

    With ``by_line`` each line of each text is a text. Takes some 60 bytes for each character of the column at its peak.
    """
    assert length > 0
    lines = num_lines(texts)
    if by_line:
        lines = np.ones(lines.sum(), np.int64)
    return _of_lines("".join(normalise_lines(block, settings) for block in text_blocks(texts)), lines, length, division)


def _of_lines(block: str, lines: Places, length: int, division: Division) -> Shingles:
    """Shingles of texts that have so many of the block's normalised lines each."""
    codes = np.frombuffer(block.encode("utf-32-le"), np.uint32)
    feeds = np.flatnonzero(codes == LINE_FEED)
    ends = np.concatenate(([0], feeds + 1))[np.cumsum(lines)] if len(lines) else np.empty(0, np.int64)
    tokens, places = _words(codes) if division == "words" else _characters(codes)
    last = np.searchsorted(places, ends)
    first = np.concatenate(([0], last[:-1]))
    return _windows(tokens, first, last - first, length)


def _words(codes: npt.NDArray[np.uint32]) -> tuple[Numbers, Places]:
    """The hash of each word and where it begins."""
    inside = np.zeros(len(codes) + 2, bool)
    inside[1:-1] = (codes != SPACE) & (codes != LINE_FEED)
    borders = np.flatnonzero(inside[1:] != inside[:-1])
    starts, ends = borders[::2], borders[1::2]
    return spread(0, _stretches(codes.astype(np.uint64), starts, ends, CHARACTER_BASE)), starts


def _characters(codes: npt.NDArray[np.uint32]) -> tuple[Numbers, Places]:
    places = np.flatnonzero((codes != SPACE) & (codes != LINE_FEED))
    return spread(0, codes[places]), places


def _windows(tokens: Numbers, first: Places, counts: Places, length: int) -> Shingles:
    """Every stretch of ``length`` tokens inside each text, or the whole of a shorter one."""
    numbers = np.where(counts >= length, counts - length + 1, counts > 0)
    starts = np.concatenate(([0], np.cumsum(numbers)))
    begins = np.arange(starts[-1]) + np.repeat(first - starts[:-1], numbers)
    ends = begins + np.repeat(np.minimum(counts, length), numbers)
    return Shingles(spread(1, _stretches(tokens, begins, ends, TOKEN_BASE)), starts, counts)


def _stretches(values: Numbers, starts: Places, ends: Places, base: int) -> Numbers:
    """Of each stretch v0 v1 v2 …: v0 + v1·base + v2·base² + …, modulo 2^64."""
    size = 1 << max(16, len(values).bit_length())
    sums = np.zeros(len(values) + 1, np.uint64)
    np.cumsum(values * _powers(base, size)[: len(values)], out=sums[1:])
    inverse = _powers(pow(base, -1, MODULUS), size)
    result: Numbers = (sums[ends] - sums[starts]) * inverse[starts]
    return result


@functools.lru_cache(maxsize=8)
def _powers(base: int, size: int) -> Numbers:
    factors = np.full(size, base, np.uint64)
    factors[0] = 1
    return np.cumprod(factors)
