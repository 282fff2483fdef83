"""What every reader gives and how it is told to read: documents, settings, and lines joined into documents.

A line is text without white space at its ends, or the reason why it cannot be kept. Whatever is not kept is counted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from pydantic import Field, field_validator, model_validator

from isogloss.config import Settings
from isogloss.corpus.tally import UNKNOWN_LANGUAGE, Tally
from isogloss.languages import code_in_settings

__all__ = ["CrawlSettings", "Document", "Line", "ReadSettings", "WikiSettings", "assemble", "lose", "record_lines"]

# JSON may escape half of a pair, which no UTF-8 can hold.
_SURROGATE = re.compile("[\ud800-\udfff]")


class CrawlSettings(Settings):
    """How crawl files (WET, WARC) are read."""

    main_content: bool = Field(
        True, description="of HTML, only the main content, without menus, headers and footers; WET has no such marks"
    )
    max_html_bytes: int = Field(
        1 << 23, gt=0, description="a longer HTML page is dropped and counted; its tree takes some ten times its bytes"
    )
    check_digests: bool = Field(
        False, description="drop and count records whose SHA-1 or other block or payload digest does not agree"
    )


class WikiSettings(Settings):
    """How dumps of wikis (pages-articles.xml) are read."""

    lists: bool = Field(False, description="keep the items of lists, of which most are names and references")
    headings: bool = Field(False, description="keep the headings of sections")
    max_page_bytes: int = Field(
        1 << 21, gt=0, description="a longer page is dropped and counted; MediaWiki itself allows no more than 2 MiB"
    )


class ReadSettings(Settings):
    """How input files are read."""

    text_key: str = Field("text", description="key or column that holds a record's text")
    language_key: str = Field("language", description="key or column that holds a record's language")
    script_key: str = Field(
        "language_script", description="key or column that says in which script that language is written (FineWeb-2)"
    )
    keep_keys: tuple[str, ...] = Field(
        (), description="further keys or columns kept with each document, as url or date"
    )
    language: str = Field(
        UNKNOWN_LANGUAGE,
        description="language of crawl files (WET, WARC) and of wikis whose name says none; und: not known yet",
    )
    crawl: CrawlSettings = Field(CrawlSettings(), description="how crawl files are read")
    wiki: WikiSettings = Field(WikiSettings(), description="how dumps of wikis are read")
    max_line_bytes: int = Field(1 << 20, gt=0, description="a longer line of text is dropped and counted")
    max_document_bytes: int = Field(1 << 20, gt=0, description="a longer document is split at a line end")
    max_record_bytes: int = Field(
        1 << 26, gt=0, description="a longer JSON line or crawl record is dropped and counted"
    )

    @field_validator("language")
    @classmethod
    def _canonical_language(cls, code: str) -> str:
        return code_in_settings(code)

    @model_validator(mode="after")
    def _line_fits_document(self) -> ReadSettings:
        if self.max_line_bytes > self.max_document_bytes:
            raise ValueError(
                f"max_line_bytes = {self.max_line_bytes} is over max_document_bytes = {self.max_document_bytes}; "
                "a document must have room for a line"
            )
        return self


class Document(NamedTuple):
    """A document as it was read; ``line`` is where it begins in its file, or its record's number there.

    Line feeds divide the lines of ``text``; none is blank, and none has white space at its ends.
    """

    language: str
    text: str
    line: int
    piece: int
    source: Mapping[str, Any]

    @property
    def place(self) -> str:
        """Where it stands in its file, unique there: LINE, and LINE+PIECE for what was split off a long document."""
        return f"{self.line}+{self.piece}" if self.piece else str(self.line)

    @property
    def lines(self) -> tuple[str, ...]:
        """The text's lines; made anew each time."""
        return tuple(self.text.split("\n"))

    @property
    def num_lines(self) -> int:
        """How many lines there are, at least one."""
        return self.text.count("\n") + 1


class Line(NamedTuple):
    """One line of text: what it says, or the reason why it cannot be kept."""

    number: int
    text: str
    reason: str = ""

    @property
    def is_blank(self) -> bool:
        return not self.text and not self.reason


def record_lines(number: int, text: str, max_line_bytes: int) -> Iterator[Line]:
    """The lines of one record's text, each numbered as the record."""
    for line in text.split("\n"):
        if "\0" in line:
            yield Line(number, "", "nul-line")
        elif len(line) > max_line_bytes or len(line.encode("utf-8", "surrogatepass")) > max_line_bytes:
            yield Line(number, "", "long-line")
        elif _SURROGATE.search(line):
            yield Line(number, "", "bad-utf8-line")
        else:
            yield Line(number, line.strip())


def assemble(
    language: str, lines: Iterable[Line], source: Mapping[str, Any], settings: ReadSettings, tally: Tally
) -> Iterator[Document]:
    """Join the lines of one document, or of several where it is too long, dropping lines that carry a reason."""
    kept: list[str] = []
    first = size = pieces = num_lines = 0
    for number, text, reason in lines:
        num_lines += 1
        if reason:
            tally.drop_line(language, reason)
            continue
        length = len(text.encode()) + 1
        if kept and size + length > settings.max_document_bytes:
            tally.note(language, "split-document")
            tally.meet(language, documents=1)
            yield Document(language, "\n".join(kept), first, pieces, source)
            kept, size, pieces = [], 0, pieces + 1
        first = first if kept else number
        kept.append(text)
        size += length
    tally.meet(language, documents=1, lines=num_lines)
    if kept:
        yield Document(language, "\n".join(kept), first, pieces, source)
    else:
        tally.drop_document(language, "empty-document")


def lose(language: str, reason: str, tally: Tally) -> None:
    """Count a document that could not be read."""
    tally.meet(language, documents=1)
    tally.drop_document(language, reason)
