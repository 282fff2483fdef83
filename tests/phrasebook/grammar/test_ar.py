"""Arabic sentences as they are written: dual, sound and broken plurals, case letters, reversed numerals, agreement."""

from __future__ import annotations

import pytest

from isogloss.phrasebook.clauses import Clause, Phrase
from isogloss.phrasebook.grammar.realise import realise

ANNA, OMAR, KARIM = Phrase(name="anna"), Phrase(name="omar"), Phrase(name="karim")


def the(noun: str, number: int = 1, adjective: str = "") -> Phrase:
    return Phrase(noun=noun, number=number, adjective=adjective, definite=True)


def some(noun: str, number: int = 0, adjective: str = "") -> Phrase:
    return Phrase(noun=noun, number=number, adjective=adjective)


TRUTHS = [
    # The verb stands first, singular, and agrees in gender; plurals of animals are feminine singular.
    (Clause("act", subject=the("boy", 0), verb="sleep"), "ينام الأولاد."),
    (Clause("act", subject=the("dog", 0), verb="sleep"), "تنام الكلاب."),
    (Clause("act_at", subject=the("dog", 2), verb="sleep", place="park", negated=True), "لا ينام الكلبان في المتنزه."),
    # The accusative: alif, but not on ة or on plurals without tanwin; the dual and the sound plural in ين.
    (Clause("transitive", subject=OMAR, verb="read", object=some("book", 1, "old")), "يقرأ عمر كتابا قديما."),
    (Clause("transitive", subject=ANNA, verb="eat", object=some("apple", 1, "green")), "تأكل آنا تفاحة خضراء."),
    (Clause("transitive", subject=ANNA, verb="buy", object=some("key")), "تشتري آنا مفاتيح."),
    (Clause("transitive", subject=ANNA, verb="buy", object=some("dog", 0, "slow")), "تشتري آنا كلابا بطيئة."),
    (Clause("transitive", subject=OMAR, verb="sell", object=some("horse", 1, "slow")), "يبيع عمر حصانا بطيئا."),
    (Clause("transitive", subject=ANNA, verb="help", object=the("farmer", 0, "poor")), "تساعد آنا المزارعين الفقراء."),
    (Clause("transitive", subject=OMAR, verb="sell", object=some("car", 2, "white")), "يبيع عمر سيارتين بيضاوين."),
    # Numerals from three: the other gender, genitive plural; after the noun when definite.
    (Clause("there_is", subject=some("man", 3), place="beach"), "يوجد ثلاثة رجال على الشاطئ."),
    (Clause("there_is", subject=some("girl", 5, "small"), place="school"), "توجد خمس بنات صغيرات في المدرسة."),
    (Clause("there_is", subject=some("teacher", 8, "sad"), place="market"), "يوجد ثمانية معلمين حزينين في السوق."),
    (Clause("act", subject=the("cow", 8), verb="walk"), "تمشي البقرات الثماني."),
    # Sentences without a verb, and ليس with its accusative.
    (Clause("property", subject=the("teacher", 0), adjective="dirty", negated=True), "ليس المعلمون متسخين."),
    (Clause("property", subject=the("book"), adjective="expensive"), "الكتاب غال."),
    (Clause("property", subject=the("car"), adjective="expensive", negated=True), "ليست السيارة غالية."),
    (Clause("property", subject=the("woman", 2), adjective="strong"), "المرأتان قويتان."),
    (Clause("kind", subject=the("cat", 2), noun="animal"), "القطتان حيوانان."),
    (Clause("kind", subject=ANNA, noun="doctor", negated=True), "ليست آنا طبيبة."),
    (Clause("kind", subject=the("table"), noun="furniture"), "الطاولة من الأثاث."),
    # Having is said with a preposition, liking with the article or a collective.
    (Clause("has", subject=ANNA, object=some("cat", 2), negated=True), "ليس لدى آنا قطتان."),
    (Clause("likes", subject=the("woman"), object=some("banana")), "تحب المرأة الموز."),
    # أن and a verb that agrees fully.
    (Clause("wants_to", subject=the("boy", 0), verb="sing"), "يريد الأولاد أن يغنوا."),
    (Clause("can", subject=the("girl", 0), verb="sleep", negated=True), "لا تستطيع البنات أن ينمن."),
    (Clause("can", subject=some("bird", 2), verb="sing"), "يستطيع طائران أن يغنيا."),
    (Clause("gives", subject=ANNA, recipient=KARIM, object=some("letter", 2)), "تعطي آنا كريما رسالتين."),
    (Clause("compare", subject=the("horse"), adjective="fast", recipient=the("dog", 2)), "الحصان أسرع من الكلبين."),
    (Clause("together", subject=ANNA, recipient=OMAR, verb="dance"), "ترقص آنا وعمر."),
    (Clause("owned", recipient=OMAR, subject=some("shoe"), adjective="red"), "أحذية عمر حمراء."),
    (Clause("age", subject=OMAR, number=7), "يبلغ عمر من العمر 7 سنوات."),
    (Clause("age", subject=ANNA, number=12), "تبلغ آنا من العمر 12 سنة."),
    (Clause("named", subject=the("teacher"), recipient=ANNA), "اسم المعلمة آنا."),
    (Clause("what_transitive", subject=ANNA, verb="eat"), "ماذا تأكل آنا؟"),
    (Clause("what_transitive", subject=ANNA, verb="help"), "من الذي تساعده آنا؟"),
    (Clause("how_much", subject=the("book", 0)), "كم سعر الكتب؟"),
]


@pytest.mark.parametrize(("clause", "sentence"), TRUTHS, ids=[sentence for _, sentence in TRUTHS])
def test_says_it_as_written(clause: Clause, sentence: str) -> None:
    assert realise(clause, "ar").text == sentence


def test_the_name_after_and_stands_alone() -> None:
    sentence = realise(Clause("together", subject=ANNA, recipient=OMAR, verb="dance"), "ar")
    assert [sentence.text[word.start : word.end] for word in sentence.words if word.entity] == ["آنا", "عمر"]
