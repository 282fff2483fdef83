"""What grammars ask about what they say: is it a person, is it a mass, is it liked in general?"""

from __future__ import annotations

from dataclasses import replace

from isogloss.phrasebook.clauses import Clause, Phrase
from isogloss.phrasebook.lexicon import Cell, Lexicon, concepts
from isogloss.phrasebook.world import is_a

__all__ = [
    "asks_whom",
    "gender_of",
    "in_general",
    "is_bare_object",
    "is_mass",
    "is_person",
    "is_woman",
    "numeral_of",
    "owned_thing",
]

NUMERALS = ("", "", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def numeral_of(p: Phrase, words: Lexicon) -> Cell:
    """The numeral of a phrase that is counted, two to ten."""
    return words[NUMERALS[p.number]]


def gender_of(phrase: Phrase) -> str:
    """Natural gender, "f" or "m", of a named person."""
    return concepts()[phrase.name]["gender"]


def is_woman(phrase: Phrase) -> bool:
    """A named woman: she is said with the noun for women, where there is one."""
    return bool(phrase.name) and gender_of(phrase) == "f"


def is_person(phrase: Phrase) -> bool:
    """A named person, or a noun for people."""
    return bool(phrase.name) or is_a(phrase.noun, "person")


def is_mass(noun: str) -> bool:
    """Water, bread, clothing: no plural, no numeral, no indefinite article."""
    return concepts()[noun]["countable"] == "mass"


def in_general(p: Phrase) -> Phrase:
    """What is liked, where all of a kind has the article: aimer les chats, aimer le lait."""
    return replace(p, definite=p.definite or p.number == 0 or is_mass(p.noun))


def is_bare_object(c: Clause, words: Lexicon, *, general: str) -> bool:
    """What is denied ("has not cat") or loved in general (by a verb with the tag ``general``) is bare in languages
    without articles, unless it is definite or counted."""
    loved = c.object.number == 0 and bool(c.verb) and general in words[c.verb].tags
    return not c.object.definite and c.object.number < 2 and (c.negated or loved)


def owned_thing(c: Clause) -> Phrase:
    """What the recipient of the frame "owned" owns: the dog, the dogs, never counted."""
    return Phrase(noun=c.subject.noun, number=0 if c.subject.plural else 1, definite=True)


def asks_whom(verb: str) -> bool:
    """Only living beings can be loved, heard or helped: "Whom does Anna love?", but "What does Anna see?"."""
    return all(is_a(kind, "living") for kind in concepts()[verb]["objects"].split())
