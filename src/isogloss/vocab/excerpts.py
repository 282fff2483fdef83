"""Text that vocabularies are measured on: lines from all over a language's text, no more than is needed.

for code, lines in read_excerpts(Path("corpus")): ...           # a corpus folder, or one with en.txt, sw.txt, …
for code, lines in read_parallel(Path("parallel")): ...         # LANG.txt, line by line translations of each other

excerpt = Excerpt(of=1_000_000)                                 # characters there are
for document in excerpt.passing(documents): ...                 # taken while it is read for something else
excerpt.lines
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from isogloss.corpus import Corpus
from isogloss.errors import DataError
from isogloss.manifest import MANIFEST_NAME
from isogloss.vocab.texts import choose_languages, files_by_language, lines_of

__all__ = ["MOST_CHARACTERS", "Excerpt", "chosen_languages", "languages_of", "read_excerpts", "read_parallel"]

# Enough for three digits of every figure, at a fraction of a second a language.
MOST_CHARACTERS = 300_000
# Of a longer line the beginning is taken, so that no single one is a large part of the excerpt.
LONGEST_LINE = 10_000
# Where a language has more text, the excerpt is from so much of it: reading all would take hours.
MOST_READ = 100_000_000
# A file is measured by its bytes; how many there are a character is seen in the first of them.
LOOKED_AT = 1 << 20


class Excerpt:
    """Lines of a text of ``of`` characters, evenly spread over it; the same for the same text."""

    def __init__(self, *, of: int, most: int = MOST_CHARACTERS) -> None:
        self.lines: list[str] = []
        self._most = most
        self._share = min(1.0, most / max(of, 1))
        self._seen = self._taken = 0

    def passing(self, documents: Iterable[str]) -> Iterator[str]:
        """The documents, looked at as they go by."""
        for document in documents:
            self._look_at(document)
            yield document

    def _look_at(self, document: str) -> None:
        # As much is taken as its share of what was seen, the first line always: so most documents need no second look.
        if self._taken > self._share * (self._seen + len(document)):
            self._seen += len(document)
            return
        for line in document.splitlines():
            if line.strip() and self._taken <= self._share * self._seen and self._taken < self._most:
                taken = line[: min(LONGEST_LINE, self._most - self._taken)]
                self.lines.append(taken)
                self._taken += len(taken)
            self._seen += len(line)


def languages_of(folder: Path) -> list[str]:
    """The codes of the languages that a corpus folder or a folder of LANG.txt has text of, sorted.

    Raises DataError where there is none, FolderError for a corpus that is not whole.
    """
    if (folder / MANIFEST_NAME).exists():
        return [code for code, counts in Corpus.open(folder).statistics.items() if counts["bytes"]]
    return sorted(_files_of(folder))


def chosen_languages(folder: Path, wanted: Sequence[str]) -> list[str]:
    """Those of the ``wanted`` languages, of all that are there if none is named, sorted.

    Raises DataError for one that is not there.
    """
    return choose_languages(languages_of(folder), wanted, folder)


def read_excerpts(
    folder: Path, languages: Sequence[str] = (), *, most: int = MOST_CHARACTERS
) -> Iterator[tuple[str, list[str]]]:
    """Each of the ``languages`` (all, if none is named) and at most ``most`` characters of it, in lines.

    Raises DataError for a language that is not there and a file that is no UTF-8, at its turn.
    """
    for code in chosen_languages(folder, languages):
        if (folder / MANIFEST_NAME).exists():
            corpus = Corpus.open(folder)
            excerpt = Excerpt(of=min(corpus.statistics[code]["characters"], MOST_READ), most=most)
            documents: Iterable[str] = corpus.documents(code)
        else:
            path = _files_of(folder)[code]
            excerpt = Excerpt(of=min(_num_characters(path), MOST_READ), most=most)
            documents = lines_of([path])
        read = 0
        for document in excerpt.passing(documents):
            read += len(document)
            if read >= MOST_READ:
                break
        if excerpt.lines:
            yield code, excerpt.lines
        elif languages:
            raise DataError(f"{folder} holds no text of '{code}'; add text or leave it out")


def read_parallel(
    folder: Path, languages: Sequence[str] = (), *, most: int = MOST_CHARACTERS
) -> Iterator[tuple[str, list[str]]]:
    """The first lines of each LANG.txt, as many of all as no language has more than ``most`` characters of.

    Raises DataError where the files have different numbers of lines, so cannot be translations of each other.
    """
    files = _files_of(folder)
    chosen = choose_languages(files, languages, folder)
    numbers, fitting = {}, []
    for code in chosen:
        taken = numbers[code] = fits = 0
        for line in lines_of([files[code]]):
            numbers[code] += 1
            taken += len(line)
            fits += taken <= most
        fitting.append(fits)
    odd = next((code for code in chosen if numbers[code] != numbers[chosen[0]]), None)
    if odd is not None:
        raise DataError(
            f"{files[odd]} has {numbers[odd]:,} lines, {files[chosen[0]]} has {numbers[chosen[0]]:,}; parallel files "
            "have a translation on the same line"
        )
    for code in chosen:
        lines = lines_of([files[code]])
        yield code, [next(lines) for _ in range(min(fitting))]


def _files_of(folder: Path) -> dict[str, Path]:
    """The one file of each language."""
    found = files_by_language(folder)
    if not found:
        raise DataError(
            f"{folder} is neither a corpus folder ('isogloss corpus build' makes one) nor one with text files named "
            "by language, as en.txt"
        )
    for code, (first, *others) in found.items():
        if others:
            raise DataError(f"{others[0]} and {first} are both of '{code}'; put them into one file")
    return {code: first for code, (first, *_) in found.items()}


def _num_characters(path: Path) -> int:
    """About as many as there are."""
    with path.open("rb") as stream:
        first = stream.read(LOOKED_AT)
    return round(path.stat().st_size * len(first.decode("utf-8", "ignore")) / max(len(first), 1))
