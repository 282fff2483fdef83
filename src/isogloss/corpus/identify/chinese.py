"""Simplified against Traditional Chinese, and Cantonese: by characters that only one of them has.

Which characters those are is asked of Python's own codecs: GB 2312 is the character set of Simplified Chinese and Big5
that of Traditional Chinese, so a character that only one of the two can encode speaks for it. What both have (的, 人)
says nothing. No table of characters is carried, the 9 Cantonese ones below apart.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

__all__ = ["count_chinese", "decide_chinese"]

Integers = np.ndarray[Any, np.dtype[np.int64]]

# Grammatical words of Cantonese, each written with a character that standard Chinese hardly ever uses: 's, -ed, at,
# he/she, plural, not have, come, some, that. 唔 ("not") is left out, as standard Chinese has it for a sound.
CANTONESE = "嘅咗喺佢哋冇嚟啲嗰"
NEUTRAL, SIMPLIFIED, TRADITIONAL, CANTONESE_KIND = range(4)


def count_chinese(texts: Sequence[str]) -> Integers:
    """How many characters of each text are only Simplified, only Traditional, and Cantonese: (texts, 3)."""
    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    points = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), "<u4")
    rows = np.repeat(np.arange(len(texts), dtype=np.int64) * 4, lengths) + _kinds()[points]
    counts: Integers = np.bincount(rows, minlength=len(texts) * 4).reshape(len(texts), 4)[:, 1:]
    return counts


def decide_chinese(counts: Integers, letters: Integers, *, min_cantonese: float) -> list[str]:
    """The code of each text from :func:`count_chinese` and its number of Han characters.

    "" where no character speaks for either. Cantonese needs a share of ``min_cantonese`` of the characters and two of
    them.
    """
    found = []
    for (simplified, traditional, cantonese), total in zip(counts.tolist(), letters.tolist(), strict=True):
        if cantonese >= 2 and cantonese >= min_cantonese * total:
            found.append("yue")
        elif simplified == traditional:
            found.append("")
        else:
            found.append("zh-Hans" if simplified > traditional else "zh-Hant")
    return found


@functools.cache
def _kinds() -> np.ndarray[Any, np.dtype[np.uint8]]:
    """A byte for each code point, 1.1 MB."""
    simplified, traditional = _characters("gb2312"), _characters("big5")
    table = np.zeros(sys.maxunicode + 1, np.uint8)
    for characters, kind in (
        (simplified - traditional, SIMPLIFIED),
        (traditional - simplified, TRADITIONAL),
        (set(CANTONESE), CANTONESE_KIND),
    ):
        table[[ord(character) for character in characters]] = kind
    return table


def _characters(codec: str) -> set[str]:
    """Every Han character of a codec of two bytes."""
    pairs = (
        bytes((first, second)).decode(codec, "ignore") for first in range(0xA1, 0xFF) for second in range(0x40, 0xFF)
    )
    return {pair for pair in pairs if len(pair) == 1 and "\u4e00" <= pair <= "\u9fff"}
