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
from isogloss.phrasebook.grammar.order import in_order, lemma_of, number, svo_frames
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


def agreeing(c: Clause, words: Lexicon, concept: str = "") -> list[Word]:
    """The verb with its се, in the number of the subject."""
    cell = words[concept or c.verb]
    several = c.subject != Phrase() and gender_in(c.subject, words) == "pl"
    washes_cloth = c.object.noun and "cloth" in words[c.object.noun].tags and cell.concept == c.verb
    form = conjugated(cell, several=several, lemma=cell.form("cloth", "") if washes_cloth else "")
    return with_role("verb", "се" if "reflexive" in cell.tags else "", form)


def verb(c: Clause, words: Lexicon, concept: str = "") -> list[Word]:
    return say("не" if c.negated else "", agreeing(c, words, concept))


def subject(c: Clause, words: Lexicon) -> list[Word]:
    return phrase(c.subject, words, "subject", full=True, one=True)


def object_(c: Clause, words: Lexicon) -> list[Word]:
    return say("на" if c.verb and "на" in words[c.verb].tags else "", phrase(c.object, words, "object"))


def other(c: Clause, words: Lexicon) -> list[Word]:
    return phrase(c.recipient, words, "recipient")


def is_(c: Clause, words: Lexicon) -> str:
    return ("не " if c.negated else "") + ("са" if gender_in(c.subject, words) == "pl" else "е")


def there_is(c: Clause, words: Lexicon) -> list[Word]:
    return say(place(c, words), "има", phrase(c.subject, words, "subject"))


def predicate(c: Clause, words: Lexicon) -> list[Word]:
    return with_role("adjective", adjective(words[c.adjective], gender_in(c.subject, words)))


def kind(c: Clause, words: Lexicon) -> list[Word]:
    cell = words[c.noun]
    several = gender_in(c.subject, words) == "pl" and (not is_mass(c.noun) or "only_plural" in cell.tags)
    text = plural(cell) if several else cell.form("fem") if is_woman(c.subject) else cell.lemma
    return say(subject(c, words), is_(c, words), with_role("noun", text))


def has(c: Clause, words: Lexicon) -> list[Word]:
    cell = words["have"]
    several = gender_in(c.subject, words) == "pl"
    form = conjugated(cell, several=several, lemma=cell.form("not") if c.negated else "")
    return say(subject(c, words), with_role("verb", form), object_(c, words))


def able(c: Clause, words: Lexicon) -> list[Word]:
    """The skill is in the verb, not in може."""
    return with_role("", verb(c, words, "can"))


def companion(c: Clause, words: Lexicon) -> list[Word]:
    who = other(c, words)
    return say(in_(who[0].text, "с"), who)


def comparative(c: Clause, words: Lexicon) -> list[Word]:
    return with_role("adjective", "по-" + adjective(words[c.adjective], gender_in(c.subject, words)))


def together(c: Clause, words: Lexicon) -> list[Word]:
    cell = words[c.verb]
    itself = "се" if "reflexive" in cell.tags else ""
    both = say(subject(c, words), "и", phrase(c.recipient, words, "recipient", full=True))
    return say(both, with_role("verb", itself, conjugated(cell, several=True)))


def day(c: Clause, words: Lexicon) -> list[Word]:
    return say(in_(words[c.day].lemma), lemma_of(c, words, "day"))


def owned(c: Clause, words: Lexicon) -> list[Word]:
    thing = owned_thing(c)
    predicate = with_role("adjective", adjective(words[c.adjective], gender_in(thing, words)))
    owner = say("на", other(c, words))
    return say(phrase(thing, words, "subject", full=True), owner, is_(c, words), predicate)


def years(c: Clause, words: Lexicon) -> str:
    return "година" if c.number == 1 else "години"


def company(c: Clause, words: Lexicon) -> list[Word]:
    name = Word(words[c.place].lemma, "place", entity_kind(c.place), glued=True)
    return say("във фирма", Word("„", glued=True), name, "“")


def is_called(c: Clause, words: Lexicon) -> str:
    return "се казват" if gender_in(c.subject, words) == "pl" else "се казва"


def what(c: Clause, words: Lexicon) -> str:
    living = "на кого" if "на" in words[c.verb].tags else "кого"
    return living if asks_whom(c.verb) else "какво"


FRAMES: FrameTable = {
    **svo_frames(subject=subject, does=verb, verb=verb, object_=object_, place=place, who="кой"),
    "located": in_order(subject, is_, place),
    "there_is": there_is,
    "property": in_order(subject, is_, predicate),
    "kind": kind,
    "has": has,
    "likes": in_order(subject, (verb, "like"), object_),
    "wants_to": in_order(subject, (verb, "want"), "да", agreeing),
    "can": in_order(subject, able, "да", agreeing),
    "gives": in_order(subject, (verb, "give"), "на", other, object_),
    "with": in_order(subject, verb, companion),
    "compare": in_order(subject, is_, comparative, "от", other),
    "together": together,
    "on_day": in_order(day, subject, verb),
    "owned": owned,
    "age": in_order(subject, is_, "на", number, years),
    "price": in_order(subject, (verb, "cost"), number, "евро"),
    "works_for": in_order(subject, (verb, "work"), company),
    "named": in_order(subject, is_called, other),
    "where_is": in_order("къде", is_, subject),
    "where_lives": in_order("къде", (verb, "live"), subject),
    "where_works": in_order("къде", (verb, "work"), subject),
    "what_has": in_order("какво", (verb, "have"), subject),
    "what_transitive": in_order(what, verb, subject),
    "how_old": in_order("на колко години", is_, subject),
    "how_much": in_order("колко", (verb, "cost"), subject),
    "what_name": in_order("как", is_called, subject),
}
