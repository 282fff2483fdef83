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

import os
from collections.abc import Iterator
from pathlib import Path

from isogloss.corpus.careful import RECORD_HEAD, Broken, CarefulReader, Handover, NotAlignedError, Record
from isogloss.corpus.extras import load_fastwarc
from isogloss.corpus.members import MAGIC

__all__ = ["Broken", "Record", "read_records"]

# Careful reading goes back to fast reading after this many good records, twice as many each time.
FIRST_PATIENCE = 1


def read_records(path: Path, compression: str, *, max_bytes: int) -> Iterator[Record | Broken]:
    """All records of a file in order, whatever their type; raises OSError if the file cannot be read."""
    given, patience, start = 0, FIRST_PATIENCE, 0
    try:
        while True:
            handover = Handover(0, None)
            for found in _read_fast(path, compression, start, max_bytes):
                if isinstance(found, Handover):
                    handover = found
                else:
                    given += 1
                    yield found
            for careful in CarefulReader(path, compression, handover, max_bytes).read(patience):
                if isinstance(careful, Handover):
                    start = careful.offset
                    break
                given += 1
                yield careful
            else:
                return
            patience *= 2
    except NotAlignedError:
        pass
    for number, careful in enumerate(CarefulReader(path, compression, Handover(0, None), max_bytes).read(None)):
        if number >= given:
            assert not isinstance(careful, Handover)
            yield careful


def _read_fast(path: Path, compression: str, start: int, max_bytes: int) -> Iterator[Record | Handover]:
    """Records that were followed by another one; the last thing is where careful reading has to go on."""
    warc = load_fastwarc()
    magic = MAGIC.get(compression, RECORD_HEAD)
    with path.open("rb") as stream:
        stream.seek(start)
        records = iter(warc.ArchiveIterator(stream, parse_http=False))
        last: Record | None = None
        while True:
            try:
                found = next(records, None)
            except OSError:
                found = None
            if found is None:
                break
            offset: int = found.stream_pos
            if (last and offset <= last.offset) or os.pread(stream.fileno(), len(magic), offset) != magic:
                break
            headers = dict(found.headers.items_bytes())
            if last:
                yield last
            last = None
            if found.content_length > max_bytes or b"WARC-Type" not in headers:
                yield Handover(offset, headers)
                return
            try:
                content = found.reader.read()
            except OSError:
                yield Handover(offset, headers)
                return
            last = Record(headers, content, offset)
            if len(content) != found.content_length or b"\r\n\r\nWARC/1." in content:
                break
        yield Handover(last.offset, last.headers) if last else Handover(start, None)
