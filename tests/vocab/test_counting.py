"""Weighted counts on disk: those of a Counter, the same in any memory, and nothing left behind."""

from __future__ import annotations

import contextlib
import random
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isogloss.vocab.counting import BYTES_A_WORD, UNIT, Row, WordCounts
from isogloss.vocab.layout import SPACE

WORDS = st.lists(
    st.text(alphabet="ab я今😀", min_size=1, max_size=4).map(lambda word: word.replace(" ", "c")), max_size=40
)


def counted(folder: Path, languages: Sequence[tuple[float, list[list[str]]]], *, memory: int) -> list[Row]:
    with WordCounts(folder, memory=memory) as counts:
        for weight, blocks in languages:
            counts.begin_language(weight)
            for words in blocks:
                counts.add(" ".join(words), words)
        next(counts.merged(), None)  # left off in the middle
        rows = list(counts.merged())
        assert rows == list(counts.merged()), "it can be read again"
    return rows


@settings(deadline=None, max_examples=50)
@given(blocks=st.lists(WORDS, max_size=8), most_words=st.integers(1, 100))
def test_counts_are_those_of_a_counter_however_little_memory(blocks: list[list[str]], most_words: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        few = counted(Path(name) / "few", [(1.0, blocks)], memory=most_words * BYTES_A_WORD)
        many = counted(Path(name) / "many", [(1.0, blocks)], memory=1 << 30)
    assert few == many
    assert {row.word: row.times for row in many} == Counter(word for words in blocks for word in words)
    assert len({row.word for row in many}) == len(many)


def test_weights_are_of_a_language_and_sums_stay_true(tmp_path: Path) -> None:
    words = [f"w{number}" for number in range(4000)]
    rows = counted(tmp_path / "work", [(1.0, [words]), (1.3, [words[:3000]])], memory=1 << 30)
    times = {row.word: row.times for row in rows}
    assert set(times.values()) == {1, 2, 3}
    assert sum(times[word] for word in words[:3000]) == pytest.approx(2.3 * 3000, rel=0.02)
    assert all(times[word] == 1 for word in words[3000:])


def test_characters_are_counted_with_the_weights(tmp_path: Path) -> None:
    with WordCounts(tmp_path / "work", memory=1 << 20) as counts:
        counts.begin_language(1.0)
        counts.add(" ab 今", ["ab", "今"])
        counts.begin_language(2.5)
        counts.add(" bb", ["bb"])
        characters = counts.characters()
    told = {chr(point): characters[point] / UNIT for point in characters.nonzero()[0]}
    assert told == {SPACE: 4.5, "a": 1.0, "b": 6.0, "今": 1.0}


def test_chances_are_even_and_of_the_word_alone(tmp_path: Path) -> None:
    words = [f"{number:x}" for number in range(5000)]
    random.Random(1).shuffle(words)
    rows = counted(tmp_path / "a", [(1.0, [words])], memory=1 << 30)
    assert rows == counted(tmp_path / "b", [(1.0, [sorted(words)])], memory=1 << 16)
    for values in ([row.chance for row in rows], [row.rounding for row in rows]):
        assert min(values) >= 0
        assert max(values) < 1
        assert [sum(value < part / 4 for value in values) for part in (1, 2, 3)] == pytest.approx(
            [1250, 2500, 3750], rel=0.1
        )


def test_a_file_read_in_passes_loses_nothing_at_their_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xxhash.xxh3_64_hexdigest", lambda data: f"00{data.decode()}{'0' * 10}")
    words = [f"{number:04x}" for number in (0, 1, 0x3FFF, 0x4000, 0x7FFF, 0x8000, 0xBFFF, 0xC000, 0xFFFE, 0xFFFF)]
    for memory in (1, 500, 1000, 1 << 20):
        assert [row.word for row in counted(tmp_path / "work", [(1.0, [words])], memory=memory)] == words


def test_what_a_killed_run_left_is_neither_counted_nor_kept(tmp_path: Path) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "00").write_bytes(b"0" * 16 + b"old\t4096\n")
    assert [row.word for row in counted(folder, [(1.0, [["new"]])], memory=1 << 20)] == ["new"]
    assert not folder.exists()
    with contextlib.suppress(KeyError), WordCounts(folder, memory=1 << 20):
        raise KeyError
    assert not folder.exists()
