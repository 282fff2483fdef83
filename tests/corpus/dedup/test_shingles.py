"""Shingles are those of a plain loop over words or characters, and two are equal when their texts are."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isogloss.corpus.dedup.normalise import normalise_lines
from isogloss.corpus.dedup.shingles import Division, division_of, shingle_hashes
from isogloss.languages import all_languages

TEXTS = st.lists(st.text(st.sampled_from("ab cA,\né猫😀"), max_size=25), max_size=6)
DIVISIONS = st.sampled_from(["words", "ideographs", "letters"])


def plain_shingles(text: str, length: int, division: Division) -> list[tuple[str, ...]]:
    words = normalise_lines(text + "\n").split()
    tokens = words if division == "words" else list("".join(words))
    if not tokens:
        return []
    return [tuple(tokens[start : start + length]) for start in range(max(1, len(tokens) - length + 1))]


@given(texts=TEXTS, length=st.integers(1, 5), division=DIVISIONS, cut=st.integers(0, 6))
def test_shingles_are_those_of_the_plain_loop(texts: list[str], length: int, division: Division, cut: int) -> None:
    column = pa.chunked_array([pa.array(part, pa.string()) for part in (texts[:cut], texts[cut:])])
    found = shingle_hashes(column, length=length, division=division)
    truth = [plain_shingles(text, length, division) for text in texts]
    assert found.starts.tolist() == [sum(map(len, truth[:number])) for number in range(len(texts) + 1)]
    flat = [shingle for shingles in truth for shingle in shingles]
    meant: dict[int, tuple[str, ...]] = dict(zip(found.hashes.tolist(), flat, strict=True))
    assert [meant[value] for value in found.hashes.tolist()] == flat, "two shingles, one hash"
    assert len(meant) == len(set(flat)), "one shingle, two hashes"
    words = [normalise_lines(text + "\n").split() for text in texts]
    assert found.tokens.tolist() == [len(part if division == "words" else "".join(part)) for part in words]


def test_a_shingle_has_one_hash_wherever_it_stands() -> None:
    far = "far away " * 60_000
    near, far_away = (set(shingle_hashes(pa.array([text]), length=3, division="words").hashes.tolist()) for text in
                      ("one two three", f"{far} one two three"))  # fmt: skip
    assert near < far_away


@pytest.mark.parametrize(
    ("code", "division"),
    [("en", "words"), ("vi", "words"), ("luo", "words"), ("zh", "ideographs"), ("ja", "ideographs"), ("th", "letters")],
)
def test_what_shingles_of_a_language_are_made_of(code: str, division: str) -> None:
    assert division_of(code) == division


def test_only_languages_without_spaces_are_divided_by_characters() -> None:
    for row in all_languages():
        assert (division_of(row.code) == "words") == (row.word_division != "none"), row.code
