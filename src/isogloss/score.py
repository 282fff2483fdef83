"""Scores of a prediction file, whoever made it: no model, no torch, the official scorers' figures.

    scored = score_file("mlqa", data=Path("dev-context-zh-question-zh.json"), predictions=…, language="zh")
    scored.metrics["f1"]                              # percent

Metrics are as `isogloss.tasks` has them for the task. Correlations are percent too: 100 times what SciPy gives.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from isogloss.errors import ConfigError
from isogloss.tasks import Example, find_task
from isogloss.tasks.gold import language_of, read_gold
from isogloss.tasks.predicted import read_columns, read_predictions, read_tags

__all__ = ["Scored", "score_file"]

WIDTH = 100


@dataclass(frozen=True)
class Scored:
    """Percent by metric, of tags and entities also by type; `n` examples; `notes` are what a reader should know."""

    task: str
    language: str
    n: int
    metrics: dict[str, float]
    types: dict[str, dict[str, float]]
    notes: tuple[str, ...]

    def as_object(self) -> dict[str, Any]:
        """One JSON object with each metric by its name; "types" and "notes" where there are any."""
        values = asdict(self)
        return {**values.pop("metrics"), **{name: value for name, value in values.items() if value}}

    def table(self) -> str:
        """The same for people: a line a metric, and a line a type."""
        console = Console(width=WIDTH, color_system=None, force_terminal=False)
        with console.capture() as capture:
            overall = Table("metric", title=f"{self.task}, {self.language}, {self.n:,} examples", title_justify="left")
            overall.add_column("percent", justify="right")
            for metric, value in self.metrics.items():
                overall.add_row(metric, f"{value:.2f}")
            console.print(overall)
            if self.types:
                columns = list(next(iter(self.types.values())))
                by_type = Table("type")
                for column in columns:
                    by_type.add_column(column, justify="right")
                for kind, values in self.types.items():
                    by_type.add_row(kind, *(_shown(values[column]) for column in columns))
                console.print(by_type)
        return "\n".join(line.rstrip() for line in capture.get().rstrip().split("\n"))


def score_file(
    task_name: str, *, data: Path | None, predictions: Path, language: str, drop_types: Sequence[str] = ()
) -> Scored:
    """Score a file of predictions against labelled data; of tagging `data` may be None, where the file has the gold.

    Entities of `drop_types` count for nothing, right or wrong. Raises ConfigError for an unknown task and DataError,
    with file and line, for data and predictions that cannot be used or do not belong together.
    """
    task = find_task(task_name).without(drop_types)
    notes: list[str] = []
    examples: Sequence[Example]
    if data is None:
        code = language_of(task, language, notes.append)
        if task.kind != "tag":
            raise ConfigError(f"task {task.name} is scored against labelled data; give --data FILE")
        examples, predicted = read_columns(predictions, task)
        if drop_types:
            notes.append(f"{predictions}: entities of type {', '.join(drop_types)} left out")
    else:
        gold = read_gold(task, data, language=language, tell=notes.append)
        code, examples = gold.language, gold.examples
        if task.kind == "tag":
            examples, predicted = read_tags(predictions, task, examples, labels=task.labels, scheme=gold.scheme)
        else:
            predicted = read_predictions(
                predictions, task, examples, labels=task.labels, other_ids=gold.other_ids, tell=notes.append
            )
        if missing := sum(one is None for one in predicted):
            notes.append(f"{predictions}: {missing} of {len(examples)} questions have no answer, which counts as wrong")
    report = task.report(examples, predicted, language=code)
    return Scored(task.name, language, len(examples), report.metrics, report.types, tuple(notes))


def _shown(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.2f}"
