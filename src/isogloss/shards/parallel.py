"""Parallel text: pairs of line-aligned files, as OPUS ("moses") and XLM have them.

    NAME.en-sw.en    line n of one file
    NAME.en-sw.sw    is the translation of line n of the other

NAME may hold dots or be left out, and both files may be compressed as any text may. Several NAMEs of one pair are one
text. Files of a folder that are no such pair are left alone: OPUS puts a licence and a read-me beside them.

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

from isogloss.corpus.aligned import aligned_names, sentence_lines
from isogloss.corpus.blocks import COMPRESSIONS, DamagedFileError, unpacked
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
    names = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    for one in aligned_names(names, folder):
        found.setdefault(one.languages, []).append((folder / one.first, folder / one.second))
    if not found:
        raise DataError(f"parallel = {folder} holds no pair of files such as NAME.en-sw.en and NAME.en-sw.sw")
    return [
        AlignedText(f"{first}-{second}", (first, second), tuple(files))
        for (first, second), files in sorted(found.items())
    ]


def _lines(path: Path) -> Iterator[str]:
    """Each line without the white space around it; empty if it is too long or no UTF-8."""
    blocks = unpacked(path, COMPRESSIONS.get(path.suffix, ""))
    return (line.text for line in sentence_lines(blocks, LONGEST_LINE))
