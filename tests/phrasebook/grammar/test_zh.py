"""Chinese: sentences a native speaker accepts, one difficulty each."""

from __future__ import annotations

import pytest

from isogloss.phrasebook.clauses import Clause, Phrase
from isogloss.phrasebook.grammar.realise import realise

ANNA = Phrase(name="anna")
OMAR = Phrase(name="omar")
THE_TEACHER = Phrase(noun="teacher", definite=True)

TRUTHS = [
    # measure words, 两, demonstratives, the localizer of the place, progressive aspect
    (Clause("act_at", subject=Phrase(noun="dog", number=2), verb="sleep", place="park"), "两只狗在公园里睡觉。"),
    (Clause("act", subject=Phrase(noun="horse", number=0, definite=True), verb="rest"), "那些马在休息。"),
    (Clause("act", subject=ANNA, verb="sleep", negated=True), "安娜没有在睡觉。"),
    (Clause("act_at", subject=OMAR, verb="work", place="sea"), "奥马尔在海边工作。"),
    # aspect: in progress, reached, state
    (Clause("transitive", subject=ANNA, verb="read", object=Phrase(noun="book")), "安娜在读一本书。"),
    (
        Clause("transitive_at", subject=ANNA, verb="find", object=Phrase(noun="key", definite=True), place="street"),
        "安娜在街上找到了那把钥匙。",
    ),
    (Clause("transitive", subject=ANNA, verb="see", object=Phrase(noun="cat"), negated=True), "安娜没有看见猫。"),
    (Clause("transitive", subject=OMAR, verb="love", object=ANNA, negated=True), "奥马尔不爱安娜。"),
    # adjectives: with and without 的, of people, colours, predicates with 很 and 不
    (
        Clause("has", subject=ANNA, object=Phrase(noun="car", number=3, adjective="red")),
        "安娜有三辆红色的汽车。",
    ),
    (Clause("has", subject=ANNA, object=Phrase(noun="cat"), negated=True), "安娜没有猫。"),
    (Clause("wants", subject=ANNA, object=Phrase(noun="elephant", adjective="small")), "安娜想要一头很小的大象。"),
    (Clause("property", subject=Phrase(noun="dog", definite=True), adjective="big"), "那只狗很大。"),
    (Clause("property", subject=THE_TEACHER, adjective="big", negated=True), "那位老师不高大。"),
    (Clause("property", subject=Phrase(noun="hat", definite=True), adjective="black"), "那顶帽子是黑色的。"),
    (
        Clause(
            "compare",
            subject=Phrase(noun="horse", definite=True),
            adjective="big",
            recipient=Phrase(noun="dog", definite=True),
        ),
        "那匹马比那只狗大。",
    ),
    # mass nouns, kinds, existence, going and coming
    (Clause("there_is", subject=Phrase(noun="milk"), place="kitchen"), "厨房里有牛奶。"),
    (Clause("property", subject=Phrase(noun="soup", definite=True), adjective="hot"), "那些汤很热。"),
    (Clause("kind", subject=ANNA, noun="doctor", negated=True), "安娜不是医生。"),
    (Clause("goes_to", subject=ANNA, place="market"), "安娜去市场。"),
    (Clause("comes_from", subject=OMAR, place="cairo"), "奥马尔来自开罗。"),
    (Clause("comes_from", subject=OMAR, place="village"), "奥马尔从村子里来。"),
    (Clause("can", subject=ANNA, verb="swim", negated=True), "安娜不会游泳。"),
    (Clause("can", subject=ANNA, verb="wait"), "安娜能等待。"),
    (Clause("age", subject=ANNA, number=12), "安娜12岁。"),
    (Clause("who_act_at", verb="swim", place="river"), "谁在河边游泳？"),
    (Clause("what_name", subject=THE_TEACHER), "那位老师的名字是什么？"),
]


@pytest.mark.parametrize(("clause", "sentence"), TRUTHS, ids=[sentence for _, sentence in TRUTHS])
def test_says(clause: Clause, sentence: str) -> None:
    assert realise(clause, "zh").text == sentence


def test_localizer_is_not_part_of_the_answer() -> None:
    said = realise(Clause("lives_in", subject=ANNA, place="village"), "zh")
    start, end = said.answer("place")
    assert said.text[start:end] == "村子"
