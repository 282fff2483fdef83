"""Sorting on disk gives what sorting in memory gives; packed sequences compare as sequences."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from isogloss.corpus.lm.sorting import Packing, Sorter


@settings(max_examples=30)
@given(bits=st.integers(1, 21), length=st.integers(1, 6), data=st.data())
def test_keys_compare_as_the_sequences_do(bits, length, data) -> None:
    ids = st.integers(0, (1 << bits) - 1)
    rows = data.draw(st.lists(st.tuples(*[ids] * length), min_size=1, max_size=20))
    packing = Packing(bits)
    columns = [np.array(column) for column in zip(*rows, strict=True)]
    keys = packing.pack(columns)
    assert [tuple(row) for row in np.array(rows)[np.lexsort(keys[::-1])].tolist()] == sorted(rows)
    for place, column in enumerate(columns):
        assert (packing.column(keys, place) == column).all()
        cut = [*columns[: place + 1], *(column * 0 for column in columns[place + 1 :])]
        prefix = packing.prefix(keys, place + 1)
        assert all((one == other).all() for one, other in zip(prefix, packing.pack(cut), strict=False))


def test_merged_runs_are_sorted_added_up_and_gone(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    first, second = rng.integers(0, 40, 20_000), rng.integers(0, 2**40, 20_000) % 300
    sorter = Sorter(tmp_path, num_keys=2, columns={"count": np.uint32}, memory=1, add_up=True)
    for rows in np.array_split(np.arange(20_000), 7):
        keys = [first[rows].astype(np.uint64), second[rows].astype(np.uint64)]
        sorter.add(keys, count=np.ones(len(rows), np.uint32))
    assert len(list(tmp_path.iterdir())) > 10
    found = []
    for block in sorter.blocks():
        assert len(block) <= 1024 + 16 * 20
        found += zip(*(values.tolist() for values in (*block.keys, block.columns["count"])), strict=True)
    assert found == sorted(found)
    assert {(a, b): n for a, b, n in found} == Counter(zip(first.tolist(), second.tolist(), strict=True))
    assert len(found) == len({(a, b) for a, b, _ in found})
    assert not list(tmp_path.iterdir())
