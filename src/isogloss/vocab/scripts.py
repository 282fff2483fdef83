"""Which characters SentencePiece puts into no piece together, as far as that is sure: letters of two scripts.

    kinds = kinds_of_characters()      # a byte for each code point, 0 where it is not sure
    kinds[ord("a")] != kinds[ord("я")] != kinds[ord(",")]

SentencePiece goes by Unicode's scripts, with Han and both kana as one. Python does not know scripts: what is said here
follows from the blocks of letters and from where characters stand that belong to no script, and is silent elsewhere.
"""

from __future__ import annotations

import functools
import sys
import unicodedata

import numpy as np
import numpy.typing as npt

from isogloss.corpus.identify.scripts import BLOCKS
from isogloss.vocab.layout import SPACE

__all__ = ["kinds_of_characters"]

UNSURE, COMMON = 0, 1
ONE_KIND = {"Kana": "Hani"}
# Their marks are of their own script; those of other scripts are partly of none.
MARKS_OF_THEIR_OWN = frozenset(
    ("Beng", "Deva", "Gujr", "Guru", "Khmr", "Knda", "Laoo", "Mlym", "Mymr", "Orya", "Sinh", "Taml", "Telu", "Thai")
)
NO_OWN_MARKS = range(0x951, 0x955)
# Blocks in which what is no letter belongs to no script.
COMMON_BLOCKS = (
    *((0x21, 0xBF), (0x2010, 0x2027), (0x2030, 0x205E), (0x20A0, 0x20BF), (0x2190, 0x27BF)),
    *((0x3001, 0x3003), (0x3008, 0x3011), (0x3014, 0x301B), (0x1F300, 0x1F64F)),
)
ALSO_COMMON = (0x60C, 0x61B, 0x61F, 0x964, 0x965)
PROLONGED_SOUND = 0x30FC


@functools.cache
def kinds_of_characters() -> npt.NDArray[np.uint8]:
    """The kind of each code point; no piece has two that differ, unless one of them is 0."""
    table = np.zeros(sys.maxunicode + 1, np.uint8)
    for first, last in COMMON_BLOCKS:
        for point in range(first, last + 1):
            if unicodedata.category(chr(point))[0] in "NPS":
                table[point] = COMMON
    table[list(ALSO_COMMON)] = COMMON
    numbers = {script: number for number, script in enumerate(BLOCKS, start=COMMON + 1)}
    for script, blocks in BLOCKS.items():
        for block in blocks.split():
            first, last = (int(end, 16) for end in block.split("-"))
            for point in range(first, last + 1):
                if _is_of(script, point):
                    table[point] = numbers[ONE_KIND.get(script, script)]
    table[PROLONGED_SOUND] = numbers["Hani"]
    # It stands for a space, and may begin any piece.
    table[ord(SPACE)] = UNSURE
    return table


def _is_of(script: str, point: int) -> bool:
    category = unicodedata.category(chr(point))
    if category in ("Mn", "Mc"):
        return script in MARKS_OF_THEIR_OWN and point not in NO_OWN_MARKS
    return category in ("Lu", "Ll", "Lt", "Lo")
