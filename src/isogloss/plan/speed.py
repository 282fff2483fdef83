"""Tokens a second: real training steps timed on this machine, or an assumed share of an accelerator's peak.

    times = measure_step(model, optim, batches, device, micro_sequences=48)
    times.seconds(num_sequences=48, accumulate=1)          # of one step

A micro-batch takes a time of its own (casts of weights, gradients of the tables) and a time a sequence; the optimizer
takes its time once a step. So a few sequences tell of many: one sequence, as many as there is time for, and the
optimizer take turns, and each is given the median of its times, which a busy machine disturbs least.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch.nn.utils import clip_grads_with_norm_, get_total_norm

from isogloss.batches import MaskedBatch
from isogloss.devices import Device
from isogloss.model import MaskedLM, ModelSettings, initialise
from isogloss.optim import OptimSettings, make_optimizer

__all__ = ["ACCELERATORS", "Accelerator", "StepTimes", "measure_step"]

TERA = 1e12
# What a training step of an encoder of this kind reaches of the peak. Assumed; a measured share is better.
ASSUMED_SHARE = {torch.bfloat16: 0.35, torch.float32: 0.6}
FEWEST_ROUNDS, MOST_ROUNDS = 3, 15


@dataclass(frozen=True)
class Accelerator:
    """Peaks of dense matrix products in TFLOP/s and memory in GB, from the vendor's data sheet.

    ``bf16`` is None where the processor has no bf16: there a model computes in fp32, as `devices.choose` decides.
    """

    name: str
    bf16: float | None
    fp32: float
    memory_gb: float

    def peak(self, dtype: torch.dtype) -> float:
        """Operations a second in this type."""
        return TERA * (self.bf16 if dtype == torch.bfloat16 and self.bf16 is not None else self.fp32)


ACCELERATORS = {
    "v100": Accelerator("V100 SXM2 32 GB", None, 15.7, 32),
    "t4": Accelerator("T4", None, 8.1, 16),
    "l4": Accelerator("L4", 121, 30.3, 24),
    "l40s": Accelerator("L40S", 362, 91.6, 48),
    "a10": Accelerator("A10", 125, 31.2, 24),
    "a100": Accelerator("A100 SXM 80 GB", 312, 19.5, 80),
    "h100": Accelerator("H100 SXM 80 GB", 989, 67, 80),
    "h200": Accelerator("H200 SXM", 989, 67, 141),
    "rtx3090": Accelerator("RTX 3090", 71, 35.6, 24),
    "rtx4090": Accelerator("RTX 4090", 165, 82.6, 24),
}


@dataclass(frozen=True)
class StepTimes:
    """Seconds of the parts of a step."""

    micro_batch: float
    sequence: float
    optimizer: float

    def seconds(self, *, num_sequences: float, accumulate: int) -> float:
        """One step of ``accumulate`` micro-batches of ``num_sequences`` sequences each."""
        return accumulate * (self.micro_batch + num_sequences * self.sequence) + self.optimizer


def measure_step(
    model_settings: ModelSettings,
    optim: OptimSettings,
    batches: Callable[[int], Iterator[MaskedBatch]],
    device: Device,
    *,
    micro_sequences: int,
    budget: float = 10.0,
) -> StepTimes:
    """Time real steps of a fresh model for about ``budget`` seconds; ``batches(n)`` gives batches of n sequences."""
    model = MaskedLM(model_settings)
    initialise(model, 1, std=model_settings.initial_std)
    device.place(model).train()
    optimizer = make_optimizer(model, optim)
    one = batches(1)

    def micro_batch(source: Iterator[MaskedBatch]) -> float:
        batch = next(source).to(device.device)
        return _seconds(lambda: _forward_and_backward(model, batch), device)

    def step() -> float:
        return _seconds(lambda: _optimizer_step(model, optimizer, optim.clip), device)

    # First times pay for kernels and memory.
    first = min(micro_batch(one) + step() for _ in range(3))
    num_sequences = max(1, min(micro_sequences, int(budget / (2 * FEWEST_ROUNDS) / max(first, 1e-6))))
    many = batches(num_sequences)
    micro_batch(many)
    step()

    of_one: list[float] = []
    of_many: list[float] = []
    of_optimizer: list[float] = []
    end = time.perf_counter() + budget
    while len(of_many) < FEWEST_ROUNDS or (len(of_many) < MOST_ROUNDS and time.perf_counter() < end):
        of_one.append(micro_batch(one))
        of_many.append(micro_batch(many))
        of_optimizer.append(step())
    return _parts(*map(statistics.median, (of_one, of_many, of_optimizer)), num_sequences=num_sequences)


def _parts(one: float, many: float, optimizer: float, *, num_sequences: int) -> StepTimes:
    """The line through one sequence and many; with a single size all of its time is the sequence's."""
    slope = (many - one) / (num_sequences - 1) if num_sequences > 1 else 0.0
    if slope <= 0:
        return StepTimes(0.0, many / num_sequences, optimizer)
    # Through the larger size: the smaller one is the less exact.
    return StepTimes(max(0.0, many - num_sequences * slope), min(slope, many / num_sequences), optimizer)


def _forward_and_backward(model: MaskedLM, batch: MaskedBatch) -> None:
    loss = model.masked_loss(
        batch.ids_N,
        batch.layout,
        batch.rows_M,
        batch.targets_M,
        languages_S=batch.languages_S,
        segments=batch.segments,
    )
    (loss / max(1, batch.num_targets)).backward()  # type: ignore[no-untyped-call]


def _optimizer_step(model: MaskedLM, optimizer: torch.optim.Optimizer, clip: float) -> None:
    gradients = [parameter for parameter in model.parameters() if parameter.grad is not None]
    norm = get_total_norm([parameter.grad for parameter in gradients if parameter.grad is not None])
    if clip:
        clip_grads_with_norm_(gradients, clip, norm)
    optimizer.step()
    optimizer.zero_grad()


def _seconds(work: Callable[[], None], device: Device) -> float:
    _wait(device)
    start = time.perf_counter()
    work()
    _wait(device)
    return time.perf_counter() - start


def _wait(device: Device) -> None:
    if device.device.type == "cuda":
        torch.cuda.synchronize(device.device)
