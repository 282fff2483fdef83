"""Training from labels, whatever it is that learns: the settings that all have, their dev files, and the run folder.

class FinetuneSettings(LearningSettings): ...            # and baselines.train.BaselineSettings
for one in asked_runs(settings, task): ...                # RUN, or RUN/seed-1, RUN/languages/sw, …
files = training_files(task, one.data, one.setting, one.source_languages, split=one.train_split)
chooser = chooser_of(one, model, tokenizer, device, save, max_length=256)
if finished_run(one, config, may_differ=("loop",), kind="model"): ...
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar

import xxhash
from pydantic import Field

from isogloss.config import Duration, Settings
from isogloss.devices import Device
from isogloss.errors import ConfigError, DataError, FolderError
from isogloss.labelled import AnyModel, LabelledSet, say
from isogloss.loop import LoopSettings
from isogloss.manifest import MANIFEST_NAME, read_manifest
from isogloss.processes import started
from isogloss.run_models import LANGUAGES
from isogloss.runs import CONFIG_NAME, RunFolder
from isogloss.selection import Chooser, Rule, Save, Selection, rules_for
from isogloss.tasks import LONGEST_ANSWER, Task, find_files, find_task, labels_of
from isogloss.transfer import Setting, is_a_model_a_language, languages_with_models
from isogloss.vocab import Tokenizer

__all__ = [
    "LearningSettings",
    "asked_runs",
    "check_learning",
    "chooser_of",
    "dev_task_of",
    "finished_run",
    "recipe_of",
    "rules_and_files",
]


class LearningSettings(Settings):
    """A run that learns from labels."""

    run: Path = Field(description="the run folder, made or gone on with")
    task: str = Field(description="a task of the catalogue, such as xnli, mlqa, panx, or a form: nli, pos, ner, qa")
    data: Path = Field(description="folder with SPLIT.LANGUAGE.tsv or .json, or the set as published, or hf://…")
    dev_data: Path | None = Field(
        None, description="where the dev files lie, as with MultiNLI's training part and XNLI's dev part; none: in data"
    )
    dev_task: str | None = Field(
        None, description="the task that the dev files are of, with the labels of task: train squad, choose on mlqa"
    )
    drop_types: tuple[str, ...] = Field((), description="types of entities that are not learned, such as DATE")
    setting: Setting = Field(
        "zero-shot",
        description="which languages' training files are used, and why; each and translate-train make a model for "
        "every one of them, in RUN/languages/LANGUAGE",
    )
    source_languages: tuple[str, ...] = Field((), description="languages trained on, where the setting leaves a choice")
    dev_languages: tuple[str, ...] = Field(
        (), description="joint-dev, per-language-dev: languages that choose; none given: all there are"
    )
    selection: Selection = Field(
        "source-dev", description="which checkpoint becomes RUN/model: by which dev files, the last, or a mean"
    )
    also_select: tuple[Selection, ...] = Field(
        (), description="further selections of the same training, kept in RUN/selected and scored beside it"
    )
    average_last: int = Field(3, ge=1, description="selection average: weights of so many validations, the last ones")
    train_split: str = Field("train", description="split that is trained on")
    dev_split: str = Field("dev", description="split that chooses the checkpoint")
    steps: int | None = Field(None, ge=1, description="optimizer steps; instead of epochs")
    epochs: float = Field(3.0, gt=0, description="passes over the training data")
    batch_size: int = Field(32, ge=1, description="sequences a step")
    validate_every: Duration = Field(Duration("10 %"), description="how often the dev files are scored")
    seed: int = Field(1, ge=0, description="fresh weights, data order and dropout follow from it")
    seeds: tuple[Annotated[int, Field(ge=0)], ...] = Field(
        (), description="a run for each in RUN/seed-N, one after another, in place of seed"
    )
    device: str = Field("auto", description="auto, cpu, cuda, cuda:1")
    loop: LoopSettings = Field(LoopSettings(), description="micro-batches, logging, checkpoints")


Learning = TypeVar("Learning", bound=LearningSettings)


def asked_runs(settings: Learning, task: Task) -> Iterator[Learning]:
    """The settings of each run that is asked for: the one, or one a seed, or one a language that has a model of its
    own, each in a folder of its own.

    Raises DataError naming a training file that is not there.
    """
    languages = languages_with_models(
        task, settings.data, settings.setting, settings.source_languages, split=settings.train_split
    )
    for one in _seed_by_seed(settings):
        for language in languages:
            yield one.model_copy(update={"run": one.run / LANGUAGES / language, "source_languages": (language,)})
        if not languages:
            yield one


def _seed_by_seed(settings: Learning) -> Iterator[Learning]:
    for seed in settings.seeds:
        yield settings.model_copy(update={"run": settings.run / f"seed-{seed}", "seed": seed, "seeds": ()})
    if not settings.seeds:
        yield settings


def check_learning(settings: LearningSettings) -> None:
    """Raises ConfigError for settings that do not agree, and where torchrun started several processes."""
    if started().count > 1:
        raise ConfigError(f"fine-tuning runs in one process, torchrun started {started().count}; start it without")
    if settings.loop.accumulate > settings.batch_size:
        raise ConfigError(
            f"loop.accumulate = {settings.loop.accumulate} is more than batch_size = {settings.batch_size}: "
            "a micro-batch would be empty"
        )
    if settings.selection == "per-language-dev":
        raise ConfigError(
            "selection = per-language-dev is a model a language and no RUN/model; set selection=joint-dev and "
            'also_select=["per-language-dev"]'
        )
    if len(set(settings.seeds)) < len(settings.seeds):
        raise ConfigError(f"seeds = {list(settings.seeds)}: one seed twice is one run; give different ones")
    by_other_languages = {settings.selection, *settings.also_select} & {"joint-dev", "per-language-dev"}
    if is_a_model_a_language(settings.setting) and by_other_languages:
        raise ConfigError(
            f"setting = {settings.setting} is a model a language, and {min(by_other_languages)} looks at other "
            "languages; selection=source-dev chooses it by the dev file of its own language"
        )
    if settings.dev_languages and not by_other_languages:
        raise ConfigError(f"dev_languages are given, but selection = {settings.selection}; set selection=joint-dev")
    by_dev = by_other_languages | ({settings.selection, *settings.also_select} & {"source-dev"})
    for name in ("dev_data", "dev_task"):
        if getattr(settings, name) is not None and not by_dev:
            raise ConfigError(
                f"{name} is given, but selection = {settings.selection} looks at no dev files; set selection=source-dev"
            )
    dev_task_of(settings)


def dev_task_of(settings: LearningSettings) -> Task:
    """The task of the dev files: the run's own, or another one whose answers are the same.

    Raises ConfigError for one of another kind, and of other labels.
    """
    task = find_task(settings.task).without(settings.drop_types)
    if settings.dev_task is None:
        return task
    other = find_task(settings.dev_task).without(settings.drop_types)
    problem = f"dev_task = {other.name} cannot choose a model of {task.name}"
    if (other.kind, other.has_entities) != (task.kind, task.has_entities):
        raise ConfigError(
            f"{problem}: one is of kind {other.kind}, the other {task.kind}; name a task of the same kind"
        )
    labels = [labels_of(one, []) for one in (other, task) if one.labels]
    if len({frozenset(of_task) for of_task in labels}) > 1:
        theirs, ours = (", ".join(of_task) for of_task in labels)
        raise ConfigError(f"{problem}: its labels are {theirs}, not {ours}; name a task of the same labels")
    return other


def rules_and_files(settings: LearningSettings) -> tuple[tuple[Rule, ...], dict[str, Path]]:
    """What is kept, and the dev files that it takes, by language. Raises DataError naming what is not there."""
    source, asked = settings.source_languages, {settings.selection, *settings.also_select}
    needed: dict[str, Path] = {}
    dev: tuple[str, ...] = ()
    if asked & {"joint-dev", "per-language-dev"}:
        needed = _dev_files(settings, settings.dev_languages)
        dev = tuple(needed)
    if "source-dev" in asked:
        needed = needed | _dev_files(settings, source)
    return rules_for(settings.selection, settings.also_select, source=source, dev=dev), needed


def _dev_files(settings: LearningSettings, languages: Sequence[str]) -> dict[str, Path]:
    folder = settings.data if settings.dev_data is None else settings.dev_data
    try:
        return find_files(dev_task_of(settings), folder, split=settings.dev_split, languages=languages, tell=say)
    except DataError as error:
        if settings.dev_data is not None:
            raise DataError(f"dev_data: {error}") from None
        way_out = "where dev files lie elsewhere, set dev_data, and dev_task if they are another task's"
        raise DataError(f"{error}; {way_out}") from None


def chooser_of(
    settings: LearningSettings,
    model: AnyModel,
    tokenizer: Tokenizer | None,
    device: Device,
    save: Save,
    *,
    max_length: int = 0,
    longest_answer: int = LONGEST_ANSWER,
) -> Chooser:
    """What scores the dev files and keeps what the selections say; without a tokenizer for a model that reads words."""
    rules, files = rules_and_files(settings)
    task = dev_task_of(settings)
    dev_sets = [
        LabelledSet.read(
            task,
            path,
            tokenizer,
            language=language,
            split=settings.dev_split,
            labels=model.labels,
            max_length=max_length,
            longest_answer=longest_answer,
        )
        for language, path in files.items()
    ]
    return Chooser(
        rules,
        run=settings.run,
        model=model,
        dev_sets=dev_sets,
        metric=task.metrics[0],
        device=device,
        save=save,
        average_last=settings.average_last,
    )


def recipe_of(config: Mapping[str, Any], *, but: Collection[str], setting: str) -> str:
    """A hash of what runs have in common that are seeds of one training, or languages of one model a language.

    `but` names settings that say nothing about what is learned.
    """
    left_out = {*but, "seed", "seeds", "origin", *(("source_languages",) if is_a_model_a_language(setting) else ())}
    told = {name: value for name, value in config.items() if name not in left_out}
    origin = {
        name: value
        for name, value in config["origin"].items()
        if name != "training_files" or not is_a_model_a_language(setting)
    }
    return xxhash.xxh3_64_hexdigest(json.dumps([told, origin], sort_keys=True).encode())


def finished_run(
    settings: LearningSettings, config: Mapping[str, Any], *, may_differ: tuple[str, ...], kind: str
) -> bool:
    """Whether the run has made its model, of this kind; other settings are refused before anything is read.

    Raises FolderError for a run of other settings, and for a folder that something else made.
    """
    run = settings.run
    if (run / MANIFEST_NAME).exists():
        raise FolderError(f"run = {run} is a finished folder of another command, not a run; choose another run folder")
    if not (run / CONFIG_NAME).exists():
        if (run / "model").exists():
            raise FolderError(f"run = {run} holds a model but no {CONFIG_NAME} of a run; choose another run folder")
        return False
    RunFolder.open(run, config, settings=settings, may_differ=may_differ)
    if not (run / "model" / MANIFEST_NAME).exists():
        return False
    read_manifest(run / "model", kind)
    return True
