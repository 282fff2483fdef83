"""The alphabet by coverage, and the choice of words: all that fit, and sums that stay true where not all do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isogloss.vocab.choosing import choose_alphabet, choose_words, find_floor, keep_words
from isogloss.vocab.counting import UNIT, Row, WordCounts
from isogloss.vocab.layout import SPACE


def characters(**counts: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    table = np.zeros(0x110000, np.int64)
    for character, count in counts.items():
        table[ord(character)] = count * UNIT
    return table


def test_the_alphabet_covers_as_sentencepiece_has_it() -> None:
    counts = characters(e=60, a=30, c=5, b=5)
    assert choose_alphabet(counts, coverage=1.0) == {"e": 60, "a": 30, "b": 5, "c": 5}
    assert list(choose_alphabet(counts, coverage=0.95)) == ["e", "a", "b"], "of equals the first by code"
    assert list(choose_alphabet(counts, coverage=0.9)) == ["e", "a"]
    assert list(choose_alphabet(counts, coverage=0.91)) == ["e", "a", "b"]


@given(taken=st.dictionaries(st.integers(1, 50), st.integers(1, 50), min_size=1), room=st.integers(1, 400))
def test_the_floor_fills_the_room(taken: dict[int, int], room: int) -> None:
    floor = find_floor(taken, room=room)
    used = sum(size * min(1.0, times / floor) for times, size in taken.items())
    if sum(taken.values()) <= room:
        assert floor == 1
    else:
        assert floor > 1
        assert used == pytest.approx(room)


def test_without_a_floor_every_word_is_kept_as_it_is() -> None:
    rows = [Row("ab", 3, 0.9, 0.9), Row(" ba", 1, 0.99, 0.0)]
    assert list(choose_words(rows, {SPACE: 1, "a": 1, "b": 1}, 1.0)) == [(f"{SPACE}ab", 3), ("ba", 1)]


def test_unknown_characters_cut_words_and_known_ones_are_all_there() -> None:
    alphabet = {SPACE: 9, "a": 7, "b": 5, "z": 4}
    rows = [Row("aXb", 2, 0.0, 0.0), Row("Xa", 1, 0.0, 0.0), Row(" bXXa", 3, 0.0, 0.0), Row("X", 1, 0.0, 0.0)]
    chosen = list(choose_words(rows, alphabet, 1.0))
    assert chosen == [(f"{SPACE}a", 2), ("b", 2), ("a", 1), ("b", 3), ("a", 3), ("z", 4)]


def test_under_a_floor_sums_stay_true_and_heavy_words_are_kept(tmp_path: Path) -> None:
    with WordCounts(tmp_path / "work", memory=1 << 20) as counts:
        counts.begin_language(1.0)
        for number in range(3000):
            word = f"{number:04}"
            counts.add(f" {word}", [word] * (50 if number % 100 == 0 else 1 + number % 3))
        alphabet = choose_alphabet(counts.characters(), coverage=1.0)
        kept = keep_words(counts, tmp_path / "words.tsv", alphabet, room=6000)
        lines = [line.decode().split("\t") for line in kept.lines()]
    assert kept.num_met == 3000
    assert kept.num_words == len(lines)
    assert kept.num_characters == sum(len(word) for word, _ in lines) == pytest.approx(6000, rel=0.1)
    times = {word: int(count) for word, count in lines}
    assert all(times[f"{SPACE}{number:04}"] == 50 for number in range(0, 3000, 100))
    assert sum(times.values()) == pytest.approx(30 * 50 + sum(1 + n % 3 for n in range(3000) if n % 100), rel=0.1)
    assert all(count >= int(kept.floor) for count in times.values())
