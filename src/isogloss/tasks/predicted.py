"""Prediction files: what `isogloss evaluate … predictions=DIR` writes and `isogloss score` reads.

    write_predictions(path, "tag", examples, tags)
    predicted = read_predictions(path, task, examples)          # one an example; None where an answer is missing
    examples, tags = read_tags(path, task, examples)            # gold and predicted tags in one scheme

Of questions a JSON object, id → answer, as SQuAD's and MLQA's scorers take it; of tagging columns word, gold and
predicted tag, a blank line after each sentence, as CoNLL's; of the others a line an example: a label, the number of a
choice from 0, a rating, the place of the translation among all from 0.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from isogloss.errors import DataError
from isogloss.tasks.examples import Example, Kind, QuestionExample, TaggedExample, is_labelled
from isogloss.tasks.files import Tell, line_of, not_empty, numbered_lines, parse_json, read_text, silent
from isogloss.tasks.readers import parse_number
from isogloss.tasks.schemes import TagScheme, has_endings, is_tag, to_iob2
from isogloss.tasks.tagged import blocks_of, cells_of
from isogloss.tasks.task import Task

__all__ = ["SUFFIXES", "read_columns", "read_predictions", "read_tags", "write_predictions"]

# What each kind's file ends in.
SUFFIXES: dict[Kind, str] = {
    "classify": ".txt", "choose": ".txt", "rate": ".txt", "retrieve": ".txt", "tag": ".tsv", "answer": ".json",
}  # fmt: skip
# Labels that an error shows; only numbers are ever more.
MOST_SHOWN = 30
Tags = list[tuple[str, ...]]
# File and line of each word of each sentence.
Places = list[list[str]]
# The numbered lines of each sentence, in cells.
Blocks = Sequence[Sequence[tuple[int, Sequence[str]]]]


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
    path: Path,
    task: Task,
    examples: Sequence[Any],
    *,
    labels: Sequence[str] = (),
    other_ids: Collection[str] = (),
    tell: Tell = silent,
) -> list[Any]:
    """The predictions of these examples, in their order.

    `labels` are all that may be predicted, where they are known; entities of types that the task leaves out become O.
    Answers to questions of `other_ids` are left out, which `tell` is told. Raises DataError with file and line for what
    fits no example: unknown ids, other words, too few or too many, labels that are none.
    """
    if task.kind == "answer":
        return _answers(path, examples, other_ids, tell)
    if task.kind == "tag":
        return list(read_tags(path, task, examples, labels=labels)[1])
    lines = list(numbered_lines(path))
    while len(lines) > len(examples) and not lines[-1][1].strip():
        lines.pop()
    found = _ratings(path, lines) if task.kind == "rate" else _labels(path, lines, _choices(task, examples, labels))
    _check_number(path, [[line] for line in lines], len(examples))
    return found


def _ratings(path: Path, lines: Sequence[tuple[int, str]]) -> list[Any]:
    return [parse_number(f"{path}:{number}", line) for number, line in lines]


def _labels(path: Path, lines: Sequence[tuple[int, str]], labels: Sequence[str]) -> list[Any]:
    """The label of each line. Raises DataError for none, and for one that is not among `labels`, if there are any."""
    known = set(labels)
    for number, line in lines:
        if not line or (known and line not in known):
            among = f"0 to {len(labels) - 1}" if len(labels) > MOST_SHOWN else ", ".join(labels)
            way_out = f"known are {among}" if among else "a line is a label"
            raise DataError(f"{path}:{number}: unknown label '{line[:40]}'; {way_out}")
    return [line for _, line in lines]


def _choices(task: Task, examples: Sequence[Any], labels: Sequence[str]) -> Sequence[str]:
    """All that may be predicted: numbers of choices, or of translations, or the labels."""
    if task.kind == "choose":
        return [str(number) for number in range(max(len(example.choices) for example in examples))]
    return [str(number) for number in range(len(examples))] if task.kind == "retrieve" else labels


def read_tags(
    path: Path,
    task: Task,
    examples: Sequence[Any],
    *,
    labels: Sequence[str] = (),
    scheme: TagScheme = "IOB2",
) -> tuple[Sequence[Any], Tags]:
    """Sentences, and the tags that the file predicts for them, both as the official scorer compares them.

    That is as they are written, but where predictions or gold (in `scheme`) mark ends of entities: then both become
    IOB2. Raises as `read_predictions`.
    """
    blocks = cells_of(list(blocks_of(path)))
    _check_words(path, blocks, examples)
    predicted: Tags = [tuple(cells[-1] for _, cells in lines) for lines in blocks]
    places = [[f"{path}:{number}" for number, _ in lines] for lines in blocks]
    converted = _converts(task, predicted) or scheme in ("IOBES", "BILOU")
    if converted:
        examples = [TaggedExample(example.words, tuple(to_iob2(example.tags))) for example in examples]
    return examples, task.without_dropped(_read_tags(task, predicted, places, labels, converted=converted))


def read_columns(path: Path, task: Task) -> tuple[list[TaggedExample], Tags]:
    """Sentences and predicted tags of a file that has both: the last two columns are gold and predicted."""
    examples: list[TaggedExample] = []
    predicted: Tags = []
    places: Places = []
    blocks = cells_of(list(blocks_of(path)))
    for lines in blocks:
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
    _check_width(path, blocks)
    tags = [*(example.tags for example in examples), *predicted]
    read = _read_tags(task, tags, [*places, *places], task.labels, converted=_converts(task, tags))
    gold_and_found = task.without_dropped(read)
    gold_tags, predicted = gold_and_found[: len(examples)], gold_and_found[len(examples) :]
    return [TaggedExample(one.words, tags) for one, tags in zip(examples, gold_tags, strict=True)], predicted


def _answers(
    path: Path, examples: Sequence[QuestionExample], other_ids: Collection[str], tell: Tell
) -> list[str | None]:
    text = read_text(path)
    given = parse_json(path, text)
    if not isinstance(given, dict):
        first = text[: len(text) - len(text.lstrip())].count("\n") + 1
        raise DataError(f"{path}:{first}: no JSON object; predictions of questions are one, id → answer")
    known = {example.id for example in examples}
    for question_id, answer in given.items():
        problem = ""
        if question_id not in known and question_id not in other_ids:
            problem = f"no question has the id '{question_id[:60]}'; is this another split or language?"
        elif not isinstance(answer, str):
            problem = f"the answer to '{question_id[:60]}' is {str(answer)[:40]}, not a text"
        if problem:  # only then, as the line is searched for
            raise DataError(f"{path}:{line_of(text, question_id)}: {problem}")
    if others := len(given.keys() - known):
        tell(f"{path}: {others} answers are to questions of the data in other languages and left out")
    return [given.get(example.id) for example in examples]


def _check_words(path: Path, blocks: Blocks, examples: Sequence[TaggedExample]) -> None:
    """Raise DataError where the file has not the sentences and words of the examples."""
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
    _check_number(path, blocks, len(examples), "sentences")
    _check_width(path, blocks)


def _check_width(path: Path, blocks: Blocks) -> None:
    """Raise DataError for a line with more or fewer columns than the first: which is the tag would be a guess."""
    width = len(blocks[0][0][1])
    for lines in blocks:
        for number, cells in lines:
            if len(cells) != width:
                raise DataError(f"{path}:{number}: {len(cells)} columns, the lines before have {width}")


def _converts(task: Task, sentences: Tags) -> bool:
    """Whether tags are of a scheme that marks ends of entities, and none of no scheme at all."""
    return task.has_entities and all(is_tag(tag) for tags in sentences for tag in tags) and has_endings(sentences)


def _read_tags(task: Task, sentences: Tags, places: Places, labels: Sequence[str], *, converted: bool) -> Tags:
    """Tags as IOB2 if `converted`; else ill-formed IOB stays, as the official scorer has its own way with it.

    Raises DataError for a tag of no scheme, which would count for nothing, and for one that is not among `labels`.
    """
    known, way_out = set(labels), f"known are {', '.join(labels)}"
    if task.has_entities and not labels:
        way_out = "entities are O, B-X and I-X, or of IOBES or BILOU"
    read = [tuple(to_iob2(tags)) for tags in sentences] if converted else sentences
    for before, after, where in zip(sentences, read, places, strict=True):
        for tag, as_read, place in zip(before, after, where, strict=True):
            is_known = as_read in known if known else not task.has_entities or is_tag(tag)
            if not is_known and not (task.drop_types and as_read[2:] in task.drop_types):
                raise DataError(f"{place}: unknown tag '{tag[:40]}'; {way_out}")
    return read


def _check_number(
    path: Path, items: Sequence[Sequence[tuple[int, Any]]], wanted: int, what: str = "predictions"
) -> None:
    """Raise DataError for another number of items than examples; an item is its numbered lines."""
    if len(items) > wanted:
        problem, line = "too many", items[wanted][0][0]
    else:
        problem, line = "too few", items[-1][-1][0] if items else 1
    if len(items) != wanted:
        raise DataError(f"{path}:{line}: {problem}: {len(items)} {what}, the data has {wanted} examples")
