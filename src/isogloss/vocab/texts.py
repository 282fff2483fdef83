"""Lines of text by language, whatever they lie in: a corpus folder, a folder of LANG.txt, or one file of text.

texts = open_texts(Path("corpus"), ["en", "sw"])
for lines in texts.blocks("sw"): ...          # lists of lines, so many characters at a time
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import xxhash

from isogloss.corpus import Corpus
from isogloss.corpus.names import language_of_name
from isogloss.corpus.tally import UNKNOWN_LANGUAGE
from isogloss.errors import DataError, FolderError
from isogloss.languages import canonical_code
from isogloss.manifest import MANIFEST_NAME, Manifest, hash_file
from isogloss.vocab.sample import languages_with_text

__all__ = ["Texts", "open_texts"]

# Of one block: enough to keep threads busy, little enough to forget about memory.
BLOCK_CHARACTERS = 1 << 20


@dataclass(frozen=True)
class Texts:
    """Text of some languages, sorted; ``origin`` is what tells it from other text, for lineage."""

    where: Path
    languages: tuple[str, ...]
    origin: Manifest
    _lines: Callable[[str], Iterator[str]]

    def blocks(self, language: str) -> Iterator[list[str]]:
        """The lines of a language that are not blank, in order, some at a time; each line is one text.

        Raises DataError for a file that is no UTF-8, FolderError for one that was changed.
        """
        block: list[str] = []
        size = 0
        for line in self._lines(language):
            if not (line := line.strip()):
                continue
            block.append(line)
            size += len(line)
            if size >= BLOCK_CHARACTERS:
                yield block
                block, size = [], 0
        if block:
            yield block


def open_texts(path: Path, wanted: Sequence[str] = ()) -> Texts:
    """The text at ``path`` in the ``wanted`` languages, or in all that are there.

    Raises FolderError where there is nothing, ConfigError or DataError for a language that has no text there.
    """
    if (path / MANIFEST_NAME).is_file():
        return _of_corpus(Corpus.open(path), wanted)
    files: dict[str, list[Path]] = {}
    if path.is_dir():
        for file in sorted(path.glob("*.txt")):
            if (code := language_of_name(file.name.partition(".")[0])) is not None:
                files.setdefault(code, []).append(file)
    elif path.is_file():
        files[_language_of_file(path, wanted)] = [path]
    if not files:
        raise FolderError(
            f"{path} holds no text: give a corpus folder ('isogloss corpus build' makes one), a folder with a file of "
            "each language, such as en.txt, or one file of text"
        )
    return _of_files(path, files, wanted)


def _of_corpus(corpus: Corpus, wanted: Sequence[str]) -> Texts:
    statistics, _ = languages_with_text(corpus.manifest, wanted, where=corpus.folder)

    def lines(language: str) -> Iterator[str]:
        return (line for document in corpus.documents(language) for line in document.splitlines())

    return Texts(corpus.folder, tuple(statistics), corpus.manifest, lines)


def _of_files(path: Path, files: dict[str, list[Path]], wanted: Sequence[str]) -> Texts:
    wanted = [canonical_code(code) for code in wanted]
    for code in wanted:
        if code not in files:
            raise DataError(f"languages: {path} has no text in '{code}'; it has {', '.join(sorted(files))}")
    chosen = {code: files[code] for code in sorted(wanted or files)}
    for code, of_language in chosen.items():
        if not any(line.strip() for line in _lines_of(of_language)):
            raise DataError(f"languages: {of_language[0]} holds no text of '{code}'; add text or leave it out")
    hashes = {code: [hash_file(file) for file in of_language] for code, of_language in chosen.items()}
    fingerprint = xxhash.xxh3_128(json.dumps(hashes).encode()).hexdigest()
    origin = Manifest("text", "", "", {}, {}, {}, fingerprint=fingerprint)
    return Texts(path, tuple(chosen), origin, lambda language: _lines_of(chosen[language]))


def _language_of_file(path: Path, wanted: Sequence[str]) -> str:
    """The one that is asked for, or the one the file is named after."""
    if len(wanted) == 1:
        return canonical_code(wanted[0])
    return language_of_name(path.name.partition(".")[0]) or UNKNOWN_LANGUAGE


def _lines_of(files: Sequence[Path]) -> Iterator[str]:
    for file in files:
        try:
            with file.open(encoding="utf-8") as stream:
                yield from stream
        except UnicodeDecodeError as error:
            raise DataError(f"{file} is no UTF-8 text ({error.reason} at byte {error.start}); convert it") from None
