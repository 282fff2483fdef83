"""Documents, parallel sentences, and emoji among the words."""

from __future__ import annotations

import itertools
import random
import re

import pytest

from isogloss.phrasebook import text
from isogloss.phrasebook.clauses import Clause, Phrase
from isogloss.phrasebook.grammar import LANGUAGES, Sentence, realise
from isogloss.phrasebook.labelled import questions, tagged_sentences
from isogloss.phrasebook.lexicon import concepts, lexicon
from isogloss.phrasebook.pairs import pairs
from isogloss.phrasebook.scenes import is_held_out, names_of
from isogloss.phrasebook.text import documents, parallel_sentences, with_emoji

MARKS = "".join(how.full_stop + how.question_mark.strip() for how in LANGUAGES.values())
EMOJI = {entry["emoji"] for entry in concepts().values() if entry.meaning.get("emoji")} | {"🚫"}


def sentences_of(document: str) -> list[str]:
    """A document cut after every closing mark, and at spaces where there are no marks (Thai)."""
    if not any(mark in document for mark in MARKS):
        return document.split(" ")
    return [sentence.strip() for sentence in re.findall(f"[^{re.escape(MARKS)}]*[{re.escape(MARKS)}]", document)]


class Always(random.Random):
    """Draws 0: whatever may happen happens."""

    def random(self) -> float:
        return 0.0


class Halfway(random.Random):
    """Draws 0.5: emoji stand behind the words."""

    def random(self) -> float:
        return 0.5


class Never(random.Random):
    """Draws nearly 1."""

    def random(self) -> float:
        return 0.999


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_held_out_sentence_occurs_in_training_text(language: str) -> None:
    drawn = documents(language, 220, seed=1, emoji_share=0.2)
    seen = {sentence for document in drawn for sentence in sentences_of(document)}
    for pair in pairs(language, 90, seed=3, held_out=False):
        seen |= {pair.premise, pair.hypothesis}
    held_out = [part for pair in pairs(language, 90, seed=4, held_out=True) for part in (pair.premise, pair.hypothesis)]
    held_out += [realise(item.clause, language).text for item in tagged_sentences(language, 90, seed=4, held_out=True)]
    for item in questions(language, 90, seed=4, held_out=True):
        held_out += [item.question, *[realise(clause, language).text for clause in item.statements]]
    assert len(seen) > 1000
    assert len(set(held_out)) > 400
    assert seen.isdisjoint(held_out)


def test_sentences_are_found_in_documents() -> None:
    """The test above would see a sentence if it were there."""
    for language in LANGUAGES:
        first = next(questions(language, 1, seed=1, held_out=False))
        expected = [realise(clause, language).text for clause in first.statements]
        assert sentences_of(first.context) == expected
        assert sentences_of(LANGUAGES[language].between_sentences.join([first.question, *expected]))[1:] == expected


@pytest.mark.parametrize("language", ["en", "sw", "th", "zh"])
def test_documents_depend_on_seed_language_and_index_alone(language: str) -> None:
    eight = list(documents(language, 8, seed=5, emoji_share=0.5))
    assert eight == list(documents(language, 8, seed=5, emoji_share=0.5))
    assert eight[:3] == list(documents(language, 3, seed=5, emoji_share=0.5))
    assert not set(eight) & set(documents(language, 8, seed=6, emoji_share=0.5))


def test_documents_are_several_sentences_of_one_story() -> None:
    lengths = [len(sentences_of(document)) for document in documents("en", 300, seed=2)]
    assert all(lengths)
    assert sum(5 <= length <= 8 for length in lengths) / len(lengths) > 0.8


def test_documents_of_two_languages_are_not_parallel() -> None:
    """German and Swahili share names: the same ones in the same documents would give the scenes away."""
    names = {lexicon("en")[name].lemma for kind in ("PER", "LOC", "ORG") for name in names_of(kind)}
    mentioned = [
        [sorted(names & set(re.findall(r"\w+", document))) for document in documents(language, 200, seed=1)]
        for language in ("de", "sw")
    ]
    both = [(one, other) for one, other in zip(*mentioned, strict=True) if one or other]
    assert sum(one == other for one, other in both) < 0.1 * len(both)


def test_documents_without_emoji_have_none_and_with_emoji_have_some() -> None:
    plain = " ".join(documents("en", 100, seed=1))
    marked = list(documents("en", 100, seed=1, emoji_share=1.0))
    assert not EMOJI & set(plain)
    assert sum(bool(EMOJI & set(document)) for document in marked) > 95


def test_nothing_held_out_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[Clause] = []

    def listening(clause: Clause, language: str) -> Sentence:
        heard.append(clause)
        return realise(clause, language)

    monkeypatch.setattr(text, "realise", listening)
    list(documents("en", 150, seed=1))
    assert len(heard) > 800
    assert not any(is_held_out(clause) for clause in heard)


def test_parallel_sentences_say_the_same_in_every_language_asked() -> None:
    both = list(parallel_sentences(["en", "hi"], 40, seed=1))
    assert both[:10] == list(parallel_sentences(["en", "hi"], 10, seed=1))
    assert [english for english, _ in both] == [row[1] for row in parallel_sentences(["th", "en"], 40, seed=1)]
    assert both != list(parallel_sentences(["en", "hi"], 40, seed=2))


def marks_of(clause: Clause, role: str) -> str:
    """What may stand behind a part or in its place, without spaces: number in digits, adjective, noun or verb."""
    if role in ("subject", "object", "recipient"):
        phrase: Phrase = getattr(clause, role)
        said = [phrase.adjective, phrase.noun] if phrase.noun else []
        number = str(phrase.number) if phrase.number > 1 else ""
    else:
        said, number = [getattr(clause, role, "")], ""
    marks = "".join(concepts()[name].meaning.get("emoji", "") for name in said if name in concepts())
    return number + marks if marks else ""


def unspaced(text: str) -> str:
    return "".join(text.split())


def can_be(marked: str, sentence: Sentence, clause: Clause) -> bool:
    """Is ``marked`` the sentence with none, some or all of its parts marked or replaced, and nothing else changed?"""
    pattern, end = "", 0
    for role, words in itertools.groupby(sentence.words, key=lambda word: word.role):
        part = list(words)
        pattern += re.escape(unspaced(sentence.text[end : part[0].start]))
        original = re.escape(unspaced(sentence.text[part[0].start : part[-1].end]))
        marks = re.escape(marks_of(clause, role)) if role else ""
        pattern += f"(?:{original}|{marks}|{original}{marks})" if marks else original
        end = part[-1].end
    return re.fullmatch(pattern + ("🚫?" if clause.negated else ""), unspaced(marked)) is not None


@pytest.mark.parametrize("language", LANGUAGES)
def test_emoji_change_nothing_but_the_parts_they_stand_for(language: str, clauses: tuple[Clause, ...]) -> None:
    changed = 0
    for index, clause in enumerate(clauses[:350]):
        sentence = realise(clause, language)
        for rng in (random.Random(index), Always(), Halfway()):
            marked = with_emoji(sentence, clause, rng)
            assert can_be(marked, sentence, clause), (marked, sentence.text)
            assert "  " not in marked
            changed += marked != sentence.text
        assert with_emoji(sentence, clause, Never()) == sentence.text
    assert changed > 700


@pytest.mark.parametrize("language", LANGUAGES)
def test_emoji_never_swallow_a_not_a_wish_or_a_skill(language: str) -> None:
    dogs, cat = Phrase(noun="dog", number=0, definite=True), Phrase(noun="cat")
    for clause, other in [
        (Clause("wants_to", dogs, "swim"), Clause("act", dogs, "swim")),
        (Clause("can", dogs, "swim"), Clause("act", dogs, "swim")),
        (Clause("act", dogs, "rest", negated=True), Clause("act", dogs, "rest")),
        (Clause("transitive", dogs, "see", cat, negated=True), Clause("transitive", dogs, "see", cat)),
        (Clause("can", dogs, "swim", negated=True), Clause("can", dogs, "swim")),
        (Clause("kind", dogs, noun="animal", negated=True), Clause("kind", dogs, noun="animal")),
    ]:
        said = [with_emoji(realise(each, language), each, Always()).removesuffix(" 🚫") for each in (clause, other)]
        assert said[0] != said[1], said


BIG_DOGS = Clause("act_at", Phrase(noun="dog", number=3, adjective="big"), "sleep", place="park")
NOT_ASLEEP = Clause("act", Phrase(noun="dog", number=0, definite=True), "sleep", negated=True)
RESTS = Clause("act_at", Phrase(noun="sheep"), "rest", place="station")
ALONE = [
    ("en", BIG_DOGS, "3 🐳 🐕 😴 in 🏞 ."),
    ("de", BIG_DOGS, "3 🐳 🐕 😴 im 🏞 ."),
    ("zh", BIG_DOGS, "3 🐳 🐕 在 🏞 里 😴 。"),
    ("th", BIG_DOGS, "3 🐳 🐕 กำลัง 😴 ใน 🏞"),
    ("sw", NOT_ASLEEP, "🐕 hawalali. 🚫"),
    ("tr", NOT_ASLEEP, "🐕 uyumuyor. 🚫"),
    ("en", NOT_ASLEEP, "🐕 do not 😴 . 🚫"),
    ("de", RESTS, "🐑 ruht sich am 🚉 aus."),
]
BESIDE = [
    ("en", BIG_DOGS, "Three big dogs 3 🐳 🐕 sleep 😴 in the park 🏞 ."),
    ("de", RESTS, "Ein Schaf 🐑 ruht sich am Bahnhof 🚉 aus."),
    ("zh", BIG_DOGS, "三只大狗 3 🐳 🐕 在公园 🏞 里睡觉 😴 。"),
    ("tr", NOT_ASLEEP, "Köpekler 🐕 uyumuyor."),
]


@pytest.mark.parametrize(("language", "clause", "marked"), ALONE, ids=[f"{row[0]} {row[2]}" for row in ALONE])
def test_emoji_in_the_place_of_words(language: str, clause: Clause, marked: str) -> None:
    assert with_emoji(realise(clause, language), clause, Always()) == marked


@pytest.mark.parametrize(("language", "clause", "marked"), BESIDE, ids=[f"{row[0]} {row[2]}" for row in BESIDE])
def test_emoji_behind_words(language: str, clause: Clause, marked: str) -> None:
    assert with_emoji(realise(clause, language), clause, Halfway()) == marked
