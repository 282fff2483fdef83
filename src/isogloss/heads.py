"""Task heads on an encoder: one label a sequence, one a token, or the start and end of an answer.

    model = TaskModel(encoder, "sequence", ("entailment", "neutral", "contradiction"))
    logits_SL = model(ids_N, layout)                # "token" gives (N, L), "question" (N, 2): start and end

Shapes: N packed tokens, S sequences, D width, L labels.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

import torch
from torch import Tensor, nn

from isogloss.attention import Layout
from isogloss.dropout import drop
from isogloss.model import Linear, ModelSettings

__all__ = ["AnyEncoder", "HeadKind", "SequenceHead", "TaskModel", "TokenHead"]

HeadKind = Literal["sequence", "token", "question"]


class AnyEncoder(Protocol):
    """What heads and tasks ask of an encoder: ours (`model.Encoder`), or another tool's (`interop.foreign`)."""

    settings: ModelSettings
    compute_dtype: torch.dtype

    def __call__(self, ids_N: Tensor, layout: Layout, *, languages_S: Tensor | None = None) -> Tensor:
        """Hidden states of the last layer, (N, D); `languages_S` are rows of a language embedding."""
        ...


class SequenceHead(nn.Module):
    """On the first token, `<s>`: dropout, dense, tanh, dropout, linear."""

    def __init__(self, width: int, num_labels: int, *, dropout: float) -> None:
        super().__init__()
        self.dropout = dropout
        self.dense = Linear(width, width)
        self.out = Linear(width, num_labels)

    def forward(self, x_ND: Tensor, layout: Layout) -> Tensor:
        assert all(layout.lengths), "a sequence without tokens has no first token to classify"
        x_SD = x_ND.index_select(0, layout.offsets[:-1].long()).float()
        share = self.dropout if self.training else 0.0
        h_SD = torch.tanh(self.dense(drop(x_SD, share)))
        logits_SL: Tensor = self.out(drop(h_SD, share))
        return logits_SL


class TokenHead(nn.Module):
    """On every token: dropout, linear."""

    def __init__(self, width: int, num_labels: int, *, dropout: float) -> None:
        super().__init__()
        self.dropout = dropout
        self.out = Linear(width, num_labels)

    def forward(self, x_ND: Tensor, layout: Layout) -> Tensor:
        x_ND = x_ND.float()
        logits_NL: Tensor = self.out(drop(x_ND, self.dropout) if self.training else x_ND)
        return logits_NL


class TaskModel(nn.Module):
    """An encoder and a head. Logits are fp32 whatever the encoder computes in.

    `labels` name the columns of the logits; a "question" head has none of its own, its columns are start and end.
    `dropout` of the head is the encoder's unless given.
    """

    def __init__(
        self, encoder: AnyEncoder, kind: HeadKind, labels: Sequence[str] = (), *, dropout: float | None = None
    ) -> None:
        super().__init__()
        assert kind == "question" or labels, f"a {kind} head needs labels"
        self.encoder = encoder
        self.kind: HeadKind = kind
        self.labels = () if kind == "question" else tuple(labels)
        width = encoder.settings.width
        self.dropout = dropout = encoder.settings.dropout if dropout is None else dropout
        self.head: SequenceHead | TokenHead
        if kind == "sequence":
            self.head = SequenceHead(width, len(self.labels), dropout=dropout)
        elif kind == "token":
            self.head = TokenHead(width, len(self.labels), dropout=dropout)
        else:  # reading out an answer drops nothing, as the models it must agree with do
            self.head = TokenHead(width, 2, dropout=0.0)

    def forward(self, ids_N: Tensor, layout: Layout, *, languages_S: Tensor | None = None) -> Tensor:
        logits: Tensor = self.head(self.encoder(ids_N, layout, languages_S=languages_S), layout)
        return logits
