"""The published scores: tables 1 to 5 of the paper and those of its successors, a row of figures each with its source.

    rows = published_rows(task="xnli", metric="accuracy", setting="zero-shot")
    rows[-1].model, rows[-1].values["sw"], rows[-1].values["mean"]
    row = published_row("XLM-R base", task="xnli", metric="accuracy", setting="zero-shot", selection="joint-dev")

``published.tsv`` holds them as printed, each figure as LANGUAGE=VALUE, in percent, of test files but for those of GLUE
and of TyDiQA, which are of dev files. A selection that nobody tells is empty. What is known to be wrong or unclear
about a row stands in its note.
"""

from __future__ import annotations

import csv
import difflib
import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources

from isogloss.errors import ConfigError

__all__ = [
    "DECIMALS",
    "EXCHANGED",
    "MEAN",
    "PublishedRow",
    "all_rows",
    "published_name",
    "published_row",
    "published_rows",
]

FILE = "published.tsv"
# What a row calls the mean over its languages, which is rounded as printed and may be all that is printed.
MEAN = "mean"
# Labels of test are not public there; all others' scores are of test files.
DEV_TASKS = ("mnli", "mnli-mm", "qnli", "qqp", "sst-2", "mrpc", "sts-b", "tydiqa-goldp")
# Sets without parts.
ONE_SET = ("xquad",)
# Digits behind the point, where they are not one.
DECIMALS = {"conll": 2}
# What the note of a row says whose printed mean is not that of its cells.
EXCHANGED = "exchanged"
# The languages of a mean that is printed alone; XTREME's XQuAD has no Romanian. Of other tasks nobody tells them.
MEANS_OVER = {
    "xnli": frozenset(["ar", "bg", "de", "el", "en", "es", "fr", "hi", "ru", "sw", "th", "tr", "ur", "vi", "zh"]),
    "pawsx": frozenset(["de", "en", "es", "fr", "ja", "ko", "zh"]),
    "mlqa": frozenset(["ar", "de", "en", "es", "hi", "vi", "zh"]),
    "xquad": frozenset(["ar", "de", "el", "en", "es", "hi", "ru", "th", "tr", "vi", "zh"]),
    "tydiqa-goldp": frozenset(["ar", "bn", "en", "fi", "id", "ko", "ru", "sw", "te"]),
}
# Settings with a model a language, whatever the selection.
ONE_A_LANGUAGE = ("each", "translate-train")
# By layers and width; the models that have a vocabulary and published scores of their own by its size too.
NAMES = {(12, 768): "XLM-R base", (24, 1024): "XLM-R large", (36, 2560): "XLM-R XL", (48, 4096): "XLM-R XXL"}
BY_VOCABULARY = {(12, 768, 901_629): "XLM-V base"}
MODEL_TYPES = ("xlm-roberta", "xlm-roberta-xl")


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
        return "dev" if self.task in DEV_TASKS else "test"

    def is_of(self, split: str) -> bool:
        """Whether the figures are of these files; a set without parts is asked under any name."""
        return split == self.split or self.task in ONE_SET

    @property
    def decimals(self) -> int:
        """Digits behind the point, as printed."""
        return DECIMALS.get(self.task, 1)

    @property
    def languages(self) -> frozenset[str]:
        """What the mean is over: the printed languages, or those that the task is known to have; maybe none."""
        return frozenset(self.values) - {MEAN} or MEANS_OVER.get(self.task, frozenset())

    @property
    def num_models(self) -> str:
        """The paper's #M: 1 for all languages, N where each has one of its own; empty where nobody tells."""
        if self.selection == "per-language-dev" or self.setting in ONE_A_LANGUAGE:
            return "1" if self.languages == {"en"} else "N"
        return "1" if self.selection else ""


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


def published_row(model: str, *, task: str, metric: str, setting: str, selection: str = "") -> PublishedRow:
    """The row of a model: of several the one of this selection, then the one with most languages, then the first.

    Of tasks in English alone labels of the source language are the task's own: zero-shot and each are one setting.
    Raises ConfigError where there is none, saying what there is.
    """
    every = published_rows(task=task, metric=metric)
    known = [row for row in every if row.setting == setting or _is_same_in_english(row, setting)]
    found = [row for row in known if row.model.lower() == model.lower()]
    if found:
        return max(found, key=lambda row: (row.selection == selection, len(row.values)))
    if not known:
        settings = sorted({row.setting for row in every})
        there = f"it has them for {', '.join(settings)}" if settings else _tasks_with_rows()
        raise ConfigError(f"no published {metric} of {task} with setting = {setting} is known; {there}")
    models = list(dict.fromkeys(row.model for row in known))
    near = difflib.get_close_matches(model, models, n=2, cutoff=0.6) or models
    raise ConfigError(f"no published {metric} of '{model}' on {task}, {setting}, is known; there are {', '.join(near)}")


def check_published(model: str, *, task: str, metrics: Sequence[str]) -> None:
    """Raise ConfigError where a model has no row of a task under any setting: said before an hour of scoring."""
    rows = [row for metric in metrics for row in published_rows(task=task, metric=metric)]
    if not any(row.model.lower() == model.lower() for row in rows):
        models = list(dict.fromkeys(row.model for row in rows))
        near = difflib.get_close_matches(model, models, n=2, cutoff=0.6) or models
        there = f"there are {', '.join(near)}" if near else _tasks_with_rows()
        raise ConfigError(f"no published scores of '{model}' on {task} are known; {there}")


def _is_same_in_english(row: PublishedRow, setting: str) -> bool:
    return row.languages == {"en"} and {row.setting, setting} == {"each", "zero-shot"}


def published_name(model_type: str, num_layers: int, width: int, vocabulary_size: int) -> str:
    """What the tables call a model of this kind and shape. Raises ConfigError for one that has no published scores."""
    name = BY_VOCABULARY.get((num_layers, width, vocabulary_size)) or NAMES.get((num_layers, width))
    if model_type not in MODEL_TYPES or name is None:
        raise ConfigError(
            f"no published scores are known for a {model_type} of {num_layers} layers, {width} wide; name the row to "
            "compare with: --published-model 'XLM-R base'"
        )
    return name


def _tasks_with_rows() -> str:
    pairs = dict.fromkeys(f"{row.task} ({row.metric})" for row in all_rows())
    return f"there are {', '.join(pairs)}"
