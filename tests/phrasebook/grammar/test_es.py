"""Spanish sentences as they are written: articles and contractions, personal a, ser and estar, agreement."""

from __future__ import annotations

import pytest

from isogloss.phrasebook.clauses import Clause, Phrase
from isogloss.phrasebook.grammar.realise import realise

ANNA, OMAR, IVAN = Phrase(name="anna"), Phrase(name="omar"), Phrase(name="ivan")


def the(noun: str, number: int = 1, adjective: str = "") -> Phrase:
    return Phrase(noun=noun, number=number, adjective=adjective, definite=True)


def some(noun: str, number: int = 0, adjective: str = "") -> Phrase:
    return Phrase(noun=noun, number=number, adjective=adjective)


TRUTHS = [
    (Clause("act", subject=some("girl", 0, "young"), verb="laugh"), "Unas chicas jóvenes se ríen."),
    (
        Clause("act", subject=the("lion", 3, "white"), verb="move", negated=True),
        "Los tres leones blancos no se mueven.",
    ),
    (Clause("act_at", subject=ANNA, verb="wait", place="river"), "Ana espera junto al río."),
    (Clause("transitive", subject=ANNA, verb="read", object=some("book", 0, "new")), "Ana lee libros nuevos."),
    (Clause("transitive", subject=ANNA, verb="drink_v", object=the("water", 1, "cold")), "Ana bebe el agua fría."),
    # People take a, and what is loved; a and el are one word; after "no", one is none.
    (Clause("transitive", subject=ANNA, verb="see", object=the("teacher")), "Ana ve al profesor."),
    (Clause("transitive", subject=ANNA, verb="see", object=the("horse")), "Ana ve el caballo."),
    (Clause("transitive", subject=ANNA, verb="love", object=the("horse")), "Ana ama al caballo."),
    (Clause("transitive", subject=OMAR, verb="help", object=some("doctor")), "Omar ayuda a unos médicos."),
    (
        Clause("transitive", subject=OMAR, verb="eat", object=some("apple", 1), negated=True),
        "Omar no come ninguna manzana.",
    ),
    (Clause("located", subject=the("key", 0), place="kitchen"), "Las llaves están en la cocina."),
    (Clause("there_is", subject=some("mouse", 3), place="garden"), "En el jardín hay tres ratones."),
    # What is and what happens to be.
    (Clause("property", subject=the("soup"), adjective="hot", negated=True), "La sopa no está caliente."),
    (Clause("property", subject=the("bus", 0), adjective="slow"), "Los autobuses son lentos."),
    (Clause("property", subject=the("furniture"), adjective="expensive"), "Los muebles son caros."),
    (Clause("kind", subject=ANNA, noun="doctor"), "Ana es médica."),
    (Clause("kind", subject=the("dog"), noun="animal", negated=True), "El perro no es un animal."),
    (Clause("kind", subject=the("table", 2), noun="furniture"), "Las dos mesas son muebles."),
    (Clause("kind", subject=the("apple"), noun="fruit"), "La manzana es una fruta."),
    (Clause("likes", subject=the("child"), object=some("cat"), negated=True), "Al niño no le gustan los gatos."),
    (Clause("likes", subject=the("woman", 0), object=some("cheese", 1)), "A las mujeres les gusta el queso."),
    (Clause("wants_to", subject=the("boy", 0), verb="move"), "Los chicos quieren moverse."),
    (Clause("gives", subject=ANNA, recipient=the("child"), object=some("book", 1)), "Ana le da un libro al niño."),
    (Clause("comes_from", subject=the("cow", 0), place="forest"), "Las vacas vienen del bosque."),
    (Clause("comes_from", subject=ANNA, place="cairo"), "Ana viene de El Cairo."),
    (
        Clause("compare", subject=the("car", 0), adjective="good", recipient=the("bus")),
        "Los coches son mejores que el autobús.",
    ),
    (
        Clause("compare", subject=the("lamp"), adjective="small", recipient=the("bed", 0)),
        "La lámpara es más pequeña que las camas.",
    ),
    (Clause("together", subject=ANNA, recipient=IVAN, verb="dance"), "Ana e Iván bailan."),
    (
        Clause("owned", recipient=the("king"), subject=some("horse"), adjective="fast"),
        "Los caballos del rey son rápidos.",
    ),
    (Clause("named", subject=the("teacher"), recipient=ANNA), "La profesora se llama Ana."),
    (Clause("what_transitive", subject=ANNA, verb="help"), "¿A quién ayuda Ana?"),
    (Clause("how_old", subject=OMAR), "¿Cuántos años tiene Omar?"),
    (Clause("where_is", subject=the("dog", 0)), "¿Dónde están los perros?"),
]


@pytest.mark.parametrize(("clause", "sentence"), TRUTHS, ids=[sentence for _, sentence in TRUTHS])
def test_says_it_as_written(clause: Clause, sentence: str) -> None:
    assert realise(clause, "es").text == sentence


def test_a_contraction_is_no_part_of_the_answer() -> None:
    sentence = realise(Clause("goes_to", subject=ANNA, place="market"), "es")
    assert sentence.text == "Ana va al mercado."
    assert sentence.text[slice(*sentence.answer("place"))] == "mercado"
