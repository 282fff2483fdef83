"""Groups of languages: every language in one, the same again for a seed, scripts together; groups of a user's own."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isogloss.errors import ConfigError
from isogloss.vocab.clusters import Fingerprint, group_languages, listed_groups

PIECES = st.dictionaries(st.text("abcdефг", min_size=1, max_size=3), st.floats(-15, -0.5), min_size=1, max_size=12)
CODES = ["de", "en", "fr", "ja", "ru", "sw", "yo", "zu"]


@settings(deadline=None, max_examples=40)
@given(
    pieces=st.lists(PIECES, min_size=1, max_size=len(CODES)),
    num_groups=st.integers(1, len(CODES)),
    seed=st.integers(0, 9),
)
def test_every_language_is_in_one_group_and_no_group_is_empty(
    pieces: list[dict[str, float]], num_groups: int, seed: int
) -> None:
    fingerprints = {code: Fingerprint.of(each) for code, each in zip(CODES, pieces, strict=False)}
    if num_groups > len(fingerprints):
        with pytest.raises(ConfigError, match=rf"clusters = {num_groups} .* set clusters={len(fingerprints)} or lower"):
            group_languages(fingerprints, num_groups, seed=seed)
        return
    groups = group_languages(fingerprints, num_groups, seed=seed)
    assert len(groups) == num_groups
    assert all(groups)
    assert sorted(code for group in groups for code in group) == sorted(fingerprints)
    backwards = {code: fingerprints[code] for code in reversed(fingerprints)}
    assert group_languages(backwards, num_groups, seed=seed) == groups


def test_languages_that_share_pieces_are_together_however_little_text_they_have() -> None:
    """Two words lists, each with a language of all its pieces, one of half and one of a tenth of them."""
    fingerprints = {}
    for codes, letters in ((("de", "en", "fr"), "ab"), (("ru", "uk", "bg"), "еф")):
        pieces = {letters[0] * n + letters[1] * m: -3.0 - n - m / 100 for n in range(10) for m in range(10) if n + m}
        for code, part in zip(codes, (1, 2, 10), strict=True):
            fingerprints[code] = Fingerprint.of(dict(list(pieces.items())[::part]))
    assert group_languages(fingerprints, 2, seed=1) == [["bg", "ru", "uk"], ["de", "en", "fr"]]


def test_a_fingerprint_has_characters_first_then_the_more_probable() -> None:
    scores = {"▁the": math.log(0.4), "a": math.log(0.1), "th": math.log(0.3), "é": math.log(0.2)}
    assert Fingerprint.of(scores).weights.tolist() == [-scores[piece] for piece in ("é", "a", "▁the", "th")]


def test_listed_groups_hold_every_language_once() -> None:
    languages = ["de", "en", "ja", "zh-Hans"]
    assert listed_groups([["zh-Hans", "ja"], ["en", "de"]], languages) == [["de", "en"], ["ja", "zh-Hans"]]
    with pytest.raises(ConfigError, match="'en' is listed more than once"):
        listed_groups([["en", "de"], ["ja", "en", "zh-Hans"]], languages)
    with pytest.raises(ConfigError, match="no cluster has de, zh-Hans; add them"):
        listed_groups([["en"], ["ja"]], languages)
    with pytest.raises(ConfigError, match="'fr' is no language of this training; it has de, en, ja, zh-Hans"):
        listed_groups([["en", "de", "fr"], ["ja", "zh-Hans"]], languages)
