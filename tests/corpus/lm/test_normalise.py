"""The normaliser in the model does what the rules say, and nothing reaches across a space."""

from __future__ import annotations

import unicodedata

import pytest
import sentencepiece
from hypothesis import given
from hypothesis import strategies as st

from isogloss.corpus.lm.normalise import NormalisationSettings, normalisation_rules, normaliser_spec


@pytest.fixture(scope="module")
def normalise():
    normaliser = sentencepiece.SentencePieceNormalizer(normalizer_spec=normaliser_spec(NormalisationSettings()))
    return lambda text: normaliser.normalize(text).replace("\u2581", " ").strip()


# No rule can name NUL.
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30)


@given(text=TEXT)
def test_what_ccnet_does_away_with_is_gone(normalise, text: str) -> None:
    done = normalise(text)
    assert done == done.lower()
    categories = {unicodedata.category(character) for character in unicodedata.normalize("NFD", done)}
    assert not categories & {"Mn", "Cc", "Zl", "Zp"}
    assert not {character for character in done if unicodedata.category(character) == "Nd"} - {"0"}
    assert "  " not in done


@given(text=TEXT, more=TEXT)
def test_words_are_normalised_alone_as_in_their_line(normalise, text: str, more: str) -> None:
    together = f"{normalise(text)} {normalise(more)}".strip()
    assert normalise(f"{text} {more}") == together


def test_forms_that_mean_the_same_come_out_alike(normalise) -> None:
    for one, other in (
        ("É", "e\u0301"),
        ("ＡＢＣ，１２", "abc,00"),
        ("“a”…", '"a"...'),
        ("한글", "\u1112\u1161\u11ab글"),
    ):
        assert normalise(one) == normalise(other)
    assert normalise("٣ ৪ 5") == "0 0 0"


def test_each_setting_switches_one_thing_off() -> None:
    kept = {"lowercase": "A", "strip_accents": "é", "digits_to_zero": "7", "ascii_punctuation": "。"}
    for name, character in kept.items():
        rules = normalisation_rules(NormalisationSettings(**{name: False}))
        assert character not in rules
        assert all(other in rules for other in set(kept.values()) - {character})
