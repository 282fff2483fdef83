"""Two systems' predictions on the same examples: is the difference more than the luck of the examples?

    compared = compare_predictions("xnli", data=Path("xnli.test.sw.tsv"), first=…, second=…, language="sw")
    compared["accuracy"].difference, compared["accuracy"].low, compared["accuracy"].high     # points, second less first
    tables = compare_folders("xnli", data=Path("xnli"), first=Path("said/a"), second=Path("said/b"), split="test")
    tables["accuracy"]["sw"], tables["accuracy"]["mean"]

Paired bootstrap (Koehn 2004): the examples are drawn anew with replacement, the same ones for both systems, many times;
the interval holds 95 % of the differences that come out. A metric is a function of sums over examples where it can be
(right entities, gold ones, predicted ones), and is computed afresh from what was drawn where it cannot (correlations).
It says nothing of another seed of the same training: several runs do (`seeds` of fine-tuning).

Shapes: E examples, C counts an example, B draws.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from isogloss.errors import ConfigError, DataError
from isogloss.published import MEAN
from isogloss.tasks import Task, Tell, find_files, find_task, gold_labels
from isogloss.tasks.files import silent
from isogloss.tasks.gold import Gold, read_gold
from isogloss.tasks.predicted import MOST_SHOWN, SUFFIXES, read_predictions
from isogloss.tasks.scoring import Report

__all__ = ["Difference", "compare_folders", "compare_predictions"]

Floats = npt.NDArray[np.float64]

# Of the draws lie between the ends of the interval, the rest alike on both sides.
CONFIDENCE = 0.95
# Draws whose weights are held at a time.
BLOCK = 256
# What a report says of each type of entity.
ENTITY_COUNTS = ("right", "gold", "predicted")
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


@dataclass(frozen=True)
class _Drawn:
    """Both systems' percent on ``n`` examples, and the difference in points of each draw, (B,)."""

    first: float
    second: float
    differences: Floats
    n: int

    def difference(self) -> Difference:
        low, high = np.quantile(self.differences, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
        share = float(np.mean(self.differences > 0) + np.mean(self.differences == 0) / 2)
        points = self.second - self.first
        return Difference(
            self.first, self.second, points, float(low), float(high), share, self.n, len(self.differences)
        )


def compare_predictions(
    task_name: str,
    *,
    data: Path,
    first: Path,
    second: Path,
    language: str,
    num_draws: int = 10_000,
    seed: int = 1,
    drop_types: Sequence[str] = (),
    tell: Tell = silent,
) -> dict[str, Difference]:
    """Each metric of the task's tables: two prediction files (as `isogloss score` reads them) against labelled data.

    Entities of `drop_types` count for nothing; `tell` is told what a reader has to say. Raises DataError, with file and
    line, for what cannot be used, and ConfigError for what cannot be compared.
    """
    task = find_task(task_name).without(drop_types)
    _check_draws(num_draws)
    files = _Files(data, first, second, language)
    found = _compare(task, files, num_draws=num_draws, draw=np.random.default_rng(seed), tell=tell)
    return {metric: drawn.difference() for metric, drawn in found.items()}


def compare_folders(
    task_name: str,
    *,
    data: Path,
    first: Path,
    second: Path,
    split: str = "dev",
    languages: Sequence[str] = (),
    parallel: bool = False,
    num_draws: int = 10_000,
    seed: int = 1,
    drop_types: Sequence[str] = (),
    tell: Tell = silent,
) -> dict[str, dict[str, Difference]]:
    """By metric and language, the mean over languages last: two folders of SPLIT.LANGUAGE files of predictions.

    `languages` are those to compare, none given all that both folders have, and `tell` is told which one alone has.
    Examples are drawn language by language; `parallel` draws the same places in all of them, for test sets that are
    translations of each other, where languages vary together and the mean's interval is wider for it.

    Raises as `compare_predictions`, and ConfigError for folders without a language in common.
    """
    task = find_task(task_name).without(drop_types)
    _check_draws(num_draws)
    folders = [_predictions_in(folder, task, split) for folder in (first, second)]
    chosen = _shared(folders, (first, second), languages, tell)
    labelled = find_files(task, data, split=split, languages=chosen)
    draw = np.random.default_rng(seed)
    tables: dict[str, dict[str, _Drawn]] = {metric: {} for metric in task.metrics}
    for language, path in labelled.items():
        draw = np.random.default_rng(seed) if parallel else draw
        files = _Files(path, folders[0][language], folders[1][language], language)
        for metric, drawn in _compare(task, files, num_draws=num_draws, draw=draw, tell=tell).items():
            tables[metric][language] = drawn
    for metric in task.metrics:
        _add_mean(tables[metric], parallel=parallel)
    return {metric: {name: drawn.difference() for name, drawn in table.items()} for metric, table in tables.items()}


@dataclass(frozen=True)
class _Files:
    data: Path
    first: Path
    second: Path
    language: str


def _check_draws(num_draws: int) -> None:
    if num_draws < 1:
        raise ConfigError(f"--draws {num_draws} draws nothing; give 1000 or more")


def _predictions_in(folder: Path, task: Task, split: str) -> dict[str, Path]:
    """The files of predictions of a folder by language."""
    suffix = SUFFIXES[task.kind]
    if not folder.is_dir():
        problem = "is a file" if folder.exists() else "does not exist"
        raise DataError(f"{folder} {problem}; of folders give two with files {split}.LANGUAGE{suffix}, and data as one")
    found = {
        path.name.removeprefix(f"{split}.").removesuffix(suffix): path
        for path in sorted(folder.glob(f"{split}.*{suffix}"))
    }
    if not found:
        there = ", ".join(sorted(path.name for path in folder.iterdir())[:MOST_SHOWN]) or "nothing"
        raise DataError(
            f"{folder} has no file {split}.LANGUAGE{suffix}; it has {there}; give --split or a model's folder"
        )
    return found


def _shared(
    found: Sequence[Mapping[str, Path]], folders: Sequence[Path], asked: Sequence[str], tell: Tell
) -> list[str]:
    """The languages to compare, in the order asked for; those of both folders, if none is."""
    for code in asked:
        for of_folder, folder in zip(found, folders, strict=True):
            if code not in of_folder:
                raise ConfigError(f"{folder} has no predictions for '{code}'; it has {', '.join(of_folder)}")
    if asked:
        return list(dict.fromkeys(asked))
    both = [code for code in found[0] if code in found[1]]
    if not both:
        ours, theirs = (", ".join(of_folder) for of_folder in found)
        raise ConfigError(f"{folders[0]} has {ours}, {folders[1]} has {theirs}: no language in common")
    for of_folder, folder in zip(found, folders, strict=True):
        if alone := [code for code in of_folder if code not in both]:
            tell(f"not compared, as only {folder} has predictions: {', '.join(alone)}")
    return both


def _add_mean(table: dict[str, _Drawn], *, parallel: bool) -> None:
    """Put the mean over languages behind them: of each system's percent, and of the differences draw by draw."""
    sizes = {language: drawn.n for language, drawn in table.items()}
    if parallel and len(set(sizes.values())) > 1:
        told = ", ".join(f"{language} {n:,}" for language, n in sizes.items())
        raise ConfigError(f"--parallel is for test sets that are translations of each other; examples: {told}")
    every = list(table.values())
    table[MEAN] = _Drawn(
        statistics.fmean(drawn.first for drawn in every),
        statistics.fmean(drawn.second for drawn in every),
        np.mean([drawn.differences for drawn in every], axis=0),
        sum(sizes.values()),
    )


def _compare(task: Task, files: _Files, *, num_draws: int, draw: np.random.Generator, tell: Tell) -> dict[str, _Drawn]:
    """Both systems on one labelled file, by metric."""
    gold = read_gold(task, files.data, language=files.language, tell=tell)
    sides = [
        read_predictions(path, task, gold.examples, labels=task.labels, other_ids=gold.other_ids, tell=tell)
        for path in (files.first, files.second)
    ]
    counts = [_counts(task, gold.examples, side, gold.language) for side in sides]
    return {
        metric: _drawn(task, metric, gold, sides, [of_side.get(metric) for of_side in counts], num_draws, draw)
        for metric in task.metrics
    }


def _drawn(
    task: Task,
    metric: str,
    gold: Gold,
    sides: Sequence[Sequence[Any]],
    counts: Sequence[Floats | None],
    num_draws: int,
    draw: np.random.Generator,
) -> _Drawn:
    first, second = (task.report(gold.examples, side, language=gold.language).metrics[metric] for side in sides)
    ours, theirs = counts
    if ours is not None and theirs is not None:
        blocks = _weights(len(gold.examples), num_draws, draw)
        drawn = np.concatenate([_percent(block @ theirs) - _percent(block @ ours) for block in blocks])
    else:
        drawn = np.array(list(_afresh(task, metric, gold, sides, min(num_draws, MOST_FRESH), draw)))
    return _Drawn(first, second, drawn, len(gold.examples))


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


def _counts(task: Task, examples: Sequence[Any], predicted: Sequence[Any], language: str) -> dict[str, Floats]:
    """What each example adds to numerator and denominator, (E, 2), by metric of those that add up.

    F1 of one class among two follows from sums too, but of numbers that a report does not have.
    """
    if task.kind == "answer":
        reports = _one_by_one(task, examples, predicted, language)
        return {name: np.array([(one.metrics[name] / 100, 1) for one in reports], np.float64) for name in task.metrics}
    found: dict[str, Floats] = {}
    if "accuracy" in task.metrics:
        found["accuracy"] = np.array(_right_labels(task, examples, predicted), np.float64)
    if task.has_entities:
        reports = _one_by_one(task, examples, predicted, language)
        found["f1"] = np.array([_of_entities(one) for one in reports], np.float64)
    return found


def _right_labels(task: Task, examples: Sequence[Any], predicted: Sequence[Any]) -> list[tuple[int, int]]:
    """How many labels of each example are right, and how many there are.

    Of all examples at once: what is right of a translation is its place among all.
    """
    if task.kind == "tag":
        pairs = [(example.tags, tags) for example, tags in zip(examples, predicted, strict=True)]
        return [(sum(a == b for a, b in zip(gold, tags, strict=True)), len(gold)) for gold, tags in pairs]
    return [(int(a == b), 1) for a, b in zip(gold_labels(examples), predicted, strict=True)]


def _one_by_one(task: Task, examples: Sequence[Any], predicted: Sequence[Any], language: str) -> list[Report]:
    """Each example scored by itself, for kinds whose examples say all that is right of them."""
    return [task.report([example], [one], language=language) for example, one in zip(examples, predicted, strict=True)]


def _of_entities(report: Report) -> tuple[float, float]:
    right, gold, found = (sum(of_type[name] for of_type in report.types.values()) for name in ENTITY_COUNTS)
    return 2 * right, gold + found


def _afresh(
    task: Task,
    metric: str,
    gold: Gold,
    sides: Sequence[Sequence[Any]],
    num_draws: int,
    draw: np.random.Generator,
) -> Iterator[float]:
    size = len(gold.examples)
    for _ in range(num_draws):
        drawn = draw.integers(0, size, size).tolist()
        shown = [gold.examples[place] for place in drawn]
        first, second = (
            task.report(shown, [side[place] for place in drawn], language=gold.language).metrics[metric]
            for side in sides
        )
        yield second - first
