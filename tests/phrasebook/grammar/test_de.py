"""German: sentences a speaker would sign, one for each difficulty of the grammar."""

from __future__ import annotations

import pytest

from isogloss.phrasebook.clauses import Clause, Phrase
from isogloss.phrasebook.grammar import realise

ANNA, OMAR, MAX = Phrase(name="anna"), Phrase(name="omar"), Phrase(name="max")


def a(noun: str, number: int = 1, adjective: str = "") -> Phrase:
    return Phrase(noun=noun, number=number, adjective=adjective)


def the(noun: str, number: int = 1, adjective: str = "") -> Phrase:
    return Phrase(noun=noun, number=number, adjective=adjective, definite=True)


TRUTHS = [
    # Adjectives after der, after ein, after nothing; the weak nouns.
    (Clause("act_at", subject=a("dog", 3, "big"), verb="sleep", place="park"), "Drei große Hunde schlafen im Park."),
    (Clause("act", subject=the("dog", 3, "big"), verb="run"), "Die drei großen Hunde rennen."),
    (Clause("act", subject=a("child", 1, "happy"), verb="laugh"), "Ein glückliches Kind lacht."),
    (Clause("transitive", subject=ANNA, verb="see", object=a("lion", 1, "aged")), "Anna sieht einen alten Löwen."),
    (Clause("transitive", subject=ANNA, verb="drink_v", object=a("milk", 1, "cold")), "Anna trinkt kalte Milch."),
    (Clause("transitive", subject=ANNA, verb="buy", object=the("car", 1, "expensive")), "Anna kauft das teure Auto."),
    # Dative: article, plural n, verbs that govern it.
    (Clause("transitive", subject=ANNA, verb="help", object=the("child", 2)), "Anna hilft den zwei Kindern."),
    (Clause("gives", subject=ANNA, object=a("book"), recipient=the("child")), "Anna gibt dem Kind ein Buch."),
    (
        Clause("with", subject=ANNA, verb="dance", recipient=a("student", 1, "young")),
        "Anna tanzt mit einem jungen Studenten.",
    ),
    (Clause("gives", subject=OMAR, object=the("key"), recipient=a("woman", 0)), "Omar gibt Frauen den Schlüssel."),
    # Negation: kein for the indefinite, nicht after a definite object and before a place.
    (Clause("transitive", subject=ANNA, verb="eat", object=a("apple"), negated=True), "Anna isst keinen Apfel."),
    (Clause("transitive", subject=ANNA, verb="eat", object=the("apple"), negated=True), "Anna isst den Apfel nicht."),
    (Clause("has", subject=ANNA, object=a("cat", 0, "white"), negated=True), "Anna hat keine weißen Katzen."),
    (
        Clause("act_at", subject=the("dog", 0), verb="sleep", place="school", negated=True),
        "Die Hunde schlafen nicht in der Schule.",
    ),
    (Clause("act", subject=ANNA, verb="rest", negated=True), "Anna ruht sich nicht aus."),
    (Clause("can", subject=ANNA, verb="move", negated=True), "Anna kann sich nicht bewegen."),
    # The verb: second, its prefix last; animals eat otherwise.
    (Clause("on_day", subject=ANNA, verb="rest", day="monday"), "Am Montag ruht sich Anna aus."),
    (Clause("together", subject=ANNA, recipient=OMAR, verb="work"), "Anna und Omar arbeiten."),
    (Clause("wants_to", subject=the("boy"), verb="walk"), "Der Junge will spazieren gehen."),
    (Clause("transitive", subject=the("horse"), verb="eat", object=a("apple", 2)), "Das Pferd frisst zwei Äpfel."),
    (
        Clause("transitive_at", subject=ANNA, verb="eat", object=a("apple"), place="kitchen"),
        "Anna isst in der Küche einen Apfel.",
    ),
    # Places.
    (Clause("goes_to", subject=ANNA, place="city"), "Anna geht in die Stadt."),
    (Clause("goes_to", subject=ANNA, place="river"), "Anna geht zum Fluss."),
    (Clause("comes_from", subject=the("dog", 0), place="forest"), "Die Hunde kommen aus dem Wald."),
    (Clause("there_is", subject=a("tree"), place="garden"), "Im Garten ist ein Baum."),
    # Predicates.
    (Clause("kind", subject=ANNA, noun="doctor"), "Anna ist Ärztin."),
    (Clause("kind", subject=ANNA, noun="singer", negated=True), "Anna ist keine Sängerin."),
    (Clause("kind", subject=the("chair"), noun="furniture"), "Der Stuhl ist ein Möbelstück."),
    (Clause("kind", subject=the("dog", 0), noun="animal", negated=True), "Die Hunde sind keine Tiere."),
    (
        Clause("compare", subject=the("horse"), adjective="big", recipient=the("dog")),
        "Das Pferd ist größer als der Hund.",
    ),
    (Clause("owned", subject=the("dog"), recipient=ANNA, adjective="big"), "Annas Hund ist groß."),
    (Clause("owned", subject=the("dog", 0), recipient=MAX, adjective="aged"), "Max' Hunde sind alt."),
    (Clause("named", subject=the("teacher"), recipient=ANNA), "Der Lehrer heißt Anna."),
    (Clause("price", subject=the("furniture"), number=12), "Die Möbel kosten 12 Euro."),
    # Questions.
    (Clause("what_transitive", subject=ANNA, verb="help"), "Wem hilft Anna?"),
    (Clause("what_transitive", subject=ANNA, verb="love"), "Wen liebt Anna?"),
    (Clause("who_act_at", verb="rest", place="beach"), "Wer ruht sich am Strand aus?"),
    (Clause("how_old", subject=ANNA), "Wie alt ist Anna?"),
]


@pytest.mark.parametrize(("clause", "sentence"), TRUTHS, ids=[sentence for _, sentence in TRUTHS])
def test_said_as_a_speaker_says_it(clause: Clause, sentence: str) -> None:
    assert realise(clause, "de").text == sentence


def test_answers_and_names() -> None:
    text = realise(Clause("owned", subject=the("dog"), recipient=ANNA, adjective="big"), "de")
    assert [(text.text[word.start : word.end], word.role, word.entity) for word in text.words[:2]] == [
        ("Annas", "recipient", "PER"),
        ("Hund", "subject", ""),
    ]
    located = realise(Clause("located", subject=ANNA, place="kitchen"), "de")
    start, end = located.answer("place")
    assert located.text[start:end] == "der Küche"
