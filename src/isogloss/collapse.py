"""Fine-tunings that learn nothing: noticed early, by a loss that no knowledge of the text is needed for.

    guard = Guard(chance_loss("classify", windows, targets), step=400, total_steps=3000, run=run.path)
    train(…, actions=[guard.action()])                        # raises CollapsedError at step 400

A model that gives every text the same answer cannot have a lower loss than the entropy of the labels; one that has
collapsed stays there or above (large encoders with a rate too high, small sets, unlucky seeds: Devlin et al. 2019,
section 4.1; facebookresearch/XLM issues 56 and 110, where NLI stays at 33.33 %). What is compared is the mean training
loss of the steps before a look, and how far below chance the luck of the examples may take it: a small model that
learns slowly is no collapsed one. The first look comes a few hundred steps after the start, of a short run at its end;
in the first half of the run others follow, as a model may collapse when the rate is highest. The run is then begun anew
with another seed, and the second time with half the rate too; how often that was is told in the model and in every
score of it. The last attempt goes through as it is, and if it learned nothing either, that is said.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field

from isogloss.config import Duration, Settings
from isogloss.loop import Action
from isogloss.manifest import forget_aside, move_aside, write_json
from isogloss.runs import METRICS_NAME, read_metrics
from isogloss.selection import BEST
from isogloss.tasks import Kind, Target, Window
from isogloss.tasks.targets import RATING_STEP
from isogloss.training_state import Progress

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
    "learned_nothing",
    "next_attempt",
]

# Attempts at a run that learned nothing.
COLLAPSED_NAME = "collapsed.json"
# Below chance by less than this share of it is at chance, however many labels were seen.
LEAST_GAIN = 0.005
# So many standard errors of a mean over labels below chance is no luck.
SURE_ERRORS = 3.0
# Longer warmups are not waited for: so many times the steps behind it.
MOST_OF_WARMUP = 2
# Shorter runs are not judged at their end.
FEWEST_STEPS = 100
# Apart from seeds that people choose.
SEEDS_APART = 1000


class GuardSettings(Settings):
    """When a fine-tuning counts as collapsed, and how often it is begun anew."""

    restarts: int = Field(2, ge=0, description="so many times a collapsed run is begun anew; 0: nothing is checked")
    after: int = Field(
        300, ge=20, description="steps after the warmup, or twice as many of it, by which the loss must be below chance"
    )


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
        super().__init__(f"a loss of {loss:.3f} at step {step}, where one answer for all has {chance:.3f}")
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
    """The loss of the one best answer for all: the entropy of the labels in nats.

    Of answers: how many windows have none, and else all rows alike. Of ratings, whose loss is the squared error, their
    variance.
    """
    if kind == "answer":
        return _chance_of_answers(windows, targets)
    if kind == "rate":
        ratings = np.concatenate([target.labels for target in targets]) / RATING_STEP
        errors = np.square(ratings - ratings.mean())
        return Chance(float(errors.mean()), float(errors.std()))
    counts = np.unique(np.concatenate([target.labels for target in targets]), return_counts=True)[1]
    shares = counts / counts.sum()
    loss = -float(shares @ np.log(shares))
    return Chance(loss, math.sqrt(float(shares @ np.square(-np.log(shares) - loss))))


def _chance_of_answers(windows: Sequence[Window], targets: Sequence[Target]) -> Chance:
    has_answer = np.array([bool(target.rows.any()) for target in targets])
    num_others = np.array([max(len(window.ids) - 1, 1) for window in windows])
    share = has_answer.mean()
    # A window of each kind at least: of none the logarithm is never asked for.
    losses = np.where(has_answer, np.log(num_others) - np.log(max(share, 1e-9)), -np.log(max(1 - share, 1e-9)))
    return Chance(float(losses.mean()), float(losses.std()))


def check_step(settings: GuardSettings, *, warmup: Duration, total_steps: int, tokens_per_step: int) -> int | None:
    """The step of the first look: of a short run its last; None where nothing is checked, or the run is too short."""
    of_warmup = warmup.steps(total_steps=total_steps, tokens_per_step=tokens_per_step)
    step = settings.after + min(of_warmup, MOST_OF_WARMUP * settings.after)
    if 2 * step > total_steps:
        step = total_steps if total_steps >= FEWEST_STEPS else 0
    return step if settings.restarts and step else None


def collapsed_attempts(run: Path) -> list[dict[str, Any]]:
    """What is known of attempts at this run that learned nothing."""
    path = run / COLLAPSED_NAME
    known: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    return known


def begin_anew(run: Path, attempts: Sequence[Mapping[str, Any]]) -> None:
    """Forget what an attempt left. The note comes last: killed before it, the same attempt is made again."""
    for name in ("checkpoints", BEST, "tensorboard"):
        # At once: half of the checkpoints would be gone on from.
        move_aside(run / name)
        forget_aside(run / name)
    (run / METRICS_NAME).unlink(missing_ok=True)
    write_json(run / COLLAPSED_NAME, list(attempts))


def learned_nothing(run: Path) -> bool:
    """Whether the loss was looked at, and was never below chance."""
    looks = _looks(run)
    return bool(looks) and not any(looks)


def _looks(run: Path) -> list[bool]:
    """Whether the loss was below chance, each time that it was looked at."""
    return [line["guard"]["is_beaten"] for line in read_metrics(run) if "guard" in line]


class Guard:
    """Compares the mean loss of one stretch of steps after another with chance, the second one ending at `step`.

    With `stops`, a stretch at chance ends the attempt: the second, and later ones in the first half of the run.
    """

    def __init__(self, chance: Chance, *, step: int, total_steps: int, run: Path, stops: bool = True) -> None:
        self._chance, self._run = chance, run
        self._every = max(1, step // 2)
        self._last = max(2 * self._every, total_steps // 2) if stops else 0

    def action(self) -> Action:
        """To be done by the loop."""
        return Action("guard", Duration(f"{self._every} steps"), self.look)

    def look(self, progress: Progress) -> Mapping[str, Any]:
        """What is told of the stretch; raises CollapsedError."""
        if progress.step % self._every:  # the last steps of the run
            return {}
        loss, num_targets = progress.take_window()
        if progress.step == self._every or not num_targets:
            return {}
        mean = loss / num_targets
        is_beaten = self._chance.is_beaten(mean, num_targets)
        # Once it has learned, a loss a little below chance is enough: the luck of the labels has no second try.
        if not is_beaten and progress.step <= self._last and (mean >= self._chance.loss or not any(_looks(self._run))):
            raise CollapsedError(progress.step, mean, self._chance.loss)
        return {"guard": {"loss": mean, "chance": self._chance.loss, "is_beaten": is_beaten}}
