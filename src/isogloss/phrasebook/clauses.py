"""What can be said, before it is said in any language: phrases and clauses over the concepts of the lexicon.

    Clause("act_at", subject=Phrase(noun="dog", number=3, adjective="big"), verb="sleep", place="park")

is "Three big dogs sleep in the park", "Drei große Hunde schlafen im Park", … A *frame* is a kind of clause; each
language's grammar has one function a frame (FRAMES in grammar/LANGUAGE.py).
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["NEGATABLE", "QUESTION_FRAMES", "SENTENCE_FRAMES", "Clause", "Phrase"]

# Each frame with the slots it uses; the comment is the English pattern.
SENTENCE_FRAMES: dict[str, tuple[str, ...]] = {
    "act": ("subject", "verb"),  # Two dogs sleep.
    "act_at": ("subject", "verb", "place"),  # Two dogs sleep in the park.
    "transitive": ("subject", "verb", "object"),  # Anna eats an apple.
    "transitive_at": ("subject", "verb", "object", "place"),  # Anna eats an apple in the kitchen.
    "located": ("subject", "place"),  # The dogs are in the park.
    "there_is": ("subject", "place"),  # There are two dogs in the park.
    "property": ("subject", "adjective"),  # The dogs are big.
    "kind": ("subject", "noun"),  # Anna is a doctor. The dogs are animals.
    "has": ("subject", "object"),  # Anna has two cats.
    "likes": ("subject", "object"),  # Anna likes apples (objects in general).
    "wants": ("subject", "object"),  # The boy wants an apple.
    "wants_to": ("subject", "verb"),  # The boy wants to swim.
    "can": ("subject", "verb"),  # The bird can sing.
    "gives": ("subject", "object", "recipient"),  # Anna gives the child a book.
    "goes_to": ("subject", "place"),  # Anna goes to the market.
    "comes_from": ("subject", "place"),  # Anna comes from Paris. The dogs come from the forest.
    "lives_in": ("subject", "place"),  # Anna lives in Paris. The farmer lives in the village.
    "with": ("subject", "verb", "recipient"),  # Anna dances with Omar.
    "compare": ("subject", "adjective", "recipient"),  # The horse is bigger than the dog.
    "together": ("subject", "recipient", "verb"),  # Anna and Omar dance.
    "on_day": ("subject", "verb", "day"),  # On Monday Anna works.
    "owned": ("recipient", "subject", "adjective"),  # Anna's dog is big (recipient owns subject).
    "age": ("subject", "number"),  # Anna is 12 years old.
    "price": ("subject", "number"),  # The book costs 12 euros.
    "works_for": ("subject", "place"),  # Anna works for Solaris (place is an ORG).
    "named": ("subject", "recipient"),  # The teacher's name is Anna (subject is the teacher, recipient the name).
}

QUESTION_FRAMES: dict[str, tuple[str, ...]] = {
    "where_is": ("subject",),  # Where are the dogs?        asks for place
    "where_lives": ("subject",),  # Where does Anna live?      asks for place
    "where_works": ("subject",),  # Where does Anna work?      asks for place (an ORG)
    "what_has": ("subject",),  # What does Anna have?       asks for object
    "what_transitive": ("subject", "verb"),  # What does Anna eat?        asks for object
    "who_transitive": ("verb", "object"),  # Who eats the apple?        asks for subject
    "who_act_at": ("verb", "place"),  # Who sleeps in the park?    asks for subject
    "how_old": ("subject",),  # How old is Anna?           asks for number
    "how_much": ("subject",),  # How much does the book cost?  asks for number
    "what_name": ("subject",),  # What is the teacher's name?   asks for recipient
}

# Frames that may be negated ("The dogs do not sleep", "The dogs are not big").
NEGATABLE = frozenset({"act", "act_at", "transitive", "located", "property", "kind", "has", "likes", "can"})


@dataclass(frozen=True)
class Phrase:
    """A noun phrase: either a ``name`` (a PER concept) or a ``noun``.

    ``number``: 1 is singular ("a dog", "the dog"), 2 to 10 are said with a numeral ("three dogs"), 0 is a bare plural
    ("dogs", "some dogs"). Mass nouns (countable = mass) always have number 1 and no numeral or plural.
    ``definite`` is "the dog(s)", also with a numeral ("the three dogs").
    """

    noun: str = ""
    name: str = ""
    number: int = 1
    adjective: str = ""
    definite: bool = False

    @property
    def plural(self) -> bool:
        """More than one is meant."""
        return self.number != 1


@dataclass(frozen=True)
class Clause:
    """One statement or question; which slots a frame uses is said in SENTENCE_FRAMES and QUESTION_FRAMES.

    ``place`` is a place noun ("park", always definite), a LOC name ("paris") or, in works_for, an ORG name.
    Verbs are in the present, third person.
    """

    frame: str
    subject: Phrase = Phrase()
    verb: str = ""
    object: Phrase = Phrase()
    recipient: Phrase = Phrase()
    place: str = ""
    adjective: str = ""
    noun: str = ""
    number: int = 0
    day: str = ""
    negated: bool = False
