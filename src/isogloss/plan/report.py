"""A plan as text: a line a figure, with what it is made of.

print(report(plan))
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from isogloss.plan.estimate import Plan

__all__ = ["report"]

BYTES = ("B", "kB", "MB", "GB", "TB", "PB")
COUNTS = ("", "thousand", "million", "billion", "trillion")


def report(plan: Plan) -> str:
    """Aligned lines: the name, the figure, and where it comes from."""
    rows = [*_sizes(plan), *_memory(plan), *_time(plan), *_disk(plan)]
    width, figures = (max(len(row[place]) for row in rows) for place in (0, 1))
    lines = [f"{name:<{width}}  {figure:>{figures}}  {note}".rstrip() for name, figure, note in rows]
    if plan.epochs:
        lines.append(f"epochs: {_epochs(plan.epochs)}")
    return "\n".join([*lines, *(f"note: {note}" for note in plan.notes)])


def _sizes(plan: Plan) -> Iterator[tuple[str, str, str]]:
    flops = plan.flops_per_token
    yield "parameters", f"{plan.parameters:,}", ""
    parts = ((flops.layers, "layers"), (flops.attention, "attention"), (flops.head, "head"))
    said = ", ".join(f"{name} {part / flops.total:.0%}" for part, name in parts)
    yield "FLOPs a token", _scaled(flops.total, COUNTS), f"forward and backward: {said}"
    yield "tokens", _scaled(plan.tokens, COUNTS), f"{plan.steps:,} steps of {plan.tokens / plan.steps:,.0f}"


def _memory(plan: Plan) -> Iterator[tuple[str, str, str]]:
    memory = plan.memory
    of = "a device" if plan.num_devices > 1 else plan.device
    yield "memory: weights", _bytes(memory.weights), "fp32"
    yield "memory: gradients", _bytes(memory.gradients), "fp32"
    yield "memory: optimizer", _bytes(memory.optimizer), "AdamW's two means"
    yield "memory: activations", _bytes(memory.activations), f"of one micro-batch, {plan.precision}"
    yield "memory: loss", _bytes(memory.loss), "gradients of the piece embeddings, a chunk of logits"
    if memory.heap:
        yield "memory: heap", _bytes(memory.heap), "holes that the allocator keeps"
    yield "memory: base", _bytes(memory.base), "the process without a model"
    copied = memory.weights + memory.optimizer
    yield "memory: checkpoint", _bytes(copied), "of the CPU, while one is written; not in the peak"
    yield "memory: peak", _bytes(memory.peak), f"{of}, in the {memory.peak_at}; not all parts are there at once"


def _time(plan: Plan) -> Iterator[tuple[str, str, str]]:
    if plan.tokens_per_second is None or plan.days is None or plan.device_hours is None:
        return
    yield "tokens a second", f"{plan.tokens_per_second:,.0f}", plan.speed_from
    yield "days", _rounded(plan.days), f"or {_rounded(24 * plan.days)} hours; validation and checkpoints come on top"
    yield "device-hours", _rounded(plan.device_hours), f"{plan.num_devices} x {plan.device}"
    if plan.cost is not None:
        yield "cost", f"{plan.cost:,.2f}", "at the price given"


def _disk(plan: Plan) -> Iterator[tuple[str, str, str]]:
    disk = plan.disk
    yield "disk: checkpoints", _bytes(disk.checkpoints), "those kept and the one being written"
    yield "disk: model", _bytes(disk.model), ""
    if disk.shards is not None:
        yield "disk: shards", _bytes(disk.shards), f"{disk.bytes_per_token} bytes a token"
    else:
        one_pass = plan.tokens * disk.bytes_per_token
        yield "disk: shards", _bytes(one_pass), f"at most: all tokens once, {disk.bytes_per_token} bytes each"


def _epochs(epochs: Mapping[str, float]) -> str:
    return ", ".join(f"{code} {count:,.3g}" for code, count in sorted(epochs.items(), key=lambda item: -item[1]))


def _bytes(number: float) -> str:
    return _scaled(number, BYTES)


def _scaled(number: float, units: Sequence[str]) -> str:
    """1,234,567 → "1.23 M": powers of a thousand, three figures."""
    power = 0
    while number >= 999.5 and power < len(units) - 1:
        number, power = number / 1000, power + 1
    return f"{_rounded(number)} {units[power]}".rstrip()


def _rounded(number: float) -> str:
    """Three figures, without an exponent: "3,732", "19.4", "0.00026"."""
    return f"{number:,.0f}" if number >= 100 else f"{Decimal(f'{number:.3g}'):f}"
