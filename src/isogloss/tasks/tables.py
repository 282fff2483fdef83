"""Tables of labelled texts, in our own form and in those that were published: every row as fields with one name each.

    columns = Columns(own=("text", "text_pair", "label"), published={"text": ("sentence1", "premise"), …})
    for row in read_rows(path, columns, language="sw"): row.number, row.fields["text"]

Our own form is columns between tabs without a header. Others are told by what they are: a first line with known names
of columns is a header (GLUE, XNLI, PAWS-X), `.jsonl` is an object a line (XCOPA, XNLI), `.parquet` what the Hub has.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from isogloss.errors import DataError
from isogloss.languages import canonical_code
from isogloss.tasks.files import NO_LABEL, Tell, numbered_lines, parquet_rows, parse_json, silent

__all__ = ["Columns", "Row", "read_rows"]


@dataclass(frozen=True)
class Columns:
    """Where the fields of a row stand; a field is called "label" or "language", all others are texts.

    `own` is the order in our form. `published` gives the names of a field in headers, the first that is there counts;
    "id" is what no two rows have in common, "other" says what else is a header. `bare` is the order of a published form
    without header, "" for what is not used. `renamed` are labels that were published under other names. `broken` files
    have lines of another number of columns than their header, which are left out, and said so.
    """

    own: tuple[str, ...]
    published: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    bare: tuple[str, ...] = ()
    renamed: Mapping[str, str] = field(default_factory=dict)
    broken: bool = False

    @property
    def texts(self) -> tuple[str, ...]:
        return tuple(name for name in self.own if name != "label")


@dataclass(frozen=True)
class Row:
    """A row by field, every value text; `where` is its file and line, for errors."""

    where: str
    fields: Mapping[str, str]

    @property
    def label(self) -> str:
        return self.fields.get("label", "")


def read_rows(
    path: Path, columns: Columns, *, language: str = "", unlabelled: bool = False, tell: Tell = silent
) -> Iterator[Row]:
    """The rows of a file; of one with several languages those of `language`.

    A row without a label is an error, unless `unlabelled` and none has one. Raises DataError with file and line.
    """
    rows: Iterator[Row]
    if path.suffix in (".parquet", ".jsonl"):
        found = parquet_rows(path) if path.suffix == ".parquet" else list(_objects(path))
        rows = (_named_row(where, row, columns) for where, row in _without_no_labels(found, columns))
    else:
        rows = _lines(path, columns, tell)
    first: Row | None = None
    ids: dict[str, str] = {}
    for row in _of_language(path, rows, language):
        first = first or row
        _check_id(row, ids)
        if "label" in columns.own:
            _check_label(row, first, columns, unlabelled=unlabelled)
        yield row


def _objects(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    for number, line in numbered_lines(path):
        value = parse_json(path, line, first_line=number) if line.strip() else None
        if not isinstance(value, dict):
            raise DataError(f"{path}:{number}: {line[:40]!r} is no JSON object; a line is one")
        yield f"{path}:{number}", value


def _without_no_labels(
    rows: Sequence[tuple[str, dict[str, Any]]], columns: Columns
) -> Iterable[tuple[str, dict[str, Any]]]:
    """The rows, with "" where the label of all of them is -1: so test sets say that they have none.

    One of -1 among others is a label like any other, or a rating.
    """
    known = (*columns.published.get("label", ()), "label")
    name = next((one for one in known if rows and one in rows[0][1]), None)
    if name is None or any(row.get(name) != NO_LABEL for _, row in rows):
        return rows
    return [(where, {**row, name: ""}) for where, row in rows]


def _lines(path: Path, columns: Columns, tell: Tell) -> Iterator[Row]:
    places: Mapping[str, int] | None = None
    width = 0
    broken: list[int] = []
    for number, line in numbered_lines(path):
        cells = line.split("\t")
        if number == 1 and (places := _header(path, cells, columns)) is not None:
            width = len(cells)
            continue
        where = f"{path}:{number}"
        if places is None:
            yield _bare_row(where, line, cells, columns)
            continue
        if len(cells) != width and columns.broken:
            broken.append(number)
            continue
        if len(cells) != width:
            raise DataError(f"{where}: {_count(len(cells))}, the header has {width}; is a line broken?")
        yield _row(where, {name: cells[place] for name, place in places.items()}, columns)
    if broken:
        tell(f"{path}:{broken[0]}: {len(broken)} lines have not the columns of the header, as published; left out")


def _header(path: Path, cells: Sequence[str], columns: Columns) -> Mapping[str, int] | None:
    """The places of fields, if this first line is a header: two of its cells are known names of columns."""
    names = {name for known in columns.published.values() for name in known}
    if len(names & set(cells)) < 2:
        return None
    places: dict[str, int] = {}
    for name, spellings in columns.published.items():
        if (there := next((one for one in spellings if one in cells), None)) is not None:
            places[name] = cells.index(there)
    for name in columns.texts:
        if name not in places:
            known = " or ".join(f"'{one}'" for one in columns.published[name])
            raise DataError(f"{path}:1: no column {known}; the header has {', '.join(cells)}")
    return places


def _named_row(where: str, values: Mapping[str, Any], columns: Columns) -> Row:
    """A row whose values have names: those of our fields, or published ones."""
    fields: dict[str, str] = {}
    for name in (*columns.own, "language", "id"):
        # What is called "id" may be anything's: it counts where the set says so.
        known = (*columns.published.get(name, ()), *(() if name == "id" else (name,)))
        if (there := next((one for one in known if one in values), None)) is None:
            if name in columns.texts:
                raise DataError(f"{where}: no '{known[0]}'; it has {', '.join(values) or 'nothing'}")
            continue
        value = values[there]
        if value is None or isinstance(value, list | dict):
            raise DataError(f"{where}: '{there}' is {str(value)[:40]}, not one text or number")
        fields[name] = str(value)
    return _row(where, fields, columns)


def _bare_row(where: str, line: str, cells: Sequence[str], columns: Columns) -> Row:
    """A row without names: our own form, or a published one that has no header."""
    num_texts = len(columns.texts)
    if columns.bare and len(cells) == len(columns.bare) != len(columns.own):
        return _row(where, {name: cell for name, cell in zip(columns.bare, cells, strict=True) if name}, columns)
    if line and len(cells) in (num_texts, len(columns.own)):
        return _row(where, dict(zip(columns.own, cells, strict=False)), columns)
    reason = f"{_count(len(cells))}, this task has {len(columns.own)}" if line else "a blank line"
    raise DataError(f"{where}: {reason}; {_form(columns)}")


def _row(where: str, fields: dict[str, str], columns: Columns) -> Row:
    if "label" in fields:
        fields["label"] = columns.renamed.get(fields["label"], fields["label"])
    return Row(where, fields)


def _of_language(path: Path, rows: Iterable[Row], language: str) -> Iterator[Row]:
    """The rows of one language, where rows say theirs; codes are compared in their usual spelling."""
    wanted = canonical_code(language) if language else ""
    same: dict[str, bool] = {}
    for row in rows:
        spoken = row.fields.get("language")
        if spoken is None:
            yield row
            continue
        if not wanted:
            raise DataError(f"{row.where}: a column of languages ('{spoken}' here); say which language is wanted")
        if spoken not in same:
            same[spoken] = canonical_code(spoken) == wanted
        if same[spoken]:
            yield row
    if same and not any(same.values()):
        raise DataError(f"{path} has no row in language '{language}'; it has {', '.join(same)}")


def _check_id(row: Row, ids: dict[str, str]) -> None:
    """Raise DataError for an id that another row has; `ids` are those so far, and where they stand."""
    if (own := row.fields.get("id")) is None:
        return
    if own in ids:
        raise DataError(
            f"{row.where}: a second example with the id '{own[:40]}', as {ids[own]} has it; leave one there"
        )
    ids[own] = row.where


def _check_label(row: Row, first: Row, columns: Columns, *, unlabelled: bool) -> None:
    """Raise DataError for a row without a label; if `unlabelled` is allowed, for one that is not as the first."""
    none_has = unlabelled and not first.label
    if none_has and row.label:
        raise DataError(f"{row.where}: a label, where {first.where} has none; a test set has none or all")
    if not none_has and not row.label:
        problem = "the label is empty; write it" if "label" in row.fields else f"no label; {_form(columns)}"
        raise DataError(f"{row.where}: {problem}")


def _form(columns: Columns) -> str:
    return f"a line is {' TAB '.join(name.replace('_', ' ') for name in columns.own)}"


def _count(number: int) -> str:
    return "1 column" if number == 1 else f"{number} columns"
