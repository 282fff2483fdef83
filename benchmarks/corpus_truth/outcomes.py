"""What became of each page of a made crawl: kept, dropped, or in no file that was read; and what of it is left.

    outcomes = read_outcomes(Path("corpus"), entries)
    for page in outcomes.pages: page.entry, page.kept, page.language, page.reason, page.left

A corpus record is known by the address of its page, or by its file and its number there. Where the corpus folder has
``dropped/*.jsonl.zst`` (made with keep_dropped=true), each dropped document and line has its reason; a line's reason
ends in "-line". Without them, what is not in the corpus has no reason.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from truth import Entry, KnownLine, line_key

from isogloss.corpus.folder import Corpus
from isogloss.corpus.parts import read_part
from isogloss.corpus.tally import UNKNOWN_LANGUAGE
from isogloss.errors import DataError

__all__ = ["Outcomes", "PageOutcome", "read_outcomes"]


@dataclass
class PageOutcome:
    """``language`` is what the page was found to be in, empty where nobody said; ``reason`` that of a dropped page.

    ``left`` counts the corpus's lines of this page by key, ``line_reasons`` has why others are gone, and
    ``secrets_left`` says how many of its secrets can still be read.
    """

    entry: Entry
    kept: bool = False
    language: str = ""
    reason: str = ""
    left: Counter[int] = field(default_factory=Counter)
    line_reasons: dict[int, str] = field(default_factory=dict)
    secrets_left: int = 0

    def lines(self) -> Iterator[tuple[KnownLine, bool]]:
        """Each line of the page, and whether it is left in the corpus."""
        left = Counter(self.left)
        for line in self.entry.lines:
            is_left = left[line.key] > 0
            left[line.key] -= is_left
            yield line, is_left

    def why(self, line: KnownLine) -> str:
        """Why a line that is not left is gone; empty where nobody says."""
        return self.line_reasons.get(line.key) or self.reason


@dataclass(frozen=True)
class Outcomes:
    """``pages`` of the files that were read; ``strangers``, records of pages that the truth does not know."""

    pages: list[PageOutcome]
    statistics: Mapping[str, Any]
    has_reasons: bool
    strangers: int


def read_outcomes(folder: Path, entries: Iterable[Entry]) -> Outcomes:
    """Raises FolderError if the folder is no corpus, DataError if it was made from other files than the truth tells."""
    corpus = Corpus.open(folder)
    read = {PurePosixPath(file["file"]).name for file in corpus.manifest.statistics["files"]}
    pages = [PageOutcome(entry) for entry in entries if entry.file in read]
    if not pages:
        raise DataError(f"corpus {folder} was made from none of the files that the truth tells of; give its own truth")
    by_url = {page.entry.url: page for page in pages}
    by_place = {(page.entry.file, page.entry.number): page for page in pages}
    strangers = 0
    for language in corpus.languages:
        for record in corpus.records(language):
            page = _page_of(record, by_url, by_place)
            if page is None:
                strangers += 1
                continue
            page.kept, page.language = True, "" if language == UNKNOWN_LANGUAGE else language
            page.left.update(map(line_key, record["text"].split("\n")))
            page.secrets_left += sum(secret in record["text"] for secret in page.entry.secrets)
    parts = sorted((folder / "dropped").rglob("*.jsonl.zst"))
    for record in (record for part in parts for record in read_part(part)):
        page = _page_of(record, by_url, by_place)
        if page is None:
            strangers += 1
        else:
            _drop(page, record)
    for page in pages:
        if not page.kept and not page.reason and page.line_reasons:
            page.reason = f"all lines: {Counter(page.line_reasons.values()).most_common(1)[0][0]}"
    return Outcomes(pages, corpus.manifest.statistics, bool(parts), strangers)


def _page_of(
    record: Mapping[str, Any], by_url: Mapping[str, PageOutcome], by_place: Mapping[tuple[str, int], PageOutcome]
) -> PageOutcome | None:
    source = record.get("source") or {}
    if (page := by_url.get(source.get("url", ""))) is not None:
        return page
    file, _, place = str(record.get("id", "")).rpartition(":")
    number = place.partition("+")[0]
    return by_place.get((PurePosixPath(file).name, int(number))) if number.isdecimal() else None


def _drop(page: PageOutcome, record: Mapping[str, Any]) -> None:
    reason = str(record.get("reason", ""))
    if reason.endswith("-line") or record.get("kind") == "line":
        page.line_reasons |= {line_key(line): reason for line in str(record.get("text", "")).split("\n")}
    elif not page.kept:
        language = str(record.get("language") or "")
        page.reason, page.language = reason, "" if language == UNKNOWN_LANGUAGE else language
