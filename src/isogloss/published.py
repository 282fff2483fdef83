"""The published scores: tables 1 to 5 of the paper and those of its successors, a row of figures each with its source.

    rows = published_rows(task="xnli", metric="accuracy", setting="zero-shot")
    rows[-1].model, rows[-1].values["sw"], rows[-1].values["mean"]
    row = published_row("XLM-R base", task="xnli", metric="accuracy", setting="zero-shot")

``published.tsv`` holds them as printed, each figure as LANGUAGE=VALUE, in percent, of test files but for GLUE's, which
are of its dev files. A selection that nobody tells is empty. What is known to be wrong or unclear about a row stands in
its note.
"""

from __future__ import annotations

import csv
import difflib
import functools
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources

from isogloss.errors import ConfigError

__all__ = ["MEAN", "PublishedRow", "all_rows", "published_name", "published_row", "published_rows"]

FILE = "published.tsv"
# What a row calls the mean over its languages, which is rounded as printed and may be all that is printed.
MEAN = "mean"
# The paper's and its successors' XNLI, NER and QA scores are of test files; GLUE's labels of test are not public.
DEV_TASKS = ("mnli", "qnli", "qqp", "sst", "mrpc", "sts")
# By layers and width.
NAMES = {(12, 768): "XLM-R base", (24, 1024): "XLM-R large", (36, 2560): "XLM-R XL", (48, 4096): "XLM-R XXL"}


@dataclass(frozen=True)
class PublishedRow:
    """One row of a table: a model under a setting, percent by language; ``table`` is that of ``source``.

    ``data`` and ``num_languages`` are what the tables say of its pretraining, empty where they say nothing.
    """

    table: str
    task: str
    metric: str
    model: str
    data: str
    num_languages: str
    setting: str
    selection: str
    source: str
    values: Mapping[str, float]
    note: str

    @property
    def split(self) -> str:
        """Which files the figures are of."""
        return "dev" if self.task.startswith(DEV_TASKS) else "test"


@functools.cache
def all_rows() -> tuple[PublishedRow, ...]:
    """Every row, in the order of the tables."""
    text = resources.files("isogloss").joinpath(FILE).read_text(encoding="utf-8")
    reader = csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE)
    return tuple(PublishedRow(values=_values(row.pop("values")), **row) for row in reader)


def _values(text: str) -> dict[str, float]:
    return {language: float(value) for language, _, value in (cell.partition("=") for cell in text.split(" "))}


def published_rows(*, task: str, metric: str, setting: str | None = None) -> list[PublishedRow]:
    """The rows of a task and metric, of one setting or of all, in the order of the tables; maybe none."""
    return [
        row
        for row in all_rows()
        if (row.task, row.metric) == (task, metric) and (setting is None or row.setting == setting)
    ]


def published_row(model: str, *, task: str, metric: str, setting: str) -> PublishedRow:
    """The row of a model: of several (of two selections, of two tables) the one with most languages, then the first.

    Raises ConfigError where there is none, saying what there is.
    """
    known = published_rows(task=task, metric=metric, setting=setting)
    found = [row for row in known if row.model.lower() == model.lower()]
    if found:
        return max(found, key=lambda row: len(row.values))
    if not known:
        settings = sorted({row.setting for row in published_rows(task=task, metric=metric)})
        there = f"it has them for {', '.join(settings)}" if settings else _tasks_with_rows()
        raise ConfigError(f"no published {metric} of {task} with setting = {setting} is known; {there}")
    models = list(dict.fromkeys(row.model for row in known))
    near = difflib.get_close_matches(model, models, n=2, cutoff=0.6) or models
    raise ConfigError(f"no published {metric} of '{model}' on {task}, {setting}, is known; there are {', '.join(near)}")


def published_name(num_layers: int, width: int) -> str:
    """What the tables call an XLM-R of this shape. Raises ConfigError for a shape that has no published scores."""
    if (name := NAMES.get((num_layers, width))) is None:
        raise ConfigError(
            f"no XLM-R of {num_layers} layers, {width} wide, was published; name the model of the row to compare with"
        )
    return name


def _tasks_with_rows() -> str:
    pairs = dict.fromkeys(f"{row.task} ({row.metric})" for row in all_rows())
    return f"there are {', '.join(pairs)}"
