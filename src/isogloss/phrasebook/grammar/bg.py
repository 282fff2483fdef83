"""Bulgarian. The article is a suffix of the first word: кучето, голямото куче, двете големи кучета.

Nouns: gender ``m f n``; ``person`` for men (двама учители, and no counting form); ``soft`` takes -ят, -я;
``only_plural`` for masses said in the plural (плодове); ``pl= def= pldef=`` forms the rule does not give; ``count=``
after numerals without an adjective; ``cloth`` is washed with another verb; ``fem=`` said of a woman. Places carry
``в на край``. Verbs: third person singular; ``pl=``; ``reflexive``; ``на`` before the object; ``cloth=``; ``not=``
(няма). Adjectives: ``stem=`` before endings, ``f= n= pl=``. Numerals: ``f=`` also neuter, ``person=``; ``def fdef
persondef=`` with the article.
"""

from __future__ import annotations

from isogloss.phrasebook.clauses import Clause, Phrase
from isogloss.phrasebook.grammar.gender import gender_in
from isogloss.phrasebook.grammar.meaning import asks_whom, is_mass, is_woman, numeral_of, owned_thing
from isogloss.phrasebook.grammar.svo import asks, svo_frames
from isogloss.phrasebook.grammar.words import FrameTable, Word, entity_kind, name_of, say, with_role
from isogloss.phrasebook.lexicon import Cell, Lexicon

__all__ = ["FRAMES"]

ONE = {"m": "един", "f": "една", "n": "едно"}


def plural(noun: Cell) -> str:
    lemma = noun.lemma
    if lemma.endswith("о"):
        return noun.form("pl", lemma[:-1] + "а")
    if lemma.endswith("е"):
        return noun.form("pl", lemma[:-1] + "я")
    return noun.form("pl", (lemma[:-1] if lemma.endswith(("а", "я")) else lemma) + "и")


def with_article(noun: Cell, *, several: bool, full: bool) -> str:
    """``full`` is the article of a masculine subject: парк, паркът, but в парка."""
    if several:
        text = plural(noun)
        return noun.form("pldef", text + ("та" if text.endswith(("а", "я")) else "те"))
    gender = noun.tagged("m", "f", "n")
    if gender != "m":
        return noun.form("def", noun.lemma + {"f": "та", "n": "то"}[gender])
    short = masculine(noun)
    return short[:-1] + ("ят" if short.endswith("я") else "ът") if full else short


def masculine(noun: Cell) -> str:
    """The short article, which is also the counting form: стола, коня, чая."""
    if noun.lemma.endswith("й"):
        return noun.lemma[:-1] + "я"
    return noun.lemma + ("я" if "soft" in noun.tags else "а")


def adjective(cell: Cell, gender: str, *, definite: bool = False, full: bool = False) -> str:
    stem = cell.form("stem")
    several = cell.form("pl", stem + "и")
    if gender == "pl":
        return several + ("те" if definite else "")
    if gender == "m":
        return several + ("ят" if full else "я") if definite else cell.lemma
    text = cell.form(gender, stem + {"f": "а", "n": "о"}[gender])
    return text + ({"f": "та", "n": "то"}[gender] if definite else "")


def phrase(p: Phrase, words: Lexicon, role: str, *, full: bool = False, one: bool = False) -> list[Word]:
    """Numeral, adjective, noun, the first with the article. ``one`` opens with един: a sentence does not begin with
    a bare singular."""
    if p.name:
        return name_of(p.name, words, role)
    noun, gender = words[p.noun], gender_in(p, words)
    if p.number > 1:
        return with_role(role, counted(p, words))
    several = gender == "pl"
    introduced = ONE[gender] if one and not several and not p.definite and not is_mass(p.noun) else ""
    if p.adjective:
        described = adjective(words[p.adjective], gender, definite=p.definite, full=full)
        return with_role(role, introduced, described, plural(noun) if several else noun.lemma)
    bare = plural(noun) if several else noun.lemma
    return with_role(role, introduced, with_article(noun, several=several, full=full) if p.definite else bare)


def counted(p: Phrase, words: Lexicon) -> str:
    """два стола, двама учители, две котки; двата големи стола."""
    noun, numeral = words[p.noun], numeral_of(p, words)
    gender = noun.tagged("m", "f", "n")
    article = "def" if p.definite else ""
    plain = numeral.form("def") if p.definite else numeral.lemma
    thing = plural(noun)
    if "person" in noun.tags:
        amount = numeral.form(f"person{article}", plain)
        thing = thing if p.adjective else noun.form("count", thing)
    elif gender == "m":
        amount, thing = plain, masculine(noun)
    else:
        amount = numeral.form(f"f{article}", plain)
    described = adjective(words[p.adjective], "pl") if p.adjective else ""
    return f"{amount} {described} {thing}"


def in_(following: str, preposition: str = "в") -> str:
    """в and с are doubled before their own sound: във вторник, със Самир."""
    doubled = {"в": ("вф", "във"), "с": ("сз", "със")}
    sounds, longer = doubled.get(preposition, ("", ""))
    return longer if following[0].lower() in sounds else preposition


def place(c: Clause, words: Lexicon, direction: str = "at") -> list[Word]:
    cell, kind = words[c.place], entity_kind(c.place)
    usual = "в" if kind else cell.tagged("в", "на", "край")
    noun = Word(cell.lemma if kind else with_article(cell, several=False, full=False), "place", kind)
    if direction == "from":
        return say("от", noun)
    preposition = "към" if direction == "to" and usual == "край" else in_(noun.text, usual)
    return say(preposition, noun)


def conjugated(cell: Cell, *, several: bool, lemma: str = "") -> str:
    """работи, работят; чете, четат; пее, пеят; вижда, виждат"""
    word = lemma or cell.lemma
    if not several:
        return word
    if word.endswith("а"):
        regular = word + "т"
    else:
        regular = word[:-1] + ("ят" if word.endswith("и") or word[-2] in "аеи" else "ат")
    return regular if lemma else cell.form("pl", regular)


def agreeing(c: Clause, words: Lexicon, concept: str) -> list[Word]:
    """The verb with its се, in the number of the subject."""
    cell = words[concept]
    several = c.subject != Phrase() and gender_in(c.subject, words) == "pl"
    washes_cloth = c.object.noun and "cloth" in words[c.object.noun].tags and concept == c.verb
    form = conjugated(cell, several=several, lemma=cell.form("cloth", "") if washes_cloth else "")
    return with_role("verb", "се" if "reflexive" in cell.tags else "", form)


def verb(c: Clause, words: Lexicon, concept: str = "") -> list[Word]:
    return say("не" if c.negated else "", agreeing(c, words, concept or c.verb))


def subject(c: Clause, words: Lexicon) -> list[Word]:
    return phrase(c.subject, words, "subject", full=True, one=True)


def object_(c: Clause, words: Lexicon) -> list[Word]:
    return say("на" if c.verb and "на" in words[c.verb].tags else "", phrase(c.object, words, "object"))


def other(c: Clause, words: Lexicon) -> list[Word]:
    return phrase(c.recipient, words, "recipient")


def is_(c: Clause, words: Lexicon) -> str:
    return ("не " if c.negated else "") + ("са" if gender_in(c.subject, words) == "pl" else "е")


def located(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), is_(c, words), place(c, words))


def there_is(c: Clause, words: Lexicon) -> list[Word]:
    return say(place(c, words), "има", phrase(c.subject, words, "subject"))


def property_(c: Clause, words: Lexicon) -> list[Word]:
    text = adjective(words[c.adjective], gender_in(c.subject, words))
    return say(subject(c, words), is_(c, words), with_role("adjective", text))


def kind(c: Clause, words: Lexicon) -> list[Word]:
    cell = words[c.noun]
    woman = is_woman(c.subject)
    one = cell.form("fem") if woman else cell.lemma
    several = gender_in(c.subject, words) == "pl" and (not is_mass(c.noun) or "only_plural" in cell.tags)
    return say(subject(c, words), is_(c, words), with_role("noun", plural(cell) if several else one))


def has(c: Clause, words: Lexicon) -> list[Word]:
    cell = words["have"]
    several = gender_in(c.subject, words) == "pl"
    form = conjugated(cell, several=several, lemma=cell.form("not") if c.negated else "")
    return say(subject(c, words), with_role("verb", form), object_(c, words))


def likes(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), verb(c, words, "like"), object_(c, words))


def wants_to(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), verb(c, words, "want"), "да", agreeing(c, words, c.verb))


def can(c: Clause, words: Lexicon) -> list[Word]:
    able = [Word(word.text) for word in verb(c, words, "can")]
    return say(subject(c, words), able, "да", agreeing(c, words, c.verb))


def gives(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), verb(c, words, "give"), "на", other(c, words), object_(c, words))


def with_(c: Clause, words: Lexicon) -> list[Word]:
    companion = other(c, words)
    return say(subject(c, words), verb(c, words), in_(companion[0].text, "с"), companion)


def compare(c: Clause, words: Lexicon) -> list[Word]:
    more = "по-" + adjective(words[c.adjective], gender_in(c.subject, words))
    return say(subject(c, words), is_(c, words), with_role("adjective", more), "от", other(c, words))


def together(c: Clause, words: Lexicon) -> list[Word]:
    cell = words[c.verb]
    itself = "се" if "reflexive" in cell.tags else ""
    both = say(subject(c, words), "и", phrase(c.recipient, words, "recipient", full=True))
    return say(both, with_role("verb", itself, conjugated(cell, several=True)))


def on_day(c: Clause, words: Lexicon) -> list[Word]:
    day = words[c.day].lemma
    return say(in_(day), with_role("day", day), subject(c, words), verb(c, words))


def owned(c: Clause, words: Lexicon) -> list[Word]:
    thing = owned_thing(c)
    predicate = with_role("adjective", adjective(words[c.adjective], gender_in(thing, words)))
    owner = say("на", other(c, words))
    return say(phrase(thing, words, "subject", full=True), owner, is_(c, words), predicate)


def age(c: Clause, words: Lexicon) -> list[Word]:
    years = "година" if c.number == 1 else "години"
    return say(subject(c, words), is_(c, words), "на", with_role("number", str(c.number)), years)


def price(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), verb(c, words, "cost"), with_role("number", str(c.number)), "евро")


def works_for(c: Clause, words: Lexicon) -> list[Word]:
    name = Word(words[c.place].lemma, "place", entity_kind(c.place), glued=True)
    return say(subject(c, words), verb(c, words, "work"), "във фирма", Word("„", glued=True), name, "“")


def is_called(c: Clause, words: Lexicon) -> str:
    return "се казват" if gender_in(c.subject, words) == "pl" else "се казва"


def named(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), is_called(c, words), other(c, words))


def what_name(c: Clause, words: Lexicon) -> list[Word]:
    return say("как", is_called(c, words), subject(c, words))


def where_is(c: Clause, words: Lexicon) -> list[Word]:
    return say("къде", is_(c, words), subject(c, words))


def how_old(c: Clause, words: Lexicon) -> list[Word]:
    return say("на колко години", is_(c, words), subject(c, words))


def what_transitive(c: Clause, words: Lexicon) -> list[Word]:
    living = "на кого" if "на" in words[c.verb].tags else "кого"
    return say(living if asks_whom(c.verb) else "какво", verb(c, words), subject(c, words))


FRAMES: FrameTable = {
    **svo_frames(subject=subject, verb=verb, object_=object_, place=place, who="кой"),
    "located": located,
    "there_is": there_is,
    "property": property_,
    "kind": kind,
    "has": has,
    "likes": likes,
    "wants_to": wants_to,
    "can": can,
    "gives": gives,
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
    "where_lives": asks("къде", verb, subject, "live"),
    "where_works": asks("къде", verb, subject, "work"),
    "what_has": asks("какво", verb, subject, "have"),
    "what_transitive": what_transitive,
    "how_old": how_old,
    "how_much": asks("колко", verb, subject, "cost"),
    "what_name": what_name,
}
