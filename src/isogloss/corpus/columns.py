"""Documents between the phases of a build: Arrow tables of one language, in Parquet files on disk.

    with LanguageFiles(folder) as files: files.add("sw", table)          # folder/sw.parquet
    for table in read_tables([folder / "sw.parquet"]): ...               # some hundred documents at a time, in order
    texts, left = without_lines(texts, gone)                             # what is left of texts without some lines

A table has the columns of :func:`schema`; line feeds divide a text's lines. Nothing here makes a Python object of a
document. What is in memory at a time is BUFFER_BYTES of text while writing, and as much while reading.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt

from isogloss.corpus.dedup.normalise import num_lines
from isogloss.corpus.extras import load_pyarrow

__all__ = [
    "BATCH_BYTES",
    "BATCH_ROWS",
    "BUFFER_BYTES",
    "LanguageFiles",
    "Mask",
    "read_tables",
    "schema",
    "select",
    "signature_column",
    "signatures_of",
    "without_lines",
]

Mask = npt.NDArray[np.bool_]
BUFFER_BYTES = 1 << 25
# Enough to pay for a call; what a step takes for a batch is a multiple of its bytes (60 of them for MinHash).
BATCH_ROWS = 256
BATCH_BYTES = 1 << 20


def schema() -> Any:
    """``id`` is unique in a build; ``file`` and ``line`` say where it was read; ``source`` is what the record said of
    itself, as JSON; ``confidence`` and ``agreed`` are identification's, null where nobody asked; ``signature`` of the
    text before lines went, null where none did."""
    pa = load_pyarrow()
    return pa.schema(
        {
            "id": pa.string(),
            "text": pa.large_string(),
            "file": pa.string(),
            "line": pa.int64(),
            "source": pa.string(),
            "confidence": pa.float32(),
            "agreed": pa.bool_(),
            "signature": pa.binary(),
        }
    )


class LanguageFiles:
    """Writes ``folder/LANGUAGE.parquet`` for every language that comes; the buffer of all together is bounded."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._tables: dict[str, list[Any]] = {}
        self._bytes: dict[str, int] = {}
        self._writers: dict[str, Any] = {}
        folder.mkdir(parents=True)

    def __enter__(self) -> LanguageFiles:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            for language in sorted(self._tables):
                self._flush(language)
        for writer in self._writers.values():
            writer.close()

    def add(self, language: str, table: Any) -> None:
        """Write documents, now or when the buffer is full."""
        if not len(table):
            return
        self._tables.setdefault(language, []).append(table)
        self._bytes[language] = self._bytes.get(language, 0) + table.nbytes
        while sum(self._bytes.values()) > BUFFER_BYTES:
            self._flush(max(self._bytes, key=lambda code: self._bytes[code]))

    def _flush(self, language: str) -> None:
        pa = load_pyarrow()
        del self._bytes[language]
        table = pa.concat_tables(self._tables.pop(language))
        if language not in self._writers:
            path = self._folder / f"{language}.parquet"
            self._writers[language] = pa.parquet.ParquetWriter(path, schema(), compression="zstd")
        self._writers[language].write_table(table)


def read_tables(files: Sequence[Path]) -> Iterator[Any]:
    """The rows of Parquet files in order, BATCH_ROWS or some BATCH_BYTES of text at a time, no column in chunks."""
    parquet = load_pyarrow().parquet
    for path in files:
        with parquet.ParquetFile(path) as file:
            # By row group: batches over the whole file would not know how long the texts are.
            for number in range(file.num_row_groups):
                rows = file.read_row_group(number, use_threads=False)
                for start, stop in _batches(load_pyarrow().compute.binary_length(rows["text"]).to_numpy()):
                    yield rows.slice(start, stop - start).combine_chunks()


def _batches(sizes: npt.NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """Stretches of rows; one over BATCH_BYTES stands alone."""
    ends = np.cumsum(sizes)
    start = 0
    while start < len(sizes):
        before = ends[start] - sizes[start]
        stop = max(start + 1, int(np.searchsorted(ends, before + BATCH_BYTES, side="right")))
        stop = min(stop, start + BATCH_ROWS)
        yield start, stop
        start = stop


def signature_column(signatures: npt.NDArray[np.uint32]) -> Any:
    """MinHash signatures (documents, hashes) as Arrow binaries."""
    pa = load_pyarrow()
    little = np.ascontiguousarray(signatures, "<u4")
    return pa.array([row.tobytes() for row in little], pa.binary())


def signatures_of(column: Any) -> npt.NDArray[np.uint32]:
    """What :func:`signature_column` made, none of them null."""
    joined = b"".join(column.to_pylist())
    return np.frombuffer(joined, "<u4").reshape(len(column), -1)


def select(table: Any, rows: Mask) -> Any:
    """The rows that are true; the table itself if all are."""
    return table if rows.all() else table.filter(load_pyarrow().array(rows))


def without_lines(texts: Any, gone: Mask) -> tuple[Any, npt.NDArray[np.int64]]:
    """Texts (Arrow strings, not chunked) without the lines that are ``gone`` (of all texts, in order), and how many
    lines each has left; one without any is the empty string."""
    counts = num_lines(texts)
    if not gone.any():
        return texts, counts
    pa = load_pyarrow()
    # Arrow joins lists of its smaller strings only, which a batch fits into.
    lines = pa.compute.split_pattern(texts.cast(pa.string()), "\n").flatten()
    ends = np.cumsum(counts)
    left = np.cumsum(~gone)[ends - 1]
    offsets = pa.array(np.concatenate(([0], left)), pa.int32())
    kept = pa.ListArray.from_arrays(offsets, lines.filter(pa.array(~gone)))
    return pa.compute.binary_join(kept, "\n").cast(pa.large_string()), np.diff(left, prepend=0)
