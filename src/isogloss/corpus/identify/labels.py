"""What the two opinions call a language, and what we call it: a label and a writing → a BCP 47 code, or none.

``labels.tsv`` holds what cannot be said by rule: other codes (``iw`` is ``he``), languages whose code depends on the
writing (``ku`` in Arabic letters is Sorani, ``ckb``), and the writings of languages outside ``languages.tsv``. A label
of that table is its own row in its own script; any other label is a language outside the table, in Latin letters. A
label that the writing of the text cannot be is no opinion: nothing in Greek letters is Basque.

    codes = Codes(["en", "iw"])                       # an opinion's labels
    codes.of_label[codes.place("iw"), WRITINGS.index("Hebr")]     # the place in codes.names of "he"
"""

from __future__ import annotations

import csv
import functools
from collections.abc import Iterable, Mapping
from importlib import resources
from typing import Any

import numpy as np

from isogloss.corpus.identify.scripts import WRITINGS
from isogloss.languages import all_languages, canonical_code, is_known

__all__ = ["KIN", "MEMBERS", "SCRIPT_LANGUAGES", "Codes", "codes_of_label", "writings_of"]

Integers = np.ndarray[Any, np.dtype[np.int64]]

# A macro-language and its members: an opinion for the first supports each of the others.
MEMBERS: Mapping[str, tuple[str, ...]] = {"sh": ("bs", "hr", "sr-Latn")}
# So close that a line of one in a document of another is more often a mistake than a foreign line.
KIN: tuple[tuple[str, ...], ...] = (
    ("bs", "hr", "sr-Latn", "sh"),
    ("no", "nn", "da"),
    ("id", "ms"),
    ("hi-Latn", "ur-Latn"),
    ("gl", "pt", "es"),
    ("cs", "sk"),
    ("fa", "prs", "mzn", "lrc"),
    ("ar", "arz"),
    ("az", "azb", "tr"),
    ("xh", "zu"),
    ("hi", "mr", "ne", "sa", "bh", "mai", "gom", "new"),
    ("be", "ru", "uk", "rue"),
    ("bg", "mk"),
    ("af", "nl"),
)
# Writings of one language of the table alone: the script is an opinion of its own where neither model has one.
SCRIPT_LANGUAGES: Mapping[str, str] = {
    "Grek": "el", "Armn": "hy", "Geor": "ka", "Thai": "th", "Laoo": "lo", "Khmr": "km", "Knda": "kn", "Mlym": "ml",
    "Telu": "te", "Taml": "ta", "Gujr": "gu", "Guru": "pa", "Orya": "or", "Sinh": "si", "Hang": "ko", "Jpan": "ja",
    "Mymr": "my", "Hani": "zh-Hans",
}  # fmt: skip
_WRITINGS_OF_SCRIPT = {"Jpan": ("Jpan",), "Kore": ("Hang",), "Hans": ("Hani",), "Hant": ("Hani",), "Qaag": ("Mymr",)}


class Codes:
    """All codes that a set of labels can lead to, and the way from label and writing to code.

    ``names`` are the codes, "" first; ``of_label`` (labels + 1, WRITINGS) holds places in ``names``, 0 where the label
    cannot be that writing; its last row is for labels that are not among ``labels``.
    """

    def __init__(self, labels: Iterable[str], *, others: Iterable[str] = ()) -> None:
        self.labels = tuple(sorted(set(labels)))
        self._place_of_label = {label: place for place, label in enumerate(self.labels)}
        found = [codes_of_label(label) for label in self.labels]
        used = {code for table in found for code in table.values()} | {language.code for language in all_languages()}
        self.names = ("", *sorted((used | set(others) | set(SCRIPT_LANGUAGES.values())) - {""}))
        self._place_of_code = {code: place for place, code in enumerate(self.names)}
        self.of_label: Integers = np.zeros((len(self.labels) + 1, len(WRITINGS)), np.int64)
        for row, table in enumerate(found):
            for writing, code in table.items():
                self.of_label[row, WRITINGS.index(writing)] = self._place_of_code[code]
        self.of_script: Integers = np.array([self.code(SCRIPT_LANGUAGES.get(name, "")) for name in WRITINGS], np.int64)
        self.supports = np.eye(len(self.names), dtype=np.bool_)
        for macro, members in MEMBERS.items():
            if macro in self._place_of_code:
                self.supports[[self.code(member) for member in members], self.code(macro)] = True

    def place(self, label: str) -> int:
        """The row of a label; the last row for one that is not known."""
        return self._place_of_label.get(label, len(self.labels))

    def code(self, name: str) -> int:
        """The place of a code in ``names``."""
        return self._place_of_code[name]


def codes_of_label(label: str) -> dict[str, str]:
    """Writing → code for one label of either opinion."""
    table = {}
    if is_known(label) and canonical_code(label) == label:
        table = dict.fromkeys(writings_of(label), label)
    elif is_known(label) and label not in _rows():
        code = canonical_code(label)
        table = dict.fromkeys(writings_of(code), code)
    elif label not in _rows():
        table = {"Latn": label}
    return table | _rows().get(label, {})


def writings_of(code: str) -> tuple[str, ...]:
    """The writings of a language of the table."""
    script = next(row.script for row in all_languages() if row.code == code)
    return _WRITINGS_OF_SCRIPT.get(script, (script,))


@functools.cache
def _rows() -> dict[str, dict[str, str]]:
    text = resources.files("isogloss.corpus.identify").joinpath("labels.tsv").read_text(encoding="utf-8")
    rows: dict[str, dict[str, str]] = {}
    for values in csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE):
        rows.setdefault(values["label"], {})[values["writing"]] = values["code"]
    return rows
