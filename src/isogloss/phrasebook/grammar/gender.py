"""Grammatical gender where nouns are masculine or feminine: Arabic, French, Hindi, Spanish, Urdu.

Nouns carry the tag ``m`` or ``f``; a noun for a person may carry ``fem=`` (profesor | m | fem=profesora), said of a
woman. ``told_apart`` gives the noun that suits whom it is said of.
"""

from __future__ import annotations

from dataclasses import replace

from isogloss.phrasebook.clauses import Phrase
from isogloss.phrasebook.grammar.words import gender_of
from isogloss.phrasebook.lexicon import Cell, Lexicon
from isogloss.phrasebook.world import is_a

__all__ = ["is_feminine", "is_person", "named_by", "told_apart"]


def is_person(phrase: Phrase) -> bool:
    """A named person, or a noun for people."""
    return bool(phrase.name) or is_a(phrase.noun, "person")


def is_feminine(phrase: Phrase, words: Lexicon) -> bool:
    """The gender that verbs and adjectives agree with."""
    return (gender_of(phrase) if phrase.name else words[phrase.noun].tagged("m", "f")) == "f"


def told_apart(noun: Cell, *, female: bool) -> Cell:
    """The noun for a woman, when there is one; its other forms are then regular or stored as ``fempl=``."""
    if not female or "fem" not in noun.forms:
        return noun
    plural = {"pl": noun.forms["fempl"]} if "fempl" in noun.forms else {}
    return replace(noun, lemma=noun.forms["fem"], tags=frozenset({"f"}), forms=plural)


def named_by(phrase: Phrase, name: Phrase, words: Lexicon) -> Cell:
    """The noun of ``phrase`` for somebody called ``name`` (who may be left open in a question)."""
    return told_apart(words[phrase.noun], female=bool(name.name) and gender_of(name) == "f")
