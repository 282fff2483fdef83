"""Fine-tunings that learn nothing: noticed early, by a loss that no knowledge of the text is needed for.

    guard = Guard(loss_of, chance=chance_loss("classify", targets), step=400)
    train(…, loss_of=guard.loss_of, actions=[guard.action()])      # raises CollapsedError at step 400

A model that gives every text the same answer cannot have a lower loss than the entropy of the labels; one that has
collapsed stays there or above (large encoders with a rate too high, small sets, unlucky seeds: Devlin et al. 2019,
section 4.1; facebookresearch/XLM issues 56 and 110, where NLI stays at 33.33 %). What is compared is the mean training
loss of the steps before the check, and how far below chance the luck of the examples may take it: a small model that
learns slowly is no collapsed one. The run is then begun anew with another seed, and the second time with half the rate
too; how often that was is told in the model and in every score of it.
"""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field
from torch import Tensor

from isogloss.config import Duration, Settings
from isogloss.heads import TaskModel
from isogloss.loop import Action
from isogloss.manifest import write_json
from isogloss.runs import METRICS_NAME
from isogloss.selection import BEST
from isogloss.tasks import Kind, Target, Window
from isogloss.tasks.targets import RATING_STEP
from isogloss.tasks.training import ExampleBatch

__all__ = [
    "Attempt",
    "Chance",
    "CollapsedError",
    "Guard",
    "GuardSettings",
    "begin_anew",
    "chance_loss",
    "check_step",
    "collapsed_attempts",
    "next_attempt",
]

# Attempts at a run that learned nothing.
COLLAPSED_NAME = "collapsed.json"
# Below chance by less than this share of it is at chance, however many labels were seen.
LEAST_GAIN = 0.005
# So many standard errors of a mean over labels below chance is no luck.
SURE_ERRORS = 3.0
# Apart from seeds that people choose.
SEEDS_APART = 1000


class GuardSettings(Settings):
    """When a fine-tuning counts as collapsed, and how often it is begun anew."""

    restarts: int = Field(2, ge=0, description="so many times a collapsed run is begun anew; 0: nothing is checked")
    after: int = Field(300, ge=20, description="steps after the warmup after which the loss must be below chance")


@dataclass(frozen=True)
class Chance:
    """The least loss that one answer for all has, in nats a label, and how much it differs between labels (standard
    deviation)."""

    loss: float
    spread: float

    def is_beaten(self, loss: float, num_targets: int) -> bool:
        """Whether this mean over so many labels is below chance by more than the luck of the draw."""
        return loss < self.loss - max(LEAST_GAIN * self.loss, SURE_ERRORS * self.spread / math.sqrt(num_targets))


class CollapsedError(Exception):
    """The loss is at chance or above; caught by who started the run."""

    def __init__(self, step: int, loss: float, chance: float) -> None:
        super().__init__(f"at step {step} the loss is {loss:.3f} nats, {chance:.3f} is reached by one answer for all")
        self.step, self.loss, self.chance = step, loss, chance


@dataclass(frozen=True)
class Attempt:
    """The seed and the share of the learning rate that a run is tried with."""

    seed: int
    rate_share: float


def next_attempt(seed: int, num_collapsed: int) -> Attempt:
    """The first is the run as it was asked for; the next has another seed, later ones half the rate each too."""
    return Attempt(seed + SEEDS_APART * num_collapsed, 0.5 ** max(0, num_collapsed - 1))


def chance_loss(kind: Kind, windows: Sequence[Window], targets: Sequence[Target]) -> Chance:
    """The loss of the one best answer for all: the entropy of the labels in nats; of answers, all rows alike.

    Of ratings, whose loss is the squared error, their variance.
    """
    if kind == "answer":
        losses = np.log([max(len(window.ids), 1) for window in windows])
        return Chance(float(losses.mean()), float(losses.std()))
    if kind == "rate":
        ratings = np.concatenate([target.labels for target in targets]) / RATING_STEP
        errors = np.square(ratings - ratings.mean())
        return Chance(float(errors.mean()), float(errors.std()))
    counts = np.unique(np.concatenate([target.labels for target in targets]), return_counts=True)[1]
    shares = counts / counts.sum()
    loss = -float(shares @ np.log(shares))
    return Chance(loss, math.sqrt(float(shares @ np.square(-np.log(shares) - loss))))


def check_step(settings: GuardSettings, *, warmup: Duration, total_steps: int, tokens_per_step: int) -> int | None:
    """The step at which the loss is looked at; None where nothing is checked, or the run is too short for it."""
    step = warmup.steps(total_steps=total_steps, tokens_per_step=tokens_per_step) + settings.after
    return step if settings.restarts and 2 * step <= total_steps else None


def collapsed_attempts(run: Path) -> list[dict[str, Any]]:
    """What is known of attempts at this run that learned nothing."""
    path = run / COLLAPSED_NAME
    known: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    return known


def begin_anew(run: Path, attempts: Sequence[Mapping[str, Any]]) -> None:
    """Forget what an attempt left. The note comes last: killed before it, the same attempt is made again."""
    for name in ("checkpoints", BEST, "tensorboard"):
        if (run / name).exists():
            # At once: half of the checkpoints would be gone on from.
            leftover = (run / name).rename(run / f"{name}.old")
            shutil.rmtree(leftover)
    (run / METRICS_NAME).unlink(missing_ok=True)
    write_json(run / COLLAPSED_NAME, list(attempts))


class Guard:
    """Adds up the loss between checks; ``step`` is the one at which it must be below chance."""

    def __init__(self, loss_of: Callable[[TaskModel, ExampleBatch], Tensor], *, chance: Chance, step: int) -> None:
        self._loss_of, self._chance = loss_of, chance
        # The loss that is looked at is that of the second half.
        self._every = max(1, step // 2)
        self._loss: Tensor | None = None
        self._num_targets = 0

    def loss_of(self, model: TaskModel, batch: ExampleBatch) -> Tensor:
        """The loss, remembered."""
        total = self._loss_of(model, batch)
        # No .item(): a device would be waited for at each step.
        self._loss = total.detach().double() + (0.0 if self._loss is None else self._loss)
        self._num_targets += batch.num_targets
        return total

    def action(self) -> Action:
        """To be done by the loop."""
        return Action("guard", Duration(f"{self._every} steps"), self.check)

    def check(self, step: int) -> Mapping[str, Any]:
        """Nothing, or what is told of the check; raises CollapsedError."""
        loss, num_targets = self._loss, self._num_targets
        self._loss, self._num_targets = None, 0
        if step != 2 * self._every or loss is None or not num_targets:
            return {}
        mean = float(loss / num_targets)
        if not self._chance.is_beaten(mean, num_targets):
            raise CollapsedError(step, mean, self._chance.loss)
        return {"guard": {"loss": mean, "chance": self._chance.loss}}
