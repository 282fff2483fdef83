"""Which words a vocabulary is trained on: all, or as many as there is room for, with counts that keep every sum true.

    alphabet = choose_alphabet(counts.characters(), coverage=0.9995)
    kept = keep_words(counts, Path("words.tsv"), alphabet, room=60_000_000)

SentencePiece's memory while it trains grows with the characters of the different words it is given. Where they are too
many, a floor is found: a word that counts as much is kept, one that counts less is kept with the probability
count / floor and then counts as much as the floor. So frequent words are all there as they are, and of the rare ones,
which may be half of a language and all of one that is written without spaces, enough are left to speak for the others.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from isogloss.vocab.counting import UNIT, Row, WordCounts
from isogloss.vocab.words import as_written

__all__ = ["KeptWords", "choose_alphabet", "choose_words", "find_floor", "keep_words"]


@dataclass(frozen=True)
class KeptWords:
    """A file of words and counts, a tab between them, a word a line; how many words and characters were met and kept.

    ``floor`` is the count from which on words were kept as they are, 1 where all were.
    """

    path: Path
    floor: float
    num_met: int
    num_words: int
    num_characters: int

    def lines(self) -> Iterator[bytes]:
        """The lines without their ends."""
        with self.path.open("rb") as stream:
            for line in stream:
                yield line[:-1]


def keep_words(counts: WordCounts, path: Path, alphabet: Mapping[str, int], *, room: int) -> KeptWords:
    """Write the words that there is ``room`` for, in characters."""
    taken: Counter[int] = Counter()
    num_met = 0
    for row in counts.merged():
        taken[row.times] += _room_of(row.word)
        num_met += 1
    floor = find_floor(taken, room=room)
    num_words = num_characters = 0
    with path.open("wb") as stream:
        for word, count in choose_words(counts.merged(), alphabet, floor):
            stream.write(b"%b\t%d\n" % (word.encode(), count))
            num_words += 1
            num_characters += len(word)
    return KeptWords(path, floor, num_met, num_words, num_characters)


def choose_alphabet(characters: npt.NDArray[np.int64], *, coverage: float) -> dict[str, int]:
    """The most frequent characters that make up ``coverage`` of all, with their counts; U+2581 stands for spaces.

    By SentencePiece's rule: one more is taken as long as those before it cover less; of equal ones the first by code.
    """
    points = np.flatnonzero(characters)
    points = points[np.lexsort((points, -characters[points]))]
    counts = characters[points]
    before = np.cumsum(counts) - counts
    kept = points[before < coverage * counts.sum()]
    return {chr(point): max(int(characters[point]) // UNIT, 1) for point in kept}


def find_floor(taken: Mapping[int, int], *, room: int) -> float:
    """The least floor, at least 1, by which the words come to take ``room`` or less, on average over all chances.

    ``taken`` says for each count how much its words would take together.
    """
    above, below = sum(taken.values()), 0
    floor = 1.0
    for count in sorted(taken):
        # With the floor at this count, words that count less take `below / count`.
        if above + below / count <= room:
            break
        above -= taken[count]
        below += taken[count] * count
        floor = below / (room - above) if above < room else math.inf
    return floor


def choose_words(rows: Iterable[Row], alphabet: Mapping[str, int], floor: float) -> Iterator[tuple[str, int]]:
    """What the trainer is given: each word as it reads it, with a count of at least 1.

    Characters outside of the alphabet cut a word. One of the alphabet that stands in no word that was kept follows in
    the end, by itself.
    """
    known = set(alphabet) | {" "}
    met: set[str] = set()
    for row in rows:
        count = row.times
        if count < floor:
            if row.chance * floor >= count:
                continue
            count = int(floor + row.rounding)
        parts = [row.word] if known.issuperset(row.word) else _known_parts(row.word, known)
        for part in parts:
            written = as_written(part)
            met.update(written)
            yield written, max(count, 1)
    for character in sorted(set(alphabet) - met):
        yield character, alphabet[character]


def _known_parts(word: str, known: set[str]) -> Iterator[str]:
    """The stretches of known characters; all but one at the word's beginning have a space before them."""
    begins_word = not word.startswith(" ")
    for is_known, run in itertools.groupby(word, known.__contains__):
        part = "".join(run)
        if is_known and part.strip(" "):
            yield part if begins_word or part.startswith(" ") else f" {part}"
        begins_word = False


def _room_of(word: str) -> int:
    """What a word takes, in characters: its own, and the mark before it."""
    return len(as_written(word))
