"""A study → its cells: every combination of the axes' values, once a seed, with all settings checked before any runs.

cells = cells_of(study)
cells[0].name                                      # "languages-7/seed-1", its folder
pretraining(cells[0], run=…, shards=…, vocabulary=…, device="cpu")       # PretrainSettings
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from isogloss.config import Settings, make_settings
from isogloss.corpus import CorpusSettings
from isogloss.errors import ConfigError
from isogloss.finetune import FinetuneSettings
from isogloss.languages import canonical_code
from isogloss.model import PRESETS
from isogloss.pretrain import PretrainSettings
from isogloss.shards import ShardSettings
from isogloss.studies.labels import form_of
from isogloss.studies.recipe import PHRASEBOOK, CellSettings, StudySettings, TaskSettings, laid_over
from isogloss.tasks import find_task
from isogloss.vocab import VocabSettings

__all__ = ["Cell", "cells_of", "finetuning", "pretraining", "solved_width", "stage_settings"]

SettingsType = TypeVar("SettingsType", bound=Settings)
NOWHERE = Path("-")


@dataclass(frozen=True)
class Cell:
    """One combination of values, and a seed."""

    labels: tuple[tuple[str, str], ...]
    seed: int
    settings: CellSettings

    @property
    def point(self) -> str:
        """Its values as a name of a folder, without the seed."""
        return "_".join(f"{_plain(axis)}-{_plain(label)}" for axis, label in self.labels)

    @property
    def name(self) -> str:
        return f"{self.point}/seed-{self.seed}"


def cells_of(study: StudySettings) -> list[Cell]:
    """Every cell of the study, seeds of one combination together.

    Raises ConfigError for settings of a stage that are wrong, saying the values under which they are.
    """
    base = study.base.model_dump(mode="json", exclude_unset=True)
    labels = [
        [(axis, label) for label in study.only.get(axis, tuple(settings.values))]
        for axis, settings in study.axes.items()
    ]
    cells = []
    for chosen in itertools.product(*labels):
        merged: dict[str, Any] = base
        for axis, label in chosen:
            merged = laid_over(merged, study.axes[axis].values[label].set)
        where = ", ".join(f"{axis} {label}" for axis, label in chosen)
        settings = make_settings(CellSettings, merged, where=where)
        spoken = tuple(map(canonical_code, settings.languages))
        more = {"corpus": _limits_of(settings.corpus, spoken), "tasks": _tasks(study, settings)}
        settings = settings.model_copy(update={"languages": spoken, **more})
        found = [Cell(tuple(chosen), seed, settings) for seed in study.seeds]
        _check(found[0], where)
        cells += found
    _check_names(cells)
    return cells


def _limits_of(corpus: Mapping[str, Any], languages: Sequence[str]) -> dict[str, Any]:
    """The corpus's settings without limits of languages that the cell does not have."""
    limits = {
        code: limit
        for code, limit in corpus.get("max_bytes_by_language", {}).items()
        if canonical_code(code) in languages
    }
    return {
        **{key: value for key, value in corpus.items() if key != "max_bytes_by_language"},
        **({"max_bytes_by_language": limits} if limits else {}),
    }


def _tasks(study: StudySettings, settings: CellSettings) -> dict[str, TaskSettings]:
    """The tasks that are outcomes; from the phrasebook those that it has labels of, in its form."""
    tasks = {name: task for name, task in settings.tasks.items() if name in study.task_names}
    if study.data != PHRASEBOOK:
        return tasks
    return {
        name: task.model_copy(update={"task": form, "train": name, "test": name, "split": "test"})
        for name, task in tasks.items()
        if (form := form_of(name)) is not None
    }


def _check(cell: Cell, where: str) -> None:
    """Build the settings of every stage once, with no folders."""
    settings = cell.settings
    stage_settings(CorpusSettings, settings.corpus, where, "corpus", input=NOWHERE, output=NOWHERE)
    stage_settings(VocabSettings, settings.vocab, where, "vocab", corpus=NOWHERE, output=NOWHERE)
    stage_settings(ShardSettings, settings.shards, where, "shards", corpus=NOWHERE, vocabulary=NOWHERE, output=NOWHERE)
    pretraining(cell, run=NOWHERE, shards=NOWHERE, vocabulary=NOWHERE, device="cpu", where=where)
    for name, task in settings.tasks.items():
        find_task(task.task)
        finetuning(cell, task, run=NOWHERE, model=NOWHERE, data=NOWHERE, device="cpu", where=f"{where}: tasks.{name}")


def _check_names(cells: list[Cell]) -> None:
    names = [cell.name for cell in cells]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise ConfigError(f"two cells would lie in the folder {twice}; give the axis's values names that differ more")


def stage_settings(
    kind: type[SettingsType], given: Mapping[str, Any], where: str, key: str, **places: Any
) -> SettingsType:
    """Settings of a stage, with its folders; raises ConfigError for one among ``given``: the study chooses them."""
    if own := sorted(set(given) & set(places)):
        raise ConfigError(f"{where}: {key}.{own[0]} is chosen by the study; leave it out")
    return make_settings(kind, {**given, **places}, where=f"{where}: {key}")


def pretraining(
    cell: Cell, *, run: Path, shards: Path, vocabulary: Path, device: str, where: str = ""
) -> PretrainSettings:
    """The cell's settings of isogloss pretrain."""
    given = cell.settings.pretrain
    if cell.settings.total_parameters is not None:
        given = laid_over(given, {"model": _solved(cell.settings)})
    if given.get("language_embedding"):
        given = laid_over(given, {"model": {"languages": _rows(cell.settings.languages)}})
    return stage_settings(
        PretrainSettings, given, where or cell.name, "pretrain",
        run=run, shards=shards, vocabulary=vocabulary, seed=cell.seed, device=device,
    )  # fmt: skip


def _rows(languages: Sequence[str]) -> list[str]:
    """Names of a language embedding's rows: without the script where that is clear, as labelled files are called."""
    plain = [code.split("-")[0] for code in languages]
    return sorted(short if plain.count(short) == 1 else code for short, code in zip(plain, languages, strict=True))


def finetuning(
    cell: Cell, task: TaskSettings, *, run: Path, model: Path, data: Path, device: str, where: str = ""
) -> FinetuneSettings:
    """The cell's settings of isogloss finetune for a task."""
    given = {"selection": "last", **task.finetune}
    if task.each:
        given = {**given, "setting": "each", "source_languages": [cell.settings.languages[0]]}
    return stage_settings(
        FinetuneSettings, given, where or cell.name, "finetune",
        run=run, model=model, data=data, seed=cell.seed, device=device, task=task.task,
    )  # fmt: skip


def _solved(settings: CellSettings) -> dict[str, int]:
    """Width and inner width with which the model has the parameters that are asked for."""
    model = settings.pretrain.get("model", {})
    shape = {**PRESETS.get(model.get("preset", ""), {}), **model}
    missing = [key for key in ("width", "feedforward", "num_heads", "num_layers") if key not in shape]
    if missing or "size" not in settings.vocab:
        what = f"pretrain.model.{missing[0]}" if missing else "vocab.size"
        raise ConfigError(f"total_parameters chooses a width by {what}, which is not set; set it")
    width = solved_width(
        settings.total_parameters or 0,
        vocabulary_size=settings.vocab["size"],
        num_layers=shape["num_layers"],
        num_heads=shape["num_heads"],
        feedforward_share=shape["feedforward"] / shape["width"],
    )
    return {"width": width, "feedforward": round(width * shape["feedforward"] / shape["width"])}


def solved_width(
    parameters: int, *, vocabulary_size: int, num_layers: int, num_heads: int, feedforward_share: float
) -> int:
    """The multiple of the heads whose count by the paper's formula comes nearest (XLM-R, appendix B):
    4 L H^2 + 2 L H F + V H, with F = H times ``feedforward_share``.

    Raises ConfigError where the embeddings of the narrowest model alone have more.
    """

    def count(width: int) -> float:
        return num_layers * width * width * (4 + 2 * feedforward_share) + vocabulary_size * width

    widest = num_heads
    while count(widest + num_heads) <= parameters:
        widest += num_heads
    if count(num_heads) > parameters:
        raise ConfigError(
            f"total_parameters = {parameters:,} is less than {num_heads} columns of {vocabulary_size:,} pieces take; "
            "take more, or fewer pieces"
        )
    return min((widest, widest + num_heads), key=lambda width: abs(count(width) - parameters))


def _plain(label: str) -> str:
    """A label as part of a folder's name."""
    return re.sub(r"[^\w.]+", "-", label).strip("-").lower()
