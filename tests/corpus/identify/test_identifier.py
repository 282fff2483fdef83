"""Identification of texts: every language of the table, reasons for none, and no memory of the neighbours."""

from __future__ import annotations

import dataclasses
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isogloss.config import make_settings
from isogloss.corpus.identify import REASONS, Identified, Identifier, IdentifySettings
from isogloss.errors import ConfigError
from isogloss.languages import all_languages


def test_every_language_of_the_table_is_said(
    identifier: Identifier, sentences: dict[str, str], romanised_sentences: list[tuple[str, str]]
) -> None:
    wanted = [*sentences.items(), *romanised_sentences]
    found = identifier.texts([text for _, text in wanted])
    said: dict[str, set[str]] = {}
    for row, (code, _) in enumerate(wanted):
        said.setdefault(code, set()).add(found.language(row))
    assert set(said) == {row.code for row in all_languages()}
    assert {code for code in said if code not in said[code]} == set()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no letters"),
        ("12.5 % 😀", "no letters"),
        ("ok", "short"),
        ("Saluton al ĉiuj amikoj de la bela lingvo", ""),
        ("Mae hen wlad fy nhadau yn annwyl i mi", ""),
        ("Kātahi ka haere te wahine ki te whare o tōna whaea.", "other language"),
        ("Xqzt vwpk brrgh zzt qwx jkl pfft grmbl xyz", "low confidence|disagree"),
    ],
)
def test_reasons(identifier: Identifier, text: str, reason: str) -> None:
    found = identifier.texts([text])
    assert found.reason(0) in reason.split("|")
    assert found.reason(0) in REASONS
    assert bool(found.language(0)) is (found.reason(0) in {"", "other language"})


@settings(max_examples=30)
@given(st.lists(st.text(st.characters(exclude_categories=[]), max_size=40), max_size=8), st.randoms())
def test_the_neighbours_make_no_difference(identifier: Identifier, texts: list[str], chance: random.Random) -> None:
    order = list(range(len(texts)))
    chance.shuffle(order)
    one, other = identifier.texts(texts), identifier.texts([texts[place] for place in order])
    for field in dataclasses.fields(Identified):
        if field.name != "names":
            assert np.array_equal(getattr(one, field.name)[order], getattr(other, field.name)), field.name


def test_line_feeds_and_controls_do_no_harm(identifier: Identifier) -> None:
    text = "Die Kinder\nspielen\x00 im Garten,\r\nund ihre Mutter\ud800 kocht."
    assert identifier.texts([text]).language(0) == "de"


def test_many_texts_are_the_same_as_few(identifier: Identifier, sentences: dict[str, str]) -> None:
    texts = list(sentences.values()) * 30
    found = identifier.texts(texts)
    assert len(found) == len(texts) > 2000
    assert np.array_equal(found.codes, np.tile(found.codes[: len(sentences)], 30))


def test_only_languages_asked_for_are_kept() -> None:
    chosen = Identifier(IdentifySettings(languages=("sw", "zh")))
    found = chosen.texts(
        ["Watoto wanacheza bustanini na mama anapika.", "孩子们在花园里玩耍。", "The children are playing."]
    )
    assert [found.reason(row) for row in range(3)] == ["", "", "other language"]
    assert [found.language(row) for row in range(3)] == ["sw", "zh-Hans", "en"]


def test_a_bad_code_is_refused_by_name() -> None:
    with pytest.raises(ConfigError, match="klingonisch"):
        make_settings(IdentifySettings, {"languages": ["klingonisch"]})


def test_records_are_what_the_command_prints(identifier: Identifier) -> None:
    (record,) = identifier.texts(["Watoto wanacheza bustanini na mama anapika."]).records()
    assert record["language"] == "sw"
    assert set(record) == {"language", "confidence", "agreed", "reason", "opinions"}
    assert record["opinions"][1] == "sw"
