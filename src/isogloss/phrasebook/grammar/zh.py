"""Chinese in simplified characters: no inflection; measure words, 的, 在 with a localizer, 比, aspect.

Nouns: ``cl=`` the measure word (mass nouns have none and take 些); tag ``de`` where a bare adjective would read as
part of the word (大象), so that it is said 很大的. Places: ``in=`` the localizer after 在 (none: 河边), tag ``to`` when
it stays after 去 and 从. Verbs: events in progress say 在 (没有在); tag ``state``: no aspect (爱, 不爱); tag ``done``:
reached, with 了 (没有 without it); tag ``skill``: its ability is 会, not 能. Adjectives: tag ``bare`` stands before the
noun without 的; ``attr=`` the words before a noun; ``person=`` the word said of people; tag ``colour``: 是红色的.
"""

from __future__ import annotations

from isogloss.phrasebook.clauses import Clause, Phrase
from isogloss.phrasebook.grammar.meaning import asks_whom, is_bare_object, is_mass, is_person, numeral_of
from isogloss.phrasebook.grammar.order import in_order, lemma_of, number
from isogloss.phrasebook.grammar.words import FrameTable, Word, entity_kind, name_of, say, with_role
from isogloss.phrasebook.lexicon import Cell, Lexicon

__all__ = ["FRAMES"]


def quality(cell: Cell, p: Phrase) -> str:
    """大 of things and animals, 高大 of people (大 would be their age)."""
    return cell.form("person") if is_person(p) else cell.lemma


def attribute(p: Phrase, words: Lexicon) -> str:
    """The adjective before its noun: 大, 年轻 的, 速度 很 快 的."""
    cell = words[p.adjective]
    if is_person(p) and "person" in cell.forms:
        return f"{cell.form('person')} 的"
    if "bare" in cell.tags:
        return f"很 {cell.lemma} 的" if "de" in words[p.noun].tags else cell.lemma
    return cell.form("attr", f"{cell.lemma} 的")


def measured(p: Phrase, words: Lexicon) -> str:
    """那 三 只, 那些, 一 只, 一些; nothing before mass nouns in general."""
    the = "那" if p.definite else ""
    if is_mass(p.noun):
        return "那些" if the else ""
    measure = words[p.noun].form("cl")
    if p.number > 1:
        return f"{the} {numeral_of(p, words).lemma} {measure}"
    if p.plural:
        return "那些" if the else "一些"
    return f"{the or '一'} {measure}"


def phrase(p: Phrase, words: Lexicon, role: str, *, bare: bool = False) -> list[Word]:
    """``bare`` drops number and definiteness: kinds, things in general, what there is none of."""
    if p.name:
        return name_of(p.name, words, role)
    adjective = attribute(p, words) if p.adjective else ""
    return with_role(role, "" if bare else measured(p, words), adjective, words[p.noun].lemma)


def subject(c: Clause, words: Lexicon) -> list[Word]:
    return phrase(c.subject, words, "subject")


def object_(c: Clause, words: Lexicon) -> list[Word]:
    """What is denied (没有苹果) or loved in general (爱猫) is bare, unless it is definite or counted."""
    return phrase(c.object, words, "object", bare=is_bare_object(c, words, general="state"))


def other(c: Clause, words: Lexicon) -> list[Word]:
    return phrase(c.recipient, words, "recipient")


def place(c: Clause, words: Lexicon, meant: str = "inside") -> list[Word]:
    """The place and, when ``inside`` is meant or the place always needs it, its localizer."""
    cell = words[c.place]
    localizer = cell.form("in", "") if meant == "inside" or "to" in cell.tags else ""
    return say(Word(cell.lemma, "place", entity_kind(c.place)), localizer)


def at(c: Clause, words: Lexicon) -> list[Word]:
    return say("在", place(c, words))


def verb(c: Clause, words: Lexicon, concept: str = "") -> list[Word]:
    """The verb ``concept`` or, when empty, the clause's own, without aspect."""
    return with_role("verb", words[concept or c.verb].lemma)


def not_(c: Clause, words: Lexicon) -> str:
    return "不" if c.negated else ""


def does(c: Clause, words: Lexicon, where: str = "") -> list[Word]:
    """The clause's verb with negation, aspect and, when told "there", its place."""
    tags = words[c.verb].tags
    said_where = at(c, words) if where else []
    said = verb(c, words)
    if "state" in tags:
        return say(not_(c, words), said_where, said)
    if "done" in tags:
        return say("没有", said_where, said) if c.negated else say(said_where, said, "了")
    return say("没有" if c.negated else "", said_where or "在", said)


def is_quality(c: Clause, words: Lexicon) -> list[Word]:
    """很大 and 不大, but 是红色的."""
    cell = words[c.adjective]
    said = with_role("adjective", quality(cell, c.subject))
    if "colour" in cell.tags:
        return say("不" if c.negated else "", "是", said, "的")
    return say("不" if c.negated else "很", said)


def has(c: Clause, words: Lexicon) -> list[Word]:
    return with_role("verb", "没有" if c.negated else words["have"].lemma)


def noun(c: Clause, words: Lexicon) -> list[Word]:
    return phrase(Phrase(noun=c.noun), words, "noun", bare=True)


def object_in_general(c: Clause, words: Lexicon) -> list[Word]:
    return phrase(c.object, words, "object", bare=True)


def wants_to(c: Clause, words: Lexicon) -> str:
    return words["want"].form("to")


def able(c: Clause, words: Lexicon) -> str:
    """会 of what is learned, 能 of the rest."""
    return words["can"].form("skill") if "skill" in words[c.verb].tags else words["can"].lemma


def quality_of_subject(c: Clause, words: Lexicon) -> list[Word]:
    return with_role("adjective", quality(words[c.adjective], c.subject))


def comes_from(c: Clause, words: Lexicon) -> list[Word]:
    """来自巴黎 of a city by name, 从森林来 of a place."""
    if entity_kind(c.place):
        return say(subject(c, words), with_role("verb", words["come"].form("from")), place(c, words))
    return say(subject(c, words), "从", place(c, words, "itself"), verb(c, words, "come"))


def thing(c: Clause, words: Lexicon) -> list[Word]:
    return with_role("subject", "那些" if c.subject.plural else "", words[c.subject.noun].lemma)


def what(c: Clause, words: Lexicon) -> str:
    return "谁" if asks_whom(c.verb) else "什么"


FRAMES: FrameTable = {
    "act": in_order(subject, does),
    "act_at": in_order(subject, (does, "there")),
    "transitive": in_order(subject, does, object_),
    "transitive_at": in_order(subject, (does, "there"), object_),
    "located": in_order(subject, not_, at),
    "there_is": in_order(place, "有", subject),
    "property": in_order(subject, is_quality),
    "kind": in_order(subject, not_, "是", noun),
    "has": in_order(subject, has, object_),
    "likes": in_order(subject, not_, (verb, "like"), object_in_general),
    "wants": in_order(subject, (verb, "want"), object_),
    "wants_to": in_order(subject, wants_to, verb),
    "can": in_order(subject, not_, able, verb),
    "gives": in_order(subject, (verb, "give"), other, object_),
    "goes_to": in_order(subject, (verb, "go"), (place, "itself")),
    "comes_from": comes_from,
    "lives_in": in_order(subject, (verb, "live"), at),
    "with": in_order(subject, "跟", other, "一起", verb),
    "compare": in_order(subject, "比", other, quality_of_subject),
    "together": in_order(subject, "和", other, does),
    "on_day": in_order(subject, (lemma_of, "day"), verb),
    "owned": in_order(other, "的", thing, is_quality),
    "age": in_order(subject, number, "岁"),
    "price": in_order(subject, (verb, "cost"), number, "欧元"),
    "works_for": in_order(subject, "为", place, (verb, "work")),
    "named": in_order(subject, "的 名字 是", other),
    "where_is": in_order(subject, "在 哪里"),
    "where_lives": in_order(subject, (verb, "live"), "在 哪里"),
    "where_works": in_order(subject, "在 哪里", (verb, "work")),
    "what_has": in_order(subject, (verb, "have"), "什么"),
    "what_transitive": in_order(subject, does, what),
    "who_transitive": in_order("谁", does, object_),
    "who_act_at": in_order("谁", (does, "there")),
    "how_old": in_order(subject, "多少 岁"),
    "how_much": in_order(subject, "多少 钱"),
    "what_name": in_order(subject, "的 名字 是 什么"),
}
