"""Which lines stand more than once in a group of sources: CCNet's removal across shards, in a stated memory.

    for group in groups_of(sizes, settings):                      # ranges of source numbers
        find_repeats([files[number] for number in group], folder, settings)
    with Repeats(folder).source(0) as verdicts:                   # while the source is written again
        gone = verdicts.take(number_of_lines)                     # a truth value for each of its next lines

A line's place is its number in the group, source after source. "First" is by place, so neither the order of arrival
nor the memory changes the answer, and the same files give the same bytes. Hashes beyond the memory lie on disk as
sorted runs, 16 bytes a line, and are brought together by ranges of the hash; inside a run every hash stands once, so
a line that stands a million times fills no range.
"""

from __future__ import annotations

import functools
import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from pydantic import Field, field_validator

from isogloss.config import Settings
from isogloss.corpus.dedup.paragraphs import HASH_DTYPE, Hashes, read_hashes
from isogloss.corpus.dedup.sorted_runs import Numbers, SortedRuns, even_bounds
from isogloss.errors import DataError

__all__ = ["LINE_REASONS", "RepeatSettings", "Repeats", "SourceVerdicts", "find_repeats", "groups_of"]

LINE_REASONS = {"repeated-line": "the same line, normalised, stands more than once in its group of sources"}
# Measured: what sorting a row takes at its peak, its own 16 bytes among them.
BYTES_A_LINE = 96
LEAST_MEMORY = 1 << 20
# Places that a reader of verdicts holds at a time.
READ_PLACES = 1 << 16


class RepeatSettings(Settings):
    """What belongs together, which copies go, and in how much memory that is found."""

    rule: Literal["every", "first"] = Field(
        "every", description="every: all copies go, the first too, as in CCNet; first: the first one stays"
    )
    group_sources: int = Field(50, gt=0, description="sources (files, shards) compared with each other; CCNet has 50")
    group_bytes: int | None = Field(None, gt=0, description="most bytes of sources in a group; none: no such limit")
    memory_bytes: int = Field(1 << 30, description="memory the search takes, whatever the input")

    @field_validator("memory_bytes")
    @classmethod
    def _enough(cls, memory_bytes: int) -> int:
        if memory_bytes < LEAST_MEMORY:
            raise ValueError(f"below {LEAST_MEMORY} bytes the disk would do all the work")
        return memory_bytes


def groups_of(sizes: Sequence[int], settings: RepeatSettings) -> list[range]:
    """Sources of these sizes (bytes) in groups of neighbours; a source over ``group_bytes`` is a group of its own."""
    groups, start, total = [], 0, 0
    for number, size in enumerate(sizes):
        is_full = number - start == settings.group_sources
        is_heavy = settings.group_bytes is not None and total + size > settings.group_bytes
        if number > start and (is_full or is_heavy):
            groups.append(range(start, number))
            start, total = number, 0
        total += size
    return [*groups, range(start, len(sizes))] if sizes else []


def find_repeats(files: Sequence[Path], folder: Path, settings: RepeatSettings) -> Repeats:
    """Find the lines of one group that go, into ``folder``, which is written beside and renamed last.

    ``files`` hold the hashes of a source each, one a line, in the order of the sources. A finished search by the same
    rule over as many lines is taken as it is; delete it where a source has changed. Raises DataError for a file that
    is no file of hashes, OSError from the disk.
    """
    lines = [_num_hashes(path) for path in files]
    if folder.exists():
        done = Repeats(folder)
        if (done.rule, done.lines) == (settings.rule, lines):
            return done
        shutil.rmtree(folder)
    work = folder.with_name(folder.name + ".tmp")
    shutil.rmtree(work, ignore_errors=True)
    (work / "runs").mkdir(parents=True)
    capacity = settings.memory_bytes // BYTES_A_LINE
    # Half full on average, as chance fills some ranges more than others; places are spread evenly by themselves.
    bounds = even_bounds(max(1, -(-2 * sum(lines) // capacity)))
    places = np.arange(0, max(sum(lines), 1), capacity, dtype=np.uint64)
    with (
        SortedRuns(work / "runs" / "lines", bounds, num_columns=2) as runs,
        SortedRuns(work / "runs" / "gone", places, num_columns=1) as gone,
    ):
        _sort_lines(files, capacity, settings.rule, runs, gone)
        for number in range(runs.num_ranges):
            for hashes, marked in runs.pieces(number, 1 << 62):
                gone.add(_gone_from_range(hashes, marked, settings.rule))
        counts = _write_places(gone, work / "places", lines)
    shutil.rmtree(work / "runs")
    state = {"rule": settings.rule, "lines": lines, "gone": counts}
    (work / "repeats.json").write_text(json.dumps(state) + "\n", encoding="utf-8")
    work.rename(folder)
    return Repeats(folder)


class _Equals(NamedTuple):
    """One look at sorted hashes: the first row of each hash, and how many rows it has."""

    starts: npt.NDArray[np.int64]
    counts: npt.NDArray[np.int64]


def _sort_lines(files: Sequence[Path], capacity: int, rule: str, runs: SortedRuns, gone: SortedRuns) -> None:
    """Lines into sorted runs. Of a hash that a run has several times one line goes on, marked in the lowest bit if
    it is gone already; what else is gone is known here."""
    start = 0
    for hashes in read_hashes(list(files), capacity):
        order = np.argsort(hashes, kind="stable")
        ordered = hashes[order]
        places = order.astype(np.uint64) + np.uint64(start)
        del order
        equal = _runs_of_equals(ordered)
        repeated = equal.counts > 1
        is_first = np.zeros(len(ordered), bool)
        is_first[equal.starts] = True
        leaves = np.repeat(repeated, equal.counts)
        if rule == "first":
            leaves &= ~is_first
            repeated[:] = False
        gone.add(np.sort(places[leaves]))
        runs.add(ordered[equal.starts], places[equal.starts] << np.uint64(1) | repeated)
        start += len(hashes)


def _gone_from_range(hashes: Numbers, marked: Numbers, rule: str) -> Numbers:
    """Sorted places that go, of the rows of all runs that share a range of hashes."""
    order = np.lexsort((marked, hashes))
    hashes, marked = hashes[order], marked[order]
    del order
    equal = _runs_of_equals(hashes)
    if rule == "first":
        leaves = np.ones(len(hashes), bool)
        leaves[equal.starts] = False
    else:
        is_marked = (marked & np.uint64(1)).astype(bool)
        repeated = (equal.counts > 1) | np.logical_or.reduceat(is_marked, equal.starts)
        leaves = np.repeat(repeated, equal.counts) & ~is_marked
    return np.sort(marked[leaves] >> np.uint64(1))


def _runs_of_equals(hashes: Hashes) -> _Equals:
    starts = np.concatenate(([0], np.flatnonzero(hashes[1:] != hashes[:-1]) + 1))
    return _Equals(starts, np.diff(np.append(starts, len(hashes))))


def _write_places(gone: SortedRuns, path: Path, lines: Sequence[int]) -> list[int]:
    """All places that go, rising, in one file; returns how many each source has."""
    ends = np.cumsum(lines, dtype=np.uint64)
    below = np.zeros(len(lines), np.int64)
    with path.open("wb") as file:
        for number in range(gone.num_ranges):
            for (places,) in gone.pieces(number, 1 << 62):
                places.sort()
                below += np.searchsorted(places, ends)
                file.write(places.astype(HASH_DTYPE, copy=False).data)
    counts: list[int] = np.diff(below, prepend=0).tolist()
    return counts


def _num_hashes(path: Path) -> int:
    try:
        size = path.stat().st_size
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}; hash its source again") from None
    if size % HASH_DTYPE.itemsize:
        raise DataError(f"{path} has {size} bytes, no whole number of 64-bit hashes; hash its source again")
    return size // HASH_DTYPE.itemsize


@dataclass(frozen=True)
class Repeats:
    """A finished search: whose lines, by which rule, and how many go."""

    folder: Path

    @property
    def rule(self) -> str:
        """``every`` or ``first``."""
        return str(self._state["rule"])

    @property
    def lines(self) -> list[int]:
        """How many lines each source has."""
        return list(self._state["lines"])

    @property
    def gone(self) -> list[int]:
        """How many of them go."""
        return list(self._state["gone"])

    def source(self, number: int) -> SourceVerdicts:
        """The verdicts of one source of the group, to be taken in the order of its lines."""
        return SourceVerdicts(
            self.folder / "places",
            start=sum(self.gone[:number]),
            end=sum(self.gone[: number + 1]),
            first_place=sum(self.lines[:number]),
        )

    @functools.cached_property
    def _state(self) -> dict[str, Any]:
        state: dict[str, Any] = json.loads((self.folder / "repeats.json").read_text(encoding="utf-8"))
        return state


class SourceVerdicts:
    """Reads one source's verdicts in its order, a bounded number at a time."""

    def __init__(self, path: Path, *, start: int, end: int, first_place: int) -> None:
        self._file = path.open("rb")
        self._file.seek(start * HASH_DTYPE.itemsize)
        self._left, self._place = end - start, first_place
        self._ahead = np.empty(0, HASH_DTYPE)

    def __enter__(self) -> SourceVerdicts:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def take(self, num_lines: int) -> npt.NDArray[np.bool_]:
        """Whether each of the next lines goes."""
        gone = np.zeros(num_lines, bool)
        end = self._place + num_lines
        while True:
            if not len(self._ahead) and self._left:
                self._ahead = np.fromfile(self._file, HASH_DTYPE, min(self._left, READ_PLACES))
                self._left -= len(self._ahead)
            within = int(np.searchsorted(self._ahead, np.uint64(end)))
            gone[self._ahead[:within].astype(np.int64) - self._place] = True
            self._ahead = self._ahead[within:]
            if len(self._ahead) or not self._left:
                break
        self._place = end
        return gone
