"""Two systems' predictions on the same examples: is the difference more than the luck of the examples?

    compared = compare_predictions("xnli", data=Path("xnli.test.sw.tsv"), first=…, second=…, language="sw")
    compared["accuracy"].difference, compared["accuracy"].low, compared["accuracy"].high     # points, second less first

Paired bootstrap (Koehn 2004): the examples are drawn anew with replacement, the same ones for both systems, many times;
the interval holds 95 % of the differences that come out. A metric is a function of sums over examples where it can be
(right entities, gold ones, predicted ones), and is computed afresh from what was drawn where it cannot (correlations).
It says nothing of another seed of the same training: several runs do (`seeds` of fine-tuning).

Shapes: E examples, C counts an example, B draws.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from isogloss.errors import ConfigError, DataError
from isogloss.languages import canonical_code
from isogloss.tasks import Task, data_language, find_task, is_labelled
from isogloss.tasks.predicted import read_predictions
from isogloss.tasks.scoring import Report

__all__ = ["Difference", "compare_predictions"]

Floats = npt.NDArray[np.float64]

# Of the draws lie between the ends of the interval, the rest alike on both sides.
CONFIDENCE = 0.95
# Draws whose weights are held at a time.
BLOCK = 256
# Metrics that follow from sums over examples.
ADD_UP = frozenset(("accuracy", "exact_match", "f1"))
# Where every draw is scored afresh there are fewer.
MOST_FRESH = 1000


@dataclass(frozen=True)
class Difference:
    """Percent of two systems, their difference in points (second less first), and the ends of its interval.

    ``share_above`` is how many of the draws the second system wins, half of those without a winner counted.
    """

    first: float
    second: float
    difference: float
    low: float
    high: float
    share_above: float
    n: int
    num_draws: int

    @property
    def is_sure(self) -> bool:
        """Whether the interval leaves out zero."""
        return self.low > 0 or self.high < 0


def compare_predictions(
    task_name: str, *, data: Path, first: Path, second: Path, language: str, num_draws: int = 10_000, seed: int = 1
) -> dict[str, Difference]:
    """Each metric of the task's tables: two prediction files (as `isogloss score` reads them) against labelled data.

    Raises DataError, with file and line, for what cannot be used, and ConfigError for what cannot be compared.
    """
    task, code = find_task(task_name), data_language(language)
    canonical_code(code)
    if num_draws < 1:
        raise ConfigError(f"--draws {num_draws} draws nothing; give 1000 or more")
    examples = task.read(data, language=code, unlabelled=True)
    if not is_labelled(examples[0]):
        raise DataError(f"{data} has no labels: there is nothing to compare by")
    sides = [read_predictions(path, task, examples, labels=task.labels) for path in (first, second)]
    draw = np.random.default_rng(seed)
    one_by_one = [
        [task.report([example], [one], language=code) for example, one in zip(examples, side, strict=True)]
        for side in sides
        if any(_adds_up(task, metric) for metric in task.metrics)
    ]
    return {
        metric: _difference(task, metric, examples, sides, one_by_one, code, num_draws=num_draws, draw=draw)
        for metric in task.metrics
    }


def _difference(
    task: Task,
    metric: str,
    examples: Sequence[Any],
    sides: Sequence[Sequence[Any]],
    one_by_one: Sequence[Sequence[Report]],
    language: str,
    *,
    num_draws: int,
    draw: np.random.Generator,
) -> Difference:
    first, second = (task.report(examples, side, language=language).metrics[metric] for side in sides)
    if _adds_up(task, metric):
        counts = [_counts(task, metric, examples, reports) for reports in one_by_one]
        blocks = _weights(len(examples), num_draws, draw)
        drawn = np.concatenate([_percent(block @ counts[1]) - _percent(block @ counts[0]) for block in blocks])
    else:
        drawn = np.array(list(_afresh(task, metric, examples, sides, language, min(num_draws, MOST_FRESH), draw)))
    low, high = np.quantile(drawn, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    share = float(np.mean(drawn > 0) + np.mean(drawn == 0) / 2)
    return Difference(first, second, second - first, float(low), float(high), share, len(examples), len(drawn))


def _weights(num_examples: int, num_draws: int, draw: np.random.Generator) -> Iterator[Floats]:
    """How often each example is drawn, (B, E), a block of draws at a time."""
    for begin in range(0, num_draws, BLOCK):
        size = min(BLOCK, num_draws - begin)
        drawn = draw.integers(0, num_examples, (size, num_examples))
        drawn += np.arange(size)[:, None] * num_examples
        yield np.bincount(drawn.ravel(), minlength=size * num_examples).reshape(size, num_examples).astype(np.float64)


def _percent(sums_BC: Floats) -> Floats:
    """What is right of what there is: any metric that adds up, from the sums of what `_counts` says of examples."""
    return 100 * np.divide(sums_BC[:, 0], sums_BC[:, 1], out=np.zeros(len(sums_BC)), where=sums_BC[:, 1] > 0)


def _adds_up(task: Task, metric: str) -> bool:
    """Whether a metric follows from sums over examples: F1 of one class among two does, but not example by example."""
    return metric in ADD_UP and not (task.kind == "classify" and metric == "f1")


def _counts(task: Task, metric: str, examples: Sequence[Any], reports: Sequence[Report]) -> Floats:
    """What each example, scored by itself, adds to numerator and denominator, (E, 2)."""
    rows = []
    for example, report in zip(examples, reports, strict=True):
        if task.kind != "tag":
            rows.append((report.metrics[metric] / 100, 1.0))
        elif metric == "f1":
            right, gold, found = (
                sum(of_type[name] for of_type in report.types.values()) for name in ("right", "gold", "predicted")
            )
            rows.append((2 * right, gold + found))
        else:
            rows.append((report.metrics[metric] / 100 * len(example.words), len(example.words)))
    return np.array(rows, np.float64)


def _afresh(
    task: Task,
    metric: str,
    examples: Sequence[Any],
    sides: Sequence[Sequence[Any]],
    language: str,
    num_draws: int,
    draw: np.random.Generator,
) -> Iterator[float]:
    for _ in range(num_draws):
        drawn = draw.integers(0, len(examples), len(examples)).tolist()
        shown = [examples[place] for place in drawn]
        first, second = (
            task.report(shown, [side[place] for place in drawn], language=language).metrics[metric] for side in sides
        )
        yield second - first
