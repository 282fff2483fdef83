"""A model's pieces: read, put back, changed, mixed."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isogloss.vocab import Vocabulary
from isogloss.vocab.pieces import is_unigram, learned_pieces, mixture, with_pieces


def test_pieces_put_back_are_the_same_vocabulary(vocabulary: Vocabulary) -> None:
    pieces = learned_pieces(vocabulary.content)
    assert tuple(pieces) == vocabulary.pieces[4:-1]
    again = Vocabulary.from_bytes(with_pieces(vocabulary.content, pieces))
    assert again.pieces == vocabulary.pieces
    assert again.scores == vocabulary.scores
    assert is_unigram(vocabulary.content)


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
