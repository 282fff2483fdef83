"""Swahili: sentences a native speaker accepts, one difficulty each."""

from __future__ import annotations

import pytest

from isogloss.phrasebook.clauses import Clause, Phrase
from isogloss.phrasebook.grammar.realise import realise

ANNA = Phrase(name="anna")
OMAR = Phrase(name="omar")
THE_TEACHER = Phrase(noun="teacher", definite=True)
THE_CAR = Phrase(noun="car", definite=True)

TRUTHS = [
    # living beings have the concord of people whatever their class; numerals agree; locatives
    (
        Clause("act_at", subject=Phrase(noun="dog", number=3, adjective="big"), verb="sleep", place="forest"),
        "Mbwa wakubwa watatu wanalala msituni.",
    ),
    (
        Clause("act", subject=Phrase(noun="doctor", number=6), verb="work", negated=True),
        "Madaktari sita hawafanyi kazi.",
    ),
    (Clause("act", subject=ANNA, verb="wait", negated=True), "Anna hasubiri."),
    (Clause("act_at", subject=OMAR, verb="swim", place="river"), "Omar anaogelea kando ya mto."),
    # monosyllabic verbs, object marking
    (Clause("transitive", subject=ANNA, verb="eat", object=Phrase(noun="bread")), "Anna anakula mkate."),
    (
        Clause("transitive", subject=ANNA, verb="eat", object=Phrase(noun="bread", definite=True), negated=True),
        "Anna hauli mkate.",
    ),
    (
        Clause("transitive", subject=ANNA, verb="read", object=Phrase(noun="book", number=0, definite=True)),
        "Anna anavisoma vitabu.",
    ),
    (Clause("transitive", subject=ANNA, verb="see", object=OMAR), "Anna anamwona Omar."),
    (Clause("gives", subject=ANNA, object=Phrase(noun="key"), recipient=THE_TEACHER), "Anna anampa mwalimu ufunguo."),
    (
        Clause("transitive", subject=ANNA, verb="eat", object=Phrase(noun="bread", definite=True)),
        "Anna anaula mkate.",
    ),
    # adjectives by class, joined by -a, had
    (Clause("property", subject=Phrase(noun="book", definite=True), adjective="old"), "Kitabu ni cha zamani."),
    (
        Clause("property", subject=Phrase(noun="picture", number=2, definite=True), adjective="bad"),
        "Picha mbili ni mbaya.",
    ),
    (
        Clause("has", subject=ANNA, object=Phrase(noun="car", number=2, adjective="fast")),
        "Anna ana magari mawili ya kasi.",
    ),
    (
        Clause("has", subject=ANNA, object=Phrase(noun="table", number=2, adjective="new"), negated=True),
        "Anna hana meza mpya mbili.",
    ),
    (
        Clause("wants", subject=OMAR, object=Phrase(noun="chair", number=5, adjective="black")),
        "Omar anataka viti vyeusi vitano.",
    ),
    (Clause("property", subject=THE_CAR, adjective="red"), "Gari ni jekundu."),
    (Clause("property", subject=Phrase(noun="tree", number=0, definite=True), adjective="small"), "Miti ni midogo."),
    (Clause("property", subject=Phrase(noun="lamp", definite=True), adjective="good"), "Taa ni nzuri."),
    (Clause("property", subject=ANNA, adjective="happy", negated=True), "Anna hana furaha."),
    (Clause("property", subject=THE_TEACHER, adjective="young"), "Mwalimu ni kijana."),
    (
        Clause("compare", subject=THE_CAR, adjective="expensive", recipient=Phrase(noun="bicycle", definite=True)),
        "Gari ni ghali zaidi kuliko baiskeli.",
    ),
    # being somewhere, existence, possession
    (Clause("located", subject=Phrase(noun="book", definite=True), place="kitchen"), "Kitabu kiko jikoni."),
    (Clause("located", subject=ANNA, place="house", negated=True), "Anna hayuko kwenye nyumba."),
    (Clause("there_is", subject=Phrase(noun="water"), place="shop"), "Kuna maji dukani."),
    (
        Clause("owned", subject=Phrase(noun="chair", number=0), adjective="big", recipient=ANNA),
        "Viti vya Anna ni vikubwa.",
    ),
    (Clause("kind", subject=Phrase(noun="horse", number=2, definite=True), noun="animal"), "Farasi wawili ni wanyama."),
    (Clause("price", subject=THE_CAR, number=12), "Gari linagharimu euro 12."),
    (Clause("where_is", subject=Phrase(noun="key", number=0, definite=True)), "Funguo ziko wapi?"),
    (Clause("together", subject=ANNA, recipient=OMAR, verb="sing"), "Anna na Omar wanaimba."),
]


@pytest.mark.parametrize(("clause", "sentence"), TRUTHS, ids=[sentence for _, sentence in TRUTHS])
def test_says(clause: Clause, sentence: str) -> None:
    assert realise(clause, "sw").text == sentence


def test_a_bare_plural_is_not_its_singular() -> None:
    """Meza is one form; number shows elsewhere in the sentence."""
    for frame in ("has", "wants"):
        one, some = (realise(Clause(frame, subject=ANNA, object=Phrase(noun="table", number=n)), "sw") for n in (1, 0))
        assert one.text != some.text
