"""Text as the words that SentencePiece's trainer counts, long ones cut into spans.

    text = normalised(sentencepiece.SentencePieceNormalizer(rule_name=NORMALISATION), "Lines\\nof raw text")
    words_of(text, span=32)                  # ["Lines", "of", "raw", "text"]

A word is what stands between spaces after normalisation. Where languages are written without spaces that is a sentence,
which never comes again: a word of more than ``span`` characters is cut where the script changes, which loses nothing as
SentencePiece makes no piece across scripts, and then evenly into parts of at most ``span`` characters, which loses
only pieces across those cuts. A part that does not begin its word begins with a space.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

import numpy as np
import sentencepiece

from isogloss.vocab.layout import SPACE
from isogloss.vocab.scripts import kinds_of_characters

__all__ = ["NORMALISATION", "as_written", "cut_word", "normalised", "words_of"]

# SentencePiece's own default, and XLM-R's.
NORMALISATION = "nmt_nfkc"
# Special pieces must not be learned as ordinary ones, and SentencePiece silently skips lines with NUL or with its own
# mark for unknown characters, U+2585.
_RESERVED = re.compile("</?s>|<pad>|<unk>|<mask>|[\0\u2581\u2585]")


def normalised(normaliser: sentencepiece.SentencePieceNormalizer, text: str) -> str:
    """Words with single spaces between them, without what the trainer must not see."""
    # Half of a surrogate pair has no UTF-8; it is no text to learn from either.
    told: bytes = normaliser.normalize(text.encode("utf-8", errors="replace"))
    return _RESERVED.sub(" ", told.decode("utf-8"))


def words_of(text: str, *, span: int) -> list[str]:
    """The words of normalised text, in order; none is longer than ``span`` characters and the space before it."""
    words = text.split(" ")
    if any(len(word) > span for word in words):
        words = list(itertools.chain.from_iterable(cut_word(word, span) for word in words))
    return [word for word in words if word]


def cut_word(word: str, span: int) -> Iterator[str]:
    """Its parts of at most ``span`` characters; all but the first have a space before them."""
    if len(word) <= span:
        yield word
        return
    kinds = kinds_of_characters()[np.frombuffer(word.encode("utf-32-le"), "<u4")]
    changes = np.flatnonzero((kinds[1:] != kinds[:-1]) & (kinds[1:] > 0) & (kinds[:-1] > 0)) + 1
    begin = ""
    for first, last in itertools.pairwise([0, *changes.tolist(), len(word)]):
        num_parts = -(-(last - first) // span)
        ends = [first + (last - first) * number // num_parts for number in range(num_parts + 1)]
        for start, end in itertools.pairwise(ends):
            yield begin + word[start:end]
            begin = " "


def as_written(word: str) -> str:
    """A word as the trainer reads it: with the mark of a space before it, or as the rest of one without."""
    return word[1:] if word.startswith(" ") else SPACE + word
