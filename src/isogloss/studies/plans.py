"""What a study will take before it runs: its cells' pretraining, by the room that plans a run.

planned = plan_study(load_study(path, ["budget=gpu", "output=out"]), device="h100")
sum(one.hours for one in planned)               # of one device, all seeds
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from isogloss.plan import Plan, make_plan
from isogloss.report import Block, Heading, Table, Text, to_markdown
from isogloss.studies.grid import Cell, cells_of, pretraining
from isogloss.studies.recipe import StudySettings

__all__ = ["PlannedPoint", "plan_study", "plan_text"]

NOWHERE = Path("-")
# Seconds that are given to timed steps of each combination of values, where this machine is asked.
BUDGET = 3.0


@dataclass(frozen=True)
class PlannedPoint:
    """One combination of values: the plan of a cell, times its seeds."""

    name: str
    num_seeds: int
    plan: Plan

    @property
    def hours(self) -> float | None:
        """Of pretraining, all seeds one after another on the devices of the plan."""
        return None if self.plan.days is None else 24 * self.plan.days * self.num_seeds


def plan_study(
    study: StudySettings, *, device: str = "cpu", num_devices: int = 1, share_of_peak: float | None = None
) -> list[PlannedPoint]:
    """A plan for every combination; raises ConfigError as `isogloss plan` does."""
    first: dict[str, Cell] = {}
    for cell in cells_of(study):
        first.setdefault(cell.point, cell)
    return [
        PlannedPoint(
            name,
            len(study.seeds),
            _plan(cell, device=device, num_devices=num_devices, share_of_peak=share_of_peak),
        )
        for name, cell in first.items()
    ]


def _plan(cell: Cell, *, device: str, num_devices: int, share_of_peak: float | None) -> Plan:
    settings = pretraining(cell, run=NOWHERE, shards=NOWHERE, vocabulary=NOWHERE, device="auto")
    model = settings.model.model_copy(update={"vocabulary_size": cell.settings.vocab["size"]})
    return make_plan(
        settings.model_copy(update={"model": model}),
        device=device,
        num_devices=num_devices,
        share_of_peak=share_of_peak,
        budget=BUDGET,
    )


def plan_text(study: StudySettings, planned: Sequence[PlannedPoint], *, price_per_hour: float | None = None) -> str:
    """The plan as Markdown; with the price of an hour of one device, also what all of it costs."""
    rows = [
        (
            one.name,
            f"{one.plan.parameters:,}",
            f"{one.plan.tokens:,}",
            "–" if one.plan.tokens_per_second is None else f"{one.plan.tokens_per_second:,.0f}",
            f"{one.plan.memory.peak / 1e9:.1f}",
            str(one.num_seeds),
            "–" if one.hours is None else f"{one.hours:,.2f}",
        )
        for one in planned
    ]
    hours = [one.hours for one in planned]
    total = sum(hour for hour in hours if hour is not None)
    tokens = sum(one.plan.tokens * one.num_seeds for one in planned)
    notes = dict.fromkeys(note for one in planned for note in one.plan.notes)
    first = planned[0].plan
    price = ""
    if price_per_hour is not None:
        price = (
            f" At {price_per_hour:g} an hour of one device they cost {total * first.num_devices * price_per_hour:,.0f}."
        )
    blocks: list[Block] = [
        Heading(f"{study.title}: budget {study.budget or 'of the recipe'}", level=1),
        Table(("cell", "parameters", "tokens", "tokens/s", "GB", "seeds", "hours"), rows),
        Text(
            f"{total:,.1f} hours of pretraining in all, {tokens:,} tokens, on {first.num_devices} x {first.device} "
            f"({first.speed_from}), one cell after another; text, vocabularies, fine-tuning and scoring come on top."
            f"{price}"
        ),
        *(Text(f"Note: {note}.") for note in notes),
    ]
    return to_markdown(blocks)
