"""Noise: how much, where, and what stands there instead."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from isogloss.masking import Noise, mask_batch
from isogloss.randomness import spread

MASK = 99
SPECIAL = {0, 1, 2, 3, MASK}


def masked(ids: np.ndarray, lengths: list[int], *, rate: float = 0.15, seed: int = 1, **more: object):
    noise = Noise(rate=rate, vocabulary_size=100, mask_id=MASK, word_starts=more.get("word_starts"))
    in_pieces = np.array(more.get("in_pieces", [False] * len(lengths)))
    changed = ids.copy()
    rows, targets = mask_batch(
        changed, np.array(lengths), spread(seed, np.arange(len(ids))), noise, in_pieces=in_pieces
    )
    return changed, rows, targets


@st.composite
def packed(draw: st.DrawFn) -> tuple[np.ndarray, list[int]]:
    sequences = draw(st.lists(st.lists(st.integers(0, 99), min_size=1, max_size=40), min_size=1, max_size=8))
    return np.array([token for sequence in sequences for token in sequence]), [len(sequence) for sequence in sequences]


@given(packed(), st.floats(0.01, 0.99), st.integers(0, 2**31))
@settings(max_examples=150, deadline=None)
def test_each_sequence_has_its_share_and_specials_are_left_alone(
    batch: tuple[np.ndarray, list[int]], rate: float, seed: int
) -> None:
    ids, lengths = batch
    changed, rows, targets = masked(ids, lengths, rate=rate, seed=seed)
    assert np.array_equal(rows, np.unique(rows))
    assert np.array_equal(targets, ids[rows])
    assert not SPECIAL & set(targets.tolist())
    assert not {0, 1, 2, 3} & set(changed[rows].tolist())
    untouched = np.delete(np.arange(len(ids)), rows)
    assert np.array_equal(changed[untouched], ids[untouched])
    ends = np.cumsum(lengths)
    for start, end in zip(ends - lengths, ends, strict=True):
        expected = rate * sum(token not in SPECIAL for token in ids[start:end].tolist())
        assert math.floor(expected) <= np.sum((rows >= start) & (rows < end)) <= math.floor(expected) + 1


def test_short_sequences_keep_the_rate_on_average() -> None:
    num_sequences, length = 20_000, 5
    _, rows, _ = masked(np.full(num_sequences * length, 50), [length] * num_sequences)
    assert abs(len(rows) / (num_sequences * length) - 0.15) < 0.005
    # Every place alike.
    counts = np.bincount(rows % length, minlength=length)
    assert np.all(np.abs(counts - len(rows) / length) < 5 * np.sqrt(len(rows) / length))


def test_eighty_ten_ten_and_random_pieces_from_the_whole_vocabulary() -> None:
    # The batch holds one small id only; random ids limited to what a batch holds would show here.
    ids = np.full(400_000, 5)
    changed, rows, _ = masked(ids, [400] * 1000)
    now = changed[rows]
    random = now[(now != MASK) & (now != 5)]
    assert abs(np.mean(now == MASK) - 0.8) < 0.01
    assert abs(np.mean(now == 5) - 0.1) < 0.01
    assert set(random.tolist()) == set(range(4, 99)) - {5}
    counts = np.bincount(random)[4:][np.arange(95) != 1]
    assert np.all(np.abs(counts - counts.mean()) < 6 * np.sqrt(counts.mean()))


def test_random_pieces_step_over_a_mask_id_that_is_not_last() -> None:
    ids = np.full(100_000, 5)
    noise = Noise(rate=0.5, vocabulary_size=12, mask_id=7)
    mask_batch(ids, np.array([100] * 1000), spread(1, np.arange(len(ids))), noise, in_pieces=np.zeros(1000, dtype=bool))
    assert set(ids.tolist()) == {4, 5, 6, 7, 8, 9, 10, 11}
    assert np.mean(ids == 7) > 0.39  # <mask> itself; as a random piece it would not be missed above


def test_whole_words_share_their_fate() -> None:
    rng = np.random.default_rng(0)
    ids = rng.integers(4, 99, 30_000)
    ids[::100] = 0
    word_starts = np.arange(100) % 3 == 0
    changed, rows, _ = masked(ids, [100] * 300, word_starts=word_starts)
    starts = word_starts[ids]
    starts[::100] = True
    starts[1::100] = True
    words = np.cumsum(starts)
    chosen = np.isin(np.arange(len(ids)), rows)
    for word in np.unique(words[chosen]):
        members = (words == word) & (ids != 0)
        assert np.all(chosen[members])
        assert len({bool(piece) for piece in changed[members] == MASK}) == 1
    assert 0.12 < len(rows) / len(ids) < 0.18


def test_where_no_spaces_are_written_pieces_are_chosen_alone() -> None:
    ids = np.full(20_000, 7)
    no_starts = np.zeros(100, dtype=bool)
    _, rows, _ = masked(ids, [100] * 200, word_starts=no_starts, in_pieces=[True] * 200)
    assert np.all(np.bincount(rows // 100, minlength=200) == 15)
    _, rows, _ = masked(ids, [100] * 200, word_starts=no_starts)
    assert set(np.bincount(rows // 100, minlength=200).tolist()) == {0, 100}  # one word: all of it or nothing


def test_a_sequence_of_specials_only_has_nothing_to_predict() -> None:
    changed, rows, targets = masked(np.array([0, 2, 0, 3]), [2, 2])
    assert (changed.tolist(), len(rows), len(targets)) == ([0, 2, 0, 3], 0, 0)
