"""Swahili: noun-class concord on verbs, adjectives, numerals and the associative -a; locatives in -ni; no articles.

Nouns: ``cl=`` the class of the singular (or of the mass noun), 3 to 11; tag ``an`` for living beings, whose concord is
1 and 2 whatever their form; ``pl=`` where the plural differs; ``one=``: a single one of what the mass noun names.
Places: ``loc=`` the locative (without it: kwenye nyumba); tag ``by``: kando ya mto. Verbs are stems; tag ``mono`` keeps
ku (anakula); tag ``general``: a bare plural object means all of them. Adjectives are stems, with irregular forms by
class (``5=jipya``); tag ``same``: no concord (``pl=`` may differ), tag ``a``: joined by -a (la kasi), tag ``na``: had,
not been (ana nguvu, mwenye nguvu); ``person=``, ``people=``: the word used of people. Numerals are stems too.
An object that is definite, and every person, is also marked in the verb (anakisoma kitabu).
"""

from __future__ import annotations

from isogloss.phrasebook.clauses import Clause, Phrase
from isogloss.phrasebook.grammar.meaning import asks_whom, is_mass, numeral_of
from isogloss.phrasebook.grammar.order import in_order, lemma_of, number
from isogloss.phrasebook.grammar.words import FrameTable, Word, entity_kind, name_of, say, with_role
from isogloss.phrasebook.lexicon import Cell, Lexicon
from isogloss.phrasebook.world import is_a

__all__ = ["FRAMES"]

PLURAL_OF = {1: 2, 3: 4, 5: 6, 7: 8, 9: 10, 11: 10}
# By class: concord of verbs, of adjectives, associative, far demonstrative.
VERBAL = {1: "a", 2: "wa", 3: "u", 4: "i", 5: "li", 6: "ya", 7: "ki", 8: "vi", 9: "i", 10: "zi", 11: "u"}
NOMINAL = {1: "m", 2: "wa", 3: "m", 4: "mi", 5: "", 6: "ma", 7: "ki", 8: "vi", 9: "n", 10: "n", 11: "m"}
OF = {1: "wa", 2: "wa", 3: "wa", 4: "ya", 5: "la", 6: "ya", 7: "cha", 8: "vya", 9: "ya", 10: "za", 11: "wa"}
THAT = {1: "yule", 2: "wale", 3: "ule", 4: "ile", 5: "lile", 6: "yale", 7: "kile", 8: "vile", 9: "ile", 10: "zile"}
THAT[11] = "ule"
# The nominal concord before a stem that begins with e: mwekundu, wekundu, jekundu, chekundu, nyekundu.
BEFORE_E = {"m": "mw", "wa": "w", "mi": "my", "": "j", "ma": "m", "ki": "ch", "vi": "vy", "n": "ny"}
# The n of classes 9 and 10 joins few consonants: ndogo, nzuri, mbaya; kubwa and chafu go without.
NASAL = {"b": "m", "d": "n", "z": "n"}


def class_of(p: Phrase, words: Lexicon) -> int:
    if p.name or "an" in words[p.noun].tags:
        return 2 if p.plural else 1
    singular = int(words[p.noun].form("cl"))
    return PLURAL_OF[singular] if p.plural else singular


def agreeing(cell: Cell, noun_class: int) -> str:
    """An adjective or numeral stem with the concord of its noun."""
    stem, concord = cell.lemma, NOMINAL[noun_class]
    if "same" in cell.tags or str(noun_class) in cell.forms:
        return cell.form(str(noun_class))
    if stem.startswith("e"):
        return BEFORE_E[concord] + stem
    return (NASAL.get(stem[0], "") if concord == "n" else concord) + stem


def quality(p: Phrase, adjective: Cell, words: Lexicon, *, predicate: bool = False) -> str:
    """The adjective as it agrees: mkubwa, la kasi, mwenye nguvu (as a predicate only nguvu)."""
    noun_class = class_of(p, words)
    if "a" in adjective.tags:
        return f"{OF[noun_class]} {adjective.lemma}"
    if "na" in adjective.tags:
        having = {1: "mwenye", 2: "wenye"}.get(noun_class, OF[noun_class][:-1] + "enye")
        return adjective.lemma if predicate else f"{having} {adjective.lemma}"
    if "same" in adjective.tags:
        return adjective.form("pl") if p.plural else adjective.lemma
    if "person" in adjective.forms and (p.name or is_a(p.noun, "person")):
        return adjective.form("people" if p.plural else "person")
    return agreeing(adjective, noun_class)


def noun_of(p: Phrase, words: Lexicon) -> str:
    return words[p.noun].form("pl") if p.plural else words[p.noun].lemma


def one_form(p: Phrase, words: Lexicon) -> bool:
    """A bare plural that looks like its singular: mbwa, meza."""
    return bool(p.noun) and p.number == 0 and not is_mass(p.noun) and "pl" not in words[p.noun].forms


def phrase(p: Phrase, words: Lexicon, role: str, *, that: bool = False, some: bool = False) -> list[Word]:
    """Noun, adjective, numeral; but a joined adjective comes last (magari mawili ya kasi).

    ``that`` shows definiteness by a demonstrative before the noun; ``some`` shows an invisible plural by kadhaa.
    """
    if p.name:
        return name_of(p.name, words, role)
    adjective = quality(p, words[p.adjective], words) if p.adjective else ""
    count = agreeing(numeral_of(p, words), class_of(p, words)) if p.number > 1 else ""
    if some and not p.definite and one_form(p, words):
        count = "kadhaa"
    demonstrative = THAT[class_of(p, words)] if that and p.definite else ""
    last = adjective if " " in adjective else ""
    return with_role(role, demonstrative, noun_of(p, words), "" if last else adjective, count, last)


def marker(p: Phrase, words: Lexicon, stem: str) -> str:
    """The object in the verb: of everything definite and of people; before a vowel m is mw (anamwona)."""
    if not (p.name or p.definite or is_a(p.noun, "person")):
        return ""
    noun_class = class_of(p, words)
    if noun_class != 1:
        return VERBAL[noun_class]
    return {"u": "mu"}.get(stem[0], "mw" if stem[0] in "aeio" else "m")


def conjugated(verb: Cell, noun_class: int, *, negated: bool = False, object_marker: str = "") -> list[Word]:
    """Present: anasoma, anakula, anampenda; hasomi, hali, hampendi, hasubiri."""
    stem, *rest = verb.lemma.split()
    if negated:
        stem = stem[:-1] + "i" if stem.endswith("a") else stem
        form = not_(noun_class) + object_marker + stem
    else:
        ku = "ku" if "mono" in verb.tags and not object_marker else ""
        form = VERBAL[noun_class] + "na" + object_marker + ku + stem
    # A verb that holds the negation is more than the verb: no emoji may stand for it.
    return with_role("" if negated else "verb", form, " ".join(rest))


def not_(noun_class: int) -> str:
    return "ha" if noun_class == 1 else "ha" + VERBAL[noun_class]


def infinitive(c: Clause, words: Lexicon) -> list[Word]:
    return with_role("verb", "ku" + words[c.verb].lemma)


def has_form(noun_class: int, *, negated: bool) -> str:
    return (not_(noun_class) if negated else VERBAL[noun_class]) + "na"


def is_at(c: Clause, words: Lexicon) -> str:
    """yuko, wako, kiko; hayuko, hawako, hakiko."""
    noun_class = class_of(c.subject, words)
    return ("ha" if c.negated else "") + ("yu" if noun_class == 1 else VERBAL[noun_class]) + "ko"


def subject(c: Clause, words: Lexicon) -> list[Word]:
    return phrase(c.subject, words, "subject")


def other(c: Clause, words: Lexicon) -> list[Word]:
    return phrase(c.recipient, words, "recipient")


def subject_class(c: Clause, words: Lexicon) -> int:
    """Who is asked for ("nani") is one person."""
    return class_of(c.subject, words) if c.subject != Phrase() else 1


def does(c: Clause, words: Lexicon, concept: str = "") -> list[Word]:
    """The verb ``concept`` or, when empty, the clause's own, agreeing with the subject, without an object."""
    return conjugated(words[concept or c.verb], subject_class(c, words), negated=c.negated)


def does_it(c: Clause, words: Lexicon, concept: str = "") -> list[Word]:
    """The verb and its object."""
    cell = words[concept or c.verb]
    of_object = marker(c.object, words, cell.lemma)
    said = conjugated(cell, subject_class(c, words), negated=c.negated, object_marker=of_object)
    some = not c.negated and "general" not in cell.tags
    return say(said, phrase(c.object, words, "object", some=some))


def place(c: Clause, words: Lexicon, direction: str = "at") -> list[Word]:
    """Paris, sokoni, kwenye nyumba; kando ya mto, but one goes mtoni."""
    cell = words[c.place]
    if kind := entity_kind(c.place):
        return say(Word(cell.lemma, "place", kind))
    if "by" in cell.tags and direction == "at":
        return say("kando ya", with_role("place", cell.lemma))
    if "loc" in cell.forms:
        return with_role("place", cell.form("loc"))
    return say("kwenye", with_role("place", cell.lemma))


def new_subject(c: Clause, words: Lexicon) -> list[Word]:
    return phrase(c.subject, words, "subject", some=True)


def is_quality(c: Clause, words: Lexicon) -> list[Word]:
    """ni mkubwa, si mkubwa; but ana nguvu, hana nguvu."""
    cell = words[c.adjective]
    copula = "si" if c.negated else "ni"
    if "na" in cell.tags:
        copula = has_form(class_of(c.subject, words), negated=c.negated)
    return say(copula, with_role("adjective", quality(c.subject, cell, words, predicate=True)))


def told_apart(c: Clause, words: Lexicon, slot: str) -> list[Word]:
    """Where nothing else may show it, a plural that looks like its singular gets a demonstrative: wale mbwa."""
    p: Phrase = getattr(c, slot)
    return phrase(p, words, slot, that=one_form(p, words))


def kind(c: Clause, words: Lexicon) -> list[Word]:
    cell = words[c.noun]
    what = cell.form("pl") if c.subject.plural else cell.form("one")
    return say(subject(c, words), "si" if c.negated else "ni", with_role("noun", what))


def have(c: Clause, words: Lexicon) -> list[Word]:
    return with_role("verb", has_form(class_of(c.subject, words), negated=c.negated))


def had_object(c: Clause, words: Lexicon) -> list[Word]:
    return phrase(c.object, words, "object", some=not c.negated)


def liked_object(c: Clause, words: Lexicon) -> list[Word]:
    return phrase(c.object, words, "object")


def able(c: Clause, words: Lexicon) -> list[Word]:
    """The skill is in the verb, not in anaweza."""
    return with_role("", does(c, words, "can"))


def gives(c: Clause, words: Lexicon) -> list[Word]:
    """The verb marks who receives, so that a definite gift shows it by a demonstrative."""
    to_whom = "wa" if c.recipient.plural else "m"
    give = conjugated(words["give"], class_of(c.subject, words), object_marker=to_whom)
    return say(subject(c, words), give, other(c, words), phrase(c.object, words, "object", that=True, some=True))


def both_do(c: Clause, words: Lexicon) -> list[Word]:
    return conjugated(words[c.verb], 2)


def thing(c: Clause, words: Lexicon) -> list[Word]:
    return say(with_role("subject", noun_of(c.subject, words)), OF[class_of(c.subject, words)])


def what_transitive(c: Clause, words: Lexicon) -> list[Word]:
    """Anasoma nini? but Anampenda nani? Whoever it is, the verb marks a person."""
    if not asks_whom(c.verb):
        return say(subject(c, words), does(c, words), "nini")
    whom = marker(Phrase(noun="person"), words, words[c.verb].lemma)
    said = conjugated(words[c.verb], class_of(c.subject, words), object_marker=whom)
    return say(subject(c, words), said, "nani")


FRAMES: FrameTable = {
    "act": in_order(subject, does),
    "act_at": in_order(subject, does, place),
    "transitive": in_order(subject, does_it),
    "transitive_at": in_order(subject, does_it, place),
    "located": in_order(subject, is_at, place),
    "there_is": in_order("kuna", new_subject, place),
    "property": in_order((told_apart, "subject"), is_quality),
    "kind": kind,
    "has": in_order(subject, have, had_object),
    "likes": in_order(subject, (does, "like"), liked_object),
    "wants": in_order(subject, (does_it, "want")),
    "wants_to": in_order(subject, (does, "want"), infinitive),
    "can": in_order(subject, able, infinitive),
    "gives": gives,
    "goes_to": in_order(subject, (does, "go"), (place, "to")),
    "comes_from": in_order(subject, (does, "come"), (place, "from")),
    "lives_in": in_order(subject, (does, "live"), place),
    "with": in_order(subject, does, "pamoja na", other),
    "compare": in_order((told_apart, "subject"), is_quality, "zaidi kuliko", (told_apart, "recipient")),
    "together": in_order(subject, "na", other, both_do),
    "on_day": in_order("siku ya", (lemma_of, "day"), subject, does),
    "owned": in_order(thing, other, is_quality),
    "age": in_order(subject, "ana umri wa miaka", number),
    "price": in_order(subject, (does, "cost"), "euro", number),
    "works_for": in_order(subject, (does, "work"), "katika", place),
    "named": in_order("jina la", subject, "ni", other),
    "where_is": in_order(subject, is_at, "wapi"),
    "where_lives": in_order(subject, (does, "live"), "wapi"),
    "where_works": in_order(subject, (does, "work"), "wapi"),
    "what_has": in_order(subject, have, "nini"),
    "what_transitive": what_transitive,
    "who_transitive": in_order("nani", does_it),
    "who_act_at": in_order("nani", does, place),
    "how_old": in_order(subject, "ana miaka mingapi"),
    "how_much": in_order(subject, (does, "cost"), "kiasi gani"),
    "what_name": in_order("jina la", subject, "ni nani"),
}
