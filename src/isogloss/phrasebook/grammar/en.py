"""English. Nouns: ``pl=`` for irregular plurals; places carry the tag of their preposition (in, at, on, by).
Verbs: ``ing=``, ``s=`` for irregular forms. Adjectives: ``er=`` for irregular comparatives."""

from __future__ import annotations

from isogloss.phrasebook.clauses import Clause, Phrase
from isogloss.phrasebook.grammar.meaning import is_mass, numeral_of
from isogloss.phrasebook.grammar.order import in_order, lemma_of, number, svo_frames
from isogloss.phrasebook.grammar.words import FrameTable, Word, entity_kind, name_of, say, with_role
from isogloss.phrasebook.lexicon import Cell, Lexicon

__all__ = ["FRAMES"]


def plural_of(noun: Cell) -> str:
    lemma = noun.lemma
    if lemma.endswith(("s", "x", "sh", "ch")):
        return noun.form("pl", lemma + "es")
    if lemma.endswith("y") and lemma[-2] not in "aeiou":
        return noun.form("pl", lemma[:-1] + "ies")
    return noun.form("pl", lemma + "s")


def phrase(p: Phrase, words: Lexicon, role: str) -> list[Word]:
    if p.name:
        return name_of(p.name, words, role)
    noun = plural_of(words[p.noun]) if p.plural else words[p.noun].lemma
    adjective = words[p.adjective].lemma if p.adjective else ""
    determiner = "the" if p.definite else ""
    if p.number > 1:
        determiner = f"{determiner} {numeral_of(p, words).lemma}"
    elif p.number == 1 and not p.definite and not is_mass(p.noun):
        determiner = "an" if (adjective or noun)[0] in "aeiou" else "a"
    return with_role(role, determiner, adjective, noun)


def place(c: Clause, words: Lexicon, preposition: str = "") -> list[Word]:
    cell = words[c.place]
    if kind := entity_kind(c.place):
        return say(preposition or "in", Word(cell.lemma, "place", kind))
    return say(preposition or cell.tagged("in", "at", "on", "by"), with_role("place", "the", cell.lemma))


def be(c: Clause, words: Lexicon) -> str:
    return "are" if c.subject.plural else "is"


def do(c: Clause, words: Lexicon) -> str:
    return "do" if c.subject.plural else "does"


def base(c: Clause, words: Lexicon, concept: str = "") -> list[Word]:
    """The verb ``concept`` or, when empty, the clause's own, as it stands after "to", "can" and "does"."""
    return with_role("verb", words[concept or c.verb].lemma)


def verb(c: Clause, words: Lexicon, concept: str = "") -> list[Word]:
    """The verb, agreeing with the subject, with do-support when negated."""
    if c.negated:
        return say(do(c, words), "not", base(c, words, concept))
    if c.subject.plural:
        return base(c, words, concept)
    cell = words[concept or c.verb]
    if cell.lemma.endswith(("sh", "ch", "s", "x", "o")):
        form = cell.form("s", cell.lemma + "es")
    elif cell.lemma.endswith("y") and cell.lemma[-2] not in "aeiou":
        form = cell.form("s", cell.lemma[:-1] + "ies")
    else:
        form = cell.form("s", cell.lemma + "s")
    return with_role("verb", form)


def subject(c: Clause, words: Lexicon) -> list[Word]:
    return phrase(c.subject, words, "subject")


def object_(c: Clause, words: Lexicon) -> list[Word]:
    return phrase(c.object, words, "object")


def other(c: Clause, words: Lexicon) -> list[Word]:
    return phrase(c.recipient, words, "recipient")


def is_not(c: Clause, words: Lexicon) -> str:
    return f"{be(c, words)} not" if c.negated else be(c, words)


def can(c: Clause, words: Lexicon) -> str:
    return "cannot" if c.negated else "can"


def kind_of_thing(c: Clause, words: Lexicon) -> list[Word]:
    return phrase(Phrase(noun=c.noun, number=0 if c.subject.plural and not is_mass(c.noun) else 1), words, "noun")


def has(c: Clause, words: Lexicon) -> list[Word]:
    return verb(c, words, "have") if c.negated else with_role("verb", "have" if c.subject.plural else "has")


def comparative(c: Clause, words: Lexicon) -> list[Word]:
    cell = words[c.adjective]
    lemma = cell.lemma
    regular = lemma[:-1] + "ier" if lemma.endswith("y") else lemma + "er"[lemma.endswith("e") :]
    return with_role("adjective", cell.form("er", regular))


def owned(c: Clause, words: Lexicon) -> list[Word]:
    owner = other(c, words)
    possessive = Word("'s", "recipient")
    glued = [*owner[:-1], Word(owner[-1].text, "recipient", owner[-1].entity, glued=True), possessive]
    thing = plural_of(words[c.subject.noun]) if c.subject.plural else words[c.subject.noun].lemma
    return say(glued, with_role("subject", thing), be(c, words), lemma_of(c, words, "adjective"))


FRAMES: FrameTable = {
    **svo_frames(subject=subject, does=verb, verb=verb, object_=object_, place=place, who="who"),
    "located": in_order(subject, is_not, place),
    "there_is": in_order("there", be, subject, place),
    "property": in_order(subject, is_not, (lemma_of, "adjective")),
    "kind": in_order(subject, is_not, kind_of_thing),
    "has": in_order(subject, has, object_),
    "likes": in_order(subject, (verb, "like"), object_),
    "wants_to": in_order(subject, (verb, "want"), "to", base),
    "can": in_order(subject, can, base),
    "gives": in_order(subject, (verb, "give"), other, object_),
    "with": in_order(subject, verb, "with", other),
    "compare": in_order(subject, be, comparative, "than", other),
    "together": in_order(subject, "and", other, base),
    "on_day": in_order("on", (lemma_of, "day"), subject, verb),
    "owned": owned,
    "age": in_order(subject, be, number, "years old"),
    "price": in_order(subject, (verb, "cost"), number, "euros"),
    "works_for": in_order(subject, (verb, "work"), (place, "for")),
    "named": in_order("the name of", subject, "is", other),
    "where_is": in_order("where", be, subject),
    "where_lives": in_order("where", do, subject, (base, "live")),
    "where_works": in_order("where", do, subject, (base, "work")),
    "what_has": in_order("what", do, subject, (base, "have")),
    "what_transitive": in_order("what", do, subject, base),
    "how_old": in_order("how old", be, subject),
    "how_much": in_order("how much", do, subject, (base, "cost")),
    "what_name": in_order("what is the name of", subject),
}
