"""Labelled files in, examples out: sentences and pairs (TSV), tagged words, questions over contexts (SQuAD JSON).

    read_texts(path, num_texts=2, labels=("entailment", "neutral", "contradiction"))
    read_tagged(path, scheme="iob2")
    read_questions(path)

What cannot be used raises DataError with file and line. Nothing is skipped or guessed: a score over half a file
would look like a score over the file.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

from isogloss.errors import DataError

__all__ = [
    "Answer",
    "Example",
    "QuestionExample",
    "TaggedExample",
    "TextExample",
    "read_questions",
    "read_tagged",
    "read_texts",
]

Scheme = Literal["iob2", "plain"]


@dataclass(frozen=True, slots=True)
class TextExample:
    """One text or a pair, and its label."""

    texts: tuple[str, ...]
    label: str


@dataclass(frozen=True, slots=True)
class TaggedExample:
    """A sentence as words, each with its tag."""

    words: tuple[str, ...]
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """A right answer: `context[start : start + len(text)] == text`."""

    text: str
    start: int


@dataclass(frozen=True, slots=True)
class QuestionExample:
    """A question, the text that answers it, and every answer that counts as right."""

    id: str
    question: str
    context: str
    answers: tuple[Answer, ...]


Example = TextExample | TaggedExample | QuestionExample
ExampleType = TypeVar("ExampleType", TextExample, TaggedExample, QuestionExample)


def read_texts(path: Path, *, num_texts: int, labels: Sequence[str] = ()) -> list[TextExample]:
    """Rows `text [TAB text] TAB label`, no header. With `labels`, any other label is an error."""
    known = set(labels)
    examples: list[TextExample] = []
    for number, line in _lines(path):
        columns = line.split("\t")
        if len(columns) != num_texts + 1:
            form = f"a line is {' TAB '.join(['text'] * num_texts)} TAB label"
            found = "1 column" if len(columns) == 1 else f"{len(columns)} columns"
            reason = f"{found} and no label" if len(columns) == num_texts else f"{found}, this task has {num_texts + 1}"
            raise DataError(f"{path}:{number}: {reason if line else 'a blank line'}; {form}")
        *texts, label = columns
        if not label:
            raise DataError(f"{path}:{number}: the label is empty; write it as the last column")
        if known and label not in known:
            raise DataError(f"{path}:{number}: unknown label '{label}'; known are {', '.join(labels)}")
        examples.append(TextExample(tuple(texts), label))
    return _not_empty(path, examples)


def read_tagged(path: Path, *, scheme: Scheme = "plain", labels: Sequence[str] = ()) -> list[TaggedExample]:
    """Lines `word TAB tag`, a blank line between sentences; a blank line or two at the end changes nothing.

    Scheme iob2: only O, B-X and I-X pass. A stray I-X that opens an entity is kept as it stands, as published files
    have some and the official scorer counts them; a file where most entities open with I- is IOB1 and refused.
    """
    known = set(labels)
    examples: list[TaggedExample] = []
    words: list[str] = []
    tags: list[str] = []
    openings: list[tuple[int, str]] = []
    for number, line in _lines(path):
        if not line:
            if words:
                examples.append(TaggedExample(tuple(words), tuple(tags)))
                words, tags = [], []
            continue
        columns = line.split("\t")
        if len(columns) != 2:
            reason = "no tag" if len(columns) == 1 else f"{len(columns)} columns"
            way_out = "a line is word TAB tag" if line.strip() else "spaces alone: empty the line between sentences"
            raise DataError(f"{path}:{number}: {reason} in {line[:40]!r}; {way_out}")
        word, tag = columns
        if scheme == "iob2":
            _check_tag(path, number, tag)
            if _opens(tag, tags):
                openings.append((number, tag))
        if known and tag not in known:
            raise DataError(f"{path}:{number}: unknown tag '{tag}'; known are {', '.join(labels)}")
        words.append(word)
        tags.append(tag)
    if words:
        examples.append(TaggedExample(tuple(words), tuple(tags)))
    _check_openings(path, openings)
    return _not_empty(path, examples)


def read_questions(path: Path, *, labels: Sequence[str] = ()) -> list[QuestionExample]:
    """SQuAD v1.1 JSON. Every question has an id of its own and answers whose offsets fit the context."""
    assert not labels, "questions have answers, not labels"
    text = _text(path)
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise DataError(f"{path}:{error.lineno}: not valid JSON: {error.msg}") from None
    examples: list[QuestionExample] = []
    seen: set[str] = set()
    for paragraph in _paragraphs(path, document):
        for entry in paragraph["qas"]:
            example = _question(path, text, paragraph["context"], entry)
            if example.id in seen:
                raise DataError(f"{_where(path, text, example.id, last=True)}: a second question with this id")
            seen.add(example.id)
            examples.append(example)
    return _not_empty(path, examples)


def _question(path: Path, text: str, context: str, entry: Any) -> QuestionExample:
    if (
        not isinstance(entry, dict)
        or not isinstance(entry.get("id"), str)
        or not isinstance(entry.get("question"), str)
    ):
        raise DataError(f"{path}: an entry of 'qas' has no id and question as text: {str(entry)[:60]}")
    if (problem := _answers_problem(context, entry.get("answers"))) is not None:
        raise DataError(f"{_where(path, text, entry['id'])}: {problem}")
    answers = tuple(Answer(given["text"], given["answer_start"]) for given in entry["answers"])
    return QuestionExample(entry["id"], entry["question"], context, answers)


def _answers_problem(context: str, answers: Any) -> str | None:
    """Why the answers of a question cannot be used, if they cannot."""
    if not answers or not isinstance(answers, list):
        return "no answers; scores and training need at least one a question"
    for given in answers:
        text, start = (given.get("text"), given.get("answer_start")) if isinstance(given, dict) else (None, None)
        if not isinstance(text, str) or type(start) is not int:
            return f"an answer has 'text' and 'answer_start', a number; this one is {str(given)[:60]}"
        found = context[start : start + len(text)]
        if not text or start < 0 or found != text:
            return (
                f"the answer is {text[:40]!r}, but the context has {found[:40]!r} at its offset {start}; "
                "offsets count characters from 0"
            )
    return None


def _paragraphs(path: Path, document: Any) -> Iterator[dict[str, Any]]:
    articles = document.get("data") if isinstance(document, dict) else None
    if not isinstance(articles, list):
        raise DataError(f"{path}: no list under 'data'; SQuAD JSON is data → paragraphs → context and qas")
    for position, article in enumerate(articles):
        paragraphs = article.get("paragraphs") if isinstance(article, dict) else None
        if not isinstance(paragraphs, list):
            raise DataError(f"{path}: data[{position}] has no list under 'paragraphs'")
        for paragraph in paragraphs:
            context, qas = (paragraph.get(key) if isinstance(paragraph, dict) else None for key in ("context", "qas"))
            if not isinstance(context, str) or not isinstance(qas, list):
                raise DataError(f"{path}: data[{position}] has a paragraph without 'context' or 'qas'")
            yield paragraph


def _where(path: Path, text: str, question_id: str, *, last: bool = False) -> str:
    """`file:line: question 'id'`; the line is searched for, as JSON keeps none."""
    quoted = json.dumps(question_id)
    position = text.rfind(quoted) if last else text.find(quoted)
    return f"{path}:{text.count(chr(10), 0, max(position, 0)) + 1}: question '{question_id}'"


def _check_tag(path: Path, number: int, tag: str) -> None:
    prefix, dash, kind = tag.partition("-")
    if tag == "O" or (prefix in ("B", "I") and dash and kind):
        return
    if prefix in ("E", "S") and dash:
        guess = "this looks like IOBES"
    elif prefix in ("L", "U") and dash:
        guess = "this looks like BILOU"
    else:
        guess = "no scheme we know has it"
    raise DataError(f"{path}:{number}: tag '{tag}' is not IOB2 (O, B-X, I-X); {guess}: convert the file to IOB2")


def _opens(tag: str, before: Sequence[str]) -> bool:
    """Whether this tag begins an entity."""
    return tag.startswith("B-") or (tag.startswith("I-") and (not before or before[-1][2:] != tag[2:]))


def _check_openings(path: Path, openings: Sequence[tuple[int, str]]) -> None:
    counts = Counter(tag[0] for _, tag in openings)
    if counts["I"] > counts["B"]:
        number, tag = next(opening for opening in openings if opening[1].startswith("I-"))
        raise DataError(
            f"{path}:{number}: '{tag}' begins an entity, as do {counts['I']} of {len(openings)}: this is IOB1, "
            "not IOB2; write the first tag of every entity as B-"
        )


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Numbered lines; only line feeds end a line, as other Unicode breaks stand inside sentences."""
    lines = _text(path).split("\n")
    if lines[-1] == "":
        lines.pop()
    for number, line in enumerate(lines, start=1):
        yield number, line.removesuffix("\r")


def _text(path: Path) -> str:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        number = data.count(b"\n", 0, error.start) + 1
        raise DataError(f"{path}:{number}: byte {error.start} is not UTF-8; convert the file to UTF-8") from None


def _not_empty(path: Path, examples: list[ExampleType]) -> list[ExampleType]:
    if not examples:
        raise DataError(f"{path} holds no examples")
    return examples
