"""A finished corpus folder, read back: its manifest, languages, statistics and documents. Needs no optional package.

corpus = Corpus.open("corpus")
for text in corpus.documents("sw"): ...
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from isogloss.corpus.parts import read_part
from isogloss.errors import DataError, FolderError
from isogloss.languages import canonical_code
from isogloss.manifest import Manifest, hash_file, read_manifest

__all__ = ["Corpus", "CorpusPart", "read_documents"]


@dataclass(frozen=True)
class CorpusPart:
    """One file of a corpus, as its manifest knows it."""

    path: Path
    num_bytes: int
    digest: str

    def records(self) -> Iterator[dict[str, Any]]:
        """Each document with its id, file and line; raises FolderError if the file is not as it was written."""
        # The reader of zstd ends a cut file without an error; the hash finds that and any flipped bit.
        if hash_file(self.path) != self.digest:
            raise FolderError(
                f"{self.path} is not as it was written; make the corpus again with 'isogloss corpus build'"
            )
        yield from read_part(self.path)

    def texts(self) -> Iterator[str]:
        """The text of each document."""
        return (record["text"] for record in self.records())


@dataclass(frozen=True)
class Corpus:
    """A corpus on disk."""

    folder: Path
    manifest: Manifest

    @classmethod
    def open(cls, folder: Path | str) -> Corpus:
        """Raises FolderError if the folder is no finished corpus or a file of it is missing or cut."""
        return cls(Path(folder), read_manifest(folder, "corpus"))

    @property
    def languages(self) -> tuple[str, ...]:
        """The codes of the languages that have documents, sorted."""
        return tuple(self.statistics)

    @property
    def statistics(self) -> Mapping[str, Mapping[str, int]]:
        """documents, lines, characters, bytes and words of each language."""
        languages: dict[str, dict[str, int]] = self.manifest.statistics["languages"]
        return languages

    def documents(self, language: str) -> Iterator[str]:
        """The text of each document of a language, in order; raises DataError if the corpus has none."""
        return (record["text"] for record in self.records(language))

    def records(self, language: str) -> Iterator[dict[str, Any]]:
        """Each document with its id, file and line; raises DataError if the corpus has none of the language."""
        return itertools.chain.from_iterable(part.records() for part in self.parts(language))

    def parts(self, language: str) -> list[CorpusPart]:
        """The files of a language, in order; raises DataError if the corpus has none of the language."""
        code = canonical_code(language)
        if code not in self.statistics:
            raise DataError(f"corpus {self.folder} has no text in '{language}'; it has {', '.join(self.languages)}")
        return [
            CorpusPart(self.folder / name, facts["bytes"], facts["xxh3_128"])
            for name, facts in sorted(self.manifest.files.items())
            if name.startswith(f"{code}/")
        ]


def read_documents(folder: Path | str, language: str) -> Iterator[str]:
    """The text of each document of one language of a corpus folder, in order."""
    return Corpus.open(folder).documents(language)
