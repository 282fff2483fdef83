"""What a corpus build met, kept and dropped, by language and by named reason; nothing leaves without being counted.

Two sums always hold and are tested: documents read = documents kept + documents dropped by each document reason, and
lines read = lines kept + lines dropped by each reason, a dropped document's lines included. A blank line is a mark
between documents or paragraphs, not a line; a record that cannot be parsed is a document of no lines.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any

__all__ = ["DOCUMENT_REASONS", "LINE_REASONS", "NOTES", "UNKNOWN_LANGUAGE", "Tally"]

# BCP 47's code for a language nobody knows: where records without a usable language are counted.
UNKNOWN_LANGUAGE = "und"

DOCUMENT_REASONS = {
    "bad-json": "a JSON line that cannot be parsed",
    "not-an-object": "a JSON line that is no object",
    "bad-utf8-record": "a JSON line or a WET record that is not UTF-8",
    "long-record": "a JSON line or a crawl record over max_record_bytes, or a page over max_html_bytes",
    "cut-off-record": "the last JSON line of a damaged file, or a crawl record that its file breaks off in",
    "bad-member": "a compressed member of a crawl file that cannot be decompressed, whatever records it held",
    "bad-record-header": "what stands where a crawl record has to begin is no WARC header",
    "bad-length": "a crawl record without a length, or at whose end no other begins",
    "bad-digest": "a crawl record that is not what its digest says",
    "bad-http": "a crawl record that is no HTTP response, or whose body cannot be decoded",
    "bad-status": "a response other than 200",
    "not-html": "a response that is no HTML",
    "bad-encoding": "a page that is in none of the encodings it may be in",
    "deep-html": "a page of more than 2000 elements in each other",
    "no-text": "a record whose text is missing or is no string",
    "no-language": "a record without a language, in a file whose name has none either",
    "bad-language": "a record whose language is not a BCP 47 code",
    "other-language": "a record in a language that was not asked for",
    "empty-document": "no line is left in it",
    "duplicate-document": "the same text as an earlier document of the language",
    "over-limit": "past the size limit of the language",
}
LINE_REASONS = {
    "bad-utf8-line": "not UTF-8, or a lone surrogate",
    "nul-line": "contains a NUL byte",
    "long-line": "over max_line_bytes",
    "cut-off-line": "the last line of a damaged file",
    "duplicate-line": "the same line stood earlier in the language",
}
NOTES = {
    "split-document": "cut at a line end to stay under max_document_bytes; nothing is lost",
    "other-record": "a crawl record that holds no page: of the crawl, of a request, of a page fetched before",
}


class Tally:
    """Counts by language: ``read``, ``dropped`` by reason in its own unit, ``dropped_lines`` by reason, ``noted``."""

    def __init__(self) -> None:
        self.read: dict[str, Counter[str]] = defaultdict(Counter)
        self.dropped: dict[str, Counter[str]] = defaultdict(Counter)
        self.dropped_lines: dict[str, Counter[str]] = defaultdict(Counter)
        self.noted: dict[str, Counter[str]] = defaultdict(Counter)

    def meet(self, language: str, *, documents: int = 0, lines: int = 0) -> None:
        """Count what was read, whatever becomes of it."""
        self.read[language]["documents"] += documents
        self.read[language]["lines"] += lines

    def drop_document(self, language: str, reason: str, *, lines: int = 0) -> None:
        """Count a document that goes, with its lines that had not been dropped before."""
        assert reason in DOCUMENT_REASONS, reason
        self.dropped[language][reason] += 1
        if lines:
            self.dropped_lines[language][reason] += lines

    def drop_line(self, language: str, reason: str, *, lines: int = 1) -> None:
        """Count lines that go while their document may stay."""
        assert reason in LINE_REASONS, reason
        self.dropped[language][reason] += lines
        self.dropped_lines[language][reason] += lines

    def note(self, language: str, what: str) -> None:
        """Count something a reader of the report should know though nothing was dropped."""
        assert what in NOTES, what
        self.noted[language][what] += 1

    def add(self, counts: Mapping[str, Mapping[str, Mapping[str, int]]]) -> None:
        """Add what :meth:`counts` of another tally gave."""
        for table, languages in counts.items():
            for language, values in languages.items():
                getattr(self, table)[language].update(values)

    def counts(self) -> dict[str, Any]:
        """The four tables as plain, sorted dictionaries."""
        return {
            table: {
                code: dict(sorted(values.items())) for code, values in sorted(getattr(self, table).items()) if values
            }
            for table in ("read", "dropped", "dropped_lines", "noted")
        }
