"""A recipe → its plan: what a run takes in memory, time, disk and money.

    plan = make_plan(settings, device="a100", num_devices=8, shards=Shards.open("shards"))

Devices share a step's sequences, and each holds the whole model, or a part of it with loop.sharing = "sharded". Days
are those of training alone: validation and checkpoints come on top. A run with phases needs the memory of the largest
and the time of all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol, Self

import torch

from isogloss.batches import BatchSettings, MaskedBatch, MaskedBatches
from isogloss.checkpoint import load_model
from isogloss.devices import Device, Precision, choose, held_bytes
from isogloss.errors import ConfigError
from isogloss.loop import LoopSettings
from isogloss.model import ModelSettings
from isogloss.optim import OptimSettings
from isogloss.plan.arithmetic import (
    BatchShape,
    FlopsPerToken,
    RandomShards,
    flops_per_token,
    num_parameters,
    sample_batches,
    shape_of,
)
from isogloss.plan.memory import CUDA_BASE, FP32, Memory, memory_of
from isogloss.plan.speed import ACCELERATORS, ASSUMED_SHARE, measure_step
from isogloss.shards import Shards
from isogloss.shards.read import dtype_for

__all__ = ["Disk", "Plan", "Recipe", "make_plan"]

SECONDS_A_DAY = 86_400
# What is given to timed steps, in seconds, over all phases; a large model's few steps take longer.
BUDGET = 10.0


class Recipe(Protocol):
    """What is read of a pretraining's settings."""

    @property
    def model(self) -> ModelSettings: ...
    @property
    def language_embedding(self) -> bool: ...
    @property
    def batches(self) -> BatchSettings: ...
    @property
    def optim(self) -> OptimSettings: ...
    @property
    def loop(self) -> LoopSettings: ...
    @property
    def steps(self) -> int: ...
    @property
    def seed(self) -> int: ...
    @property
    def precision(self) -> Precision: ...
    @property
    def init(self) -> Path | None: ...
    def model_copy(self, *, update: Mapping[str, Any]) -> Self: ...


@dataclass(frozen=True)
class Disk:
    """Bytes on disk: all checkpoints kept and the one being written, the model, and the shards (None: not made yet)."""

    checkpoints: int
    model: int
    bytes_per_token: int
    shards: int | None


@dataclass(frozen=True)
class Plan:
    """What a run takes. Memory is of one device; tokens/s, hours and cost are of all. None is what is not known.

    ``kind`` is "cpu" or "cuda". Tokens/s are the whole run's, and those of its first phase.
    """

    device: str
    kind: str
    num_devices: int
    precision: str
    parameters: int
    steps: int
    tokens: int
    flops_per_token: FlopsPerToken
    memory: Memory
    tokens_per_second: float | None
    tokens_per_second_at_start: float | None
    speed_from: str
    days: float | None
    device_hours: float | None
    cost: float | None
    disk: Disk
    epochs: Mapping[str, float]
    notes: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Everything, as JSON has words for it."""
        found = asdict(self)
        found["flops_per_token"]["total"] = self.flops_per_token.total
        return found


@dataclass(frozen=True)
class _Phase:
    """A stretch of the run in which batches keep their shape."""

    steps: int
    settings: BatchSettings
    shape: BatchShape


@dataclass(frozen=True)
class _Target:
    """Where the run is to be: what its memory and speed are reckoned with."""

    device: str
    kind: str
    dtype: torch.dtype
    num_devices: int


def make_plan(
    settings: Recipe,
    *,
    device: str = "cpu",
    num_devices: int = 1,
    price_per_hour: float | None = None,
    share_of_peak: float | None = None,
    shards: Shards | None = None,
    measure: bool = True,
    budget: float = BUDGET,
) -> Plan:
    """Plan a run on ``num_devices`` of a device: one of ACCELERATORS, or cpu, cuda or auto for this machine's.

    This machine's is timed, for about ``budget`` seconds, unless ``measure`` is False; another's speed is
    ``share_of_peak``, or what is assumed of it.
    Raises ConfigError for an unknown device, a vocabulary whose size nobody says, and more micro-batches and devices
    than a step has sequences.
    """
    model = _model_settings(settings, shards)
    source = shards if shards is not None else RandomShards(model.vocabulary_size)
    phases = _phases(settings, model, source)
    chosen, target = _target(device, settings.precision, num_devices)
    # Before anything is measured: the process without a model.
    base = held_bytes() if target.kind == "cpu" else CUDA_BASE
    memory = _memory(settings, model, phases, target, settings.loop.accumulate, base=base)

    tokens = [phase.steps * settings.batches.batch_size * phase.shape.tokens for phase in phases]
    flops = [flops_per_token(model, phase.shape) for phase in phases]
    total_tokens = sum(tokens)
    mean_flops = FlopsPerToken(
        *(
            sum(share * getattr(part, name) for share, part in zip(tokens, flops, strict=True)) / total_tokens
            for name in ("layers", "attention", "head")
        )
    )
    seconds: list[float] = []
    speed_from = "not measured"
    if chosen is None:
        accelerator = ACCELERATORS[device]
        share = share_of_peak if share_of_peak is not None else ASSUMED_SHARE[target.dtype]
        peak = accelerator.peak(target.dtype)
        seconds = [
            number * part.total / (num_devices * share * peak) for number, part in zip(tokens, flops, strict=True)
        ]
        said = "given" if share_of_peak is not None else "assumed"
        speed_from = f"{said}: {share:.0%} of {peak / 1e12:.4g} TFLOP/s ({accelerator.name}, vendor's data sheet)"
    elif measure:
        budget /= len(phases)
        seconds = [_measured(settings, model, phase, source, chosen, num_devices, budget) for phase in phases]
        speed_from = "steps timed on this machine" + (f", times {num_devices}" if num_devices > 1 else "")

    days = sum(seconds) / SECONDS_A_DAY if seconds else None
    device_hours = None if days is None else 24 * days * num_devices
    return Plan(
        device=device,
        kind=target.kind,
        num_devices=num_devices,
        precision="bf16" if target.dtype == torch.bfloat16 else "fp32",
        parameters=num_parameters(model),
        steps=settings.steps,
        tokens=round(total_tokens),
        flops_per_token=mean_flops,
        memory=memory,
        tokens_per_second=total_tokens / sum(seconds) if seconds else None,
        tokens_per_second_at_start=tokens[0] / seconds[0] if seconds else None,
        speed_from=speed_from,
        days=days,
        device_hours=device_hours,
        cost=None if device_hours is None or price_per_hour is None else device_hours * price_per_hour,
        disk=_disk(settings, model, shards),
        epochs=_epochs(settings, model, shards),
        notes=tuple(_notes(settings, model, phases, target, memory, shards)),
    )


def _model_settings(settings: Recipe, shards: Shards | None) -> ModelSettings:
    """The model's shape, with the vocabulary's size and the languages of the shards."""
    model = settings.model if settings.init is None else load_model(settings.init, kind="masked").encoder.settings
    if shards is not None:
        model = model.model_copy(update={"vocabulary_size": shards.vocabulary_size})
        if settings.language_embedding and not model.languages:
            spoken = {*shards.languages, *(code for pair in shards.pairs.values() for code in pair)}
            model = model.model_copy(update={"languages": tuple(sorted(spoken))})
    elif settings.init is None and model.preset is None and "vocabulary_size" not in model.model_fields_set:
        raise ConfigError(
            "the size of the vocabulary is not known: name shards that are there, or set model.vocabulary_size=N"
        )
    if settings.batches.longest > model.max_length:
        raise ConfigError(
            f"batches.sequence_length = {settings.batches.longest} is more than the model's max_length = "
            f"{model.max_length}; shorten the sequences or lengthen the model"
        )
    return model


def _phases(settings: Recipe, model: ModelSettings, source: Shards | RandomShards) -> list[_Phase]:
    batches = settings.batches
    if isinstance(source, RandomShards):  # which have no pairs, and one language
        alone = tuple(phase.model_copy(update={"join": ()}) for phase in batches.phases)
        batches = batches.model_copy(update={"tlm_share": 0.0, "phases": alone})
    parts = batches.in_phases(settings.steps)
    ends = [first for first, _ in parts[1:]] + [settings.steps]
    return [
        _Phase(end - first, part, shape_of([next(sample_batches(part, source, model, seed=settings.seed))]))
        for (first, part), end in zip(parts, ends, strict=True)
    ]


def _target(device: str, precision: Precision, num_devices: int) -> tuple[Device | None, _Target]:
    """This machine's device, None for another's, and what is reckoned with."""
    if device in ACCELERATORS:
        bf16 = ACCELERATORS[device].bf16 is not None and precision != "fp32"
        return None, _Target(device, "cuda", torch.bfloat16 if bf16 else torch.float32, num_devices)
    if device.split(":")[0] not in {"cpu", "cuda", "auto"}:
        raise ConfigError(
            f"--device {device} is not in the table: use {', '.join(ACCELERATORS)}, or cpu, cuda, auto for this machine"
        )
    chosen = choose(device, precision=precision)
    return chosen, _Target(device, chosen.device.type, chosen.dtype, num_devices)


def _micro_batch(settings: Recipe, num_devices: int, accumulate: int) -> int:
    """Most sequences of a micro-batch on one device."""
    size = settings.batches.batch_size
    if num_devices * accumulate > size:
        raise ConfigError(
            f"{num_devices} devices and loop.accumulate = {accumulate} cut a step of batches.batch_size = {size} "
            "sequences into empty parts; take fewer of either"
        )
    return -(-size // (num_devices * accumulate))


def _memory(
    settings: Recipe, model: ModelSettings, phases: Sequence[_Phase], target: _Target, accumulate: int, *, base: int
) -> Memory:
    """That of the phase which needs most."""
    of_phases = (
        memory_of(
            model,
            phase.shape,
            num_sequences=_micro_batch(settings, target.num_devices, accumulate),
            accumulate=accumulate,
            num_parts=target.num_devices if settings.loop.sharing == "sharded" else 1,
            device=target.kind,
            dtype=target.dtype,
            base=base,
        )
        for phase in phases
    )
    return max(of_phases, key=lambda memory: memory.peak)


def _measured(
    settings: Recipe,
    model: ModelSettings,
    phase: _Phase,
    source: Shards | RandomShards,
    device: Device,
    num_devices: int,
    budget: float,
) -> float:
    """Seconds of all steps of a phase, from a few that are timed."""
    num_sequences = _micro_batch(settings, num_devices, settings.loop.accumulate)

    def batches(number: int) -> Iterator[MaskedBatch]:
        return sample_batches(phase.settings, source, model, seed=settings.seed, num_sequences=number)

    times = measure_step(model, settings.optim, batches, device, micro_sequences=num_sequences, budget=budget)
    exact = settings.batches.batch_size / (num_devices * settings.loop.accumulate)
    return phase.steps * times.seconds(num_sequences=exact, accumulate=settings.loop.accumulate)


def _disk(settings: Recipe, model: ModelSettings, shards: Shards | None) -> Disk:
    weights = FP32 * num_parameters(model)
    bytes_per_token = dtype_for(model.vocabulary_size).itemsize
    on_disk = None
    if shards is not None:
        on_disk = sum(path.stat().st_size for path in shards.path.rglob("*") if path.is_file())
    # Weights and two means; a new checkpoint is whole before the oldest goes.
    num_checkpoints = settings.loop.keep_checkpoints + 1
    if settings.loop.keep_every:
        num_checkpoints += settings.steps // settings.loop.keep_every
    return Disk(num_checkpoints * 3 * weights, weights, bytes_per_token, on_disk)


def _epochs(settings: Recipe, model: ModelSettings, shards: Shards | None) -> dict[str, float]:
    """How often each language's text is seen; nothing without shards."""
    if shards is None:
        return {}
    pieces = settings.batches.model_copy(update={"whole_word": False})
    row_of = model.row_of if model.languages else None
    made = MaskedBatches(shards, pieces, seed=settings.seed, total_steps=settings.steps, row_of=row_of)
    return {code: counts["epochs"] for code, counts in made.ledger(settings.steps).items()}


def _notes(
    settings: Recipe,
    model: ModelSettings,
    phases: Sequence[_Phase],
    target: _Target,
    memory: Memory,
    shards: Shards | None,
) -> Iterator[str]:
    """What a reader should know before believing the figures."""
    if shards is None:
        yield "no shards yet: sequences are taken to be full and of one document each, epochs are not known"
        if settings.batches.tlm_share:
            yield "without shards, pairs of sentences are counted as running text"
    if target.device not in ACCELERATORS:
        return
    accelerator = ACCELERATORS[target.device]
    if accelerator.bf16 is None:
        yield f"{accelerator.name} has no bf16: the model computes in fp32 there"
    room, most = accelerator.memory_gb * 1e9, settings.batches.batch_size // target.num_devices
    if memory.peak <= room:
        return
    for accumulate in (1 << power for power in range(1, most.bit_length())):
        if _memory(settings, model, phases, target, accumulate, base=CUDA_BASE).peak <= room:
            yield f"does not fit in {accelerator.memory_gb:g} GB; it does with loop.accumulate={accumulate}"
            return
    yield f"does not fit in {accelerator.memory_gb:g} GB, however small the micro-batches"
