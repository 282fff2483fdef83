"""Finding input files and reading them as bounded blocks and lines, with every damage noticed.

A source is one file: ``LANG.txt``, ``LANG.jsonl``, ``LANG.parquet``, or any such file under a folder ``LANG/``, or a
crawl file (``.wet``, ``.warc``, ``.warc.wet``), whose name says no language; all but Parquet may be compressed
(``.gz``, ``.zst``). Hidden files are left alone; every other file is read or reported.
"""

from __future__ import annotations

import errno
import functools
import gzip
import os
import stat
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import zstandard

from isogloss.errors import DataError
from isogloss.languages import canonical_code, is_known
from isogloss.manifest import MANIFEST_NAME

__all__ = [
    "NOT_ASKED_FOR",
    "DamagedFileError",
    "FileState",
    "NumberedLine",
    "Source",
    "code_or_none",
    "file_state",
    "find_sources",
    "numbered_lines",
    "read_blocks",
]

BLOCK_BYTES = 1 << 20
# Small, because one compressed byte may stand for thousands.
COMPRESSED_BLOCK_BYTES = 1 << 14
FORMATS = {
    **{".txt": "text", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet"},
    **{".warc": "crawl", ".wet": "crawl"},
}
# Why a file whose name says another language than those asked for is not opened.
NOT_ASKED_FOR = "not read: language not asked for"
COMPRESSIONS = {".gz": "gzip", ".zst": "zstd"}


# What the errors say that an input is.
INPUTS = "LANG.txt, .jsonl, .parquet, .wet or .warc files"


class DamagedFileError(Exception):
    """A file breaks off or cannot be decompressed; what was read before the damage is good. Never leaves this room."""


@dataclass(frozen=True)
class Source:
    """One input file: ``name`` relative to the input folder, and what its name says (empty or None: nothing)."""

    path: Path
    name: str
    format: str
    compression: str
    language: str | None


class FileState(NamedTuple):
    """What changes when a file does."""

    bytes: int
    mtime_ns: int
    inode: int


class NumberedLine(NamedTuple):
    """A line and its number from 1; ``content`` is None if it was too long to keep or cut off by damage."""

    number: int
    content: bytes | None
    cut_off: bool = False


def find_sources(root: Path) -> list[Source]:
    """Every file under ``root`` that is not hidden, nor its manifest, by name; ``root`` may be a single file.

    Raises DataError if there is nothing.
    """
    if root.is_file():
        return [_source(root, root.name)]
    if not root.is_dir():
        raise DataError(f"input {root} does not exist; give a folder of {INPUTS}")
    sources = []
    for folder, subfolders, names in os.walk(root):
        subfolders[:] = [name for name in subfolders if not name.startswith(".")]
        for name in names:
            path = Path(folder) / name
            # What `corpus fetch` says of its folder is no input.
            if not name.startswith(".") and path != root / MANIFEST_NAME:
                sources.append(_source(path, path.relative_to(root).as_posix()))
    if not sources:
        raise DataError(f"input {root} holds no file; give a folder of {INPUTS}")
    return sorted(sources, key=lambda source: source.name)


def file_state(path: Path) -> FileState:
    """Size, modification time and inode; raises OSError, also for a pipe, which would be waited on forever."""
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "not a regular file")
    return FileState(status.st_size, status.st_mtime_ns, status.st_ino)


@functools.lru_cache(maxsize=4096)
def code_or_none(text: str) -> str | None:
    """The canonical code of what a file or a record calls its language, None if that is not BCP 47."""
    try:
        return canonical_code(text)
    except DataError:
        return None


def read_blocks(source: Source) -> Iterator[bytes]:
    """The file's bytes, decompressed, in blocks of bounded size.

    Raises DamagedFileError after the last good byte, OSError if the file cannot be read.
    """
    if source.compression == "gzip":
        yield from _gzip_blocks(source.path)
    elif source.compression == "zstd":
        yield from _zstd_blocks(source.path)
    else:
        with source.path.open("rb") as stream:
            while block := stream.read(BLOCK_BYTES):
                yield block


def numbered_lines(blocks: Iterable[bytes], *, max_bytes: int) -> Iterator[NumberedLine]:
    r"""Split blocks at ``\n``; a line over ``max_bytes`` has no content, so memory stays bounded.

    On DamagedFileError the unfinished line comes out as cut off, then the error goes on.
    """
    number, rest, too_long = 1, bytearray(), False
    blocks = iter(blocks)
    try:
        for block in blocks:
            start = 0
            while (end := block.find(b"\n", start)) >= 0:
                if too_long or len(rest) + end - start > max_bytes:
                    yield NumberedLine(number, None)
                else:
                    yield NumberedLine(number, bytes(rest + block[start:end]) if rest else block[start:end])
                number, start, too_long = number + 1, end + 1, False
                rest.clear()
            if too_long or len(rest) + len(block) - start > max_bytes:
                too_long = True
                rest.clear()
            else:
                rest += block[start:]
    except DamagedFileError:
        if rest or too_long:
            yield NumberedLine(number, None, cut_off=True)
        raise
    if rest or too_long:
        yield NumberedLine(number, None if too_long else bytes(rest))


def _source(path: Path, name: str) -> Source:
    pure = PurePosixPath(name)
    suffixes = [suffix.lower() for suffix in pure.suffixes]
    compression = COMPRESSIONS.get(suffixes[-1], "") if suffixes else ""
    kind_suffix = suffixes[-2] if compression and len(suffixes) > 1 else suffixes[-1] if suffixes else ""
    kind = FORMATS.get(kind_suffix, "")
    if kind == "parquet" and compression:
        kind = ""
    # A crawl has pages in all languages, and words in its names that are codes too.
    language = None if kind == "crawl" else _language_of(pure)
    return Source(path=path, name=name, format=kind, compression=compression, language=language)


def _language_of(name: PurePosixPath) -> str | None:
    """The language a path names: a code of the table wins over one outside it, a nearer folder over a farther one."""
    folders = [parent.name for parent in name.parents if parent.name]
    codes = [code for text in (*folders, name.name.partition(".")[0]) if (code := code_or_none(text)) is not None]
    known = [code for code in codes if is_known(code)]
    return next(iter(known or codes), None)


def _gzip_blocks(path: Path) -> Iterator[bytes]:
    with gzip.open(path) as stream:
        while True:
            try:
                # read1 gives what is there; read would throw away the good bytes before the damage.
                block = stream.read1(BLOCK_BYTES)
            except (EOFError, gzip.BadGzipFile, zlib.error) as error:
                raise DamagedFileError(f"damaged gzip ({error})") from None
            if not block:
                return
            yield block


def _zstd_blocks(path: Path) -> Iterator[bytes]:
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
