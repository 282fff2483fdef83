"""Labels: every row of the table of languages is reached, and how; nothing is said that a writing cannot be."""

from __future__ import annotations

import pytest

from isogloss.corpus.identify import Identifier
from isogloss.corpus.identify.labels import KIN, MEMBERS, SCRIPT_LANGUAGES, codes_of_label, writings_of
from isogloss.corpus.identify.opinions import cld2_opinion, fasttext_opinion
from isogloss.corpus.identify.romanised import ROMANISED
from isogloss.corpus.identify.scripts import WRITINGS
from isogloss.languages import all_languages, canonical_code, is_known

pytest.importorskip("pycld2")
pytest.importorskip("fasttext")

# Reached by our own classifiers, from an opinion for the language in its usual form or, the romanised, from none.
BY_CHARACTERS = {"zh-Hant": "zh-Hans", "my-Qaag": "my"}


def reached_by(labels: tuple[str, ...]) -> set[str]:
    """The codes that the labels lead to in the writing of their language."""
    return {code for label in labels for code in codes_of_label(label).values()}


def test_every_row_of_the_table_is_reached() -> None:
    first, second = reached_by(fasttext_opinion().names), reached_by(cld2_opinion().names)
    for row in all_languages():
        if row.code in ROMANISED:
            assert row.code not in first | second, "an opinion knows it: let it be asked"
        elif row.code in BY_CHARACTERS:
            assert {BY_CHARACTERS[row.code]} <= first & second
        elif row.code in {"ha", "om", "xh"}:
            assert row.code in second - first
        else:
            assert row.code in first & second, row.code


def test_codes_are_those_of_the_table_or_well_formed() -> None:
    for label in (*fasttext_opinion().names, *cld2_opinion().names):
        for writing, code in codes_of_label(label).items():
            assert writing in WRITINGS
            assert code == "" or canonical_code(code) == code
            assert not is_known(code) or writing in (*writings_of(code), "Hani")


def test_a_label_leads_nowhere_in_a_writing_it_cannot_be(identifier: Identifier) -> None:
    codes = identifier.codes
    greek, arabic, latin = (WRITINGS.index(name) for name in ("Grek", "Arab", "Latn"))
    assert codes.of_label[codes.place("eu"), greek] == 0
    assert codes.names[codes.of_label[codes.place("ku"), arabic]] == "ckb"
    assert codes.names[codes.of_label[codes.place("ku"), latin]] == "ku"
    assert codes.of_label[codes.place("no such label")].sum() == 0


def test_groups_name_known_codes(identifier: Identifier) -> None:
    names = set(identifier.codes.names) | {"prs"}
    assert {code for kin in KIN for code in kin} <= names
    assert {code for members in MEMBERS.values() for code in members} | set(MEMBERS) <= names
    assert set(SCRIPT_LANGUAGES) <= set(WRITINGS)
    for writing, code in SCRIPT_LANGUAGES.items():
        others = {row.code for row in all_languages() if writing in writings_of(row.code)}
        assert code in others
        assert others - {code} <= set(BY_CHARACTERS)
