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
from isogloss.phrasebook.grammar.words import Frame, FrameTable, Word, entity_kind, name_of, say, with_role
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


def verb(c: Clause, words: Lexicon, concept: str) -> list[Word]:
    return say("không" if c.negated else "", with_role("verb", words[concept].lemma))


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


def act(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), does(c, words))


def act_at(c: Clause, words: Lexicon) -> list[Word]:
    return say(act(c, words), place(c, words))


def transitive(c: Clause, words: Lexicon) -> list[Word]:
    return say(act(c, words), object_(c, words))


def transitive_at(c: Clause, words: Lexicon) -> list[Word]:
    return say(transitive(c, words), place(c, words))


def located(c: Clause, words: Lexicon) -> list[Word]:
    """ở trong công viên, but ở chợ."""
    at = words[c.place].form("at")
    where = place(c, words, "ở" if at == "ở" else f"ở {at}")
    return say(subject(c, words), "không" if c.negated else "", where)


def there_is(c: Clause, words: Lexicon) -> list[Word]:
    return say(place(c, words), "có", subject(c, words))


def is_quality(c: Clause, words: Lexicon) -> list[Word]:
    cell = words[c.adjective]
    has_colour = "có" if "colour" in cell.tags else ""
    return say("không" if c.negated else "", has_colour, with_role("adjective", quality(cell, c.subject)))


def property_(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), is_quality(c, words))


def kind(c: Clause, words: Lexicon) -> list[Word]:
    """Anna là một bác sĩ; Con ngựa đó là động vật."""
    what = phrase(Phrase(noun=c.noun), words, "noun", bare=not c.subject.name)
    return say(subject(c, words), "không phải là" if c.negated else "là", what)


def has(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), verb(c, words, "have"), object_(c, words))


def likes(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), verb(c, words, "like"), phrase(c.object, words, "object", bare=True))


def wants(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), verb(c, words, "want"), object_(c, words))


def wants_to(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), words["want"].lemma, verb(c, words, c.verb))


def can(c: Clause, words: Lexicon) -> list[Word]:
    able = words["can"].form("not") if c.negated else words["can"].lemma
    return say(subject(c, words), able, with_role("verb", words[c.verb].lemma))


def gives(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), verb(c, words, "give"), "cho", other(c, words), object_(c, words))


def goes_to(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), verb(c, words, "go"), place(c, words, "đến"))


def comes_from(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), verb(c, words, "come"), place(c, words, "từ"))


def lives_in(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), verb(c, words, "live"), place(c, words))


def with_(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), verb(c, words, c.verb), "cùng với", other(c, words))


def compare(c: Clause, words: Lexicon) -> list[Word]:
    said = with_role("adjective", quality(words[c.adjective], c.subject))
    return say(subject(c, words), said, "hơn", other(c, words))


def together(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), "và", other(c, words), does(c, words))


def on_day(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), verb(c, words, c.verb), "vào", with_role("day", words[c.day].lemma))


def owned(c: Clause, words: Lexicon) -> list[Word]:
    cell = words[c.subject.noun]
    thing = cell.lemma if is_mass(c.subject.noun) else counted(cell)
    said = with_role("subject", "những" if c.subject.plural else "", thing)
    return say(said, "của", other(c, words), is_quality(c, words))


def age(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), with_role("number", str(c.number)), "tuổi")


def price(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), verb(c, words, "cost"), with_role("number", str(c.number)), "euro")


def works_for(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), verb(c, words, "work"), place(c, words, "cho"))


def named(c: Clause, words: Lexicon) -> list[Word]:
    return say("tên của", subject(c, words), "là", other(c, words))


def asks(question: str, concept: str = "") -> Frame:
    """SUBJECT QUESTION, with the verb ``concept`` between, if there is one."""

    def frame(c: Clause, words: Lexicon) -> list[Word]:
        return say(subject(c, words), verb(c, words, concept) if concept else "", question)

    return frame


def what_transitive(c: Clause, words: Lexicon) -> list[Word]:
    return say(act(c, words), "ai" if asks_whom(c.verb) else "gì")


def who_transitive(c: Clause, words: Lexicon) -> list[Word]:
    return say("ai", does(c, words), object_(c, words))


def who_act_at(c: Clause, words: Lexicon) -> list[Word]:
    return say("ai", does(c, words), place(c, words))


def what_name(c: Clause, words: Lexicon) -> list[Word]:
    return say("tên của", subject(c, words), "là gì")


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
    "where_is": asks("ở đâu"),
    "where_lives": asks("ở đâu", "live"),
    "where_works": asks("ở đâu", "work"),
    "what_has": asks("gì", "have"),
    "what_transitive": what_transitive,
    "who_transitive": who_transitive,
    "who_act_at": who_act_at,
    "how_old": asks("bao nhiêu tuổi"),
    "how_much": asks("bao nhiêu", "cost"),
    "what_name": what_name,
}
