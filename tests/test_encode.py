"""Packed inference: order restored, packed equals one by one, budgets kept, generators stay generators."""

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from isogloss.attention import Layout
from isogloss.devices import Device
from isogloss.encode import packs, run_packed
from isogloss.model import Encoder, ModelSettings, initialise

CPU = Device(torch.device("cpu"), torch.float32)
LENGTHS = st.lists(st.integers(0, 40), max_size=30)


def echo(ids_N: Tensor, layout: Layout) -> Tensor:
    return ids_N


def first_ids(ids_N: Tensor, layout: Layout) -> Tensor:
    return ids_N[layout.offsets[:-1].long()]


def sequences_of(lengths: list[int], seed: int = 0) -> list[np.ndarray]:
    random = np.random.default_rng(seed)
    return [random.integers(4, 60, size=length, dtype=np.int32) for length in lengths]


@given(lengths=LENGTHS, token_budget=st.integers(1, 100), look_ahead=st.integers(1, 12))
def test_every_row_comes_back_to_its_sequence(lengths: list[int], token_budget: int, look_ahead: int) -> None:
    sequences = sequences_of(lengths)
    found = run_packed(
        echo, iter(sequences), device=CPU, num_rows=len, token_budget=token_budget, look_ahead=look_ahead
    )
    for sequence, rows in zip(sequences, found, strict=True):
        assert rows.tolist() == sequence.tolist()


@given(lengths=st.lists(st.integers(1, 40), max_size=30), token_budget=st.integers(1, 100))
def test_one_row_a_sequence_comes_back_in_order(lengths: list[int], token_budget: int) -> None:
    sequences = sequences_of(lengths)
    found = list(run_packed(first_ids, sequences, device=CPU, token_budget=token_budget))
    assert found == [sequence[0] for sequence in sequences]


@given(lengths=LENGTHS, token_budget=st.integers(1, 100))
def test_packs_hold_every_sequence_once_within_the_budget(lengths: list[int], token_budget: int) -> None:
    found = list(packs(lengths, token_budget=token_budget))
    assert sorted(index for pack in found for index in pack) == list(range(len(lengths)))
    for pack in found:
        assert len(pack) == 1 or sum(lengths[index] for index in pack) <= token_budget
    ordered = [lengths[index] for pack in found for index in pack]
    assert ordered == sorted(lengths, reverse=True)


@pytest.mark.parametrize("num_sequences", [1, 17])
def test_packed_equals_one_by_one(num_sequences: int) -> None:
    encoder = Encoder(ModelSettings(preset="tiny", vocabulary_size=64, max_length=48))
    initialise(encoder, seed=3)
    encoder.eval()
    sequences = sequences_of(np.random.default_rng(1).integers(1, 48, size=num_sequences).tolist())
    together = run_packed(encoder, sequences, device=CPU, num_rows=len)
    for sequence, rows_TD in zip(sequences, together, strict=True):
        (alone_TD,) = run_packed(encoder, [sequence], device=CPU, num_rows=len)
        assert rows_TD.shape == (len(sequence), 128)
        np.testing.assert_allclose(rows_TD, alone_TD, rtol=1e-4, atol=1e-5)


@settings(deadline=None)
@given(look_ahead=st.integers(1, 5))
def test_a_generator_is_read_only_as_far_as_needed(look_ahead: int) -> None:
    read = 0

    def endless() -> Iterator[np.ndarray]:
        nonlocal read
        while True:
            read += 1
            yield np.array([read], np.int32)

    results = run_packed(first_ids, endless(), device=CPU, look_ahead=look_ahead)
    assert [next(results) for _ in range(3)] == [1, 2, 3]
    assert read <= 3 + look_ahead


def test_bf16_models_give_fp32_rows_and_no_gradients() -> None:
    encoder = Device(torch.device("cpu"), torch.bfloat16).place(
        Encoder(ModelSettings(preset="tiny", vocabulary_size=64, max_length=48))
    )
    (rows_TD,) = run_packed(encoder.eval(), sequences_of([5]), device=CPU, num_rows=len)
    assert rows_TD.dtype == np.float32
