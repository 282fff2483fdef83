"""What a pretraining run will take, before it is started: memory, tokens/s, disk, days and cost.

    plan = make_plan(settings, device="h100", num_devices=8, price_per_hour=2.5)
    plan.memory.peak, plan.tokens_per_second, plan.days, plan.cost
    comparison = compare(plan, measured_peak=..., measured_tokens_per_second=...)

Counts are closed forms of this model's own code (``arithmetic``, ``memory``); the speed is measured on this machine's
device, or a share of the vendor's peak that is assumed (``speed``).
"""

from __future__ import annotations

from isogloss.plan.arithmetic import BatchShape, FlopsPerToken, flops_of, flops_per_token, num_parameters
from isogloss.plan.comparison import AFTER_STEPS, Comparison, Watch, compare, keep_plan
from isogloss.plan.estimate import Disk, Plan, Recipe, make_plan
from isogloss.plan.memory import Memory, memory_of
from isogloss.plan.report import report
from isogloss.plan.speed import ACCELERATORS, Accelerator, StepTimes, measure_step

__all__ = [
    "ACCELERATORS",
    "AFTER_STEPS",
    "Accelerator",
    "BatchShape",
    "Comparison",
    "Disk",
    "FlopsPerToken",
    "Memory",
    "Plan",
    "Recipe",
    "StepTimes",
    "Watch",
    "compare",
    "flops_of",
    "flops_per_token",
    "keep_plan",
    "make_plan",
    "measure_step",
    "memory_of",
    "num_parameters",
    "report",
]
