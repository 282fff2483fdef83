"""The phrasebook's words: tables a speaker can read and mend, one row a concept, a column a language.

``nouns.tsv verbs.tsv adjectives.tsv names.tsv words.tsv`` lie beside this file. The first columns say what a concept
means, the same for every language (what it is a kind of, what can do it, what it is opposite to); the language
columns hold cells of the form

    lemma | tag | tag | key=form | key=form

for example ``Hund | m | pl=Hunde``. Which tags and keys a language uses is said at the top of its grammar file.
"""

from __future__ import annotations

import csv
import functools
from dataclasses import dataclass, field
from importlib import resources

__all__ = ["Cell", "Concept", "Lexicon", "concepts", "lexicon", "parse_cell"]

TABLES = ("nouns", "verbs", "adjectives", "names", "words")
MEANING_COLUMNS = {
    "nouns": ("isa", "countable", "emoji"),
    "verbs": ("type", "isa", "subjects", "objects", "emoji"),
    "adjectives": ("axis", "applies", "emoji"),
    "names": ("kind", "gender"),
    "words": ("kind", "emoji"),
}


@dataclass(frozen=True)
class Concept:
    """What a row means in every language; ``meaning`` holds the columns of its table named in MEANING_COLUMNS."""

    name: str
    table: str
    meaning: dict[str, str] = field(hash=False)

    def __getitem__(self, column: str) -> str:
        return self.meaning[column]


@dataclass(frozen=True)
class Cell:
    """A concept in one language: its lemma, its tags (gender, class, …) and irregular or stored forms."""

    concept: str
    lemma: str
    tags: frozenset[str]
    forms: dict[str, str] = field(hash=False)

    def form(self, key: str, default: str | None = None) -> str:
        """The stored form ``key``; else ``default``; else the lemma."""
        return self.forms.get(key, self.lemma if default is None else default)

    def tagged(self, *tags: str) -> str:
        """The first of ``tags`` this cell carries; every cell of the kind must carry one."""
        for tag in tags:
            if tag in self.tags:
                return tag
        raise AssertionError(f"{self.concept} '{self.lemma}' carries none of {tags}")


class Lexicon:
    """All words of one language, by concept name."""

    def __init__(self, language: str, cells: dict[str, Cell]) -> None:
        self.language = language
        self.cells = cells

    def __getitem__(self, concept: str) -> Cell:
        return self.cells[concept]


def parse_cell(concept: str, text: str) -> Cell:
    """``"Hund | m | pl=Hunde"`` → Cell("Hund", {"m"}, {"pl": "Hunde"})."""
    lemma, *rest = [part.strip() for part in text.split("|")]
    forms = dict(part.split("=", 1) for part in rest if "=" in part)
    tags = frozenset(part for part in rest if part and "=" not in part)
    return Cell(concept, lemma, tags, {key.strip(): form.strip() for key, form in forms.items()})


@functools.cache
def concepts() -> dict[str, Concept]:
    """Every concept of the phrasebook, in table order."""
    return {
        row["concept"]: Concept(row["concept"], table, {name: row[name] for name in MEANING_COLUMNS[table]})
        for table in TABLES
        for row in _rows(table)
    }


@functools.cache
def lexicon(language: str) -> Lexicon:
    """The words of ``language`` (a BCP 47 code that has a column)."""
    cells = {row["concept"]: parse_cell(row["concept"], row[language]) for table in TABLES for row in _rows(table)}
    return Lexicon(language, cells)


@functools.cache
def _rows(table: str) -> list[dict[str, str]]:
    text = resources.files(__package__).joinpath(f"{table}.tsv").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE))
