"""What files of labels are made of: text, numbered lines, JSON, rows of Parquet. Every fault is named with its line.

for number, line in numbered_lines(path): ...
value = parse_json(path, text)                     # a key that stands twice is an error
for where, row in parquet_rows(path): ...          # of all shards; numbers of a class become its names
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from isogloss.corpus.extras import load_pyarrow
from isogloss.errors import DataError

__all__ = [
    "NO_LABEL",
    "Tell",
    "line_at",
    "line_of",
    "not_empty",
    "numbered_lines",
    "parquet_rows",
    "parse_json",
    "read_text",
    "shards_of",
    "silent",
]

# Takes what a reader has to say about a file that it could read: a scheme converted, a number that is not the usual.
Tell = Callable[[str], None]
Item = TypeVar("Item")

# Of features of the library ``datasets``: the label of an example that has none.
NO_LABEL = -1
# Shards as the library ``datasets`` names them, some with a hash, and as the Hub's own conversion to Parquet does.
_SHARDS = (
    re.compile(r"(?P<set>.*)-(?P<number>[0-9]{5})-of-(?P<of>[0-9]{5})(-[0-9a-f]+)?\.parquet"),
    re.compile(r"(?P<set>)(?P<number>[0-9]{4})(?P<of>)\.parquet"),
)
# Escapes in JSON for the halves of characters beyond the first 65,536, and such a half without the other one.
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_ALONE = re.compile(r"\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F]")


def silent(said: str) -> None:
    """For callers who do not want to know."""


def read_text(path: Path, *, latin_1: Tell | None = None) -> str:
    """The whole file as UTF-8, without a byte order mark; as ISO-8859-1 if it is not, where `latin_1` is told so.

    Raises DataError.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        number = data.count(b"\n", 0, error.start) + 1
        if latin_1 is not None:
            latin_1(f"{path}:{number}: byte {error.start} is not UTF-8; the file is read as ISO-8859-1")
            return data.decode("latin-1")
        raise DataError(f"{path}:{number}: byte {error.start} is not UTF-8; convert the file to UTF-8") from None


def numbered_lines(path: Path, *, latin_1: Tell | None = None) -> Iterator[tuple[int, str]]:
    """Lines from 1; only line feeds end a line, as other Unicode breaks stand inside sentences."""
    lines = read_text(path, latin_1=latin_1).split("\n")
    if lines[-1] == "":
        lines.pop()
    for number, line in enumerate(lines, start=1):
        yield number, line.removesuffix("\r")


def parse_json(path: Path, text: str, *, first_line: int = 1) -> Any:
    """The value that a text of the file is. Raises DataError for what is no JSON, and for a key that stands twice."""

    def unique(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            keys = [key for key, _ in pairs]
            twice = next(key for position, key in enumerate(keys) if key in keys[:position])
            number = first_line - 1 + line_of(text, twice, last=True)
            raise DataError(f"{path}:{number}: '{twice}' stands twice in one object; which one counts?")
        return found

    try:
        value = json.loads(text, object_pairs_hook=unique)
    except json.JSONDecodeError as error:
        raise DataError(f"{path}:{first_line - 1 + error.lineno}: not valid JSON: {error.msg}") from None
    except (ValueError, RecursionError) as error:  # numbers of thousands of digits, lists in lists in lists
        raise DataError(f"{path}:{first_line}: JSON that cannot be read: {str(error).partition(';')[0]}") from None
    _check_surrogates(path, text, value, first_line)
    return value


def _check_surrogates(path: Path, text: str, value: Any, first_line: int) -> None:
    r"""Raise DataError for half of a pair such as \ud83d alone: no tokenizer and no file takes it."""
    if _SURROGATE.search(text) is None:
        return
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        alone = _ALONE.search(text)
        position = alone.start() if alone else 0
        number = first_line + text.count("\n", 0, position)
        raise DataError(
            f"{path}:{number}: {text[position : position + 6]} is half of a character; write it whole or leave it out"
        ) from None


def line_of(text: str, value: str, *, last: bool = False) -> int:
    """The line where a value stands in JSON, 1 where it is not found; it is searched for, as JSON keeps none."""
    spellings = (json.dumps(value), json.dumps(value, ensure_ascii=False))
    position = max(text.rfind(quoted) if last else text.find(quoted) for quoted in spellings)
    return text.count("\n", 0, max(position, 0)) + 1


def line_at(text: str, steps: Sequence[str | int]) -> int:
    """The line where a part of JSON begins, by the keys and places that lead to it from the outside in.

    All of them are there: this is for errors about what was read, and reads it again.
    """
    decoder = json.JSONDecoder()
    position = _over_spaces(text, 0)
    for step in steps:
        position = _over_spaces(text, position + 1)  # the bracket
        for place in range(len(text)):
            here: Any = place
            if isinstance(step, str):
                here, position = decoder.raw_decode(text, position)
                position = _over_spaces(text, _over_spaces(text, position) + 1)  # the colon
            if here == step:
                break
            _, position = decoder.raw_decode(text, position)
            position = _over_spaces(text, _over_spaces(text, position) + 1)  # the comma
    return text.count("\n", 0, position) + 1


def _over_spaces(text: str, position: int) -> int:
    while text[position : position + 1] in (" ", "\t", "\n", "\r"):
        position += 1
    return position


def shards_of(path: Path) -> tuple[Path, ...]:
    """All shards of what a Parquet file is one of, in order: `train-00000-of-00002.parquet`, `train/0000.parquet`.

    Any other file is alone. Raises DataError where one of them is not there.
    """
    own = next((match for pattern in _SHARDS if (match := pattern.fullmatch(path.name))), None)
    if own is None or not path.exists():
        return (path,)
    found: dict[int, Path] = {}
    for other in sorted(path.parent.glob("*.parquet")):
        match = own.re.fullmatch(other.name)
        if match is not None and (match["set"], match["of"]) == (own["set"], own["of"]):
            found.setdefault(int(match["number"]), other)
    number = int(own["of"] or max(found) + 1)
    if missing := set(range(number)) - set(found):
        raise DataError(f"{path} is one of {number} shards, number {min(missing)} is not beside it; fetch it too")
    return tuple(found[place] for place in range(number))


def parquet_rows(path: Path) -> list[tuple[str, dict[str, Any]]]:
    """Where each row of a Parquet file stands, and the row; of a shard, those of all of them.

    Where the library ``datasets`` wrote names of classes, numbers become names; -1, which stands for none, becomes "".
    Raises DataError, and MissingExtraError without pyarrow.
    """
    return [
        (f"{shard}: row {number}", row)
        for shard in shards_of(path)
        for number, row in enumerate(_rows_of(shard), start=1)
    ]


def _rows_of(path: Path) -> Iterator[dict[str, Any]]:
    pa = load_pyarrow()
    try:
        table = pa.parquet.read_table(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise DataError(f"{path} cannot be read as Parquet: {str(error).splitlines()[0][:200]}") from None
    described = (table.schema.metadata or {}).get(b"huggingface")
    features = json.loads(described).get("info", {}).get("features", {}) if described else {}
    names = {column: found for column, feature in features.items() if (found := _class_names(feature))}
    for row in table.to_pylist():
        yield {column: _named(value, names[column]) if column in names else value for column, value in row.items()}


def _class_names(feature: Any) -> list[str]:
    """The names of a feature's classes, or of those in its list; versions of the library write lists differently."""
    inner = feature[0] if isinstance(feature, list) and feature else feature
    if not isinstance(inner, Mapping):
        return []
    if isinstance(inner.get("feature"), Mapping | list):
        return _class_names(inner["feature"])
    names = inner.get("names", [])
    # Old versions list them under their numbers.
    return list(names.values()) if isinstance(names, Mapping) else list(names)


def _named(value: Any, names: Sequence[str]) -> Any:
    if isinstance(value, list):
        return [_named(one, names) for one in value]
    if value == NO_LABEL or value is None:
        return ""
    return names[value] if isinstance(value, int) and 0 <= value < len(names) else value


def not_empty(path: Path, examples: list[Item]) -> list[Item]:
    """The examples as they are. Raises DataError for none."""
    if not examples:
        raise DataError(f"{path} holds no examples")
    return examples
