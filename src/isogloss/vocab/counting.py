"""How often each word stands in a corpus, languages weighted, counted on disk in a stated memory.

    with WordCounts(folder, memory=1 << 30) as counts:
        counts.begin_language(weight=2.5)
        counts.add(text, words_of(text, 32))
        for row in counts.merged():                # each word once, in the order of a hash of it
            row.word, row.times, row.chance

A table of words that has outgrown its memory is written to files, one for each range of the hash, and begun anew; in
the end the files are sorted and added up, one after another. The hash is of the word alone: what comes out, and in
which order, does not depend on the memory, and a choice made by ``chance`` comes out the same again.
"""

from __future__ import annotations

import contextlib
import itertools
import shutil
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np
import numpy.typing as npt
import xxhash

from isogloss.vocab.layout import SPACE

__all__ = ["UNIT", "Row", "WordCounts"]

# Weights are no whole numbers: counts are added up in parts of a whole, as many as three hexadecimal digits tell apart.
UNIT = 1 << 12
# Measured: up to 228 bytes a word of a table as it grows, and 159 a line that is sorted (32 Chinese characters).
BYTES_A_WORD = 256
BYTES_A_LINE = 192
HASH_DIGITS = 16
# Two hexadecimal digits.
NUM_RANGES = 256


class Row(NamedTuple):
    """A word and how many ``times`` it comes: weighted, and rounded up or down by chance so that sums stay true.

    ``chance`` and ``rounding`` are two numbers in [0, 1) that depend on the word alone.
    """

    word: str
    times: int
    chance: float
    rounding: float


class WordCounts:
    """Words counted into ``folder``, which goes at the end; ``memory`` in bytes."""

    def __init__(self, folder: Path, *, memory: int) -> None:
        self._folder = folder
        self._most_words = max(memory // BYTES_A_WORD, 1)
        self._most_lines = max(memory // BYTES_A_LINE, 1)
        self._table: Counter[str] = Counter()
        self._weight = UNIT
        self._files: dict[str, IO[bytes]] = {}
        self._lines: Counter[str] = Counter()
        self._merged: set[str] = set()
        self._characters = np.zeros(sys.maxunicode + 1, np.int64)
        self._of_language = np.zeros_like(self._characters)

    def __enter__(self) -> WordCounts:
        # What a run that was killed has left says nothing of how far it came.
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(parents=True)
        self._stack = contextlib.ExitStack()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def begin_language(self, weight: float) -> None:
        """What is added from now on counts ``weight`` times, at least once."""
        self._end_language()
        self._weight = max(round(weight * UNIT), UNIT)

    def add(self, text: str, words: Sequence[str]) -> None:
        """Count the words, which are none longer than a span, and the characters of the text they are from."""
        self._table.update(words)
        points = np.frombuffer(text.encode("utf-32-le"), "<u4")
        self._of_language += np.bincount(points, minlength=len(self._of_language))
        if len(self._table) >= self._most_words:
            self._spill()

    def characters(self) -> npt.NDArray[np.int64]:
        """How often each code point stands in all texts, weighted, in parts of a whole; U+2581 for a space."""
        self._end_language()
        counts = self._characters.copy()
        counts[ord(SPACE)], counts[ord(" ")] = counts[ord(" ")], 0
        return counts

    def merged(self) -> Iterator[Row]:
        """Every word once, in the order of its hash; what was asked for to its end is only read the next time."""
        self._end_language()
        self._stack.close()
        for name in sorted(self._lines):
            yield from self._merged_range(name)

    def _end_language(self) -> None:
        self._spill()
        self._characters += self._of_language * self._weight
        self._of_language[:] = 0

    def _spill(self) -> None:
        weight = self._weight
        for word, count in self._table.items():
            data = word.encode()
            key = xxhash.xxh3_64_hexdigest(data)
            name = key[:2]
            self._lines[name] += 1
            self._file(name).write(b"%b%b\t%d\n" % (key.encode(), data, count * weight))
        self._table = Counter()

    def _file(self, name: str) -> IO[bytes]:
        file = self._files.get(name)
        if file is None:
            file = self._files[name] = self._stack.enter_context((self._folder / name).open("wb"))
        return file

    def _merged_range(self, name: str) -> Iterator[Row]:
        """One file, in as many passes as its lines need to fit into the memory; its words then take its place."""
        path = self._folder / name
        if name in self._merged:
            with path.open("rb") as stream:
                for line in stream:
                    word, _, sum_of_word = line.rpartition(b"\t")
                    yield _row(word, int(sum_of_word))
            return
        beside = self._folder / f"{name}.merged"
        with beside.open("wb") as merged:
            for lines in self._sorted_lines(name):
                for head, weight in _added_up(lines):
                    merged.write(b"%b\t%d\n" % (head, weight))
                    yield _row(head, weight)
        beside.replace(path)
        self._merged.add(name)

    def _sorted_lines(self, name: str) -> Iterator[list[bytes]]:
        num_passes = -(-self._lines[name] // self._most_lines)
        bounds = [number * 16**4 // num_passes for number in range(num_passes + 1)]
        for first, last in itertools.pairwise(bounds):
            with (self._folder / name).open("rb") as stream:
                lines = [line for line in stream if num_passes == 1 or first <= int(line[2:6], 16) < last]
            lines.sort()
            yield lines


def _added_up(lines: Sequence[bytes]) -> Iterator[tuple[bytes, int]]:
    """The words of sorted lines, hashes before them, and their sums: those of a word stand together."""
    for head, same in itertools.groupby((line.rpartition(b"\t") for line in lines), key=lambda parts: parts[0]):
        yield head, sum(int(parts[2]) for parts in same)


def _row(head: bytes, weight: int) -> Row:
    key = head[:HASH_DIGITS]
    rounding = int(key[-3:], 16)
    return Row(
        word=head[HASH_DIGITS:].decode(),
        times=(weight + rounding) // UNIT,
        chance=int(key[5:13], 16) / 16**8,
        rounding=rounding / UNIT,
    )
