"""Texts of two languages: two line-aligned files, the same in a zip archive, or a table; found, and read pair by pair.

for text in find_bitexts(Path("downloads"), ()):
    for one, other in read_pairs(text, (1, 2), 4096): ...
"""

from __future__ import annotations

import itertools
import os
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from isogloss.corpus.aligned import aligned_names, sentence_lines
from isogloss.corpus.blocks import BLOCK_BYTES, COMPRESSIONS, DamagedFileError, unpacked
from isogloss.corpus.documents import Line
from isogloss.corpus.names import code_or_none
from isogloss.errors import DataError
from isogloss.languages import is_known
from isogloss.manifest import MANIFEST_NAME

__all__ = ["Bitext", "Pair", "find_bitexts", "read_pairs"]

INPUTS = "NAME.en-sw.en beside NAME.en-sw.sw, zip archives of such, or NAME.en-sw.tsv"
# A side that is not there is None.
Pair = tuple[Line | None, Line | None]


@dataclass(frozen=True)
class Bitext:
    """One text: ``members`` are two files, or one table, of ``root``, a folder or a zip archive."""

    root: Path
    members: tuple[str, ...]
    title: str
    languages: tuple[str, str]

    @property
    def is_archive(self) -> bool:
        """Whether the members stand in a zip archive."""
        return self.root.suffix.lower() == ".zip"

    @property
    def name(self) -> str:
        """The file, or the first of two, as it is shown."""
        return f"{self.root.name}/{self.members[0]}" if self.is_archive else self.members[0]

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files on disk."""
        return (self.root,) if self.is_archive else tuple(self.root / member for member in self.members)


def find_bitexts(root: Path, languages: Sequence[str]) -> list[Bitext]:
    """All texts under a folder, or of one zip archive or table; ``languages`` are those of tables that do not say them.

    Raises DataError where there is none, a file's partner is missing, a table's languages are unknown or an archive
    cannot be read.
    """
    if root.is_file():
        folder, names = root.parent, [root.name]
    elif root.is_dir():
        folder, names = root, sorted(_files(root))
    else:
        raise DataError(f"input {root} does not exist; give a folder of {INPUTS}")
    texts = [_table(folder, name, languages) for name in names if _is_table(name)]
    texts += [text for name in names if name.lower().endswith(".zip") for text in _in_archive(folder / name, languages)]
    if root.is_dir():
        texts += _aligned(names, folder)
    if not texts:
        raise DataError(f"input {root} holds no text of two languages; give a folder of {INPUTS}")
    return sorted(texts, key=lambda text: text.name)


def read_pairs(text: Bitext, columns: tuple[int, int], max_line_bytes: int) -> Iterator[Pair]:
    """The pairs of a text in order, in the order of ``text.languages``; a side may be missing or have a reason.

    Raises DamagedFileError behind the pairs before the damage, OSError where a file cannot be read.
    """
    streams = [_blocks(text, member) for member in text.members]
    if len(streams) == 1:
        yield from _rows(streams[0], columns, max_line_bytes)
    else:
        yield from itertools.zip_longest(*(sentence_lines(stream, max_line_bytes) for stream in streams))


def _rows(blocks: Iterator[bytes], columns: tuple[int, int], max_line_bytes: int) -> Iterator[Pair]:
    # Besides the two sides a row may have scores and addresses.
    for line in sentence_lines(blocks, 4 * max_line_bytes + 4096, around="\r"):
        if line.reason:
            yield line, line
            continue
        cells = line.text.split("\t")
        one, other = (
            _cell(line.number, cells[column - 1], max_line_bytes) if column <= len(cells) else None
            for column in columns
        )
        yield one, other


def _cell(number: int, text: str, max_line_bytes: int) -> Line:
    return Line(number, "", "long") if len(text.encode()) > max_line_bytes else Line(number, text.strip())


def _blocks(text: Bitext, member: str) -> Iterator[bytes]:
    if not text.is_archive:
        yield from unpacked(text.root / member, COMPRESSIONS.get(Path(member).suffix, ""))
        return
    try:
        with zipfile.ZipFile(text.root) as archive, archive.open(member) as stream:
            while block := stream.read(BLOCK_BYTES):
                yield block
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError) as error:
        raise DamagedFileError(f"damaged zip ({error})") from None


def _in_archive(path: Path, languages: Sequence[str]) -> list[Bitext]:
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if not name.endswith("/")]
    except (zipfile.BadZipFile, OSError) as error:
        raise DataError(f"{path} is no zip archive that can be read ({error}); fetch it again") from None
    tables = [_table(path, name, languages) for name in names if name.endswith(".tsv")]
    # What is compressed twice is left alone.
    return tables + _aligned([name for name in names if PurePosixPath(name).suffix not in COMPRESSIONS], path)


def _aligned(names: Sequence[str], root: Path) -> list[Bitext]:
    return [Bitext(root, (one.first, one.second), one.title, one.languages) for one in aligned_names(names, root)]


def _table(root: Path, name: str, languages: Sequence[str]) -> Bitext:
    stem = PurePosixPath(name).name.partition(".tsv")[0]
    title, _, pair = stem.rpartition(".")
    if (named := _languages_of(pair)) is not None:
        return Bitext(root, (name,), title, named)
    if len(languages) != 2:
        raise DataError(f"{root / name} does not say its languages; name it NAME.en-sw.tsv or set languages")
    return Bitext(root, (name,), stem, (languages[0], languages[1]))


def _languages_of(pair: str) -> tuple[str, str] | None:
    """``en-sw`` → the two codes; of several ways to cut it, the first with two languages of the table."""
    parts = pair.split("-")
    cuts = [("-".join(parts[:place]), "-".join(parts[place:])) for place in range(1, len(parts))]
    codes = [(one, other) for first, second in cuts if (one := code_or_none(first)) and (other := code_or_none(second))]
    different = [found for found in codes if found[0] != found[1]]
    return next((found for found in different if all(map(is_known, found))), next(iter(different), None))


def _is_table(name: str) -> bool:
    return name.endswith((".tsv", *(f".tsv{suffix}" for suffix in COMPRESSIONS)))


def _files(root: Path) -> Iterator[str]:
    for folder, subfolders, names in os.walk(root):
        subfolders[:] = [name for name in subfolders if not name.startswith(".")]
        for name in names:
            path = Path(folder) / name
            if not name.startswith(".") and path != root / MANIFEST_NAME:
                yield path.relative_to(root).as_posix()
