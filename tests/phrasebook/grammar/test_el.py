"""Greek: sentences a speaker would sign, one for each difficulty of the grammar."""

from __future__ import annotations

import pytest

from isogloss.phrasebook.clauses import Clause, Phrase
from isogloss.phrasebook.grammar import realise

ANNA, LINA, OMAR = Phrase(name="anna"), Phrase(name="lina"), Phrase(name="omar")


def a(noun: str, number: int = 1, adjective: str = "") -> Phrase:
    return Phrase(noun=noun, number=number, adjective=adjective)


def the(noun: str, number: int = 1, adjective: str = "") -> Phrase:
    return Phrase(noun=noun, number=number, adjective=adjective, definite=True)


TRUTHS = [
    # Numerals and adjectives agree in gender and case.
    (
        Clause("act_at", subject=a("dog", 3, "big"), verb="sleep", place="park"),
        "Τρεις μεγάλοι σκύλοι κοιμούνται στο πάρκο.",
    ),
    (Clause("act", subject=the("child", 4, "happy"), verb="play"), "Τα τέσσερα χαρούμενα παιδιά παίζουν."),
    (Clause("transitive", subject=ANNA, verb="see", object=a("man", 2, "rich")), "Η Άννα βλέπει δύο πλούσιους άντρες."),
    (
        Clause("transitive", subject=ANNA, verb="carry", object=a("bag", 1, "heavy")),
        "Η Άννα κουβαλάει μια βαριά τσάντα.",
    ),
    (Clause("transitive", subject=ANNA, verb="carry", object=a("box", 1, "heavy")), "Η Άννα κουβαλάει ένα βαρύ κουτί."),
    (
        Clause("transitive", subject=ANNA, verb="drink_v", object=the("coffee", 1, "hot")),
        "Η Άννα πίνει τον ζεστό καφέ.",
    ),
    (Clause("transitive", subject=ANNA, verb="help", object=the("teacher", 0)), "Η Άννα βοηθάει τους δασκάλους."),
    (
        Clause("transitive", subject=ANNA, verb="buy", object=the("newspaper", 1, "old")),
        "Η Άννα αγοράζει την παλιά εφημερίδα.",
    ),
    (Clause("transitive", subject=ANNA, verb="sell", object=a("lamp", 0, "blue")), "Η Άννα πουλάει μπλε λάμπες."),
    (
        Clause("transitive", subject=ANNA, verb="draw", object=a("vehicle", 0, "fast")),
        "Η Άννα ζωγραφίζει γρήγορα οχήματα.",
    ),
    (Clause("transitive", subject=ANNA, verb="see", object=the("doctor", 3)), "Η Άννα βλέπει τους τρεις γιατρούς."),
    # Articles of names, and their ν.
    (Clause("with", subject=ANNA, verb="dance", recipient=LINA), "Η Άννα χορεύει με τη Λίνα."),
    (Clause("with", subject=LINA, verb="dance", recipient=ANNA), "Η Λίνα χορεύει με την Άννα."),
    (Clause("gives", subject=ANNA, object=a("book"), recipient=OMAR), "Η Άννα δίνει ένα βιβλίο στον Ομάρ."),
    (Clause("gives", subject=ANNA, object=the("key"), recipient=a("boy")), "Η Άννα δίνει το κλειδί σε ένα αγόρι."),
    (Clause("owned", subject=the("dog", 0), recipient=ANNA, adjective="white"), "Οι σκύλοι της Άννας είναι άσπροι."),
    (Clause("owned", subject=the("cat"), recipient=OMAR, adjective="white"), "Η γάτα του Ομάρ είναι άσπρη."),
    (
        Clause("owned", subject=the("lamp"), recipient=the("teacher"), adjective="new"),
        "Η λάμπα του δασκάλου είναι καινούρια.",
    ),
    # Negation.
    (
        Clause("transitive", subject=ANNA, verb="see", object=a("lion"), negated=True),
        "Η Άννα δεν βλέπει κανένα λιοντάρι.",
    ),
    (Clause("has", subject=ANNA, object=a("dog"), negated=True), "Η Άννα δεν έχει σκύλο."),
    (Clause("can", subject=the("bird", 0), verb="sing", negated=True), "Τα πουλιά δεν μπορούν να τραγουδήσουν."),
    (Clause("wants_to", subject=the("child", 0), verb="rest"), "Τα παιδιά θέλουν να ξεκουραστούν."),
    # What is liked has the article and rules the verb.
    (Clause("likes", subject=ANNA, object=a("apple", 0)), "Στην Άννα αρέσουν τα μήλα."),
    (Clause("likes", subject=a("dog"), object=a("milk"), negated=True), "Σε έναν σκύλο δεν αρέσει το γάλα."),
    (Clause("likes", subject=OMAR, object=a("fruit")), "Στον Ομάρ αρέσουν τα φρούτα."),
    # Places and days.
    (Clause("comes_from", subject=the("dog", 0), place="garden"), "Οι σκύλοι έρχονται από τον κήπο."),
    (Clause("lives_in", subject=ANNA, place="vienna"), "Η Άννα ζει στη Βιέννη."),
    (Clause("comes_from", subject=ANNA, place="paris"), "Η Άννα έρχεται από το Παρίσι."),
    (Clause("there_is", subject=a("cat", 2), place="sea"), "Δίπλα στη θάλασσα υπάρχουν δύο γάτες."),
    (Clause("on_day", subject=ANNA, verb="work", day="monday"), "Τη Δευτέρα η Άννα δουλεύει."),
    (Clause("on_day", subject=ANNA, verb="work", day="saturday"), "Το Σάββατο η Άννα δουλεύει."),
    # Predicates.
    (Clause("kind", subject=ANNA, noun="singer"), "Η Άννα είναι τραγουδίστρια."),
    (Clause("kind", subject=the("coat"), noun="clothing"), "Το παλτό είναι ρούχο."),
    (
        Clause("compare", subject=the("horse"), adjective="big", recipient=the("dog")),
        "Το άλογο είναι μεγαλύτερο από τον σκύλο.",
    ),
    (
        Clause("compare", subject=the("car", 0), adjective="fast", recipient=the("boat")),
        "Τα αυτοκίνητα είναι πιο γρήγορα από τη βάρκα.",
    ),
    (Clause("named", subject=the("teacher"), recipient=OMAR), "Ο δάσκαλος λέγεται Ομάρ."),
    # Questions close with the Greek mark.
    (Clause("how_old", subject=ANNA), "Πόσων χρονών είναι η Άννα;"),
    (Clause("what_transitive", subject=the("boy", 0), verb="help"), "Ποιον βοηθούν τα αγόρια;"),
]


@pytest.mark.parametrize(("clause", "sentence"), TRUTHS, ids=[sentence for _, sentence in TRUTHS])
def test_said_as_a_speaker_says_it(clause: Clause, sentence: str) -> None:
    assert realise(clause, "el").text == sentence


def test_answers_and_names() -> None:
    text = realise(Clause("lives_in", subject=ANNA, place="paris"), "el")
    start, end = text.answer("place")
    assert text.text[start:end] == "Παρίσι"
    assert [(text.text[word.start : word.end], word.role, word.entity) for word in text.words[:2]] == [
        ("Η", "subject", ""),
        ("Άννα", "subject", "PER"),
    ]
