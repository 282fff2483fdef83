"""Lines of text by language, whatever they lie in: a corpus folder, a folder of LANG.txt, or one file of text.

texts = open_texts(Path("corpus"), ["en", "sw"])
for lines in texts.blocks("sw"): ...          # lists of lines, so many characters at a time

files = files_by_language(Path("texts"))      # a folder of LANG.txt alone: {"en": [Path("texts/en.txt")], …}
for line in lines_of(files["en"]): ...
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Sequence
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

__all__ = ["Texts", "choose_languages", "files_by_language", "lines_of", "open_texts"]

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
    files = {_language_of_file(path, wanted): [path]} if path.is_file() else files_by_language(path)
    if not files:
        raise FolderError(
            f"{path} holds no text: give a corpus folder ('isogloss corpus build' makes one), a folder with a file of "
            "each language, such as en.txt, or one file of text"
        )
    return _of_files(path, files, wanted)


def files_by_language(folder: Path) -> dict[str, list[Path]]:
    """The text files of a folder that are named after a language, as ``sw.txt``; none where there is no folder."""
    files: dict[str, list[Path]] = {}
    for file in sorted(folder.glob("*.txt")):
        if (code := language_of_name(file.name.partition(".")[0])) is not None:
            files.setdefault(code, []).append(file)
    return files


def choose_languages(known: Collection[str], wanted: Sequence[str], where: Path) -> list[str]:
    """Those of the ``wanted`` languages, of all that are ``known`` if none is named, sorted.

    Raises DataError for one that is not known.
    """
    chosen = sorted({canonical_code(code) for code in wanted} or known)
    for code in chosen:
        if code not in known:
            raise DataError(f"languages: {where} has no text of '{code}'; it has {', '.join(sorted(known))}")
    return chosen


def lines_of(files: Sequence[Path]) -> Iterator[str]:
    """The lines of files in UTF-8, one file after another, without their ends.

    Raises DataError for a file that is no UTF-8 or cannot be read, where that is found.
    """
    for file in files:
        try:
            with file.open(encoding="utf-8-sig") as stream:
                for line in stream:
                    yield line.removesuffix("\n")
        except UnicodeDecodeError as error:
            raise DataError(f"{file} is not UTF-8 ({error.reason} at byte {error.start}); convert it") from None
        except OSError as error:
            raise DataError(f"{file} cannot be read ({error.strerror})") from None


def _of_corpus(corpus: Corpus, wanted: Sequence[str]) -> Texts:
    statistics, _ = languages_with_text(corpus.manifest, wanted, where=corpus.folder)

    def lines(language: str) -> Iterator[str]:
        return (line for document in corpus.documents(language) for line in document.splitlines())

    return Texts(corpus.folder, tuple(statistics), corpus.manifest, lines)


def _of_files(path: Path, files: dict[str, list[Path]], wanted: Sequence[str]) -> Texts:
    chosen = {code: files[code] for code in choose_languages(files, wanted, path)}
    for code, of_language in chosen.items():
        if not any(line.strip() for line in lines_of(of_language)):
            raise DataError(f"languages: {of_language[0]} holds no text of '{code}'; add text or leave it out")
    hashes = {code: [hash_file(file) for file in of_language] for code, of_language in chosen.items()}
    fingerprint = xxhash.xxh3_128(json.dumps(hashes).encode()).hexdigest()
    origin = Manifest("text", "", "", {}, {}, {}, fingerprint=fingerprint)
    return Texts(path, tuple(chosen), origin, lambda language: lines_of(chosen[language]))


def _language_of_file(path: Path, wanted: Sequence[str]) -> str:
    """The one that is asked for, or the one the file is named after."""
    if len(wanted) == 1:
        return canonical_code(wanted[0])
    return language_of_name(path.name.partition(".")[0]) or UNKNOWN_LANGUAGE
