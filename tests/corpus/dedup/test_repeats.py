"""Lines that go are those a plain loop finds, in any memory and any number of sources."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isogloss.corpus.dedup import repeats
from isogloss.corpus.dedup.repeats import Repeats, RepeatSettings, find_repeats, groups_of
from isogloss.corpus.dedup.sorted_runs import SortedRuns, even_bounds
from isogloss.errors import DataError

# Few distinct hashes, spread over the 64 bits, the ends included.
HASHES = st.sampled_from(
    [0, 1, 2**63 - 1, 2**63, 2**64 - 1, *(number * 0x9E3779B97F4A7C15 % 2**64 for number in range(9))]
)
SOURCES = st.lists(st.lists(HASHES, max_size=30), min_size=1, max_size=5)


def write(folder: Path, sources: list[list[int]]) -> list[Path]:
    paths = [folder / f"{number}.u64" for number in range(len(sources))]
    for path, hashes in zip(paths, sources, strict=True):
        path.write_bytes(np.array(hashes, "<u8").tobytes())
    return paths


def plain_truth(sources: list[list[int]], rule: str) -> list[list[bool]]:
    counts = Counter(value for hashes in sources for value in hashes)
    seen: set[int] = set()
    truth = []
    for hashes in sources:
        truth.append([])
        for value in hashes:
            truth[-1].append(counts[value] > 1 if rule == "every" else value in seen)
            seen.add(value)
    return truth


def verdicts(found: Repeats, number: int, step: int) -> list[bool]:
    gone: list[bool] = []
    with found.source(number) as source:
        while len(gone) < found.lines[number]:
            gone += source.take(min(step, found.lines[number] - len(gone))).tolist()
    return gone


@given(sources=SOURCES, rule=st.sampled_from(["every", "first"]), capacity=st.integers(1, 40), step=st.integers(1, 9))
def test_lines_go_as_in_the_plain_loop(
    tmp_path_factory: pytest.TempPathFactory, sources: list[list[int]], rule: str, capacity: int, step: int
) -> None:
    folder = tmp_path_factory.mktemp("repeats")
    files = write(folder, sources)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(repeats, "BYTES_A_LINE", repeats.LEAST_MEMORY // capacity)
        patch.setattr(repeats, "READ_PLACES", 3)
        found = find_repeats(files, folder / "found", RepeatSettings(rule=rule, memory_bytes=repeats.LEAST_MEMORY))
        truth = plain_truth(sources, rule)
        assert [verdicts(found, number, step) for number in range(len(sources))] == truth
    assert found.gone == [sum(gone) for gone in truth]
    assert sorted(path.name for path in found.folder.iterdir()) == ["places", "repeats.json"]


def test_memory_does_not_change_a_byte_and_an_interrupted_search_is_begun_again(tmp_path: Path) -> None:
    generator = np.random.default_rng(5)
    sources = [generator.integers(0, 40_000, 30_000).astype(np.uint64) for _ in range(3)]
    files = write(tmp_path, sources)
    contents = set()
    for memory in (1 << 20, 1 << 24):
        leftover = tmp_path / f"{memory}.tmp"
        leftover.mkdir()
        (leftover / "places").write_bytes(b"half")
        found = find_repeats(files, tmp_path / str(memory), RepeatSettings(memory_bytes=memory))
        contents.add(tuple(path.read_bytes() for path in sorted(found.folder.iterdir())))
        assert not leftover.exists()
    assert len(contents) == 1


def test_a_finished_search_is_read_again_only_where_it_answers_the_same_question(tmp_path: Path) -> None:
    files = write(tmp_path, [[1, 1, 2]])
    assert find_repeats(files, tmp_path / "found", RepeatSettings()).gone == [2]
    made = (tmp_path / "found" / "places").stat().st_ino
    assert find_repeats(files, tmp_path / "found", RepeatSettings(memory_bytes=1 << 21)).gone == [2]
    assert (tmp_path / "found" / "places").stat().st_ino == made
    assert find_repeats(files, tmp_path / "found", RepeatSettings(rule="first")).gone == [1]
    assert find_repeats(write(tmp_path, [[1, 1, 1, 2]]), tmp_path / "found", RepeatSettings(rule="first")).gone == [2]


PEAK = """
import json, resource, sys
from pathlib import Path
import numpy as np
from isogloss.corpus.dedup.repeats import RepeatSettings, find_repeats
folder = Path(sys.argv[1])
memory, num_sources, num_lines = json.loads(sys.argv[2])
for number in range(num_sources):
    hashes = np.random.default_rng(number).integers(0, 2**64, num_lines, np.uint64)
    hashes[::2] = 7 if number % 2 else hashes[1]
    hashes[1::16] = np.arange(len(hashes[1::16]), dtype=np.uint64) << np.uint64(40)
    (folder / f"{number}.u64").write_bytes(hashes.tobytes())
    del hashes
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10
files = [folder / f"{number}.u64" for number in range(num_sources)]
found = find_repeats(files, folder / "found", RepeatSettings(memory_bytes=memory))
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10
sys.stdout.write(json.dumps({"before": before, "after": after, "gone": sum(found.gone)}))
"""


def test_memory_stays_under_its_bound(tmp_path: Path) -> None:
    """48 MB of hashes, half of them one hash, and 24 MiB: a process of its own says what it took at its peak."""
    memory, num_sources, num_lines = 24 << 20, 12, 500_000
    words = [sys.executable, "-c", PEAK, str(tmp_path), json.dumps([memory, num_sources, num_lines])]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    peak = json.loads(done.stdout)
    assert peak["gone"] > num_sources * num_lines // 2
    assert peak["after"] - peak["before"] < memory


@given(sizes=st.lists(st.integers(0, 50), max_size=12), most=st.integers(1, 5), heavy=st.integers(1, 100))
def test_groups_are_neighbours_within_their_limits(sizes: list[int], most: int, heavy: int) -> None:
    groups = groups_of(sizes, RepeatSettings(group_sources=most, group_bytes=heavy))
    assert [number for group in groups for number in group] == list(range(len(sizes)))
    for group in groups:
        assert 1 <= len(group) <= most
        assert len(group) == 1 or sum(sizes[number] for number in group) <= heavy
    for group, after in itertools.pairwise(groups):
        together = sum(sizes[number] for number in (*group, after[0]))
        assert len(group) == most or together > heavy, "closed before it was full"


def test_a_file_that_holds_no_hashes_is_refused(tmp_path: Path) -> None:
    (tmp_path / "0.u64").write_bytes(b"12345")
    with pytest.raises(DataError, match="5 bytes"):
        find_repeats([tmp_path / "0.u64"], tmp_path / "found", RepeatSettings())
    with pytest.raises(DataError, match="cannot be read"):
        find_repeats([tmp_path / "1.u64"], tmp_path / "found", RepeatSettings())


@given(runs=st.lists(st.lists(HASHES, max_size=20), max_size=6), num_ranges=st.integers(1, 9), limit=st.integers(1, 25))
def test_sorted_runs_give_every_row_once_in_its_range(
    tmp_path_factory: pytest.TempPathFactory, runs: list[list[int]], num_ranges: int, limit: int
) -> None:
    bounds = even_bounds(num_ranges)
    rows: list[tuple[int, int]] = []
    with SortedRuns(tmp_path_factory.mktemp("runs") / "x", bounds, num_columns=2) as kept:
        for keys in runs:
            added = sorted((key, len(rows) + place) for place, key in enumerate(keys))
            rows += added
            kept.add(*np.array(added, np.uint64).reshape(-1, 2).T)
        read = []
        for number in range(num_ranges):
            first, last = int(bounds[number]), [*bounds.tolist(), 2**64][number + 1]
            for keys, places in kept.pieces(number, limit):
                assert 0 < len(keys) <= limit
                assert all(first <= key < last for key in keys.tolist())
                read += list(zip(keys.tolist(), places.tolist(), strict=True))
    assert sorted(read) == sorted(rows)
