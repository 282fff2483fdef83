"""What cells share: text, corpus, vocabulary, shards and labels, each made once, at an address of what it is made from.

    stages = stages_of(study, cell)
    stages.shards.path(study.output)          # runs/…/stages/shards-5f1c0a92e7

Two cells whose settings agree up to a stage have one stage between them. The text is known by its name in the study, a
corpus that was there already by its fingerprint; a changed input is refused by the stage that reads it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import xxhash

from isogloss.corpus import Corpus
from isogloss.errors import ConfigError
from isogloss.languages import canonical_code
from isogloss.studies.grid import Cell
from isogloss.studies.recipe import PHRASEBOOK, HeldOutText, StudySettings, TextSettings
from isogloss.studies.texts import Source, find_source
from isogloss.tasks import find_task

__all__ = [
    "GIVEN_TEXT",
    "HELD_OUT",
    "SOURCE",
    "TEXT",
    "TRAIN",
    "CellStages",
    "Stage",
    "asked_languages",
    "stages_of",
]

FOLDER = "stages"
# The parts of a text some of whose documents are kept from all cells.
TRAIN = "train"
HELD_OUT = "held-out"
# Where a text stands that a study has written.
TEXT = "text"
HALF = {"held_out_share": 0.5, "held_out_documents": 1_000_000}
# Text of somebody else's.
GIVEN_TEXT = "given-text"
# The language whose labels transfer, and which is one of each pair.
SOURCE = "en"


@dataclass(frozen=True)
class Stage:
    """A folder, and all it is made from; ``inputs`` are other stages by the part they play."""

    kind: str
    settings: Mapping[str, Any]
    inputs: Mapping[str, Stage] = field(default_factory=dict)
    # Where it lies, if somebody else has made it.
    given: Path | None = None

    @property
    def name(self) -> str:
        made_from = {
            "kind": self.kind,
            "settings": self.settings,
            "inputs": {part: stage.name for part, stage in self.inputs.items()},
        }
        return f"{self.kind}-{xxhash.xxh3_64(json.dumps(made_from, sort_keys=True, default=str).encode()).hexdigest()}"

    def path(self, output: Path) -> Path:
        """Where it lies."""
        return output / FOLDER / self.name if self.given is None else self.given

    def with_inputs(self) -> Iterator[Stage]:
        """This stage, after all that it needs."""
        for stage in self.inputs.values():
            yield from stage.with_inputs()
        yield self


@dataclass(frozen=True)
class CellStages:
    """The stages of a cell; ``held_out`` by the name in the study, and ``labels`` by task: training and tests."""

    vocab: Stage
    shards: Stage
    held_out: Mapping[str, Stage]
    labels: Mapping[str, tuple[Stage, Stage]]

    def all(self) -> list[Stage]:
        """Each once, after those that it needs."""
        labels = (stage for pair in self.labels.values() for stage in pair)
        last = (self.shards, *self.held_out.values(), *labels)
        return list({stage.name: stage for one in last for stage in one.with_inputs()}.values())


def stages_of(study: StudySettings, cell: Cell) -> CellStages:
    """What a cell needs. Raises ConfigError where the study was not given it."""
    settings = cell.settings
    source = find_source(study, settings.text.source)
    corpus = _corpus(study, source, settings.languages, settings.text, settings.corpus)
    spoken = {"languages": list(settings.languages)}
    vocab = Stage("vocab", {**settings.vocab, **spoken}, {"corpus": corpus})
    inputs = {"corpus": corpus, "vocabulary": vocab}
    if settings.parallel:
        inputs["parallel"] = _parallel(study, settings.languages)
    shards = Stage("shards", {**settings.shards, **spoken}, inputs)
    held_out = {name: _held_out(study, text, settings.text, vocab) for name, text in study.held_out.items()}
    labels = {name: _labels(study, cell, name) for name in settings.tasks}
    return CellStages(vocab, shards, held_out, labels)


def asked_languages(study: StudySettings) -> tuple[str, ...]:
    """The languages of all groups, as texts call them."""
    return tuple(dict.fromkeys(canonical_code(code) for codes in study.groups.values() for code in codes))


def _corpus(
    study: StudySettings, source: Source, languages: Sequence[str], text: TextSettings, settings: Mapping[str, Any]
) -> Stage:
    """The corpus that a cell learns from; ``settings`` are those of the last one that is built on the way to it."""
    spoken = {"languages": sorted(languages)}
    corpus = _read(study, source, spoken)
    if study.held_out:
        corpus = Stage("corpus", {**spoken, "part": TRAIN}, {"text": _split(corpus, spoken)})
    if text.transform != "none":
        corpus = _changed(corpus, text.transform, text.mixed_share, spoken)
    if settings and corpus.given is not None:
        raise ConfigError(
            f"corpus.{min(settings)} is for text that becomes a corpus here, and {corpus.given} is one; "
            "build it with that setting, by 'isogloss corpus build', or, where the budget sets it, do without: "
            "base.corpus='{}'"
        )
    return Stage(corpus.kind, {**corpus.settings, **settings}, corpus.inputs, corpus.given)


def _read(study: StudySettings, source: Source, spoken: Mapping[str, Any]) -> Stage:
    """A source as a corpus."""
    if source.kind == "corpus":
        return Stage("given-corpus", {"fingerprint": Corpus.open(source.path).manifest.fingerprint}, given=source.path)
    if source.kind == "folder":
        return Stage(
            "corpus", {**spoken, "part": "."}, {"text": Stage(GIVEN_TEXT, {"name": source.name}, given=source.path)}
        )
    text = Stage("phrasebook", {**study.phrasebook, "languages": spoken["languages"], "source": spoken["languages"][0]})
    return Stage("corpus", {**spoken, "part": TEXT}, {"text": text})


def _split(corpus: Stage, spoken: Mapping[str, Any]) -> Stage:
    return Stage("split", spoken, {"corpus": corpus})


def _changed(corpus: Stage, transform: str, mixed_share: float, spoken: Mapping[str, Any]) -> Stage:
    """The corpus of a corpus whose documents are changed."""
    changes = {"transform": transform, "mixed_share": mixed_share if transform == "mixed" else 0.0, **spoken}
    return Stage("corpus", {**spoken, "part": TEXT}, {"text": Stage("changed", changes, {"corpus": corpus})})


def _held_out(study: StudySettings, held_out: HeldOutText, text: TextSettings, vocab: Stage) -> Stage:
    """Shards of the documents that no cell learns from, in the ids of the cell, cut as the cell's own text is."""
    source = find_source(study, held_out.source)
    codes = [code for code in asked_languages(study) if not source.languages or code in source.languages]
    spoken = {"languages": sorted(codes)}
    corpus = Stage("corpus", {**spoken, "part": HELD_OUT}, {"text": _split(_read(study, source, spoken), spoken)})
    for transform in dict.fromkeys((held_out.transform, text.transform)):
        if transform != "none":
            corpus = _changed(corpus, transform, text.mixed_share, spoken)
    # Half of them, which are many enough, and a folder of shards without text to train on cannot be.
    return Stage("shards", {**HALF, **spoken}, {"corpus": corpus, "vocabulary": vocab})


def _parallel(study: StudySettings, languages: Sequence[str]) -> Stage:
    if not study.parallel:
        raise ConfigError("a cell of this study reads sentences with translations; give parallel=FOLDER")
    if study.parallel != PHRASEBOOK:
        return Stage("given-parallel", {}, given=Path(study.parallel))
    pairs = {
        "languages": list(languages),
        "source": SOURCE,
        "num_sentences": study.phrasebook.get("num_documents", 5000),
    }
    return Stage("parallel", {**pairs, "seed": study.phrasebook.get("seed", 1)})


def _labels(study: StudySettings, cell: Cell, name: str) -> tuple[Stage, Stage]:
    """The folders of a task's training files and tests."""
    task, cut = cell.settings.tasks[name], cell.settings.text.transform == "words"
    if study.data == PHRASEBOOK:
        made = Stage(
            "labels", {**study.phrasebook, "task": name.partition("-")[0], "languages": list(asked_languages(study))}
        )
        train, test = made, made
    else:
        data = Path(study.data)
        train, test = (Stage("given-labels", {"folder": one}, given=data / one) for one in (task.train, task.test))
    if cut:
        languages = sorted({SOURCE, *asked_languages(study)})
        train, test = (
            Stage("cut-labels", {"task": task.task, "split": split, "languages": languages}, {"labels": stage})
            for stage, split in ((train, TRAIN), (test, task.split))
        )
        if find_task(task.task).kind == "retrieve":
            train = test  # nothing is learned, from files that are not there
    return train, test
