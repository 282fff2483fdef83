"""Which scripts a text is written in: letters of each Unicode script, counted for a whole batch at once.

    counts = count_scripts(["Привет, world", "猫"])      # Letters: (2, number of scripts)
    writings(counts, min_kana=0.05)                       # places in WRITINGS: Cyrl, Hani

Python's ``unicodedata`` does not know scripts, so the ranges of the blocks are written here (Unicode 16, Blocks.txt);
within a block only letters and vowel signs count (general categories L and M). A *writing* is what a language is
written in: a script, or Japanese's mixture of three.
"""

from __future__ import annotations

import functools
import sys
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["DENSE", "SCRIPTS", "WRITINGS", "Letters", "count_scripts", "is_unfit", "writings"]

Integers = np.ndarray[Any, np.dtype[np.int64]]

# Script → first and last code points of its blocks, in hexadecimal.
BLOCKS = {
    "Latn": "0041-005A 0061-007A 00AA-00AA 00BA-00BA 00C0-024F 0250-02AF 1E00-1EFF 2C60-2C7F A722-A7FF AB30-AB64 "
    "FB00-FB06 FF21-FF3A FF41-FF5A",
    "Grek": "0370-03FF 1F00-1FFF",
    "Cyrl": "0400-052F 1C80-1C8F 2DE0-2DFF A640-A69F",
    "Armn": "0530-058F FB13-FB17",
    "Hebr": "0590-05FF FB1D-FB4F",
    "Arab": "0600-06FF 0750-077F 0870-08FF FB50-FDCF FDF0-FDFF FE70-FEFE",
    "Syrc": "0700-074F 0860-086F",
    "Thaa": "0780-07BF",
    "Nkoo": "07C0-07FF",
    "Deva": "0900-097F A8E0-A8FF",
    "Beng": "0980-09FF",
    "Guru": "0A00-0A7F",
    "Gujr": "0A80-0AFF",
    "Orya": "0B00-0B7F",
    "Taml": "0B80-0BFF",
    "Telu": "0C00-0C7F",
    "Knda": "0C80-0CFF",
    "Mlym": "0D00-0D7F",
    "Sinh": "0D80-0DFF",
    "Thai": "0E00-0E7F",
    "Laoo": "0E80-0EFF",
    "Tibt": "0F00-0FFF",
    "Mymr": "1000-109F A9E0-A9FF AA60-AA7F",
    "Geor": "10A0-10FF 1C90-1CBF 2D00-2D2F",
    "Hang": "1100-11FF 3130-318F A960-A97F AC00-D7FF",
    "Ethi": "1200-139F 2D80-2DDF AB00-AB2F",
    "Cher": "13A0-13FF AB70-ABBF",
    "Cans": "1400-167F 18B0-18FF",
    "Khmr": "1780-17FF 19E0-19FF",
    "Mong": "1800-18AF",
    "Limb": "1900-194F",
    "Olck": "1C50-1C7F",
    "Bugi": "1A00-1A1F",
    "Tfng": "2D30-2D7F",
    "Yiii": "A000-A4CF",
    "Kana": "3040-30FF 31F0-31FF FF66-FF9F",
    "Bopo": "3100-312F 31A0-31BF",
    "Hani": "3005-3007 3400-4DBF 4E00-9FFF F900-FAFF 20000-323AF",
}
# Accents and joiners that every script borrows count for none; what has no block above is "Zzzz".
INHERITED = "0300-036F 1AB0-1AFF 1DC0-1DFF 20D0-20FF FE00-FE0F FE20-FE2F"
NOT_A_LETTER, UNFIT, OTHER = 0, 1, 2
SCRIPTS = ("Zyyy", "unfit", "Zzzz", *BLOCKS)
WRITINGS = ("Zzzz", *BLOCKS, "Jpan")
# A character of these is a syllable or a word: it says as much as three letters of an alphabet.
DENSE = {"Hani": 3, "Kana": 2, "Hang": 2, "Yiii": 3}


@dataclass(frozen=True)
class Letters:
    """``counts`` (texts, SCRIPTS), letters of each script; ``unfit`` (texts,) whether a text has control characters."""

    counts: Integers
    unfit: np.ndarray[Any, np.dtype[np.bool_]]

    @property
    def total(self) -> Integers:
        """Letters of each text, (texts,), a character of a DENSE script counted by what it says."""
        total: Integers = self.counts.sum(axis=1)
        return total


def count_scripts(texts: Sequence[str]) -> Letters:
    """Letters of each script in each text; a line feed inside a text is unfit, as it is to both opinions.

    Takes some tens of bytes a character while it works.
    """
    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    points = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), "<u4")
    rows = np.repeat(np.arange(len(texts), dtype=np.int64) * len(SCRIPTS), lengths)
    rows += _script_of_point()[points]
    counts = np.bincount(rows, minlength=len(texts) * len(SCRIPTS)).reshape(len(texts), len(SCRIPTS))
    unfit = counts[:, UNFIT] > 0
    counts[:, [NOT_A_LETTER, UNFIT]] = 0
    return Letters(counts * _density(), unfit)


def writings(letters: Letters, *, min_kana: float) -> Integers:
    """The place in WRITINGS of what each text is mostly written in, (texts,); 0, "Zzzz", also for no letters.

    Han with a share of kana of at least ``min_kana`` is Japanese; with less it may be any language that uses Han.
    """
    counts = letters.counts[:, OTHER:].astype(np.float64)
    kana, han = (counts[:, SCRIPTS.index(script) - OTHER] for script in ("Kana", "Hani"))
    japanese = (kana > 0) & (kana >= min_kana * (kana + han))
    mixed = np.where(japanese, kana + han, 0.0)
    alone = counts.copy()
    alone[japanese, SCRIPTS.index("Kana") - OTHER] = 0
    alone[japanese, SCRIPTS.index("Hani") - OTHER] = 0
    places: Integers = np.argmax(np.column_stack([alone, mixed]), axis=1).astype(np.int64)
    return places


@functools.cache
def _script_of_point() -> np.ndarray[Any, np.dtype[np.uint8]]:
    """A byte for each code point, 1.1 MB: its place in SCRIPTS."""
    table = np.zeros(sys.maxunicode + 1, np.uint8)
    for point in range(0x323B0):
        category = unicodedata.category(chr(point))
        if category[0] in "LM":
            table[point] = OTHER
        elif category in {"Cc", "Cs"}:
            table[point] = UNFIT
    letters = table == OTHER
    for number, blocks in enumerate(BLOCKS.values(), start=OTHER + 1):
        for first, last in _ranges(blocks):
            span = table[first : last + 1]
            span[letters[first : last + 1]] = number
    for first, last in _ranges(INHERITED):
        table[first : last + 1] = NOT_A_LETTER
    table[ord("\t")] = NOT_A_LETTER
    table[0xFDD0:0xFDF0] = UNFIT
    for plane in range(0, sys.maxunicode + 1, 0x10000):
        table[plane + 0xFFFE : plane + 0x10000] = UNFIT
    return table


def is_unfit(point: int) -> bool:
    """Whether no text should hold the code point: controls other than the tab, surrogates, noncharacters."""
    return bool(_script_of_point()[point] == UNFIT)


@functools.cache
def _density() -> Integers:
    return np.array([DENSE.get(script, 1) for script in SCRIPTS], np.int64)


def _ranges(text: str) -> list[tuple[int, int]]:
    pairs = [part.split("-") for part in text.split()]
    return [(int(first, 16), int(last, 16)) for first, last in pairs]
