"""Compressed files as bounded blocks of their content: gzip, zstd, xz and bzip2, with one member or many.

What stands before damage comes out whole; then DamagedFileError says what is wrong.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import zlib
from collections.abc import Iterator
from typing import BinaryIO, Literal, Protocol

import zstandard

__all__ = ["COMPRESSIONS", "DamagedFileError", "Openable", "unpacked"]

COMPRESSIONS = {".gz": "gzip", ".zst": "zstd", ".xz": "xz", ".bz2": "bzip2"}
BLOCK_BYTES = 1 << 20
# Small, because one compressed byte may stand for thousands.
COMPRESSED_BLOCK_BYTES = 1 << 14
# Of xz, whose files choose how much their reader needs: -9 needs 65 MiB, and only dictionaries made by hand need more.
MAX_XZ_BYTES = 1 << 28


class DamagedFileError(Exception):
    """A file breaks off or cannot be decompressed; what was read before the damage is good. Never leaves this room."""


class Openable(Protocol):
    """A Path, or a file elsewhere."""

    def open(self, mode: Literal["rb"], /) -> BinaryIO:
        """Its bytes, as a stream."""


def unpacked(path: Openable, compression: str) -> Iterator[bytes]:
    """The file's content in blocks of bounded size; ``compression`` is empty or one of ``COMPRESSIONS``' values.

    Raises DamagedFileError after the last good byte, OSError if the file cannot be read.
    """
    if compression == "gzip":
        yield from _gzip_blocks(path)
    elif compression == "zstd":
        yield from _zstd_blocks(path)
    elif compression:
        yield from _stream_blocks(path, compression)
    else:
        with path.open("rb") as stream:
            while block := stream.read(BLOCK_BYTES):
                yield block


def _gzip_blocks(path: Openable) -> Iterator[bytes]:
    with path.open("rb") as packed, gzip.open(packed) as stream:
        while True:
            try:
                # read1 gives what is there; read would throw away the good bytes before the damage.
                block = stream.read1(BLOCK_BYTES)
            except (EOFError, gzip.BadGzipFile, zlib.error) as error:
                raise DamagedFileError(f"damaged gzip ({error})") from None
            if not block:
                return
            yield block


def _zstd_blocks(path: Openable) -> Iterator[bytes]:
    # The library's stream_reader ends a truncated file without an error and swallows its tail: frames are walked here.
    frame = zstandard.ZstdDecompressor().decompressobj()
    in_frame = False
    with path.open("rb") as stream:
        while data := stream.read(COMPRESSED_BLOCK_BYTES):
            while data:
                try:
                    block = frame.decompress(data)
                except zstandard.ZstdError as error:
                    raise DamagedFileError(f"damaged zstd ({error})") from None
                if block:
                    yield block
                in_frame, data = not frame.eof, b""
                if frame.eof:
                    data = frame.unused_data
                    frame = zstandard.ZstdDecompressor().decompressobj()
    if in_frame:
        raise DamagedFileError("damaged zstd (the file ends inside a frame)")


def _stream_blocks(path: Openable, compression: str) -> Iterator[bytes]:
    """xz and bzip2, whose dumps are often many streams one after the other."""
    unpacker = _unpacker(compression)
    in_stream = False
    with path.open("rb") as stream:
        while data := stream.read(COMPRESSED_BLOCK_BYTES):
            # Between its streams xz may have zeros.
            while data := data if in_stream or compression != "xz" else data.lstrip(b"\0"):
                in_stream = True
                try:
                    block = unpacker.decompress(data, BLOCK_BYTES)
                    while block or not (unpacker.needs_input or unpacker.eof):
                        yield block
                        block = b"" if unpacker.eof else unpacker.decompress(b"", BLOCK_BYTES)
                except (OSError, EOFError, ValueError, lzma.LZMAError) as error:
                    raise DamagedFileError(f"damaged {compression} ({error})") from None
                data = b""
                if unpacker.eof:
                    data, unpacker, in_stream = unpacker.unused_data, _unpacker(compression), False
    if in_stream:
        raise DamagedFileError(f"damaged {compression} (the file ends inside a stream)")


def _unpacker(compression: str) -> bz2.BZ2Decompressor | lzma.LZMADecompressor:
    if compression == "bzip2":
        return bz2.BZ2Decompressor()
    return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=MAX_XZ_BYTES)
