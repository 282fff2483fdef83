"""Task heads on an encoder: one label a sequence, one a token, the start and end of an answer, or a vector.

    model = TaskModel(encoder, "sequence", ("entailment", "neutral", "contradiction"))
    logits_SL = model(ids_N, layout)     # "token" gives (N, L), "question" (N, 2): start and end, "mean" (S, D)
    total = loss_of(model, batch)        # of a batch of training examples

Shapes: N packed tokens, S sequences, D width, L labels.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from isogloss.attention import Layout
from isogloss.dropout import drop
from isogloss.model import Linear, ModelSettings
from isogloss.tasks.training import ExampleBatch

__all__ = ["AnyEncoder", "HeadKind", "MeanHead", "SequenceHead", "TaskModel", "TokenHead", "loss_of", "mean_of_pieces"]

HeadKind = Literal["sequence", "token", "question", "mean"]


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


class MeanHead(nn.Module):
    """A vector a sequence, without weights of its own."""

    def forward(self, x_ND: Tensor, layout: Layout) -> Tensor:
        return mean_of_pieces(x_ND.float(), layout)


def mean_of_pieces(x_ND: Tensor, layout: Layout) -> Tensor:
    """The mean of each sequence's rows but its first and last, (S, D); of one without pieces its first row, `<s>`."""
    starts_S, lengths_S = layout.offsets[:-1].long(), layout.offsets.diff()
    kept_N = (layout.positions_N > 0) & (layout.positions_N < lengths_S[layout.sequences_N] - 1)
    kept_N[starts_S[lengths_S <= 2]] = True
    sums_SD = x_ND.new_zeros(layout.num_sequences, x_ND.shape[1])
    sums_SD.index_add_(0, layout.sequences_N[kept_N], x_ND[kept_N])
    return sums_SD / (lengths_S - 2).clamp(min=1)[:, None]


class TaskModel(nn.Module):
    """An encoder and a head. Logits are fp32 whatever the encoder computes in.

    `labels` name the columns of the logits; a "question" head has none of its own, its columns are start and end, and
    what a "mean" head gives is no logits but the sequence's vector.
    `dropout` of the head is the encoder's unless given.
    """

    def __init__(
        self, encoder: AnyEncoder, kind: HeadKind, labels: Sequence[str] = (), *, dropout: float | None = None
    ) -> None:
        super().__init__()
        assert kind in ("question", "mean") or labels, f"a {kind} head needs labels"
        self.encoder = encoder
        self.kind: HeadKind = kind
        self.labels = () if kind in ("question", "mean") else tuple(labels)
        width = encoder.settings.width
        self.dropout = dropout = encoder.settings.dropout if dropout is None else dropout
        self.head: SequenceHead | TokenHead | MeanHead
        if kind == "sequence":
            self.head = SequenceHead(width, len(self.labels), dropout=dropout)
        elif kind == "token":
            self.head = TokenHead(width, len(self.labels), dropout=dropout)
        elif kind == "mean":
            self.head = MeanHead()
        else:  # reading out an answer drops nothing, as the models it must agree with do
            self.head = TokenHead(width, 2, dropout=0.0)

    def forward(self, ids_N: Tensor, layout: Layout, *, languages_S: Tensor | None = None) -> Tensor:
        logits: Tensor = self.head(self.encoder(ids_N, layout, languages_S=languages_S), layout)
        return logits


def loss_of(model: TaskModel, batch: ExampleBatch) -> Tensor:
    """Cross-entropy in nats, summed over the labels of a batch, or over its answers (mean of start and end).

    Of choices each is judged by itself, right or not; of ratings it is the squared error.
    """
    logits = model(batch.ids_N, batch.layout, languages_S=batch.languages_S)
    if model.kind == "sequence" and batch.labels_M.is_floating_point():
        return F.mse_loss(logits[:, 0], batch.labels_M.float(), reduction="sum")
    if model.kind == "sequence" and len(model.labels) == 1:
        return F.binary_cross_entropy_with_logits(logits[:, 0], batch.labels_M.float(), reduction="sum")
    if model.kind == "sequence":
        return F.cross_entropy(logits, batch.labels_M, reduction="sum")
    if model.kind == "token":
        return F.cross_entropy(logits[batch.rows_M], batch.labels_M, reduction="sum")
    # Start and end are each chosen among the tokens of one sequence. Two columns are cheap to pad, unlike the model.
    layout = batch.layout
    padded_ST2 = logits.new_full((layout.num_sequences, layout.max_length, 2), float("-inf"))
    padded_ST2[layout.sequences_N, layout.positions_N] = logits
    log_shares_N2 = padded_ST2.log_softmax(dim=1)[layout.sequences_N, layout.positions_N]
    starts_S, ends_S = batch.rows_M.view(-1, 2).unbind(1)
    total: Tensor = -(log_shares_N2[starts_S, 0].sum() + log_shares_N2[ends_S, 1].sum()) / 2
    return total
