"""The pieces of a SentencePiece model and their scores, read out of it and put back changed.

    pieces = learned_pieces(vocabulary.content)                       # {"▁the": -3.2, …}, in the order of their ids
    content = with_pieces(vocabulary.content, {**pieces, "▁ya": -5.0})
    Vocabulary.from_bytes(content)

Learned are all but <unk>, <s> and </s>, which come first and stay as they are; <pad> and <mask> are not in the model.
So the piece at place i here has the id i + 4 in a vocabulary (``layout``).

A score of a unigram model is the logarithm of a piece's probability, and models can be mixed as any distributions can:

    mixture([(pieces_of_one, 0.7), (pieces_of_another, 0.3)])
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping
from typing import Any

from sentencepiece import sentencepiece_model_pb2

from isogloss.errors import VocabularyError

__all__ = ["is_bpe", "is_unigram", "learned_pieces", "merges_of", "mixture", "with_pieces"]

# Its classes are made when it is imported, so no type checker sees them.
_messages: Any = sentencepiece_model_pb2
NUM_SPECIAL = 3


def is_unigram(content: bytes) -> bool:
    """Whether the scores are those of a unigram model, not the ranks of BPE's merges."""
    return bool(_messages.ModelProto.FromString(content).trainer_spec.model_type == _messages.TrainerSpec.UNIGRAM)


def is_bpe(content: bytes) -> bool:
    """Whether the pieces are merged from characters, and the scores are the ranks of the merges."""
    return bool(_messages.ModelProto.FromString(content).trainer_spec.model_type == _messages.TrainerSpec.BPE)


def learned_pieces(content: bytes) -> dict[str, float]:
    """The score of each learned piece of a serialised model, in the order of their ids.

    Raises VocabularyError for a model with pieces of another kind among them: bytes, or a user's own symbols.
    """
    kinds = _messages.ModelProto.SentencePiece
    pieces = _messages.ModelProto.FromString(content).pieces[NUM_SPECIAL:]
    for piece in pieces:
        if piece.type != kinds.NORMAL:
            name = kinds.Type.Name(piece.type)
            raise VocabularyError(
                f"the vocabulary's piece {piece.piece!r} is of the kind {name}, and only learned ones can be changed; "
                "take a vocabulary without such pieces, as XLM-R's"
            )
    return {piece.piece: piece.score for piece in pieces}


def with_pieces(content: bytes, pieces: Mapping[str, float]) -> bytes:
    """The same model with these learned pieces and scores, in this order."""
    model = _messages.ModelProto.FromString(content)
    del model.pieces[NUM_SPECIAL:]
    for piece, score in pieces.items():
        model.pieces.add(piece=piece, score=score, type=_messages.ModelProto.SentencePiece.NORMAL)
    model.trainer_spec.vocab_size = len(model.pieces)
    # Some models hold sentences to be tried on when they are loaded, with what the old pieces made of them; the Python
    # half of SentencePiece knows no such field.
    model.DiscardUnknownFields()
    return bytes(model.SerializeToString(deterministic=True))


def merges_of(piece: str, pieces: Mapping[str, float]) -> list[str]:
    """What BPE with these ``pieces`` merges the characters of ``piece`` to, in turn: pieces on the way, itself last.

    What it merges inside a piece does not depend on the text around: of the merges that are done in a text none reaches
    over a bound between two pieces that are left, and the others come in the order of their scores, from the left.
    """
    parts, merged = list(piece), []
    while len(parts) > 1:
        scores = [pieces.get(left + right, -math.inf) for left, right in itertools.pairwise(parts)]
        best = max(scores)
        if best == -math.inf:  # no text ever has this piece
            break
        place = scores.index(best)
        parts[place : place + 2] = ["".join(parts[place : place + 2])]
        merged.append(parts[place])
    return merged


def mixture(models: Iterable[tuple[Mapping[str, float], float]]) -> dict[str, float]:
    """The scores of unigram models drawn from with these shares, which sum to 1; pieces in the order they are met."""
    mixed: dict[str, float] = {}
    for pieces, share in models:
        for piece, score in pieces.items():
            mixed[piece] = mixed.get(piece, 0.0) + share * math.exp(score)
    return {piece: math.log(probability) for piece, probability in mixed.items()}
