"""The texts of labelled sets as their owners ship them, to be looked for in a corpus: no labels, no tasks, no torch.

    for source in labelled_files(Path("nli/xnli")):
        for text in labelled_texts(source): ...

Told apart by name and form: JSON and JSON lines (SQuAD and others) give every string in them, tables of tagged words
(a blank line between sentences) the sentences, other tables (TSV) every column, anything else every line. What is no
text (an id, a label, an offset) is too short to be looked for. Files may be compressed (.gz, .zst).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from isogloss.corpus.sources import DamagedFileError, Source, find_sources, read_blocks
from isogloss.errors import DataError

__all__ = ["labelled_files", "labelled_texts"]

JSON_ENDINGS = {".json"}
JSON_LINES_ENDINGS = {".jsonl", ".ndjson"}
TAGGED_ENDINGS = {".conll", ".conllu", ".iob", ".iob2", ".bio"}


def labelled_files(path: Path) -> list[Source]:
    """The files of a set, by name: the file itself, or every file below the folder that is not hidden.

    Raises DataError if there is none.
    """
    if not path.exists():
        raise DataError(f"labelled set {path} does not exist; give the file or the folder that holds it")
    return find_sources(path)


def labelled_texts(source: Source) -> Iterator[str]:
    """Every text of one file, none of them empty.

    Raises DataError for a file that cannot be read, decompressed, decoded or parsed.
    """
    path = source.path
    suffixes = [suffix.lower() for suffix in path.suffixes]
    ending = (suffixes[:-1] if source.compression else suffixes)[-1:] or [""]
    text = _read(source)
    if ending[0] in JSON_ENDINGS:
        yield from _strings(_parsed(path, text, 1))
    elif ending[0] in JSON_LINES_ENDINGS:
        for number, line in enumerate(text.split("\n"), start=1):
            if line.strip():
                yield from _strings(_parsed(path, line, number))
    elif ending[0] in TAGGED_ENDINGS or (ending[0] == ".tsv" and _is_tagged(_lines(text))):
        yield from _sentences(_lines(text))
    elif ending[0] == ".tsv":
        for line in _lines(text):
            yield from filter(None, map(str.strip, line.split("\t")))
    else:
        yield from filter(None, map(str.strip, text.split("\n")))


def _read(source: Source) -> str:
    path = source.path
    try:
        return b"".join(read_blocks(source)).decode("utf-8-sig")
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from None
    except DamagedFileError as error:
        raise DataError(f"{path}: {error}; fetch the labelled set again") from None
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: byte {error.start} is not UTF-8; convert the file to UTF-8") from None


def _parsed(path: Path, text: str, number: int) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise DataError(f"{path}:{number}: not valid JSON; labelled sets are compared whole or not at all") from None


def _strings(value: Any) -> Iterator[str]:
    """Every string in a JSON value, keys of objects left out."""
    stack = [value]
    while stack:
        inner = stack.pop()
        if isinstance(inner, str):
            if inner.strip():
                yield inner
        elif isinstance(inner, dict):
            stack.extend(reversed(inner.values()))
        elif isinstance(inner, list):
            stack.extend(reversed(inner))


def _lines(text: str) -> list[str]:
    return text.removesuffix("\n").split("\n")


def _is_tagged(lines: list[str]) -> bool:
    """Whether blank lines divide sentences of which each row holds one word."""
    rows = [line for line in lines if line.strip()]
    spaced = sum(" " in line.partition("\t")[0] for line in rows)
    return len(rows) < len(lines) and 2 * spaced < len(rows)


def _sentences(lines: list[str]) -> Iterator[str]:
    words: list[str] = []
    for line in [*lines, ""]:
        if line.strip():
            words += _word(line.strip())
        elif words:
            yield " ".join(words)
            words = []


def _word(line: str) -> list[str]:
    """The word of a row: its first column, in CoNLL-U its second after a number; a comment begins with # alone."""
    columns = line.split("\t") if "\t" in line else line.split()
    if line.startswith("# ") and "\t" not in line:
        return []
    is_conllu = len(columns) == 10
    if not is_conllu:
        return columns[:1]
    return columns[1:2] if columns[0].isdecimal() else []
