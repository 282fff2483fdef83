"""The two opinions: they answer to any text once it is clean, and their shares are shares."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isogloss.corpus.identify.opinions import cld2_opinion, clean, fasttext_opinion

pytest.importorskip("pycld2")
pytest.importorskip("fasttext")


@given(st.text(st.characters(exclude_categories=[]), max_size=60))
def test_any_text_can_be_asked_about_when_clean(text: str) -> None:
    cleaned = clean(text)
    assert len(cleaned) == len(text)
    for opinion in (fasttext_opinion(), cld2_opinion()):
        answers = opinion.ask([cleaned])
        assert answers.labels.shape == answers.shares.shape == (1, 3)
        assert ((answers.shares >= 0) & (answers.shares <= 1)).all()
        assert (answers.labels <= len(opinion.names)).all()


def test_every_code_point_is_taken_or_cleaned_away() -> None:
    for start in range(0, sys.maxunicode + 1, 4096):
        cleaned = clean("".join(map(chr, range(start, start + 4096))))
        assert len(cld2_opinion().ask([cleaned]).labels) == 1


def test_both_know_plain_sentences() -> None:
    texts = ["Die Kinder spielen im Garten.", "Οι φίλοι μου πίνουν καφέ."]
    for opinion in (fasttext_opinion(), cld2_opinion()):
        assert [opinion.names[place] for place in opinion.ask(texts).labels[:, 0]] == ["de", "el"]


def test_stretches_lie_within_the_text_and_do_not_overlap() -> None:
    german, greek = "Die Kinder spielen heute im Garten hinter dem Haus.", "Οι φίλοι μου πίνουν καφέ στην πλατεία."
    text = "\n".join([german] * 3 + [greek] * 3)
    found = cld2_opinion().ask_stretches(text)
    ends = np.array([first + size for first, size, _ in found])
    assert {cld2_opinion().names[label] for *_, label in found} == {"de", "el"}
    assert (ends[:-1] <= np.array([first for first, *_ in found])[1:]).all()
    assert ends[-1] <= len(text.encode())


def test_no_texts_are_no_answers() -> None:
    for opinion in (fasttext_opinion(), cld2_opinion()):
        assert opinion.ask([]).labels.shape == (0, 3)
