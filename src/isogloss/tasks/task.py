"""A task: what is asked, of which languages, how its files are read, and how predictions are scored.

task.read(Path("dev.sw.tsv"))                                      # examples
task.score(examples, predictions, language="sw")                   # {"f1": 61.2}: what tables show
task.report(examples, predictions, language="sw")                  # every metric, entities by type
task.without(["DATE"])                                             # the same without entities of a type
task.to_score()                                                    # the same, reading what scores need and no more
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from isogloss.errors import ConfigError
from isogloss.tasks.codes import data_language
from isogloss.tasks.examples import Example, Kind, gold_labels
from isogloss.tasks.files import Tell, shards_of, silent
from isogloss.tasks.metrics import AnswerRules
from isogloss.tasks.readers import files_of_pairs
from isogloss.tasks.schemes import types_of, without_types
from isogloss.tasks.scoring import Report, score_entities

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["SPLITS", "Reader", "Scorer", "Task", "labels_of"]

# What published sets call their parts.
SPLITS: Mapping[str, tuple[str, ...]] = {
    "train": ("train",),
    "dev": ("dev", "val", "valid", "validation"),
    "test": ("test",),
}

# A model with one logit a text or a choice calls it this.
ONE_LOGIT: Mapping[Kind, tuple[str, ...]] = {"choose": ("right",), "rate": ("rating",)}


class Reader(Protocol):
    """Reads one file; with `labels`, any other label is an error; with `unlabelled`, none at all are read too."""

    def __call__(
        self,
        path: Path,
        *,
        labels: Sequence[str] = (),
        language: str = "",
        unlabelled: bool = False,
        tell: Tell = silent,
    ) -> Sequence[Example]: ...


class Scorer(Protocol):
    """Compares one prediction an example with what is right."""

    def __call__(self, examples: Sequence[Any], predicted: Sequence[Any], *, language: str) -> Report: ...


@dataclass(frozen=True)
class Task:
    """What is asked. The first metric is the one that models are chosen by; no `labels`: the training files say.

    `own` is the name of our files; `files` are those of the published set under its folder, tried in order, where
    `splits` says what a split is called there and `codes` what a language is, if that is not its code.
    `configurations` are what the Hub calls the parts of the set, and folders of its Parquet are called. Rows of files
    that end in one of `all_in_one` name their language: such a file holds all `languages`. `counts` are examples by
    split and language as published, `slack` how many more or less are no wonder.

    `translated` are published test files translated into English, under their folder, by the language they came from;
    `found_in` is the language that translations to be found are in. Entities of `drop_types` are neither read nor
    predicted (see `without`).
    """

    name: str
    kind: Kind
    reader: Reader
    scorer: Scorer
    metrics: tuple[str, ...]
    labels: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    own: str = "{split}.{language}.tsv"
    files: tuple[str, ...] = ()
    splits: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    codes: Mapping[str, str] = field(default_factory=dict)
    configurations: tuple[str, ...] = ("{language}",)
    all_in_one: tuple[str, ...] = ()
    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    slack: int = 0
    source: str = ""
    about: str = ""
    translated: tuple[str, ...] = ()
    found_in: str = ""
    drop_types: tuple[str, ...] = ()

    @property
    def suffix(self) -> str:
        """What our files end in, without the dot."""
        return self.own.rpartition(".")[2]

    def part(self, split: str) -> str:
        """Which of train, dev and test a split is, whatever it is called; "" for another one."""
        return next((part for part, names in SPLITS.items() if split in (*self.splits.get(part, ()), *names)), "")

    def spellings(self, split: str) -> tuple[str, ...]:
        """What a split may be called: a name of its own first, then as this set has it, then as others do."""
        part = self.part(split)
        names = (*self.splits.get(part, ()), *SPLITS.get(part, ()), split)
        return tuple(dict.fromkeys(names if split == part else (split, *names)))

    def read(
        self,
        path: Path,
        *,
        labels: Sequence[str] = (),
        language: str = "",
        unlabelled: bool = False,
        tell: Tell = silent,
    ) -> Sequence[Example]:
        """The examples of a file, of one with several languages those of `language`.

        `labels` (or the task's own) are all that may stand there. `tell` is told what was read otherwise than written.
        Raises DataError with file and line.
        """
        known = (tuple(labels) or self.labels) if self.kind in ("classify", "tag") else ()
        return self.reader(path, labels=known, language=language, unlabelled=unlabelled, tell=tell)

    def read_part(
        self,
        path: Path,
        *,
        split: str,
        language: str,
        labels: Sequence[str] = (),
        unlabelled: bool = False,
        tell: Tell = silent,
    ) -> Sequence[Example]:
        """As `read`, of a split, "" where it is not known; another number than published is told.

        `language` may be one of MLQA's pairs.
        """
        code = data_language(language)
        examples = self.read(path, labels=labels, language=code, unlabelled=unlabelled, tell=tell)
        if (odd := self.odd_number(len(examples), split=split, language=language)) is not None:
            tell(f"{path}: {odd}")
        return examples

    def without(self, types: Sequence[str]) -> Task:
        """The same task without entities of these types: gold ones are read as O, predicted ones become O.

        What is left counts as before: sentences, entities of other types and their F1. Raises ConfigError for a task
        that has no entities, and where none would be left.
        """
        if not types:
            return self
        if not self.has_entities:
            raise ConfigError(f"drop_types = {list(types)}: task {self.name} has no entities; leave drop_types out")
        if self.labels and not set(types_of(self.labels)) - set(types):
            raise ConfigError(
                f"drop_types = {list(types)} leaves no type of {self.name}; it has {', '.join(self.types)}"
            )
        kept = tuple(dict.fromkeys(types))
        reader: Any = self.reader  # of entities, which takes more than readers have in common
        return dataclasses.replace(self, reader=functools.partial(reader, drop_types=kept), drop_types=kept)

    def to_score(self) -> Task:
        """The same task with files read as official scorers take them, which is not enough to train on.

        Answers need no offsets, and tags of IOB1 stay as they are written.
        """
        more: Mapping[str, bool] = {"needs_offsets": False} if self.kind == "answer" else {}
        if self.has_entities:
            more = {"keeps_iob1": True}
        reader: Any = self.reader  # of this kind, which takes more than readers have in common
        return dataclasses.replace(self, reader=functools.partial(reader, **more))

    @property
    def has_entities(self) -> bool:
        """Whether its tags are those of entities."""
        return self.scorer is score_entities

    @property
    def answer_rules(self) -> AnswerRules | None:
        """How answers are compared; None for other kinds."""
        rules: AnswerRules | None = getattr(self.scorer, "keywords", {}).get("rules")
        return rules

    @property
    def types(self) -> tuple[str, ...]:
        """The types of entities that its labels name, sorted; none for other tasks, and where the files say."""
        return types_of(self.labels) if self.has_entities else ()

    def without_dropped(self, predicted: Sequence[Any]) -> list[Any]:
        """Predictions, one an example, with O in the place of entities of `drop_types`."""
        if not self.drop_types:
            return list(predicted)
        return [tuple(without_types(tags, self.drop_types)) for tags in predicted]

    def files_read(self, path: Path) -> tuple[Path, ...]:
        """A file of the task, and those beside it that are read with it: pairs of sentences in two, shards."""
        files = files_of_pairs(path) if self.kind == "retrieve" else (path,)
        return tuple(shard for file in files for shard in shards_of(file))

    def report(self, examples: Sequence[Any], predicted: Sequence[Any], *, language: str) -> Report:
        """Every metric, `predicted` holding one prediction an example."""
        assert len(examples) == len(predicted), f"{len(examples)} examples, {len(predicted)} predictions"
        return self.scorer(examples, predicted, language=language)

    def score(self, examples: Sequence[Any], predicted: Sequence[Any], *, language: str) -> dict[str, float]:
        """Percent by metric, those of `metrics`."""
        found = self.report(examples, predicted, language=language).metrics
        return {metric: found[metric] for metric in self.metrics}

    def odd_number(self, number: int, *, split: str, language: str) -> str | None:
        """What is to be said where a file has not as many examples as were published; any part's, if `split` is ""."""
        parts = (self.part(split),) if split else tuple(SPLITS)
        published = {part: self.counts.get(part, {}).get(language) for part in parts}
        known = {part: count for part, count in published.items() if count is not None}
        if not known or any(abs(number - count) <= self.slack for count in known.values()):
            return None
        if split:
            return f"{self.name} {split} in {language} has {number:,} examples, the published one {known[parts[0]]:,}"
        listed = ", ".join(f"{part} {count:,}" for part, count in known.items())
        return f"{self.name} in {language} has {number:,} examples, published are {listed}"


def labels_of(task: Task, examples: Sequence[Example]) -> tuple[str, ...]:
    """The task's labels, or those of the examples, sorted; entity tags as O, B-X, I-X of each type X.

    None for questions; one for choices and ratings, which have one logit.
    """
    if task.labels or task.kind == "answer":
        return tuple(label for label in task.labels if label == "O" or label[2:] not in task.drop_types)
    if task.kind in ONE_LOGIT:
        return ONE_LOGIT[task.kind]
    found = set(gold_labels(examples))
    if task.has_entities:
        return ("O", *(f"{prefix}-{kind}" for kind in types_of(found) for prefix in "BI"))
    return tuple(sorted(found))
