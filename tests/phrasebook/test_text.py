"""Documents, parallel sentences, and emoji among the words."""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Callable

import pytest

from isogloss.phrasebook import text
from isogloss.phrasebook.clauses import Clause, Phrase
from isogloss.phrasebook.grammar import LANGUAGES, Sentence, answer_word, ask_back, realise
from isogloss.phrasebook.labelled import pairs, questions, tagged_sentences
from isogloss.phrasebook.lexicon import concepts, lexicon
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


class Never(random.Random):
    """Draws nearly 1."""

    def random(self) -> float:
        return 0.999


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_held_out_sentence_occurs_in_training_text(language: str) -> None:
    drawn = documents(language, 220, seed=1, emoji_share=0.2, dialogue_share=0.3)
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
    options = {"emoji_share": 0.5, "dialogue_share": 0.5}
    eight = list(documents(language, 8, seed=5, **options))
    assert eight == list(documents(language, 8, seed=5, **options))
    assert eight[:3] == list(documents(language, 3, seed=5, **options))
    assert not set(eight) & set(documents(language, 8, seed=6, **options))


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


@pytest.mark.parametrize("language", LANGUAGES)
def test_dialogues_ask_back_and_answer(language: str) -> None:
    answers = {answer_word(word, language).text for word in ("yes", "no")}
    told = [sentences_of(document) for document in documents(language, 60, seed=1, dialogue_share=1.0)]
    assert answers == {sentence for sentences in told for sentence in sentences} & answers
    how = LANGUAGES[language]
    closing = how.asked_back or how.question_mark
    before = [first for sentences in told for first, second in itertools.pairwise(sentences) if second in answers]
    assert all(question.endswith(closing) for question in before)
    assert not answers & {
        sentence for document in documents(language, 60, seed=1) for sentence in sentences_of(document)
    }


def test_nothing_held_out_is_said_or_asked_back(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[Clause] = []

    def listening_to(say: Callable[[Clause, str], Sentence]) -> Callable[[Clause, str], Sentence]:
        return lambda clause, language: (heard.append(clause), say(clause, language))[1]

    monkeypatch.setattr(text, "realise", listening_to(realise))
    monkeypatch.setattr(text, "ask_back", listening_to(ask_back))
    list(documents("en", 150, seed=1, dialogue_share=0.7))
    assert len(heard) > 800
    assert not any(is_held_out(clause) for clause in heard)


def test_spanish_opens_what_it_asks_back() -> None:
    asked = ask_back(Clause("act", Phrase(name="anna"), "sleep"), "es")
    assert asked.text == "¿Ana duerme?"
    assert [asked.text[word.start : word.end] for word in asked.words] == ["¿", "Ana", "duerme", "?"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_asked_back_is_the_statement_but_for_its_marks(language: str, clauses: tuple[Clause, ...]) -> None:
    how = LANGUAGES[language]
    for clause in clauses[:60]:
        said, asked = realise(clause, language), ask_back(clause, language)
        assert asked.text.endswith(how.asked_back or how.question_mark)
        assert asked.text != said.text
        words = [said.text[word.start : word.end] for word in said.words if word.role]
        assert words == [asked.text[word.start : word.end] for word in asked.words if word.role]


def test_parallel_sentences_say_the_same_in_every_language_asked() -> None:
    both = list(parallel_sentences(["en", "hi"], 40, seed=1))
    assert both[:10] == list(parallel_sentences(["en", "hi"], 10, seed=1))
    assert [english for english, _ in both] == [row[1] for row in parallel_sentences(["th", "en"], 40, seed=1)]
    assert both != list(parallel_sentences(["en", "hi"], 40, seed=2))


def marks_of(clause: Clause, role: str) -> str:
    """What a part may be replaced with, without spaces: number in digits, adjective, noun or verb."""
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
    """Is ``marked`` the sentence with none, some or all of its parts replaced, and nothing else changed?"""
    pattern, end = "", 0
    for role, words in itertools.groupby(sentence.words, key=lambda word: word.role):
        part = list(words)
        pattern += re.escape(unspaced(sentence.text[end : part[0].start]))
        original = re.escape(unspaced(sentence.text[part[0].start : part[-1].end]))
        marks = re.escape(marks_of(clause, role)) if role else ""
        pattern += f"(?:{original}|{marks})" if marks else original
        end = part[-1].end
    return re.fullmatch(pattern + ("🚫?" if clause.negated else ""), unspaced(marked)) is not None


@pytest.mark.parametrize("language", LANGUAGES)
def test_emoji_change_nothing_but_the_parts_they_replace(language: str, clauses: tuple[Clause, ...]) -> None:
    changed = 0
    for index, clause in enumerate(clauses[:350]):
        sentence = realise(clause, language)
        for rng in (random.Random(index), Always()):
            marked = with_emoji(sentence, clause, rng)
            assert can_be(marked, sentence, clause), (marked, sentence.text)
            assert "  " not in marked
            changed += marked != sentence.text
        assert with_emoji(sentence, clause, Never()) == sentence.text
    assert changed > 350


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
MARKED = [
    ("en", BIG_DOGS, "3 🐳 🐕 😴 in 🏞 ."),
    ("de", BIG_DOGS, "3 🐳 🐕 😴 im 🏞 ."),
    ("zh", BIG_DOGS, "3 🐳 🐕 在 🏞 里 😴 。"),
    ("th", BIG_DOGS, "3 🐳 🐕 กำลัง 😴 ใน 🏞"),
    ("sw", NOT_ASLEEP, "🐕 hawalali. 🚫"),
    ("tr", NOT_ASLEEP, "🐕 uyumuyor. 🚫"),
    ("en", NOT_ASLEEP, "🐕 do not 😴 . 🚫"),
    ("de", RESTS, "🐑 ruht sich am 🚉 aus."),
]


@pytest.mark.parametrize(("language", "clause", "marked"), MARKED, ids=[f"{row[0]} {row[2]}" for row in MARKED])
def test_emoji_as_written(language: str, clause: Clause, marked: str) -> None:
    assert with_emoji(realise(clause, language), clause, Always()) == marked
