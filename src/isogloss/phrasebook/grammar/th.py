"""Thai: no inflection; numerals and นั้น after the noun with its classifier, กำลัง for what goes on, ได้ for can.

Nouns: ``cl=`` the classifier (mass nouns have none). Places: ``at=`` the preposition. Verbs: tag ``state``: without
กำลัง, denied by ไม่; tag ``done``: without กำลัง, denied by ไม่ได้ like all others; tag ``general``: a bare plural object
means all of them; ``after=`` what follows the object (ทำกุญแจหาย); ``clothing=``, ``rice=``: the verb with such an
object. Adjectives: tag ``direct``: follows the noun at once, the others with ที่; tag ``size``: with the classifier
(ตัวใหญ่), of people with ตัว; ``head=`` the noun before it (ราคาถูก, ราคาไม่ถูก); tag ``colour``: เป็นสีแดง, ไม่ใช่สีแดง.
"""

from __future__ import annotations

from isogloss.phrasebook.clauses import Clause, Phrase
from isogloss.phrasebook.grammar.meaning import asks_whom, is_bare_object, is_mass, is_person, numeral_of
from isogloss.phrasebook.grammar.order import in_order, lemma_of, number, svo_frames
from isogloss.phrasebook.grammar.words import FrameTable, Word, entity_kind, name_of, say, with_role
from isogloss.phrasebook.lexicon import Lexicon
from isogloss.phrasebook.world import is_a

__all__ = ["FRAMES"]


def attribute(p: Phrase, words: Lexicon) -> str:
    """ตัว ใหญ่, เก่า, ราคา ถูก, ที่ สกปรก."""
    cell = words[p.adjective]
    if "size" in cell.tags:
        return f"{'ตัว' if is_person(p) else words[p.noun].form('cl')} {cell.lemma}"
    return f"{'' if 'direct' in cell.tags else 'ที่'} {cell.form('head', '')} {cell.lemma}"


def counted(p: Phrase, words: Lexicon) -> str:
    """ตัว หนึ่ง, สาม ตัว, สาม ตัว นั้น, หลาย ตัว, เหล่านั้น; only นั้น with mass nouns."""
    that = "นั้น" if p.definite else ""
    if is_mass(p.noun):
        return that
    classifier = words[p.noun].form("cl")
    if p.number > 1:
        return f"{numeral_of(p, words).lemma} {classifier} {that}"
    if p.plural:
        return "เหล่านั้น" if that else f"หลาย {classifier}"
    return f"{classifier} {that or 'หนึ่ง'}"


def phrase(p: Phrase, words: Lexicon, role: str, *, bare: bool = False) -> list[Word]:
    """``bare`` drops number and definiteness: kinds, things in general, what there is none of."""
    if p.name:
        return name_of(p.name, words, role)
    adjective = attribute(p, words) if p.adjective else ""
    return with_role(role, words[p.noun].lemma, adjective, "" if bare else counted(p, words))


def subject(c: Clause, words: Lexicon) -> list[Word]:
    return phrase(c.subject, words, "subject")


def object_(c: Clause, words: Lexicon) -> list[Word]:
    """What is denied (ไม่มีแมว) or loved in general (รักแมว) is bare, unless it is definite or counted."""
    return phrase(c.object, words, "object", bare=is_bare_object(c, words, general="general"))


def other(c: Clause, words: Lexicon) -> list[Word]:
    return phrase(c.recipient, words, "recipient")


def not_(c: Clause, words: Lexicon) -> str:
    return "ไม่" if c.negated else ""


def verb(c: Clause, words: Lexicon, concept: str = "") -> list[Word]:
    """The verb ``concept`` or, when empty, the clause's own, without aspect."""
    return say(not_(c, words), with_role("verb", words[concept or c.verb].lemma))


def does(c: Clause, words: Lexicon, *what: Word) -> list[Word]:
    """The clause's verb with its object or question word: กำลังกิน…, ไม่ได้กิน…, ทำ…หาย."""
    cell = words[c.verb]
    if "state" in cell.tags:
        aspect = "ไม่" if c.negated else ""
    else:
        aspect = "ไม่ได้" if c.negated else "" if "done" in cell.tags else "กำลัง"
    said = next((form for kind, form in cell.forms.items() if is_a(c.object.noun, kind)), cell.lemma)
    return say(aspect, with_role("verb", said), what, with_role("verb", cell.form("after", "")))


def place(c: Clause, words: Lexicon, preposition: str = "") -> list[Word]:
    cell = words[c.place]
    return say(preposition or cell.form("at", "ใน"), Word(cell.lemma, "place", entity_kind(c.place)))


def does_it(c: Clause, words: Lexicon) -> list[Word]:
    return does(c, words, *object_(c, words))


def does_what(c: Clause, words: Lexicon) -> list[Word]:
    return does(c, words, Word("ใคร" if asks_whom(c.verb) else "อะไร"))


def is_at(c: Clause, words: Lexicon) -> list[Word]:
    return say("ไม่ได้" if c.negated else "", "อยู่", place(c, words))


def is_kind(c: Clause, words: Lexicon) -> list[Word]:
    return say("ไม่ใช่" if c.negated else "เป็น", phrase(Phrase(noun=c.noun), words, "noun", bare=True))


def object_in_general(c: Clause, words: Lexicon) -> list[Word]:
    return phrase(c.object, words, "object", bare=True)


def wants_to(c: Clause, words: Lexicon) -> str:
    return words["want"].form("to")


def is_quality(c: Clause, words: Lexicon, more: str = "") -> list[Word]:
    """เร็ว, ไม่เร็ว; ราคาไม่ถูก; of people ตัวไม่ใหญ่; เป็นสีแดง, ไม่ใช่สีแดง. ``more`` is what compares."""
    cell = words[c.adjective]
    said = with_role("adjective", cell.lemma)
    if "colour" in cell.tags:
        return say("ไม่ใช่" if c.negated else "เป็น", said)
    head = "ตัว" if "size" in cell.tags and is_person(c.subject) else cell.form("head", "")
    return say(head, "ไม่" if c.negated else "", said, more)


def able(c: Clause, words: Lexicon) -> str:
    """Stands after the verb: ว่ายน้ำได้, ว่ายน้ำไม่ได้."""
    return words["can"].lemma


def thing(c: Clause, words: Lexicon) -> list[Word]:
    return with_role("subject", words[c.subject.noun].lemma, "เหล่านั้น" if c.subject.plural else "")


FRAMES: FrameTable = {
    **svo_frames(subject=subject, does=does, verb=verb, object_=object_, place=place, who="ใคร", to="ที่", from_="จาก"),
    "transitive": in_order(subject, does_it),
    "transitive_at": in_order(subject, does_it, place),
    "located": in_order(subject, is_at),
    "there_is": in_order(place, "มี", subject),
    "property": in_order(subject, is_quality),
    "kind": in_order(subject, is_kind),
    "has": in_order(subject, (verb, "have"), object_),
    "likes": in_order(subject, (verb, "like"), object_in_general),
    "wants_to": in_order(subject, wants_to, verb),
    "can": in_order(subject, (lemma_of, "verb"), not_, able),
    "gives": in_order(subject, (verb, "give"), object_, "แก่", other),
    "with": in_order(subject, verb, "กับ", other),
    "compare": in_order(subject, (is_quality, "กว่า"), other),
    "together": in_order(subject, "และ", other, does),
    "on_day": in_order(subject, verb, "ใน", (lemma_of, "day")),
    "owned": in_order(thing, "ของ", other, is_quality),
    "age": in_order(subject, "อายุ", number, "ปี"),
    "price": in_order(subject, (verb, "cost"), number, "ยูโร"),
    "works_for": in_order(subject, (verb, "work"), (place, "ให้")),
    "named": in_order(subject, "ชื่อ", other),
    "where_is": in_order(subject, "อยู่ ที่ไหน"),
    "where_lives": in_order(subject, (verb, "live"), "ที่ไหน"),
    "where_works": in_order(subject, (verb, "work"), "ที่ไหน"),
    "what_has": in_order(subject, (verb, "have"), "อะไร"),
    "what_transitive": in_order(subject, does_what),
    "who_transitive": in_order("ใคร", does_it),
    "how_old": in_order(subject, "อายุ เท่าไร"),
    "how_much": in_order(subject, (verb, "cost"), "เท่าไร"),
    "what_name": in_order(subject, "ชื่อ อะไร"),
}
