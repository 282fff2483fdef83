"""Labelled files as a model reads them, and what it answers: one prediction an example, scored as the task says.

    data = LabelledSet.read(task, path, tokenizer, language="sw", split="dev", labels=model.labels, max_length=256)
    (predicted,) = predict_sets(model, [data], device=device)
    data.compare(predicted)                                   # {"accuracy": 61.2}

Sequences of several files share packs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from rich.console import Console
from torch import nn

from isogloss.devices import Device
from isogloss.encode import in_language, one_row, run_packed
from isogloss.heads import TaskModel
from isogloss.manifest import hash_files
from isogloss.tasks import (
    LONGEST_ANSWER,
    Example,
    FloatArray,
    QuestionExample,
    TaggedExample,
    Task,
    Window,
    answer_lengths,
    data_language,
    is_labelled,
    make_windows,
    predictions,
)
from isogloss.tasks.windows import WordWindow
from isogloss.vocab import Tokenizer

__all__ = ["AnyModel", "LabelledSet", "WordTagger", "predict_sets", "say", "say_limits", "score_sets"]


# Of a file's words or answers: so many that cannot be right are no news.
TOLD_SHARE = 0.01


class WordTagger(Protocol):
    """A model of another kind than an encoder with a head: it reads words as they are, and needs no pieces."""

    labels: tuple[str, ...]

    def named_parameters(self) -> Iterator[tuple[str, nn.Parameter]]:
        """What it learns, by name."""
        ...

    def tag(self, sentences: Sequence[Sequence[str]]) -> list[tuple[str, ...]]:
        """The tags of each sentence's words."""
        ...


AnyModel = TaskModel | WordTagger


@dataclass(frozen=True)
class LabelledSet:
    """The examples of one file, and the sequences they are for the model.

    `language` is that of the test, `text_language` that of its text: another one where the file was translated.
    """

    task: Task
    language: str
    split: str
    fingerprint: str
    examples: Sequence[Example]
    windows: Sequence[Window]
    text_language: str
    longest_answer: int = LONGEST_ANSWER

    @classmethod
    def read(
        cls,
        task: Task,
        path: Path,
        tokenizer: Tokenizer | None,
        *,
        language: str,
        split: str,
        labels: Sequence[str],
        max_length: int = 0,
        unlabelled: bool = False,
        translated_into: str = "",
        longest_answer: int = LONGEST_ANSWER,
    ) -> LabelledSet:
        """Read and cut a file; a label that is not among `labels` is an error, and so is none unless `unlabelled`.

        `translated_into` is the language of the text where it is not that of the test. Without a tokenizer nothing is
        cut, for a model that reads words. What was read otherwise than written, or is another number than published, is
        said on stderr, and so is what the pieces or the longest answer (in pieces) keep from being right.
        """
        text_language = translated_into or data_language(language)
        examples = task.read_part(path, split=split, language=language, labels=labels, unlabelled=unlabelled, tell=say)
        if not is_labelled(examples[0]):
            say(f"{path}: no labels, so what is predicted is written and has no score")
        windows: Sequence[Window] = ()
        if tokenizer is not None:
            windows = make_windows(
                task.kind, examples, tokenizer, language=text_language, max_length=max_length, found_in=task.found_in
            )
            say_limits(path, examples, windows, longest_answer=longest_answer)
        fingerprint = hash_files(task.files_read(path))
        return cls(task, language, split, fingerprint, examples, windows, text_language, longest_answer)

    @property
    def is_labelled(self) -> bool:
        return is_labelled(self.examples[0])

    def compare(self, predicted: Sequence[Any]) -> dict[str, float]:
        """Percent by metric of these predictions."""
        return self.task.score(self.examples, predicted, language=self.text_language)

    def stretches(self) -> list[tuple[str, Sequence[Window]]]:
        """The sequences with the language they are in: all in one, but for pairs, whose translations come last."""
        if self.task.kind != "retrieve":
            return [(self.text_language, self.windows)]
        half = len(self.examples)
        return [
            (self.text_language, self.windows[:half]),
            (self.task.found_in or self.text_language, self.windows[half:]),
        ]


def score_sets(model: AnyModel, sets: Sequence[LabelledSet], *, device: Device) -> Iterator[dict[str, float]]:
    """Percent by metric of each set of one task."""
    for data, predicted in zip(sets, predict_sets(model, sets, device=device), strict=True):
        yield data.compare(predicted)


def predict_sets(model: AnyModel, sets: Sequence[LabelledSet], *, device: Device) -> Iterator[list[Any]]:
    """One prediction an example of each set of one task. The model is used as it is: on its device, in evaluation mode.

    Sequences of all sets share packs: the more of them, the more have the same length and meet in attention.
    """
    if not isinstance(model, TaskModel):
        for data in sets:
            tags = model.tag([example.words for example in data.examples if isinstance(example, TaggedExample)])
            yield data.task.without_dropped(tags)
        return
    logits = _logits(model, sets, device)
    for data in sets:
        predicted = predictions(
            data.task.kind,
            data.windows,
            list(islice(logits, len(data.windows))),
            model.labels,
            num_examples=len(data.examples),
            contexts=[example.context for example in data.examples if isinstance(example, QuestionExample)],
            longest_answer=data.longest_answer,
        )
        yield data.task.without_dropped(predicted)


def _logits(model: TaskModel, sets: Sequence[LabelledSet], device: Device) -> Iterator[FloatArray]:
    """What the model gives for each sequence; where it embeds languages, a pack has one of them."""
    num_rows = one_row if model.kind in ("sequence", "mean") else len
    settings = model.encoder.settings
    stretches = [stretch for data in sets for stretch in data.stretches()]
    groups = [[stretch] for stretch in stretches] if settings.languages else [stretches] if stretches else []
    for group in groups:
        row = settings.row_of(group[0][0])
        sequences = (window.ids for _, windows in group for window in windows)
        yield from run_packed(in_language(model, row), sequences, device=device, num_rows=num_rows)


def say_limits(
    path: Path, examples: Sequence[Example], windows: Sequence[Window], *, longest_answer: int = LONGEST_ANSWER
) -> None:
    """Say which share of a file no model can get right: words without a piece of their own, answers too long."""
    own = np.concatenate([np.empty(0, bool), *(window.own for window in windows if isinstance(window, WordWindow))])
    if (num_shared := int(np.count_nonzero(~own))) > TOLD_SHARE * len(own):
        say(
            f"{path}: {num_shared:,} of {len(own):,} words share a piece with a neighbour: their tag cannot be told "
            "apart; a vocabulary with smaller pieces tells more"
        )
    asked = [example for example in examples if isinstance(example, QuestionExample)]
    lengths = [length for length in answer_lengths(asked, windows) if length] if asked else []
    num_long = sum(length > longest_answer for length in lengths)
    if num_long > TOLD_SHARE * len(lengths):
        say(
            f"{path}: {num_long:,} of {len(lengths):,} answers are longer than longest_answer = {longest_answer} "
            f"pieces and cannot be found; longest_answer={max(lengths)} looks for all of them"
        )


def say(told: str) -> None:
    """What a reader of labels had to say, on stderr."""
    Console(stderr=True, highlight=False, markup=False, soft_wrap=True).print(told)
