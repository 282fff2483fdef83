"""Word order: a frame is its parts, one after another, and what languages with the same order have in common.

FRAMES = {**svo_frames(subject=subject, …), "price": in_order(subject, (verb, "cost"), number, "евро"), …}
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from isogloss.phrasebook.clauses import Clause
from isogloss.phrasebook.grammar.words import Frame, FrameTable, Word, name_of, say, with_role
from isogloss.phrasebook.lexicon import Lexicon

__all__ = ["in_order", "lemma_of", "number", "svo_frames"]

Part = Callable[[Clause, Lexicon], list[Word] | str]
ToldPart = Callable[[Clause, Lexicon, str], list[Word] | str]


class PlacePart(Protocol):
    """The place with its preposition; told where to, or the preposition, when one does not stay there."""

    def __call__(self, c: Clause, words: Lexicon, direction: str = ..., /) -> list[Word]: ...


def in_order(*parts: str | Word | Part | tuple[ToldPart, str]) -> Frame:
    """The frame that says its parts in this order: text and words as they are, functions of the clause, and such a
    function with what it is told: ``in_order(subject, (verb, "want"), object_)``."""

    def frame(c: Clause, words: Lexicon) -> list[Word]:
        said: list[Word] = []
        for part in parts:
            if isinstance(part, str | Word):
                said += say(part)
            elif isinstance(part, tuple):
                told, what = part
                said += say(told(c, words, what))
            else:
                said += say(part(c, words))
        return said

    return frame


def number(c: Clause, words: Lexicon) -> list[Word]:
    """Years or euros, in digits."""
    return with_role("number", str(c.number))


def lemma_of(c: Clause, words: Lexicon, slot: str) -> list[Word]:
    """The word of a slot as the lexicon has it: a day, a company, an adjective that does not agree."""
    return name_of(getattr(c, slot), words, slot)


def svo_frames(
    *,
    subject: Part,
    does: Part,
    verb: ToldPart,
    object_: Part,
    place: PlacePart,
    who: str,
    to: str = "to",
    from_: str = "from",
) -> FrameTable:
    """What is the same in languages that say subject, verb, object, place in this order and negate beside the verb.

    ``does`` is the verb of the clause and ``verb`` the one it is told, both agreeing with the subject; ``to`` and
    ``from_`` are what the place is told when somebody goes there or comes from there.
    """
    return {
        "act": in_order(subject, does),
        "act_at": in_order(subject, does, place),
        "transitive": in_order(subject, does, object_),
        "transitive_at": in_order(subject, does, object_, place),
        "wants": in_order(subject, (verb, "want"), object_),
        "goes_to": in_order(subject, (verb, "go"), (place, to)),
        "comes_from": in_order(subject, (verb, "come"), (place, from_)),
        "lives_in": in_order(subject, (verb, "live"), place),
        "who_transitive": in_order(who, does, object_),
        "who_act_at": in_order(who, does, place),
    }
