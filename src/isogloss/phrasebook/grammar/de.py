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
from isogloss.phrasebook.grammar.order import in_order, lemma_of, number
from isogloss.phrasebook.grammar.words import FrameTable, Word, entity_kind, name_of, say, with_role
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


def as_dictionary(c: Clause, cell: Cell) -> str:
    """essen; fressen of animals."""
    is_animal = bool(c.subject.noun) and is_a(c.subject.noun, "animal")
    return cell.form("animal") if is_animal else cell.lemma


def finite(c: Clause, words: Lexicon, concept: str = "", *, plural_subject: bool | None = None) -> list[Word]:
    """The verb in the third person, without its prefix, with its sich."""
    cell = words[concept or c.verb]
    base = as_dictionary(c, cell)
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


def not_(c: Clause, words: Lexicon) -> str:
    return "nicht" if c.negated else ""


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


def transitive_at(c: Clause, words: Lexicon) -> list[Word]:
    """What is known comes before the place, what is new after it."""
    where, what = place(c, words), object_(c, words)
    middle = say(what, where) if c.object.definite else say(where, what)
    return say(subject(c, words), finite(c, words), middle, closing(c, words))


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


def modal(c: Clause, words: Lexicon) -> list[Word]:
    """The skill is in the verb, not in kann."""
    return with_role("", finite(c, words, "can"))


def itself(c: Clause, words: Lexicon) -> list[Word]:
    return with_role("verb", "sich" if "reflexive" in words[c.verb].tags else "")


def infinitive(c: Clause, words: Lexicon) -> list[Word]:
    cell = words[c.verb]
    return with_role("verb", cell.form("inf", as_dictionary(c, cell)))


def comparative(c: Clause, words: Lexicon) -> list[Word]:
    cell = words[c.adjective]
    return with_role("adjective", cell.form("er", cell.lemma + "er"))


def both_do(c: Clause, words: Lexicon) -> list[Word]:
    return finite(c, words, plural_subject=True)


def years(c: Clause, words: Lexicon) -> str:
    return "Jahr" if c.number == 1 else "Jahre"


def is_called(c: Clause, words: Lexicon) -> str:
    return "heißen" if c.subject.plural else "heißt"


def what(c: Clause, words: Lexicon) -> str:
    living = "wem" if "dat" in words[c.verb].tags else "wen"
    return living if asks_whom(c.verb) else "was"


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


FRAMES: FrameTable = {
    "act": in_order(subject, finite, not_, closing),
    "act_at": in_order(subject, finite, not_, place, closing),
    "transitive": in_order(subject, finite, object_, closing),
    "transitive_at": transitive_at,
    "located": in_order(subject, be, not_, place),
    "there_is": in_order(place, be, subject),
    "property": in_order(subject, be, not_, (lemma_of, "adjective")),
    "kind": kind,
    "has": in_order(subject, (finite, "have"), object_),
    "likes": in_order(subject, (finite, "like"), object_),
    "wants": in_order(subject, (finite, "want"), object_),
    "wants_to": in_order(subject, (finite, "want"), itself, not_, infinitive),
    "can": in_order(subject, modal, itself, not_, infinitive),
    "gives": in_order(subject, (finite, "give"), (other, "dat"), object_),
    "goes_to": in_order(subject, (finite, "go"), (place, "to")),
    "comes_from": in_order(subject, (finite, "come"), (place, "from")),
    "lives_in": in_order(subject, (finite, "live"), place),
    "with": in_order(subject, finite, "mit", (other, "dat"), closing),
    "compare": in_order(subject, be, comparative, "als", (other, "nom")),
    "together": in_order(subject, "und", (other, "nom"), both_do, closing),
    "on_day": in_order("am", (lemma_of, "day"), finite, subject, closing),
    "owned": owned,
    "age": in_order(subject, be, number, years, "alt"),
    "price": in_order(subject, (finite, "cost"), number, "Euro"),
    "works_for": in_order(subject, (finite, "work"), "bei", (lemma_of, "place")),
    "named": in_order(subject, is_called, (other, "nom")),
    "where_is": in_order("wo", be, subject),
    "where_lives": in_order("wo", (finite, "live"), subject),
    "where_works": in_order("wo", (finite, "work"), subject),
    "what_has": in_order("was", (finite, "have"), subject),
    "what_transitive": in_order(what, finite, subject, closing),
    "who_transitive": in_order("wer", finite, object_, closing),
    "who_act_at": in_order("wer", finite, place, closing),
    "how_old": in_order("wie alt", be, subject),
    "how_much": in_order("wie viel", (finite, "cost"), subject),
    "what_name": in_order("wie", is_called, subject),
}
