"""Which characters of a text the pieces of a tokenizer stand for, where the tokenizer itself does not say.

    starts, ends = align("Élan vital", ["el", "an</w>", "vital</w>"])       # (0, 2, 5), (2, 4, 10)

Tokenizers of the older kind lower-case, drop marks and exchange punctuation before they divide, so pieces are followed
through the text by what is left of each character: its compatibility form in lower case, without marks.
"""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Sequence

import numpy as np

from isogloss.vocab.tokenizer import Ids

__all__ = ["align"]

# The marks of pieces that are not text: the end of a word (XLM), its inside (BERT), its beginning (SentencePiece).
MARKS = ("</w>", "##", "▁")
# How far a character is looked for beyond where it is expected, and how many must then agree.
REACH, AGREEING = 16, 3


def align(text: str, pieces: Sequence[str]) -> tuple[Ids, Ids]:
    """Where each piece begins and ends in the text; both never go back. A piece of nothing known is empty there."""
    letters, origins = _folded(text)
    said = [_folded(_without_marks(piece))[0] for piece in pieces]
    stream = [letter for piece in said for letter in piece]
    starts, ends = np.zeros(len(pieces), np.int32), np.zeros(len(pieces), np.int32)
    place = position = finish = 0
    for number, piece in enumerate(said):
        found: list[int] = []
        for _ in piece:
            match = _find(letters, place, stream, position)
            position += 1
            if match is not None:
                found.append(origins[match])
                place = match + 1
        starts[number] = max(found[0], starts[number - 1]) if found else finish
        finish = ends[number] = max(found[-1] + 1, finish) if found else finish
    return starts, ends


def _find(letters: Sequence[str], place: int, stream: Sequence[str], position: int) -> int | None:
    """Where the letter at `position` of the stream stands: here, nearby with those that follow, or exchanged here."""
    if place == len(letters):
        return None
    if letters[place] == stream[position]:
        return place
    following = stream[position : position + AGREEING]
    for there in range(place + 1, min(place + REACH, len(letters))):
        if letters[there : there + len(following)] == following:
            return there
    # Punctuation is exchanged for other punctuation, one for one; a letter that is not there came from nothing.
    return place if not stream[position].isalnum() and not letters[place].isalnum() else None


def _folded(text: str) -> tuple[list[str], list[int]]:
    """What is left of each visible character, letter by letter, and which character each came from."""
    letters = [(letter, place) for place, character in enumerate(text) for letter in _fold(character)]
    return [letter for letter, _ in letters], [place for _, place in letters]


@functools.lru_cache(maxsize=1 << 16)
def _fold(character: str) -> str:
    lowered = unicodedata.normalize("NFKD", character.lower())
    kept = "".join(letter for letter in lowered if not unicodedata.combining(letter) and not letter.isspace())
    # A mark that stands alone is all there is of it.
    return kept or ("" if character.isspace() else lowered.strip())


def _without_marks(piece: str) -> str:
    for mark in MARKS:
        if piece != mark:
            piece = piece.removeprefix(mark).removesuffix(mark)
    return piece
