"""Training batches: pure functions of (seed, step), every sequence once an epoch, similar lengths together."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isogloss.tasks.targets import Target
from isogloss.tasks.training import ExampleBatches, TrainingSet
from isogloss.tasks.windows import Kind, TextWindow


def training_set(num_sequences: int, kind: Kind = "tag", seed: int = 0) -> TrainingSet:
    """Sequence i is [i, i, …]; every second row of it has the label i % 5."""
    random = np.random.default_rng(seed)
    windows = [TextWindow(i, np.full(random.integers(2, 50), i, np.int32)) for i in range(num_sequences)]
    rows = [np.arange(0, len(window.ids), 2, dtype=np.int32) for window in windows]
    if kind == "answer":
        rows = [np.array([1, len(window.ids) - 1], np.int32) for window in windows]
    labels = [np.full(1 if kind == "classify" else len(r), i % 5, np.int32) for i, r in enumerate(rows)]
    return TrainingSet.of(kind, windows, [Target(r, found) for r, found in zip(rows, labels, strict=True)])


@given(
    num_sequences=st.integers(1, 80),
    batch_size=st.integers(1, 20),
    epoch=st.integers(0, 3),
)
def test_an_epoch_sees_every_sequence_once(num_sequences: int, batch_size: int, epoch: int) -> None:
    batches = ExampleBatches(training_set(num_sequences), batch_size=batch_size, seed=1)
    steps = range(epoch * batches.steps_per_epoch, (epoch + 1) * batches.steps_per_epoch)
    seen = np.concatenate([batches.indices(step) for step in steps])
    assert len(seen) == batches.steps_per_epoch * batch_size, "every batch is full"
    counts = np.bincount(seen, minlength=num_sequences)
    assert counts.min() >= 1
    assert len(seen) - num_sequences < batch_size, "no more is seen twice than fills the last batch"


@given(step=st.integers(0, 60), num_micros=st.integers(1, 8))
def test_a_step_is_the_same_whenever_and_however_it_is_asked_for(step: int, num_micros: int) -> None:
    training = training_set(50)
    batches = ExampleBatches(training, batch_size=8, seed=1)
    batches.batch(3)
    whole = batches.batch(step)
    again = ExampleBatches(training, batch_size=8, seed=1)
    parts = [again.batch(step, micro, num_micros) for micro in range(num_micros)]
    assert whole.ids_N.tolist() == [index for part in parts for index in part.ids_N.tolist()]
    assert whole.indices == tuple(index for part in parts for index in part.indices)
    assert whole.num_targets == sum(part.num_targets for part in parts)
    assert whole.num_tokens == len(whole.ids_N) == whole.layout.num_tokens


def test_seeds_and_epochs_have_orders_of_their_own() -> None:
    training = training_set(64)
    orders = [
        np.concatenate([batches.indices(step) for step in range(first, first + 8)]).tolist()
        for batches in (ExampleBatches(training, batch_size=8, seed=seed) for seed in (1, 2))
        for first in (0, 8)
    ]
    assert len({tuple(order) for order in orders}) == 4


@pytest.mark.parametrize("kind", ["classify", "tag", "answer"])
def test_rows_and_labels_follow_their_sequence_into_the_batch(kind: Kind) -> None:
    training = training_set(20, kind)
    batch = training.batch(np.array([7, 3, 11], np.int32))
    assert batch.layout.lengths == tuple(training.ids.lengths[[7, 3, 11]])
    owners = batch.ids_N[batch.rows_M]
    if kind == "classify":
        assert batch.labels_M.tolist() == [7 % 5, 3 % 5, 11 % 5]
        assert batch.num_targets == 3
    elif kind == "tag":
        assert (owners % 5).tolist() == batch.labels_M.tolist()
        assert batch.num_targets == len(batch.rows_M)
    else:
        assert owners.tolist() == [7, 7, 3, 3, 11, 11]
        assert batch.num_targets == 3
        assert (batch.rows_M[1::2] + 1).tolist() == batch.layout.offsets[1:].tolist()


def test_similar_lengths_share_a_batch() -> None:
    training = training_set(640)
    batches = ExampleBatches(training, batch_size=16, seed=1)
    spreads = [np.ptp(training.ids.lengths[batches.indices(step)]) for step in range(batches.steps_per_epoch)]
    assert np.mean(spreads) < 6, "of lengths from 2 to 49"
    means = [training.ids.lengths[batches.indices(step)].mean() for step in range(32)]
    assert np.corrcoef(means, range(32))[0, 1] < 0.5, "batches do not come from short to long"


def test_sequences_without_a_target_are_left_out() -> None:
    windows = [TextWindow(0, np.array([0, 2], np.int32)), TextWindow(1, np.array([0, 5, 2], np.int32))]
    nothing = np.empty(0, np.int32)
    targets = [Target(nothing, nothing), Target(np.array([1], np.int32), np.array([0], np.int32))]
    training = TrainingSet.of("tag", windows, targets)
    assert len(training) == 1
    assert training.batch(np.array([0], np.int32)).ids_N.tolist() == [0, 5, 2]
