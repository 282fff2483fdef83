"""Words on their way to a sentence: a text, what it stands for, and whether the next word is written onto it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from isogloss.phrasebook.clauses import Clause
from isogloss.phrasebook.lexicon import Lexicon, concepts

__all__ = ["Frame", "FrameTable", "Word", "entity_kind", "name_of", "say", "with_role"]


@dataclass(frozen=True)
class Word:
    """One word. ``role`` is the clause slot it belongs to ("subject", "object", "place", …, "" for none);
    ``entity`` is PER, LOC or ORG for names; ``glued`` writes the next word onto this one without a space (French
    l'ami, Arabic prefixes; languages without spaces glue everything by themselves)."""

    text: str
    role: str = ""
    entity: str = ""
    glued: bool = False


Frame = Callable[[Clause, Lexicon], list[Word]]
FrameTable = dict[str, Frame]


def say(*parts: str | Word | Iterable[Word]) -> list[Word]:
    """Words in order: a string may hold several words separated by spaces; empty strings vanish."""
    words: list[Word] = []
    for part in parts:
        if isinstance(part, str):
            words += [Word(text) for text in part.split()]
        elif isinstance(part, Word):
            words.append(part)
        else:
            words += part
    return words


def with_role(role: str, *parts: str | Word | Iterable[Word]) -> list[Word]:
    """The same words, each marked with ``role``: the answer to a question about that slot is exactly these words,
    so a preposition that the answer should not hold stays outside."""
    return [replace(word, role=role) for word in say(*parts)]


def entity_kind(name: str) -> str:
    """PER, LOC or ORG for a name; "" for any other concept."""
    concept = concepts().get(name)
    return concept["kind"] if concept is not None and concept.table == "names" else ""


def name_of(concept: str, words: Lexicon, role: str) -> list[Word]:
    """The words of a name: El Cairo is two."""
    return [Word(text, role, entity_kind(concept)) for text in words[concept].lemma.split()]
