"""Russian: sentences a speaker would sign, one for each difficulty of the grammar."""

from __future__ import annotations

import pytest

from isogloss.phrasebook.clauses import Clause, Phrase
from isogloss.phrasebook.grammar import realise

ANNA, OMAR, PEDRO = Phrase(name="anna"), Phrase(name="omar"), Phrase(name="pedro")


def some(noun: str, number: int = 1, adjective: str = "") -> Phrase:
    return Phrase(noun=noun, number=number, adjective=adjective)


TRUTHS = [
    # Numerals: 2-4 with the genitive singular, 5-10 with the genitive plural; the adjective between them.
    (Clause("act_at", subject=some("dog", 3, "big"), verb="sleep", place="park"), "Три большие собаки спят в парке."),
    (Clause("act", subject=some("table", 2, "old"), verb="move"), "Два старых стола двигаются."),
    (Clause("act", subject=some("animal", 4), verb="run"), "Четыре животных бегают."),
    (Clause("act", subject=some("person", 5), verb="laugh"), "Пять человек смеются."),
    (Clause("act", subject=some("child", 5, "happy"), verb="play"), "Пять счастливых детей играют."),
    (Clause("transitive", subject=ANNA, verb="buy", object=some("lamp", 5, "big")), "Анна покупает пять больших ламп."),
    # Accusative: beings take the genitive, also after 2-4; things stay.
    (Clause("transitive", subject=ANNA, verb="see", object=some("lion")), "Анна видит льва."),
    (
        Clause("transitive", subject=ANNA, verb="see", object=some("lion", 2, "old")),
        "Анна видит двух старых львов.",
    ),
    (Clause("transitive", subject=ANNA, verb="read", object=some("book", 2)), "Анна читает две книги."),
    (Clause("transitive", subject=ANNA, verb="see", object=some("man", 1, "good")), "Анна видит хорошего мужчину."),
    (Clause("transitive", subject=ANNA, verb="wash", object=some("shirt", 1, "blue")), "Анна стирает синюю рубашку."),
    (Clause("transitive", subject=ANNA, verb="wash", object=some("car"), negated=True), "Анна не моет машину."),
    # Dative, instrumental, genitive.
    (
        Clause("gives", subject=ANNA, object=some("letter", 5), recipient=some("child", 2)),
        "Анна даёт двум детям пять писем.",
    ),
    (Clause("with", subject=ANNA, verb="dance", recipient=some("student")), "Анна танцует со студентом."),
    (Clause("with", subject=ANNA, verb="dance", recipient=OMAR), "Анна танцует с Омаром."),
    (
        Clause("with", subject=ANNA, verb="sing", recipient=some("friend", 3, "aged")),
        "Анна поёт с тремя старыми друзьями.",
    ),
    (Clause("has", subject=ANNA, object=some("cat", 2)), "У Анны есть две кошки."),
    (Clause("has", subject=PEDRO, object=some("chair", 0), negated=True), "У Педро нет стульев."),
    (Clause("likes", subject=OMAR, object=some("fruit")), "Омару нравятся фрукты."),
    (Clause("likes", subject=some("mouse", 2), object=some("cheese"), negated=True), "Двум мышам не нравится сыр."),
    # Places.
    (Clause("comes_from", subject=some("dog", 0), place="market"), "Собаки приходят с рынка."),
    (Clause("comes_from", subject=ANNA, place="athens"), "Анна приезжает из Афин."),
    (Clause("there_is", subject=some("tree", 0), place="garden"), "В саду есть деревья."),
    (Clause("goes_to", subject=ANNA, place="kitchen"), "Анна идёт на кухню."),
    (Clause("goes_to", subject=ANNA, place="sea"), "Анна идёт к морю."),
    # Predicates agree; women have words of their own.
    (Clause("property", subject=some("coat"), adjective="expensive"), "Пальто дорогое."),
    (Clause("property", subject=ANNA, adjective="happy", negated=True), "Анна не счастлива."),
    (Clause("kind", subject=ANNA, noun="singer"), "Анна — певица."),
    (Clause("kind", subject=some("dog", 0), noun="animal", negated=True), "Собаки не животные."),
    (Clause("compare", subject=some("horse"), adjective="big", recipient=some("dog")), "Лошадь больше, чем собака."),
    (Clause("owned", subject=some("lamp"), recipient=OMAR, adjective="blue"), "Лампа Омара синяя."),
    (Clause("on_day", subject=ANNA, verb="work", day="tuesday"), "Во вторник Анна работает."),
    (Clause("age", subject=ANNA, number=21), "Анне 21 год."),
    (Clause("age", subject=ANNA, number=12), "Анне 12 лет."),
    (Clause("age", subject=ANNA, number=24), "Анне 24 года."),
    (Clause("works_for", subject=ANNA, place="orion"), "Анна работает в компании «Орион»."),
    (Clause("named", subject=some("teacher"), recipient=ANNA), "Учителя зовут Анна."),
    # Questions.
    (Clause("what_transitive", subject=ANNA, verb="help"), "Кому помогает Анна?"),
    (Clause("what_transitive", subject=ANNA, verb="eat"), "Что ест Анна?"),
    (Clause("how_much", subject=some("book", 0)), "Сколько стоят книги?"),
    (Clause("what_name", subject=some("singer")), "Как зовут певца?"),
]


@pytest.mark.parametrize(("clause", "sentence"), TRUTHS, ids=[sentence for _, sentence in TRUTHS])
def test_said_as_a_speaker_says_it(clause: Clause, sentence: str) -> None:
    assert realise(clause, "ru").text == sentence


def test_answers_and_names() -> None:
    text = realise(Clause("lives_in", subject=ANNA, place="moscow"), "ru")
    start, end = text.answer("place")
    assert text.text[start:end] == "Москве"
    assert [(text.text[word.start : word.end], word.entity) for word in text.words if word.entity] == [
        ("Анна", "PER"),
        ("Москве", "LOC"),
    ]
