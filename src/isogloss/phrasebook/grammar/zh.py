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
from isogloss.phrasebook.grammar.words import Frame, FrameTable, Word, entity_kind, name_of, say, with_role
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


def place(c: Clause, words: Lexicon, *, inside: bool = True) -> list[Word]:
    """The place and, when ``inside`` is meant or the place always needs it, its localizer."""
    cell = words[c.place]
    localizer = cell.form("in", "") if inside or "to" in cell.tags else ""
    return say(Word(cell.lemma, "place", entity_kind(c.place)), localizer)


def at(c: Clause, words: Lexicon) -> list[Word]:
    return say("在", place(c, words))


def verb(c: Clause, words: Lexicon, concept: str) -> list[Word]:
    return with_role("verb", words[concept].lemma)


def does(c: Clause, words: Lexicon, *, placed: bool = False) -> list[Word]:
    """The clause's verb with negation, place and aspect."""
    tags = words[c.verb].tags
    where = at(c, words) if placed else []
    said = verb(c, words, c.verb)
    if "state" in tags:
        return say("不" if c.negated else "", where, said)
    if "done" in tags:
        return say("没有", where, said) if c.negated else say(where, said, "了")
    return say("没有" if c.negated else "", where or "在", said)


def act(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), does(c, words))


def act_at(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), does(c, words, placed=True))


def transitive(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), does(c, words), object_(c, words))


def transitive_at(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), does(c, words, placed=True), object_(c, words))


def located(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), "不" if c.negated else "", at(c, words))


def there_is(c: Clause, words: Lexicon) -> list[Word]:
    return say(place(c, words), "有", subject(c, words))


def is_quality(c: Clause, words: Lexicon) -> list[Word]:
    """很大 and 不大, but 是红色的."""
    cell = words[c.adjective]
    said = with_role("adjective", quality(cell, c.subject))
    if "colour" in cell.tags:
        return say("不" if c.negated else "", "是", said, "的")
    return say("不" if c.negated else "很", said)


def property_(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), is_quality(c, words))


def kind(c: Clause, words: Lexicon) -> list[Word]:
    what = phrase(Phrase(noun=c.noun), words, "noun", bare=True)
    return say(subject(c, words), "不" if c.negated else "", "是", what)


def has(c: Clause, words: Lexicon) -> list[Word]:
    have = Word("没有", "verb") if c.negated else Word(words["have"].lemma, "verb")
    return say(subject(c, words), have, object_(c, words))


def likes(c: Clause, words: Lexicon) -> list[Word]:
    what = phrase(c.object, words, "object", bare=True)
    return say(subject(c, words), "不" if c.negated else "", verb(c, words, "like"), what)


def wants(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), verb(c, words, "want"), object_(c, words))


def wants_to(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), words["want"].form("to"), verb(c, words, c.verb))


def can(c: Clause, words: Lexicon) -> list[Word]:
    able = words["can"].form("skill") if "skill" in words[c.verb].tags else words["can"].lemma
    return say(subject(c, words), "不" if c.negated else "", able, verb(c, words, c.verb))


def gives(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), verb(c, words, "give"), other(c, words), object_(c, words))


def goes_to(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), verb(c, words, "go"), place(c, words, inside=False))


def comes_from(c: Clause, words: Lexicon) -> list[Word]:
    """来自巴黎 of a city by name, 从森林来 of a place."""
    if entity_kind(c.place):
        return say(subject(c, words), with_role("verb", words["come"].form("from")), place(c, words))
    return say(subject(c, words), "从", place(c, words, inside=False), verb(c, words, "come"))


def lives_in(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), verb(c, words, "live"), at(c, words))


def with_(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), "跟", other(c, words), "一起", verb(c, words, c.verb))


def compare(c: Clause, words: Lexicon) -> list[Word]:
    said = with_role("adjective", quality(words[c.adjective], c.subject))
    return say(subject(c, words), "比", other(c, words), said)


def together(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), "和", other(c, words), does(c, words))


def on_day(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), with_role("day", words[c.day].lemma), verb(c, words, c.verb))


def owned(c: Clause, words: Lexicon) -> list[Word]:
    those = "那些" if c.subject.plural else ""
    thing = with_role("subject", those, words[c.subject.noun].lemma)
    return say(other(c, words), "的", thing, is_quality(c, words))


def age(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), with_role("number", str(c.number)), "岁")


def price(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), verb(c, words, "cost"), with_role("number", str(c.number)), "欧元")


def works_for(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), "为", place(c, words), verb(c, words, "work"))


def named(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), "的 名字 是", other(c, words))


def where_works(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), "在 哪里", verb(c, words, "work"))


def where_lives(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), verb(c, words, "live"), "在 哪里")


def what_has(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), verb(c, words, "have"), "什么")


def what_transitive(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), does(c, words), "谁" if asks_whom(c.verb) else "什么")


def who_transitive(c: Clause, words: Lexicon) -> list[Word]:
    return say("谁", does(c, words), object_(c, words))


def who_act_at(c: Clause, words: Lexicon) -> list[Word]:
    return say("谁", does(c, words, placed=True))


def asks(question: str) -> Frame:
    """SUBJECT QUESTION: the order of the statement stays."""

    def frame(c: Clause, words: Lexicon) -> list[Word]:
        return say(subject(c, words), question)

    return frame


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
    "where_is": asks("在 哪里"),
    "where_lives": where_lives,
    "where_works": where_works,
    "what_has": what_has,
    "what_transitive": what_transitive,
    "who_transitive": who_transitive,
    "who_act_at": who_act_at,
    "how_old": asks("多少 岁"),
    "how_much": asks("多少 钱"),
    "what_name": asks("的 名字 是 什么"),
}
