"""Modern Standard Arabic, without vowel signs. Nouns: ``m`` or ``f``; ``pl=`` broken plurals, and sound ones that are
masculine (ـون); ``dip`` for plurals without tanwin; ``few=`` the plural after numerals; ``kind=`` the collective that
means all of them (تفاح); ``bare=`` the form after the article; ``acc=`` an indefinite accusative that is not the lemma
with alif; ``fem=`` for a woman; ``part`` for kinds that one thing is only a part of (أثاث). Places carry their
preposition. Verbs: ``fpl=`` hollow feminine plurals; ``person`` where the object must be one. Adjectives: ``f= pl=
acc=``, ``er=`` the elative, ``long=`` the full stem of defective ones. Numerals are stored as they stand before
feminine nouns; two is the dual."""

from __future__ import annotations

from dataclasses import replace

from isogloss.phrasebook.clauses import Clause, Phrase
from isogloss.phrasebook.grammar.gender import is_feminine, named_by, told_apart
from isogloss.phrasebook.grammar.meaning import in_general, is_mass, is_person, numeral_of
from isogloss.phrasebook.grammar.order import in_order, lemma_of, number
from isogloss.phrasebook.grammar.words import FrameTable, Word, entity_kind, say, with_role
from isogloss.phrasebook.lexicon import Cell, Lexicon

__all__ = ["FRAMES"]

AND = Word("و", glued=True)
NOMINATIVE, ACCUSATIVE, GENITIVE = "nominative", "accusative", "genitive"


def before_suffix(stem: str) -> str:
    """The last letter changes when something is written onto it: ة opens to ت, a hamza on the line finds a seat."""
    if stem.endswith("ة"):
        return stem[:-1] + "ت"
    return stem[:-1] + "ئ" if stem.endswith("يء") else stem


def with_tanwin(word: str) -> str:
    """The indefinite accusative adds an alif, except to ة, اء and ات."""
    return word if word.endswith(("ة", "اء", "ات")) else before_suffix(word) + "ا"


def dual(stem: str, case: str) -> str:
    return before_suffix(stem) + ("ان" if case == NOMINATIVE else "ين")


def sound(plural: str, case: str) -> str:
    """Masculine plurals in ـون are the only plurals whose letters show the case."""
    return plural[:-2] + "ين" if plural.endswith("ون") and case != NOMINATIVE else plural


def plural_of(noun: Cell) -> str:
    return noun.form("pl", noun.lemma.removesuffix("ة") + "ات")


def noun_form(noun: Cell, p: Phrase, case: str) -> str:
    if p.number == 1:
        if p.definite:
            return "ال" + noun.form("bare")
        return noun.form("acc", with_tanwin(noun.lemma)) if case == ACCUSATIVE else noun.lemma
    if p.number == 2:
        return "ال" + dual(noun.form("bare"), case) if p.definite else dual(noun.lemma, case)
    plural = sound(noun.form("few", plural_of(noun)) if p.number else plural_of(noun), case)
    if p.definite:
        return "ال" + plural
    sounds_out = case == ACCUSATIVE and "dip" not in noun.tags and not plural_of(noun).endswith("ون")
    return with_tanwin(plural) if sounds_out else plural


def adjective_form(cell: Cell, p: Phrase, case: str, *, feminine: bool) -> str:
    """Agrees in gender, number, case and definiteness; things and animals in the plural are a feminine singular."""
    stem = cell.form("long")
    woman = cell.form("f", before_suffix(stem) + "ة")
    if p.number == 2:
        colour = woman.removesuffix("ء") + "و" if woman.endswith("اء") else woman
        form = dual(colour if feminine else stem, case)
    elif p.plural and is_person(p):
        if feminine:
            form = woman.removesuffix("ة") + "ات"
        else:
            form = sound(cell.form("pl", stem + "ون"), case)
            if case == ACCUSATIVE and not p.definite and "pl" in cell.forms:
                form = with_tanwin(form)
    elif feminine or p.plural:
        form = woman
    elif p.definite:
        form = stem
    else:
        form = cell.form("acc", with_tanwin(stem)) if case == ACCUSATIVE else cell.lemma
    return "ال" + form if p.definite else form


def noun_phrase(p: Phrase, noun: Cell, words: Lexicon, role: str, case: str) -> list[Word]:
    """The noun, then what agrees with it; an indefinite numeral stands first and takes the genitive plural."""
    feminine = "f" in noun.tags
    numeral = ""
    if p.number > 2:
        numeral = numeral_of(p, words).lemma + ("" if feminine else "ة")
        case = case if p.definite else GENITIVE
    adjective = adjective_form(words[p.adjective], p, case, feminine=feminine) if p.adjective else ""
    head = noun_form(noun, p, case)
    if numeral and p.definite:
        return with_role(role, head, "ال" + numeral, adjective)
    return with_role(role, numeral, head, adjective)


def phrase(p: Phrase, words: Lexicon, role: str, case: str = NOMINATIVE) -> list[Word]:
    if p.name:
        cell = words[p.name]
        return [Word(cell.form("acc") if case == ACCUSATIVE else cell.lemma, role, entity_kind(p.name))]
    return noun_phrase(p, words[p.noun], words, role, case)


def is_she(p: Phrase, words: Lexicon) -> bool:
    """Does the verb before this subject take the feminine? So do all plurals (not the dual) of things and animals."""
    return is_feminine(p, words) or (p.number not in (1, 2) and not is_person(p))


def conjugated(cell: Cell, *, feminine: bool) -> str:
    """A verb before its subject is singular whatever follows."""
    return "ت" + cell.lemma[1:] if feminine else cell.lemma


def verb(c: Clause, words: Lexicon, concept: str = "") -> list[Word]:
    """The verb ``concept`` or, when empty, the clause's own."""
    form = conjugated(words[concept or c.verb], feminine=is_she(c.subject, words))
    return say("لا" if c.negated else "", with_role("verb", form))


def after_that(c: Clause, words: Lexicon) -> list[Word]:
    """أن and the subjunctive, which follows its subject and agrees with it fully."""
    cell, p = words[c.verb], c.subject
    form = conjugated(cell, feminine=is_she(p, words))
    if p.number == 2:
        form += "ا"
    elif p.plural and is_person(p):
        form = cell.form("fpl", cell.lemma + "ن") if is_feminine(p, words) else cell.lemma.removesuffix("ي") + "وا"
    return say("أن", with_role("verb", form))


def subject(c: Clause, words: Lexicon, case: str = NOMINATIVE) -> list[Word]:
    return phrase(c.subject, words, "subject", case)


def object_(c: Clause, words: Lexicon) -> list[Word]:
    return phrase(c.object, words, "object", ACCUSATIVE)


def other(c: Clause, words: Lexicon, case: str = GENITIVE) -> list[Word]:
    return phrase(c.recipient, words, "recipient", case)


def place(c: Clause, words: Lexicon, preposition: str = "") -> list[Word]:
    cell = words[c.place]
    if kind := entity_kind(c.place):
        return say(preposition or "في", Word(cell.lemma, "place", kind))
    return say(preposition or cell.tagged("في", "عند", "على"), with_role("place", "ال" + cell.lemma))


def is_not(c: Clause, words: Lexicon) -> str:
    """The present has no verb "to be", but one for "not to be"."""
    return ("ليست" if is_she(c.subject, words) else "ليس") if c.negated else ""


def predicate_case(c: Clause) -> str:
    return ACCUSATIVE if c.negated else NOMINATIVE


def there_is(c: Clause, words: Lexicon) -> list[Word]:
    there = "توجد" if is_she(c.subject, words) else "يوجد"
    return say("لا" if c.negated else "", there, subject(c, words), place(c, words))


def located(c: Clause, words: Lexicon) -> list[Word]:
    if not (c.subject.name or c.subject.definite):  # a sentence cannot be about something indefinite
        return there_is(c, words)
    return say(is_not(c, words), subject(c, words), place(c, words))


def property_(c: Clause, words: Lexicon) -> list[Word]:
    like = replace(c.subject, definite=False)
    cell, feminine = words[c.adjective], is_feminine(c.subject, words)
    form = adjective_form(cell, like, predicate_case(c), feminine=feminine)
    return say(is_not(c, words), subject(c, words), with_role("adjective", form))


def kind(c: Clause, words: Lexicon) -> list[Word]:
    cell, start = words[c.noun], say(is_not(c, words), subject(c, words))
    if "part" in cell.tags:
        return say(start, "من", with_role("noun", "ال" + cell.lemma))
    number = c.subject.number if c.subject.number in (1, 2) else 0
    what = Phrase(noun=c.noun, number=1 if is_mass(c.noun) else number)
    noun = told_apart(cell, female=is_feminine(c.subject, words))
    return say(start, noun_phrase(what, noun, words, "noun", predicate_case(c)))


def at_hand(c: Clause, words: Lexicon) -> list[Word]:
    """What one has is "with" one: a preposition stands for the verb."""
    return say(with_role("verb", words["have"].lemma), subject(c, words, GENITIVE))


def has(c: Clause, words: Lexicon) -> list[Word]:
    return say("ليس" if c.negated else "", at_hand(c, words), phrase(c.object, words, "object"))


def likes(c: Clause, words: Lexicon) -> list[Word]:
    """All of a kind is said with the article: "likes the cats"; some nouns have a collective for it."""
    p = c.object
    collective = p.number == 0 and not p.adjective and "kind" in words[p.noun].forms
    if collective:
        liked = with_role("object", "ال" + words[p.noun].form("kind"))
    else:
        liked = phrase(in_general(p), words, "object", ACCUSATIVE)
    return say(verb(c, words, "like"), subject(c, words), liked)


def owned(c: Clause, words: Lexicon) -> list[Word]:
    noun, owned_by = words[c.subject.noun], other(c, words)
    thing = plural_of(noun) if c.subject.plural else noun.lemma
    like = Phrase(noun=c.subject.noun, number=0 if c.subject.plural else 1)
    form = adjective_form(words[c.adjective], like, NOMINATIVE, feminine=is_feminine(like, words))
    return say(
        with_role("subject", thing[:-1] if thing.endswith("ون") else thing),
        owned_by,
        with_role("adjective", form),
    )


def comparative(c: Clause, words: Lexicon) -> list[Word]:
    return with_role("adjective", words[c.adjective].form("er"))


def reaches(c: Clause, words: Lexicon) -> str:
    return "تبلغ" if is_she(c.subject, words) else "يبلغ"


def years(c: Clause, words: Lexicon) -> str:
    return "سنوات" if 3 <= c.number % 100 <= 10 else "سنة"


def price_of(c: Clause, words: Lexicon) -> list[Word]:
    return say(with_role("verb", words["cost"].lemma), subject(c, words, GENITIVE))


def name_of_subject(c: Clause, words: Lexicon) -> list[Word]:
    noun = named_by(c.subject, c.recipient, words)
    return say("اسم", noun_phrase(c.subject, noun, words, "subject", GENITIVE))


def what_transitive(c: Clause, words: Lexicon) -> list[Word]:
    """People are asked for with "who is it whom she helps": without it, asker and asked would look alike."""
    if "person" not in words[c.verb].tags:
        return say("ماذا", verb(c, words), subject(c, words))
    form = conjugated(words[c.verb], feminine=is_she(c.subject, words)) + "ه"
    return say("من الذي", with_role("verb", form), subject(c, words))


def he_does(c: Clause, words: Lexicon) -> list[Word]:
    """After "who" the verb is masculine."""
    return with_role("verb", words[c.verb].lemma)


FRAMES: FrameTable = {
    "act": in_order(verb, subject),
    "act_at": in_order(verb, subject, place),
    "transitive": in_order(verb, subject, object_),
    "transitive_at": in_order(verb, subject, object_, place),
    "located": located,
    "there_is": there_is,
    "property": property_,
    "kind": kind,
    "has": has,
    "likes": likes,
    "wants": in_order((verb, "want"), subject, object_),
    "wants_to": in_order((verb, "want"), subject, after_that),
    "can": in_order((verb, "can"), subject, after_that),
    "gives": in_order((verb, "give"), subject, (other, ACCUSATIVE), object_),
    "goes_to": in_order((verb, "go"), subject, (place, "إلى")),
    "comes_from": in_order((verb, "come"), subject, (place, "من")),
    "lives_in": in_order((verb, "live"), subject, place),
    "with": in_order(verb, subject, "مع", other),
    "compare": in_order(subject, comparative, "من", other),
    "together": in_order(verb, subject, AND, (other, NOMINATIVE)),
    "on_day": in_order(verb, subject, "يوم", (lemma_of, "day")),
    "owned": owned,
    "age": in_order(reaches, subject, "من العمر", number, years),
    "price": in_order(price_of, number, "يورو"),
    "works_for": in_order((verb, "work"), subject, (place, "لدى")),
    "named": in_order(name_of_subject, (other, NOMINATIVE)),
    "where_is": in_order("أين", subject),
    "where_lives": in_order("أين", (verb, "live"), subject),
    "where_works": in_order("أين", (verb, "work"), subject),
    "what_has": in_order("ماذا", at_hand),
    "what_transitive": what_transitive,
    "who_transitive": in_order("من", he_does, object_),
    "who_act_at": in_order("من", he_does, place),
    "how_old": in_order("كم", reaches, subject, "من العمر"),
    "how_much": in_order("كم", price_of),
    "what_name": in_order("ما", name_of_subject),
}
