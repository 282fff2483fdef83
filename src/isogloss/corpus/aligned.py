"""Line-aligned files by their names, and their lines one by one: what OPUS ("moses") and XLM have.

    NAME.en-sw.en    line n of one file
    NAME.en-sw.sw    is the translation of line n of the other

NAME may hold dots or be left out, and both files may be compressed as any text file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from isogloss.corpus.blocks import COMPRESSIONS
from isogloss.corpus.documents import Line
from isogloss.corpus.names import code_or_none
from isogloss.corpus.sources import numbered_lines
from isogloss.errors import DataError

__all__ = ["AlignedNames", "aligned_names", "sentence_lines"]


class AlignedNames(NamedTuple):
    """Two files of one text: ``title`` is NAME, ``languages`` are codes, in the order of ``first`` and ``second``."""

    title: str
    languages: tuple[str, str]
    first: str
    second: str


def aligned_names(names: Iterable[str], root: Path) -> list[AlignedNames]:
    """The pairs among the names of files under ``root``, in order; other files are left alone.

    Raises DataError for a file whose partner is not there and for two of one language.
    """
    paths = sorted(map(PurePosixPath, names))
    known = set(paths)
    found = []
    for path in paths:
        # The file of the first language, whose name says where the other one is.
        compression = path.suffix if path.suffix in COMPRESSIONS else ""
        stem, _, first = path.name.removesuffix(compression).rpartition(".")
        title, _, pair = stem.rpartition(".")
        second = pair.removeprefix(f"{first}-")
        codes = code_or_none(first), code_or_none(second)
        if second == pair or codes[0] is None or codes[1] is None:
            continue
        other = path.with_name(f"{stem}.{second}{compression}")
        if other not in known:
            raise DataError(f"{root / path} has no {other.name} beside it; a pair needs both")
        if codes[0] == codes[1]:
            raise DataError(
                f"{root / path}: '{first}' and '{second}' are one language, and not each other's translation"
            )
        found.append(AlignedNames(title, (codes[0], codes[1]), path.as_posix(), other.as_posix()))
    return found


def sentence_lines(blocks: Iterable[bytes], max_bytes: int, *, around: str | None = None) -> Iterator[Line]:
    """Each line without the white space, or the characters ``around`` it, or why it cannot be kept; blank ones too.

    Raises what ``blocks`` raises, behind the last whole line.
    """
    for number, content, cut_off in numbered_lines(blocks, max_bytes=max_bytes):
        if content is None:
            yield Line(number, "", "cut-off" if cut_off else "long")
            continue
        try:
            text = content.decode("utf-8-sig" if number == 1 else "utf-8").strip(around)
        except UnicodeDecodeError:
            yield Line(number, "", "bad-utf8")
            continue
        yield Line(number, "", "nul") if "\0" in text else Line(number, text)
