"""Joining: agreement beats either opinion, a sure fastText beats CLD2 and an unsure one does not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isogloss.corpus.identify.join import Joined, join
from isogloss.corpus.identify.labels import Codes
from isogloss.corpus.identify.scripts import WRITINGS

CODES = Codes(["de", "en", "hr", "sh", "so", "sr"])
LATIN, GREEK = WRITINGS.index("Latn"), WRITINGS.index("Grek")
SHARE = st.floats(0.01, 1)


def joined(
    first: tuple[str, float], second: tuple[str, float], writing: int = LATIN, **others: tuple[str, float]
) -> Joined:
    """One text, one answer of each opinion; "" is none. fastText does not know Somali here."""

    def answer(said: tuple[str, float]) -> tuple[np.ndarray, np.ndarray]:
        return np.array([[CODES.code(said[0])]]), np.array([[said[1]]])

    prior = others.get("prior")
    return join(
        CODES,
        np.array([writing]),
        answer(first),
        answer(second),
        second_weight=10.0,
        unknown_to_first=np.array([name == "so" for name in CODES.names]),
        unknown_to_second=np.zeros(len(CODES.names), np.bool_),
        prior=(np.array([CODES.code(prior[0])]), np.array([prior[1]])) if prior else None,
    )


def name(found: Joined) -> str:
    return CODES.names[int(found.codes[0])]


@given(SHARE, SHARE)
def test_confidence_is_a_share_and_agreement_raises_it(first: float, second: float) -> None:
    together, apart = joined(("de", first), ("de", second)), joined(("de", first), ("hr", second))
    assert 0 <= apart.confidence[0] <= together.confidence[0] <= 1 + 1e-9
    assert bool(together.agreed[0]) is True
    assert bool(apart.agreed[0]) is False


@pytest.mark.parametrize(("sure", "winner"), [(0.2, "hr"), (0.5, "hr"), (0.97, "de")])
def test_who_wins_depends_on_how_sure_fasttext_is(sure: float, winner: str) -> None:
    assert name(joined(("de", sure), ("hr", 0.98))) == winner


def test_english_of_cld2_hardly_counts_against_another_language() -> None:
    assert name(joined(("de", 0.5), ("en", 0.98))) == "de"
    assert name(joined(("en", 0.3), ("en", 0.98))) == "en"


def test_a_language_fasttext_cannot_name_needs_less() -> None:
    assert name(joined(("de", 0.95), ("so", 0.98))) == "so"


def test_a_macro_language_supports_its_members() -> None:
    found = joined(("sh", 0.9), ("hr", 0.98))
    assert name(found) == "hr"
    assert bool(found.agreed[0]) is True


def test_with_no_opinion_the_script_decides_where_it_can() -> None:
    assert name(joined(("", 0.0), ("", 0.0), GREEK)) == "el"
    assert name(joined(("", 0.0), ("", 0.0), LATIN)) == ""
    assert joined(("", 0.0), ("", 0.0), LATIN).confidence[0] == 0


def test_the_document_helps_a_doubtful_line_and_not_a_sure_one() -> None:
    assert name(joined(("de", 0.3), ("", 0.0), prior=("hr", 1.0))) == "hr"
    assert name(joined(("de", 0.9), ("de", 0.98), prior=("hr", 1.0))) == "de"
