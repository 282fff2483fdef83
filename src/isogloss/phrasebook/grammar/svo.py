"""Frames that are the same in every language that says subject, verb, object, place in this order and negates before
the verb: a grammar brings its four parts and overrides what it says differently.

    FRAMES = {**svo_frames(subject=subject, verb=verb, object_=object_, place=place, who="кто"), "has": has, …}
"""

from __future__ import annotations

from typing import Protocol

from isogloss.phrasebook.clauses import Clause
from isogloss.phrasebook.grammar.words import Frame, FrameTable, Word, say
from isogloss.phrasebook.lexicon import Lexicon

__all__ = ["asks", "svo_frames"]


class VerbPart(Protocol):
    """The verb ``concept`` (the clause's own when empty), agreeing with the subject, with its negation."""

    def __call__(self, c: Clause, words: Lexicon, concept: str = ..., /) -> list[Word]: ...


class PlacePart(Protocol):
    """The place with its preposition; ``direction`` is at, to or from."""

    def __call__(self, c: Clause, words: Lexicon, direction: str = ..., /) -> list[Word]: ...


def svo_frames(*, subject: Frame, verb: VerbPart, object_: Frame, place: PlacePart, who: str) -> FrameTable:
    def act(c: Clause, words: Lexicon) -> list[Word]:
        return say(subject(c, words), verb(c, words))

    def act_at(c: Clause, words: Lexicon) -> list[Word]:
        return say(act(c, words), place(c, words))

    def transitive(c: Clause, words: Lexicon) -> list[Word]:
        return say(act(c, words), object_(c, words))

    def transitive_at(c: Clause, words: Lexicon) -> list[Word]:
        return say(transitive(c, words), place(c, words))

    def wants(c: Clause, words: Lexicon) -> list[Word]:
        return say(subject(c, words), verb(c, words, "want"), object_(c, words))

    def goes_to(c: Clause, words: Lexicon) -> list[Word]:
        return say(subject(c, words), verb(c, words, "go"), place(c, words, "to"))

    def comes_from(c: Clause, words: Lexicon) -> list[Word]:
        return say(subject(c, words), verb(c, words, "come"), place(c, words, "from"))

    def lives_in(c: Clause, words: Lexicon) -> list[Word]:
        return say(subject(c, words), verb(c, words, "live"), place(c, words))

    def who_transitive(c: Clause, words: Lexicon) -> list[Word]:
        return say(who, verb(c, words), object_(c, words))

    def who_act_at(c: Clause, words: Lexicon) -> list[Word]:
        return say(who, verb(c, words), place(c, words))

    return {
        "act": act,
        "act_at": act_at,
        "transitive": transitive,
        "transitive_at": transitive_at,
        "wants": wants,
        "goes_to": goes_to,
        "comes_from": comes_from,
        "lives_in": lives_in,
        "who_transitive": who_transitive,
        "who_act_at": who_act_at,
    }


def asks(question: str, verb: VerbPart, subject: Frame, concept: str) -> Frame:
    """QUESTION VERB SUBJECT: где живёт Анна."""

    def frame(c: Clause, words: Lexicon) -> list[Word]:
        return say(question, verb(c, words, concept), subject(c, words))

    return frame
