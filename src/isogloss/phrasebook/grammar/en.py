"""English. Nouns: ``pl=`` for irregular plurals; places carry the tag of their preposition (in, at, on, by).
Verbs: ``ing=``, ``s=`` for irregular forms. Adjectives: ``er=`` for irregular comparatives."""

from __future__ import annotations

from isogloss.phrasebook.clauses import Clause, Phrase
from isogloss.phrasebook.grammar.meaning import is_mass, numeral_of
from isogloss.phrasebook.grammar.words import Frame, FrameTable, Word, entity_kind, name_of, say, with_role
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


def be(p: Phrase) -> str:
    return "are" if p.plural else "is"


def verb(c: Clause, words: Lexicon, concept: str, *, base: bool = False) -> list[Word]:
    """The verb, agreeing with the subject, with do-support when negated."""
    cell = words[concept]
    if base or c.subject.plural:
        form = cell.lemma
    elif cell.lemma.endswith(("sh", "ch", "s", "x", "o")):
        form = cell.form("s", cell.lemma + "es")
    elif cell.lemma.endswith("y") and cell.lemma[-2] not in "aeiou":
        form = cell.form("s", cell.lemma[:-1] + "ies")
    else:
        form = cell.form("s", cell.lemma + "s")
    if c.negated:
        return say("do" if c.subject.plural else "does", "not", with_role("verb", cell.lemma))
    return with_role("verb", form)


def subject(c: Clause, words: Lexicon) -> list[Word]:
    return phrase(c.subject, words, "subject")


def object_(c: Clause, words: Lexicon) -> list[Word]:
    return phrase(c.object, words, "object")


def other(c: Clause, words: Lexicon) -> list[Word]:
    return phrase(c.recipient, words, "recipient")


def is_not(c: Clause) -> str:
    return f"{be(c.subject)} not" if c.negated else be(c.subject)


def act(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), verb(c, words, c.verb))


def act_at(c: Clause, words: Lexicon) -> list[Word]:
    return say(act(c, words), place(c, words))


def transitive(c: Clause, words: Lexicon) -> list[Word]:
    return say(act(c, words), object_(c, words))


def transitive_at(c: Clause, words: Lexicon) -> list[Word]:
    return say(transitive(c, words), place(c, words))


def located(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), is_not(c), place(c, words))


def there_is(c: Clause, words: Lexicon) -> list[Word]:
    return say("there", be(c.subject), subject(c, words), place(c, words))


def property_(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), is_not(c), with_role("adjective", words[c.adjective].lemma))


def kind(c: Clause, words: Lexicon) -> list[Word]:
    what = Phrase(noun=c.noun, number=0 if c.subject.plural and not is_mass(c.noun) else 1)
    return say(subject(c, words), is_not(c), phrase(what, words, "noun"))


def has(c: Clause, words: Lexicon) -> list[Word]:
    if c.negated:
        return say(subject(c, words), verb(c, words, "have"), object_(c, words))
    return say(subject(c, words), with_role("verb", "have" if c.subject.plural else "has"), object_(c, words))


def likes(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), verb(c, words, "like"), object_(c, words))


def wants(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), verb(c, words, "want"), object_(c, words))


def wants_to(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), verb(c, words, "want"), "to", verb(c, words, c.verb, base=True))


def can(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), "cannot" if c.negated else "can", with_role("verb", words[c.verb].lemma))


def gives(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), verb(c, words, "give"), other(c, words), object_(c, words))


def goes_to(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), verb(c, words, "go"), place(c, words, "to"))


def comes_from(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), verb(c, words, "come"), place(c, words, "from"))


def lives_in(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), verb(c, words, "live"), place(c, words))


def with_(c: Clause, words: Lexicon) -> list[Word]:
    return say(act(c, words), "with", other(c, words))


def compare(c: Clause, words: Lexicon) -> list[Word]:
    cell = words[c.adjective]
    lemma = cell.lemma
    regular = lemma[:-1] + "ier" if lemma.endswith("y") else lemma + "er"[lemma.endswith("e") :]
    comparative = cell.form("er", regular)
    return say(subject(c, words), be(c.subject), with_role("adjective", comparative), "than", other(c, words))


def together(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), "and", other(c, words), with_role("verb", words[c.verb].lemma))


def on_day(c: Clause, words: Lexicon) -> list[Word]:
    return say("on", with_role("day", words[c.day].lemma), act(c, words))


def owned(c: Clause, words: Lexicon) -> list[Word]:
    owner = other(c, words)
    possessive = Word("'s", "recipient")
    glued = [*owner[:-1], Word(owner[-1].text, "recipient", owner[-1].entity, glued=True), possessive]
    thing = plural_of(words[c.subject.noun]) if c.subject.plural else words[c.subject.noun].lemma
    return say(glued, with_role("subject", thing), be(c.subject), with_role("adjective", words[c.adjective].lemma))


def age(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), be(c.subject), with_role("number", str(c.number)), "years old")


def price(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), verb(c, words, "cost"), with_role("number", str(c.number)), "euros")


def works_for(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), verb(c, words, "work"), place(c, words, "for"))


def named(c: Clause, words: Lexicon) -> list[Word]:
    return say("the name of", subject(c, words), "is", other(c, words))


def where_is(c: Clause, words: Lexicon) -> list[Word]:
    return say("where", be(c.subject), subject(c, words))


def asks(question: str, concept: str) -> Frame:
    """QUESTION does SUBJECT VERB: the verb is ``concept`` or, when empty, the clause's own."""

    def frame(c: Clause, words: Lexicon) -> list[Word]:
        does = "do" if c.subject.plural else "does"
        return say(question, does, subject(c, words), verb(c, words, concept or c.verb, base=True))

    return frame


def who_transitive(c: Clause, words: Lexicon) -> list[Word]:
    return say("who", verb(c, words, c.verb), object_(c, words))


def who_act_at(c: Clause, words: Lexicon) -> list[Word]:
    return say("who", verb(c, words, c.verb), place(c, words))


def how_old(c: Clause, words: Lexicon) -> list[Word]:
    return say("how old", be(c.subject), subject(c, words))


def what_name(c: Clause, words: Lexicon) -> list[Word]:
    return say("what is the name of", subject(c, words))


FRAMES: FrameTable = {
    "act": act,
    "act_at": act_at,
    "transitive": transitive,
    "transitive_at": transitive_at,
    "located": located,
    "there_is": there_is,
    "property": property_,
    "kind": kind,
    "has": has,
    "likes": likes,
    "wants": wants,
    "wants_to": wants_to,
    "can": can,
    "gives": gives,
    "goes_to": goes_to,
    "comes_from": comes_from,
    "lives_in": lives_in,
    "with": with_,
    "compare": compare,
    "together": together,
    "on_day": on_day,
    "owned": owned,
    "age": age,
    "price": price,
    "works_for": works_for,
    "named": named,
    "where_is": where_is,
    "where_lives": asks("where", "live"),
    "where_works": asks("where", "work"),
    "what_has": asks("what", "have"),
    "what_transitive": asks("what", ""),
    "who_transitive": who_transitive,
    "who_act_at": who_act_at,
    "how_old": how_old,
    "how_much": asks("how much", "cost"),
    "what_name": what_name,
}
