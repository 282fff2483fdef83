"""Excerpts: no more than asked, from all over the text, the same again; parallel lines stay beside each other."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isogloss.errors import DataError
from isogloss.vocab.excerpts import Excerpt, chosen_languages, read_excerpts, read_parallel


@given(
    documents=st.lists(st.lists(st.text("ab ", max_size=60), max_size=8).map("\n".join), max_size=40),
    most=st.integers(1, 400),
)
def test_an_excerpt_is_lines_of_the_text_and_no_more_than_asked(documents: list[str], most: int) -> None:
    excerpt = Excerpt(of=sum(map(len, documents)), most=most)
    assert list(excerpt.passing(documents)) == documents
    lines = [line for document in documents for line in document.splitlines() if line.strip()]
    assert sum(map(len, excerpt.lines)) <= most
    assert bool(excerpt.lines) == bool(lines)
    rest = iter(lines)
    assert all(any(line.startswith(taken) for line in rest) for taken in excerpt.lines), "in order, each once"


def test_an_excerpt_is_of_the_whole_text_evenly() -> None:
    documents = [f"{number:06} " * 3 for number in range(10_000)]
    excerpt = Excerpt(of=sum(map(len, documents)), most=21_000)
    list(excerpt.passing(documents))
    numbers = [int(line[:6]) for line in excerpt.lines]
    assert len(numbers) == pytest.approx(1000, abs=2)
    assert max(later - earlier for earlier, later in itertools.pairwise(numbers)) <= 11
    assert numbers[0] == 0
    assert numbers[-1] > 9_980


def test_a_single_line_is_no_large_part_of_an_excerpt() -> None:
    excerpt = Excerpt(of=1_000_100)
    list(excerpt.passing(["x" * 1_000_000, "y" * 100]))
    assert [line[0] for line in excerpt.lines] == ["x", "y"]
    assert len(excerpt.lines[0]) == 10_000


def test_a_corpus_folder_and_a_plain_one_are_read_alike(write_corpus: Callable[..., Path], tmp_path: Path) -> None:
    texts = {"en": ["one line\nand another", "a second document"], "zh-Hans": ["面包的香味"]}
    corpus = write_corpus(tmp_path / "corpus", {**texts, "sw": []})
    plain = tmp_path / "plain"
    plain.mkdir()
    (plain / "en.txt").write_text("\n\n".join(texts["en"]), "utf-8")
    (plain / "zh.txt").write_bytes(b"\xef\xbb\xbf" + texts["zh-Hans"][0].encode() + b"\r\n")
    expected = {"en": ["one line", "and another", "a second document"], "zh-Hans": ["面包的香味"]}
    assert dict(read_excerpts(corpus)) == dict(read_excerpts(plain)) == expected
    assert dict(read_excerpts(corpus, ["zh"])) == {"zh-Hans": expected["zh-Hans"]}
    assert chosen_languages(corpus, []) == ["en", "zh-Hans"]
    assert [len("".join(lines)) for _, lines in read_excerpts(plain, most=5)] == [5, 5]


def test_what_cannot_be_read_is_said_in_one_line(write_corpus: Callable[..., Path], tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path / "corpus", {"en": ["text"], "sw": []})
    for wanted in ("sw", "yo"):
        with pytest.raises(DataError, match=f"has no text of '{wanted}'; it has en"):
            dict(read_excerpts(corpus, [wanted]))
    with pytest.raises(DataError, match=r"neither a corpus folder .* named by language, as en\.txt"):
        dict(read_excerpts(tmp_path))
    plain = tmp_path / "plain"
    plain.mkdir()
    (plain / "en.txt").write_bytes(b"good\nbad \xff\n")
    with pytest.raises(DataError, match=r"en\.txt is not UTF-8 .*; convert it"):
        dict(read_excerpts(plain))
    (plain / "en.txt").write_text("\n \n", "utf-8")
    assert dict(read_excerpts(plain)) == {}
    with pytest.raises(DataError, match="holds no text of 'en'; add text or leave it out"):
        dict(read_excerpts(plain, ["en"]))
    (plain / "eng.txt").write_text("English", "utf-8")
    with pytest.raises(DataError, match=r"eng\.txt and .*en\.txt are both of 'en'; put them into one file"):
        dict(read_excerpts(plain))


def test_parallel_lines_are_the_same_in_every_language(tmp_path: Path) -> None:
    (tmp_path / "en.txt").write_text("a\nbb\n\ndddd\n", "utf-8")
    (tmp_path / "sw.txt").write_text("aaa\nb\nc\nd\n", "utf-8")
    assert dict(read_parallel(tmp_path)) == {"en": ["a", "bb", "", "dddd"], "sw": ["aaa", "b", "c", "d"]}
    # Four characters of the longer one end after two lines.
    assert dict(read_parallel(tmp_path, most=4)) == {"en": ["a", "bb"], "sw": ["aaa", "b"]}
    (tmp_path / "sw.txt").write_text("aaa\n", "utf-8")
    with pytest.raises(DataError, match=r"sw\.txt has 1 lines, .*en\.txt has 4; parallel files"):
        dict(read_parallel(tmp_path))
