"""Clean text → pages: documents of LANG.txt cut or joined to the size of a page, and lines kept aside as foreign ones.

Nothing on a page is known to stand elsewhere: a text that comes twice is taken once, and the lines that
:class:`ForeignLines` gives stand on no page of their own language.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import NamedTuple

from settings import CrawlOfTextSettings

from isogloss.corpus.dedup.shingles import division_of
from isogloss.corpus.identify.scripts import WRITINGS, count_scripts, writings
from isogloss.errors import DataError
from isogloss.randomness import key_of

__all__ = ["ForeignLines", "Line", "Page", "clean_pages", "draws", "text_files"]

# The share of pages whose lines are kept aside to be foreign lines.
ASIDE = 0.02


class Line(NamedTuple):
    """A line of a page; ``language`` is empty where it is the page's."""

    text: str
    kind: str = "text"
    language: str = ""


@dataclass(frozen=True)
class Page:
    """A page on its way into the crawl; ``language`` is the name of its file. ``encoding`` and ``is_plain`` (HTML that
    marks neither menus nor main content) matter to WARC alone."""

    language: str
    script: str
    lines: tuple[Line, ...]
    kind: str = "clean"
    url: str = ""
    form: str = "wet"
    encoding: str = "utf-8"
    is_plain: bool = False
    of: str = ""
    change: float = 0.0
    similarity: float = 0.0
    secrets: tuple[str, ...] = ()

    @property
    def characters(self) -> int:
        return sum(len(line.text) for line in self.lines)

    def having(self, kind: str, lines: Iterable[Line]) -> Page:
        """The page after something was done to it."""
        return replace(self, kind=kind, lines=tuple(lines))


@dataclass
class ForeignLines:
    """Lines kept aside, by language; each is given once."""

    lines: dict[str, list[str]] = field(default_factory=dict)

    def take(self, random: Random, *, not_of: str) -> tuple[str, str] | None:
        """The language and text of a line in another language than this; None when there is none left."""
        languages = sorted(code for code, lines in self.lines.items() if lines and code != not_of)
        if not languages:
            return None
        code = random.choice(languages)
        return code, self.lines[code].pop()


def draws(settings: CrawlOfTextSettings, *names: str | int) -> Random:
    """Random numbers of their own for each thing that is named."""
    return Random(key_of(settings.seed, *names))


def text_files(settings: CrawlOfTextSettings) -> list[Path]:
    """The files to take, by name; raises DataError if one is missing or there is none."""
    there = {path.stem: path for path in sorted(settings.text.glob("*.txt"))}
    if missing := [name for name in settings.languages if name not in there]:
        raise DataError(f"text {settings.text} has no {missing[0]}.txt; it has {', '.join(there) or 'no .txt file'}")
    if not there:
        raise DataError(f"text {settings.text} holds no LANG.txt; give a folder of them")
    return [there[name] for name in settings.languages or there]


def clean_pages(path: Path, settings: CrawlOfTextSettings, foreign: ForeignLines) -> list[Page]:
    """The pages of one language in a random order, but for those whose lines are put into ``foreign``."""
    random = draws(settings, "pages", path.stem)
    texts = list(dict.fromkeys(_page_texts(_documents(path, settings.max_bytes), random, settings)))
    random.shuffle(texts)
    num_aside = -(-len(texts) * ASIDE // 1) if len(texts) > 3 else 0
    weight = 3 if division_of(path.stem) == "ideographs" else 1
    aside, texts = texts[: int(num_aside)], texts[int(num_aside) :]
    foreign.lines[path.stem] = [
        line for lines in aside for line in lines if weight * len(line) >= settings.foreign_characters
    ]
    scripts = _scripts(texts)
    return [Page(path.stem, script, tuple(map(Line, lines))) for lines, script in zip(texts, scripts, strict=True)]


def _documents(path: Path, max_bytes: int | None) -> Iterator[list[str]]:
    try:
        content = path.read_bytes()[:max_bytes]
        text = content.decode("utf-8", "ignore" if max_bytes else "strict")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read as UTF-8: {error}") from None
    lines = (line.strip() for line in text.split("\n"))
    for is_text, group in itertools.groupby(lines, bool):
        if is_text:
            yield list(group)


def _page_texts(
    documents: Iterable[list[str]], random: Random, settings: CrawlOfTextSettings
) -> Iterator[tuple[str, ...]]:
    """Long documents in several pages, short ones together; the last page may be short of the least size."""
    least, most = settings.page_characters
    lines: list[str] = []
    size, target = 0, _size(random, least, most)
    for document in documents:
        for line in document:
            lines.append(line)
            size += len(line)
            if size >= target:
                yield tuple(lines)
                lines, size, target = [], 0, _size(random, least, most)
        if size >= least:
            yield tuple(lines)
            lines, size, target = [], 0, _size(random, least, most)
    if size > least // 2:
        yield tuple(lines)


def _size(random: Random, least: int, most: int) -> int:
    """Small pages are more frequent than large ones."""
    return min(most, int(least * random.lognormvariate(0.7, 0.6)) + least // 4)


def _scripts(texts: list[tuple[str, ...]]) -> list[str]:
    if not texts:
        return []
    letters = count_scripts([" ".join(lines) for lines in texts])
    return [WRITINGS[place] for place in writings(letters, min_kana=0.05)]
