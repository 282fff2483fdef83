"""What identification says: arrays of codes, confidences, agreement and reasons, for texts and for documents' lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["DOCUMENT_REASONS", "LINE_REASONS", "NAMES", "REASONS", "Identified", "IdentifiedDocuments", "concatenated"]

# Why a text has no language of those asked for; "" where it has one.
REASONS = {
    "": "identified",
    "no letters": "there is no letter in it",
    "short": "fewer letters than min_letters",
    "other language": "identified as a language that was not asked for",
    "disagree": "the opinions differ and neither outweighs the other",
    "low confidence": "no opinion is sure enough",
}
NAMES = tuple(REASONS)
# The same as a build of a corpus counts them.
DOCUMENT_REASONS = {
    {"short": "few-letters", "other language": "unwanted-language"}.get(name, name.replace(" ", "-")): meaning
    for name, meaning in REASONS.items()
    if name
}
LINE_REASONS = {"foreign-line": "in another language than its document"}


@dataclass(frozen=True)
class Identified:
    """The answers for n texts; ``names`` are the codes that ``codes``, ``first`` and ``second`` (n,) are places in.

    ``codes`` is 0 ("") where there is a reason other than 'other language'; ``first`` is fastText's own answer and
    ``second`` CLD2's, 0 where it has none or was not asked; ``agreed`` (n,) whether both support the answer;
    ``reasons`` (n,) are places in REASONS.
    """

    names: tuple[str, ...]
    codes: np.ndarray[Any, np.dtype[np.int64]]
    confidence: np.ndarray[Any, np.dtype[np.float64]]
    agreed: np.ndarray[Any, np.dtype[np.bool_]]
    reasons: np.ndarray[Any, np.dtype[np.int64]]
    first: np.ndarray[Any, np.dtype[np.int64]]
    second: np.ndarray[Any, np.dtype[np.int64]]

    def __len__(self) -> int:
        return len(self.codes)

    def language(self, row: int) -> str:
        """The code of one text, "" for none."""
        return self.names[int(self.codes[row])]

    def reason(self, row: int) -> str:
        """The reason of one text, "" where it has a language that was asked for."""
        return NAMES[int(self.reasons[row])]

    def records(self) -> Iterator[dict[str, Any]]:
        """One dictionary a text, in order, as JSON lines are written."""
        for row in range(len(self)):
            yield {
                "language": self.language(row) or None,
                "confidence": round(float(self.confidence[row]), 3),
                "agreed": bool(self.agreed[row]),
                "reason": self.reason(row),
                "opinions": [self.names[self.first[row]] or None, self.names[self.second[row]] or None],
            }


@dataclass(frozen=True)
class IdentifiedDocuments:
    """``documents`` and the lines they have, one after another.

    Document d has the lines from ``starts[d]`` to ``starts[d + 1]`` (documents + 1,).
    ``foreign`` (lines,) marks lines in another language than their document's.
    """

    documents: Identified
    lines: Identified
    starts: np.ndarray[Any, np.dtype[np.int64]]
    foreign: np.ndarray[Any, np.dtype[np.bool_]]

    def records(self) -> Iterator[dict[str, Any]]:
        """One dictionary a document, in order, with the codes of its ``lines`` and the places of ``foreign`` ones."""
        for row, record in enumerate(self.documents.records()):
            rows = range(int(self.starts[row]), int(self.starts[row + 1]))
            yield {
                **record,
                "lines": [self.lines.language(line) or None for line in rows],
                "foreign": [place for place, line in enumerate(rows) if self.foreign[line]],
            }


def concatenated(names: tuple[str, ...], parts: Sequence[Identified]) -> Identified:
    """The answers for several batches as those for one."""
    fields = ("codes", "confidence", "agreed", "reasons", "first", "second")
    if not parts:
        none = np.empty(0, np.int64)
        return Identified(names, none, none.astype(np.float64), none.astype(np.bool_), none, none, none)
    return Identified(names, *(np.concatenate([getattr(part, name) for part in parts]) for name in fields))
