"""Segmentations that a float32 does not tell apart count as one, all others as two."""

from __future__ import annotations

import io

import pytest
import sentencepiece
from sentencepiece import sentencepiece_model_pb2

from isogloss.vocab import Vocabulary
from isogloss.vocab.ties import same_score


@pytest.fixture(scope="module")
def dots() -> Vocabulary:
    """Pieces of dots whose scores are chosen: the ids of ".", "..", "..." are 4, 5, 6, that of the space mark 7."""
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(["a strange model", "of strange lines"]),
        model_writer=model,
        vocab_size=17,
        minloglevel=2,
    )
    proto = sentencepiece_model_pb2.ModelProto()  # type: ignore[attr-defined]
    proto.ParseFromString(model.getvalue())
    chosen = ((".", -4.0), ("..", -7.0), ("...", -7.000001), ("▁", -2.0))
    for number, (piece, score) in enumerate(chosen, start=3):
        proto.pieces[number].piece, proto.pieces[number].score = piece, score
    return Vocabulary.from_bytes(proto.SerializeToString())


@pytest.mark.parametrize(
    ("ours", "theirs", "same"),
    [
        ([7, 6, 4], [7, 4, 6], True),  # one sum in another order
        ([7, 6, 4], [7, 5, 5], False),  # -11.000001 and -14
        ([7, 6, 4] * 50, [7, 4, 6] * 50, True),
        ([7, 6, 4, 7, 6, 4], [7, 4, 6, 7, 5, 5], False),  # one stretch of two
        ([7, 6], [7, 5], False),  # another text
        ([7, 6, 3], [7, 6, 3], False),  # unknown text has no pieces to compare
        ([7, 4, 4], [7, 5], False),
    ],
)
def test_the_same_text_and_score(dots: Vocabulary, ours: list[int], theirs: list[int], same: bool) -> None:
    assert same_score(dots, ours, theirs) is same
    assert same_score(dots, theirs, ours) is same
