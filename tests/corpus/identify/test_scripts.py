"""Scripts: letters are counted where they belong, by text, and every language's own name is in its own script."""

from __future__ import annotations

import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isogloss.corpus.identify.labels import writings_of
from isogloss.corpus.identify.scripts import SCRIPTS, WRITINGS, count_scripts, is_unfit, writings
from isogloss.languages import Language, all_languages

ANY_TEXT = st.text(st.characters(exclude_categories=[]), max_size=30)


@given(st.lists(ANY_TEXT, max_size=6))
def test_a_text_is_counted_alike_alone_and_among_others(texts: list[str]) -> None:
    together = count_scripts(texts)
    for row, text in enumerate(texts):
        alone = count_scripts([text])
        assert np.array_equal(alone.counts[0], together.counts[row])
        assert bool(alone.unfit[0]) is bool(together.unfit[row])


@given(ANY_TEXT)
def test_what_is_no_letter_counts_for_none(text: str) -> None:
    letters = [character for character in text if unicodedata.category(character)[0] in "LM"]
    assert count_scripts([text]).total[0] <= 3 * len(letters)
    assert count_scripts(["".join(set(text) - set(letters))]).total[0] == 0


@pytest.mark.parametrize("row", all_languages(), ids=lambda row: row.code)
def test_own_names_are_in_their_script(row: Language) -> None:
    if row.script == "Latn":
        allowed: tuple[str, ...] = ("Latn",)
    else:
        # 日本語 has no kana.
        allowed = (*writings_of(row.code), *(("Hani",) if row.script == "Jpan" else ()))
    assert WRITINGS[writings(count_scripts([row.own_name]), min_kana=0.05)[0]] in allowed


def test_japanese_is_han_with_kana() -> None:
    texts = ["東京都", "東京へ行く", "東京へ" + "東" * 60, "ひらがな"]
    found = writings(count_scripts(texts), min_kana=0.05)
    assert [WRITINGS[place] for place in found] == ["Hani", "Jpan", "Hani", "Jpan"]


def test_han_says_more_than_latin_letters() -> None:
    assert WRITINGS[writings(count_scripts(["我用 Python 写程序"]), min_kana=0.05)[0]] == "Hani"


def test_every_script_has_a_letter_of_its_own() -> None:
    counts = count_scripts([chr(point) for point in range(0x32000) if not 0xD800 <= point < 0xE000]).counts
    assert set(np.flatnonzero(counts.sum(axis=0))) == set(range(2, len(SCRIPTS)))


def test_controls_are_unfit_and_tabs_are_not() -> None:
    assert [is_unfit(ord(character)) for character in "\n\x00\x85\ud800\ufdd0\ufffe"] == [True] * 6
    assert not is_unfit(ord("\t"))
    assert not is_unfit(ord("é"))
