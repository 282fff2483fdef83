"""Vietnamese: no inflection; classifiers, những … đó for what is definite, đang for what goes on, không for not.

Nouns: ``cl=`` the classifier (none for most professions and for mass nouns); ``counted=`` classifier and noun together
where the noun differs (động vật, con vật). Places: ``at=`` the preposition. Verbs: tag ``state``: without đang; tag
``general``: a bare plural object means all of them; ``clothing=``: the verb with such an object (giặt, not rửa).
Adjectives: ``person=``, ``food=``, …: the word said of such a noun; tag ``colour``: màu đỏ, có màu đỏ. ``not=``: the
negative of có thể.
"""

from __future__ import annotations

from isogloss.phrasebook.clauses import Clause, Phrase
from isogloss.phrasebook.grammar.meaning import asks_whom, is_bare_object, is_mass, numeral_of
from isogloss.phrasebook.grammar.order import in_order, lemma_of, number, svo_frames
from isogloss.phrasebook.grammar.words import FrameTable, Word, entity_kind, name_of, say, with_role
from isogloss.phrasebook.lexicon import Cell, Lexicon
from isogloss.phrasebook.world import is_a

__all__ = ["FRAMES"]


def form_for(cell: Cell, noun: str) -> str:
    """The word stored for the kind of ``noun``: giặt for clothing, ngon for food; else the lemma."""
    return next((form for kind, form in cell.forms.items() if is_a(noun, kind)), cell.lemma)


def quality(cell: Cell, p: Phrase) -> str:
    """màu đỏ; to of things and animals, to lớn of people."""
    if "colour" in cell.tags:
        return f"màu {cell.lemma}"
    return cell.form("person") if p.name else form_for(cell, p.noun)


def counted(cell: Cell) -> str:
    """con chó, người đàn ông, bác sĩ."""
    return cell.form("counted", f"{cell.form('cl', '')} {cell.lemma}")


def phrase(p: Phrase, words: Lexicon, role: str, *, bare: bool = False) -> list[Word]:
    """một con chó, ba con chó to, những con chó đó; ``bare`` is the noun alone: chó."""
    if p.name:
        return name_of(p.name, words, role)
    adjective = quality(words[p.adjective], p) if p.adjective else ""
    if bare or is_mass(p.noun):
        return with_role(role, words[p.noun].lemma, adjective, "đó" if p.definite else "")
    if p.number > 1:
        number = numeral_of(p, words).lemma
    elif p.plural:
        number = "những" if p.definite else "một số"
    else:
        number = "" if p.definite else "một"
    return with_role(role, number, counted(words[p.noun]), adjective, "đó" if p.definite else "")


def subject(c: Clause, words: Lexicon) -> list[Word]:
    return phrase(c.subject, words, "subject")


def object_(c: Clause, words: Lexicon) -> list[Word]:
    """What is denied (không ăn táo) or loved in general (yêu mèo) is bare, unless it is definite or counted."""
    return phrase(c.object, words, "object", bare=is_bare_object(c, words, general="general"))


def other(c: Clause, words: Lexicon) -> list[Word]:
    return phrase(c.recipient, words, "recipient")


def not_(c: Clause, words: Lexicon) -> str:
    return "không" if c.negated else ""


def verb(c: Clause, words: Lexicon, concept: str = "") -> list[Word]:
    """The verb ``concept`` or, when empty, the clause's own, without aspect."""
    return say(not_(c, words), with_role("verb", words[concept or c.verb].lemma))


def does(c: Clause, words: Lexicon) -> list[Word]:
    """The clause's verb: đang ngủ, không ngủ, yêu."""
    cell = words[c.verb]
    aspect = "không" if c.negated else "" if "state" in cell.tags else "đang"
    return say(aspect, with_role("verb", form_for(cell, c.object.noun)))


def place(c: Clause, words: Lexicon, preposition: str = "") -> list[Word]:
    if entity_kind(c.place):
        return say(preposition or "ở", name_of(c.place, words, "place"))
    cell = words[c.place]
    return say(preposition or cell.form("at"), with_role("place", cell.lemma))


def at(c: Clause, words: Lexicon) -> list[Word]:
    """ở trong công viên, but ở chợ."""
    usual = words[c.place].form("at")
    return place(c, words, "ở" if usual == "ở" else f"ở {usual}")


def is_quality(c: Clause, words: Lexicon) -> list[Word]:
    cell = words[c.adjective]
    has_colour = "có" if "colour" in cell.tags else ""
    return say("không" if c.negated else "", has_colour, with_role("adjective", quality(cell, c.subject)))


def kind(c: Clause, words: Lexicon) -> list[Word]:
    """Anna là một bác sĩ; Con ngựa đó là động vật."""
    what = phrase(Phrase(noun=c.noun), words, "noun", bare=not c.subject.name)
    return say(subject(c, words), "không phải là" if c.negated else "là", what)


def object_in_general(c: Clause, words: Lexicon) -> list[Word]:
    return phrase(c.object, words, "object", bare=True)


def wants_to(c: Clause, words: Lexicon) -> str:
    return words["want"].lemma


def able(c: Clause, words: Lexicon) -> str:
    return words["can"].form("not") if c.negated else words["can"].lemma


def quality_of_subject(c: Clause, words: Lexicon) -> list[Word]:
    return with_role("adjective", quality(words[c.adjective], c.subject))


def thing(c: Clause, words: Lexicon) -> list[Word]:
    cell = words[c.subject.noun]
    said = cell.lemma if is_mass(c.subject.noun) else counted(cell)
    return with_role("subject", "những" if c.subject.plural else "", said)


def what(c: Clause, words: Lexicon) -> str:
    return "ai" if asks_whom(c.verb) else "gì"


FRAMES: FrameTable = {
    **svo_frames(subject=subject, does=does, verb=verb, object_=object_, place=place, who="ai", to="đến", from_="từ"),
    "located": in_order(subject, not_, at),
    "there_is": in_order(place, "có", subject),
    "property": in_order(subject, is_quality),
    "kind": kind,
    "has": in_order(subject, (verb, "have"), object_),
    "likes": in_order(subject, (verb, "like"), object_in_general),
    "wants_to": in_order(subject, wants_to, verb),
    "can": in_order(subject, able, (lemma_of, "verb")),
    "gives": in_order(subject, (verb, "give"), "cho", other, object_),
    "with": in_order(subject, verb, "cùng với", other),
    "compare": in_order(subject, quality_of_subject, "hơn", other),
    "together": in_order(subject, "và", other, does),
    "on_day": in_order(subject, verb, "vào", (lemma_of, "day")),
    "owned": in_order(thing, "của", other, is_quality),
    "age": in_order(subject, number, "tuổi"),
    "price": in_order(subject, (verb, "cost"), number, "euro"),
    "works_for": in_order(subject, (verb, "work"), (place, "cho")),
    "named": in_order("tên của", subject, "là", other),
    "where_is": in_order(subject, "ở đâu"),
    "where_lives": in_order(subject, (verb, "live"), "ở đâu"),
    "where_works": in_order(subject, (verb, "work"), "ở đâu"),
    "what_has": in_order(subject, (verb, "have"), "gì"),
    "what_transitive": in_order(subject, does, what),
    "how_old": in_order(subject, "bao nhiêu tuổi"),
    "how_much": in_order(subject, (verb, "cost"), "bao nhiêu"),
    "what_name": in_order("tên của", subject, "là gì"),
}
