"""Settings of a made crawl: which text, how much of what is done to it, and how it is laid out."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from isogloss.config import Settings

__all__ = ["CrawlOfTextSettings", "ShareSettings"]


def _share(default: float, description: str) -> float:
    value: float = Field(default, ge=0, le=1, description=description)
    return value


class ShareSettings(Settings):
    """Shares of the pages that clean text gives; a page is of one kind, and duplicates are added to them."""

    exact_duplicates: float = _share(0.05, "pages of the same lines, on another host")
    near_duplicates: float = _share(0.05, "pages with some words changed, on another host")
    short: float = _share(0.03, "pages cut below short_characters")
    mixed: float = _share(0.05, "pages with lines of another language inside")
    contaminated: float = _share(0.05, "pages with labelled texts inside, of languages that have such texts")
    personal: float = _share(0.03, "pages with an e-mail address and a telephone number")
    cut_member: float = _share(0.003, "gzip members that break off; in files of their own, which no listing names")
    wrong_length: float = _share(0.003, "records whose Content-Length is not theirs")
    bad_utf8: float = _share(0.003, "WET records with bytes that are no UTF-8")
    bad_http: float = _share(0.002, "WARC responses that are no HTTP")
    bad_status: float = _share(0.002, "WARC responses of another status than 200")
    not_html: float = _share(0.002, "WARC responses of another type than HTML")
    boilerplate_hosts: float = _share(0.5, "hosts, not pages, whose pages all have a menu, a notice and a footer")
    plain_hosts: float = _share(0.5, "hosts, not pages, whose HTML marks neither menus nor main content")
    old_encodings: float = _share(0.2, "WARC pages in the encoding their language had before UTF-8, where it can be")
    warc: float = _share(0.3, "pages kept as HTML in WARC files, and not as text in WET files")


class CrawlOfTextSettings(Settings):
    """A crawl with known truth, made of clean text."""

    text: Path = Field(description="folder of LANG.txt: a paragraph a line, a blank line between documents")
    output: Path = Field(description="the folder to write")
    labelled: Path | None = Field(None, description="folder of labelled sets, SPLIT.LANG.tsv; none: no contamination")
    languages: tuple[str, ...] = Field((), description="names of the files to take, without .txt; none takes all")
    max_bytes: int | None = Field(None, gt=0, description="most bytes taken of each file, from its beginning")
    crawl: str = Field("CC-MAIN-2018-51", description="name of the crawl")
    seed: int = Field(1, description="another seed, another crawl")
    shares: ShareSettings = Field(ShareSettings(), description="how much of what is done")
    near_changes: tuple[float, ...] = Field(
        (0.02, 0.05, 0.1, 0.2),
        min_length=1,
        description="shares of words changed, one drawn for each near-duplicate",
    )
    foreign_lines: tuple[float, float] = Field(
        (0.1, 0.3), description="least and most foreign lines of a mixed page, as a share of its own"
    )
    foreign_characters: int = Field(40, gt=0, description="least characters of a foreign line; ideographs count three")
    labelled_texts: tuple[int, int] = Field((1, 3), description="least and most labelled texts of a contaminated page")
    page_characters: tuple[int, int] = Field((600, 6000), description="least and most characters of a page, about")
    short_characters: int = Field(300, gt=1, description="short pages have fewer characters than this")
    pages_per_host: int = Field(20, gt=0, description="pages of one host, on average")
    wet_files: int = Field(16, gt=0, description="WET files in the listing")
    warc_files: int = Field(8, gt=0, description="WARC files in the listing")
