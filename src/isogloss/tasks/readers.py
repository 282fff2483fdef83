"""Readers of texts: sentences and pairs with a label or a rating, choices, and sentences beside their translations.

    read_texts(path, columns=PAIR, labels=("entailment", "neutral", "contradiction"))
    read_choices(path, columns=CHOICES)

What cannot be used raises DataError with file and line. Nothing is skipped or guessed: a score over half a file
would look like a score over the file. A test set without labels is read with `unlabelled`, all of it or none.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from isogloss.errors import DataError
from isogloss.tasks.examples import ChoiceExample, PairExample, RatedExample, TextExample
from isogloss.tasks.files import Tell, not_empty, numbered_lines, silent
from isogloss.tasks.tables import Columns, Row, read_rows

__all__ = [
    "CHOICES",
    "PAIR",
    "TEXT",
    "TRANSLATION",
    "files_of_pairs",
    "read_choices",
    "read_pairs",
    "read_ratings",
    "read_texts",
]

# Our own forms.
TEXT = Columns(own=("text", "label"))
PAIR = Columns(own=("text", "text_pair", "label"))
CHOICES = Columns(own=("premise", "question", "choice1", "choice2", "label"))
TRANSLATION = Columns(
    own=("source", "target"), published={"source": ("source_sentence",), "target": ("target_sentence",)}
)


def read_texts(
    path: Path,
    *,
    columns: Columns,
    labels: Sequence[str] = (),
    language: str = "",
    unlabelled: bool = False,
    tell: Tell = silent,
) -> list[TextExample]:
    """Texts or pairs and their label. With `labels`, any other label is an error."""
    examples: list[TextExample] = []
    for row in read_rows(path, columns, language=language, unlabelled=unlabelled, tell=tell):
        _check_label(row, labels)
        examples.append(TextExample(_texts(row, columns), row.label))
    return not_empty(path, examples)


def read_ratings(
    path: Path,
    *,
    columns: Columns,
    labels: Sequence[str] = (),
    language: str = "",
    unlabelled: bool = False,
    tell: Tell = silent,
) -> list[RatedExample]:
    """Pairs and their rating, any finite number."""
    examples: list[RatedExample] = []
    for row in read_rows(path, columns, language=language, unlabelled=unlabelled, tell=tell):
        rating = parse_number(row.where, row.label) if row.label else None
        examples.append(RatedExample(_texts(row, columns), rating))
    return not_empty(path, examples)


def parse_number(where: str, text: str) -> float:
    """A finite number. Raises DataError naming where it stands."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise DataError(f"{where}: '{text[:40]}' is no number; a rating is one, as 3.8")
    return number


def read_choices(
    path: Path,
    *,
    columns: Columns,
    labels: Sequence[str] = (),
    language: str = "",
    unlabelled: bool = False,
    tell: Tell = silent,
) -> list[ChoiceExample]:
    """Premises, what is asked (cause or effect), the choices, and the number of the right one from 0."""
    names = [name for name in columns.own if name.startswith("choice")]
    examples: list[ChoiceExample] = []
    for row in read_rows(path, columns, language=language, unlabelled=unlabelled, tell=tell):
        _check_label(row, [str(number) for number in range(len(names))])
        choices = tuple(row.fields[name] for name in names)
        examples.append(ChoiceExample(row.fields["premise"], row.fields["question"], choices, row.label))
    return not_empty(path, examples)


def read_pairs(
    path: Path,
    *,
    columns: Columns = TRANSLATION,
    labels: Sequence[str] = (),
    language: str = "",
    unlabelled: bool = False,
    tell: Tell = silent,
) -> list[PairExample]:
    """Sentences and their translations: two columns, or two files of lines (`tatoeba.fra-eng.fra` and `….eng`)."""
    if len(files := files_of_pairs(path)) == 1:
        rows = read_rows(path, columns)
        return not_empty(path, [PairExample(row.fields["source"], row.fields["target"]) for row in rows])
    sources, targets = ([line for _, line in numbered_lines(file)] for file in files)
    if len(sources) != len(targets):
        longer = files[len(sources) < len(targets)]
        line = min(len(sources), len(targets)) + 1
        raise DataError(
            f"{longer}:{line}: no line beside it: {path} has {len(sources)}, {files[1]} {len(targets)} lines"
        )
    return not_empty(path, [PairExample(*pair) for pair in zip(sources, targets, strict=True)])


def files_of_pairs(path: Path) -> tuple[Path, ...]:
    """A file, and that of the translations where a name ends in the two languages and one of them: `.fra-eng.fra`."""
    *_, pair, mine = ("", *path.name.split("."))
    first, dash, second = pair.partition("-")
    if not dash or mine not in (first, second):
        return (path,)
    return path, path.with_name(path.name.removesuffix(mine) + (second if mine == first else first))


def _texts(row: Row, columns: Columns) -> tuple[str, ...]:
    return tuple(row.fields[name] for name in columns.texts)


def _check_label(row: Row, labels: Sequence[str]) -> None:
    if labels and row.label and row.label not in labels:
        raise DataError(f"{row.where}: unknown label '{row.label[:40]}'; known are {', '.join(labels)}")
