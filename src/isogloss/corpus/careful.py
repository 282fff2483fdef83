"""The careful reader of WARC records: looks at both ends of each, and goes on where the next one begins.

What it calls whole: a header that can be parsed, as many bytes as it says, and behind them the next record, the end of
the file, or another member; and a member that could be decompressed to its end, checksum included.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from isogloss.corpus.members import Block, read_members

__all__ = ["RECORD_HEAD", "Broken", "CarefulReader", "Handover", "NotAlignedError", "Record"]

RECORD_HEAD = b"WARC/"
MAX_HEADER_BYTES = 1 << 16
# Two line ends close a record; behind so many, nothing else is looked for.
MAX_BLANK_BYTES = 1 << 10
_HEADER_END = re.compile(rb"\r?\n\r?\n")
_RECORD_START = re.compile(rb"\n\r?\n(?=WARC/[01]\.[0-9])")
_VERSION = re.compile(rb"WARC/[01]\.[0-9]+\s*")
# What a record is known by when two readers are compared.
_IDENTITY = ("WARC-Record-ID", "WARC-Target-URI", "WARC-Date", "Content-Length")


class Record(NamedTuple):
    """A record that is whole; ``offset`` is where it begins in the file, or the compressed member that holds it."""

    headers: Mapping[bytes, bytes]
    content: bytes
    offset: int

    def header(self, name: str) -> str:
        """A header's value, in whatever case its name is written; empty if there is none."""
        value = self.headers.get(name.encode())
        if value is None:
            small = name.lower().encode()
            value = next((held for key, held in self.headers.items() if key.lower() == small), b"")
        return value.decode("utf-8", "replace")


class Broken(NamedTuple):
    """Something that cannot be given, with the name of the reason."""

    reason: str
    offset: int


class Handover(NamedTuple):
    """Where careful reading begins, and which record fast reading saw there (None: it saw none)."""

    offset: int
    headers: Mapping[bytes, bytes] | None


class NotAlignedError(Exception):
    """Members do not begin where records do, so that fast reading cannot tell where it is."""


class CarefulReader:
    """A buffer over the file's blocks; it never holds more than a record, a header and a few blocks.

    ``_marks`` are the places in the buffer where members begin, each with the member's offset in the file.
    """

    def __init__(self, path: Path, compression: str, start: Handover, max_bytes: int) -> None:
        self._blocks = read_members(path, compression, start.offset)
        self._expected = start.headers
        self._is_compressed = bool(compression)
        self._max_bytes = max_bytes
        self._buffer = bytearray()
        self._marks: list[tuple[int, int]] = []
        self._offset = start.offset  # of the buffer's first byte, or of the member that holds it
        self._damage: int | None = None  # where the member begins that breaks off behind the buffer

    def read(self, patience: int | None) -> Iterator[Record | Broken | Handover]:
        """Records and what is broken; after ``patience`` good records, where the next one begins, and no more.

        Raises NotAlignedError if the first record is another one than was expected.
        """
        num_good = 0
        while True:
            while self._available(1) and self._buffer[0] in b"\r\n":
                self._consume(len(self._buffer) - len(self._buffer.lstrip(b"\r\n")))
            if not self._buffer:
                if self._damage is None:
                    if self._expected is not None:
                        raise NotAlignedError
                    return
                yield self._broken_member()
                num_good = 0
                continue
            if patience is not None and num_good >= patience and self._at_record_of_its_own():
                yield Handover(self._offset, None)
                return
            found = self._next_record()
            num_good = num_good + 1 if isinstance(found, Record) else 0
            yield found

    def _next_record(self) -> Record | Broken:
        """The record at the front of the buffer, or why there is none; both are consumed."""
        offset = self._offset
        match = self._header_end()
        headers = _parse_headers(bytes(self._buffer[: match.start()])) if match else None
        if self._expected is not None and (headers is None or _identity(headers) != _identity(self._expected)):
            raise NotAlignedError
        self._expected = None
        begins_well = RECORD_HEAD.startswith(bytes(self._buffer[: len(RECORD_HEAD)]))
        if match is None and begins_well and len(self._buffer) < MAX_HEADER_BYTES:
            return self._cut_off(offset)
        if match is None or headers is None:
            return self._skip("bad-record-header", offset, 1)
        length = _content_length(headers)
        if length is None or length > self._max_bytes:
            return self._skip("bad-length" if length is None else "long-record", offset, match.end())
        begin, end = match.end(), match.end() + length
        is_there = self._available(end)
        if any(begin <= mark < end and self._record_at(mark) for mark, _ in list(self._marks)):
            return self._skip("bad-length", offset, begin)
        if not is_there:
            if self._damage is None and _RECORD_START.search(self._buffer, begin):
                return self._skip("bad-length", offset, begin)
            return self._cut_off(offset)
        return self._closed(Record(headers, bytes(self._buffer[begin:end]), offset), begin, end)

    def _closed(self, record: Record, begin: int, end: int) -> Record | Broken:
        """The record if what stands behind it shows that it is whole."""
        place = end
        in_next_member = False
        while self._available(place + 1) and not (in_next_member := self._member_begins_within(end, place)):
            if self._buffer[place] not in b"\r\n":
                break
            place += 1
            if place - end > MAX_BLANK_BYTES:
                self._consume(end)
                return record
        self._available(place + len(RECORD_HEAD))
        next_begins = bytes(self._buffer[place : place + len(RECORD_HEAD)])
        member = next((offset for mark, offset in reversed(self._marks) if mark < end), self._offset)
        if self._damage == member:
            return self._cut_off(record.offset)
        # Of a file that breaks off there may be less than a head.
        if not in_next_member and not RECORD_HEAD.startswith(next_begins):
            return self._skip("bad-length", record.offset, begin)
        self._consume(end)
        return record

    def _cut_off(self, offset: int) -> Broken:
        """The file or a member of it ends within the record at the front; nothing behind it can be read."""
        self._consume(len(self._buffer))
        return self._broken_member() if self._damage is not None else Broken("cut-off-record", offset)

    def _broken_member(self) -> Broken:
        assert self._damage is not None
        broken = Broken("bad-member", self._damage)
        self._damage = None
        self._expected = None
        return broken

    def _skip(self, reason: str, offset: int, begin: int) -> Broken:
        """Go on where the next record begins behind ``begin``: at a member, if this one stood at one, else anywhere."""
        only_members = self._is_compressed and self._starts_member()
        self._consume(begin)
        while True:
            place = next((mark for mark, _ in list(self._marks) if self._record_at(mark)), None)
            if not only_members and (match := _RECORD_START.search(self._buffer)):
                place = match.end() if place is None else min(place, match.end())
            if place is not None:
                self._consume(place)
                break
            # As much as may be the beginning of what is looked for.
            self._consume(max(0, len(self._buffer) - 16))
            if not self._fill():
                self._consume(len(self._buffer))
                break
        return Broken(reason, offset)

    def _header_end(self) -> re.Match[bytes] | None:
        """Where the header at the front ends; None if what is there is none, or too long, or cut off."""
        self._available(len(RECORD_HEAD))
        while self._buffer.startswith(RECORD_HEAD):
            match = _HEADER_END.search(self._buffer, 0, MAX_HEADER_BYTES)
            if match or len(self._buffer) >= MAX_HEADER_BYTES or not self._fill():
                return match
        return None

    def _member_begins_within(self, begin: int, end: int) -> bool:
        return any(begin <= mark <= end for mark, _ in self._marks)

    def _record_at(self, place: int) -> bool:
        self._available(place + len(RECORD_HEAD))
        return self._buffer.startswith(RECORD_HEAD, place)

    def _at_record_of_its_own(self) -> bool:
        return self._record_at(0) and (not self._is_compressed or self._starts_member())

    def _starts_member(self) -> bool:
        return bool(self._marks) and self._marks[0][0] == 0

    def _available(self, num_bytes: int) -> bool:
        while len(self._buffer) < num_bytes:
            if not self._fill():
                return False
        return True

    def _fill(self) -> bool:
        """One block more; False at damage, which holds up everything behind it, and at the end of the file."""
        if self._damage is not None or (found := next(self._blocks, None)) is None:
            return False
        if not isinstance(found, Block):
            self._damage = found.offset
            return False
        if found.begins:
            self._marks.append((len(self._buffer), found.offset))
            if not self._buffer:
                self._offset = found.offset
        self._buffer += found.data
        return True

    def _consume(self, num_bytes: int) -> None:
        del self._buffer[:num_bytes]
        if not self._is_compressed:
            self._offset += num_bytes
        marks = [(mark - num_bytes, offset) for mark, offset in self._marks]
        if passed := [offset for mark, offset in marks if mark <= 0]:
            self._offset = passed[-1]
        self._marks = [(mark, offset) for mark, offset in marks if mark >= 0]


def _parse_headers(block: bytes) -> dict[bytes, bytes] | None:
    """Names and values of a WARC header; None if it is none, or has no type."""
    first, *lines = re.split(rb"\r?\n", block)
    if _VERSION.fullmatch(first) is None:
        return None
    headers: dict[bytes, bytes] = {}
    name = b""
    for line in lines:
        if line[:1] in (b" ", b"\t") and name:
            headers[name] += b" " + line.strip()
        elif (parts := line.partition(b":"))[1]:
            name = parts[0].strip()
            headers[name] = parts[2].strip()
    return headers if Record(headers, b"", 0).header("WARC-Type") else None


def _content_length(headers: Mapping[bytes, bytes]) -> int | None:
    said = Record(headers, b"", 0).header("Content-Length")
    return int(said) if re.fullmatch("[0-9]{1,18}", said) else None


def _identity(headers: Mapping[bytes, bytes]) -> list[str]:
    record = Record(headers, b"", 0)
    return [record.header(name) for name in _IDENTITY]
