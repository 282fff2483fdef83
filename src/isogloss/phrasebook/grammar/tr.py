"""Turkish: vowel harmony, cases, possessives, singular after numerals; the verb comes last and keeps the singular.

Nouns: ``soft=`` the stem before a vowel where it differs (kitap, kitab-ı; su, suy-u); tag ``possessed``: the noun ends
in a possessive suffix and joins cases with n (meyve suyu-nu). Places: tag ``by``: nehir kenarında. Verbs are stems,
``soft=`` too (git, gid-iyor), ``now=`` an irregular present, tag ``acc`` or ``dat``: the object always has that case.
Only definite objects are accusative otherwise. Names take suffixes after an apostrophe and never soften.
"""

from __future__ import annotations

from isogloss.phrasebook.clauses import Clause, Phrase
from isogloss.phrasebook.grammar.meaning import asks_whom, is_mass, numeral_of
from isogloss.phrasebook.grammar.order import in_order, lemma_of, number
from isogloss.phrasebook.grammar.words import FrameTable, Word, entity_kind, say, with_role
from isogloss.phrasebook.lexicon import Cell, Lexicon

__all__ = ["FRAMES"]

VOWELS = "aeıioöuüâ"
# I in a suffix is ı, i, u or ü by the last vowel; A is a or e; D is t after these consonants.
HIGH = {"a": "ı", "â": "ı", "ı": "ı", "e": "i", "i": "i", "o": "u", "u": "u", "ö": "ü", "ü": "ü"}
LOW = dict.fromkeys("aâıou", "a") | dict.fromkeys("eiöü", "e")
VOICELESS = "pçtkfhsşx"
# Case suffixes; a letter in brackets stands after vowels only.
CASES = {"": "", "acc": "(y)I", "dat": "(y)A", "loc": "DA", "abl": "DAn", "gen": "(n)In", "poss": "(s)I"}


def last_vowel(text: str) -> str:
    return next(letter for letter in reversed(text) if letter in VOWELS)


def suffixed(stem: str, suffix: str, *, soft: str = "", mark: str = "") -> str:
    """``stem`` with ``suffix`` in harmony; ``soft`` is the stem before a vowel, ``mark`` the apostrophe of names."""
    if not suffix:
        return stem
    buffer, rest = (suffix[1], suffix[3:]) if suffix.startswith("(") else ("", suffix)
    base = stem
    if soft and rest[0] in "IA":
        base = soft
    elif base[-1] in VOWELS:
        rest = buffer + rest
    written = base + mark
    spoken = stem
    for letter in rest:
        sound = {"I": HIGH, "A": LOW}.get(letter, {}).get(last_vowel(spoken), letter)
        if letter == "D":
            sound = "t" if base[-1] in VOICELESS else "d"
        written += sound
        spoken += sound
    return written


def in_case(noun: Cell, case: str, *, plural: bool = False) -> str:
    """köpek, köpeği, köpekler, köpekleri, …; meyve suyu, meyve suyunu."""
    if plural:
        return suffixed(suffixed(noun.lemma, "lAr"), CASES[case])
    if "possessed" in noun.tags and case not in ("", "poss"):
        return suffixed(noun.lemma, "n" + CASES[case].removeprefix("(y)").removeprefix("(n)"))
    return noun.lemma if "possessed" in noun.tags else suffixed(noun.lemma, CASES[case], soft=noun.form("soft", ""))


def name(concept: str, words: Lexicon, role: str, case: str) -> Word:
    text = suffixed(words[concept].lemma, CASES[case], mark="'" if case else "")
    return Word(text, role, entity_kind(concept))


def phrase(p: Phrase, words: Lexicon, role: str, case: str = "", *, bare: bool = False) -> list[Word]:
    """``bare`` leaves out what says "a" or "some": general things, what there is none of."""
    if p.name:
        return [name(p.name, words, role, case)]
    adjective = words[p.adjective].lemma if p.adjective else ""
    number, article = "", ""
    if p.number > 1:
        number = numeral_of(p, words).lemma
    elif not p.definite and not bare and not is_mass(p.noun):
        number, article = ("bazı", "") if p.plural else ("", "bir")
    noun = in_case(words[p.noun], case, plural=p.number == 0)
    return with_role(role, number, adjective, article, noun)


def some(p: Phrase, words: Lexicon, role: str) -> list[Word]:
    """birkaç elma: an indefinite plural that is not a subject."""
    adjective = words[p.adjective].lemma if p.adjective else ""
    return with_role(role, "birkaç", adjective, words[p.noun].lemma)


def object_(c: Clause, words: Lexicon, concept: str = "") -> list[Word]:
    """In the case that the verb ``concept`` or, when empty, the clause's own, wants."""
    o, verb = c.object, words[concept or c.verb]
    if "dat" in verb.tags:
        return phrase(o, words, "object", "dat")
    if "acc" in verb.tags:
        return phrase(o, words, "object", "acc", bare=o.number == 0)
    if o.name or o.definite:
        return phrase(o, words, "object", "acc")
    if c.negated and o.number < 2:
        return phrase(Phrase(noun=o.noun, adjective=o.adjective), words, "object", bare=True)
    return some(o, words, "object") if o.number == 0 else phrase(o, words, "object")


def continuous(verb: Cell, *, negated: bool = False) -> str:
    """uyuyor, bekliyor, gidiyor; uyumuyor, beklemiyor, gitmiyor."""
    stem = verb.lemma
    if negated:
        return suffixed(stem, "mIyor")
    if stem[-1] in VOWELS:
        stem = stem[:-1] if any(letter in VOWELS for letter in stem[:-1]) else stem
    return verb.form("now", suffixed(verb.form("soft", stem), "Iyor"))


def able(verb: Cell, *, negated: bool) -> str:
    """yüzebiliyor, yüzemiyor; uyuyabiliyor, edebiliyor."""
    return suffixed(verb.lemma, "(y)AmIyor" if negated else "(y)Abiliyor", soft=verb.form("soft", ""))


def does(c: Clause, words: Lexicon, concept: str = "") -> list[Word]:
    # A verb that holds the negation is more than the verb: no emoji may stand for it.
    return with_role("" if c.negated else "verb", continuous(words[concept or c.verb], negated=c.negated))


def subject(c: Clause, words: Lexicon, case: str = "") -> list[Word]:
    return phrase(c.subject, words, "subject", case)


def other(c: Clause, words: Lexicon, case: str = "") -> list[Word]:
    return phrase(c.recipient, words, "recipient", case)


def place(c: Clause, words: Lexicon, case: str = "loc") -> list[Word]:
    cell = words[c.place]
    if entity_kind(c.place):
        return [name(c.place, words, "place", case)]
    if "by" in cell.tags and case == "loc":
        return say(with_role("place", cell.lemma), "kenarında")
    return with_role("place", in_case(cell, case))


def is_not(c: Clause, words: Lexicon) -> str:
    return "değil" if c.negated else ""


def new_subject(c: Clause, words: Lexicon) -> list[Word]:
    return phrase(c.subject, words, "subject", bare=c.subject.number == 0)


def kind(c: Clause, words: Lexicon) -> list[Word]:
    """Anna bir doktor; what things are is said with -dır: At bir hayvandır."""
    what = words[c.noun].lemma
    if c.subject.name:
        return say(subject(c, words), with_role("noun", "" if c.negated else "bir", what), is_not(c, words))
    if c.negated:
        return say(subject(c, words), with_role("noun", what), "değildir")
    return say(subject(c, words), with_role("noun", "" if c.subject.plural else "bir", suffixed(what, "DIr")))


def has(c: Clause, words: Lexicon) -> list[Word]:
    """Anna'nın iki kedisi var: Anna's two cats exist."""
    o = c.object
    none = c.negated and o.number < 2
    if none:
        o = Phrase(noun=o.noun, adjective=o.adjective)
    have = words["have"].form("not") if c.negated else words["have"].lemma
    possession = phrase(o, words, "object", "poss", bare=none or o.number == 0)
    return say(subject(c, words, "gen"), possession, with_role("verb", have))


def liked(c: Clause, words: Lexicon) -> list[Word]:
    return phrase(c.object, words, "object", "abl", bare=True)


def infinitive(c: Clause, words: Lexicon) -> list[Word]:
    return with_role("verb", suffixed(words[c.verb].lemma, "mAk"))


def wants_to(c: Clause, words: Lexicon) -> str:
    return continuous(words["want"])


def can(c: Clause, words: Lexicon) -> list[Word]:
    return with_role("verb", able(words[c.verb], negated=c.negated))


def gives(c: Clause, words: Lexicon) -> list[Word]:
    """What is definite comes first: kitabı çocuğa, but çocuğa bir kitap."""
    what, to_whom = object_(c, words, "give"), other(c, words, "dat")
    both = (what, to_whom) if c.object.definite else (to_whom, what)
    return say(subject(c, words), *both, does(c, words, "give"))


def owned(c: Clause, words: Lexicon) -> list[Word]:
    thing = in_case(words[c.subject.noun], "poss", plural=c.subject.plural)
    return say(other(c, words, "gen"), with_role("subject", thing), lemma_of(c, words, "adjective"))


def costs(c: Clause, words: Lexicon) -> list[Word]:
    return with_role("verb", words["cost"].lemma)


def what(c: Clause, words: Lexicon) -> str:
    living = "kime" if "dat" in words[c.verb].tags else "kimi"
    return living if asks_whom(c.verb) else "ne"


def who_transitive(c: Clause, words: Lexicon) -> list[Word]:
    """Elmayı kim yiyor? but Kim bir elma yiyor?"""
    what = object_(c, words)
    marked = c.object.name or c.object.definite or words[c.verb].tags & {"acc", "dat"}
    return say(*((what, "kim") if marked else ("kim", what)), does(c, words))


FRAMES: FrameTable = {
    "act": in_order(subject, does),
    "act_at": in_order(subject, place, does),
    "transitive": in_order(subject, object_, does),
    "transitive_at": in_order(subject, place, object_, does),
    "located": in_order(subject, place, is_not),
    "there_is": in_order(place, new_subject, "var"),
    "property": in_order(subject, (lemma_of, "adjective"), is_not),
    "kind": kind,
    "has": has,
    "likes": in_order(subject, liked, (does, "like")),
    "wants": in_order(subject, (object_, "want"), (does, "want")),
    "wants_to": in_order(subject, infinitive, wants_to),
    "can": in_order(subject, can),
    "gives": gives,
    "goes_to": in_order(subject, (place, "dat"), (does, "go")),
    "comes_from": in_order(subject, (place, "abl"), (does, "come")),
    "lives_in": in_order(subject, place, (does, "live")),
    "with": in_order(subject, other, "ile birlikte", does),
    "compare": in_order(subject, (other, "abl"), "daha", (lemma_of, "adjective")),
    "together": in_order(subject, "ve", other, does),
    "on_day": in_order(subject, (lemma_of, "day"), "günü", does),
    "owned": owned,
    "age": in_order(subject, number, "yaşında"),
    "price": in_order((subject, "gen"), costs, number, "euro"),
    "works_for": in_order(subject, place, (does, "work")),
    "named": in_order((subject, "gen"), "adı", other),
    "where_is": in_order(subject, "nerede"),
    "where_lives": in_order(subject, "nerede", (does, "live")),
    "where_works": in_order(subject, "nerede", (does, "work")),
    "what_has": in_order(subject, "neye sahip"),
    "what_transitive": in_order(subject, what, does),
    "who_transitive": who_transitive,
    "who_act_at": in_order(place, "kim", does),
    "how_old": in_order(subject, "kaç yaşında"),
    "how_much": in_order((subject, "gen"), "fiyatı ne kadar"),
    "what_name": in_order((subject, "gen"), "adı ne"),
}
