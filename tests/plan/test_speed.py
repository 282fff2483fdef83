"""Times of a few sequences → time of a step."""

from __future__ import annotations

import pytest

from isogloss.plan import StepTimes
from isogloss.plan.speed import _parts


def test_a_step_is_micro_batches_and_one_optimizer() -> None:
    times = StepTimes(micro_batch=0.2, sequence=0.05, optimizer=1.0)
    assert times.seconds(num_sequences=4, accumulate=3) == pytest.approx(3 * (0.2 + 4 * 0.05) + 1.0)


@pytest.mark.parametrize("num_sequences", [2, 8, 50])
def test_the_line_goes_through_both_sizes(num_sequences: int) -> None:
    times = _parts(0.25, 0.2 + 0.05 * num_sequences, 0.0, num_sequences=num_sequences)
    assert times.micro_batch == pytest.approx(0.2)
    assert times.sequence == pytest.approx(0.05)


@pytest.mark.parametrize("one", [3.0, 0.01])
def test_noise_never_makes_a_time_negative_or_free(one: float) -> None:
    times = _parts(one, 2.0, 0.1, num_sequences=4)
    assert times.seconds(num_sequences=4, accumulate=1) == pytest.approx(2.1)
    assert times.seconds(num_sequences=40, accumulate=1) > 10
    assert times.micro_batch >= 0


def test_one_sequence_tells_of_itself_alone() -> None:
    assert _parts(1.9, 2.0, 0.1, num_sequences=1) == StepTimes(0.0, 2.0, 0.1)
