"""Turkish: sentences a native speaker accepts, one difficulty each."""

from __future__ import annotations

import pytest

from isogloss.phrasebook.clauses import Clause, Phrase
from isogloss.phrasebook.grammar.realise import realise

ANNA = Phrase(name="anna")
OMAR = Phrase(name="omar")
THE_TEACHER = Phrase(noun="teacher", definite=True)

TRUTHS = [
    # dotted capital, singular after numerals, place before the verb
    (
        Clause("act_at", subject=Phrase(noun="dog", number=2, adjective="big"), verb="sleep", place="park"),
        "İki büyük köpek parkta uyuyor.",
    ),
    (Clause("act_at", subject=Phrase(noun="woman"), verb="swim", place="sea"), "Bir kadın deniz kenarında yüzüyor."),
    # the present: vowel stems, softening, negation
    (Clause("act", subject=ANNA, verb="play"), "Anna oynuyor."),
    (Clause("act", subject=ANNA, verb="dance"), "Anna dans ediyor."),
    (Clause("act", subject=ANNA, verb="wait", negated=True), "Anna beklemiyor."),
    (Clause("can", subject=Phrase(noun="bird", definite=True), verb="sing", negated=True), "Kuş şarkı söyleyemiyor."),
    (Clause("can", subject=OMAR, verb="dance"), "Omar dans edebiliyor."),
    # definite objects are accusative, with softening and harmony; indefinite ones are not
    (
        Clause("transitive", subject=ANNA, verb="eat", object=Phrase(noun="apple", adjective="red")),
        "Anna kırmızı bir elma yiyor.",
    ),
    (Clause("transitive", subject=ANNA, verb="read", object=Phrase(noun="book", definite=True)), "Anna kitabı okuyor."),
    (
        Clause("transitive", subject=ANNA, verb="drink_v", object=Phrase(noun="water", definite=True)),
        "Anna suyu içiyor.",
    ),
    (Clause("wants", subject=ANNA, object=Phrase(noun="juice", definite=True)), "Anna meyve suyunu istiyor."),
    (
        Clause("transitive", subject=ANNA, verb="eat", object=Phrase(noun="apple", number=0), negated=True),
        "Anna elma yemiyor.",
    ),
    (
        Clause("transitive", subject=ANNA, verb="help", object=Phrase(noun="king", definite=True)),
        "Anna krala yardım ediyor.",
    ),
    (Clause("transitive", subject=ANNA, verb="love", object=OMAR, negated=True), "Anna Omar'ı sevmiyor."),
    # possession
    (Clause("has", subject=ANNA, object=Phrase(noun="cat", number=2)), "Anna'nın iki kedisi var."),
    (Clause("has", subject=THE_TEACHER, object=Phrase(noun="dog"), negated=True), "Öğretmenin köpeği yok."),
    (
        Clause("owned", subject=Phrase(noun="chair", number=0), adjective="big", recipient=OMAR),
        "Omar'ın sandalyeleri büyük.",
    ),
    # other cases, with and without apostrophe
    (
        Clause(
            "gives",
            subject=ANNA,
            object=Phrase(noun="flower", definite=True),
            recipient=Phrase(noun="child", definite=True),
        ),
        "Anna çiçeği çocuğa veriyor.",
    ),
    (Clause("goes_to", subject=ANNA, place="city"), "Anna şehre gidiyor."),
    (Clause("goes_to", subject=ANNA, place="market"), "Anna çarşıya gidiyor."),
    (Clause("comes_from", subject=ANNA, place="paris"), "Anna Paris'ten geliyor."),
    (Clause("lives_in", subject=OMAR, place="istanbul"), "Omar İstanbul'da yaşıyor."),
    (Clause("likes", subject=ANNA, object=Phrase(noun="bird", number=0), negated=True), "Anna kuşlardan hoşlanmıyor."),
    (
        Clause(
            "compare",
            subject=Phrase(noun="horse", definite=True),
            adjective="big",
            recipient=Phrase(noun="dog", definite=True),
        ),
        "At köpekten daha büyük.",
    ),
    (Clause("kind", subject=Phrase(noun="horse", definite=True), noun="animal"), "At bir hayvandır."),
    (Clause("kind", subject=ANNA, noun="doctor", negated=True), "Anna doktor değil."),
    (Clause("who_transitive", verb="read", object=Phrase(noun="letter", definite=True)), "Mektubu kim okuyor?"),
    (Clause("how_old", subject=ANNA), "Anna kaç yaşında?"),
]


@pytest.mark.parametrize(("clause", "sentence"), TRUTHS, ids=[sentence for _, sentence in TRUTHS])
def test_says(clause: Clause, sentence: str) -> None:
    assert realise(clause, "tr").text == sentence


def test_names_keep_their_mark_with_a_suffix() -> None:
    said = realise(Clause("lives_in", subject=ANNA, place="athens"), "tr")
    assert [(said.text[word.start : word.end], word.entity) for word in said.words if word.entity] == [
        ("Anna", "PER"),
        ("Atina'da", "LOC"),
    ]
