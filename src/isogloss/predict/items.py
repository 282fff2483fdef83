"""The texts, pairs and questions that a model is asked about, each checked; one that is none is named by its number.

texts = checked_texts(["a", None], first=1)     # DataError: text 2 is None (NoneType), not a text; …
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from isogloss.errors import DataError

__all__ = ["Words", "checked_pairs", "checked_questions", "checked_texts", "checked_words"]

Words = str | tuple[str, ...]

HALF_PAIR = re.compile("[\ud800-\udfff]")
# Values whose repr is one short line.
PLAIN = (type(None), bool, int, float)


def checked_texts(texts: Iterable[Any], *, first: int = 1) -> list[str]:
    """A list of texts. Raises DataError for an item that is none; the first one has the number `first`."""
    return [_text(f"text {number}", text) for number, text in _numbered(texts, first, "texts")]


def checked_pairs(pairs: Iterable[Any], *, first: int = 1) -> list[tuple[str, ...]]:
    """Texts and pairs of texts, as tuples of one or two."""
    return [_texts(f"text {number}", item, (1, 2)) for number, item in _numbered(pairs, first, "texts")]


def checked_questions(questions: Iterable[Any], *, first: int = 1) -> list[tuple[str, str]]:
    """Questions, each with its context."""
    found = (_texts(f"question {number}", item, (2,)) for number, item in _numbered(questions, first, "questions"))
    return [(question, context) for question, context in found]


def checked_words(texts: Iterable[Any], *, first: int = 1) -> list[Words]:
    """Texts, and sequences of words as tuples."""
    found: list[Words] = []
    for number, item in _numbered(texts, first, "texts"):
        if isinstance(item, list | tuple):
            found.append(tuple(_text(f"text {number}, word {place}", word) for place, word in enumerate(item, start=1)))
        else:
            found.append(_text(f"text {number}", item))
    return found


def _numbered(items: Iterable[Any], first: int, name: str) -> Iterable[tuple[int, Any]]:
    if isinstance(items, str | bytes | dict) or not isinstance(items, Iterable):
        raise DataError(f"{name} is {_said(items)}, not a list of {name}; put it in a list")
    return enumerate(items, start=first)


def _texts(where: str, item: Any, lengths: tuple[int, ...]) -> tuple[str, ...]:
    if 1 in lengths and not isinstance(item, list | tuple):
        return (_text(where, item),)
    if not isinstance(item, list | tuple) or len(item) != 2:
        wanted = "a text or a pair of texts" if 1 in lengths else "a pair of question and context"
        raise DataError(f"{where} is {_said(item)}, not {wanted}")
    return tuple(_text(f"{where}, part {part}", text) for part, text in enumerate(item, start=1))


def _text(where: str, text: Any) -> str:
    if not isinstance(text, str):
        raise DataError(f"{where} is {_said(text)}, not a text; make it one or leave it out")
    if not text.isascii() and (half := HALF_PAIR.search(text)) is not None:
        raise DataError(
            f"{where} holds half of a surrogate pair (character {half.start() + 1}), which is no text; decode it again"
        )
    return text


def _said(item: Any) -> str:
    kind = type(item).__name__
    if isinstance(item, PLAIN):
        return f"{item} ({kind})"
    return f"a {kind} of {len(item)}" if isinstance(item, list | tuple | str | bytes | dict) else f"a {kind}"
