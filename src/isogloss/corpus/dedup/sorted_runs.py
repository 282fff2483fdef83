"""Sorted runs on disk: more numbers than memory holds, brought together by ranges of their key.

    runs = SortedRuns(folder / "lines", even_bounds(64), num_columns=2)
    runs.add(hashes, places)                      # sorted by the first column; one run
    for hashes, places in runs.pieces(3, limit):  # all runs' rows of range 3, at most ``limit`` at a time

A run is sorted, so a range of the key is one stretch of it; where the stretches begin lies on disk too, and memory
holds nothing but what is asked for.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

import numpy as np
import numpy.typing as npt

__all__ = ["Numbers", "SortedRuns", "even_bounds"]

Numbers = npt.NDArray[np.uint64]
WIDTH = 8


def even_bounds(num_ranges: int) -> Numbers:
    """Where each of ``num_ranges`` equal ranges of the 64-bit numbers begins."""
    return np.array([-(-(number << 64) // num_ranges) for number in range(num_ranges)], np.uint64)


class SortedRuns:
    """Runs of uint64 rows: one file a column, and one of where each range begins in each run."""

    def __init__(self, path: Path, bounds: Numbers, *, num_columns: int) -> None:
        """``bounds`` are the first keys of the ranges, rising, the first one 0."""
        self.num_ranges, self._bounds = len(bounds), bounds
        self._num_runs = self._num_rows = 0
        names = [path.with_name(f"{path.name}.{part}") for part in ("index", *range(num_columns))]
        self._index, *self._columns = [name.open("w+b") for name in names]

    def __enter__(self) -> SortedRuns:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for file in (self._index, *self._columns):
            file.close()

    def add(self, *columns: Numbers) -> None:
        """One more run; the first column is sorted."""
        keys = columns[0]
        if not len(keys):
            return
        starts = self._num_rows + np.append(np.searchsorted(keys, self._bounds), len(keys))
        self._index.write(starts.astype(np.uint64).data)
        for file, column in zip(self._columns, columns, strict=True):
            file.write(np.ascontiguousarray(column, np.uint64).data)
        self._num_rows += len(keys)
        self._num_runs += 1

    def pieces(self, number: int, limit: int) -> Iterator[tuple[Numbers, ...]]:
        """The rows of one range, run after run; several pieces only where there are more than ``limit`` rows."""
        for file in (self._index, *self._columns):
            file.flush()
        pending: list[tuple[int, int]] = []
        size = 0
        for start, end in self._stretches(number):
            while start < end:
                stop = min(end, start + limit - size)
                pending.append((start, stop))
                size += stop - start
                start = stop
                if size == limit:
                    yield self._read(pending, size)
                    pending, size = [], 0
        if size:
            yield self._read(pending, size)

    def _stretches(self, number: int) -> Iterator[tuple[int, int]]:
        step = (self.num_ranges + 1) * WIDTH
        for run in range(self._num_runs):
            found = os.pread(self._index.fileno(), 2 * WIDTH, run * step + number * WIDTH)
            start, end = np.frombuffer(found, np.uint64).tolist()
            yield start, end

    def _read(self, stretches: list[tuple[int, int]], size: int) -> tuple[Numbers, ...]:
        columns = []
        for file in self._columns:
            column, filled = np.empty(size, np.uint64), 0
            for start, end in stretches:
                part = column[filled : filled + end - start]
                done = 0
                while done < part.nbytes:  # one call reads two gigabytes at most
                    read = os.preadv(file.fileno(), [part.data.cast("B")[done:]], start * WIDTH + done)
                    assert read, f"{file.name} is shorter than its index says"
                    done += read
                filled += end - start
            columns.append(column)
        return tuple(columns)
