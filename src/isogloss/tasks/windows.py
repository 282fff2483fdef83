"""Examples become sequences of ids for the model: `<s> A </s>`, `<s> A </s></s> B </s>`, and windows of long texts.

    windows = make_windows("tag", examples, tokenizer, language="en", max_length=512)
    targets = make_targets("tag", examples, windows, labels)          # for training: isogloss.tasks.targets
    ...one output of the model a window...
    outputs.predictions("tag", windows, logits, labels, num_examples=len(examples))

Each window remembers its example and what its rows stand for. Texts to classify are cut to the length of the
model, the longer of a pair first, unless windows of them are asked for. Sentences to tag and contexts to search are
never cut: they are read through overlapping windows, and a word is taken from the window that shows most text on both
its sides.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
import numpy.typing as npt

from isogloss.errors import ConfigError
from isogloss.languages import is_unspaced
from isogloss.tasks.examples import (
    ChoiceExample,
    Example,
    Kind,
    PairExample,
    QuestionExample,
    RatedExample,
    TaggedExample,
    TextExample,
)
from isogloss.tasks.words import IntArray, Span, further_rows, join_words, word_rows

if TYPE_CHECKING:
    from isogloss.vocab import Tokenizer

__all__ = [
    "ContextWindow",
    "Long",
    "TextWindow",
    "Window",
    "WordWindow",
    "make_windows",
    "question_windows",
    "text_windows",
    "word_windows",
]


# What becomes of a text that is longer than the model reads.
Long = Literal["cut", "windows"]

# Pieces that neighbouring windows share, unless that is more than half a window.
OVERLAP = 128
# What COPA's words ask for, in words; the same ones in every language.
QUESTIONS = {"cause": "What was the cause?", "effect": "What happened as a result?"}
# Less than this leaves no room for text beside the special pieces and a question.
SHORTEST = 16


@dataclass(frozen=True, slots=True)
class TextWindow:
    """A text or a pair; the whole sequence is classified."""

    example: int
    ids: IntArray


@dataclass(frozen=True, slots=True)
class WordWindow:
    """A sentence or a part of it: `words[i]` is read from `rows[i]`, a row of its own where `own[i]`.

    `further_rows[i]` is one that no word is read from, in the word `further_words[i]`: training labels it too, where
    running text is read from such rows.
    """

    example: int
    ids: IntArray
    words: IntArray
    rows: IntArray
    own: npt.NDArray[np.bool_]
    further_rows: IntArray = field(default_factory=lambda: _ints([]))
    further_words: IntArray = field(default_factory=lambda: _ints([]))


@dataclass(frozen=True, slots=True)
class ContextWindow:
    """A question and a part of its context; its piece i is row `first_row + i` and characters `starts[i]:ends[i]`.

    `shown` goes from the end of the piece before the window to the start of the one after it: what it holds beside the
    window's pieces (spaces, characters that were dropped) no piece has.
    """

    example: int
    ids: IntArray
    first_row: int
    starts: IntArray
    ends: IntArray
    shown: Span = (0, sys.maxsize)


Window = TextWindow | WordWindow | ContextWindow


def make_windows(
    kind: Kind, examples: Sequence[Example], tokenizer: Tokenizer, *, language: str, max_length: int, found_in: str = ""
) -> list[Window]:
    """The sequences of examples, in their order; an example of kind tag or answer may have several.

    Of pairs all sentences to look for come first, then all translations, which are in the language `found_in`.
    """
    if max_length < SHORTEST:
        raise ConfigError(f"max_length = {max_length} leaves no room for text; tasks need at least {SHORTEST}")
    of_translations, tokenizer = tokenizer.for_language(found_in or language), tokenizer.for_language(language)
    if kind in ("classify", "rate"):
        pairs = [example.texts for example in examples if isinstance(example, TextExample | RatedExample)]
        return list(text_windows(pairs, tokenizer, max_length=max_length))
    if kind == "choose":
        choices = [example for example in examples if isinstance(example, ChoiceExample)]
        return _choice_windows(choices, tokenizer, max_length=max_length)
    if kind == "retrieve":
        found = [example for example in examples if isinstance(example, PairExample)]
        sources, targets = [(example.source,) for example in found], [(example.target,) for example in found]
        return [
            *text_windows(sources, tokenizer, max_length=max_length),
            *text_windows(targets, of_translations, max_length=max_length),
        ]
    if kind == "tag":
        tagged = [
            join_words(example.words, language=language) for example in examples if isinstance(example, TaggedExample)
        ]
        return list(word_windows(tagged, tokenizer, max_length=max_length, further=is_unspaced(language)))
    questions = [(example.question, example.context) for example in examples if isinstance(example, QuestionExample)]
    return list(question_windows(questions, tokenizer, max_length=max_length))


def _choice_windows(examples: Sequence[ChoiceExample], tokenizer: Tokenizer, *, max_length: int) -> list[Window]:
    """A sequence a choice, behind the premise and what is asked: `<s> premise question </s></s> choice </s>`."""
    owners = [number for number, example in enumerate(examples) for _ in example.choices]
    pairs = [
        (f"{example.premise} {QUESTIONS.get(example.question, example.question)}", choice)
        for example in examples
        for choice in example.choices
    ]
    windows = text_windows(pairs, tokenizer, max_length=max_length)
    return [TextWindow(owner, window.ids) for owner, window in zip(owners, windows, strict=True)]


def text_windows(
    texts: Sequence[tuple[str, ...]], tokenizer: Tokenizer, *, max_length: int, long: Long = "cut"
) -> list[TextWindow]:
    """The sequences of texts or pairs: one each, cut to `max_length`, the longer text of a pair first.

    With `long="windows"` a text is read to its end instead; of a pair the longer one, beside the other in each window.
    """
    if long not in get_args(Long):
        raise ConfigError(f"long = '{long}' is not known: use {' or '.join(get_args(Long))}")
    # A text that stands in many pairs is encoded once.
    distinct = list(dict.fromkeys(text for parts in texts for text in parts))
    pieces_of = dict(zip(distinct, tokenizer.encode(distinct), strict=True))
    windows: list[TextWindow] = []
    for example, parts in enumerate(texts):
        pieces = [pieces_of[text] for text in parts]
        room = max_length - tokenizer.frame.num_added(len(parts))
        read = _fit if long == "cut" else _divide
        windows += [TextWindow(example, tokenizer.frame.around(*shown)) for shown in read(pieces, room)]
    return windows


def word_windows(
    sentences: Sequence[tuple[str, Sequence[Span]]], tokenizer: Tokenizer, *, max_length: int, further: bool = False
) -> list[WordWindow]:
    """The windows of sentences, each a text and the characters of its words; every word is in exactly one window.

    A stretch in which no word begins has no window. `further` looks for the rows to train on beside the words' own.
    """
    room, first_row = max_length - tokenizer.frame.num_added(1), tokenizer.frame.first_row()
    windows: list[WordWindow] = []
    for example, (text, spans) in enumerate(sentences):
        pieces, starts, ends = tokenizer.encode_with_offsets(text)
        rows, own = word_rows(text, spans, starts, ends)
        openings = _openings(len(pieces), room)
        nearest = _roomiest(rows, openings, len(pieces), room)
        by_window = np.argsort(nearest, kind="stable").astype(np.int32)
        bounds = np.searchsorted(nearest[by_window], np.arange(len(openings) + 1))
        beside, of_words = further_rows(text, spans, starts, ends) if further else (_ints([]), _ints([]))
        nearest_beside = _roomiest(beside, openings, len(pieces), room)
        for window, opening in enumerate(openings):
            words = by_window[bounds[window] : bounds[window + 1]]
            if len(words) == 0:
                continue  # inside of a word that is longer than a window
            ids = tokenizer.frame.around(pieces[opening : opening + room])
            # A sentence without any piece (-1) is read at row 0, <s>.
            in_window = np.maximum(rows[words] - opening + first_row, 0).astype(np.int32)
            more = nearest_beside == window
            more_rows = beside[more] - opening + first_row
            windows.append(WordWindow(example, ids, words, in_window, own[words], more_rows, of_words[more]))
    return windows


def question_windows(
    questions: Sequence[tuple[str, str]], tokenizer: Tokenizer, *, max_length: int
) -> list[ContextWindow]:
    """The windows of (question, context) pairs; a question takes at most half of a window."""
    encoded: dict[str, tuple[IntArray, IntArray, IntArray]] = {}
    frame = tokenizer.frame
    asked = tokenizer.encode([question for question, _ in questions])
    windows: list[ContextWindow] = []
    for example, ((_, context), question) in enumerate(zip(questions, asked, strict=True)):
        if context not in encoded:
            encoded[context] = tokenizer.encode_with_offsets(context)
        pieces, starts, ends = encoded[context]
        room = max_length - frame.num_added(2)
        question = question[: room // 2]
        room -= len(question)
        for opening in _openings(len(pieces), room):
            part = slice(opening, opening + room)
            ids = frame.around(question, pieces[part])
            shown = (
                int(ends[opening - 1]) if opening else 0,
                int(starts[part.stop]) if part.stop < len(pieces) else len(context),
            )
            windows.append(ContextWindow(example, ids, frame.first_row(question), starts[part], ends[part], shown))
    return windows


def _fit(pieces: Sequence[IntArray], room: int) -> list[list[IntArray]]:
    """A text or pair in one window, cut."""
    if len(pieces) == 1:
        return [[pieces[0][:room]]]
    first, second = pieces
    num_first = min(len(first), max(room - len(second), room - room // 2))
    return [[first[:num_first], second[: room - num_first]]]


def _divide(pieces: Sequence[IntArray], room: int) -> list[list[IntArray]]:
    """A text or pair in as many windows as show all of the longer one; the other one takes at most half of each."""
    longer = max(range(len(pieces)), key=lambda place: len(pieces[place]))
    shown = [part if place == longer else part[: room // 2] for place, part in enumerate(pieces)]
    room -= sum(len(part) for place, part in enumerate(shown) if place != longer)
    return [
        [part[opening : opening + room] if place == longer else part for place, part in enumerate(shown)]
        for opening in _openings(len(shown[longer]), room)
    ]


def _openings(num_pieces: int, room: int) -> list[int]:
    """Where windows of `room` pieces begin so that they cover all pieces; the last one ends where the text ends."""
    if num_pieces <= room:
        return [0]
    step = room - min(OVERLAP, room // 2)
    return [*range(0, num_pieces - room, step), num_pieces - room]


def _roomiest(rows: IntArray, openings: Sequence[int], num_pieces: int, room: int) -> IntArray:
    """For each word's piece the window that shows most text around it; the ends of the text are no edges."""
    starts = np.array(openings, np.int64)
    # A step is at least half a window, so a piece is in two windows and perhaps the last one.
    last = np.searchsorted(starts, rows, side="right") - 1
    candidates = np.maximum(last - np.arange(2, -1, -1)[:, None], 0)
    opened = starts[candidates]
    left = np.where(opened == 0, num_pieces, rows - opened)
    right = np.where(opened + room >= num_pieces, num_pieces, opened + room - 1 - rows)
    inside = (rows >= opened) & (rows < opened + room)
    best = np.where(inside, np.minimum(left, right), -1).argmax(axis=0)
    nearest: IntArray = candidates[best, np.arange(len(rows))].astype(np.int32)
    return nearest


def _ints(values: Sequence[int]) -> IntArray:
    return np.array(values, np.int32)
