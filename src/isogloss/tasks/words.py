"""Words and pieces, aligned by character offset: the same way in training and in inference.

    text, spans = join_words(["Anna", "lives", "in", "Oslo", "."], language="en")
    spans = divide_words("Anna lives in Oslo.", starts, ends)    # running text
    rows, own = word_rows(text, spans, starts, ends)              # the piece each word is read from
    rows, words = further_rows(text, spans, starts, ends)         # those that running text is read from beside them

A word is labelled and read at the first piece that begins inside it with a visible character, so that a lone "▁"
before a Chinese character or a full stop is never taken for it. In scripts without spaces one piece may cover two
words: a word in which no piece begins has the one that covers its beginning, if no other word has it. A word that is
left without a piece of its own (its piece is a neighbour's; normalisation dropped it whole) is read at the nearest
piece that begins before it, or at the first piece of all. Such a word is not `own`: training leaves it out, inference
still predicts it.
"""

from __future__ import annotations

import functools
import re
import sys
import unicodedata
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from isogloss.languages import is_unspaced
from isogloss.tasks.metrics import UNSPACED

__all__ = ["IntArray", "Span", "divide_words", "further_rows", "join_words", "word_rows"]

IntArray = npt.NDArray[np.int32]
Span = tuple[int, int]

# Characters without a shape of their own: soft hyphen, joiners, marks of direction, byte order mark.
INVISIBLE = "\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\U000e0001-\U000e007f"
# Those of them that stand within a word and do not divide it.
WITHIN = "\u00ad\u200c\u200d\u2060"
# What stands between two letters or digits of one word.
BETWEEN = "'’.·‑-"
# Of emoji: skin tones and the letters that name a region's flag after its pole, and the pairs that are a country's.
MODIFIERS, REGIONAL = "\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f", "\U0001f1e6-\U0001f1ff"


def join_words(words: Sequence[str], *, language: str | None = None) -> tuple[str, list[Span]]:
    """The text that words make, and each word's characters in it; no spaces where the language has none."""
    gap = "" if language is not None and is_unspaced(language) else " "
    spans: list[Span] = []
    position = 0
    for word in words:
        spans.append((position, position + len(word)))
        position += len(word) + len(gap)
    return gap.join(words), spans


def divide_words(text: str, starts: IntArray, ends: IntArray) -> list[Span]:
    """The words of running text: letters, marks and digits that stand together; every other visible character alone.

    An apostrophe, hyphen or dot between two letters or digits stays inside, an emoji with all its parts is one
    character, and what cannot be seen (marks of direction, joiners) is no word. In scripts without spaces a word
    begins wherever a piece begins, but for a mark, as nothing else divides them; so does a word of another script
    behind them.
    """
    firsts = set(_first_visible(text, starts, ends).tolist())
    spans: list[Span] = []
    for match in _word().finditer(text):
        start = match.start()
        for position in range(match.start() + 1, match.end()):
            if position in firsts and _may_begin(text, position):
                spans.append((start, position))
                start = position
        spans.append((start, match.end()))
    return spans


def word_rows(
    text: str, spans: Sequence[Span], starts: IntArray, ends: IntArray
) -> tuple[IntArray, npt.NDArray[np.bool_]]:
    """For each word, the index of the piece it is read from and whether that piece is its own (see above).

    `starts` and `ends` are each piece's characters in `text`. A text without pieces gives -1 throughout.
    """
    firsts = _first_visible(text, starts, ends)
    pieces = np.flatnonzero(firsts >= 0)
    if len(pieces) == 0:
        return np.full(len(spans), -1, np.int32), np.zeros(len(spans), np.bool_)
    # Non-decreasing already, but for the rare normalisation that reorders: a later piece never begins earlier.
    firsts, lasts = np.maximum.accumulate(firsts[pieces]), ends[pieces]
    word_starts = np.array([start for start, _ in spans], np.int64)
    word_ends = np.array([end for _, end in spans], np.int64)
    found = np.searchsorted(firsts, word_starts, side="left")
    own = (found < len(pieces)) & (firsts[np.minimum(found, len(pieces) - 1)] < word_ends)
    # A piece that begins where an empty word stands is that of the word behind it.
    before = np.maximum(np.searchsorted(firsts, word_starts, side="left") - 1, 0)
    # Pieces of one character ("½") begin together: the first of them is taken, as it is for a word's own.
    before = np.searchsorted(firsts, firsts[before], side="left")
    taken = set(found[own].tolist())
    for word in np.flatnonzero(~own & (firsts[before] < word_starts) & (word_starts < lasts[before])).tolist():
        if before[word] not in taken and _is_visible(text[slice(*spans[word])]):
            taken.add(int(before[word]))
            own[word], found[word] = True, before[word]
    return pieces[np.where(own, found, before)].astype(np.int32), own


def further_rows(
    text: str, spans: Sequence[Span], starts: IntArray, ends: IntArray
) -> tuple[IntArray, npt.NDArray[np.int32]]:
    """The pieces that running text is read from (see `divide_words`) and no word is, each with the word it begins in.

    They are what training on words of a language without spaces would never label.
    """
    rows, own = word_rows(text, spans, starts, ends)
    divided = divide_words(text, starts, ends)
    read, begins = word_rows(text, divided, starts, ends)
    places = np.array([start for start, _ in divided], np.int64)
    word_starts = np.array([start for start, _ in spans], np.int64)
    word_ends = np.array([end for _, end in spans], np.int64)
    words = np.searchsorted(word_starts, places, side="right") - 1
    inside = begins & (words >= 0) & ~np.isin(read, rows[own])
    inside &= places < word_ends[np.maximum(words, 0)] if len(spans) else False
    return read[inside], words[inside].astype(np.int32)


def _first_visible(text: str, starts: IntArray, ends: IntArray) -> IntArray:
    """Where each piece's first visible character stands in the text; -1 for a piece without any."""
    firsts = np.asarray(starts).astype(np.int32)
    for piece, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
        while start < end and _is_space(text[start]):
            start += 1
        firsts[piece] = start if start < end else -1
    return firsts


def _may_begin(text: str, position: int) -> bool:
    """Whether a piece that begins here, inside a run, begins a word: beside a letter of a script without spaces.

    A dot or hyphen between such letters, or between one and another script's, is a word too if it is a piece.
    """
    if _is_part(text[position]):
        return False
    before = position - 1
    while before > 0 and (_is_part(text[before]) or text[before] in BETWEEN):
        before -= 1
    letter = position + 1 if text[position] in BETWEEN else position
    return UNSPACED.match(text, letter) is not None or UNSPACED.match(text, before) is not None


def _is_part(character: str) -> bool:
    """Whether it belongs to the letter before it."""
    return character in WITHIN or unicodedata.category(character).startswith("M")


def _is_visible(word: str) -> bool:
    return any(not character.isspace() and _invisible().match(character) is None for character in word)


def _is_space(character: str) -> bool:
    """What SentencePiece takes for a space, or drops; the next-line character, to it, is a letter that it never saw."""
    return character.isspace() and character != "\x85"


@functools.cache
def _invisible() -> re.Pattern[str]:
    return re.compile(f"[{INVISIBLE}]")


@functools.cache
def _word() -> re.Pattern[str]:
    """Letters, marks, digits and joiners, or one other visible character. Python's \\w leaves out marks.

    Marks, skin tones and what a joiner adds belong to the character before them; two regional indicators are a flag.
    """
    marks = "".join(chr(code) for code in range(sys.maxunicode + 1) if unicodedata.category(chr(code))[0] == "M")
    run = f"[\\w{marks}][\\w{marks}{WITHIN}]*"
    symbol = f"(?:[{REGIONAL}]{{2}}|[^\\s\\w{INVISIBLE}])[{marks}{MODIFIERS}]*"
    return re.compile(f"{run}(?:[{BETWEEN}]{run})*|{symbol}(?:\u200d{symbol})*")
