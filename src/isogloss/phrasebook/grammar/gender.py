"""Gender and number of what words agree with.

Where nouns are masculine or feminine (Arabic, French, Hindi, Spanish, Urdu) they carry the tag ``m`` or ``f``; a noun
for a person may carry ``fem=`` (profesor | m | fem=profesora), said of a woman: ``told_apart`` gives the noun that
suits whom it is said of. In the plural gender still shows; ``is_many`` says who is. Where there is a neuter, ``n``, and
one plural for all (Bulgarian, German, Russian), ``gender_in`` gives the one of four.
"""

from __future__ import annotations

from dataclasses import replace

from isogloss.phrasebook.clauses import Phrase
from isogloss.phrasebook.grammar.meaning import gender_of, is_woman
from isogloss.phrasebook.lexicon import Cell, Lexicon

__all__ = ["gender_in", "is_feminine", "is_many", "named_by", "told_apart"]


def gender_in(p: Phrase, words: Lexicon) -> str:
    """m, f, n, or pl for more than one and for nouns that are always said in the plural (``only_plural``)."""
    if p.name:
        return gender_of(p)
    cell = words[p.noun]
    return "pl" if p.plural or "only_plural" in cell.tags else cell.tagged("m", "f", "n")


def is_many(p: Phrase, words: Lexicon) -> bool:
    """Said in the plural, as furniture and clothing may be (``plural``)."""
    return p.plural or bool(p.noun and "plural" in words[p.noun].tags)


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
    return told_apart(words[phrase.noun], female=is_woman(name))
