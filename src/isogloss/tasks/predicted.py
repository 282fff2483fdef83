"""Prediction files: what `isogloss evaluate … predictions=DIR` writes and `isogloss score` reads.

    write_predictions(path, "tag", examples, tags)
    predicted = read_predictions(path, task, examples)          # one an example; None where an answer is missing

Of questions a JSON object, id → answer, as SQuAD's and MLQA's scorers take it; of tagging columns word, gold and
predicted tag, a blank line after each sentence, as CoNLL's; of the others a line an example: a label, the number of a
choice from 0, a rating, the place of the translation among all from 0.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from isogloss.errors import DataError
from isogloss.tasks.examples import Example, Kind, QuestionExample, TaggedExample, is_labelled
from isogloss.tasks.files import line_of, not_empty, numbered_lines, parse_json, read_text
from isogloss.tasks.readers import parse_number
from isogloss.tasks.schemes import is_iob1, is_tag, scheme_of, to_iob2
from isogloss.tasks.tagged import blocks_of, cells_of
from isogloss.tasks.task import Task

__all__ = ["SUFFIXES", "read_columns", "read_predictions", "write_predictions"]

# What each kind's file ends in.
SUFFIXES: dict[Kind, str] = {
    "classify": ".txt", "choose": ".txt", "rate": ".txt", "retrieve": ".txt", "tag": ".tsv", "answer": ".json",
}  # fmt: skip
# Labels that an error shows; only numbers are ever more.
MOST_SHOWN = 30
Tags = list[tuple[str, ...]]
# File and line of each word of each sentence.
Places = list[list[str]]


def write_predictions(path: Path, kind: Kind, examples: Sequence[Example], predicted: Sequence[Any]) -> None:
    """Write one prediction an example; folders on the way are made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if kind == "answer":
        ids = [example.id for example in examples if isinstance(example, QuestionExample)]
        text = json.dumps(dict(zip(ids, predicted, strict=True)), ensure_ascii=False, indent=1) + "\n"
    elif kind == "tag":
        tagged = [example for example in examples if isinstance(example, TaggedExample)]
        text = "".join(_block(example, tags) for example, tags in zip(tagged, predicted, strict=True))
    else:
        text = "".join(f"{one}\n" for one in predicted)
    path.write_bytes(text.encode())


def _block(example: TaggedExample, tags: Sequence[str]) -> str:
    """A sentence as columns: word, gold where there is any, predicted."""
    columns = [example.words, example.tags, tags] if is_labelled(example) else [example.words, tags]
    return "".join("\t".join(cells) + "\n" for cells in zip(*columns, strict=True)) + "\n"


def read_predictions(
    path: Path, task: Task, examples: Sequence[Any], *, labels: Sequence[str] = (), scheme: str = "IOB2"
) -> list[Any]:
    """The predictions of these examples, in their order.

    `scheme` is the one that the gold entities were written in, where they were read as IOB2. `labels` are all that may
    be predicted, where they are known; entities of types that the task leaves out become O.
    Raises DataError with file and line for what fits no example: unknown ids, other words, too few or too many, labels
    that are none.
    """
    if task.kind == "answer":
        return _answers(path, examples)
    if task.kind == "tag":
        return list(_tags_beside(path, task, examples, labels, scheme))
    lines = list(numbered_lines(path))
    _check_number(path, len(lines), len(examples))
    if task.kind == "rate":
        return [parse_number(f"{path}:{number}", line) for number, line in lines]
    if task.kind == "choose":
        labels = [str(number) for number in range(max(len(example.choices) for example in examples))]
    if task.kind == "retrieve":
        labels = [str(number) for number in range(len(examples))]
    known = set(labels)
    for number, line in lines:
        if not line or (known and line not in known):
            among = f"0 to {len(labels) - 1}" if len(labels) > MOST_SHOWN else ", ".join(labels)
            way_out = f"known are {among}" if among else "a line is a label"
            raise DataError(f"{path}:{number}: unknown label '{line[:40]}'; {way_out}")
    return [line for _, line in lines]


def read_columns(path: Path, task: Task) -> tuple[list[TaggedExample], Tags]:
    """Sentences and predicted tags of a file that has both: the last two columns are gold and predicted."""
    examples: list[TaggedExample] = []
    predicted: Tags = []
    places: Places = []
    for lines in cells_of(list(blocks_of(path))):
        for number, cells in lines:
            if len(cells) < 3:
                raise DataError(
                    f"{path}:{number}: {len(cells)} columns in {' '.join(cells)[:40]!r}; a line is word, gold and "
                    "predicted tag; of word and predicted tag alone give the gold as --data"
                )
        words, *_, gold, found = zip(*([cells[0], cells[-2], cells[-1]] for _, cells in lines), strict=True)
        examples.append(TaggedExample(words, gold))
        predicted.append(found)
        places.append([f"{path}:{number}" for number, _ in lines])
    not_empty(path, examples)
    tags = [*(example.tags for example in examples), *predicted]
    gold_and_found = task.without_dropped(_read_tags(task, tags, [*places, *places], task.labels))
    gold_tags, predicted = gold_and_found[: len(examples)], gold_and_found[len(examples) :]
    return [TaggedExample(one.words, tags) for one, tags in zip(examples, gold_tags, strict=True)], predicted


def _answers(path: Path, examples: Sequence[QuestionExample]) -> list[str | None]:
    text = read_text(path)
    given = parse_json(path, text)
    if not isinstance(given, dict):
        raise DataError(f"{path}: no JSON object; predictions of questions are one, id → answer")
    known = {example.id for example in examples}
    for question_id, answer in given.items():
        where = f"{path}:{line_of(text, question_id)}"
        if question_id not in known:
            raise DataError(f"{where}: no question has the id '{question_id[:60]}'; is this another split or language?")
        if not isinstance(answer, str):
            raise DataError(f"{where}: the answer to '{question_id[:60]}' is {str(answer)[:40]}, not a text")
    return [given.get(example.id) for example in examples]


def _tags_beside(path: Path, task: Task, examples: Sequence[TaggedExample], labels: Sequence[str], scheme: str) -> Tags:
    blocks = cells_of(list(blocks_of(path)))
    predicted: Tags = []
    places: Places = []
    for lines, example in zip(blocks, examples, strict=False):
        for (number, cells), word in zip(lines, example.words, strict=False):
            if len(cells) < 2 or cells[0] != word:
                raise DataError(
                    f"{path}:{number}: {' '.join(cells)[:40]!r}, where the data has the word {word!r}; a line is word "
                    "and predicted tag, of the same words as the data"
                )
        if len(lines) != len(example.words):
            number = lines[min(len(lines), len(example.words)) - 1][0]
            raise DataError(f"{path}:{number}: the sentence has {len(lines)} words, in the data {len(example.words)}")
        predicted.append(tuple(cells[-1] for _, cells in lines))
        places.append([f"{path}:{number}" for number, _ in lines])
    _check_number(path, len(blocks), len(examples), "sentences")
    predicted = _read_tags(task, predicted, places, labels)
    # What a model of IOB2 says may look like IOB1 where it is ill-formed.
    if task.has_entities and scheme == "IOB1" and is_iob1(predicted):
        predicted = [tuple(to_iob2(tags)) for tags in predicted]
    return task.without_dropped(predicted)


def _read_tags(task: Task, sentences: Tags, places: Places, labels: Sequence[str]) -> Tags:
    """Tags of IOBES and BILOU as IOB2; ill-formed IOB stays, as the official scorer has its own way with it.

    Raises DataError for a tag of no scheme, which would count for nothing, and for one that is not among `labels`.
    """
    read, known, way_out = sentences, set(labels), f"known are {', '.join(labels)}"
    if task.has_entities and all(is_tag(tag) for tags in sentences for tag in tags):
        read = [tuple(to_iob2(tags)) for tags in sentences] if scheme_of(sentences) in ("IOBES", "BILOU") else sentences
    elif task.has_entities and not labels:
        way_out = "entities are O, B-X and I-X, or of IOBES or BILOU"
    for before, after, where in zip(sentences, read, places, strict=True):
        for tag, as_read, place in zip(before, after, where, strict=True):
            is_known = as_read in known if known else not task.has_entities or is_tag(tag)
            if not is_known and not (task.drop_types and as_read[2:] in task.drop_types):
                raise DataError(f"{place}: unknown tag '{tag[:40]}'; {way_out}")
    return read


def _check_number(path: Path, number: int, wanted: int, what: str = "predictions") -> None:
    if number != wanted:
        problem = "too few" if number < wanted else "too many"
        raise DataError(f"{path}:{min(number, wanted + 1)}: {problem}: {number} {what}, the data has {wanted} examples")
