"""Pieces by way of the cache of words are SentencePiece's own, in every script; unknown ones and odd models."""

from __future__ import annotations

import io

import pytest
import sentencepiece
from hypothesis import given, settings
from hypothesis import strategies as st

from isogloss.corpus.lm.normalise import NormalisationSettings
from isogloss.corpus.lm.pieces import EOS, Pieces, train_pieces, with_normaliser
from isogloss.errors import VocabularyError

from .conftest import arrow, sentences

TEXT = [*sentences(400, seed=1), *["кошка спит на окне", "猫在睡觉。", "बिल्ली सोती है"] * 20]


@pytest.fixture(scope="module")
def model() -> bytes:
    return train_pieces(TEXT, num_pieces=200, normalisation=NormalisationSettings())


@settings(max_examples=40)
@given(lines=st.lists(st.one_of(st.text(max_size=40), st.sampled_from(TEXT)), max_size=12))
def test_pieces_are_sentencepieces(model: bytes, lines: list[str]) -> None:
    pieces, plain = Pieces(model), sentencepiece.SentencePieceProcessor(model_proto=model)
    known = [[piece for piece in plain.encode(line, out_type=str) if piece in pieces.words] for line in lines]
    for _ in range(2):  # without the cache and with it
        text, numbers = pieces.encode_text(arrow(lines))
        assert [line.decode().split() for line in text] == [
            [piece if piece in pieces.words else "<unk>" for piece in plain.encode(line, out_type=str)]
            for line in lines
        ]
        assert numbers.tolist() == [len(line.split()) for line in text]
        ids = pieces.encode_ids(arrow(lines))
        assert [pieces.words[number] for number in ids] == [word for line in known for word in (*line, "</s>")]


def test_a_full_cache_is_emptied_and_nothing_changes(model: bytes) -> None:
    texts = TEXT[::12]
    expected = Pieces(model).encode_text(arrow(texts))[0]
    pieces = Pieces(model, cached_words=5)
    assert [line for text in texts for line in pieces.encode_text(arrow([text]))[0]] == expected


def test_unknown_characters_are_left_out_in_training_only(model: bytes) -> None:
    pieces = Pieces(model)
    assert pieces.encode_ids(arrow(["☃☃"])).tolist()[-1] == EOS
    assert 0 not in pieces.encode_ids(arrow(["a ☃ b☃"])).tolist()
    assert b"<unk>" in pieces.encode_text(arrow(["a ☃"]))[0][0]


def test_a_text_that_yields_fewer_pieces_gets_fewer() -> None:
    model = train_pieces(["ab ac ad"] * 3, num_pieces=5000, normalisation=NormalisationSettings())
    assert 4 < len(Pieces(model).words) < 50
    assert len(Pieces(train_pieces(TEXT, num_pieces=8, normalisation=NormalisationSettings())).words) > 8
    with pytest.raises(VocabularyError, match="give more text"):
        train_pieces(["", " \u0301"], num_pieces=100, normalisation=NormalisationSettings())


def test_a_model_whose_pieces_reach_across_spaces_is_not_taken_word_by_word() -> None:
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(["a b a b a b c"] * 20),
        model_writer=model,
        model_type="bpe",
        vocab_size=12,
        split_by_whitespace=False,
        minloglevel=2,
        num_threads=1,
    )
    content = with_normaliser(model.getvalue(), NormalisationSettings())
    plain = sentencepiece.SentencePieceProcessor(model_proto=content)
    expected = plain.encode("A b a b", out_type=str)
    assert any("\u2581" in piece[1:] for piece in expected)
    assert Pieces(content).encode_text(arrow(["A b a b"]))[0] == ["".join(f"{piece} " for piece in expected).encode()]


def test_what_is_no_model_is_refused() -> None:
    with pytest.raises(VocabularyError, match="cannot be read"):
        Pieces(b"no model")
