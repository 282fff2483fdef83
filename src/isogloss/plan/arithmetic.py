"""Parameters and floating-point operations of a model, counted from its settings.

    num_parameters(model)                                 # exact, from the model itself on the meta device
    flops_per_token(model, shape).total                   # forward and backward, exact for its products
    flops_of(model, batch)                                # of a training step on this very batch

A product of an (a, b) with a (b, c) matrix is 2abc operations. A training step makes each product three times: once
forward, and backward once for the gradient of either factor. What is not a product (norms, GELU, softmax, AdamW) is
left out, as is usual: it costs time but no arithmetic to speak of.

With D width, F feed-forward width, V vocabulary, A the mean number of tokens that a token attends to and m the masked
rows a token, a token costs

    layers      6 (4 D D + 2 D F)     each      queries, keys, values, output; the two feed-forward products
    attention   12 A D                each      scores and weighted values, within the token's own sequence
    head        6 m (D D + D V)                 on masked rows only
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from isogloss.batches import BatchSettings, MaskedBatch, MaskedBatches, TokenShards
from isogloss.model import Linear, MaskedLM, ModelSettings

__all__ = [
    "BatchShape",
    "FlopsPerToken",
    "RandomShards",
    "flops_of",
    "flops_per_token",
    "linear_weights",
    "num_parameters",
    "sample_batches",
    "shape_of",
]

Offsets = npt.NDArray[np.int64]

# Sequences that a shape is read from.
NUM_SAMPLED = 256


@dataclass(frozen=True)
class BatchShape:
    """What a drawn sequence comes to on average, once it is packed and masked.

    ``tokens`` and ``targets`` (masked rows) are a sequence's; ``attended`` is the mean number of tokens that a token
    attends to, the sum of squared lengths over the sum of lengths; ``longest`` is the longest sequence met.
    """

    tokens: float
    targets: float
    attended: float
    longest: int


@dataclass(frozen=True)
class FlopsPerToken:
    """Operations of a training step a token, forward and backward."""

    layers: float
    attention: float
    head: float

    @property
    def total(self) -> float:
        return self.layers + self.attention + self.head


def flops_per_token(model: ModelSettings, shape: BatchShape) -> FlopsPerToken:
    """Operations a token, forward and backward, of batches of this shape (see the head of this file)."""
    width = model.width
    return FlopsPerToken(
        layers=6.0 * model.num_layers * (4 * width * width + 2 * width * model.feedforward),
        attention=12.0 * model.num_layers * shape.attended * width,
        head=6.0 * shape.targets / shape.tokens * (width * width + width * model.vocabulary_size),
    )


def flops_of(model: ModelSettings, batch: MaskedBatch) -> float:
    """Operations of a training step on this batch: its sequences as long as they are, its masked rows as many."""
    return flops_per_token(model, shape_of([batch])).total * batch.num_tokens if batch.num_tokens else 0.0


@functools.lru_cache(maxsize=8)
def num_parameters(model: ModelSettings) -> int:
    """Parameters of the masked language model; the embeddings are tied and counted once."""
    return sum(parameter.numel() for parameter in _on_meta(model).parameters())


@functools.lru_cache(maxsize=8)
def linear_weights(model: ModelSettings) -> int:
    """Elements of the linear maps' matrices, which `model.Linear` casts each time it runs."""
    return sum(module.weight.numel() for module in _on_meta(model).modules() if isinstance(module, Linear))


def shape_of(batches: Sequence[MaskedBatch]) -> BatchShape:
    """The mean shape of some batches."""
    lengths = np.concatenate([np.array(batch.layout.lengths) for batch in batches]).astype(np.int64)
    num_sequences = sum(len(batch.indices) for batch in batches)
    return BatchShape(
        tokens=int(lengths.sum()) / num_sequences,
        targets=sum(batch.num_targets for batch in batches) / num_sequences,
        attended=float((lengths**2).sum() / lengths.sum()),
        longest=int(lengths.max()),
    )


def sample_batches(
    settings: BatchSettings, shards: TokenShards, model: ModelSettings, *, seed: int, num_sequences: int = NUM_SAMPLED
) -> Iterator[MaskedBatch]:
    """Endless batches of so many sequences, as a run with these settings would draw them.

    Single pieces are masked in any case: whole words take as many, and need the vocabulary.
    """
    small = settings.model_copy(update={"batch_size": num_sequences, "whole_word": False})
    row_of = model.row_of if model.languages and shards.languages != RandomShards.languages else None
    made = MaskedBatches(shards, small, seed=seed, row_of=row_of)
    step = 0
    while True:
        yield made.batch(step)
        step += 1


class RandomShards:
    """Random pieces in the place of shards that are not made yet: one language, no ends of documents."""

    languages: tuple[str, ...] = ("en",)

    def __init__(self, vocabulary_size: int, *, num_tokens: int = 1 << 20) -> None:
        self.vocabulary_size = vocabulary_size
        self.mask_id = vocabulary_size - 1
        self.sizes = {"en": 1.0}
        self.pairs: Mapping[str, tuple[str, str]] = {}
        self.pair_sizes: dict[str, float] = {}
        lowest = min(4, vocabulary_size - 1)
        self._tokens = np.random.default_rng(0).integers(lowest, self.mask_id, num_tokens, dtype=np.uint32)

    def tokens(self, language: str, /) -> npt.NDArray[np.integer]:
        return self._tokens

    def held_out(self, language: str, /) -> tuple[npt.NDArray[np.integer], Offsets, int]:
        return self._tokens[:0], np.zeros(1, dtype=np.int64), 0

    def pair(self, name: str, /) -> tuple[npt.NDArray[np.integer], Offsets]:
        return self._tokens[:0], np.zeros(1, dtype=np.int64)

    held_out_pair = pair


def _on_meta(model: ModelSettings) -> MaskedLM:
    with torch.device("meta"):
        return MaskedLM(model)
