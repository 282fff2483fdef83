"""The model in fp32 and its export asked about the same texts, from the text on: how many answers are the same.

    for checked in check_export(source, target, settings): ...

With labels both are scored as well, so that what an export costs is measured on the task itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from isogloss.checkpoint import load_tokenizer
from isogloss.devices import choose
from isogloss.errors import ConfigError, DataError
from isogloss.evaluate import load_task_model
from isogloss.export.settings import ExportSettings
from isogloss.heads import TaskModel
from isogloss.labelled import LabelledSet, predict_sets
from isogloss.languages import canonical_code
from isogloss.lines import Question, read_items
from isogloss.manifest import hash_file, hash_files
from isogloss.model import MaskedLM
from isogloss.predict import FoundAnswer, Predictor, TextLabel, load
from isogloss.tasks import Task, find_files, find_task
from isogloss.vocab.layout import MASK_PIECE

__all__ = ["Checked", "check_export", "check_files", "fingerprint_of_check"]

LONGEST = 512
# What each head is asked about lines of text; a masked model fills a mask in the middle, an encoder makes a vector.
QUESTIONS: dict[str, Question] = {"sequence": "classify", "token": "tag", "question": "answer"}


@dataclass(frozen=True)
class Checked:
    """Of `n` answers the share that is the same, or the mean cosine of vectors; percent by metric where labelled.

    Answers are labels of texts, tags of words, answers to questions, or pieces at masks.
    """

    file: str
    language: str
    n: int
    agreement: float
    of: str
    model: dict[str, float] = field(default_factory=dict)
    exported: dict[str, float] = field(default_factory=dict)


def check_files(settings: ExportSettings) -> dict[str, Path]:
    """The files to check by language; a file of lines under the empty one, and nothing without a check.

    Raises ConfigError and DataError for what is not there, or of no known language.
    """
    if settings.check is None:
        if settings.task:
            raise ConfigError(f"task = '{settings.task}' says what the labels of a check are: give a file (--check)")
        return {}
    if not settings.task:
        if not settings.check.is_file():
            raise DataError(f"{settings.check} is no file of lines; of a labelled file or folder say the task (--task)")
        return {"": settings.check}
    task = find_task(settings.task)
    if settings.check.is_dir():
        return find_files(task, settings.check, split=settings.split, languages=settings.languages)
    if not settings.check.is_file():
        raise DataError(f"{settings.check} does not exist")
    code = canonical_code(settings.check.name.split(".")[-2]) if settings.check.name.count(".") > 1 else None
    if code is None:
        raise ConfigError(f"{settings.check.name} does not say its language; call it SPLIT.LANGUAGE{task.suffix}")
    return {code: settings.check}


def fingerprint_of_check(settings: ExportSettings) -> str:
    """What tells this check from others: the files' content; empty without one."""
    files = check_files(settings)
    if not files:
        return ""
    if not settings.task:
        return hash_file(files[""])
    task = find_task(settings.task)
    return hash_files([path for file in files.values() for path in task.files_read(file)])


def check_export(source: Path, target: Path, settings: ExportSettings) -> Iterator[Checked]:
    """What both say, file by file."""
    files = check_files(settings)
    if not files:
        return
    if settings.task:
        task = find_task(settings.task)
        yield from _check_labelled(source, target, task, files, split=settings.split)
    else:
        yield _check_lines(source, target, files[""])


def _check_labelled(source: Path, target: Path, task: Task, files: dict[str, Path], *, split: str) -> Iterator[Checked]:
    device = choose("cpu", precision="fp32")
    answers: list[list[tuple[LabelledSet, list[Any]]]] = []
    for folder in (source, target):
        model = load_task_model(folder, task)
        if not isinstance(model, TaskModel):
            raise ConfigError(f"{folder} is no model with a head of ours")
        device.place(model).eval()
        tokenizer = load_tokenizer(folder, model.encoder)
        length = min(LONGEST, model.encoder.settings.max_length)
        sets = [
            LabelledSet.read(task, path, tokenizer, language=code, split=split, labels=model.labels, max_length=length)
            for code, path in files.items()
        ]
        answers.append(list(zip(sets, predict_sets(model, sets, device=device), strict=True)))
    for (data, ours), (_, theirs) in zip(*answers, strict=True):
        same = [pair for one, other in zip(ours, theirs, strict=True) for pair in _parts(one, other)]
        of = "tags of words" if task.kind == "tag" else "answers"
        yield Checked(
            files[data.language].name,
            data.language,
            len(same),
            float(np.mean(same)),
            of,
            data.compare(ours),
            data.compare(theirs),
        )


def _parts(ours: Any, theirs: Any) -> list[bool]:
    """Whether an answer is the same; of a sentence's tags, each by itself."""
    if isinstance(ours, tuple) and isinstance(theirs, tuple) and len(ours) == len(theirs):
        return [one == other for one, other in zip(ours, theirs, strict=True)]
    return [ours == theirs]


def _check_lines(source: Path, target: Path, path: Path) -> Checked:
    first, second = (load(folder, device="cpu", precision="fp32") for folder in (source, target))
    if isinstance(first.model, TaskModel):
        question = QUESTIONS[first.model.kind]
        items = _items(path, question)
        ours, theirs = (list(map(_chosen, getattr(one, question)(items))) for one in (first, second))
        return Checked(path.name, "", len(items), _share(ours, theirs), f"answers to {question}")
    texts = [str(item) for item in _items(path, "embed")]
    if isinstance(first.model, MaskedLM):
        masked = [_with_mask(text, (first, second)) for text in texts]
        ours, theirs = ([fills[0][0].text for fills in one.fill_mask(masked, top_k=1)] for one in (first, second))
        return Checked(path.name, "", len(texts), _share(ours, theirs), "pieces at a mask in the middle")
    ours_SD, theirs_SD = (one.embed(texts, normalise=True) for one in (first, second))
    cosine = float(np.mean((ours_SD * theirs_SD).sum(axis=1)))
    return Checked(path.name, "", len(texts), cosine, "vectors (mean cosine)")


def _items(path: Path, question: Question) -> list[Any]:
    try:
        with path.open("rb") as stream:
            items = list(read_items(question, stream))
    except DataError as error:
        raise DataError(str(error).replace("standard input", str(path))) from None
    if not items:
        raise DataError(f"{path} is empty; there is nothing to check on")
    return items


def _chosen(answer: Any) -> Any:
    """What of an answer is the same or not, whatever its probability."""
    if isinstance(answer, TextLabel):
        return answer.label
    if isinstance(answer, FoundAnswer):
        return answer.start, answer.end
    return [(span.start, span.end, span.tag) for span in answer]


def _share(ours: Sequence[Any], theirs: Sequence[Any]) -> float:
    return float(np.mean([one == other for one, other in zip(ours, theirs, strict=True)]))


def _with_mask(text: str, predictors: Sequence[Predictor]) -> str:
    """As much of the text's middle as all of them can read, with a mask in it."""
    middle = num_characters = (len(text) + 1) // 2
    while True:
        parts = text[max(0, middle - num_characters) : middle], text[middle : middle + num_characters]
        masked = MASK_PIECE.join(parts)
        # The mask counts as the characters it is spelt with: more than the one piece that it is.
        if all(len(one.tokenizer.encode([masked])[0]) + 2 <= one.max_length for one in predictors):
            return masked
        num_characters //= 2
