"""Keyed numbers: the same always, spread evenly, and permutations that are permutations."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from isogloss.randomness import key_of, permute, spread, uniform

KEYS = st.integers(0, 2**64 - 1)


def test_keys_depend_on_every_part_and_its_kind() -> None:
    keys = [key_of(1, "a"), key_of(2, "a"), key_of(1, "b"), key_of("1", "a"), key_of("a", 1), key_of(1, "a", 0)]
    assert len(set(keys)) == len(keys)
    # Runs made today must be continued tomorrow: these numbers may never change.
    assert key_of(1, "mask") == 13361864994622743164


def test_spread_is_splitmix64() -> None:
    # The published first outputs of the generator seeded with 1234567.
    assert spread(1234567, [1, 2, 3]).tolist() == [6457827717110365317, 3203168211198807973, 9817491932198370423]


@given(KEYS, st.integers(1, 3000))
def test_permute_is_a_bijection(key: int, size: int) -> None:
    assert sorted(permute(np.arange(size), size=size, key=key).tolist()) == list(range(size))


@given(KEYS, st.integers(1, 2**40), st.data())
def test_permute_reaches_into_large_ranges_and_alone_gives_the_same(key: int, size: int, data: st.DataObject) -> None:
    indices = np.array(data.draw(st.lists(st.integers(0, size - 1), min_size=2, max_size=8)))
    together = permute(indices, size=size, key=key)
    assert all(0 <= place < size for place in together.tolist())
    assert [int(permute(index, size=size, key=key)[0]) for index in indices] == together.tolist()


def test_permute_shuffles_evenly() -> None:
    size = 7
    shuffles = np.stack([permute(np.arange(size), size=size, key=key_of(key, "x")) for key in range(4000)])
    for place in range(size):
        counts = np.bincount(shuffles[:, place], minlength=size)
        assert np.all(np.abs(counts - 4000 / size) < 6 * np.sqrt(4000 / size))


def test_uniform_fills_the_unit_interval() -> None:
    numbers = uniform(spread(3, np.arange(100_000)))
    assert 0 <= numbers.min() < 1e-3
    assert 1 - 1e-3 < numbers.max() < 1
    counts, _ = np.histogram(numbers, bins=20, range=(0, 1))
    assert np.all(np.abs(counts - 5000) < 6 * np.sqrt(5000))
