"""The question fill-mask: which pieces may stand at each `<mask>` of a text."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from isogloss.attention import Layout
from isogloss.errors import ConfigError, DataError
from isogloss.predict.answers import MaskFill
from isogloss.predict.loaded import LoadedModel
from isogloss.tasks import IntArray
from isogloss.vocab import Vocabulary
from isogloss.vocab.layout import MASK_PIECE

__all__ = ["fill_masks"]

SPACE = "▁"


def fill_masks(
    loaded: LoadedModel, texts: Sequence[str], *, top_k: int, targets: Sequence[str] | None, first: int
) -> list[list[list[MaskFill]]]:
    """The most probable pieces (of `targets`, if there are any) for each mask of each text."""
    model, vocabulary = loaded.masked_lm(), loaded.vocabulary()
    if not 1 <= top_k <= vocabulary.size:
        raise ConfigError(f"top_k = {top_k} is outside 1 to {vocabulary.size}, the size of the vocabulary")
    mask_id = vocabulary.mask_id
    allowed = None if targets is None else torch.tensor(_target_ids(vocabulary, targets), device=loaded.device.device)

    def best(ids_N: Tensor, layout: Layout, languages_S: Tensor) -> Tensor:
        (rows_M,) = torch.nonzero(ids_N == mask_id, as_tuple=True)
        # Weights may be padded with rows that are no piece.
        logits_MV = model.logits(ids_N, layout, rows_M, languages_S=languages_S)[:, : vocabulary.size]
        shares_MV = logits_MV.softmax(-1)
        if allowed is None:
            top = shares_MV.topk(top_k)
            indices_MK = top.indices
        else:
            top = shares_MV[:, allowed].topk(min(top_k, len(allowed)))
            indices_MK = allowed[top.indices]
        # Ids as fp32 beside their probabilities: exact to 16 million pieces.
        return torch.stack([top.values, indices_MK.float()], dim=-1)

    sequences = _masked_sequences(vocabulary, texts, max_length=loaded.max_length, first=first)
    filled = loaded.ask(best, sequences, num_rows=lambda ids: int((ids == mask_id).sum()))
    return [[[_fill(vocabulary, *pair) for pair in mask.tolist()] for mask in masks] for masks in filled]


def _masked_sequences(vocabulary: Vocabulary, texts: Sequence[str], *, max_length: int, first: int) -> list[IntArray]:
    """`<s> … </s>` with the mask's id where a text has `<mask>`, which takes the space before it."""
    divided = [[part.rstrip() for part in text.split(MASK_PIECE)] for text in texts]
    for number, (text, parts) in enumerate(zip(texts, divided, strict=True), start=first):
        if len(parts) == 1:
            raise DataError(
                f"text {number} has no {MASK_PIECE}: {text[:60]!r}; write {MASK_PIECE} where a piece is missing"
            )
    encoded = iter(vocabulary.encode([part for parts in divided for part in parts]))
    mask = np.array([vocabulary.mask_id], np.int32)
    sequences = []
    for number, parts in enumerate(divided, start=first):
        pieces = [piece for _ in parts for piece in (next(encoded), mask)]
        sequence = vocabulary.frame.around(np.concatenate(pieces[:-1]))
        if len(sequence) > max_length:
            raise DataError(f"text {number} has {len(sequence)} pieces, the model reads {max_length}; shorten it")
        sequences.append(sequence)
    return sequences


def _target_ids(vocabulary: Vocabulary, targets: Sequence[str]) -> list[int]:
    """The piece that each word is: one that begins a word, or else one without the space before it."""
    if isinstance(targets, str) or not targets or not all(isinstance(target, str) for target in targets):
        raise ConfigError(f"targets = {targets!r} is no list of words; give at least one")
    found: dict[int, None] = {}
    for target, ids in zip(targets, vocabulary.encode(targets), strict=True):
        pieces = [vocabulary.piece(index) for index in ids.tolist()]
        inner = ids[1:] if pieces[:1] == [SPACE] and len(pieces) > 1 else ids
        if len(inner) != 1 or inner[0] == vocabulary.unk_id:
            said = "unknown to" if vocabulary.unk_id in ids else f"{len(pieces)} pieces ({' '.join(pieces)}) of"
            raise ConfigError(f"targets: {target!r} is {said} the vocabulary; a mask holds one piece")
        found[int(inner[0])] = None
    return list(found)


def _fill(vocabulary: Vocabulary, probability: float, index: float) -> MaskFill:
    return MaskFill(vocabulary.piece(int(index)).replace(SPACE, " "), int(index), probability)
