"""A study as data: a question, the settings of every stage, named changes to them, seeds, and three budgets.

    study = load_study(Path("recipes/studies/languages.toml"), ["budget=cpu", "text=TEXTS", "output=runs/languages"])
    study.axes["languages"].values["30"].set          # {"languages": [...]}: what differs from `base` there

A budget is a table of further settings, laid over the recipe before ``key=value``. The settings of a stage are those of
its own command, without the folders, which the study chooses itself.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from isogloss.config import Settings, load_recipe, make_settings, parse_override
from isogloss.errors import ConfigError
from isogloss.languages import all_languages

__all__ = [
    "ALL",
    "HELD_OUT",
    "PHRASEBOOK",
    "AxisSettings",
    "AxisValue",
    "CellSettings",
    "FitSettings",
    "HeldOutText",
    "PaperCurve",
    "StudySettings",
    "TaskSettings",
    "TextSettings",
    "is_study",
    "laid_over",
    "load_study",
]

# What `text`, `data` and `parallel` say for the embedded sentences.
PHRASEBOOK = "phrasebook"
# What `languages` says for the hundred that XLM-R was pretrained on.
PAPER = "paper"
# The outcome that every cell has, and the group of all languages that a study looks at.
HELD_OUT = "held_out"
ALL = "all"

Transform = Literal["none", "words", "mixed"]


class TextSettings(Settings):
    """Which text a cell is pretrained on."""

    source: str = Field("text", description="'text', or a name among the study's texts")
    transform: Transform = Field(
        "none",
        description="words: punctuation, and characters written without spaces, set apart by spaces, lower case, as "
        "before BPE in XLM; mixed: a share of the lines in another language, with the language of the document",
    )
    mixed_share: float = Field(0.3, ge=0, le=1, description="transform mixed: share of a document's lines")


class TaskSettings(Settings):
    """A task that every cell is fine-tuned on and asked."""

    task: str = Field(description="a task of the catalogue: xnli, udpos, panx, mlqa, tatoeba")
    train: str = Field("", description="folder of the training files in the study's data; none for retrieval")
    test: str = Field(description="folder of the files that are asked, in the study's data")
    split: str = Field("dev", description="which of those files")
    each: bool = Field(False, description="labels of the cell's own language, where it has one only")
    finetune: dict[str, Any] = Field({}, description="settings of isogloss finetune")


class HeldOutText(Settings):
    """Text that no cell learns from and all cells are scored on."""

    source: str = Field("text", description="'text', or a name among the study's texts")
    transform: Transform = Field("none", description="as text.transform, done to the held-out documents")


class CellSettings(Settings):
    """What a cell is made with: the settings of its stages, without folders and seed."""

    languages: tuple[str, ...] = Field(
        min_length=1, description="languages of vocabulary and pretraining; 'paper': XLM-R's hundred"
    )
    text: TextSettings = Field(TextSettings(), description="which text")
    corpus: dict[str, Any] = Field({}, description="settings of isogloss corpus build, where text is no corpus yet")
    vocab: dict[str, Any] = Field({}, description="settings of isogloss vocab train")
    shards: dict[str, Any] = Field({}, description="settings of isogloss shards")
    parallel: bool = Field(False, description="whether the shards get the study's sentences with translations")
    pretrain: dict[str, Any] = Field({}, description="settings of isogloss pretrain")
    total_parameters: int | None = Field(
        None, ge=1, description="a width is chosen so that layers and piece embeddings together have so many"
    )
    tasks: dict[str, TaskSettings] = Field({}, description="what is asked, by name")

    @field_validator("languages", mode="before")
    @classmethod
    def _of_the_paper(cls, languages: Any) -> Any:
        return [row.code for row in all_languages()] if languages == PAPER else languages


class AxisValue(Settings):
    """One value of an axis: what it changes."""

    set: dict[str, Any] = Field({}, description="settings laid over the study's base")
    number: float | None = Field(None, description="where it stands on the axis; none: beside the others")
    together: str = Field(
        "", description="values of this name are one: each language is scored by the cell that has it"
    )


class AxisSettings(Settings):
    """A named change, with its values."""

    label: str = Field("", description="what a plot writes below the axis")
    log: bool = Field(False, description="whether numbers stand at their logarithm")
    values: dict[str, AxisValue] = Field(min_length=1, description="the values by name")


class PaperCurve(Settings):
    """Figures of a paper, as printed, and where they stand there."""

    source: str = Field(description="paper, figure or table, and what is measured")
    axis: str = Field(description="the axis that the points are named by")
    label: str = Field("", description="what a plot calls the line")
    points: dict[str, float] = Field(min_length=1, description="value by name on the axis")
    note: str = Field("", description="what has to be known of them")


class FitSettings(Settings):
    """A curve through an outcome of a group of languages along an axis of numbers."""

    outcome: str = Field(HELD_OUT, description="held_out, held_out.NAME or a task's name")
    group: str = Field(ALL, description="a group of languages")
    axis: str = Field(description="an axis whose values have numbers")
    curve: Literal["line", "parabola", "power"] = Field(
        "line", description="in log x: y = a + b log x; y = a + b log x + c (log x)^2; log y = a + b log x"
    )
    about: str = Field("", description="what the curve is meant to show")


class StudySettings(Settings):
    """A question asked of the whole chain."""

    output: Path = Field(description="folder for the shared stages, the cells and the report")
    like: str = Field("", description="another recipe beside this one, whose tasks, groups and budgets it begins with")
    title: str = Field(description="what the report is called")
    question: str = Field(description="what is asked")
    caption: str = Field("", description="what a reader should know before the figures")
    text: str = Field(PHRASEBOOK, description="folder of LANG.txt files, a corpus folder, or 'phrasebook'")
    texts: dict[str, str] = Field({}, description="further texts, by the names that cells call them by")
    data: str = Field(PHRASEBOOK, description="folder that holds the tasks' folders, or 'phrasebook'")
    parallel: str = Field("", description="folder of sentences with translations (OPUS, Moses), or 'phrasebook'")
    phrasebook: dict[str, Any] = Field({}, description="amounts of the phrasebook, without its languages")
    budget: str = Field("", description="one of the budgets; none: the recipe as it is")
    budgets: dict[str, dict[str, Any]] = Field({}, description="settings laid over the recipe, by name")
    seeds: tuple[int, ...] = Field((1, 2, 3), min_length=1, description="each cell once for each seed")
    base: CellSettings = Field(description="what all cells have in common")
    axes: dict[str, AxisSettings] = Field(min_length=1, description="named changes; several make a grid")
    only: dict[str, tuple[str, ...]] = Field({}, description="axis = values that are taken; none given: all of them")
    groups: dict[str, tuple[str, ...]] = Field(min_length=1, description="languages whose mean is shown, by name")
    outcomes: tuple[str, ...] = Field((HELD_OUT,), min_length=1, description="held_out and names of tasks to be run")
    held_out: dict[str, HeldOutText] = Field({}, description="texts that all cells are scored on, by name")
    paper: tuple[PaperCurve, ...] = Field((), description="the paper's figures, shown beside ours")
    fits: tuple[FitSettings, ...] = Field((), description="curves through the outcomes")
    processes: int = Field(1, ge=1, description="cells at a time")
    runner: Literal["native", "ray"] = Field("native", description="processes of this machine, or a Ray cluster")
    ray_address: str = Field("", description="of a running Ray cluster; none given, a local one is started")
    gpus_per_cell: float = Field(
        0.0,
        ge=0,
        description="GPUs that a cell alone sees, by either runner; 2 and more pretrain it together, under torchrun, "
        "or with device=cpu as many processes; 0.5: two cells share one; 0: every cell sees all",
    )
    device: str = Field("auto", description="auto, cpu, cuda")

    @field_validator("seeds")
    @classmethod
    def _different(cls, seeds: tuple[int, ...]) -> tuple[int, ...]:
        if len(set(seeds)) < len(seeds):
            raise ValueError("a seed stands there twice; each is a cell of its own")
        return seeds

    @field_validator("gpus_per_cell")
    @classmethod
    def _whole(cls, gpus: float) -> float:
        if gpus > 1 and gpus != int(gpus):
            raise ValueError("above one it is a whole number: a cell's GPUs are used by no other")
        return gpus

    @model_validator(mode="after")
    def _names_are_there(self) -> StudySettings:
        tasks = {*self.base.tasks, *(name for value in self._changes() for name in value.get("tasks", {}))}
        axes = [*self.only, *(curve.axis for curve in self.paper), *(fit.axis for fit in self.fits)]
        # Name asked for, the names that there are, what they are.
        asked = [(name, {HELD_OUT, *tasks}, "an outcome") for name in self.outcomes]
        asked += [(name, {*self.axes}, "an axis") for name in axes]
        chosen = {axis: labels for axis, labels in self.only.items() if axis in self.axes}
        asked += [(label, {*self.axes[axis].values}, axis) for axis, labels in chosen.items() for label in labels]
        asked += [(fit.group, {*self.groups}, "a group") for fit in self.fits]
        scored = {HELD_OUT, *(f"{HELD_OUT}.{name}" for name in self.held_out), *tasks}
        asked += [(fit.outcome, scored, "an outcome") for fit in self.fits]
        for name, known, what in asked:
            if name not in known:
                raise ValueError(f"'{name}' is not {what} of this study; there are {', '.join(sorted(known))}")
        for axis, labels in self.only.items():
            if not labels:
                raise ValueError(f"only.{axis} names no value, so that no cell is left; leave it out for all values")
        for axis in {fit.axis for fit in self.fits}:
            for label, value in self.axes[axis].values.items():
                if value.number is not None and value.number <= 0:
                    raise ValueError(
                        f"{axis} {label} stands at {value.number:g}, and curves are in log {axis}; leave its number out"
                    )
        return self

    def _changes(self) -> list[dict[str, Any]]:
        return [value.set for axis in self.axes.values() for value in axis.values.values()]

    @property
    def task_names(self) -> tuple[str, ...]:
        """The outcomes that are tasks."""
        return tuple(name for name in self.outcomes if name != HELD_OUT)


def load_study(path: Path | str, overrides: Sequence[str] = ()) -> StudySettings:
    """Read a recipe, lay it over the one that it is like, its budget over it, then ``key=value``.

    Raises ConfigError for a recipe that cannot be read, a budget that it does not have, and settings that are wrong.
    """
    values = _read(Path(path))
    given = [value for keys, value in map(parse_override, overrides) if keys == ["budget"]]
    budget = str([values.get("budget", ""), *given][-1])
    if budget:
        budgets = values.get("budgets", {})
        if budget not in budgets:
            raise ConfigError(f"recipe {path} has no budget '{budget}'; it has {', '.join(budgets) or 'none'}")
        values = laid_over(values, budgets[budget])
    return make_settings(StudySettings, values, overrides, where=f"recipe {path}")


def is_study(path: Path | str) -> bool:
    """Whether a recipe is one of a study: only those have axes, or are like another study. Raises nothing."""
    try:
        values = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return "axes" in values or "like" in values


def _read(path: Path) -> dict[str, Any]:
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        load_recipe(path, StudySettings)  # which says what is wrong with it
        raise
    like = values.get("like")
    return laid_over(_inherited(_read(path.parent / like), values), values) if isinstance(like, str) else values


def _inherited(other: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """What a study takes over of another: all that does not belong to its question, nor to its text.

    Of an axis that both have, it takes over the values that it has too.
    """
    kept = {name: other[name] for name in ("groups", "outcomes", "seeds") if name in other}
    budgets = {
        name: {
            **{key: budget[key] for key in ("outcomes", "seeds", "phrasebook") if key in budget},
            **_without_text(budget),
            "axes": _axes_of_both(budget.get("axes", {}), own.get("axes", {})),
        }
        for name, budget in other.get("budgets", {}).items()
    }
    axes = _axes_of_both(other.get("axes", {}), own.get("axes", {}))
    return {**kept, **_without_text(other), "axes": axes, "budgets": budgets}


def _without_text(table: Mapping[str, Any]) -> dict[str, Any]:
    return {"base": {key: value for key, value in table.get("base", {}).items() if key != "corpus"}}


def _axes_of_both(others: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    return {
        axis: {"values": {label: value for label, value in others[axis]["values"].items() if label in table["values"]}}
        for axis, table in own.items()
        if axis in others
    }


def laid_over(values: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """``values`` with the ``changes``: tables are merged at any depth, everything else takes the place of the old."""
    merged = dict(values)
    for key, value in changes.items():
        before = merged.get(key)
        both = isinstance(before, Mapping) and isinstance(value, Mapping)
        merged[key] = laid_over(before, value) if both else value  # type: ignore[arg-type]
    return merged
