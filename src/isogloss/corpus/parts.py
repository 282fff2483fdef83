"""The files of a build: documents as they were read (Parquet, between the phases), finished parts (JSON lines, zstd).

Both are read and written in the order of reading. A finished line is
``{"id", "text", "file", "line"}`` and, where the recipe keeps further keys, ``"source"``; ``id`` is FILE:LINE, or
FILE:LINE+PIECE for what was split off a long document.
"""

from __future__ import annotations

import io
import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import xxhash
import zstandard

from isogloss.corpus.extras import load_pyarrow
from isogloss.corpus.readers import Document
from isogloss.corpus.steps import Verdicts
from isogloss.corpus.tally import Tally
from isogloss.errors import FolderError

__all__ = ["ReadingWriter", "read_part", "write_parts"]

BUFFER_BYTES = 1 << 25
BATCH_ROWS = 256
# A document's place in the order of reading is SOURCE << SOURCE_SHIFT | NUMBER.
SOURCE_SHIFT = 40
COMPRESSION_LEVEL = 3


class ReadingWriter:
    """Writes one source's documents to ``folder/LANGUAGE.parquet``; the buffer of all languages is bounded."""

    def __init__(self, folder: Path, source_index: int, file_name: str) -> None:
        self._folder = folder
        self._file_name = file_name
        self._next = defaultdict[str, int](lambda: source_index << SOURCE_SHIFT)
        self._rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self._bytes: dict[str, int] = defaultdict(int)
        self._buffered = 0
        self._writers: dict[str, Any] = {}
        folder.mkdir(parents=True)

    def __enter__(self) -> ReadingWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            for language in sorted(self._rows):
                self._flush(language)
        for writer in self._writers.values():
            writer.close()

    def add(self, document: Document) -> None:
        """Write one document, now or when the buffer is full."""
        text, language = document.text, document.language
        row = {
            "document": self._next[language],
            "text": text,
            "hash": xxhash.xxh3_64_intdigest(text.encode()),
            "line_hashes": [xxhash.xxh3_64_intdigest(line.encode()) for line in document.lines],
            "id": f"{self._file_name}:{document.place}",
            "file": self._file_name,
            "line": document.line,
            "source": json.dumps(document.source, ensure_ascii=False) if document.source else "",
        }
        self._next[language] += 1
        self._rows[language].append(row)
        size = len(text) + 64 * len(document.lines)
        self._bytes[language] += size
        self._buffered += size
        if self._buffered > BUFFER_BYTES:
            self._flush(max(self._bytes, key=lambda code: self._bytes[code]))

    def _flush(self, language: str) -> None:
        rows = self._rows.pop(language, [])
        self._buffered -= self._bytes.pop(language, 0)
        if not rows:
            return
        pa = load_pyarrow()
        schema = pa.schema(
            {
                "document": pa.int64(),
                "text": pa.large_string(),
                "hash": pa.uint64(),
                "line_hashes": pa.list_(pa.uint64()),
                "id": pa.string(),
                "file": pa.string(),
                "line": pa.int64(),
                "source": pa.string(),
            }
        )
        if language not in self._writers:
            self._writers[language] = pa.parquet.ParquetWriter(
                self._folder / f"{language}.parquet", schema, compression="zstd"
            )
        self._writers[language].write_table(pa.Table.from_pylist(rows, schema=schema))


def write_parts(
    files: Sequence[Path],
    folder: Path,
    verdicts: Verdicts,
    tally: Tally,
    *,
    max_bytes: int | None,
    part_bytes: int,
) -> dict[str, int]:
    """Write one language's documents as parts, leaving out what ``verdicts`` and ``max_bytes`` say; returns statistics.

    ``folder`` is named after the language.
    """
    language = folder.name
    kept = dict.fromkeys(("documents", "lines", "characters", "bytes", "words"), 0)
    full = False
    with _PartWriter(folder, part_bytes) as parts:
        for row, lines in _decided(_rows(files), verdicts, language, tally):
            text = "\n".join(lines)
            size = len(text.encode())
            full = full or (max_bytes is not None and kept["bytes"] + size > max_bytes)
            if full:
                tally.drop_document(language, "over-limit", lines=len(lines))
                continue
            for key, number in (("documents", 1), ("lines", len(lines)), ("characters", len(text)), ("bytes", size)):
                kept[key] += number
            kept["words"] += len(text.split())
            record = {"id": row["id"], "text": text, "file": row["file"], "line": row["line"]}
            if row["source"]:
                record["source"] = json.loads(row["source"])
            parts.write(json.dumps(record, ensure_ascii=False))
    return kept


def read_part(path: Path) -> Iterator[dict[str, Any]]:
    """The records of one finished part; raises FolderError naming it if it is damaged."""
    try:
        with path.open("rb") as stream:
            blocks = zstandard.ZstdDecompressor().stream_reader(stream)
            # newline="\n": a text may hold other characters that end a line.
            for line in io.TextIOWrapper(blocks, encoding="utf-8", newline="\n"):
                yield json.loads(line)
    except (OSError, ValueError, zstandard.ZstdError) as error:
        raise FolderError(
            f"{path} cannot be read ({error}); make the corpus again with 'isogloss corpus build'"
        ) from None


class _PartWriter:
    """Writes JSON lines to part-00000.jsonl.zst and on, a new part after ``part_bytes`` of lines."""

    def __init__(self, folder: Path, part_bytes: int) -> None:
        self._folder = folder
        self._part_bytes = part_bytes
        self._number = 0
        self._written = 0
        self._stream: Any = None

    def __enter__(self) -> _PartWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def write(self, line: str) -> None:
        data = line.encode() + b"\n"
        if self._stream is not None and self._written + len(data) > self._part_bytes:
            self._close()
        if self._stream is None:
            self._folder.mkdir(parents=True, exist_ok=True)
            path = self._folder / f"part-{self._number:05d}.jsonl.zst"
            self._stream = zstandard.ZstdCompressor(level=COMPRESSION_LEVEL).stream_writer(path.open("wb"))
            self._number, self._written = self._number + 1, 0
        self._stream.write(data)
        self._written += len(data)

    def _close(self) -> None:
        if self._stream is not None:
            self._stream.close()
            self._stream = None


def _rows(files: Sequence[Path]) -> Iterator[dict[str, Any]]:
    parquet = load_pyarrow().parquet
    for path in files:
        with parquet.ParquetFile(path) as table:
            for batch in table.iter_batches(BATCH_ROWS):
                yield from batch.to_pylist()


def _decided(
    rows: Iterator[dict[str, Any]], verdicts: Verdicts, language: str, tally: Tally
) -> Iterator[tuple[dict[str, Any], list[str]]]:
    """Rows that stay, with their lines that stay; the others are counted."""
    next_duplicate = 0
    for row in rows:
        lines = row["text"].split("\n")
        # Both run in the order of reading, so one look at the next verdict is enough.
        if next_duplicate < len(verdicts.duplicates) and verdicts.duplicates[next_duplicate] == row["document"]:
            next_duplicate += 1
            tally.drop_document(language, "duplicate-document", lines=len(lines))
            continue
        if len(verdicts.repeated):
            kept = _first_lines(lines, row, verdicts)
            if len(kept) < len(lines):
                tally.drop_line(language, "duplicate-line", lines=len(lines) - len(kept))
            if not kept:
                tally.drop_document(language, "empty-document")
                continue
            lines = kept
        yield row, lines


def _first_lines(lines: list[str], row: dict[str, Any], verdicts: Verdicts) -> list[str]:
    """The lines that stand in no earlier document and not before in this one."""
    hashes = np.array(row["line_hashes"], np.uint64)
    places = np.minimum(np.searchsorted(verdicts.repeated, hashes), len(verdicts.repeated) - 1)
    elsewhere = (verdicts.repeated[places] == hashes) & (verdicts.first[places] != row["document"])
    own = dict[int, str]()
    for line, line_hash, is_elsewhere in zip(lines, row["line_hashes"], elsewhere.tolist(), strict=True):
        if not is_elsewhere:
            own.setdefault(line_hash, line)
    return list(own.values())
