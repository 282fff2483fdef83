"""Parallel text: pairs of line-aligned files, as OPUS ("moses") and XLM have them.

    NAME.en-sw.en    line n of one file
    NAME.en-sw.sw    is the translation of line n of the other

NAME may hold dots or be left out, and both files may be compressed (``.gz``, ``.zst``). Several NAMEs of one pair are
one text. Files of a folder that are no such pair are left alone: OPUS puts a licence and a read-me beside them.

    for text in find_aligned(Path("opus")):
        text.name, text.languages                # 'en-sw', ('en', 'sw')
        for source, target in text.sentences(): ...
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import xxhash

from isogloss.corpus.sources import COMPRESSIONS, DamagedFileError, Source, code_or_none, numbered_lines, read_blocks
from isogloss.errors import DataError
from isogloss.manifest import hash_file

__all__ = ["AlignedText", "find_aligned"]

# A line beyond this is no sentence.
LONGEST_LINE = 1 << 20


@dataclass(frozen=True)
class AlignedText:
    """All aligned files of one pair of languages."""

    name: str
    languages: tuple[str, str]
    files: tuple[tuple[Path, Path], ...]

    @property
    def fingerprint(self) -> str:
        """Of the bytes of all files, in order."""
        return xxhash.xxh3_128_hexdigest("".join(hash_file(path) for pair in self.files for path in pair).encode())

    def sentences(self) -> Iterator[tuple[str, str]]:
        """Each sentence and its translation; both are empty where one side is, or is no UTF-8.

        Raises DataError for files of different lengths and damaged ones.
        """
        for source, target in self.files:
            try:
                for number, (one, other) in enumerate(itertools.zip_longest(_lines(source), _lines(target)), 1):
                    if one is None or other is None:
                        shorter = source if one is None else target
                        raise DataError(
                            f"{shorter} ends at line {number - 1} and {target if one is None else source} goes on; "
                            "lines of the two files must be translations of each other"
                        )
                    yield (one, other) if one and other else ("", "")
            except (DamagedFileError, OSError) as error:
                raise DataError(f"{source} beside {target.name}: {error}; give whole files") from None


def find_aligned(folder: Path) -> list[AlignedText]:
    """The parallel texts of a folder, in the order of their names; raises DataError if there is none."""
    if not folder.is_dir():
        raise DataError(f"parallel = {folder} is no folder; give one of files NAME.en-sw.en beside NAME.en-sw.sw")
    found: dict[tuple[str, str], list[tuple[Path, Path]]] = {}
    for path in sorted(folder.rglob("*")):
        # The file of the first language, whose name says where the other one is.
        compression = path.suffix if path.suffix in COMPRESSIONS else ""
        stem, _, first = path.name.removesuffix(compression).rpartition(".")
        pair = stem.rpartition(".")[2]
        second = pair.removeprefix(f"{first}-")
        other = path.parent / f"{stem}.{second}{compression}"
        codes = code_or_none(first), code_or_none(second)
        if second == pair or None in codes or not path.is_file():
            continue
        if not other.is_file():
            raise DataError(f"{path} has no {other.name} beside it; a pair needs both")
        if codes[0] == codes[1]:
            raise DataError(f"{path}: '{first}' and '{second}' are one language, and not each other's translation")
        found.setdefault((str(codes[0]), str(codes[1])), []).append((path, other))
    if not found:
        raise DataError(f"parallel = {folder} holds no pair of files such as NAME.en-sw.en and NAME.en-sw.sw")
    return [
        AlignedText(f"{first}-{second}", (first, second), tuple(files))
        for (first, second), files in sorted(found.items())
    ]


def _lines(path: Path) -> Iterator[str]:
    """Each line without the white space around it; empty if it is too long or no UTF-8."""
    compression = COMPRESSIONS.get(path.suffix, "")
    source = Source(path=path, name=path.name, format="text", compression=compression, language=None)
    for line in numbered_lines(read_blocks(source), max_bytes=LONGEST_LINE):
        try:
            yield (line.content or b"").decode("utf-8").strip()
        except UnicodeDecodeError:
            yield ""
