"""Finding input files and reading them as bounded blocks and lines, with every damage noticed.

A source is one file: ``LANG.txt``, ``LANG.jsonl``, ``LANG.parquet``, ``LANG.arrow``, or any such file under a folder
``LANG/``, a dump of a wiki (``swwiki-20231101-pages-articles.xml``), or a crawl file (``.wet``, ``.warc``,
``.warc.wet``), whose name says no language. All but Parquet and Arrow may be compressed (``.gz``, ``.zst``, and all but
crawl files ``.xz``, ``.bz2``). Folders that Hugging Face's ``datasets`` saved are such folders. Hidden files are left
alone; every other file is read or reported.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import xxhash

from isogloss.corpus.blocks import COMPRESSIONS, DamagedFileError, Openable, unpacked
from isogloss.corpus.names import code_or_none, language_of_name, language_of_path
from isogloss.corpus.remote import RemoteFile, find_remote, is_remote
from isogloss.errors import DataError
from isogloss.manifest import MANIFEST_NAME, hash_file

__all__ = [
    "COMPRESSIONS",
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

FORMATS = {
    **{".txt": "text", ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl"},
    **{".parquet": "parquet", ".arrow": "arrow", ".xml": "wiki"},
    **{".warc": "crawl", ".wet": "crawl"},
}
# Formats that compress on their own, and the compressions that a crawl file may have.
COMPRESSED_WITHIN = ("parquet", "arrow")
OF_CRAWLS = ("", "gzip", "zstd")
# What Hugging Face's `datasets` says of its folders is no input.
ABOUT_DATASETS = ("dataset_dict.json", "dataset_info.json", "dataset_infos.json", "state.json")
# Why a file whose name says another language than those asked for is not opened.
NOT_ASKED_FOR = "not read: language not asked for"
# What the errors say that an input is.
INPUTS = "LANG.txt, .jsonl, .parquet, .arrow, .wet, .warc or wiki .xml files"


@dataclass(frozen=True)
class Source:
    """One input file: ``name`` relative to the input folder, and what its name says (empty or None: nothing).

    Of a file of the Hugging Face Hub ``path`` is only its name.
    """

    path: Path
    name: str
    format: str
    compression: str
    language: str | None
    remote: RemoteFile | None = None

    @property
    def file(self) -> Openable:
        """What is opened to read it."""
        return self.path if self.remote is None else self.remote

    def state(self) -> FileState:
        """What changes when the file does; raises OSError as :func:`file_state` does."""
        # A file of the Hub is one of a commit, and that does not change.
        return file_state(self.path) if self.remote is None else FileState(self.remote.bytes, 0, 0)

    def digest(self) -> str:
        """xxh3-128 of the file's bytes, of a file of the Hub of what it says they are; raises OSError."""
        if self.remote is None:
            return hash_file(self.path)
        return xxhash.xxh3_128_hexdigest(f"{self.remote.address} {self.remote.blob}".encode())


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

    It may also be the name of a data set, hf://OWNER/NAME/CONFIG. Raises DataError if there is nothing.
    """
    if is_remote(root):
        return _remote_sources(str(root))
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
            if not name.startswith(".") and name != MANIFEST_NAME and name not in ABOUT_DATASETS:
                sources.append(_source(path, path.relative_to(root).as_posix()))
    if not sources:
        raise DataError(f"input {root} holds no file; give a folder of {INPUTS}")
    return sorted(sources, key=lambda source: source.name)


def _remote_sources(address: str) -> list[Source]:
    """The files of a data set; what the configuration is called says more of the language than the file."""
    sources = []
    for found in find_remote(address):
        source = _source(Path(found.name), found.name.partition("@")[2].partition("/")[2])
        # Crawl files are read with a jump behind what is broken, which is for disks.
        kind = "" if source.format == "crawl" else source.format
        language = found.language or source.language
        sources.append(replace(source, name=found.name, format=kind, language=language, remote=found.file))
    return sorted(sources, key=lambda source: source.name)


def file_state(path: Path) -> FileState:
    """Size, modification time and inode; raises OSError, also for a pipe, which would be waited on forever."""
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "not a regular file")
    return FileState(status.st_size, status.st_mtime_ns, status.st_ino)


def read_blocks(source: Source) -> Iterator[bytes]:
    """The file's bytes, decompressed, in blocks of bounded size.

    Raises DamagedFileError after the last good byte, OSError if the file cannot be read.
    """
    return unpacked(source.file, source.compression)


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
    # A large wiki's dump comes in parts: …-pages-articles1.xml-p1p41242.bz2.
    kind = FORMATS.get(kind_suffix.partition("-p")[0], "")
    if (kind in COMPRESSED_WITHIN and compression) or (kind == "crawl" and compression not in OF_CRAWLS):
        kind = ""
    # A crawl has pages in all languages, and words in its names that are codes too.
    language = None if kind == "crawl" else language_of_path(pure)
    if kind == "wiki":
        language = language_of_name(pure.name.partition(".")[0]) or language
    return Source(path=path, name=name, format=kind, compression=compression, language=language)
