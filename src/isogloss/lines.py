"""Lines in, JSON lines out: what ``isogloss predict`` reads from a pipe and writes into one.

    ask = functools.partial(predictor.stream, "tag")
    for answer in answer_lines("tag", ask, sys.stdin.buffer): ...     # {"spans": [{"start": 0, …}]}

A line is one question, and one line answers it, in order:

    fill-mask, tag, embed   text                       or {"text": "…"}
    classify                text, or text TAB text     or {"text": "…"}, {"text": "…", "text_pair": "…"}
    answer                  question TAB context       or {"question": "…", "context": "…"}

A line that begins with ``{`` is JSON, which can also hold tabs and line breaks. Nothing is skipped or guessed: a line
that cannot be used stops the program with its number.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Literal

import numpy as np

from isogloss.errors import DataError
from isogloss.vocab.layout import MASK_PIECE

__all__ = ["Question", "answer_lines", "read_items"]

Question = Literal["fill-mask", "classify", "tag", "answer", "embed"]
Item = str | tuple[str, str]

# Items answered together: enough to pack well, few enough that answers of an endless stream come out of it.
CHUNK = 1024
TEXT, PAIR, ASKED = ("text",), ("text", "text_pair"), ("question", "context")
# The forms a line of each question may take; where a tab may divide it, how.
FORMS: Mapping[Question, tuple[tuple[str, ...], ...]] = {
    "fill-mask": (TEXT,),
    "classify": (TEXT, PAIR),
    "tag": (TEXT,),
    "answer": (ASKED,),
    "embed": (TEXT,),
}


def answer_lines(
    question: Question,
    ask: Callable[[Iterator[Any]], Iterable[Any]],
    stream: Iterable[bytes],
    *,
    advance: Callable[[int], None] = lambda number: None,
) -> Iterator[str]:
    """Ask what ``stream`` holds; yields one JSON line an input line, as they come.

    ``advance`` is told how many lines were answered. Raises DataError with the line's number for a line that is not
    UTF-8 or not of the question's form; what ``ask`` raises for an item that it cannot use passes through.
    """
    for answer in ask(read_items(question, stream)):
        yield json.dumps(_as_object(answer), ensure_ascii=False)
        advance(1)


def read_items(question: Question, stream: Iterable[bytes]) -> Iterator[Item]:
    """Each line as a text or a pair; only line feeds end a line, as other breaks stand inside texts."""
    for number, raw in enumerate(stream, start=1):
        try:
            line = raw.decode("utf-8-sig" if number == 1 else "utf-8").removesuffix("\n").removesuffix("\r")
        except UnicodeDecodeError as error:
            raise _problem(number, f"byte {error.start + 1} of the line is not UTF-8; convert the input") from None
        parts = _from_json(question, number, line) if line.startswith("{") else _from_text(question, number, line)
        if question == "fill-mask" and MASK_PIECE not in parts[0]:
            raise _problem(number, f"no {MASK_PIECE} in {line[:40]!r}; write {MASK_PIECE} where a piece is missing")
        yield parts[0] if len(parts) == 1 else (parts[0], parts[1])


def _from_text(question: Question, number: int, line: str) -> tuple[str, ...]:
    forms = FORMS[question]
    if forms == (TEXT,):
        return (line,)
    columns = tuple(line.split("\t"))
    if len(columns) not in {len(form) for form in forms}:
        shapes = " or ".join(" TAB ".join(form) for form in forms)
        raise _problem(number, f"{len(columns)} columns in {line[:40]!r}; a line is {shapes}, or JSON")
    return columns


def _from_json(question: Question, number: int, line: str) -> tuple[str, ...]:
    try:
        value = json.loads(line)
    except ValueError as error:
        way_out = 'a text that begins with { is written {"text": "…"}'
        raise _problem(number, f"begins with {{ but is not JSON ({error}); {way_out}") from None
    for form in FORMS[question]:
        if set(value) == set(form) and all(isinstance(value[key], str) for key in form):
            if any("\ud800" <= character <= "\udfff" for key in form for character in value[key]):
                raise _problem(number, "holds half of a surrogate pair, which is no text")
            return tuple(value[key] for key in form)
    shapes = " or ".join(json.dumps(dict.fromkeys(form, "…"), ensure_ascii=False) for form in FORMS[question])
    raise _problem(number, f"{line[:40]!r} is not {shapes}")


def _problem(number: int, text: str) -> DataError:
    return DataError(f"standard input, line {number}: {text}")


def _as_object(answer: Any) -> dict[str, Any]:
    """An answer as a JSON object: dataclasses as they are, lists of them and vectors under a name."""
    if isinstance(answer, np.ndarray):
        # The shortest text that is this float32 again, not the seventeen digits of its float64.
        return {"vector": [float(str(value)) for value in answer]}
    if not isinstance(answer, list):
        return dataclasses.asdict(answer)
    if answer and isinstance(answer[0], list):
        return {"masks": [[dataclasses.asdict(fill) for fill in fills] for fills in answer]}
    return {"spans": [dataclasses.asdict(span) for span in answer]}
