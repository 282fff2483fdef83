"""What the cells of a study have come to: outcomes by language, and points of the report by the axes' values.

    results = [read_result(study, cell, errors) for cell in cells]
    for point in points_of(study, results, "pos", "low"):
        point.labels, point.values, point.mean, point.deviation

A point is one combination of values over its seeds. Its value is the mean over the languages of a group that every
point of the study has, so that no point is averaged over easier languages than another.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from isogloss.languages import canonical_code
from isogloss.runs import METRICS_NAME, read_metrics
from isogloss.scores import Score, read_results
from isogloss.studies.cell import cell_folder, is_done
from isogloss.studies.grid import Cell
from isogloss.studies.recipe import HELD_OUT, StudySettings
from isogloss.tasks import find_task

__all__ = [
    "Outcome",
    "Point",
    "Result",
    "all_scores",
    "group_languages",
    "majority_of",
    "outcomes_of",
    "point_labels",
    "points_of",
    "read_result",
]

MAJORITY = "majority"
BITS = "bits a character"


@dataclass(frozen=True)
class Outcome:
    """Something that is measured; ``unit`` is what its axis says. A score has a task and a metric."""

    name: str
    title: str
    unit: str
    task: str = ""
    metric: str = ""

    @property
    def is_loss(self) -> bool:
        """Whether less is better."""
        return not self.task


@dataclass(frozen=True)
class Result:
    """A cell and what it has made: values by outcome and language; ``error`` where it has failed."""

    cell: Cell
    is_done: bool
    error: str
    values: Mapping[str, Mapping[str, float]]
    scores: Sequence[Score]
    tokens: int
    seconds: float


@dataclass(frozen=True)
class Point:
    """One combination of the axes' values; a value a seed."""

    labels: tuple[str, ...]
    values: tuple[float, ...]

    @property
    def mean(self) -> float:
        return statistics.fmean(self.values)

    @property
    def deviation(self) -> float | None:
        """Standard deviation over seeds; None with one."""
        return statistics.stdev(self.values) if len(self.values) > 1 else None


def outcomes_of(study: StudySettings, results: Sequence[Result]) -> list[Outcome]:
    """The outcomes of a study, in order, with those of the texts that all cells are scored on."""
    found = []
    tasks = {name: task.task for result in results for name, task in result.cell.settings.tasks.items()}
    for name in study.outcomes:
        if name == HELD_OUT:
            found.append(Outcome(HELD_OUT, "held-out text of the cell's own", BITS))
            found += [
                Outcome(f"{HELD_OUT}.{text}", f"held-out text '{text}', the same for all cells", BITS)
                for text in study.held_out
            ]
        elif name in tasks:
            metric = find_task(tasks[name]).metrics[0]
            shown = metric.replace("_", " ")
            found.append(Outcome(name, f"{name} ({tasks[name]}), {shown}", f"{shown}, %", tasks[name], metric))
    return found


def read_result(study: StudySettings, cell: Cell, errors: Mapping[str, str]) -> Result:
    """What lies in a cell's folder by now; what was finished before a failure counts."""
    folder = cell_folder(study, cell)
    values: dict[str, Mapping[str, float]] = {}
    lines = read_metrics(folder / "pretrain") if (folder / "pretrain" / METRICS_NAME).is_file() else []
    for outcome, name in {HELD_OUT: HELD_OUT, **{f"{HELD_OUT}.{name}": name for name in study.held_out}}.items():
        scored = folder / "held-out" / f"{name}.json"
        if scored.is_file():
            # Of a language that a vocabulary has not seen, unknown pieces may be a third: what is left says nothing.
            values[outcome] = {
                code: score["bits_per_character"]
                for code, score in _read(scored).items()
                if code in cell.settings.languages
            }
    scores: list[Score] = []
    for name, task in cell.settings.tasks.items():
        scored = folder / "scores" / f"{name}.json"
        if scored.is_file():
            of_task = read_results(scored)
            scores += of_task
            metric = find_task(task.task).metrics[0]
            own = [score for score in of_task if score.metric == metric and score.setting != MAJORITY]
            values[name] = {canonical_code(score.language): score.value for score in own}
    tokens = next((int(line["tokens"]) for line in reversed(lines) if "tokens" in line), 0)
    seconds = float(_read(folder / "seconds.json")) if (folder / "seconds.json").is_file() else 0.0
    whole = is_done(study, cell)
    return Result(cell, whole, "" if whole else errors.get(cell.name, ""), values, scores, tokens, seconds)


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def points_of(study: StudySettings, results: Sequence[Result], outcome: str, group: str) -> list[Point]:
    """The points of an outcome, in the order of the axes, without those that no seed has finished."""
    languages = group_languages(study, results, outcome, group)
    found = []
    for labels, by_seed in _joined(study, results, outcome).items():
        values = [
            statistics.fmean(of_seed[code] for code in languages)
            for of_seed in by_seed.values()
            if languages and all(code in of_seed for code in languages)
        ]
        if values:
            found.append(Point(labels, tuple(values)))
    return found


def group_languages(study: StudySettings, results: Sequence[Result], outcome: str, group: str) -> list[str]:
    """The languages of a group that every finished point has a value in."""
    by_point = [of_seed for by_seed in _joined(study, results, outcome).values() for of_seed in by_seed.values()]
    wanted = dict.fromkeys(map(canonical_code, study.groups[group]))
    return [code for code in wanted if by_point and all(code in of_seed for of_seed in by_point)]


def point_labels(study: StudySettings, result: Result) -> tuple[str, ...]:
    """The names of the values that a cell is a point of; of cells that stand together one name."""
    return tuple(study.axes[axis].values[label].together or label for axis, label in result.cell.labels)


def _joined(
    study: StudySettings, results: Iterable[Result], outcome: str
) -> dict[tuple[str, ...], dict[int, dict[str, float]]]:
    """Values by language, by labels and seed; cells that stand together bring each the languages that they have.

    A seed of which a cell is missing is left out, or the point would be of fewer languages.
    """
    found: dict[tuple[str, ...], dict[int, dict[str, float]]] = {}
    missing: set[tuple[tuple[str, ...], int]] = set()
    for result in results:
        labels = point_labels(study, result)
        place = found.setdefault(labels, {})
        if outcome not in result.values:
            # What a task does not ask of one cell, it may ask of those beside it.
            if not result.is_done:
                missing.add((labels, result.cell.seed))
            continue
        place.setdefault(result.cell.seed, {}).update(_own(study, result, outcome))
    for labels, seed in missing:
        found[labels].pop(seed, None)
    return found


def _own(study: StudySettings, result: Result, outcome: str) -> dict[str, float]:
    """The languages that a cell stands for: all that it was asked, or, beside others, those that it has text of."""
    beside_others = any(study.axes[axis].values[label].together for axis, label in result.cell.labels)
    own = result.cell.settings.languages
    return {code: value for code, value in result.values[outcome].items() if not beside_others or code in own}


def majority_of(results: Iterable[Result], outcome: Outcome, languages: Sequence[str]) -> float | None:
    """What one answer for all reaches, in the mean over languages; None where nobody knows."""
    values = {
        canonical_code(score.language): score.value
        for result in results
        for score in result.scores
        if (score.task, score.metric, score.setting) == (outcome.task, outcome.metric, MAJORITY)
    }
    return statistics.fmean(values[code] for code in languages) if languages and {*languages} <= {*values} else None


def all_scores(results: Iterable[Result]) -> list[Score]:
    """The scores of all cells, each once: what one answer for all reaches is in those of every cell."""
    return list({score.question: score for result in results for score in result.scores}.values())
