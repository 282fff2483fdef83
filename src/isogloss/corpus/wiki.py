"""Dumps of wikis (``swwiki-20231101-pages-articles.xml.bz2``) → documents: the articles, as plain text.

Each document keeps ``title``, ``page`` (the page's id) and ``date`` of its page, and the page's number in the file.
Redirects and pages of other namespaces are noted. A dump is a stream of any length: memory is that of one page, and a
file that declares entities or hides its tags from the parser is damaged rather than believed.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from xml.parsers import expat

from isogloss.corpus.blocks import DamagedFileError
from isogloss.corpus.documents import Document, ReadSettings, assemble, lose, record_lines
from isogloss.corpus.sources import Source, read_blocks
from isogloss.corpus.tally import Tally
from isogloss.corpus.wikitext import Extractor

__all__ = ["read_wiki"]

# Names of namespaces whose links are pictures and categories, not words: their numbers in every wiki.
FILES, CATEGORIES = "6", "14"
MAX_DEPTH = 32
# What is kept of a title, a date or a number, and the longest tag.
MAX_FIELD_CHARACTERS = 1 << 12
MAX_TAG_BYTES = 1 << 16
BUFFER_BYTES = 1 << 16
_FIELDS = ("title", "ns", "id", "timestamp", "model", "text")


@dataclass
class _Page:
    """What stands in one <page>; a text over the limit is not kept."""

    fields: dict[str, str] = field(default_factory=dict)
    is_redirect: bool = False
    is_long: bool = False

    @property
    def is_article(self) -> bool:
        """Whether it is a page of text in the main namespace that leads nowhere else."""
        text = self.fields.get("text", "").lstrip()
        return (
            self.fields.get("ns", "0") == "0"
            and self.fields.get("model", "wikitext") == "wikitext"
            and not self.is_redirect
            # Old dumps have no element for it.
            and text[:9].upper() != "#REDIRECT"
        )


def read_wiki(source: Source, settings: ReadSettings, tally: Tally, languages: Collection[str]) -> Iterator[Document]:
    """The documents of one dump; raises OSError if it cannot be read and DamagedFileError where it breaks off."""
    language = source.language or settings.language
    dump = _Dump(settings.wiki.max_page_bytes)
    extractor: Extractor | None = None
    pages = itertools.chain(
        itertools.chain.from_iterable(map(dump.feed, read_blocks(source))), dump.feed(b"", is_last=True)
    )
    try:
        for number, page in enumerate(pages, start=1):
            extractor = extractor or Extractor(settings.wiki, dump.silent_namespaces)
            yield from _read_page(page, number, language, extractor, settings, tally, languages)
    except DamagedFileError:
        if dump.page is not None:
            lose(language, "cut-off-record", tally)
        raise


def _read_page(
    page: _Page,
    number: int,
    language: str,
    extractor: Extractor,
    settings: ReadSettings,
    tally: Tally,
    languages: Collection[str],
) -> Iterator[Document]:
    if not page.is_article:
        tally.note(language, "other-page")
    elif languages and language not in languages:
        lose(language, "other-language", tally)
    elif page.is_long:
        lose(language, "long-record", tally)
    elif (text := extractor.text(page.fields.get("text", ""))) is None:
        lose(language, "bad-wikitext", tally)
    else:
        facts = {"title": "title", "page": "id", "date": "timestamp"}
        kept = {name: page.fields[key] for name, key in facts.items() if page.fields.get(key)}
        lines = (line for line in record_lines(number, text, settings.max_line_bytes) if not line.is_blank)
        yield from assemble(language, lines, kept, settings, tally)


class _Dump:
    """Feeds blocks of XML to a parser and gives the pages that are whole; ``page`` is the one at hand."""

    def __init__(self, max_page_bytes: int) -> None:
        self.page: _Page | None = None
        self.silent_namespaces = {"file", "image", "media", "category"}
        self._max_page_bytes = max_page_bytes
        self._done: list[_Page] = []
        self._path: list[str] = []
        self._text: list[str] = []
        self._characters = self._fed = 0
        self._is_silent = False
        self._parser = expat.ParserCreate()
        self._parser.buffer_text = True
        self._parser.buffer_size = BUFFER_BYTES
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._stop
        self._parser.CharacterDataHandler = self._hear
        self._parser.StartDoctypeDeclHandler = _refuse_doctype

    def feed(self, block: bytes, *, is_last: bool = False) -> Iterator[_Page]:
        """The pages that end in this block; raises DamagedFileError behind those that stand before the damage."""
        damage = self._parse(block, is_last=is_last)
        done, self._done = self._done, []
        yield from done
        if damage is not None:
            raise damage

    def _parse(self, block: bytes, *, is_last: bool) -> DamagedFileError | None:
        try:
            self._parser.Parse(block, is_last)
        except expat.ExpatError as error:
            return DamagedFileError(f"damaged XML ({error})")
        except DamagedFileError as error:
            return error
        self._fed += len(block)
        if self._fed - self._parser.CurrentByteIndex > MAX_TAG_BYTES + len(block):
            return DamagedFileError(f"damaged XML (a tag of more than {MAX_TAG_BYTES} bytes)")
        return None

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if not self._path and name != "mediawiki":
            raise DamagedFileError(f"no dump of a wiki: it begins with <{name[:40]}>, not with <mediawiki>")
        if len(self._path) >= MAX_DEPTH:
            raise DamagedFileError(f"damaged XML (more than {MAX_DEPTH} elements in each other)")
        self._path.append(name)
        self._text.clear()
        self._characters = 0
        if name == "page" and len(self._path) == 2:
            self.page = _Page()
        elif name == "redirect" and self.page is not None:
            self.page.is_redirect = True
        elif name == "namespace":
            self._is_silent = attributes.get("key") in (FILES, CATEGORIES)

    def _hear(self, text: str) -> None:
        name = self._path[-1] if self._path else ""
        limit = self._max_page_bytes if name == "text" else MAX_FIELD_CHARACTERS
        self._characters += len(text)
        if self._characters <= limit:
            self._text.append(text)
        else:
            self._text.clear()

    def _stop(self, name: str) -> None:
        text = "".join(self._text)
        self._path.pop()
        if self.page is not None and name in _FIELDS:
            # The page's id comes before those of its revision and of who wrote it; the last revision is the newest.
            if name != "id" or name not in self.page.fields:
                self.page.fields[name] = text
            if name == "text":
                limit = self._max_page_bytes
                self.page.is_long = self._characters > limit or len(text.encode("utf-8", "replace")) > limit
        elif name == "namespace" and self._is_silent and text.strip():
            self.silent_namespaces.add(text.strip().lower())
        elif name == "page" and self.page is not None:
            self._done.append(self.page)
            self.page = None


def _refuse_doctype(*declared: object) -> None:
    raise DamagedFileError("no dump of a wiki: it declares a document type, and may declare entities")
