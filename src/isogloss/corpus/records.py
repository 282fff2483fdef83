"""WARC records of a file of any age and make, plain or compressed, and where something is broken, what and why.

    for found in read_records(path, "gzip", max_bytes=1 << 26):
        match found:
            case Record(headers, content, offset): ...
            case Broken(reason, offset): ...

Two readers take turns. FastWARC reads what is whole; it passes over a file that breaks off and swallows what a wrong
length covers, so a record of its is believed only when the next one was found where it has to be. Everything else,
and the last record of each file, goes through a careful reader, which finds each break and goes on at the next record.
Both give the same records. Memory: one record of ``max_bytes``, and a megabyte.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

from isogloss.corpus.careful import Broken, CarefulReader, Handover, NotAlignedError, Record
from isogloss.corpus.extras import load_fastwarc

__all__ = ["Broken", "Record", "read_records"]

# Careful reading goes back to fast reading after this many good records, twice as many each time.
FIRST_PATIENCE = 1


def read_records(path: Path, compression: str, *, max_bytes: int) -> Iterator[Record | Broken]:
    """All records of a file in order, whatever their type; raises OSError if the file cannot be read."""
    given, patience, start = 0, FIRST_PATIENCE, 0
    try:
        while True:
            num_fast, handover = yield from _read_fast(path, compression, start, max_bytes)
            given += num_fast
            for found in CarefulReader(path, compression, handover, max_bytes).read(patience):
                if isinstance(found, Handover):
                    start = found.offset
                    break
                given += 1
                yield found
            else:
                return
            patience *= 2
    except NotAlignedError:
        pass
    # From the beginning, without what was given.
    for number, found in enumerate(CarefulReader(path, compression, Handover(0, None), max_bytes).read(None)):
        if number >= given:
            assert not isinstance(found, Handover)
            yield found


def _read_fast(
    path: Path, compression: str, start: int, max_bytes: int
) -> Generator[Record, None, tuple[int, Handover]]:
    """Records that were followed by another one; returns their number and where careful reading has to go on."""
    num_given = 0
    last: Record | None = None
    with path.open("rb") as stream:
        stream.seek(start)
        records = iter(load_fastwarc().ArchiveIterator(stream, parse_http=False))
        while (found := _next(records)) is not None:
            offset: int = found.stream_pos
            if last and offset <= last.offset:
                break
            headers = dict(found.headers.items_bytes())
            if last:
                yield last
                num_given += 1
                last = None
            length = found.content_length
            if length > max_bytes or b"WARC-Type" not in headers:
                return num_given, Handover(offset, headers)
            try:
                content = found.reader.read()
            except OSError:
                return num_given, Handover(offset, headers)
            last = Record(headers, content, offset)
            # What another record begins in was swallowed, or shows one: the careful reader tells which. Of plain text
            # few have a carriage return at all, and one byte is found many times faster than several.
            if len(content) != length or (b"\r" in content and b"\r\n\r\nWARC/1." in content):
                break
    return num_given, Handover(last.offset, last.headers) if last else Handover(start, None)


def _next(records: Iterator[Any]) -> Any:
    """The next of FastWARC's records; None at the end, and where it stumbles."""
    try:
        return next(records, None)
    except OSError:
        return None
