"""From a clause to a sentence of a language, with the place of every word."""

from __future__ import annotations

import functools
import importlib
import re
from dataclasses import dataclass

from isogloss.errors import ConfigError
from isogloss.phrasebook.clauses import QUESTION_FRAMES, Clause
from isogloss.phrasebook.grammar.words import FrameTable, Word
from isogloss.phrasebook.lexicon import lexicon

__all__ = ["LANGUAGES", "Sentence", "Span", "Writing", "join_sentences", "realise"]


@dataclass(frozen=True)
class Writing:
    """How a language is written: what joins words and sentences, its closing marks, whether it has capitals."""

    space: str = " "
    full_stop: str = "."
    question_mark: str = "?"
    between_sentences: str = " "
    capitals: bool = True
    capital_i: str = "I"


# The languages of XNLI. Thai closes a sentence with a space; Greek asks with a semicolon; French puts a hard space
# before its question mark.
LANGUAGES: dict[str, Writing] = {
    "ar": Writing(question_mark="؟", capitals=False),
    "bg": Writing(),
    "de": Writing(),
    "el": Writing(question_mark=";"),
    "en": Writing(),
    "es": Writing(),
    "fr": Writing(question_mark="\u00a0?"),
    "hi": Writing(full_stop="।", capitals=False),
    "ru": Writing(),
    "sw": Writing(),
    "th": Writing(space="", full_stop="", question_mark="", capitals=False),
    "tr": Writing(capital_i="İ"),
    "ur": Writing(full_stop="۔", question_mark="؟", capitals=False),
    "vi": Writing(),
    "zh": Writing(space="", full_stop="。", question_mark="？", between_sentences="", capitals=False),
}


@dataclass(frozen=True)
class Span:
    """A word in its sentence: ``sentence.text[start:end]``, its clause slot and, for names, PER, LOC or ORG."""

    start: int
    end: int
    role: str
    entity: str


@dataclass(frozen=True)
class Sentence:
    """A sentence of a language and its words; a closing mark is the last word, without a role."""

    text: str
    words: tuple[Span, ...]

    def answer(self, role: str) -> tuple[int, int]:
        """First and last character (exclusive) of the words of ``role``."""
        spans = [word for word in self.words if word.role == role]
        assert spans, f"no words of role {role} in '{self.text}'"
        return spans[0].start, spans[-1].end


def realise(clause: Clause, language: str) -> Sentence:
    """Say ``clause`` in ``language``; raises ConfigError for a language the phrasebook does not speak."""
    if language not in LANGUAGES:
        raise ConfigError(f"the phrasebook does not speak '{language}'; it speaks {', '.join(LANGUAGES)}")
    how = LANGUAGES[language]
    words = _frames(language)[clause.frame](clause, lexicon(language))
    mark = how.question_mark if clause.frame in QUESTION_FRAMES else how.full_stop
    if how.capitals:
        words = _capitalised(words, how)
    return _joined(words, mark, how)


def join_sentences(sentences: list[Sentence], language: str) -> str:
    """Running text of several sentences."""
    return LANGUAGES[language].between_sentences.join(sentence.text for sentence in sentences)


@functools.cache
def _frames(language: str) -> FrameTable:
    table: FrameTable = importlib.import_module(f"{__package__}.{language}").FRAMES
    return table


def _capitalised(words: list[Word], how: Writing) -> list[Word]:
    """Capital on the first letter; an opening mark (¿) goes before it."""
    for index, word in enumerate(words):
        if word.text[0].isalpha():
            first = how.capital_i if word.text[0] == "i" else word.text[0].upper()
            capital = Word(first + word.text[1:], word.role, word.entity, word.glued)
            return [*words[:index], capital, *words[index + 1 :]]
    return words


def _joined(words: list[Word], mark: str, how: Writing) -> Sentence:
    text = ""
    spans: list[Span] = []
    for index, word in enumerate(words):
        if index and not words[index - 1].glued:
            text += how.space
        spans.append(Span(len(text), len(text) + len(word.text), word.role, word.entity))
        text += word.text
    return Sentence(text + mark, (*spans, *_closing(len(text), mark)))


def _closing(start: int, mark: str) -> tuple[Span, ...]:
    """The words of a closing mark written at ``start``: a space in it (French) belongs to none."""
    return tuple(Span(start + word.start(), start + word.end(), "", "") for word in re.finditer(r"\S+", mark))
