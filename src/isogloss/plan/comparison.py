"""What was planned beside what is measured, after some steps of a real run.

keep_plan(plan, settings, folder)                    # isogloss plan RECIPE run=RUN: RUN/plan.json
watch = Watch(settings, folder, device)              # in the run: an action of the loop, every AFTER_STEPS
watch(step)                                          # {"plan": {"predicted_peak_bytes": …}} once, then {}
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console

from isogloss.config import Duration
from isogloss.devices import Device, forget_peak_memory, peak_memory
from isogloss.manifest import write_json
from isogloss.plan.estimate import Plan, Recipe, make_plan
from isogloss.plan.memory import CUDA_BASE
from isogloss.runs import METRICS_NAME, read_metrics
from isogloss.shards import Shards

__all__ = ["AFTER_STEPS", "Comparison", "Watch", "compare", "keep_plan"]

AFTER_STEPS = Duration("50 steps")
PLAN_NAME = "plan.json"
# Seconds that a run without a plan gives to timed steps before it starts.
BUDGET_IN_A_RUN = 2.0


@dataclass(frozen=True)
class Comparison:
    """Predicted and measured: bytes of a device at the peak, tokens/s of the run. None is what nobody knows."""

    predicted_peak_bytes: int | None
    measured_peak_bytes: int | None
    predicted_tokens_per_second: float | None
    measured_tokens_per_second: float | None

    def __str__(self) -> str:
        memory = _beside(self.predicted_peak_bytes, self.measured_peak_bytes, 1e9, "GB at the peak", ".2f")
        speed = _beside(self.predicted_tokens_per_second, self.measured_tokens_per_second, 1, "tokens/s", ",.0f")
        return f"plan: {memory}; {speed}"


def compare(plan: Mapping[str, Any], *, peak_bytes: int | None, tokens_per_second: float | None) -> Comparison:
    """A plan, as `Plan.as_dict` gives it, beside what a run measured."""
    return Comparison(
        predicted_peak_bytes=plan["memory"]["peak"],
        measured_peak_bytes=peak_bytes,
        predicted_tokens_per_second=plan["tokens_per_second_at_start"],
        measured_tokens_per_second=tokens_per_second,
    )


def keep_plan(plan: Plan, settings: Recipe, folder: Path) -> Path:
    """Write the plan into a run folder, with the settings it is for."""
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / PLAN_NAME, {"for": _planned(settings), "plan": plan.as_dict()})
    return folder / PLAN_NAME


class Watch:
    """An action of the training loop: the first time that speed is known, predicted and measured; then nothing.

    The plan is that of the run folder when it was made for these settings and these devices. Else it is made here, with
    a few timed steps of a model that is gone again afterwards, unless the run is too short to be compared, or has been.
    Make it before the model, so that the model is not counted as the process's own memory.
    """

    def __init__(
        self, settings: Recipe, folder: Path, device: Device, *, num_devices: int = 1, shards: Shards | None = None
    ) -> None:
        self._folder = folder
        self._device = device
        self._plan: dict[str, Any] | None = None
        if settings.steps >= AFTER_STEPS.steps() and not any("plan" in row for row in self._rows()):
            self._plan = self._kept(settings, num_devices) or self._made(settings, num_devices, shards)

    def __call__(self, step: int) -> dict[str, Any]:
        speeds = [row["tokens_per_second"] for row in self._rows() if "tokens_per_second" in row]
        if self._plan is None or not speeds or step < AFTER_STEPS.steps():
            return {}
        plan, self._plan = self._plan, None
        comparison = compare(plan, peak_bytes=self._peak_bytes(), tokens_per_second=median(speeds))
        Console(stderr=True, highlight=False, soft_wrap=True).print(str(comparison))
        return {"plan": asdict(comparison)}

    def _peak_bytes(self) -> int | None:
        on_cuda = self._device.device.type == "cuda"
        return peak_memory(self._device) + CUDA_BASE if on_cuda else peak_memory(self._device) or None

    def _made(self, settings: Recipe, num_devices: int, shards: Shards | None) -> dict[str, Any]:
        # With init the shape of its model has been put into the settings.
        alone, kind = settings.model_copy(update={"init": None}), self._device.device.type
        plan = make_plan(alone, device=kind, num_devices=num_devices, shards=shards, budget=BUDGET_IN_A_RUN)
        forget_peak_memory(self._device)
        return plan.as_dict()

    def _rows(self) -> list[dict[str, Any]]:
        return read_metrics(self._folder) if (self._folder / METRICS_NAME).exists() else []

    def _kept(self, settings: Recipe, num_devices: int) -> dict[str, Any] | None:
        path = self._folder / PLAN_NAME
        if not path.exists():
            return None
        kept = json.loads(path.read_text(encoding="utf-8"))
        plan: dict[str, Any] = kept["plan"]
        same_place = (plan["kind"], plan["num_devices"]) == (self._device.device.type, num_devices)
        return plan if kept["for"] == _planned(settings) and same_place else None


def _planned(settings: Recipe) -> dict[str, Any]:
    """The settings that memory and speed follow from; the vocabulary's size and languages come with the shards."""
    shape = settings.model.model_dump(mode="json", exclude={"vocabulary_size", "languages", "preset"})
    batches = settings.batches.model_dump(mode="json")
    loop = settings.loop.model_dump(mode="json", include={"accumulate", "sharing"})
    return {"model": shape, "batches": batches, "loop": loop, "precision": settings.precision}


def _beside(predicted: float | None, measured: float | None, unit: float, name: str, form: str) -> str:
    said = ["unknown" if value is None else format(value / unit, form) for value in (predicted, measured)]
    off = f" ({predicted / measured - 1:+.0%})" if predicted and measured else ""
    return f"predicted {said[0]} {name}, measured {said[1]}{off}"
