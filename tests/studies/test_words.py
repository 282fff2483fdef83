"""Text cut before BPE: nothing but spaces, case and accents changes, and cutting again changes nothing."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isogloss.studies.words import words


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("Hello, world!", "hello , world !"),
        ("Où est-il?", "ou est - il ?"),
        ("我们走。", "我 们 走 。"),
        ("GPT在线", "gpt 在 线"),
        ("a\n\nb", "a\n\nb"),
    ],
)
def test_words_are_set_apart(text: str, cut: str) -> None:
    assert words(text) == cut


@pytest.mark.parametrize("text", ["नमस्ते दुनिया", "สวัสดี", "مَرْحَبًا", "வணக்கம்"])
def test_marks_stay_with_their_letters(text: str) -> None:
    cut = words(text)
    assert unicodedata.normalize("NFC", cut.replace(" ", "")) == unicodedata.normalize("NFC", text.replace(" ", ""))
    assert not any(unicodedata.category(word[0]).startswith("M") for word in cut.split())


@given(st.text(max_size=60))
def test_cutting_twice_changes_nothing(text: str) -> None:
    assert words(words(text)) == words(text)
