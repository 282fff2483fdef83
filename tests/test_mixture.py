"""Languages and blocks in closed form, beside plain counting."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isogloss.mixture import Blocks, Mixture

SHARES = st.lists(st.floats(1e-4, 1), min_size=1, max_size=12)


@given(SHARES, st.integers(0, 2**31), st.integers(0, 3000), st.integers(0, 2000))
@settings(max_examples=40, deadline=None)
def test_counts_equal_counting(shares: list[float], seed: int, first: int, more: int) -> None:
    mixture = Mixture(np.array(shares) / np.sum(shares), seed=seed)
    languages, _ = mixture.draws(range(first, first + more))
    counted = np.bincount(languages, minlength=len(shares))
    assert (mixture.counts(first + more) - mixture.counts(first)).tolist() == counted.tolist()


@given(SHARES, st.integers(0, 2**31))
@settings(max_examples=30, deadline=None)
def test_draws_of_a_language_are_numbered_one_after_another(shares: list[float], seed: int) -> None:
    mixture = Mixture(np.array(shares) / np.sum(shares), seed=seed)
    num_sequences = 2 * mixture.round_size
    languages, draws = mixture.draws(range(num_sequences))
    for language in range(len(shares)):
        assert draws[languages == language].tolist() == list(range((languages == language).sum()))


@pytest.mark.parametrize("shares", [[0.7, 0.2, 0.1], [0.97, 0.029, 0.001], [1.0]])
def test_shares_are_kept_to_one_draw_whole_rounds_long(shares: list[float]) -> None:
    mixture = Mixture(shares, seed=5)
    for num_rounds in (1, 2, 10, 1_000_003):
        num_sequences = num_rounds * mixture.round_size
        assert np.all(np.abs(mixture.counts(num_sequences) - num_sequences * np.array(shares)) <= 1.01)


def test_a_language_of_almost_no_share_is_still_drawn() -> None:
    mixture = Mixture([1 - 1e-12, 1e-12], seed=1)
    assert mixture.counts(mixture.round_size)[1] >= 1


def test_sequence_twelve_billion_costs_what_the_first_costs() -> None:
    start = time.perf_counter()
    mixture = Mixture([0.01] * 100, seed=1)
    mixture.draws(range(12_000_000_000, 12_000_008_192))
    mixture.counts(12_000_008_192)
    assert time.perf_counter() - start < 1


def test_languages_of_a_round_are_shuffled_and_seeds_differ() -> None:
    one, again, other = (Mixture([0.5, 0.5], seed=seed).draws(range(512))[0] for seed in (1, 1, 2))
    assert one.tolist() == again.tolist()
    assert one.tolist() != other.tolist()
    assert 200 < np.count_nonzero(np.diff(one)) < 312  # of 511 neighbours half differ


@given(st.integers(1, 5000), st.integers(1, 300), st.integers(0, 2**31), st.integers(0, 5))
@settings(max_examples=60, deadline=None)
def test_an_epoch_has_no_token_twice_and_leaves_out_less_than_a_block(
    num_tokens: int, block_length: int, seed: int, epoch: int
) -> None:
    blocks = Blocks("sw", num_tokens=num_tokens, block_length=block_length, seed=seed)
    starts = blocks.at(np.arange(blocks.num_blocks) + epoch * blocks.num_blocks)
    seen = np.zeros(num_tokens, dtype=int)
    for start in starts.tolist():
        seen[(start + np.arange(blocks.length)) % num_tokens] += 1
    assert seen.max() == 1
    assert (seen == 0).sum() < blocks.length


def test_epochs_differ_in_order_and_in_grid() -> None:
    blocks = Blocks("sw", num_tokens=1000, block_length=30, seed=1)
    first, second = (blocks.at(np.arange(33) + epoch * 33).tolist() for epoch in (0, 1))
    assert set(first) != set(second)
    orders = [(np.diff(starts) % 1000).tolist() for starts in (first, second)]
    assert orders[0] != orders[1]
    assert (
        blocks.at(np.arange(33)).tolist()
        != Blocks("ur", num_tokens=1000, block_length=30, seed=1).at(range(33)).tolist()
    )
