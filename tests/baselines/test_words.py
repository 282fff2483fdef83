"""What is known of words: lexicon, files of vectors, padded batches."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from isogloss.baselines.lexicon import LONGEST_WORD, UNKNOWN, Lexicon
from isogloss.baselines.sentences import Sentences
from isogloss.baselines.vectors import read_vectors
from isogloss.errors import DataError

WORDS = st.lists(st.lists(st.text(max_size=6), min_size=1, max_size=5), min_size=1, max_size=6)


@given(sentences=WORDS)
def test_every_training_word_has_a_number_of_its_own(sentences: list[list[str]]) -> None:
    lexicon = Lexicon.of(sentences)
    words = {word for of_words in sentences for word in of_words}
    assert sorted(map(lexicon.word_id, words)) == list(range(1, len(words) + 1))
    assert lexicon.singletons == {word for word in words if sum(of.count(word) for of in sentences) == 1}
    for word in words:
        known = [sum(character in other for other in words) > 1 for character in word]
        assert [number != UNKNOWN for number in lexicon.character_ids(word)] == (known or [False])


def test_a_word_is_found_in_small_letters_and_with_zeros_for_digits() -> None:
    lexicon = Lexicon.of([["Anna", "anna", "paris", "in", "0000"]], more=["Oslo", "anna"])
    assert lexicon.word_id("Paris") == lexicon.word_id("paris") != UNKNOWN
    assert lexicon.word_id("1984") == lexicon.word_id("0000") != UNKNOWN
    assert lexicon.word_id("Anna") != lexicon.word_id("anna")
    assert lexicon.word_id("Oslo") == len(lexicon.words) == lexicon.num_learned + 1
    assert lexicon.word_id("oslo") == UNKNOWN  # never the other way round


def test_the_longest_word_is_read_from_both_ends() -> None:
    lexicon = Lexicon.of([["ab", "ba"]])
    ids = lexicon.character_ids("a" * 100_000 + "b" * 100_000)
    assert ids == [lexicon.character_ids("a")[0]] * (LONGEST_WORD // 2) + [lexicon.character_ids("b")[0]] * (
        LONGEST_WORD // 2
    )


@given(sentences=WORDS, order=st.randoms())
def test_a_batch_holds_each_word_where_it_stands(sentences: list[list[str]], order: object) -> None:
    lexicon = Lexicon.of(sentences)
    states = np.arange(2 * sum(map(len, sentences)), dtype=np.float32).reshape(-1, 2)
    labels = [[number % 3 for number in range(len(words))] for words in sentences]
    read = Sentences.of(lexicon, sentences, labels=labels, states=states)
    indices = np.array(sorted(range(len(sentences)), key=lambda _: order.random()), np.int32)  # type: ignore[attr-defined]
    batch = read.batch(indices)
    begins = np.cumsum([0, *map(len, sentences)])
    assert batch.num_targets == batch.num_tokens == sum(map(len, sentences))
    assert batch.states_BTD is not None
    for row, index in enumerate(indices.tolist()):
        words = sentences[index]
        inside = slice(None, int(batch.lengths_B[row]))
        different = batch.different_BT[row, inside]
        assert batch.words_U[different].tolist() == [lexicon.word_id(word) for word in words]
        assert batch.singletons_U[different].tolist() == [word in lexicon.singletons for word in words]
        for place, word in zip(different.tolist(), words, strict=True):
            characters = batch.characters_UC[place, : int(batch.characters_U[place])]
            assert characters.tolist() == lexicon.character_ids(word)
        assert batch.labels_BT[row, inside].tolist() == labels[index]
        own = states[begins[index] : begins[index + 1]]
        assert torch.equal(batch.states_BTD[row, inside], torch.from_numpy(own))


@pytest.mark.parametrize("head", ["", "3 2\n"])
def test_vectors_of_both_forms_are_read(tmp_path: Path, head: str) -> None:
    path = tmp_path / "vectors.txt"
    path.write_text(f"{head}the 1 2\nNew York 0.5 -1e-2 \nthe 7 7\n", encoding="utf-8")
    vectors = read_vectors(path, width=2)
    assert vectors.words == ("the", "New York")
    assert np.array_equal(vectors.values, np.array([[1, 2], [0.5, -0.01]], np.float32))
    assert read_vectors(path, width=2, most=1).words == ("the",)
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n").replace(b"the ", b"the\t"))
    assert np.array_equal(read_vectors(path, width=2).values, vectors.values)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2 3\na 1 2 3\n", ":1: vectors of 3 numbers, tagger.word_size is 2; set tagger.word_size=3"),
        ("a 1 2 3\n", ":1: vectors of 3 numbers"),
        ("a 1 2\nb 1\n", ":2: vectors of 1 numbers"),
        ("a 1 2\nb 1 x2\n", ":2: 'x2' is no number"),
        ("a 1 2\nb 1 nan\n", ":2: the vector of 'b' has a number that is not finite"),
        ("", "holds no word vectors"),
        ("2 2\n", "holds no word vectors"),
    ],
)
def test_a_file_that_holds_no_such_vectors_is_refused(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "vectors.txt"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=said.replace("(", r"\(")) as error:
        read_vectors(path, width=2)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def test_vectors_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "vectors.bin"
    path.write_bytes(b"a 1 2\nb \xff\xfe")
    with pytest.raises(DataError, match=r"vectors.bin, behind line .*not UTF-8"):
        read_vectors(path, width=2)
    with pytest.raises(DataError, match="nowhere cannot be read"):
        read_vectors(tmp_path / "nowhere", width=2)
