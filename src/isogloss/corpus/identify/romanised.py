"""Romanised Bengali, Hindi, Tamil, Telugu and Urdu, which neither opinion knows: by function words, or a trained model.

    evidence = count_words(["yaar kya kar rahe ho aaj"])
    decide_words(evidence)                                # Verdict: hi-Latn, a confidence

``romanised_words.tsv`` lists frequent words in the spellings people chat with, written for this package; a word of
weight two is rare in other languages in Latin letters, one of weight one is not (``main``, ``to``). A text is one of
the five when two different words of weight two stand in it and what is found makes up a quarter of the words, or three
and an eighth (ENOUGH). Hindi and Urdu share most of what is said; what tells them apart are learned words (samay, waqt)
and habits of spelling (hai, hy), so their confidence is low where none of those stands in the text.
"""

from __future__ import annotations

import csv
import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

import numpy as np

__all__ = ["ROMANISED", "Evidence", "Verdict", "count_words", "decide_words", "words_verdict"]

Floats = np.ndarray[Any, np.dtype[np.float64]]
Integers = np.ndarray[Any, np.dtype[np.int64]]

ROMANISED = ("bn-Latn", "hi-Latn", "ta-Latn", "te-Latn", "ur-Latn")
# Different words of weight two → the least share of words found.
ENOUGH = {2: 0.25, 3: 0.12}
# At a share of words found of MIN_SHARE the confidence is one half; it rises to one at SURE_SHARE.
MIN_SHARE, SURE_SHARE = 0.12, 0.45
_SPELLINGS = (
    *(("aa", "a"), ("ii", "i"), ("ee", "i"), ("uu", "u"), ("oo", "u"), ("w", "v")),
    *((mark, " ") for mark in ",.?!"),
)
_WORD = re.compile("[a-z]+")
_ASIDE = 0.7  # the most that a tie of two of them leaves of the confidence


@dataclass(frozen=True)
class Evidence:
    """``scores`` (texts, 5) weights found of each language; ``strong`` (texts, 5) different words of weight two.

    ``words`` (texts,) counts all words in Latin letters; it is 0 for a text in which too little was found to look on.
    """

    scores: Floats
    strong: Integers
    words: Integers


@dataclass(frozen=True)
class Verdict:
    """``language`` (texts,) places in ROMANISED, -1 for none of them; ``confidence`` (texts,)."""

    language: Integers
    confidence: Floats


def count_words(texts: Sequence[str]) -> Evidence:
    """Look for the function words in each text."""
    lexicon, telling = _lexicon(), _telling_words()
    scores = np.zeros((len(texts), len(ROMANISED)))
    strong = np.zeros((len(texts), len(ROMANISED)), np.int64)
    num_words = np.zeros(len(texts), np.int64)
    # All together, as most of the time would go into calls.
    together = _plain("\n".join(text.replace("\n", " ") for text in texts))
    for row, lowered in enumerate(together.split("\n") if texts else ()):
        # Most texts end here, before anything is counted.
        if len(telling.intersection(lowered.split())) < min(ENOUGH):
            continue
        words = _WORD.findall(lowered)
        num_words[row] = len(words)
        seen = set()
        for word in words:
            weights = lexicon.get(word)
            if weights is not None:
                scores[row] += weights
                if word not in seen:
                    seen.add(word)
                    strong[row] += weights == 2
    return Evidence(scores, strong, num_words)


def words_verdict(texts: Sequence[str]) -> Verdict:
    """The language of each text among the five by its function words, or none of them."""
    return decide_words(count_words(texts))


def decide_words(evidence: Evidence) -> Verdict:
    """The language of each text among the five, or none of them."""
    shares = evidence.scores / np.maximum(2 * evidence.words, 1)[:, None]
    best = shares.argmax(axis=1)
    rows = np.arange(len(best))
    share, strong = shares[rows, best], evidence.strong[rows, best]
    others = shares.copy()
    others[rows, best] = 0
    confidence = np.clip(0.5 + 0.5 * (share - MIN_SHARE) / (SURE_SHARE - MIN_SHARE), 0, 1)
    # A second language that fits as well leaves a tie.
    with np.errstate(invalid="ignore", divide="ignore"):
        lead = np.where(share > 0, (share - others.max(axis=1)) / share, 0)
    confidence *= _ASIDE + (1 - _ASIDE) * np.minimum(1, lead * 4)
    found = np.any([(strong >= number) & (share >= least) for number, least in ENOUGH.items()], axis=0)
    return Verdict(np.where(found, best, -1), np.where(found, confidence, 0.0))


def _plain(text: str) -> str:
    """Lower case, and one spelling for what is spelled in several ways: long vowels as short ones, w as v."""
    text = text.lower()
    for several, one in _SPELLINGS:
        text = text.replace(several, one)
    return text


@functools.cache
def _lexicon() -> dict[str, Floats]:
    """Word → its weight in each of the five languages; one where any spelling of it has one, or it is very short."""
    text = resources.files("isogloss.corpus.identify").joinpath("romanised_words.tsv").read_text(encoding="utf-8")
    lexicon: dict[str, Floats] = {}
    rows = list(csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE))
    for values in sorted(rows, key=lambda values: values["weight"], reverse=True):
        places = [ROMANISED.index(code) for code in values["languages"].split()]
        for word in map(_plain, values["words"].split()):
            weights = lexicon.setdefault(word, np.zeros(len(ROMANISED)))
            weights[places] = 1.0 if len(word) <= 2 else float(values["weight"])
    return lexicon


@functools.cache
def _telling_words() -> frozenset[str]:
    return frozenset(word for word, weights in _lexicon().items() if weights.max() == 2)
