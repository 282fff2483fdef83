"""Readers of questions over contexts: SQuAD v1.1 JSON, which MLQA, XQuAD and TyDiQA-GoldP share, and Parquet.

read_questions(path)                             # each with every answer that counts as right
read_questions(path, language="sw", languages_in_ids={"swahili": "sw"})      # TyDiQA's one file
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from isogloss.errors import DataError
from isogloss.tasks.examples import UNKNOWN_START, Answer, QuestionExample
from isogloss.tasks.files import Tell, line_at, line_of, not_empty, parquet_rows, parse_json, read_text, silent

__all__ = ["read_questions"]

NO_NAMES: Mapping[str, str] = {}
# Says where an entry stands: looked up for errors alone.
Where = Callable[[], str]


def read_questions(
    path: Path,
    *,
    labels: Sequence[str] = (),
    language: str = "",
    unlabelled: bool = False,
    tell: Tell = silent,
    languages_in_ids: Mapping[str, str] = NO_NAMES,
    needs_offsets: bool = True,
) -> list[QuestionExample]:
    """Questions with ids of their own, numbers as text, and answers whose offsets fit the context.

    Without `needs_offsets`, as scorers never read them, an answer may have none at all; one that does not fit is wrong.
    `languages_in_ids` are what an id begins with where a file holds several languages: those of `language` are read.
    """
    assert not labels, "questions have answers, not labels"
    text = "" if path.suffix == ".parquet" else read_text(path)
    entries = _rows(path) if path.suffix == ".parquet" else _entries(path, text)
    examples: list[QuestionExample] = []
    seen: set[str] = set()
    for where, context, entry in entries:
        example = _question(path, text, where, context, entry, unlabelled=unlabelled, needs_offsets=needs_offsets)
        if example.id in seen:
            raise DataError(f"{_where(path, text, example.id, last=True)}: a second question with this id")
        seen.add(example.id)
        examples.append(example)
    _check_answers(path, text, examples)
    return _of_language(path, not_empty(path, examples), language, languages_in_ids)


def _question(
    path: Path, text: str, where: Where, context: str, entry: Any, *, unlabelled: bool, needs_offsets: bool
) -> QuestionExample:
    if isinstance(entry, dict) and type(entry.get("id")) is int:
        entry = {**entry, "id": str(entry["id"])}
    for key in ("id", "question"):
        value: Any = entry.get(key) if isinstance(entry, dict) else None
        if not isinstance(value, str):
            is_what = "is not there" if value is None else f"is {str(value)[:40]}, not text; write it in quotes"
            raise DataError(f"{where()}: '{key}' of a question {is_what}")
    answers: Any = entry.get("answers")
    if not answers and unlabelled:
        return QuestionExample(entry["id"], entry["question"], context, ())
    if (problem := _answers_problem(context, answers, needs_offsets=needs_offsets)) is not None:
        raise DataError(f"{_where(path, text, entry['id'])}: {problem}")
    given = tuple(Answer(one["text"], one.get("answer_start", UNKNOWN_START)) for one in answers)
    return QuestionExample(entry["id"], entry["question"], context, given)


def _answers_problem(context: str, answers: Any, *, needs_offsets: bool) -> str | None:
    """Why the answers of a question cannot be used, if they cannot."""
    if not answers or not isinstance(answers, list):
        return "no answers; scores and training need at least one a question"
    for given in answers:
        if not needs_offsets and _is_text_alone(given):
            continue
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


def _is_text_alone(given: Any) -> bool:
    """Whether an answer has a text and no offset at all."""
    text = given.get("text") if isinstance(given, dict) else None
    return isinstance(text, str) and text != "" and "answer_start" not in given


def _check_answers(path: Path, text: str, examples: Sequence[QuestionExample]) -> None:
    """Raise DataError where some questions have answers and others none."""
    without = next((example for example in examples if not example.answers), None)
    if without is not None and any(example.answers for example in examples):
        raise DataError(
            f"{_where(path, text, without.id)}: no answers, where others have some; a test set has none or all"
        )


def _entries(path: Path, text: str) -> Iterator[tuple[Where, str, Any]]:
    """Every context and what is asked about it, with what says where that stands."""
    document = parse_json(path, text)
    articles = document.get("data") if isinstance(document, dict) else None
    if not isinstance(articles, list):
        raise DataError(f"{path}: no list under 'data'; SQuAD JSON is data → paragraphs → context and qas")
    for i, article in enumerate(articles):
        paragraphs = article.get("paragraphs") if isinstance(article, dict) else None
        if not isinstance(paragraphs, list):
            raise DataError(f"{_place(path, text, 'data', i)}: data[{i}] has no list under 'paragraphs'")
        for j, paragraph in enumerate(paragraphs):
            context, qas = (paragraph.get(key) if isinstance(paragraph, dict) else None for key in ("context", "qas"))
            if not isinstance(context, str) or not isinstance(qas, list):
                place = _place(path, text, "data", i, "paragraphs", j)
                raise DataError(f"{place}: data[{i}] has a paragraph without 'context' or 'qas'")
            for k, entry in enumerate(qas):
                steps = ("data", i, "paragraphs", j, "qas", k)
                yield partial(_place, path, text, *steps), context, entry


def _place(path: Path, text: str, *steps: str | int) -> str:
    return f"{path}:{line_at(text, steps)}"


def _rows(path: Path) -> Iterator[tuple[Where, str, Any]]:
    """The same from the rows of a Parquet file, whose answers are a list of texts beside one of offsets."""
    for where, row in parquet_rows(path):
        context, given = row.get("context"), row.get("answers")
        if not isinstance(context, str):
            raise DataError(f"{where}: no 'context'; it has {', '.join(row)}")
        if isinstance(given, dict) and isinstance(given.get("text"), list):
            starts = given.get("answer_start") or []
            both = zip(given["text"], starts, strict=False)
            given = [{"text": text, "answer_start": start} for text, start in both]
        yield partial(str, where), context, {**row, "answers": given}


def _of_language(
    path: Path, examples: list[QuestionExample], language: str, languages_in_ids: Mapping[str, str]
) -> list[QuestionExample]:
    named = {example.id.partition("-")[0] for example in examples}
    if not languages_in_ids or not named <= set(languages_in_ids):
        return examples
    kept = [one for one in examples if languages_in_ids[one.id.partition("-")[0]] == language]
    if not kept:
        there = ", ".join(sorted(languages_in_ids[name] for name in named))
        raise DataError(f"{path} has no question in language '{language}'; it has {there}")
    return kept


def _where(path: Path, text: str, question_id: str, *, last: bool = False) -> str:
    """`file:line: question 'id'`, or without a line where the file has none."""
    line = f":{line_of(text, question_id, last=last)}" if text else ""
    return f"{path}{line}: question '{question_id}'"
