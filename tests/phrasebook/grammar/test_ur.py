"""Urdu sentences as they are written: its own endings and letters; the grammar shared with Hindi is tried there too."""

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
    (Clause("act", subject=the("boy", 0, "small"), verb="run"), "چھوٹے لڑکے دوڑتے ہیں۔"),
    (Clause("act", subject=the("woman", 0), verb="rest", negated=True), "عورتیں آرام نہیں کرتیں۔"),
    (Clause("act_at", subject=the("child"), verb="play", place="kitchen"), "بچہ باورچی خانے میں کھیلتا ہے۔"),
    (Clause("act_at", subject=the("dog", 0), verb="wait", place="river"), "کتے دریا کے پاس انتظار کرتے ہیں۔"),
    (Clause("transitive", subject=ANNA, verb="read", object=some("book", 0, "new")), "اینا کچھ نئی کتابیں پڑھتی ہے۔"),
    (Clause("transitive", subject=OMAR, verb="see", object=the("bird", 5)), "عمر پانچوں پرندوں کو دیکھتا ہے۔"),
    (Clause("transitive", subject=OMAR, verb="see", object=the("girl", 6)), "عمر ان چھ لڑکیوں کو دیکھتا ہے۔"),
    (Clause("transitive", subject=OMAR, verb="help", object=the("king", 0)), "عمر بادشاہوں کی مدد کرتا ہے۔"),
    (Clause("transitive", subject=the("girl"), verb="lose", object=some("ball", 1)), "لڑکی ایک گیند کھو دیتی ہے۔"),
    (Clause("transitive", subject=the("child", 0), verb="find", object=the("key")), "بچوں کو چابی ملتی ہے۔"),
    (Clause("located", subject=some("cow", 2), place="field"), "دو گائیں کھیت میں ہیں۔"),
    (Clause("kind", subject=the("shirt", 0), noun="clothing"), "قمیضیں کپڑے ہیں۔"),
    (Clause("kind", subject=ANNA, noun="student", negated=True), "اینا طالبہ نہیں ہے۔"),
    (Clause("has", subject=the("horse"), object=some("phone", 1), negated=True), "گھوڑے کے پاس کوئی فون نہیں ہے۔"),
    (Clause("likes", subject=ANNA, object=some("orange")), "اینا کو سنگترے پسند ہیں۔"),
    (Clause("gives", subject=OMAR, recipient=the("boy"), object=some("letter", 2)), "عمر لڑکے کو دو خط دیتا ہے۔"),
    (Clause("goes_to", subject=ANNA, place="beach"), "اینا ساحل پر جاتی ہے۔"),
    (Clause("compare", subject=the("car"), adjective="fast", recipient=the("bus")), "کار بس سے زیادہ تیز ہے۔"),
    (Clause("owned", recipient=OMAR, subject=some("cat"), adjective="small"), "عمر کی بلیاں چھوٹی ہیں۔"),
    (Clause("on_day", subject=ANNA, verb="work", day="friday"), "جمعے کو اینا کام کرتی ہے۔"),
    (Clause("named", subject=the("singer"), recipient=ANNA), "گلوکارہ کا نام اینا ہے۔"),
    (Clause("what_transitive", subject=OMAR, verb="love"), "عمر کس سے محبت کرتا ہے؟"),
    (Clause("how_old", subject=ANNA), "اینا کتنے سال کی ہے؟"),
]


@pytest.mark.parametrize(("clause", "sentence"), TRUTHS, ids=[sentence for _, sentence in TRUTHS])
def test_says_it_as_written(clause: Clause, sentence: str) -> None:
    assert realise(clause, "ur").text == sentence
