"""Sorting more records than memory holds: sorted runs on disk, merged a block at a time.

    packing = Packing(bits=16)                           # word ids below 65,536: four in a 64-bit key
    sorter = Sorter(folder / "runs", num_keys=2, columns={"count": np.uint32}, memory=1 << 26, add_up=True)
    sorter.add([first_key, second_key], count=ones)
    for block in sorter.blocks(): ...                    # Block: keys and columns, ascending over all blocks

``memory`` is in bytes and holds for everything a sorter does; what fits in it never touches the disk. With ``add_up``
records of equal keys become one whose ``count`` is their sum, and no key stands in two blocks.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Array", "Block", "Packing", "Sorter", "changes", "read_records", "write_records"]

Array = npt.NDArray[Any]

# Bytes in use for a byte of records while they are sorted: the parts they came in, the whole, its order, the copy in
# order, and what adding up makes of it.
SORTING_COPIES = 6
KEY_BITS = 64


@dataclass(frozen=True)
class Packing:
    """Sequences of ids below ``2**bits`` as 64-bit keys that compare as the sequences do, the first id first."""

    bits: int

    @property
    def ids_a_key(self) -> int:
        return KEY_BITS // self.bits

    def num_keys(self, length: int) -> int:
        """How many keys a sequence of ``length`` ids needs."""
        return -(-length // self.ids_a_key)

    def pack(self, columns: Sequence[Array]) -> list[Array]:
        """Column i holds the i-th id of every sequence."""
        keys = [np.zeros(len(columns[0]), np.uint64) for _ in range(self.num_keys(len(columns)))]
        for place, column in enumerate(columns):
            keys[place // self.ids_a_key] |= column.astype(np.uint64) << self._shift(place)
        return keys

    def column(self, keys: Sequence[Array], place: int) -> Array:
        """The ids at one place of every sequence, uint32."""
        mask = np.uint64((1 << self.bits) - 1)
        return ((keys[place // self.ids_a_key] >> self._shift(place)) & mask).astype(np.uint32)

    def prefix(self, keys: Sequence[Array], length: int) -> list[Array]:
        """The keys of the first ``length`` ids."""
        last = self.num_keys(length) - 1
        cut = self._shift(length - 1)
        return [*keys[:last], keys[last] >> cut << cut]

    def _shift(self, place: int) -> np.uint64:
        return np.uint64(self.bits * (self.ids_a_key - 1 - place % self.ids_a_key))


@dataclass(frozen=True)
class Block:
    """Records side by side: 64-bit keys, the first counting most, and named columns."""

    keys: list[Array]
    columns: dict[str, Array]

    def __len__(self) -> int:
        return len(self.keys[0])


def changes(keys: Sequence[Array]) -> Array:
    """Where a record differs from the one before it; the first does. bool, (records,)."""
    changed = np.ones(len(keys[0]), bool)
    changed[1:] = functools.reduce(np.logical_or, (key[1:] != key[:-1] for key in keys))
    return changed


def write_records(stream: Any, values: Array) -> None:
    """Append an array to an open file; unlike ``tofile`` it says why a disk cannot take it."""
    stream.write(np.ascontiguousarray(values).view(np.uint8).data)


def read_records(path: Path, dtype: npt.DTypeLike, start: int, count: int) -> Array:
    """``count`` records of a file from the ``start``-th on, or as many as there are."""
    size = np.dtype(dtype).itemsize
    # Not fromfile: it reads a file of no bytes with a complaint, and keeps no limit of its own.
    with path.open("rb") as stream:
        stream.seek(start * size)
        return np.frombuffer(bytearray(stream.read(count * size)), dtype)


class Sorter:
    """Takes blocks of records in any order and gives them back sorted by their keys."""

    def __init__(
        self, folder: Path, *, num_keys: int, columns: Mapping[str, npt.DTypeLike], memory: int, add_up: bool = False
    ) -> None:
        self._folder = folder
        self._keys = [f"key{number}" for number in range(num_keys)]
        self._columns = list(columns)
        self._dtype = np.dtype([*((name, "<u8") for name in self._keys), *columns.items()])
        self._most = max(memory // (self._dtype.itemsize * SORTING_COPIES), 1024)
        self._add_up = add_up
        self._parts: list[Array] = []
        self._held = 0
        self._runs: list[tuple[Path, int]] = []

    def add(self, keys: Sequence[Array], **columns: Array) -> None:
        """Take records; a run goes to disk whenever as many are held as memory allows."""
        records = np.empty(len(keys[0]), self._dtype)
        for name, values in (*zip(self._keys, keys, strict=True), *columns.items()):
            records[name] = values
        for start in range(0, len(records), self._most):
            part = records[start : start + self._most]
            if self._held + len(part) > self._most:
                self._spill()
            self._parts.append(part)
            self._held += len(part)

    def blocks(self) -> Iterator[Block]:
        """Everything that was added, sorted; to be asked for once."""
        if not self._runs:
            records = self._sorted()
            self._parts = []
            step = max(self._most // 4, 1)
            for start in range(0, len(records), step):
                yield self._block(records[start : start + step])
            return
        if self._held:
            self._spill()
        yield from self._merge()

    def _sorted(self) -> Array:
        records = np.concatenate(self._parts) if self._parts else np.empty(0, self._dtype)
        self._parts, self._held = [], 0
        return self._in_order(records)

    def _in_order(self, records: Array) -> Array:
        keys = [np.ascontiguousarray(records[name]) for name in self._keys]
        order = np.argsort(keys[0]) if len(keys) == 1 else np.lexsort(keys[::-1])
        records = records[order]
        if not self._add_up or not len(records):
            return records
        starts = np.flatnonzero(changes([records[name] for name in self._keys]))
        counts = np.add.reduceat(records["count"], starts)
        records = records[starts]
        records["count"] = counts
        return records

    def _spill(self) -> None:
        records = self._sorted()
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"run-{len(self._runs):05d}.bin"
        with path.open("wb") as stream:
            write_records(stream, records)
        self._runs.append((path, len(records)))

    def _merge(self) -> Iterator[Block]:
        step = max(self._most // len(self._runs), 16)
        read = [0] * len(self._runs)
        waiting = [np.empty(0, self._dtype)] * len(self._runs)
        while True:
            for number, (path, length) in enumerate(self._runs):
                if not len(waiting[number]) and read[number] < length:
                    waiting[number] = read_records(path, self._dtype, read[number], step)
                    read[number] += len(waiting[number])
            if not any(map(len, waiting)):
                break
            # Of a run that goes on, nothing after its last record here is known: the least of these is safe for all.
            ends = [
                tuple(records[-1][name] for name in self._keys)
                for records, start, (_, length) in zip(waiting, read, self._runs, strict=True)
                if start < length
            ]
            taken = []
            for number, records in enumerate(waiting):
                place = self._first_after(records, min(ends)) if ends else len(records)
                taken.append(records[:place])
                waiting[number] = records[place:]
            yield self._block(self._in_order(np.concatenate(taken)))
        for path, _ in self._runs:
            path.unlink()

    def _first_after(self, records: Array, bound: tuple[Any, ...]) -> int:
        first, last = 0, len(records)
        for name, value in zip(self._keys, bound, strict=True):
            equal = records[name][first:last]
            last = first + int(np.searchsorted(equal, value, "right"))
            first += int(np.searchsorted(equal, value))
        return last

    def _block(self, records: Array) -> Block:
        return Block(
            [np.ascontiguousarray(records[name]) for name in self._keys],
            {name: np.ascontiguousarray(records[name]) for name in self._columns},
        )
