"""What holds in each of the 15 languages: frames, words, scripts, spelling, and the place of every word."""

from __future__ import annotations

import importlib
import string
import unicodedata

import pytest

from isogloss.errors import ConfigError
from isogloss.phrasebook import text
from isogloss.phrasebook.clauses import NEGATABLE, QUESTION_FRAMES, SENTENCE_FRAMES, Clause, Phrase
from isogloss.phrasebook.grammar import LANGUAGES, Sentence, join_sentences, realise
from isogloss.phrasebook.grammar.order import in_order, lemma_of, number
from isogloss.phrasebook.grammar.words import Word
from isogloss.phrasebook.lexicon import Cell, Lexicon, concepts, lexicon

XNLI = {"ar", "bg", "de", "el", "en", "es", "fr", "hi", "ru", "sw", "th", "tr", "ur", "vi", "zh"}
LATIN = string.ascii_lowercase
# Every letter a language writes its own words with; names may have others of the same script.
LETTERS = {
    "ar": "ءآأؤإئابةتثجحخدذرزسشصضطظعغفقكلمنهوىي",
    "bg": "абвгдежзийклмнопрстуфхцчшщъьюя",
    "de": LATIN + "äöüß",
    "el": "αάβγδεέζηήθιίϊΐκλμνξοόπρσςτυύϋΰφχψωώ",
    "en": LATIN,
    "es": LATIN + "áéíóúüñ",
    "fr": LATIN + "àâæçéèêëîïôœùûüÿ",
    "ru": "абвгдеёжзийклмнопрстуфхцчшщъыьэюя",
    "sw": "abcdefghijklmnoprstuvwyz",
    "tr": "abcçdefgğhıijklmnoöprsştuüvyz" + "âîû",
    "ur": "ءآأؤئابپتٹثجچحخدڈذرڑزژسشصضطظعغفقکگلمنںوہۂھیےۓ",
    "vi": "aăâbcdđeêghiklmnoôơpqrstuưvxy",
}
SCRIPTS = {"ar": "ARABIC", "bg": "CYRILLIC", "el": "GREEK", "hi": "DEVANAGARI", "ru": "CYRILLIC", "th": "THAI"}
SCRIPTS |= {"ur": "ARABIC", "zh": "CJK"} | dict.fromkeys(["de", "en", "es", "fr", "sw", "tr", "vi"], "LATIN")
# Besides letters and digits.
MARKS = {
    "ar": ".؟",
    "bg": ".?-„“",
    "de": ".?'",
    "el": ".;",
    "en": ".?'",
    "es": ".?¿",
    "fr": ".?\u00a0',-",
    "hi": "।?",
    "ru": ".?—,«»",
    "sw": ".?'",
    "th": "",
    "tr": ".?'",
    "ur": "۔؟",
    "vi": ".?",
    "zh": "。？",
}
VIETNAMESE_TONES = "\u0300\u0301\u0303\u0309\u0323"
# What a grammar says without a word of its own: English "can", the Turkish suffix -Abil, the Swahili copula "-na" and
# the Arabic dual.
SAID_OTHERWISE = {"en": {"can"}, "tr": {"can"}, "sw": {"have"}, "ar": {"two"}}


def test_the_languages_are_those_of_xnli() -> None:
    assert set(LANGUAGES) == XNLI


def test_an_unknown_language_is_a_clear_error() -> None:
    with pytest.raises(ConfigError, match="does not speak 'eo'; it speaks ar, bg"):
        realise(Clause("act", Phrase(name="anna"), "sleep"), "eo")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_grammar_has_every_frame(language: str) -> None:
    frames = importlib.import_module(f"isogloss.phrasebook.grammar.{language}").FRAMES
    assert set(frames) == set(SENTENCE_FRAMES) | set(QUESTION_FRAMES)
    assert len(SENTENCE_FRAMES) >= 20


def test_a_frame_in_order_says_its_parts_as_they_stand() -> None:
    def does(clause: Clause, words: Lexicon, concept: str = "") -> str:
        return f"does {concept or clause.verb}"

    frame = in_order("who now", does, Word("¿", glued=True), (does, "want"), (lemma_of, "place"), number)
    said = frame(Clause("act", verb="sleep", place="cairo", number=12), lexicon("es"))
    assert [word.text for word in said] == ["who", "now", "does", "sleep", "¿", "does", "want", "El", "Cairo", "12"]
    assert [word.role for word in said] == [""] * 7 + ["place", "place", "number"]
    assert [word.glued for word in said].index(True) == 4
    assert {word.entity for word in said} == {"", "LOC"}


def test_every_frame_occurs_in_documents(monkeypatch: pytest.MonkeyPatch) -> None:
    said: set[str] = set()

    def listening(clause: Clause, language: str) -> Sentence:
        said.add(clause.frame)
        return realise(clause, language)

    monkeypatch.setattr(text, "realise", listening)
    list(text.documents("en", 400, seed=1))
    assert said == set(SENTENCE_FRAMES) | set(QUESTION_FRAMES)


class Looked:
    """Keeps which words of which language a grammar looks up."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.up: set[tuple[str, str]] = set()
        original = Lexicon.__getitem__

        def looking(words: Lexicon, concept: str) -> Cell:
            self.up.add((words.language, concept))
            return original(words, concept)

        monkeypatch.setattr(Lexicon, "__getitem__", looking)


def test_every_word_is_reached_by_what_is_generated(monkeypatch: pytest.MonkeyPatch) -> None:
    looked = Looked(monkeypatch)
    list(text.documents("en", 200, seed=1))
    list(text.parallel_sentences(["en"], 6000, seed=1))
    assert {concept for _, concept in looked.up} == set(concepts()) - SAID_OTHERWISE["en"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_word_of_every_table_is_said(
    language: str, clauses: tuple[Clause, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = Looked(monkeypatch)
    dogs = [Phrase(noun="dog", number=number) for number in range(2, 11)]
    for clause in [*clauses, *[Clause("act", phrase, "sleep") for phrase in dogs]]:
        realise(clause, language)
    assert {concept for _, concept in looked.up} == set(concepts()) - SAID_OTHERWISE.get(language, set())


def letter_is_of(letter: str, language: str) -> bool:
    if language == "vi":
        bare = "".join(each for each in unicodedata.normalize("NFD", letter) if each not in VIETNAMESE_TONES)
        letter = unicodedata.normalize("NFC", bare)
    return letter in LETTERS[language]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_letter_is_of_the_script_of_its_language(language: str, clauses: tuple[Clause, ...]) -> None:
    """Of its script, and outside names one of its alphabet."""
    for sentence in (realise(clause, language) for clause in clauses):
        for word in sentence.words:
            for letter in sentence.text[word.start : word.end]:
                if letter in MARKS[language] or letter in string.digits:
                    continue
                assert unicodedata.category(letter)[0] in "LM", (letter, sentence.text)
                assert unicodedata.name(letter).startswith(SCRIPTS[language]), (letter, sentence.text)
                if language in LETTERS and not word.entity:
                    lower = {"İ": "i", "I": "ı"}.get(letter, letter.lower()) if language == "tr" else letter.lower()
                    assert letter_is_of(lower, language), (letter, sentence.text)


@pytest.mark.parametrize("language", LANGUAGES)
def test_text_is_clean(language: str, clauses: tuple[Clause, ...]) -> None:
    how = LANGUAGES[language]
    for clause in clauses:
        said = realise(clause, language).text
        assert said == unicodedata.normalize("NFC", said).strip()
        assert "  " not in said
        assert " " not in said or how.space == " "
        assert not set(said) & set("|=")
        assert said.endswith(how.question_mark if clause.frame in QUESTION_FRAMES else how.full_stop)


def test_chinese_is_simplified(clauses: tuple[Clause, ...]) -> None:
    """GB 2312 holds the simplified characters: 猫 and 鸟, not 貓 and 鳥."""

    def is_traditional(letter: str) -> bool:
        return not letter.encode("gb2312", errors="ignore")

    assert [letter for letter in "猫貓鸟鳥" if is_traditional(letter)] == ["貓", "鳥"]
    said = set().union(*(realise(clause, "zh").text for clause in clauses))
    assert not {letter for letter in said if is_traditional(letter)}


@pytest.mark.parametrize("language", [language for language, how in LANGUAGES.items() if how.capitals])
def test_sentences_begin_with_a_capital(language: str, clauses: tuple[Clause, ...]) -> None:
    for clause in clauses[:200]:
        first = next(letter for letter in realise(clause, language).text if letter.isalnum())
        assert first.isupper() or first.isdigit()


def test_turkish_capital_of_i_has_its_dot() -> None:
    two_cows = Clause("act", Phrase(noun="cow", number=2), "sleep")
    assert realise(two_cows, "tr").text.startswith("İki ")


@pytest.mark.parametrize("language", LANGUAGES)
def test_words_cover_the_text(language: str, clauses: tuple[Clause, ...]) -> None:
    """In order, without overlap, with nothing but one space between two of them and nothing around them."""
    between = {LANGUAGES[language].space, ""} | ({"\u00a0"} if language == "fr" else set())
    slots = set(Clause.__dataclass_fields__) - {"frame", "negated"} | {""}
    for sentence in (realise(clause, language) for clause in clauses):
        end = 0
        for word in sentence.words:
            assert end <= word.start < word.end
            assert sentence.text[end : word.start] in between | {""}
            assert not sentence.text[word.start : word.end][0].isspace()
            assert word.role in slots
            end = word.end
        assert end == len(sentence.text)


@pytest.mark.parametrize("language", LANGUAGES)
def test_entities_are_names_and_names_are_entities(language: str, clauses: tuple[Clause, ...]) -> None:
    for clause in clauses:
        phrases = [clause.subject, clause.object, clause.recipient if clause.frame != "what_name" else Phrase()]
        names = [name for name in (*[phrase.name for phrase in phrases], clause.place) if name]
        kinds = {concepts()[name].meaning.get("kind", "") for name in names} - {""}
        assert {word.entity for word in realise(clause, language).words} - {""} == kinds, clause


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_not_is_heard(language: str, clauses: tuple[Clause, ...]) -> None:
    for clause in clauses:
        if clause.frame in NEGATABLE and not clause.negated:
            denied = Clause(**{**clause.__dict__, "negated": True})
            assert realise(clause, language).text != realise(denied, language).text


@pytest.mark.parametrize("language", LANGUAGES)
def test_sentences_are_joined_as_the_language_does(language: str) -> None:
    said = [realise(Clause("act", Phrase(name=name), "sleep"), language) for name in ("anna", "omar")]
    joined = join_sentences(said, language)
    assert joined.startswith(said[0].text)
    assert joined.endswith(said[1].text)
    assert (" " in joined[len(said[0].text) :][:1]) == (language != "zh")
