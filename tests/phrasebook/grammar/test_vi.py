"""Vietnamese: sentences a native speaker accepts, one difficulty each."""

from __future__ import annotations

import pytest

from isogloss.phrasebook.clauses import Clause, Phrase
from isogloss.phrasebook.grammar.realise import realise

ANNA = Phrase(name="anna")
OMAR = Phrase(name="omar")
THE_TEACHER = Phrase(noun="teacher", definite=True)
THE_HAT = Phrase(noun="hat", definite=True)

TRUTHS = [
    # classifiers, adjectives after the noun, what goes on
    (
        Clause("act_at", subject=Phrase(noun="dog", number=2, adjective="big"), verb="sleep", place="park"),
        "Hai con chó to đang ngủ trong công viên.",
    ),
    (Clause("act", subject=Phrase(noun="doctor", number=0), verb="work"), "Một số bác sĩ đang làm việc."),
    (
        Clause("act", subject=Phrase(noun="animal", number=3, definite=True), verb="rest"),
        "Ba con vật đó đang nghỉ ngơi.",
    ),
    (Clause("act", subject=ANNA, verb="sleep", negated=True), "Anna không ngủ."),
    (Clause("act_at", subject=OMAR, verb="swim", place="river"), "Omar đang bơi bên bờ sông."),
    # objects, states, what is denied
    (Clause("transitive", subject=ANNA, verb="eat", object=Phrase(noun="apple")), "Anna đang ăn một quả táo."),
    (Clause("transitive", subject=ANNA, verb="eat", object=Phrase(noun="apple"), negated=True), "Anna không ăn táo."),
    (
        Clause("transitive", subject=ANNA, verb="see", object=Phrase(noun="cat", number=0, definite=True)),
        "Anna nhìn thấy những con mèo đó.",
    ),
    (
        Clause("transitive", subject=ANNA, verb="wash", object=Phrase(noun="shirt", definite=True)),
        "Anna đang giặt chiếc áo sơ mi đó.",
    ),
    (
        Clause("transitive", subject=ANNA, verb="wash", object=Phrase(noun="car", definite=True)),
        "Anna đang rửa chiếc ô tô đó.",
    ),
    (
        Clause("has", subject=ANNA, object=Phrase(noun="book", number=3, adjective="red")),
        "Anna có ba quyển sách màu đỏ.",
    ),
    (Clause("has", subject=ANNA, object=Phrase(noun="cat"), negated=True), "Anna không có mèo."),
    (Clause("likes", subject=OMAR, object=Phrase(noun="bird", number=0), negated=True), "Omar không thích chim."),
    (
        Clause("gives", subject=ANNA, object=Phrase(noun="letter"), recipient=Phrase(noun="child", definite=True)),
        "Anna đưa cho đứa trẻ đó một bức thư.",
    ),
    # predicates
    (Clause("property", subject=THE_HAT, adjective="black", negated=True), "Chiếc mũ đó không có màu đen."),
    (Clause("property", subject=OMAR, adjective="big"), "Omar to lớn."),
    (
        Clause("property", subject=Phrase(noun="soup", definite=True), adjective="good", negated=True),
        "Súp đó không ngon.",
    ),
    (Clause("kind", subject=ANNA, noun="doctor", negated=True), "Anna không phải là một bác sĩ."),
    (
        Clause("kind", subject=Phrase(noun="horse", number=2, definite=True), noun="animal"),
        "Hai con ngựa đó là động vật.",
    ),
    (
        Clause(
            "compare",
            subject=Phrase(noun="horse", definite=True),
            adjective="fast",
            recipient=Phrase(noun="cow", definite=True),
        ),
        "Con ngựa đó nhanh hơn con bò đó.",
    ),
    (
        Clause("owned", subject=Phrase(noun="chair", number=0), adjective="old", recipient=ANNA),
        "Những cái ghế của Anna cũ.",
    ),
    # places
    (Clause("located", subject=ANNA, place="kitchen", negated=True), "Anna không ở trong bếp."),
    (Clause("located", subject=ANNA, place="market"), "Anna ở chợ."),
    (Clause("there_is", subject=Phrase(noun="milk"), place="kitchen"), "Trong bếp có sữa."),
    (Clause("comes_from", subject=OMAR, place="hanoi"), "Omar đến từ Hà Nội."),
    (Clause("can", subject=ANNA, verb="swim", negated=True), "Anna không thể bơi."),
    (Clause("what_transitive", subject=ANNA, verb="help"), "Anna đang giúp đỡ ai?"),
    (Clause("what_name", subject=THE_TEACHER), "Tên của giáo viên đó là gì?"),
]


@pytest.mark.parametrize(("clause", "sentence"), TRUTHS, ids=[sentence for _, sentence in TRUTHS])
def test_says(clause: Clause, sentence: str) -> None:
    assert realise(clause, "vi").text == sentence


def test_a_name_of_two_syllables_is_marked_whole() -> None:
    said = realise(Clause("lives_in", subject=ANNA, place="beijing"), "vi")
    assert [said.text[word.start : word.end] for word in said.words if word.entity == "LOC"] == ["Bắc", "Kinh"]
    start, end = said.answer("place")
    assert said.text[start:end] == "Bắc Kinh"
