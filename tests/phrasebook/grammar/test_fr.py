"""French sentences as they are written: articles, elision, contraction, ne … pas de, places of adjectives."""

from __future__ import annotations

import pytest

from isogloss.phrasebook.clauses import Clause, Phrase
from isogloss.phrasebook.grammar.realise import realise

ANNA, OMAR = Phrase(name="anna"), Phrase(name="omar")


def the(noun: str, number: int = 1, adjective: str = "") -> Phrase:
    return Phrase(noun=noun, number=number, adjective=adjective, definite=True)


def some(noun: str, number: int = 0, adjective: str = "") -> Phrase:
    return Phrase(noun=noun, number=number, adjective=adjective)


TRUTHS = [
    (Clause("act", subject=the("child"), verb="rest", negated=True), "L'enfant ne se repose pas."),
    (Clause("act", subject=some("girl", 0, "young"), verb="sleep"), "De jeunes filles dorment."),
    (
        Clause("act_at", subject=the("horse", 3, "white"), verb="run", place="river"),
        "Les trois chevaux blancs courent au bord de la rivière.",
    ),
    (Clause("act_at", subject=ANNA, verb="wait", place="hospital", negated=True), "Anna n'attend pas à l'hôpital."),
    # One, some, of the; after "not" only de.
    (Clause("transitive", subject=ANNA, verb="drink_v", object=some("water", 1)), "Anna boit de l'eau."),
    (Clause("transitive", subject=ANNA, verb="eat", object=some("bread", 1, "good")), "Anna mange du bon pain."),
    (
        Clause("transitive", subject=ANNA, verb="eat", object=some("apple", 1), negated=True),
        "Anna ne mange pas de pomme.",
    ),
    (
        Clause("transitive", subject=ANNA, verb="eat", object=some("orange"), negated=True),
        "Anna ne mange pas d'oranges.",
    ),
    (
        Clause("transitive", subject=ANNA, verb="read", object=the("newspaper", 0, "big"), negated=True),
        "Anna ne lit pas les grands journaux.",
    ),
    (Clause("transitive", subject=OMAR, verb="buy", object=some("car", 2, "new")), "Omar achète deux voitures neuves."),
    (Clause("transitive", subject=OMAR, verb="buy", object=some("book", 0, "old")), "Omar achète de vieux livres."),
    (Clause("transitive", subject=OMAR, verb="help", object=the("friend", 1, "small")), "Omar aide l'ami petit."),
    (Clause("there_is", subject=some("fruit", 1), place="market"), "Il y a des fruits au marché."),
    (Clause("property", subject=the("furniture"), adjective="expensive"), "Les meubles sont chers."),
    (
        Clause("property", subject=the("woman", 2), adjective="happy", negated=True),
        "Les deux femmes ne sont pas heureuses.",
    ),
    (Clause("kind", subject=ANNA, noun="singer"), "Anna est chanteuse."),
    (Clause("kind", subject=the("apple"), noun="fruit"), "La pomme est un fruit."),
    (Clause("kind", subject=the("bird", 0), noun="animal"), "Les oiseaux sont des animaux."),
    (Clause("kind", subject=the("dog"), noun="animal", negated=True), "Le chien n'est pas un animal."),
    (Clause("has", subject=ANNA, object=some("elephant", 1), negated=True), "Anna n'a pas d'éléphant."),
    (Clause("likes", subject=the("man", 0), object=some("cat")), "Les hommes aiment bien les chats."),
    (Clause("likes", subject=ANNA, object=some("cheese", 1), negated=True), "Anna n'aime pas le fromage."),
    (Clause("wants_to", subject=the("cow", 0), verb="rest"), "Les vaches veulent se reposer."),
    (
        Clause("gives", subject=ANNA, recipient=the("king", 2), object=some("key", 1)),
        "Anna donne une clé aux deux rois.",
    ),
    (Clause("goes_to", subject=ANNA, place="forest"), "Anna va dans la forêt."),
    (Clause("comes_from", subject=OMAR, place="athens"), "Omar vient d'Athènes."),
    (Clause("comes_from", subject=OMAR, place="hanoi"), "Omar vient de Hanoï."),
    (Clause("lives_in", subject=OMAR, place="cairo"), "Omar habite au Caire."),
    (
        Clause("compare", subject=the("soup"), adjective="good", recipient=the("cheese")),
        "La soupe est meilleure que le fromage.",
    ),
    (Clause("compare", subject=OMAR, adjective="aged", recipient=ANNA), "Omar est plus âgé qu'Anna."),
    (Clause("on_day", subject=ANNA, verb="work", day="monday"), "Lundi, Anna travaille."),
    (Clause("owned", recipient=ANNA, subject=some("shoe"), adjective="white"), "Les chaussures d'Anna sont blanches."),
    (Clause("owned", recipient=some("friend"), subject=some("dog", 1), adjective="big"), "Le chien d'amis est grand."),
    (Clause("named", subject=the("friend"), recipient=ANNA), "L'amie s'appelle Anna."),
]


@pytest.mark.parametrize(("clause", "sentence"), TRUTHS, ids=[sentence for _, sentence in TRUTHS])
def test_says_it_as_written(clause: Clause, sentence: str) -> None:
    assert realise(clause, "fr").text == sentence


@pytest.mark.parametrize(
    ("clause", "question"),
    [
        (Clause("what_transitive", subject=OMAR, verb="eat"), "Qu'est-ce qu'Omar mange"),
        (Clause("what_transitive", subject=the("boy"), verb="help"), "Qui est-ce que le garçon aide"),
        (Clause("how_old", subject=the("child")), "Quel âge a l'enfant"),
    ],
)
def test_asks_as_written(clause: Clause, question: str) -> None:
    """The space before the question mark is the typesetter's."""
    assert realise(clause, "fr").text.removesuffix("?").rstrip() == question


def test_contractions_are_no_part_of_the_answer_but_elisions_are() -> None:
    market = realise(Clause("goes_to", subject=ANNA, place="market"), "fr")
    school = realise(Clause("goes_to", subject=ANNA, place="school"), "fr")
    assert market.text[slice(*market.answer("place"))] == "marché"
    assert school.text[slice(*school.answer("place"))] == "l'école"
