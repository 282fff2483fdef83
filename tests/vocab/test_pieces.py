"""A model's pieces: read, put back, changed, mixed."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isogloss.vocab import VocabSettings, Vocabulary, train_vocabulary
from isogloss.vocab.pieces import is_bpe, is_unigram, learned_pieces, merges_of, mixture, with_pieces


def test_pieces_put_back_are_the_same_vocabulary(vocabulary: Vocabulary) -> None:
    pieces = learned_pieces(vocabulary.content)
    assert tuple(pieces) == vocabulary.pieces[4:-1]
    again = Vocabulary.from_bytes(with_pieces(vocabulary.content, pieces))
    assert again.pieces == vocabulary.pieces
    assert again.scores == vocabulary.scores
    assert is_unigram(vocabulary.content)
    assert not is_bpe(vocabulary.content)


def test_a_piece_put_in_is_used_and_comes_last(vocabulary: Vocabulary) -> None:
    pieces = learned_pieces(vocabulary.content)
    word = "".join(sorted({piece for piece in pieces if len(piece) == 1 and piece.isalpha()})[:5])
    more = Vocabulary.from_bytes(with_pieces(vocabulary.content, {**pieces, f"▁{word}": -1.0}))
    assert more.size == vocabulary.size + 1
    assert more.encode([word])[0].tolist() == [more.mask_id - 1]


shares = st.lists(st.floats(0.01, 1), min_size=2, max_size=2).map(lambda two: [share / sum(two) for share in two])


@given(shares, st.sets(st.sampled_from("abcdef"), min_size=1), st.sets(st.sampled_from("abcdef"), min_size=1))
def test_a_mixture_of_distributions_is_one(two: list[float], first: set[str], second: set[str]) -> None:
    models = [{piece: -math.log(len(pieces)) for piece in sorted(pieces)} for pieces in (first, second)]
    mixed = mixture(zip(models, two, strict=True))
    assert set(mixed) == first | second
    assert math.fsum(map(math.exp, mixed.values())) == pytest.approx(1)


def test_merges_end_at_the_piece_that_sentencepiece_has(corpus: Path, tmp_path: Path) -> None:
    train_vocabulary(VocabSettings(corpus=corpus, output=tmp_path / "bpe", size=400, model_type="bpe"))
    bpe = Vocabulary.load(tmp_path / "bpe")
    assert is_bpe(bpe.content)
    pieces = learned_pieces(bpe.content)
    words = [piece for piece in pieces if piece.startswith("▁") and len(piece) > 1]
    assert any(len(merges_of(word, pieces)) > 3 for word in words)
    for word in words:
        merged = merges_of(word, pieces)
        assert set(merged) <= pieces.keys()
        assert [bpe.piece(index) for index in bpe.encode([word[1:]])[0]][-1] == merged[-1] == word
    assert merges_of("▁", pieces) == merges_of("ж≠", pieces) == []
