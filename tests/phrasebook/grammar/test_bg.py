"""Bulgarian: sentences a speaker would sign, one for each difficulty of the grammar."""

from __future__ import annotations

import pytest

from isogloss.phrasebook.clauses import Clause, Phrase
from isogloss.phrasebook.grammar import realise

ANNA, OMAR, SAMIR = Phrase(name="anna"), Phrase(name="omar"), Phrase(name="samir")


def a(noun: str, number: int = 1, adjective: str = "") -> Phrase:
    return Phrase(noun=noun, number=number, adjective=adjective)


def the(noun: str, number: int = 1, adjective: str = "") -> Phrase:
    return Phrase(noun=noun, number=number, adjective=adjective, definite=True)


TRUTHS = [
    # The article stands on the first word, and is full for a masculine subject only.
    (Clause("act", subject=the("teacher"), verb="work"), "Учителят работи."),
    (Clause("act", subject=the("king", 1, "aged"), verb="laugh"), "Старият крал се смее."),
    (Clause("transitive", subject=ANNA, verb="see", object=the("lion")), "Анна вижда лъва."),
    (Clause("transitive", subject=ANNA, verb="see", object=the("horse", 1, "white")), "Анна вижда белия кон."),
    (Clause("transitive", subject=ANNA, verb="drink_v", object=the("tea", 1, "hot")), "Анна пие горещия чай."),
    (Clause("transitive", subject=ANNA, verb="buy", object=the("lamp", 1, "blue")), "Анна купува синята лампа."),
    (Clause("transitive", subject=ANNA, verb="buy", object=the("vehicle")), "Анна купува превозното средство."),
    (Clause("transitive", subject=ANNA, verb="find", object=the("child", 0)), "Анна намира децата."),
    # Numerals: the counting form of things and animals, двама for men, the article on the numeral.
    (Clause("act_at", subject=a("dog", 3, "big"), verb="sleep", place="park"), "Три големи кучета спят в парка."),
    (Clause("act", subject=a("horse", 2), verb="rest"), "Два коня почиват."),
    (Clause("act", subject=the("elephant", 5, "young"), verb="wait"), "Петте млади слона чакат."),
    (Clause("act", subject=the("student", 2), verb="dance"), "Двамата студенти танцуват."),
    (Clause("act", subject=a("teacher", 7), verb="sing"), "Седем учители пеят."),
    (Clause("act", subject=a("person", 3), verb="cry"), "Трима души плачат."),
    (Clause("act", subject=a("person", 3, "happy"), verb="sing"), "Трима щастливи хора пеят."),
    (Clause("has", subject=ANNA, object=a("table", 2)), "Анна има две маси."),
    # Verbs.
    (Clause("act", subject=a("cat"), verb="move", negated=True), "Една котка не се движи."),
    (Clause("has", subject=the("boy", 0), object=a("key", 0), negated=True), "Момчетата нямат ключове."),
    (Clause("can", subject=the("bird", 0), verb="move", negated=True), "Птиците не могат да се движат."),
    (Clause("wants_to", subject=the("woman", 0), verb="work"), "Жените искат да работят."),
    (Clause("transitive", subject=the("girl", 0), verb="wash", object=a("shirt", 0)), "Момичетата перат ризи."),
    (Clause("transitive", subject=ANNA, verb="wash", object=the("bus")), "Анна мие автобуса."),
    (Clause("transitive", subject=ANNA, verb="help", object=a("child", 2)), "Анна помага на две деца."),
    (Clause("gives", subject=ANNA, object=a("book"), recipient=the("child")), "Анна дава на детето книга."),
    # Prepositions.
    (Clause("with", subject=ANNA, verb="dance", recipient=SAMIR), "Анна танцува със Самир."),
    (Clause("with", subject=ANNA, verb="dance", recipient=OMAR), "Анна танцува с Омар."),
    (Clause("lives_in", subject=ANNA, place="vienna"), "Анна живее във Виена."),
    (Clause("on_day", subject=ANNA, verb="laugh", day="tuesday"), "Във вторник Анна се смее."),
    (Clause("goes_to", subject=ANNA, place="river"), "Анна отива към реката."),
    (Clause("comes_from", subject=the("dog", 0), place="forest"), "Кучетата идват от гората."),
    (Clause("works_for", subject=ANNA, place="atlas"), "Анна работи във фирма „Атлас“."),
    # Predicates.
    (Clause("kind", subject=ANNA, noun="doctor"), "Анна е лекарка."),
    (Clause("kind", subject=the("shirt"), noun="clothing"), "Ризата е дреха."),
    (Clause("property", subject=the("fruit"), adjective="good", negated=True), "Плодовете не са добри."),
    (Clause("compare", subject=the("dog"), adjective="small", recipient=the("horse")), "Кучето е по-малко от коня."),
    (Clause("owned", subject=the("bus"), recipient=ANNA, adjective="new"), "Автобусът на Анна е нов."),
    (Clause("age", subject=ANNA, number=12), "Анна е на 12 години."),
    # Questions.
    (Clause("what_transitive", subject=ANNA, verb="help"), "На кого помага Анна?"),
    (Clause("who_act_at", verb="laugh", place="beach"), "Кой се смее на плажа?"),
    (Clause("where_is", subject=the("knife")), "Къде е ножът?"),
]


@pytest.mark.parametrize(("clause", "sentence"), TRUTHS, ids=[sentence for _, sentence in TRUTHS])
def test_said_as_a_speaker_says_it(clause: Clause, sentence: str) -> None:
    assert realise(clause, "bg").text == sentence


def test_answers_and_names() -> None:
    text = realise(Clause("works_for", subject=ANNA, place="atlas"), "bg")
    start, end = text.answer("place")
    assert text.text[start:end] == "Атлас"
    assert [word.entity for word in text.words if word.entity] == ["PER", "ORG"]
