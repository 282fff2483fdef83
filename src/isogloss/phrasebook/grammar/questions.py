"""What a question asks after, for the languages that have a word for "whom" beside "what"."""

from __future__ import annotations

from isogloss.phrasebook.lexicon import concepts
from isogloss.phrasebook.world import is_a

__all__ = ["asks_whom"]


def asks_whom(verb: str) -> bool:
    """Only living beings can be loved, heard or helped: "Whom does Anna love?", but "What does Anna see?"."""
    return all(is_a(kind, "living") for kind in concepts()[verb]["objects"].split())
