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
from isogloss.phrasebook.grammar.words import Frame, FrameTable, Word, entity_kind, name_of, say, with_role
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


def does(c: Clause, words: Lexicon, concept: str) -> list[Word]:
    """The verb of ``concept`` agreeing with the subject, without an object."""
    return conjugated(words[concept], class_of(c.subject, words), negated=c.negated)


def does_it(c: Clause, words: Lexicon, concept: str, noun_class: int) -> list[Word]:
    """The verb and its object."""
    said = conjugated(
        words[concept],
        noun_class,
        negated=c.negated,
        object_marker=marker(c.object, words, words[concept].lemma),
    )
    some = not c.negated and "general" not in words[concept].tags
    return say(said, phrase(c.object, words, "object", some=some))


def place(c: Clause, words: Lexicon, *, moving: bool = False) -> list[Word]:
    """Paris, sokoni, kwenye nyumba; kando ya mto, but one goes mtoni."""
    cell = words[c.place]
    if kind := entity_kind(c.place):
        return say(Word(cell.lemma, "place", kind))
    if "by" in cell.tags and not moving:
        return say("kando ya", with_role("place", cell.lemma))
    if "loc" in cell.forms:
        return with_role("place", cell.form("loc"))
    return say("kwenye", with_role("place", cell.lemma))


def act(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), does(c, words, c.verb))


def act_at(c: Clause, words: Lexicon) -> list[Word]:
    return say(act(c, words), place(c, words))


def acts_on(concept: str) -> Frame:
    """SUBJECT VERB OBJECT: the verb is ``concept`` or, when empty, the clause's own."""

    def frame(c: Clause, words: Lexicon) -> list[Word]:
        return say(subject(c, words), does_it(c, words, concept or c.verb, class_of(c.subject, words)))

    return frame


def transitive_at(c: Clause, words: Lexicon) -> list[Word]:
    return say(acts_on("")(c, words), place(c, words))


def located(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), is_at(c, words), place(c, words))


def there_is(c: Clause, words: Lexicon) -> list[Word]:
    return say("kuna", phrase(c.subject, words, "subject", some=True), place(c, words))


def is_quality(c: Clause, words: Lexicon) -> list[Word]:
    """ni mkubwa, si mkubwa; but ana nguvu, hana nguvu."""
    cell = words[c.adjective]
    copula = "si" if c.negated else "ni"
    if "na" in cell.tags:
        copula = has_form(class_of(c.subject, words), negated=c.negated)
    return say(copula, with_role("adjective", quality(c.subject, cell, words, predicate=True)))


def told_apart(p: Phrase, words: Lexicon, role: str) -> list[Word]:
    """Where nothing else may show it, a plural that looks like its singular gets a demonstrative: wale mbwa."""
    return phrase(p, words, role, that=one_form(p, words))


def property_(c: Clause, words: Lexicon) -> list[Word]:
    return say(told_apart(c.subject, words, "subject"), is_quality(c, words))


def kind(c: Clause, words: Lexicon) -> list[Word]:
    cell = words[c.noun]
    what = cell.form("pl") if c.subject.plural else cell.form("one")
    return say(subject(c, words), "si" if c.negated else "ni", with_role("noun", what))


def what_has(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), with_role("verb", has_form(class_of(c.subject, words), negated=False)), "nini")


def has(c: Clause, words: Lexicon) -> list[Word]:
    have = with_role("verb", has_form(class_of(c.subject, words), negated=c.negated))
    return say(subject(c, words), have, phrase(c.object, words, "object", some=not c.negated))


def likes(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), does(c, words, "like"), phrase(c.object, words, "object"))


def wants_to(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), conjugated(words["want"], class_of(c.subject, words)), infinitive(c, words))


def can(c: Clause, words: Lexicon) -> list[Word]:
    able = [Word(word.text) for word in does(c, words, "can")]
    return say(subject(c, words), able, infinitive(c, words))


def gives(c: Clause, words: Lexicon) -> list[Word]:
    """The verb marks who receives, so that a definite gift shows it by a demonstrative."""
    to_whom = "wa" if c.recipient.plural else "m"
    give = conjugated(words["give"], class_of(c.subject, words), object_marker=to_whom)
    return say(subject(c, words), give, other(c, words), phrase(c.object, words, "object", that=True, some=True))


def there(concept: str, *, moving: bool) -> Frame:
    """SUBJECT VERB PLACE: goes to, comes from, lives in."""

    def frame(c: Clause, words: Lexicon) -> list[Word]:
        return say(subject(c, words), does(c, words, concept), place(c, words, moving=moving))

    return frame


def with_(c: Clause, words: Lexicon) -> list[Word]:
    return say(act(c, words), "pamoja na", other(c, words))


def compare(c: Clause, words: Lexicon) -> list[Word]:
    than = told_apart(c.recipient, words, "recipient")
    return say(told_apart(c.subject, words, "subject"), is_quality(c, words), "zaidi kuliko", than)


def together(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), "na", other(c, words), conjugated(words[c.verb], 2))


def on_day(c: Clause, words: Lexicon) -> list[Word]:
    return say("siku ya", with_role("day", words[c.day].lemma), act(c, words))


def owned(c: Clause, words: Lexicon) -> list[Word]:
    thing = with_role("subject", noun_of(c.subject, words))
    return say(thing, OF[class_of(c.subject, words)], other(c, words), is_quality(c, words))


def age(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), "ana umri wa miaka", with_role("number", str(c.number)))


def price(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), does(c, words, "cost"), "euro", with_role("number", str(c.number)))


def works_for(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), does(c, words, "work"), "katika", place(c, words))


def named(c: Clause, words: Lexicon) -> list[Word]:
    return say("jina la", subject(c, words), "ni", other(c, words))


def where_is(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), is_at(c, words), "wapi")


def asks(question: str, concept: str) -> Frame:
    """SUBJECT VERB QUESTION: the verb is ``concept`` or, when empty, the clause's own."""

    def frame(c: Clause, words: Lexicon) -> list[Word]:
        return say(subject(c, words), does(c, words, concept or c.verb), question)

    return frame


def what_transitive(c: Clause, words: Lexicon) -> list[Word]:
    """Anasoma nini? but Anampenda nani? Whoever it is, the verb marks a person."""
    if not asks_whom(c.verb):
        return asks("nini", "")(c, words)
    whom = marker(Phrase(noun="person"), words, words[c.verb].lemma)
    said = conjugated(words[c.verb], class_of(c.subject, words), object_marker=whom)
    return say(subject(c, words), said, "nani")


def who_transitive(c: Clause, words: Lexicon) -> list[Word]:
    return say("nani", does_it(c, words, c.verb, 1))


def who_act_at(c: Clause, words: Lexicon) -> list[Word]:
    return say("nani", conjugated(words[c.verb], 1), place(c, words))


def how_old(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), "ana miaka mingapi")


def what_name(c: Clause, words: Lexicon) -> list[Word]:
    return say("jina la", subject(c, words), "ni nani")


FRAMES: FrameTable = {
    "act": act,
    "act_at": act_at,
    "transitive": acts_on(""),
    "transitive_at": transitive_at,
    "located": located,
    "there_is": there_is,
    "property": property_,
    "kind": kind,
    "has": has,
    "likes": likes,
    "wants": acts_on("want"),
    "wants_to": wants_to,
    "can": can,
    "gives": gives,
    "goes_to": there("go", moving=True),
    "comes_from": there("come", moving=True),
    "lives_in": there("live", moving=False),
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
    "where_lives": asks("wapi", "live"),
    "where_works": asks("wapi", "work"),
    "what_has": what_has,
    "what_transitive": what_transitive,
    "who_transitive": who_transitive,
    "who_act_at": who_act_at,
    "how_old": how_old,
    "how_much": asks("kiasi gani", "cost"),
    "what_name": what_name,
}
