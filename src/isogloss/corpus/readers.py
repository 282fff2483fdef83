"""Readers: one input file → a stream of documents, with everything that is not kept counted by reason.

    tally = Tally()
    for document in read_source(source, settings, tally, languages=frozenset()): ...

Lines lose white space at their ends and blank lines only mark borders; nothing else is changed. Memory is bounded
by ``max_record_bytes`` for JSON lines and by ``max_document_bytes`` for text, whatever the file.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from pydantic import Field, model_validator

from isogloss.config import Settings
from isogloss.corpus.extras import load_pyarrow
from isogloss.corpus.sources import DamagedFileError, NumberedLine, Source, code_or_none, numbered_lines, read_blocks
from isogloss.corpus.tally import UNKNOWN_LANGUAGE, Tally

__all__ = ["Document", "ReadSettings", "read_source"]

PARQUET_BATCH_ROWS = 256
# JSON may escape half of a pair, which no UTF-8 can hold.
_SURROGATE = re.compile("[\ud800-\udfff]")


class ReadSettings(Settings):
    """How input files are read."""

    text_key: str = Field("text", description="key or column that holds a record's text")
    language_key: str = Field("language", description="key or column that holds a record's language")
    keep_keys: tuple[str, ...] = Field(
        (), description="further keys or columns kept with each document, as url or date"
    )
    max_line_bytes: int = Field(1 << 20, gt=0, description="a longer line of text is dropped and counted")
    max_document_bytes: int = Field(1 << 20, gt=0, description="a longer document is split at a line end")
    max_record_bytes: int = Field(1 << 26, gt=0, description="a longer JSON line is dropped and counted")

    @model_validator(mode="after")
    def _line_fits_document(self) -> ReadSettings:
        if self.max_line_bytes > self.max_document_bytes:
            raise ValueError(
                f"max_line_bytes = {self.max_line_bytes} is over max_document_bytes = {self.max_document_bytes}; "
                "a document must have room for a line"
            )
        return self


@dataclass(frozen=True, slots=True)
class Document:
    """A document as it was read; ``line`` is where it begins in its file (a record's number in Parquet)."""

    language: str
    lines: tuple[str, ...]
    line: int
    piece: int = 0
    source: Mapping[str, Any] = field(default_factory=dict)

    @property
    def place(self) -> str:
        """Where it stands in its file, unique there: LINE, and LINE+PIECE for what was split off a long document."""
        return f"{self.line}+{self.piece}" if self.piece else str(self.line)

    @property
    def text(self) -> str:
        """The lines, joined."""
        return "\n".join(self.lines)


class _Line(NamedTuple):
    """One line of text: what it says, or the reason why it cannot be kept."""

    number: int
    text: str
    reason: str = ""

    @property
    def is_blank(self) -> bool:
        return not self.text and not self.reason


def read_source(
    source: Source, settings: ReadSettings, tally: Tally, *, languages: Collection[str]
) -> Iterator[Document]:
    """The documents of one file in order; ``languages`` chooses, none means all.

    Raises OSError if the file cannot be read and DamagedFileError where it breaks off, after its last good document.
    """
    readers: dict[str, Callable[[], Iterator[Document]]] = {
        "text": lambda: _read_text(source, settings, tally),
        "jsonl": lambda: _read_json_lines(source, settings, tally, languages),
        "parquet": lambda: _read_parquet(source, settings, tally, languages),
    }
    return readers[source.format]()


def _read_text(source: Source, settings: ReadSettings, tally: Tally) -> Iterator[Document]:
    assert source.language is not None, "a text file needs a language in its name"
    damage: list[DamagedFileError] = []
    lines = _text_lines(numbered_lines(read_blocks(source), max_bytes=settings.max_line_bytes), damage)
    for is_blank, group in itertools.groupby(lines, key=lambda line: line.is_blank):
        if not is_blank:
            yield from _assemble(source.language, group, {}, settings, tally)
    if damage:
        raise damage[0]


def _text_lines(lines: Iterator[NumberedLine], damage: list[DamagedFileError]) -> Iterator[_Line]:
    """Decode lines; damage ends the stream and is handed over in ``damage``, so the last document is not lost."""
    try:
        for number, content, cut_off in lines:
            if content is None:
                yield _Line(number, "", "cut-off-line" if cut_off else "long-line")
                continue
            try:
                text = content.decode("utf-8-sig" if number == 1 else "utf-8")
            except UnicodeDecodeError:
                yield _Line(number, "", "bad-utf8-line")
                continue
            yield _Line(number, "", "nul-line") if "\0" in text else _Line(number, text.strip())
    except DamagedFileError as error:
        damage.append(error)


def _read_json_lines(
    source: Source, settings: ReadSettings, tally: Tally, languages: Collection[str]
) -> Iterator[Document]:
    fallback = source.language or UNKNOWN_LANGUAGE
    for number, content, cut_off in numbered_lines(read_blocks(source), max_bytes=settings.max_record_bytes):
        if content is None:
            _lose(fallback, "cut-off-record" if cut_off else "long-record", tally)
            continue
        if not content.strip():
            continue
        try:
            record = json.loads(content.decode("utf-8-sig" if number == 1 else "utf-8"))
        except UnicodeDecodeError:
            _lose(fallback, "bad-utf8-record", tally)
            continue
        except (ValueError, RecursionError):
            _lose(fallback, "bad-json", tally)
            continue
        if isinstance(record, dict):
            yield from _read_record(record, number, source, settings, tally, languages)
        else:
            _lose(fallback, "not-an-object", tally)


def _read_parquet(
    source: Source, settings: ReadSettings, tally: Tally, languages: Collection[str]
) -> Iterator[Document]:
    pa = load_pyarrow()
    try:
        with pa.parquet.ParquetFile(source.path) as table:
            names = table.schema_arrow.names
            if settings.text_key not in names:
                raise DamagedFileError(f"no column '{settings.text_key}' (it has {', '.join(names) or 'none'})")
            wanted = (settings.text_key, settings.language_key, *settings.keep_keys)
            number = 0
            for batch in table.iter_batches(PARQUET_BATCH_ROWS, columns=[name for name in names if name in wanted]):
                for record in batch.to_pylist():
                    number += 1
                    yield from _read_record(record, number, source, settings, tally, languages)
    except pa.ArrowException as error:
        raise DamagedFileError(f"damaged Parquet ({str(error).splitlines()[0]})") from None


def _read_record(
    record: Mapping[str, Any],
    number: int,
    source: Source,
    settings: ReadSettings,
    tally: Tally,
    languages: Collection[str],
) -> Iterator[Document]:
    """One JSON object or table row."""
    named = record.get(settings.language_key)
    language = source.language if named is None else code_or_none(named) if isinstance(named, str) else None
    if language is None:
        _lose(UNKNOWN_LANGUAGE, "no-language" if named is None else "bad-language", tally)
        return
    text = record.get(settings.text_key)
    if languages and language not in languages:
        _lose(language, "other-language", tally)
    elif not isinstance(text, str):
        _lose(language, "no-text", tally)
    else:
        kept = {key: _plain(record[key]) for key in settings.keep_keys if record.get(key) is not None}
        lines = (line for line in _record_lines(number, text, settings.max_line_bytes) if not line.is_blank)
        yield from _assemble(language, lines, kept, settings, tally)


def _record_lines(number: int, text: str, max_line_bytes: int) -> Iterator[_Line]:
    for line in text.split("\n"):
        if "\0" in line:
            yield _Line(number, "", "nul-line")
        elif len(line) > max_line_bytes or len(line.encode("utf-8", "surrogatepass")) > max_line_bytes:
            yield _Line(number, "", "long-line")
        elif _SURROGATE.search(line):
            yield _Line(number, "", "bad-utf8-line")
        else:
            yield _Line(number, line.strip())


def _assemble(
    language: str, lines: Iterable[_Line], source: Mapping[str, Any], settings: ReadSettings, tally: Tally
) -> Iterator[Document]:
    """Join the lines of one document, or of several where it is too long, dropping lines that carry a reason."""
    kept: list[str] = []
    first = size = pieces = num_lines = 0
    for number, text, reason in lines:
        num_lines += 1
        if reason:
            tally.drop_line(language, reason)
            continue
        length = len(text.encode()) + 1
        if kept and size + length > settings.max_document_bytes:
            tally.note(language, "split-document")
            tally.meet(language, documents=1)
            yield Document(language, tuple(kept), first, pieces, source)
            kept, size, pieces = [], 0, pieces + 1
        first = first if kept else number
        kept.append(text)
        size += length
    tally.meet(language, documents=1, lines=num_lines)
    if kept:
        yield Document(language, tuple(kept), first, pieces, source)
    else:
        tally.drop_document(language, "empty-document")


def _lose(language: str, reason: str, tally: Tally) -> None:
    tally.meet(language, documents=1)
    tally.drop_document(language, reason)


def _plain(value: Any) -> Any:
    """A value that JSON can hold: numbers and truth values as they are, all else as text."""
    return value if isinstance(value, bool | int | float) else str(value).encode("utf-8", "replace").decode()
