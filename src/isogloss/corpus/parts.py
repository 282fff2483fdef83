"""The finished parts of a corpus: JSON lines, zstd, in the order of reading.

A line is ``{"id", "text", "file", "line"}`` and, where there is something in them, ``"source"``, what the record said
of itself (url, date, digest, offset, or what the recipe keeps), and ``"scores"``. ``id`` is FILE:LINE, or
FILE:LINE+PIECE for what was split off a long document.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

import zstandard

from isogloss.errors import FolderError

__all__ = ["PartWriter", "read_part"]

COMPRESSION_LEVEL = 3


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


class PartWriter:
    """Writes JSON lines to part-00000.jsonl.zst and on, a new part after ``part_bytes`` of lines."""

    def __init__(self, folder: Path, part_bytes: int) -> None:
        self._folder = folder
        self._part_bytes = part_bytes
        self._number = 0
        self._written = 0
        self._stream: Any = None

    def __enter__(self) -> PartWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def write(self, line: str) -> None:
        """One more line, without its end."""
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
