"""Memory by part: what autograd really keeps, byte for byte, and how the peak follows from the settings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from isogloss.attention import Layout
from isogloss.model import MaskedLM, ModelSettings, initialise
from isogloss.plan.arithmetic import BatchShape
from isogloss.plan.memory import memory_of, saved_bytes
from isogloss.pretrain import PretrainSettings

BF16, FP32 = torch.bfloat16, torch.float32
LENGTH, NUM_SEQUENCES, NUM_TARGETS = 48, 6, 40
SHAPE = BatchShape(tokens=LENGTH, targets=NUM_TARGETS / NUM_SEQUENCES, attended=LENGTH, longest=LENGTH)


def kept_by_autograd(settings: ModelSettings, dtype: torch.dtype) -> int:
    """Bytes of the storages that one forward pass saves, each once, without parameters and what the loss keeps."""
    model = MaskedLM(settings).train()
    initialise(model, 1)
    model.encoder.compute_dtype = dtype
    ids_N, rows_M = torch.randint(5, 900, (NUM_SEQUENCES * LENGTH,)), torch.arange(NUM_TARGETS)
    layout = Layout.of([LENGTH] * NUM_SEQUENCES)
    storages: dict[int, tuple[int, Tensor]] = {}

    def note(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        storages[storage.data_ptr()] = (storage.nbytes(), tensor)  # the tensor too, so that its place is not reused
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        loss = model.masked_loss(ids_N, layout, rows_M, ids_N[rows_M])
    parameters = {parameter.untyped_storage().data_ptr() for parameter in model.parameters()}
    # The loss hands its gradients over without saving them; that of the head's states counts as the head's.
    of_head = NUM_TARGETS * settings.width * dtype.itemsize
    total = sum(size for place, (size, _) in storages.items() if place not in parameters) + of_head
    del loss
    return total


@pytest.mark.parametrize("dtype", [BF16, FP32], ids=["bf16", "fp32"])
@pytest.mark.parametrize("norm", ["pre", "post"])
@pytest.mark.parametrize("dropout", [0.0, 0.1])
@pytest.mark.parametrize("attention_dropout", [0.0, 0.1])
def test_activations_are_what_autograd_keeps(
    recipe: Callable[..., PretrainSettings], dtype: torch.dtype, norm: str, dropout: float, attention_dropout: float
) -> None:
    settings = recipe(model={"norm": norm, "dropout": dropout, "attention_dropout": attention_dropout}).model
    predicted = saved_bytes(settings, SHAPE, num_sequences=NUM_SEQUENCES, device="cpu", dtype=dtype)
    # What is left out: the ids, and a mean and a spread of the head's norm.
    assert kept_by_autograd(settings, dtype) == pytest.approx(predicted, rel=0.01)


def of(settings: ModelSettings, **changed: Any) -> Any:
    values = {"num_sequences": 64, "accumulate": 1, "device": "cpu", "dtype": BF16, **changed}
    return memory_of(settings, SHAPE, **values)


def test_the_peak_holds_weights_and_means_and_less_than_all_parts(recipe: Callable[..., PretrainSettings]) -> None:
    memory = of(recipe().model, base=1000)
    parts = memory.weights + memory.optimizer + memory.gradients + memory.activations + memory.loss + memory.base
    assert memory.weights + memory.optimizer + memory.base < memory.peak < 2 * parts
    assert memory.optimizer == 2 * memory.weights == 2 * memory.gradients


def test_micro_batches_lower_activations_in_proportion(recipe: Callable[..., PretrainSettings]) -> None:
    model = recipe(model={"num_layers": 8, "feedforward": 64}).model
    whole, half = of(model, dtype=FP32), of(model, dtype=FP32, num_sequences=32, accumulate=2)
    assert half.activations == pytest.approx(whole.activations / 2, rel=0.01)
    assert half.peak < whole.peak
    # Gradients of the first micro-batch lie there in the second.
    assert half.peak > of(model, dtype=FP32, num_sequences=32).peak


def test_a_large_vocabulary_costs_a_chunk_of_logits_not_all(recipe: Callable[..., PretrainSettings]) -> None:
    model = recipe(model={"vocabulary_size": 250_002, "width": 8, "num_heads": 1}).model
    for device in ("cpu", "cuda"):
        one_chunk, some, many = (of(model, device=device, num_sequences=number).loss for number in (16, 400, 16_000))
        assert one_chunk < some == many
    # A CPU's chunk of a narrow model is half as long, and its softmax goes over slices.
    assert of(model, num_sequences=400).loss < 0.2 * of(model, device="cuda", num_sequences=400).loss


def test_a_fused_kernel_keeps_no_attention_weights(recipe: Callable[..., PretrainSettings]) -> None:
    model = recipe().model
    assert of(model, device="cuda").activations < of(model).activations


def test_a_sharded_model_lies_in_parts(recipe: Callable[..., PretrainSettings]) -> None:
    model = recipe(model={"num_layers": 40}).model
    whole, parts = (of(model, device="cuda", num_sequences=1, num_parts=number) for number in (1, 8))
    assert parts.weights == whole.weights // 8
    assert parts.optimizer == whole.optimizer // 8
    assert parts.activations == whole.activations
    assert whole.peak / 8 < parts.peak < whole.peak / 2
