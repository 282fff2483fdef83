"""Hindi sentences as they are written: oblique case, ko, gender and number of verbs, what the object takes."""

from __future__ import annotations

import pytest

from isogloss.phrasebook.clauses import Clause, Phrase
from isogloss.phrasebook.grammar.realise import realise

ANNA, OMAR, MARIA = Phrase(name="anna"), Phrase(name="omar"), Phrase(name="maria")


def the(noun: str, number: int = 1, adjective: str = "") -> Phrase:
    return Phrase(noun=noun, number=number, adjective=adjective, definite=True)


def some(noun: str, number: int = 0, adjective: str = "") -> Phrase:
    return Phrase(noun=noun, number=number, adjective=adjective)


TRUTHS = [
    # The verb agrees in gender and number; after "not" the auxiliary goes and feminine plurals say so themselves.
    (Clause("act", subject=the("girl", 0), verb="sleep"), "लड़कियाँ सोती हैं।"),
    (Clause("act", subject=the("girl", 0), verb="sleep", negated=True), "लड़कियाँ नहीं सोतीं।"),
    (Clause("act", subject=the("boy"), verb="work", negated=True), "लड़का काम नहीं करता।"),
    (Clause("act_at", subject=some("boy", 3, "small"), verb="play", place="garden"), "तीन छोटे लड़के बगीचे में खेलते हैं।"),
    # One, some, any, all three; direct and oblique.
    (Clause("transitive", subject=ANNA, verb="eat", object=some("apple", 1)), "अन्ना एक सेब खाती है।"),
    (Clause("transitive", subject=ANNA, verb="eat", object=some("apple", 1), negated=True), "अन्ना कोई सेब नहीं खाती।"),
    (Clause("transitive", subject=OMAR, verb="read", object=some("book", 0, "new")), "उमर कुछ नई किताबें पढ़ता है।"),
    # People we speak of are marked, animals when known; some verbs take another word.
    (Clause("transitive", subject=ANNA, verb="see", object=the("horse", 3, "big")), "अन्ना तीनों बड़े घोड़ों को देखती है।"),
    (Clause("transitive", subject=OMAR, verb="see", object=the("horse", 1, "small")), "उमर छोटे घोड़े को देखता है।"),
    (Clause("transitive", subject=ANNA, verb="see", object=some("horse", 1)), "अन्ना एक घोड़ा देखती है।"),
    (Clause("transitive", subject=OMAR, verb="help", object=the("child"), negated=True), "उमर बच्चे की मदद नहीं करता।"),
    (Clause("transitive", subject=OMAR, verb="love", object=the("woman", 0)), "उमर औरतों से प्यार करता है।"),
    (Clause("transitive", subject=the("man"), verb="find", object=some("key", 2)), "आदमी को दो चाबियाँ मिलती हैं।"),
    (Clause("there_is", subject=some("cat", 2), place="street"), "सड़क पर दो बिल्लियाँ हैं।"),
    (Clause("property", subject=the("clothing"), adjective="new", negated=True), "कपड़े नए नहीं हैं।"),
    (Clause("kind", subject=ANNA, noun="teacher"), "अन्ना एक शिक्षिका है।"),
    (Clause("has", subject=the("boy", 0), object=some("cow", 2)), "लड़कों के पास दो गायें हैं।"),
    (Clause("has", subject=ANNA, object=some("car", 1), negated=True), "अन्ना के पास कोई कार नहीं है।"),
    (Clause("likes", subject=the("child"), object=some("bird")), "बच्चे को चिड़ियाँ पसंद हैं।"),
    (Clause("wants", subject=the("boy"), object=some("banana", 1)), "लड़के को एक केला चाहिए।"),
    (Clause("wants_to", subject=some("woman", 2), verb="work"), "दो औरतें काम करना चाहती हैं।"),
    (Clause("can", subject=the("bird", 0), verb="sing", negated=True), "चिड़ियाँ नहीं गा सकतीं।"),
    (Clause("gives", subject=ANNA, recipient=the("child"), object=some("book", 1)), "अन्ना बच्चे को एक किताब देती है।"),
    (Clause("goes_to", subject=the("man", 0), place="market"), "आदमी बाज़ार जाते हैं।"),
    (Clause("compare", subject=the("horse"), adjective="big", recipient=the("dog", 0)), "घोड़ा कुत्तों से बड़ा है।"),
    (Clause("compare", subject=ANNA, adjective="happy", recipient=OMAR), "अन्ना उमर से ज़्यादा ख़ुश है।"),
    (Clause("together", subject=ANNA, recipient=OMAR, verb="dance"), "अन्ना और उमर नाचते हैं।"),
    (Clause("together", subject=ANNA, recipient=MARIA, verb="dance"), "अन्ना और मारिया नाचती हैं।"),
    (Clause("owned", recipient=ANNA, subject=some("shoe"), adjective="red"), "अन्ना के जूते लाल हैं।"),
    (Clause("age", subject=ANNA, number=12), "अन्ना 12 साल की है।"),
    (Clause("price", subject=the("shoe", 0), number=12), "जूतों की क़ीमत 12 यूरो है।"),
    (Clause("what_transitive", subject=ANNA, verb="help"), "अन्ना किसकी मदद करती है?"),
    (Clause("who_transitive", verb="find", object=the("key")), "चाबी किसे मिलती है?"),
    (Clause("who_act_at", verb="work", place="kitchen"), "रसोई में कौन काम करता है?"),
]


@pytest.mark.parametrize(("clause", "sentence"), TRUTHS, ids=[sentence for _, sentence in TRUTHS])
def test_says_it_as_written(clause: Clause, sentence: str) -> None:
    assert realise(clause, "hi").text == sentence


def test_postpositions_are_no_part_of_an_answer() -> None:
    sentence = realise(Clause("lives_in", subject=ANNA, place="delhi"), "hi")
    assert sentence.text[slice(*sentence.answer("place"))] == "दिल्ली"
