"""Attention over packed sequences: one call, `attend`, whatever the device and the lengths.

Tokens of all sequences lie one after another in one tensor; a `Layout` says where each begins. Made once a batch,
it is shared by all layers, and what it works out (buckets of equal length, positions) is worked out once.

    layout = Layout.of([5, 3, 8], device)
    out_NHE = attend(q_NHE, k_NHE, v_NHE, layout)

Shapes: N packed tokens, S sequences, H heads, E width of a head; in a bucket B sequences of length L.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, groupby
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

try:
    from torch.nn.attention.varlen import varlen_attn
except ImportError:  # builds of torch before 2.10 and some CPU builds have no such kernel
    varlen_attn = None

__all__ = ["Bucket", "Layout", "attend", "attend_plain"]

# Up to this length two batched products and a softmax beat the fused CPU kernel in training: its bf16 backward took
# 22 ms where the products took 3 (64 sequences of 64 tokens, 4 heads of 48, two cores with AMX).
SHORT_LENGTH = 512


class Bucket(NamedTuple):
    """Neighbouring sequences of one length."""

    num_sequences: int
    length: int


@dataclass(frozen=True, eq=False)
class Layout:
    """Where each packed sequence lies. Build it with `Layout.of`; sequences of length zero are allowed."""

    offsets: Tensor  # (S+1,) int32 on the device
    lengths: tuple[int, ...]
    max_length: int

    @classmethod
    def of(cls, lengths: Sequence[int], device: torch.device | str = "cpu") -> Layout:
        """The layout of sequences with these lengths, in this order."""
        lengths = tuple(int(length) for length in lengths)
        assert all(length >= 0 for length in lengths), f"negative length in {lengths}"
        offsets = torch.tensor([0, *accumulate(lengths)], dtype=torch.int32)
        return cls(offsets.to(device, non_blocking=True), lengths, max(lengths, default=0))

    @property
    def num_sequences(self) -> int:
        return len(self.lengths)

    @cached_property
    def num_tokens(self) -> int:
        return sum(self.lengths)

    @cached_property
    def positions_N(self) -> Tensor:
        """Each token's place in its sequence, from 0."""
        lengths_S = self.offsets.diff()
        starts_N = torch.repeat_interleave(self.offsets[:-1], lengths_S, output_size=self.num_tokens)
        return torch.arange(self.num_tokens, device=self.offsets.device) - starts_N

    @cached_property
    def sequences_N(self) -> Tensor:
        """Each token's sequence, from 0."""
        sequences_S = torch.arange(self.num_sequences, device=self.offsets.device)
        return torch.repeat_interleave(sequences_S, self.offsets.diff(), output_size=self.num_tokens)

    @cached_property
    def buckets(self) -> tuple[Bucket, ...]:
        """Runs of neighbouring sequences of one length, in order; empty sequences hold no tokens and are left out."""
        runs = (Bucket(len(list(group)), length) for length, group in groupby(self.lengths))
        return tuple(bucket for bucket in runs if bucket.length > 0)

    @cached_property
    def by_length(self) -> tuple[Layout, Tensor] | None:
        """The layout with sequences sorted by length, and each of its tokens' place here; None if that saves nothing.

        Sorted, sequences of equal length are neighbours, so that each bucket is a slice.
        """
        order = sorted(range(self.num_sequences), key=lambda sequence: self.lengths[sequence])
        ordered = Layout.of([self.lengths[sequence] for sequence in order], self.offsets.device)
        if len(ordered.buckets) == len(self.buckets):
            return None
        starts_S = self.offsets[:-1][torch.tensor(order, device=self.offsets.device)]
        return ordered, starts_S[ordered.sequences_N] + ordered.positions_N


def attend(q_NHE: Tensor, k_NHE: Tensor, v_NHE: Tensor, layout: Layout, *, dropout: float = 0.0) -> Tensor:
    """Softmax attention of each sequence over itself, (N, H, E). `dropout` drops attention weights."""
    if _has_varlen(q_NHE, layout, dropout):
        offsets, longest = layout.offsets, layout.max_length
        out_NHE: Tensor = varlen_attn(q_NHE, k_NHE, v_NHE, offsets, offsets, longest, longest)
        return out_NHE
    if len(layout.buckets) == 1:
        return _attend_bucket(q_NHE, k_NHE, v_NHE, layout.buckets[0], dropout)
    if layout.by_length is not None:
        ordered, order_N = layout.by_length
        q_NHE, k_NHE, v_NHE = q_NHE[order_N], k_NHE[order_N], v_NHE[order_N]
        out_NHE = attend(q_NHE, k_NHE, v_NHE, ordered, dropout=dropout)
        return torch.empty_like(out_NHE).index_copy(0, order_N, out_NHE)
    sizes = [bucket.num_sequences * bucket.length for bucket in layout.buckets]
    # split, not slices: its backward joins the parts once instead of adding one full tensor a part.
    parts = zip(*(x_NHE.split(sizes) for x_NHE in (q_NHE, k_NHE, v_NHE)), layout.buckets, strict=True)
    outs = [_attend_bucket(q, k, v, bucket, dropout) for q, k, v, bucket in parts]
    return torch.cat(outs) if outs else q_NHE * k_NHE * v_NHE  # no token at all: empty, yet part of the graph


def attend_plain(q_NHE: Tensor, k_NHE: Tensor, v_NHE: Tensor, layout: Layout) -> Tensor:
    """The definition, one sequence at a time: what `attend` is compared with."""
    outs = [q_NHE[:0]]
    for start, stop in _spans(layout):
        q_HLE, k_HLE, v_HLE = (x_NHE[start:stop].transpose(0, 1) for x_NHE in (q_NHE, k_NHE, v_NHE))
        scores_HLL = q_HLE @ k_HLE.transpose(1, 2) / math.sqrt(q_NHE.shape[-1])
        outs.append((scores_HLL.softmax(-1) @ v_HLE).transpose(0, 1))
    return torch.cat(outs)


def _spans(layout: Layout) -> Iterator[tuple[int, int]]:
    start = 0
    for length in layout.lengths:
        yield start, start + length
        start += length


def _has_varlen(q_NHE: Tensor, layout: Layout, dropout: float) -> bool:
    """The fused kernel for mixed lengths: CUDA, half precision, no dropout of weights (it has none)."""
    half = q_NHE.dtype in (torch.bfloat16, torch.float16)
    return varlen_attn is not None and q_NHE.is_cuda and half and dropout == 0.0 and len(layout.buckets) > 1


def _attend_bucket(q_NHE: Tensor, k_NHE: Tensor, v_NHE: Tensor, bucket: Bucket, dropout: float) -> Tensor:
    """Attention of B sequences of one length, as (B, H, L, E)."""
    shape = (bucket.num_sequences, bucket.length, *q_NHE.shape[1:])
    q_BHLE, k_BHLE, v_BHLE = (x_NHE.view(shape).transpose(1, 2) for x_NHE in (q_NHE, k_NHE, v_NHE))
    half_on_cpu = not q_NHE.is_cuda and q_NHE.dtype != torch.float32
    if half_on_cpu and q_NHE.requires_grad and bucket.length <= SHORT_LENGTH:
        out_BHLE = _attend_short(q_BHLE, k_BHLE, v_BHLE, dropout)
    else:
        out_BHLE = F.scaled_dot_product_attention(q_BHLE, k_BHLE, v_BHLE, dropout_p=dropout)
    return out_BHLE.transpose(1, 2).reshape(q_NHE.shape)


def _attend_short(q_BHLE: Tensor, k_BHLE: Tensor, v_BHLE: Tensor, dropout: float) -> Tensor:
    weights_BHLL = (q_BHLE @ (k_BHLE * q_BHLE.shape[-1] ** -0.5).transpose(-1, -2)).softmax(-1)
    return F.dropout(weights_BHLL, dropout) @ v_BHLE if dropout else weights_BHLL @ v_BHLE
