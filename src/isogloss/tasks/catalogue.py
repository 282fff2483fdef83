"""The table of tasks: name, kind, labels, reader, metrics. A new benchmark of a known kind is one more row.

    task = find_task("ner")
    files = find_files(task, Path("data/ner/panx"), split="dev")       # every language there is
    examples = task.read(files["sw"])
    task.score(examples, predictions, language="sw")                   # {"f1": 61.2}

Labelled data lies in a folder as `SPLIT.LANGUAGE.tsv` (or `.json` for questions).
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from isogloss.errors import ConfigError, DataError
from isogloss.languages import canonical_code
from isogloss.tasks.metrics import AnswerRules, accuracy, answer_scores, entity_report
from isogloss.tasks.readers import Example, TaggedExample, TextExample, read_questions, read_tagged, read_texts
from isogloss.tasks.windows import Kind

__all__ = ["CATALOGUE", "Task", "data_language", "find_files", "find_task", "gold_labels", "labels_of"]


class Reader(Protocol):
    """Reads one file; with `labels`, any other label is an error."""

    def __call__(self, path: Path, *, labels: Sequence[str] = ()) -> Sequence[Example]: ...


class Scorer(Protocol):
    """Compares one prediction an example with what is right; percent by metric."""

    def __call__(self, examples: Sequence[Any], predicted: Sequence[Any], *, language: str) -> dict[str, float]: ...


@dataclass(frozen=True)
class Task:
    """What is asked. The first metric is the one that models are chosen by; no `labels`: the training files say."""

    name: str
    kind: Kind
    reader: Reader
    scorer: Scorer
    metrics: tuple[str, ...]
    labels: tuple[str, ...] = ()
    suffix: str = "tsv"
    about: str = ""

    def read(self, path: Path, *, labels: Sequence[str] = ()) -> Sequence[Example]:
        """The examples of a file; `labels` (or the task's own) are all that may stand there."""
        return self.reader(path, labels=tuple(labels) or self.labels)

    def score(self, examples: Sequence[Any], predicted: Sequence[Any], *, language: str) -> dict[str, float]:
        """Percent by metric, `predicted` holding one prediction an example."""
        assert len(examples) == len(predicted), f"{len(examples)} examples, {len(predicted)} predictions"
        return self.scorer(examples, predicted, language=language)


def find_task(name: str) -> Task:
    """The task of this name. Raises ConfigError naming near ones."""
    if name not in CATALOGUE:
        near = difflib.get_close_matches(name, CATALOGUE, n=2, cutoff=0.4)
        way_out = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(CATALOGUE)}"
        raise ConfigError(f"task '{name}' is not known; {way_out}")
    return CATALOGUE[name]


def find_files(task: Task, folder: Path, *, split: str, languages: Sequence[str] = ()) -> dict[str, Path]:
    """The files of a split by language, sorted, or those of `languages` in their order.

    Raises DataError naming what is not there, and a file whose LANGUAGE is none.
    """
    if not folder.is_dir():
        problem = "is no folder; give the one that holds" if folder.exists() else "does not exist; it should hold"
        raise DataError(f"data folder {folder} {problem} files like {split}.en.{task.suffix}")
    found = {
        path.name.removeprefix(f"{split}.").removesuffix(f".{task.suffix}"): path
        for path in sorted(folder.glob(f"{split}.*.{task.suffix}"))
    }
    if not found:
        there = ", ".join(sorted({path.name.split(".")[0] for path in folder.glob(f"*.*.{task.suffix}")})) or "none"
        raise DataError(f"{folder} has no file {split}.LANGUAGE.{task.suffix}; splits there: {there}")
    missing = [code for code in languages if code not in found]
    if missing:
        raise DataError(f"{folder} has no {split}.{missing[0]}.{task.suffix}; it has {split} in {', '.join(found)}")
    chosen = {code: found[code] for code in languages} if languages else found
    for code, path in chosen.items():
        try:
            canonical_code(data_language(code))
        except DataError as error:
            raise DataError(f"{path}: {error}") from None
    return chosen


def data_language(code: str) -> str:
    """The language of the text in a file: that of the context for MLQA's pairs `context-de-question-en`."""
    return code.split("-")[1] if code.startswith("context-") else code


def labels_of(task: Task, examples: Sequence[Example]) -> tuple[str, ...]:
    """The task's labels, or those of the examples, sorted; entity tags as O, B-X, I-X of each type X."""
    if task.labels or task.kind == "answer":
        return task.labels
    found = set(gold_labels(examples))
    if task.scorer is _score_entities:
        kinds = sorted({tag[2:] for tag in found if tag != "O"})
        return ("O", *(f"{prefix}-{kind}" for kind in kinds for prefix in "BI"))
    return tuple(sorted(found))


def gold_labels(examples: Sequence[Example]) -> list[str]:
    """Every label of the examples: one a text, one a word; of a question each different text that answers it."""
    labels: list[str] = []
    for example in examples:
        if isinstance(example, TextExample):
            labels.append(example.label)
        elif isinstance(example, TaggedExample):
            labels.extend(example.tags)
        else:
            labels.extend(dict.fromkeys(answer.text for answer in example.answers))
    return labels


def _score_labels(examples: Sequence[Any], predicted: Sequence[Any], *, language: str) -> dict[str, float]:
    return {"accuracy": accuracy([example.label for example in examples], predicted)}


def _score_tags(examples: Sequence[Any], predicted: Sequence[Any], *, language: str) -> dict[str, float]:
    flat = [tag for tags in predicted for tag in tags]
    return {"accuracy": accuracy(gold_labels(examples), flat)}


def _score_entities(examples: Sequence[Any], predicted: Sequence[Any], *, language: str) -> dict[str, float]:
    return {"f1": entity_report([example.tags for example in examples], predicted)["overall"].f1}


def _score_answers(
    examples: Sequence[Any], predicted: Sequence[Any], *, language: str, rules: AnswerRules
) -> dict[str, float]:
    gold = {example.id: [answer.text for answer in example.answers] for example in examples}
    given = {example.id: text for example, text in zip(examples, predicted, strict=True)}
    scores = answer_scores(gold, given, language=language, rules=rules)
    return {"f1": scores.f1, "exact_match": scores.exact_match}


UNIVERSAL_TAGS = (
    "ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "INTJ", "NOUN", "NUM", "PART", "PRON", "PROPN", "PUNCT", "SCONJ",
    "SYM", "VERB", "X",
)  # fmt: skip

_single, _pair = partial(read_texts, num_texts=1), partial(read_texts, num_texts=2)

CATALOGUE: Mapping[str, Task] = {
    task.name: task
    for task in (
        Task(
            "nli", "classify", _pair, _score_labels, ("accuracy",), ("entailment", "neutral", "contradiction"),
            about="premise TAB hypothesis TAB label (XNLI, MNLI, SNLI, OCNLI)",
        ),
        Task(
            "pair", "classify", _pair, _score_labels, ("accuracy",),
            about="text TAB text TAB any label (PAWS-X, QNLI)",
        ),
        Task("text", "classify", _single, _score_labels, ("accuracy",), about="text TAB any label"),
        Task(
            "ner", "tag", partial(read_tagged, scheme="iob2"), _score_entities, ("f1",),
            about="word TAB IOB2 tag (CoNLL, PAN-X, MasakhaNER, WikiNEuRal); entity F1 as CoNLL counts",
        ),
        Task(
            "pos", "tag", read_tagged, _score_tags, ("accuracy",), UNIVERSAL_TAGS,
            about="word TAB universal part-of-speech tag (UD)",
        ),
        Task(
            "qa", "answer", read_questions, partial(_score_answers, rules="mlqa"), ("f1", "exact_match"), suffix="json",
            about="SQuAD JSON scored with MLQA's rules for each language (MLQA, XQuAD, TyDiQA-GoldP)",
        ),
        Task(
            "squad", "answer", read_questions, partial(_score_answers, rules="squad"), ("f1", "exact_match"),
            suffix="json",
            about="SQuAD JSON scored with SQuAD v1.1's rules (English)",
        ),
    )
}  # fmt: skip
