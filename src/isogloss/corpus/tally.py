"""What a corpus build met, kept and dropped, by language and by named reason; nothing leaves without being counted.

Two sums always hold and are tested: documents read = documents kept + documents dropped by each document reason, and
lines read = lines kept + lines dropped by each reason, a dropped document's lines included. A blank line is a mark
between documents or paragraphs, not a line; a record that cannot be parsed is a document of no lines.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any

from isogloss.corpus.reasons import DOCUMENT_REASONS, LINE_REASONS, NOTES

__all__ = ["UNKNOWN_LANGUAGE", "Tally"]

# BCP 47's code for a language nobody knows: where records without a usable language are counted.
UNKNOWN_LANGUAGE = "und"


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

    def move(self, source: str, target: str, *, documents: int, lines: int) -> None:
        """Count documents as read in the language that was found for them."""
        self.meet(source, documents=-documents, lines=-lines)
        self.meet(target, documents=documents, lines=lines)

    def drop_document(self, language: str, reason: str, *, documents: int = 1, lines: int = 0) -> None:
        """Count documents that go, with their lines that had not been dropped before."""
        assert reason in DOCUMENT_REASONS, reason
        self.dropped[language][reason] += documents
        if lines:
            self.dropped_lines[language][reason] += lines

    def drop_line(self, language: str, reason: str, *, lines: int = 1) -> None:
        """Count lines that go while their document may stay."""
        assert reason in LINE_REASONS, reason
        self.dropped[language][reason] += lines
        self.dropped_lines[language][reason] += lines

    def note(self, language: str, what: str, *, times: int = 1) -> None:
        """Count something a reader of the report should know though nothing was dropped."""
        assert what in NOTES, what
        self.noted[language][what] += times

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
