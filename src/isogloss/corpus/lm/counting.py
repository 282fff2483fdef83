"""N-gram counts of a token file, and Kneser-Ney's adjusted counts of all orders, in bounded memory.

A token file holds ids one after another (uint32), each line ended by </s>. The counting goes from windows of ``order``
words, sorted by their last word, then the one before it and so on, to a file for each order, ``grams-N.bin``, sorted
likewise. A record there has the n-gram's keys (last word first), its adjusted ``count``, whether pruning keeps it
(``kept``), and the place of its ``suffix`` (without the first word) in the file of the order below.

The adjusted count of an n-gram of the highest order, and of one that begins with <s>, is how often it stands in the
text; of any other, after how many different words (Chen and Goodman 1998; Heafield and others 2013).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from isogloss.corpus.lm.pieces import BOS, EOS, UNK
from isogloss.corpus.lm.sorting import Array, Block, Packing, Sorter, changes, read_records, write_records

__all__ = ["adjust_counts", "count_windows", "gram_dtype", "gram_file"]

# Bytes for a window of text while its keys are made.
WINDOW_BYTES = 160


def gram_dtype(packing: Packing, length: int) -> np.dtype[Any]:
    """A record of the file of n-grams of ``length`` words."""
    keys = [(f"key{number}", "<u8") for number in range(packing.num_keys(length))]
    return np.dtype([*keys, ("count", "<u4"), ("kept", "?"), ("suffix", "<u8")])


def gram_file(folder: Path, length: int) -> Path:
    """Where the n-grams of ``length`` words lie."""
    return folder / f"grams-{length}.bin"


def count_windows(tokens: Path, runs: Path, *, order: int, packing: Packing, memory: int) -> Iterator[Block]:
    """Every different window of ``order`` words with its ``count``, sorted, last word first.

    A window that reaches beyond the beginning of its line holds <s> there, as often as needed.
    """
    sorter = Sorter(
        runs, num_keys=packing.num_keys(order), columns={"count": np.uint32}, memory=memory // 2, add_up=True
    )
    step = max(memory // 2 // WINDOW_BYTES, 1024)
    before = np.full(order - 1, EOS, np.uint32)
    start = 0
    while len(part := read_records(tokens, np.uint32, start, step)):
        start += len(part)
        text = np.concatenate([before, part])
        before = text[-(order - 1) :]
        sorter.add(packing.pack(_windows(text, order)), count=np.ones(len(part), np.uint32))
    yield from sorter.blocks()


def adjust_counts(
    windows: Iterator[Block], folder: Path, *, order: int, packing: Packing, thresholds: Sequence[int]
) -> list[dict[str, Any]]:
    """Write the files of all orders; returns for each what :meth:`_Grams.facts` says.

    ``thresholds[n - 1]`` is the count in the text up to which n-grams of n words are pruned.
    """
    with contextlib.ExitStack() as stack:
        orders = [
            stack.enter_context(_Grams(folder, length, packing, threshold))
            for length, threshold in enumerate(thresholds, start=1)
        ]
        orders[0].write_specials()
        begun = np.zeros(order + 1, np.int64)
        occurred = 0
        last: list[Array] | None = None
        for block in windows:
            new = _beginnings(block.keys, last, order, packing)
            last = [key[-1:] for key in block.keys]
            counts = block.columns["count"].astype(np.int64)
            occurrences = occurred + np.cumsum(counts) - counts
            suffix = np.zeros(len(block), np.int64)
            for grams, begins in zip(orders, new, strict=True):
                here = np.flatnonzero(begins)
                keys = [key[here] for key in packing.prefix(block.keys, grams.length)]
                if grams.length == order:
                    grams.write(keys, counts, counts, suffix)
                    continue
                longer = new[grams.length]
                children = begun[grams.length] + np.cumsum(longer) - longer
                grams.meet(keys, children[here], occurrences[here], suffix[here])
                # Where the n-gram of each row will stand in its file: the suffix of the next order's.
                valid = begins & _is_whole(block.keys, grams.length, packing)
                suffix = grams.met + np.cumsum(valid) - 1
                grams.met += int(np.count_nonzero(valid))
            begun[:order] += [int(np.count_nonzero(begins)) for begins in new]
            occurred += int(counts.sum())
        for grams in orders[:-1]:
            grams.end(int(begun[grams.length]), occurred)
        return [grams.facts() for grams in orders]


class _Grams:
    """The file of one order, while it is written."""

    def __init__(self, folder: Path, length: int, packing: Packing, threshold: int) -> None:
        self.length = length
        self.met = 0
        self._packing = packing
        self._threshold = threshold
        self._dtype = gram_dtype(packing, length)
        self._path = gram_file(folder, length)
        self._held: tuple[list[Array], Array, Array, Array] | None = None
        self._counts_of_counts = np.zeros(5, np.int64)
        self._num_grams = self._num_kept = 0

    def __enter__(self) -> _Grams:
        self._stream = self._path.open("wb")
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()

    def write_specials(self) -> None:
        """<unk> and <s> stand in no window, but are words all the same; their ids come first."""
        nothing = np.zeros(2, np.int64)
        self.write(self._packing.pack([np.array([UNK, BOS])]), nothing, nothing + self._threshold + 1, nothing)
        self.met = 2

    def meet(self, keys: list[Array], children: Array, occurrences: Array, suffix: Array) -> None:
        """N-grams that begin in a block, and how many longer ones and occurrences came before each.

        The last is held back: its numbers are known when the next one begins.
        """
        if self._held is not None:
            held_keys, *held = self._held
            keys = [np.append(before, key) for before, key in zip(held_keys, keys, strict=True)]
            children, occurrences, suffix = (
                np.append(before, values) for before, values in zip(held, (children, occurrences, suffix), strict=True)
            )
        if not len(children):
            return
        self.write([key[:-1] for key in keys], np.diff(children), np.diff(occurrences), suffix[:-1])
        self._held = [key[-1:] for key in keys], children[-1:], occurrences[-1:], suffix[-1:]

    def end(self, children: int, occurrences: int) -> None:
        """Write what is held back; so many longer n-grams and occurrences there were in all."""
        if self._held is not None:
            keys, begun, occurred, suffix = self._held
            self.write(keys, children - begun, occurrences - occurred, suffix)

    def write(self, keys: list[Array], children: Array, occurrences: Array, suffix: Array) -> None:
        """Append those n-grams that have no <s> but in the first place."""
        records = np.empty(len(children), self._dtype)
        counts = children
        if self.length > 1:
            at_beginning = self._packing.column(keys, self.length - 1) == BOS
            counts = np.where(at_beginning, occurrences, children)
        assert not len(counts) or counts.max() < 1 << 32, "a count of over four thousand million"
        for number, key in enumerate(keys):
            records[f"key{number}"] = key
        records["count"], records["suffix"] = counts, suffix
        records["kept"] = occurrences > self._threshold
        records = records[_is_whole(keys, self.length, self._packing)]
        write_records(self._stream, records)
        self._num_grams += len(records)
        self._num_kept += int(np.count_nonzero(records["kept"]))
        self._counts_of_counts += np.bincount(np.minimum(records["count"], 5), minlength=6)[:5]

    def facts(self) -> dict[str, Any]:
        """How many n-grams there are, how many pruning keeps, and how many have the adjusted counts 1, 2, 3 and 4."""
        return {
            "length": self.length,
            "grams": self._num_grams,
            "kept": self._num_kept,
            "counts_of_counts": self._counts_of_counts[1:].tolist(),
        }


def _beginnings(keys: list[Array], last: list[Array] | None, order: int, packing: Packing) -> list[Array]:
    """For each order, the rows where its n-gram is another one than in the row before."""
    if last is not None:
        keys = [np.append(before, key) for before, key in zip(last, keys, strict=True)]
    first = 0 if last is None else 1
    return [changes(packing.prefix(keys, length))[first:] for length in range(1, order + 1)]


def _is_whole(keys: list[Array], length: int, packing: Packing) -> Array:
    """Is <s> at most the first word? Where a line begins later than that, there is no n-gram of this length."""
    if length == 1:
        return np.ones(len(keys[0]), bool)
    whole: Array = packing.column(keys, length - 2) != BOS
    return whole


def _windows(text: Array, order: int) -> list[Array]:
    """The columns of all windows of ``text`` that end after its first ``order - 1`` ids, last word first."""
    num_windows = len(text) - order + 1
    columns = [text[order - 1 :]]
    outside = np.zeros(num_windows, bool)
    for distance in range(1, order):
        word = text[order - 1 - distance : len(text) - distance]
        outside |= word == EOS
        columns.append(np.where(outside, np.uint32(BOS), word))
    return columns
