"""Readers: one input file → a stream of documents, with everything that is not kept counted by reason.

    tally = Tally()
    for document in read_source(source, settings, tally, languages=frozenset()): ...

Lines lose white space at their ends and blank lines only mark borders; nothing else is changed. Memory is bounded
by ``max_record_bytes`` for JSON lines and crawl records and by ``max_document_bytes`` for text, whatever the file.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any

from isogloss.corpus.crawl import read_crawl
from isogloss.corpus.documents import Document, Line, ReadSettings, assemble, lose, record_lines
from isogloss.corpus.sources import DamagedFileError, NumberedLine, Source, code_or_none, numbered_lines, read_blocks
from isogloss.corpus.tables import arrow_records, parquet_records
from isogloss.corpus.tally import UNKNOWN_LANGUAGE, Tally
from isogloss.corpus.wiki import read_wiki

__all__ = ["Document", "ReadSettings", "read_source"]


def read_source(
    source: Source, settings: ReadSettings, tally: Tally, *, languages: Collection[str]
) -> Iterator[Document]:
    """The documents of one file in order; ``languages`` chooses, none means all.

    Raises OSError if the file cannot be read and DamagedFileError where it breaks off, after its last good document.
    """
    readers: dict[str, Callable[[], Iterator[Document]]] = {
        "text": lambda: _read_text(source, settings, tally),
        "jsonl": lambda: _read_json_lines(source, settings, tally, languages),
        "parquet": lambda: _read_table(parquet_records(source.file, settings), source, settings, tally, languages),
        "arrow": lambda: _read_table(arrow_records(source.file, settings), source, settings, tally, languages),
        "wiki": lambda: read_wiki(source, settings, tally, languages),
        "crawl": lambda: read_crawl(source, settings, tally, languages),
    }
    return readers[source.format]()


def _read_text(source: Source, settings: ReadSettings, tally: Tally) -> Iterator[Document]:
    assert source.language is not None, "a text file needs a language in its name"
    damage: list[DamagedFileError] = []
    lines = _text_lines(numbered_lines(read_blocks(source), max_bytes=settings.max_line_bytes), damage)
    for is_blank, group in itertools.groupby(lines, key=lambda line: line.is_blank):
        if not is_blank:
            yield from assemble(source.language, group, {}, settings, tally)
    if damage:
        raise damage[0]


def _text_lines(lines: Iterator[NumberedLine], damage: list[DamagedFileError]) -> Iterator[Line]:
    """Decode lines; damage ends the stream and is handed over in ``damage``, so the last document is not lost."""
    try:
        for number, content, cut_off in lines:
            if content is None:
                yield Line(number, "", "cut-off-line" if cut_off else "long-line")
                continue
            try:
                text = content.decode("utf-8-sig" if number == 1 else "utf-8")
            except UnicodeDecodeError:
                yield Line(number, "", "bad-utf8-line")
                continue
            yield Line(number, "", "nul-line") if "\0" in text else Line(number, text.strip())
    except DamagedFileError as error:
        damage.append(error)


def _read_json_lines(
    source: Source, settings: ReadSettings, tally: Tally, languages: Collection[str]
) -> Iterator[Document]:
    fallback = source.language or UNKNOWN_LANGUAGE
    for number, content, cut_off in numbered_lines(read_blocks(source), max_bytes=settings.max_record_bytes):
        if content is None:
            lose(fallback, "cut-off-record" if cut_off else "long-record", tally)
            continue
        if not content.strip():
            continue
        try:
            record = json.loads(content.decode("utf-8-sig" if number == 1 else "utf-8"))
        except UnicodeDecodeError:
            lose(fallback, "bad-utf8-record", tally)
            continue
        except (ValueError, RecursionError):
            lose(fallback, "bad-json", tally)
            continue
        if isinstance(record, dict):
            yield from _read_record(record, number, source, settings, tally, languages)
        else:
            lose(fallback, "not-an-object", tally)


def _read_table(
    records: Iterable[Mapping[str, Any]],
    source: Source,
    settings: ReadSettings,
    tally: Tally,
    languages: Collection[str],
) -> Iterator[Document]:
    for number, record in enumerate(records, start=1):
        yield from _read_record(record, number, source, settings, tally, languages)


def _read_record(
    record: Mapping[str, Any],
    number: int,
    source: Source,
    settings: ReadSettings,
    tally: Tally,
    languages: Collection[str],
) -> Iterator[Document]:
    """One JSON object or table row."""
    named, script = record.get(settings.language_key), record.get(settings.script_key)
    if isinstance(named, str) and isinstance(script, str):
        named = f"{named}-{script}"
    language = source.language if named is None else code_or_none(named) if isinstance(named, str) else None
    if language is None:
        lose(UNKNOWN_LANGUAGE, "no-language" if named is None else "bad-language", tally)
        return
    text = record.get(settings.text_key)
    if languages and language not in languages:
        lose(language, "other-language", tally)
    elif not isinstance(text, str):
        lose(language, "no-text", tally)
    else:
        kept = {key: _plain(record[key]) for key in settings.keep_keys if record.get(key) is not None}
        lines = (line for line in record_lines(number, text, settings.max_line_bytes) if not line.is_blank)
        yield from assemble(language, lines, kept, settings, tally)


def _plain(value: Any) -> Any:
    """A value that JSON can hold: numbers and truth values as they are, all else as text."""
    return value if isinstance(value, bool | int | float) else str(value).encode("utf-8", "replace").decode()
