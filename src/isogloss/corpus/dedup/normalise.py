"""What two lines have in common when they say the same: lower case, no accents, no punctuation, every digit a 0.

The key of CCNet's paper (reference/paper.md 7.1), whose code differs in two points that are settings here: it keeps
accents, and deletes punctuation outside ASCII only (here: all or none). An accent is a mark of Unicode's blocks of
combining diacritical marks, as Latin, Greek and Cyrillic have them. The vowel signs of Devanagari or Thai and the
points of Arabic and Hebrew are letters to their readers and stay; so does what composes with them, so that only
accents are the same composed and decomposed.

    normalise_lines("Ça va?  Depuis 1984!\\n")          # 'ca va depuis 0000\\n'
    for block in text_blocks(texts): ...                # an Arrow column as long strings, a line feed after each line

Nothing is done character by character in Python: one table look-up a code unit over thousands of lines at once,
in UTF-16, or UTF-32 where a block has characters beyond its 65,536.
"""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import Field

from isogloss.config import Settings
from isogloss.corpus.extras import load_pyarrow

__all__ = ["NormaliseSettings", "normalise_lines", "num_lines", "text_blocks"]

# Small enough that a block's arrays stay in a core's cache.
BLOCK_BYTES = 1 << 16
NUM_CODE_POINTS = 0x110000
NUM_CODE_UNITS = 0x10000
COMBINING_DIACRITICAL_MARKS = ((0x300, 0x370), (0x1AB0, 0x1B00), (0x1DC0, 0x1E00), (0x20D0, 0x2100), (0xFE20, 0xFE30))
_ACCENTS = {code: None for start, end in COMBINING_DIACRITICAL_MARKS for code in range(start, end)}
# Ideographs, syllables, surrogates, private use and empty planes: nothing in them changes, which a test proves.
UNCHANGED = ((0x3400, 0xA000), (0xAC00, 0xF900), (0x17000, 0x1A000), (0x20000, 0x2F800), (0x30000, 0xE0000))
LAST_CHANGED = 0xE1000
SPACE, LINE_FEED = ord(" "), ord("\n")
# Stands for "delete": a NUL is a control character and would go anyway.
DELETED = "\0"


class NormaliseSettings(Settings):
    """What is levelled before two lines are compared; the defaults are the paper's."""

    lower: bool = Field(True, description="lower case; a Greek final sigma is a sigma")
    zero_digits: bool = Field(True, description="every decimal digit of every script becomes 0")
    drop_punctuation: bool = Field(True, description="delete what Unicode calls punctuation")
    drop_accents: bool = Field(True, description="delete accents, composed or not (cc_net's code keeps them)")


def normalise_lines(text: str, settings: NormaliseSettings | None = None) -> str:
    """Normalise lines that each end in a line feed; as many come back, in their order, some perhaps empty.

    White space becomes one space between words and none at the ends; control and format characters go.
    """
    settings = settings or NormaliseSettings()
    # A bare look-up in UTF-16 is right as long as no character takes two units.
    units, form = text.encode("utf-16-le"), "utf-16-le"
    if len(units) == 2 * len(text):
        values = np.take(_unit_table(settings), np.frombuffer(units, np.uint16))
    else:
        form = "utf-32-le"
        values = np.take(_table(settings), np.frombuffer(text.encode(form), np.uint32))
    return _level_spaces(_without_deleted(values, form), form, values.dtype)


def text_blocks(texts: Any, block_bytes: int = BLOCK_BYTES) -> Iterator[str]:
    """The lines of an Arrow column of strings (array or chunked), in order, each ended by a line feed.

    A block is some ``block_bytes`` long and ends at a line's end; a longer line is a block of its own. A text of k
    line feeds gives k + 1 lines. The column has no nulls.
    """
    for data, offsets in _ended(texts):
        start, end = int(offsets[0]), int(offsets[-1])
        view = memoryview(data)
        while start < end:
            stop = start + block_bytes
            stop = end if stop >= end else _after_line(view, stop, end)
            yield str(view[start:stop], "utf-8")
            start = stop


def num_lines(texts: Any) -> npt.NDArray[np.int64]:
    """Lines of each text of an Arrow column of strings: its line feeds and one."""
    counts = [np.empty(0, np.int64)]
    for data, offsets in _ended(texts):
        feeds = np.flatnonzero(np.frombuffer(data, np.uint8, offsets[-1]) == LINE_FEED)
        counts.append(np.diff(np.searchsorted(feeds, offsets)))
    return np.concatenate(counts)


def _ended(texts: Any) -> Iterator[tuple[Any, npt.NDArray[np.int64]]]:
    """(bytes, offsets) of each chunk, a line feed added to every text."""
    pa = load_pyarrow()
    for chunk in texts.chunks if isinstance(texts, pa.ChunkedArray) else [texts]:
        assert not chunk.null_count, "a column of texts has no nulls"
        if not len(chunk):
            continue
        kind = pa.large_string()
        ended = pa.compute.binary_join_element_wise(
            chunk.cast(kind), pa.scalar("", kind), pa.scalar("\n", kind)
        )  # the last argument stands between the others
        offsets = np.frombuffer(ended.buffers()[1], np.int64, len(ended) + 1, ended.offset * 8)
        yield ended.buffers()[2], offsets


def _after_line(view: memoryview, start: int, end: int) -> int:
    """Where the line that holds byte ``start`` ends."""
    width = 1 << 12
    while start < end:
        piece = bytes(view[start : min(start + width, end)])
        if (found := piece.find(b"\n")) >= 0:
            return start + found + 1
        start += len(piece)
    return end


def _without_deleted(values: npt.NDArray[Any], form: str) -> str:
    return str(values.data, form).replace(DELETED, "")


def _level_spaces(text: str, form: str, kind: np.dtype[Any]) -> str:
    values = np.frombuffer(bytearray(text.encode(form)), kind)
    spaces, feeds = values == SPACE, values == LINE_FEED
    # A space goes if a space or a line's end follows, or a line begins before it.
    drop = np.zeros(len(values), bool)
    drop[:-1] = spaces[:-1] & (spaces[1:] | feeds[1:])
    drop[1:] |= spaces[1:] & feeds[:-1]
    if drop.any():
        np.multiply(values, ~drop, out=values)
        text = _without_deleted(values, form)
    # The last of several spaces at a line's beginning is still there.
    if "\n " in text:
        text = text.replace("\n ", "\n")
    return text.removeprefix(" ")


@functools.cache
def _unit_table(settings: NormaliseSettings) -> npt.NDArray[np.uint16]:
    return _table(settings)[:NUM_CODE_UNITS].astype(np.uint16)


@functools.cache
def _table(settings: NormaliseSettings) -> npt.NDArray[np.uint32]:
    """What each code point becomes, NUL for nothing. It depends on Python's version of Unicode where that adds."""
    table = np.arange(NUM_CODE_POINTS, dtype=np.uint32)
    starts = [0, *(last for _, last in UNCHANGED)]
    ends = [first for first, _ in UNCHANGED] + [LAST_CHANGED]
    codes = [code for start, end in zip(starts, ends, strict=True) for code in range(start, end)]
    table[codes] = [ord(character) for character in _levelled("".join(map(chr, codes)), settings)]
    return table


def _levelled(characters: str, settings: NormaliseSettings) -> list[str]:
    """What each character becomes, NUL for nothing; what would become several stays as it is."""
    # All at once, a line feed after each: nothing below looks or reaches across one.
    changed = "\n".join(characters.replace("\n", " "))
    if settings.lower:
        changed = changed.lower().replace("ς", "σ")
    if settings.drop_accents:
        parts = unicodedata.normalize("NFD", changed)
        changed = "\n".join(map(_without_accents, changed.split("\n"), parts.split("\n")))
    kinds = map(unicodedata.category, characters)
    each = zip(characters, kinds, changed.split("\n"), strict=True)
    return [_becomes(character, kind, after, settings) for character, kind, after in each]


def _becomes(character: str, kind: str, changed: str, settings: NormaliseSettings) -> str:
    if character == "\n":
        return character
    if character.isspace():
        return " "
    if kind in ("Cc", "Cf") or (settings.drop_punctuation and kind.startswith("P")):
        return DELETED
    if kind == "Nd":
        return "0" if settings.zero_digits else character
    return (changed or DELETED) if len(changed) < 2 else character


def _without_accents(character: str, parts: str) -> str:
    """A character that ``parts`` decompose."""
    bare = parts.translate(_ACCENTS)
    # Without an accent nothing is taken apart: a compatibility ideograph or a nukta is no accent.
    return unicodedata.normalize("NFC", bare) if len(bare) < len(parts) else character
