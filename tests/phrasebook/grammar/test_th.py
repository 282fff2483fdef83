"""Thai: sentences a native speaker accepts, one difficulty each."""

from __future__ import annotations

import pytest

from isogloss.phrasebook.clauses import Clause, Phrase
from isogloss.phrasebook.grammar.realise import realise

ANNA = Phrase(name="anna")
OMAR = Phrase(name="omar")
THE_TEACHER = Phrase(noun="teacher", definite=True)
THE_HAT = Phrase(noun="hat", definite=True)

TRUTHS = [
    # numeral and classifier after the noun, size with the classifier
    (
        Clause("act_at", subject=Phrase(noun="dog", number=3, adjective="big"), verb="sleep", place="park"),
        "สุนัขตัวใหญ่สามตัวกำลังนอนหลับในสวนสาธารณะ",
    ),
    (Clause("act", subject=Phrase(noun="child", number=0), verb="play"), "เด็กหลายคนกำลังเล่น"),
    (
        Clause("act", subject=Phrase(noun="child", number=0, definite=True), verb="play", negated=True),
        "เด็กเหล่านั้นไม่ได้เล่น",
    ),
    (Clause("act_at", subject=OMAR, verb="swim", place="river"), "โอมาร์กำลังว่ายน้ำริมแม่น้ำ"),
    # objects, states, verbs in two parts, what is denied
    (Clause("transitive", subject=ANNA, verb="eat", object=Phrase(noun="apple")), "อันนากำลังกินแอปเปิลลูกหนึ่ง"),
    (Clause("transitive", subject=ANNA, verb="eat", object=Phrase(noun="apple"), negated=True), "อันนาไม่ได้กินแอปเปิล"),
    (Clause("transitive", subject=ANNA, verb="love", object=OMAR, negated=True), "อันนาไม่รักโอมาร์"),
    (Clause("transitive", subject=ANNA, verb="lose", object=Phrase(noun="key", definite=True)), "อันนาทำกุญแจดอกนั้นหาย"),
    (Clause("transitive", subject=ANNA, verb="wash", object=Phrase(noun="shirt", number=2)), "อันนากำลังซักเสื้อเชิ้ตสองตัว"),
    (Clause("has", subject=ANNA, object=Phrase(noun="car", number=2, adjective="red")), "อันนามีรถยนต์สีแดงสองคัน"),
    (Clause("has", subject=ANNA, object=Phrase(noun="cat"), negated=True), "อันนาไม่มีแมว"),
    (Clause("likes", subject=ANNA, object=Phrase(noun="bird", number=0)), "อันนาชอบนก"),
    (
        Clause("gives", subject=ANNA, object=Phrase(noun="book"), recipient=Phrase(noun="child", definite=True)),
        "อันนาให้หนังสือเล่มหนึ่งแก่เด็กคนนั้น",
    ),
    # predicates
    (Clause("property", subject=THE_TEACHER, adjective="big", negated=True), "ครูคนนั้นตัวไม่ใหญ่"),
    (Clause("property", subject=THE_HAT, adjective="cheap", negated=True), "หมวกใบนั้นราคาไม่ถูก"),
    (Clause("property", subject=THE_HAT, adjective="black", negated=True), "หมวกใบนั้นไม่ใช่สีดำ"),
    (Clause("property", subject=Phrase(noun="soup", definite=True), adjective="hot"), "ซุปนั้นร้อน"),
    (Clause("kind", subject=ANNA, noun="doctor", negated=True), "อันนาไม่ใช่หมอ"),
    (
        Clause(
            "compare",
            subject=Phrase(noun="horse", definite=True),
            adjective="big",
            recipient=Phrase(noun="dog", definite=True),
        ),
        "ม้าตัวนั้นใหญ่กว่าสุนัขตัวนั้น",
    ),
    (Clause("can", subject=ANNA, verb="swim", negated=True), "อันนาว่ายน้ำไม่ได้"),
    (Clause("wants_to", subject=ANNA, verb="sing"), "อันนาอยากร้องเพลง"),
    # places, names, questions
    (Clause("located", subject=ANNA, place="market", negated=True), "อันนาไม่ได้อยู่ที่ตลาด"),
    (Clause("there_is", subject=Phrase(noun="cat", number=2), place="kitchen"), "ในห้องครัวมีแมวสองตัว"),
    (Clause("comes_from", subject=OMAR, place="cairo"), "โอมาร์มาจากไคโร"),
    (Clause("named", subject=THE_TEACHER, recipient=ANNA), "ครูคนนั้นชื่ออันนา"),
    (Clause("what_transitive", subject=ANNA, verb="lose"), "อันนาทำอะไรหาย"),
    (Clause("how_old", subject=ANNA), "อันนาอายุเท่าไร"),
]


@pytest.mark.parametrize(("clause", "sentence"), TRUTHS, ids=[sentence for _, sentence in TRUTHS])
def test_says(clause: Clause, sentence: str) -> None:
    assert realise(clause, "th").text == sentence


def test_the_answer_is_the_place_without_its_preposition() -> None:
    said = realise(Clause("lives_in", subject=ANNA, place="hanoi"), "th")
    start, end = said.answer("place")
    assert said.text[start:end] == "ฮานอย"
