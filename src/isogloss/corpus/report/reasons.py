"""What a reason means, which step gives it, and whether it drops documents or lines; strange reasons are known as such.

explain("short-document").step      # 'rules'
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from isogloss.corpus.reasons import DOCUMENT_REASONS, LINE_REASONS, NOTES, STEPS, step_of

__all__ = ["ORDER", "UNKNOWN_STEP", "Reason", "explain", "meaning_of_note"]

UNKNOWN_STEP = "unknown"
UNKNOWN_MEANING = "not known to this version of isogloss"
# The place of each step in the work.
ORDER = {name: place for place, name in enumerate([*STEPS, UNKNOWN_STEP])}


class Reason(NamedTuple):
    """Why something was dropped."""

    name: str
    step: str
    unit: Literal["documents", "lines"]
    meaning: str


def explain(name: str) -> Reason:
    """The reason of this name; one that no step knows is of lines if its name ends so, else of documents."""
    if name in DOCUMENT_REASONS:
        return Reason(name, step_of(name), "documents", DOCUMENT_REASONS[name])
    if name in LINE_REASONS:
        return Reason(name, step_of(name), "lines", LINE_REASONS[name])
    return Reason(name, UNKNOWN_STEP, "lines" if name.endswith("-line") else "documents", UNKNOWN_MEANING)


def meaning_of_note(name: str) -> str:
    """What was noted though nothing was dropped."""
    return NOTES.get(name, UNKNOWN_MEANING)
