"""The scores of pieces learned anew from counted words: how often each piece comes where they segment best.

    for ids, counts in cut_words(content, kept.lines()): ...        # ids.pieces, ids.owners: which word each is of
    content = rescored(content, [(kept_of_one, 0.7), (kept_of_another, 0.3)])

A model's pieces stay as they are. What they are counted in are the words that models were trained on, so no text is
read again.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import sentencepiece
from sentencepiece import sentencepiece_model_pb2

from isogloss.vocab.choosing import KeptWords
from isogloss.vocab.pieces import learned_pieces, with_pieces

__all__ = ["Cut", "cut_words", "rescored", "without_normaliser"]

# Its classes are made when it is imported, so no type checker sees them.
_messages: Any = sentencepiece_model_pb2
BLOCK_WORDS = 1 << 16
NUM_SPECIAL = 3
NUM_ROUNDS = 2
# How much of a score stays what it was: pieces that no word was cut into have to be there for words to come.
KEPT_SHARE = 0.1


class Cut(NamedTuple):
    """SentencePiece's ids of the pieces of some words, and for each the number of its word."""

    pieces: npt.NDArray[np.int64]
    owners: npt.NDArray[np.int64]


def cut_words(content: bytes, lines: Iterable[bytes]) -> Iterator[tuple[Cut, npt.NDArray[np.int64]]]:
    """The pieces of words and the words' counts, a block at a time; ``lines`` as in ``choosing.KeptWords``."""
    processor = sentencepiece.SentencePieceProcessor()
    processor.load_from_serialized_proto(without_normaliser(content))
    remaining = iter(lines)
    while block := [line.split(b"\t") for line in itertools.islice(remaining, BLOCK_WORDS)]:
        found = processor.encode([word for word, _ in block], return_type="numpy", num_threads=1)
        owners = np.repeat(np.arange(len(block)), [len(ids) for ids in found])
        yield Cut(np.concatenate(found).astype(np.int64), owners), np.array([int(count) for _, count in block])


def rescored(content: bytes, words: Sequence[tuple[KeptWords, float]]) -> bytes:
    """The same pieces with new scores, in the order of these; the words of each file have a share of all text."""
    pieces = learned_pieces(content)
    for _ in range(NUM_ROUNDS):
        met = sum((share * _frequencies(content, kept, len(pieces)) for kept, share in words), np.zeros(len(pieces)))
        before = np.exp(np.array(list(pieces.values())))
        now = KEPT_SHARE * before / before.sum() + (1 - KEPT_SHARE) * met
        scored = zip(pieces, np.log(now).tolist(), strict=True)
        pieces = dict(sorted(scored, key=lambda item: (-item[1], item[0])))
        content = with_pieces(content, pieces)
    return content


def _frequencies(content: bytes, kept: KeptWords, num_pieces: int) -> npt.NDArray[np.float64]:
    counts = np.zeros(num_pieces + NUM_SPECIAL)
    for cut, times in cut_words(content, kept.lines()):
        counts += np.bincount(cut.pieces, times[cut.owners], len(counts))
    learned = counts[NUM_SPECIAL:]
    frequencies: npt.NDArray[np.float64] = learned / max(float(learned.sum()), 1.0)
    return frequencies


def without_normaliser(content: bytes) -> bytes:
    """The same model for what has been through it, as words and pieces have: it puts no space before, nor folds."""
    model = _messages.ModelProto.FromString(content)
    model.normalizer_spec.Clear()
    model.normalizer_spec.name = "identity"
    model.normalizer_spec.add_dummy_prefix = False
    model.normalizer_spec.remove_extra_whitespaces = False
    return bytes(model.SerializeToString())
