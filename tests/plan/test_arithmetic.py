"""Counts of parameters and operations: equal to what torch counts on a real model, and to published models."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from isogloss.attention import Layout
from isogloss.batches import BatchSettings, MaskedBatch
from isogloss.model import MaskedLM, ModelSettings
from isogloss.plan import flops_of, flops_per_token, num_parameters
from isogloss.plan.arithmetic import BatchShape, RandomShards, linear_weights, sample_batches, shape_of
from isogloss.pretrain import PretrainSettings


@pytest.mark.parametrize(
    ("preset", "expected"),
    # As transformers counts XLMRobertaForMaskedLM of these two, less their one row of token types.
    [("base", 278_295_186 - 768), ("large", 560_142_482 - 1024)],
)
def test_parameters_of_published_models(preset: str, expected: int) -> None:
    assert num_parameters(ModelSettings(preset=preset)) == expected


def test_parameters_and_matrices_are_the_models_own(recipe: Callable[..., PretrainSettings]) -> None:
    settings = recipe().model
    model = MaskedLM(settings)
    assert num_parameters(settings) == sum(parameter.numel() for parameter in model.parameters())
    matrices = [parameter.numel() for name, parameter in model.named_parameters() if parameter.ndim == 2]
    embeddings = sum(parameter.numel() for parameter in model.encoder.embeddings.parameters() if parameter.ndim == 2)
    assert linear_weights(settings) == sum(matrices) - embeddings


@pytest.mark.parametrize("norm", ["pre", "post"])
@pytest.mark.parametrize("lengths", [[48] * 4, [48, 30, 30, 7, 1]], ids=["equal", "mixed"])
def test_operations_are_those_that_torch_counts(
    recipe: Callable[..., PretrainSettings], lengths: list[int], norm: str
) -> None:
    settings = recipe(model={"norm": norm}).model
    model = MaskedLM(settings).train()
    num_tokens, num_targets = sum(lengths), 13
    ids_N, rows_M = torch.randint(5, 900, (num_tokens,)), torch.arange(num_targets)
    with FlopCounterMode(display=False) as counter:
        model.masked_loss(ids_N, Layout.of(lengths), rows_M, ids_N[rows_M]).backward()
    attended = sum(length**2 for length in lengths) / num_tokens
    shape = BatchShape(num_tokens / len(lengths), num_targets / len(lengths), attended, max(lengths))
    counted = counter.get_total_flops()
    assert counted == pytest.approx(num_tokens * flops_per_token(settings, shape).total, rel=1e-9)
    # The same of the batch itself, as a run counts its own.
    layout, languages = Layout.of(lengths), ("en",) * len(lengths)
    batch = MaskedBatch(ids_N, layout, rows_M, ids_N[rows_M], languages, range(len(lengths)), segments=layout)
    assert flops_of(settings, batch) == pytest.approx(counted, rel=1e-9)
    assert flops_of(settings, MaskedBatch(ids_N[:0], Layout.of([]), rows_M[:0], ids_N[:0], (), range(0), layout)) == 0


def test_the_head_is_paid_for_masked_rows_only(recipe: Callable[..., PretrainSettings]) -> None:
    model = recipe().model
    few, many = (flops_per_token(model, BatchShape(100, targets, 100, 100)) for targets in (10, 20))
    assert many.head == 2 * few.head
    assert (many.layers, many.attention) == (few.layers, few.attention)


@pytest.mark.parametrize(("packing", "whole_word"), [("stream", False), ("document", True)])
def test_a_sampled_shape_is_that_of_the_batches(
    recipe: Callable[..., PretrainSettings], packing: str, whole_word: bool
) -> None:
    settings = BatchSettings(sequence_length=40, batch_size=8192, mask_rate=0.2, packing=packing, whole_word=whole_word)
    shape = shape_of([next(sample_batches(settings, RandomShards(1000), recipe().model, seed=1))])
    assert shape.tokens == shape.attended == shape.longest == 40
    assert shape.targets == pytest.approx(0.2 * 39, rel=0.02)
