"""The strings a unigram model is found among: those that cover most of the weighted words.

    words = WordTable(lines, num_characters=9, num_words=2, longest=16)     # lines: b"\xe2\x96\x81the\t910", …
    for piece, weight in find_seeds(words, most=1_000_000, memory=1 << 30): ...

SentencePiece's rule (Kudo 2018, section 3.2): every string of two characters or more that comes at least twice and is
not always followed by one and the same character or by the word's end, heaviest first by how often it comes times its
length. Whole words stay, whatever follows; when all ends of words did, models of small texts were far worse. Its own
search repeats a word as often as it counts, in 500 MB of text at a time, and takes ten times as many bytes for it.
Here each different word stands once, with its count.

Strings grow by a character at a time. What cannot become heavy enough any more is left behind, as a string is no more
frequent than its beginning. Strings of some first characters are followed at a time, as many as the memory holds.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt

from isogloss.vocab.layout import SPACE
from isogloss.vocab.scripts import kinds_of_characters

__all__ = ["BYTES_A_CHARACTER", "WordTable", "find_seeds"]

Integers = npt.NDArray[np.int64]
# What a character takes in a table (measured 14), and a place in it while the strings that begin there are followed.
BYTES_A_CHARACTER = 16
BYTES_A_PLACE = 80
LEAST_COUNT = 2
NUM_POINTS = 0x110000
BLOCK_WORDS = 1 << 16


class WordTable:
    """Different words one after another, each with its count; of every character how far a piece may reach from it."""

    def __init__(self, lines: Iterable[bytes], *, num_characters: int, num_words: int, longest: int) -> None:
        """``lines`` are words and counts with a tab between; a piece has at most ``longest`` characters."""
        self.longest = longest
        # Behind the last word nothing follows, however far one looks.
        self.points = np.zeros(num_characters + longest, np.uint32)
        self.owner = np.full(num_characters + longest, -1, np.int32)
        self.reach = np.empty(num_characters, np.uint8)
        self.counts = np.empty(num_words, np.int64)
        filled = first = 0
        remaining = iter(lines)
        while block := list(itertools.islice(remaining, BLOCK_WORDS)):
            filled = self._fill(filled, first, [line.split(b"\t") for line in block])
            first += len(block)
        assert (filled, first) == (num_characters, num_words), "as many as announced"

    def _fill(self, filled: int, first: int, rows: list[list[bytes]]) -> int:
        words = [word.decode() for word, _ in rows]
        points = np.frombuffer("".join(words).encode("utf-32-le"), "<u4")
        lengths = np.fromiter(map(len, words), np.int64, len(words))
        end = filled + len(points)
        self.points[filled:end] = points
        self.owner[filled:end] = np.repeat(np.arange(first, first + len(words)), lengths)
        self.counts[first : first + len(words)] = [int(count) for _, count in rows]
        kinds = kinds_of_characters()[points]
        breaks = np.flatnonzero((kinds[1:] != kinds[:-1]) & (kinds[1:] > 0) & (kinds[:-1] > 0)) + 1
        stops = np.union1d(np.cumsum(lengths), breaks)
        places = np.arange(len(points))
        ahead = stops[np.searchsorted(stops, places, side="right")] - places
        self.reach[filled:end] = np.minimum(ahead, self.longest)
        return end

    def following(self, places: Integers, length: int) -> npt.NDArray[np.uint32]:
        """The character after so many from each place; 0 where the word ends."""
        ends = self.owner[places + length] != self.owner[places]
        return np.where(ends, np.uint32(0), self.points[places + length])


class _Heaviest:
    """The heaviest strings met so far: their weights, first places and lengths."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._held: list[Integers] = []
        self.least = 0

    def add(self, counts: Integers, firsts: Integers, length: int) -> None:
        weights = counts * length
        good = (counts >= LEAST_COUNT) & (weights >= self.least)
        self._held.append(np.stack([weights[good], firsts[good], np.full(np.count_nonzero(good), length)]))
        if sum(part.shape[1] for part in self._held) > 2 * self._most:
            self._trim()

    def _trim(self) -> None:
        together = np.concatenate(self._held, axis=1)
        if together.shape[1] > self._most:
            self.least = int(np.partition(together[0], -self._most)[-self._most])
        # Of equals all stay: which come first is known in the end.
        self._held = [together[:, together[0] >= self.least]]

    def found(self) -> Integers:
        """(3, strings), heaviest first; of equals the one that comes first in the table, and the shorter one."""
        if not self._held:
            return np.empty((3, 0), np.int64)
        self._trim()
        (held,) = self._held
        return held[:, np.lexsort((held[2], held[1], -held[0]))[: self._most]]


def find_seeds(words: WordTable, *, most: int, memory: int) -> Iterator[tuple[str, int]]:
    """Strings and weights, heaviest first, at most ``most``; ``memory`` in bytes, the table's own not counted."""
    heaviest = _Heaviest(most)
    for starts in _parts(words, max(memory // BYTES_A_PLACE, 1)):
        _follow(words, starts, heaviest)
    for weight, first, length in heaviest.found().T.tolist():
        yield words.points[first : first + length].tobytes().decode("utf-32-le"), weight


def _parts(words: WordTable, capacity: int) -> Iterator[npt.NDArray[np.bool_]]:
    """Which first characters go together, a truth value for each code point."""
    places = np.bincount(words.points, minlength=NUM_POINTS)
    places[0] = 0
    points = np.flatnonzero(places)
    # The most frequent first: with heavy strings in hand, light ones are left early.
    points = points[np.argsort(-places[points], kind="stable")]
    chosen, size = np.zeros(NUM_POINTS, np.bool_), 0
    for point in points.tolist():
        if size and size + places[point] > capacity:
            yield chosen
            chosen, size = np.zeros(NUM_POINTS, np.bool_), 0
        chosen[point] = True
        size += int(places[point])
    yield chosen


def _follow(words: WordTable, starts: npt.NDArray[np.bool_], heaviest: _Heaviest) -> None:
    """Meet every string that begins with one of the characters, shorter ones first."""
    places = np.flatnonzero(starts[words.points])
    groups = words.points[places].astype(np.int64)
    counts = firsts = np.empty(0, np.int64)
    for length in range(1, words.longest + 1):
        keys = groups * NUM_POINTS + words.following(places, length)
        order = np.argsort(keys)
        keys, places = keys[order], places[order]
        begins = _begins(keys)
        longer = np.add.reduceat(words.counts[words.owner[places]], begins)
        if length > 1:
            parents = keys[begins] // NUM_POINTS
            # A whole word is a good piece though nothing but its end ever follows it.
            at_end = keys[begins] % NUM_POINTS == 0
            is_word = at_end & (words.points[firsts[parents]] == ord(SPACE))
            heads = _begins(parents)
            replacing = np.maximum.reduceat(np.where(is_word, 0, longer), heads)
            parents = parents[heads]
            kept = parents[replacing < counts[parents]]
            heaviest.add(counts[kept], firsts[kept], length)
        counts, firsts = longer, np.minimum.reduceat(places, begins)
        hopeful = (counts >= LEAST_COUNT) & (counts * words.longest >= heaviest.least) & (words.reach[firsts] > length)
        groups = np.repeat(np.arange(len(begins)), np.diff(begins, append=len(places)))
        places, groups = places[hopeful[groups]], groups[hopeful[groups]]
        if not len(places):
            break


def _begins(ordered: Integers) -> Integers:
    """Where a new value begins."""
    return np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
