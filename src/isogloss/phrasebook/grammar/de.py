"""German. The finite verb is the second part of a statement; verbs with a separable prefix close it (ruht sich … aus).

Nouns: gender ``m f n``; ``pl=``; ``weak=`` the form of every singular case but the nominative (den Löwen);
``only_plural`` (Möbel); ``piece=`` the neuter noun for one of a mass (ein Möbelstück); ``fem=`` said of a woman;
``profession`` takes no article as predicate (Anna ist Ärztin). Places carry ``in auf an``.
Verbs: the infinitive; ``sg=`` third person singular; ``prefix=`` separable; ``reflexive``; ``dat`` when the object is
in the dative; ``animal= animal_sg=`` said of animals (fressen); ``inf=`` after a modal verb
(spazieren gehen). Adjectives: ``stem=`` before endings, ``er=``
comparative.
"""

from __future__ import annotations

from isogloss.phrasebook.clauses import Clause, Phrase
from isogloss.phrasebook.grammar.gender import gender_in
from isogloss.phrasebook.grammar.meaning import asks_whom, is_mass, is_woman, numeral_of, owned_thing
from isogloss.phrasebook.grammar.words import Frame, FrameTable, Word, entity_kind, name_of, say, with_role
from isogloss.phrasebook.lexicon import Cell, Lexicon
from isogloss.phrasebook.world import is_a

__all__ = ["FRAMES"]


DEFINITE = {
    "nom": {"m": "der", "f": "die", "n": "das", "pl": "die"},
    "acc": {"m": "den", "f": "die", "n": "das", "pl": "die"},
    "dat": {"m": "dem", "f": "der", "n": "dem", "pl": "den"},
}
# Endings of ein and kein, and of adjectives after them, after der, and after no article.
EIN = {
    "nom": {"m": "", "f": "e", "n": "", "pl": "e"},
    "acc": {"m": "en", "f": "e", "n": "", "pl": "e"},
    "dat": {"m": "em", "f": "er", "n": "em", "pl": "en"},
}
AFTER_EIN = {
    "nom": {"m": "er", "f": "e", "n": "es", "pl": "en"},
    "acc": {"m": "en", "f": "e", "n": "es", "pl": "en"},
    "dat": {"m": "en", "f": "en", "n": "en", "pl": "en"},
}
AFTER_DER = {
    "nom": {"m": "e", "f": "e", "n": "e", "pl": "en"},
    "acc": {"m": "en", "f": "e", "n": "e", "pl": "en"},
    "dat": AFTER_EIN["dat"],
}
AFTER_NOTHING = {
    "nom": {"m": "er", "f": "e", "n": "es", "pl": "e"},
    "acc": {"m": "en", "f": "e", "n": "es", "pl": "e"},
    "dat": {"m": "em", "f": "er", "n": "em", "pl": "en"},
}
CONTRACTED = {
    "in dem": "im",
    "an dem": "am",
    "von dem": "vom",
    "zu dem": "zum",
    "zu der": "zur",
    "in das": "ins",
    "auf das": "aufs",
}


def plural(noun: Cell, case: str) -> str:
    """Without pl= the plural is the singular; the dative adds n: den Hunden, den Autos."""
    form = noun.form("pl")
    return form + "n" if case == "dat" and form[-1] not in "ns" else form


def phrase(p: Phrase, words: Lexicon, case: str, role: str, *, negative: bool = False) -> list[Word]:
    """Article, numeral, adjective, noun; ``negative`` says kein instead of ein or nothing."""
    if p.name:
        return name_of(p.name, words, role)
    gender = gender_in(p, words)
    if p.definite:
        determiner, endings = DEFINITE[case][gender], AFTER_DER
    elif negative or (gender != "pl" and not is_mass(p.noun)):
        determiner, endings = ("kein" if negative else "ein") + EIN[case][gender], AFTER_EIN
    else:
        determiner, endings = "", AFTER_NOTHING
    numeral = numeral_of(p, words).lemma if p.number > 1 else ""
    described = words[p.adjective].form("stem") + endings[case][gender] if p.adjective else ""
    noun = words[p.noun]
    one = noun.lemma if case == "nom" else noun.form("weak")
    thing = plural(noun, case) if gender == "pl" else one
    # Kein is more than the thing: no emoji may stand for it.
    return say(with_role("" if negative else role, determiner), with_role(role, numeral, described, thing))


def place(c: Clause, words: Lexicon, direction: str = "at") -> list[Word]:
    """im Park, in den Park, aus dem Park; am Fluss, zum Fluss, vom Fluss."""
    cell = words[c.place]
    if kind := entity_kind(c.place):
        return say("aus" if direction == "from" else "in", Word(cell.lemma, "place", kind))
    usual = cell.tagged("in", "auf", "an")
    preposition, case = usual, "dat"
    if direction == "to":
        preposition, case = ("zu", "dat") if usual == "an" else (usual, "acc")
    elif direction == "from":
        preposition = "aus" if usual == "in" else "von"
    article = DEFINITE[case][cell.tagged("m", "f", "n")]
    if contracted := CONTRACTED.get(f"{preposition} {article}"):
        return say(contracted, Word(cell.lemma, "place"))
    return say(preposition, with_role("place", article, cell.lemma))


def infinitive(c: Clause, cell: Cell) -> str:
    is_animal = bool(c.subject.noun) and is_a(c.subject.noun, "animal")
    return cell.form("animal") if is_animal else cell.lemma


def finite(c: Clause, words: Lexicon, concept: str = "", *, plural_subject: bool | None = None) -> list[Word]:
    """The verb in the third person, without its prefix, with its sich."""
    cell = words[concept or c.verb]
    base = infinitive(c, cell)
    stem = base.removesuffix("en")
    several = c.subject != Phrase() and gender_in(c.subject, words) == "pl"
    if several if plural_subject is None else plural_subject:
        form = base
    else:
        form = cell.form("sg", stem + ("et" if stem[-1] in "td" else "t"))
        form = form if base == cell.lemma else cell.form("animal_sg", form)
    return with_role("verb", form.removeprefix(prefix(cell)), "sich" if "reflexive" in cell.tags else "")


def prefix(cell: Cell) -> str:
    return cell.form("prefix", "")


def closing(c: Clause, words: Lexicon) -> list[Word]:
    """The separable prefix, at the end of the clause."""
    return with_role("verb", prefix(words[c.verb]))


def be(c: Clause, words: Lexicon) -> str:
    return "sind" if gender_in(c.subject, words) == "pl" else "ist"


def is_not(c: Clause, words: Lexicon) -> str:
    return be(c, words) + (" nicht" if c.negated else "")


def subject(c: Clause, words: Lexicon) -> list[Word]:
    return phrase(c.subject, words, "nom", "subject")


def object_(c: Clause, words: Lexicon) -> list[Word]:
    """With its negation: keinen Apfel, den Apfel nicht."""
    case = "dat" if c.verb and "dat" in words[c.verb].tags else "acc"
    negative = c.negated and not c.object.definite
    return say(
        phrase(c.object, words, case, "object", negative=negative), "nicht" if c.negated and not negative else ""
    )


def other(c: Clause, words: Lexicon, case: str) -> list[Word]:
    return phrase(c.recipient, words, case, "recipient")


def act(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), finite(c, words), "nicht" if c.negated else "", closing(c, words))


def act_at(c: Clause, words: Lexicon) -> list[Word]:
    negation = "nicht" if c.negated else ""
    return say(subject(c, words), finite(c, words), negation, place(c, words), closing(c, words))


def transitive(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), finite(c, words), object_(c, words), closing(c, words))


def transitive_at(c: Clause, words: Lexicon) -> list[Word]:
    """What is known comes before the place, what is new after it."""
    where, what = place(c, words), object_(c, words)
    middle = say(what, where) if c.object.definite else say(where, what)
    return say(subject(c, words), finite(c, words), middle, closing(c, words))


def located(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), is_not(c, words), place(c, words))


def there_is(c: Clause, words: Lexicon) -> list[Word]:
    return say(place(c, words), be(c, words), subject(c, words))


def property_(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), is_not(c, words), with_role("adjective", words[c.adjective].lemma))


def kind(c: Clause, words: Lexicon) -> list[Word]:
    """Anna ist Ärztin, Anna ist keine Ärztin; der Hund ist ein Tier; der Tisch ist ein Möbelstück."""
    cell = words[c.noun]
    if gender_in(c.subject, words) == "pl":
        return say(
            subject(c, words), be(c, words), "keine" if c.negated else "", with_role("noun", plural(cell, "nom"))
        )
    gender, noun = cell.tagged("m", "f", "n"), cell.lemma
    if is_woman(c.subject) and "fem" in cell.forms:
        gender, noun = "f", cell.form("fem")
    if "piece" in cell.forms:
        gender, noun = "n", cell.form("piece")
    if c.negated:
        return say(subject(c, words), be(c, words), "kein" + EIN["nom"][gender], with_role("noun", noun))
    bare = "profession" in cell.tags or (is_mass(c.noun) and "piece" not in cell.forms)
    article = "" if bare else "ein" + EIN["nom"][gender]
    return say(subject(c, words), be(c, words), with_role("noun", article, noun))


def with_object(concept: str) -> Frame:
    def frame(c: Clause, words: Lexicon) -> list[Word]:
        return say(subject(c, words), finite(c, words, concept), object_(c, words))

    return frame


def with_place(concept: str, direction: str) -> Frame:
    def frame(c: Clause, words: Lexicon) -> list[Word]:
        return say(subject(c, words), finite(c, words, concept), place(c, words, direction))

    return frame


def with_infinitive(concept: str) -> Frame:
    """kann schwimmen, kann sich nicht bewegen, will schlafen"""

    def frame(c: Clause, words: Lexicon) -> list[Word]:
        cell = words[c.verb]
        modal = finite(c, words, concept)
        if concept == "can":
            modal = say(*[word.text for word in modal])
        itself = with_role("verb", "sich" if "reflexive" in cell.tags else "")
        negation = "nicht" if c.negated else ""
        return say(subject(c, words), modal, itself, negation, with_role("verb", cell.form("inf", infinitive(c, cell))))

    return frame


def gives(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), finite(c, words, "give"), other(c, words, "dat"), object_(c, words))


def with_(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), finite(c, words), "mit", other(c, words, "dat"), closing(c, words))


def compare(c: Clause, words: Lexicon) -> list[Word]:
    cell = words[c.adjective]
    more = with_role("adjective", cell.form("er", cell.lemma + "er"))
    return say(subject(c, words), be(c, words), more, "als", other(c, words, "nom"))


def together(c: Clause, words: Lexicon) -> list[Word]:
    both = say(subject(c, words), "und", other(c, words, "nom"))
    return say(both, finite(c, words, plural_subject=True), closing(c, words))


def on_day(c: Clause, words: Lexicon) -> list[Word]:
    day = Word(words[c.day].lemma, "day")
    return say("am", day, finite(c, words), subject(c, words), closing(c, words))


def owned(c: Clause, words: Lexicon) -> list[Word]:
    """Annas Hund, Max' Hund; der Hund von dem Lehrer."""
    predicate = say(be(c, words), with_role("adjective", words[c.adjective].lemma))
    thing = owned_thing(c)
    named_thing = phrase(thing, words, "nom", "subject")
    if not c.recipient.name:
        return say(named_thing, "von", other(c, words, "dat"), predicate)
    name = words[c.recipient.name].lemma
    owner = Word(name + ("'" if name[-1] in "sxzß" else "s"), "recipient", entity_kind(c.recipient.name))
    return say(owner, named_thing[1:], predicate)


def age(c: Clause, words: Lexicon) -> list[Word]:
    years = "Jahr" if c.number == 1 else "Jahre"
    return say(subject(c, words), be(c, words), with_role("number", str(c.number)), years, "alt")


def price(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), finite(c, words, "cost"), with_role("number", str(c.number)), "Euro")


def works_for(c: Clause, words: Lexicon) -> list[Word]:
    company = name_of(c.place, words, "place")
    return say(subject(c, words), finite(c, words, "work"), "bei", company)


def named(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), "heißen" if c.subject.plural else "heißt", other(c, words, "nom"))


def what_name(c: Clause, words: Lexicon) -> list[Word]:
    return say("wie", "heißen" if c.subject.plural else "heißt", subject(c, words))


def asks(question: str, concept: str = "") -> Frame:
    """QUESTION VERB SUBJECT; the verb is "is" when ``concept`` is empty."""

    def frame(c: Clause, words: Lexicon) -> list[Word]:
        return say(question, finite(c, words, concept) if concept else be(c, words), subject(c, words))

    return frame


def what_transitive(c: Clause, words: Lexicon) -> list[Word]:
    living = "wem" if "dat" in words[c.verb].tags else "wen"
    question = living if asks_whom(c.verb) else "was"
    return say(question, finite(c, words), subject(c, words), closing(c, words))


def who_transitive(c: Clause, words: Lexicon) -> list[Word]:
    return say("wer", finite(c, words), object_(c, words), closing(c, words))


def who_act_at(c: Clause, words: Lexicon) -> list[Word]:
    return say("wer", finite(c, words), place(c, words), closing(c, words))


FRAMES: FrameTable = {
    "act": act,
    "act_at": act_at,
    "transitive": transitive,
    "transitive_at": transitive_at,
    "located": located,
    "there_is": there_is,
    "property": property_,
    "kind": kind,
    "has": with_object("have"),
    "likes": with_object("like"),
    "wants": with_object("want"),
    "wants_to": with_infinitive("want"),
    "can": with_infinitive("can"),
    "gives": gives,
    "goes_to": with_place("go", "to"),
    "comes_from": with_place("come", "from"),
    "lives_in": with_place("live", "at"),
    "with": with_,
    "compare": compare,
    "together": together,
    "on_day": on_day,
    "owned": owned,
    "age": age,
    "price": price,
    "works_for": works_for,
    "named": named,
    "where_is": asks("wo"),
    "where_lives": asks("wo", "live"),
    "where_works": asks("wo", "work"),
    "what_has": asks("was", "have"),
    "what_transitive": what_transitive,
    "who_transitive": who_transitive,
    "who_act_at": who_act_at,
    "how_old": asks("wie alt"),
    "how_much": asks("wie viel", "cost"),
    "what_name": what_name,
}
