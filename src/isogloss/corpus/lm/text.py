"""The clean text a language model is trained on: a corpus folder, or files of text as ``corpus build`` reads them.

    source = TrainingText.open(Path("texts/sw.txt"), ("sw",))
    source.languages                        # ('sw',)
    for text in source.documents("sw"): ...

Every so many documents one is held out: it is not trained on, and tells where to cut.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from isogloss.corpus.folder import Corpus
from isogloss.corpus.readers import ReadSettings, read_source
from isogloss.corpus.sources import DamagedFileError, Source, find_sources
from isogloss.corpus.tally import Tally
from isogloss.errors import DataError
from isogloss.languages import canonical_code
from isogloss.manifest import Manifest, hash_file

__all__ = ["TrainingText"]


@dataclasses.dataclass(frozen=True)
class TrainingText:
    """Text by language, to be read any number of times."""

    input: Path
    languages: tuple[str, ...]
    corpus: Corpus | None
    sources: tuple[Source, ...]

    @classmethod
    def open(cls, path: Path, wanted: Sequence[str]) -> TrainingText:
        """``wanted`` languages, or all that the input has. Raises DataError where one of them is not there."""
        codes = tuple(canonical_code(code) for code in wanted)
        if (path / "manifest.json").is_file():
            corpus = Corpus.open(path)
            for code in codes:
                if code not in corpus.languages:
                    raise DataError(f"{path} has no text in '{code}'; it has {', '.join(corpus.languages)}")
            return cls(path, codes or corpus.languages, corpus, ())
        sources = [source for source in find_sources(path) if source.format]
        if len(codes) == 1:
            # What is named by hand need not name its language again.
            sources = [
                dataclasses.replace(source, language=source.language or codes[0])
                for source in sources
                if source.language in (None, codes[0]) or path.is_file()
            ]
            if path.is_file():
                sources = [dataclasses.replace(source, language=codes[0]) for source in sources]
        found = tuple(sorted({source.language for source in sources if source.language is not None}))
        if missing := [code for code in codes or found if code not in found]:
            raise DataError(
                f"{path} has no file of '{missing[0]}'; it has {', '.join(found) or 'none of any language'}"
            )
        if not found:
            raise DataError(f"{path} has no file with a language in its name; name one as languages=sw")
        return cls(path, codes or found, None, tuple(sources))

    def identity(self, language: str) -> dict[str, Any]:
        """What tells this text of a language from another: the hashes of its files; a corpus is a parent instead."""
        return {source.name: hash_file(source.path) for source in self._of(language)}

    def parents(self) -> tuple[Manifest, ...]:
        """The corpus, if it is one."""
        return () if self.corpus is None else (self.corpus.manifest,)

    def num_bytes(self, language: str) -> int:
        """The size of the text, or of its files."""
        if self.corpus is not None:
            return self.corpus.statistics[language]["bytes"]
        return sum(source.path.stat().st_size for source in self._of(language))

    def documents(self, language: str) -> Iterator[str]:
        """The text of each document, in order; a damaged file ends before its damage."""
        if self.corpus is not None:
            yield from self.corpus.documents(language)
            return
        for source in self._of(language):
            try:
                for document in read_source(source, ReadSettings(), Tally(), languages=(language,)):
                    yield document.text
            except DamagedFileError as error:
                raise DataError(f"{source.path}: {error}; mend the file or leave it out") from None

    def training(self, language: str, held_out_every: int) -> Iterator[str]:
        """The documents to train on."""
        return (text for number, text in self._numbered(language) if not _is_held_out(number, held_out_every))

    def held_out(self, language: str, held_out_every: int) -> Iterator[str]:
        """The others."""
        return (text for number, text in self._numbered(language) if _is_held_out(number, held_out_every))

    def _numbered(self, language: str) -> Iterator[tuple[int, str]]:
        return enumerate(self.documents(language), start=1)

    def _of(self, language: str) -> list[Source]:
        return [source for source in self.sources if source.language == language]


def _is_held_out(number: int, every: int) -> bool:
    return every > 0 and number % every == 0
