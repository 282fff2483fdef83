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
from isogloss.phrasebook.grammar.words import Frame, FrameTable, Word, entity_kind, name_of, say, with_role
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


def verb(c: Clause, words: Lexicon, concept: str) -> list[Word]:
    return say("ไม่" if c.negated else "", with_role("verb", words[concept].lemma))


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


def act(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), does(c, words))


def act_at(c: Clause, words: Lexicon) -> list[Word]:
    return say(act(c, words), place(c, words))


def transitive(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), does(c, words, *object_(c, words)))


def transitive_at(c: Clause, words: Lexicon) -> list[Word]:
    return say(transitive(c, words), place(c, words))


def located(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), "ไม่ได้" if c.negated else "", "อยู่", place(c, words))


def there_is(c: Clause, words: Lexicon) -> list[Word]:
    return say(place(c, words), "มี", subject(c, words))


def is_quality(c: Clause, words: Lexicon, more: str = "") -> list[Word]:
    """เร็ว, ไม่เร็ว; ราคาไม่ถูก; of people ตัวไม่ใหญ่; เป็นสีแดง, ไม่ใช่สีแดง. ``more`` is what compares."""
    cell = words[c.adjective]
    said = with_role("adjective", cell.lemma)
    if "colour" in cell.tags:
        return say("ไม่ใช่" if c.negated else "เป็น", said)
    head = "ตัว" if "size" in cell.tags and is_person(c.subject) else cell.form("head", "")
    return say(head, "ไม่" if c.negated else "", said, more)


def property_(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), is_quality(c, words))


def kind(c: Clause, words: Lexicon) -> list[Word]:
    what = phrase(Phrase(noun=c.noun), words, "noun", bare=True)
    return say(subject(c, words), "ไม่ใช่" if c.negated else "เป็น", what)


def has(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), verb(c, words, "have"), object_(c, words))


def likes(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), verb(c, words, "like"), phrase(c.object, words, "object", bare=True))


def wants(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), verb(c, words, "want"), object_(c, words))


def wants_to(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), words["want"].form("to"), verb(c, words, c.verb))


def can(c: Clause, words: Lexicon) -> list[Word]:
    """ว่ายน้ำได้, ว่ายน้ำไม่ได้."""
    said = with_role("verb", words[c.verb].lemma)
    return say(subject(c, words), said, "ไม่" if c.negated else "", words["can"].lemma)


def gives(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), verb(c, words, "give"), object_(c, words), "แก่", other(c, words))


def goes_to(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), verb(c, words, "go"), place(c, words, "ที่"))


def comes_from(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), verb(c, words, "come"), place(c, words, "จาก"))


def lives_in(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), verb(c, words, "live"), place(c, words))


def with_(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), verb(c, words, c.verb), "กับ", other(c, words))


def compare(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), is_quality(c, words, "กว่า"), other(c, words))


def together(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), "และ", other(c, words), does(c, words))


def on_day(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), verb(c, words, c.verb), "ใน", with_role("day", words[c.day].lemma))


def owned(c: Clause, words: Lexicon) -> list[Word]:
    thing = with_role("subject", words[c.subject.noun].lemma, "เหล่านั้น" if c.subject.plural else "")
    return say(thing, "ของ", other(c, words), is_quality(c, words))


def age(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), "อายุ", with_role("number", str(c.number)), "ปี")


def price(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), verb(c, words, "cost"), with_role("number", str(c.number)), "ยูโร")


def works_for(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), verb(c, words, "work"), place(c, words, "ให้"))


def named(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), "ชื่อ", other(c, words))


def asks(question: str, concept: str = "") -> Frame:
    """SUBJECT QUESTION, with the verb ``concept`` between, if there is one."""

    def frame(c: Clause, words: Lexicon) -> list[Word]:
        return say(subject(c, words), verb(c, words, concept) if concept else "", question)

    return frame


def what_transitive(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), does(c, words, Word("ใคร" if asks_whom(c.verb) else "อะไร")))


def who_transitive(c: Clause, words: Lexicon) -> list[Word]:
    return say("ใคร", does(c, words, *object_(c, words)))


def who_act_at(c: Clause, words: Lexicon) -> list[Word]:
    return say("ใคร", does(c, words), place(c, words))


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
    "where_is": asks("อยู่ ที่ไหน"),
    "where_lives": asks("ที่ไหน", "live"),
    "where_works": asks("ที่ไหน", "work"),
    "what_has": asks("อะไร", "have"),
    "what_transitive": what_transitive,
    "who_transitive": who_transitive,
    "who_act_at": who_act_at,
    "how_old": asks("อายุ เท่าไร"),
    "how_much": asks("เท่าไร", "cost"),
    "what_name": asks("ชื่อ อะไร"),
}
