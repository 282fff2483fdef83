"""Compressed files as streams that go on after damage: gzip members and zstd frames, each with its place in the file.

    for found in read_members(path, "gzip"):
        match found:
            case Block(offset, begins, data): ...     # bytes; `begins` where a member does
            case Damage(offset): ...                  # the member at `offset` is broken; the next block begins another

A crawl file is compressed record by record, so that what is broken in one member leaves the others whole. Blocks are
small, whatever a member inflates to.
"""

from __future__ import annotations

import functools
import zlib
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple, Protocol

import zstandard

__all__ = ["MAGIC", "Block", "Damage", "read_members"]

READ_BYTES = 1 << 16
BLOCK_BYTES = 1 << 18
# What a member begins with, by compression.
MAGIC = {"gzip": b"\x1f\x8b\x08", "zstd": b"\x28\xb5\x2f\xfd"}
# After damage, a member is believed in when this much of it, or all of it, can be decompressed.
TRIAL_BYTES = 1 << 12
# warc.zst keeps a dictionary in a first frame that decompressors skip (its own magic number, then a length).
DICTIONARY_MAGIC = b"\x5d\x2a\x4d\x18"
MAX_DICTIONARY_BYTES = 1 << 24


class Block(NamedTuple):
    """Decompressed bytes; ``offset`` is where their member begins in the file (where they do, if not compressed)."""

    offset: int
    begins: bool
    data: bytes


class Damage(NamedTuple):
    """The member at ``offset`` cannot be decompressed to its end, or what is there is no member."""

    offset: int


class _Broken(Exception):
    """What a decompressor says of bad data, whichever it is."""


class _Decoder(Protocol):
    eof: bool
    unused: bytes

    def feed(self, data: bytes) -> Iterator[bytes]: ...


class _Gzip:
    """One gzip member; the checksum at its end is compared by zlib."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(31)
        self.eof = False
        self.unused = b""

    def feed(self, data: bytes) -> Iterator[bytes]:
        try:
            while data and not self._stream.eof:
                if block := self._stream.decompress(data, BLOCK_BYTES):
                    yield block
                data = self._stream.unconsumed_tail
        except zlib.error as error:
            raise _Broken from error
        self.eof, self.unused = self._stream.eof, self._stream.unused_data


class _Zstd:
    """One zstd frame. The library has no bound on what one call gives, so it is fed little at a time."""

    STEP = 64

    def __init__(self, dictionary: zstandard.ZstdCompressionDict | None) -> None:
        self._stream = zstandard.ZstdDecompressor(dict_data=dictionary).decompressobj()
        self.eof = False
        self.unused = b""

    def feed(self, data: bytes) -> Iterator[bytes]:
        try:
            for start in range(0, len(data), self.STEP):
                if block := self._stream.decompress(data[start : start + self.STEP]):
                    yield block
                if self._stream.eof:
                    self.eof = True
                    self.unused = self._stream.unused_data + data[start + self.STEP :]
                    return
        except zstandard.ZstdError as error:
            raise _Broken from error


def read_members(path: Path, compression: str, start: int = 0) -> Iterator[Block | Damage]:
    """The file's bytes from the member at ``start`` on; raises OSError if it cannot be read."""
    with path.open("rb") as stream:
        if not compression:
            stream.seek(start)
            while data := stream.read(READ_BYTES):
                yield Block(start, False, data)
                start += len(data)
            return
        begin: Callable[[], _Decoder] = _Gzip
        if compression == "zstd":
            first, dictionary = _zstd_dictionary(stream)
            begin, start = functools.partial(_Zstd, dictionary), max(start, first)
        offset: int | None = start
        while offset is not None:
            if (broken := (yield from _read_run(stream, offset, begin))) is None:
                return
            yield Damage(broken)
            offset = _next_member(stream, broken + 1, MAGIC[compression], begin)


def _read_run(stream: BinaryIO, offset: int, begin: Callable[[], _Decoder]) -> Generator[Block, None, int | None]:
    """Members one after another from ``offset``; returns where a broken one begins, None at the end of the file."""
    stream.seek(offset)
    decoder, begins, rest = begin(), True, b""
    while True:
        if not (data := rest or stream.read(READ_BYTES)):
            # The file ends between members, or in one.
            return offset if stream.tell() > offset else None
        try:
            for block in decoder.feed(data):
                yield Block(offset, begins, block)
                begins = False
        except _Broken:
            return offset
        rest = b""
        if decoder.eof:
            rest = decoder.unused
            offset = stream.tell() - len(rest)
            decoder, begins = begin(), True


def _next_member(stream: BinaryIO, start: int, magic: bytes, begin: Callable[[], _Decoder]) -> int | None:
    """Where the next member begins that can be decompressed, at least its first bytes; None if there is none."""
    place = start
    while True:
        stream.seek(place)
        data = stream.read(READ_BYTES)
        found = data.find(magic)
        while found >= 0:
            if _can_be_read(stream, place + found, begin):
                return place + found
            found = data.find(magic, found + 1)
        if len(data) < READ_BYTES:
            return None
        place += len(data) - len(magic) + 1


def _can_be_read(stream: BinaryIO, offset: int, begin: Callable[[], _Decoder]) -> bool:
    stream.seek(offset)
    decoder, num_bytes = begin(), 0
    try:
        for block in decoder.feed(stream.read(READ_BYTES)):
            num_bytes += len(block)
            if num_bytes >= TRIAL_BYTES:
                return True
    except _Broken:
        return False
    return decoder.eof or num_bytes > 0


def _zstd_dictionary(stream: BinaryIO) -> tuple[int, zstandard.ZstdCompressionDict | None]:
    """Where the first frame of data begins, and the dictionary that a frame to skip holds before it."""
    stream.seek(0)
    magic, length = stream.read(4), int.from_bytes(stream.read(4), "little")
    if magic != DICTIONARY_MAGIC or length > MAX_DICTIONARY_BYTES:
        return 0, None
    kept = stream.read(length)
    try:
        if kept.startswith(MAGIC["zstd"]):
            # Read as a stream: a whole frame would be given the room that its header asks for, damaged or not.
            with zstandard.ZstdDecompressor().stream_reader(kept) as frame:
                kept = frame.read(MAX_DICTIONARY_BYTES)
        dictionary = zstandard.ZstdCompressionDict(kept)
        zstandard.ZstdDecompressor(dict_data=dictionary).decompressobj()
    except zstandard.ZstdError:
        return 8 + length, None
    return 8 + length, dictionary
