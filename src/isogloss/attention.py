"""Attention over packed sequences: one call, `attend`, whatever the device and the lengths.

Tokens of all sequences lie one after another in one tensor; a `Layout` says where each begins. Made once a batch,
it is shared by all layers, and what it works out (buckets of equal length, positions) is worked out once.

    layout = Layout.of([5, 3, 8], device)
    out_NHE = attend(qkv_N3HE, layout)

Shapes: N packed tokens, S sequences, H heads, E width of a head; in a bucket B sequences of length L.
"""

from __future__ import annotations

import functools
import importlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby
from typing import Any, NamedTuple, cast

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

from isogloss.blocks import LONGEST, Blocks, attend_blocks, scaled_bmm
from isogloss.dropout import keep_mask

__all__ = ["Bucket", "Layout", "attend", "attend_plain"]

# Up to these lengths two batched products and a softmax beat the fused CPU kernel in training. Its bf16 backward is
# slow (64 sequences of 64 tokens, 4 heads of 48: 22 ms where the products take 3), and with dropout it is not fused.
SHORT_LENGTH, SHORT_LENGTH_FP32 = 512, 64
# In bf16 they beat its forward too (12 heads of 64: 1.6 times at 32 x 64 and at 8 x 512), but for a few tokens.
FEW_TOKENS = 64


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

    @functools.cached_property
    def num_tokens(self) -> int:
        return sum(self.lengths)

    @functools.cached_property
    def positions_N(self) -> Tensor:
        """Each token's place in its sequence, from 0."""
        lengths_S = self.offsets.diff()
        starts_N = torch.repeat_interleave(self.offsets[:-1], lengths_S, output_size=self.num_tokens)
        return torch.arange(self.num_tokens, device=self.offsets.device) - starts_N

    @functools.cached_property
    def sequences_N(self) -> Tensor:
        """Each token's sequence, from 0."""
        sequences_S = torch.arange(self.num_sequences, device=self.offsets.device)
        return torch.repeat_interleave(sequences_S, self.offsets.diff(), output_size=self.num_tokens)

    @functools.cached_property
    def buckets(self) -> tuple[Bucket, ...]:
        """Runs of neighbouring sequences of one length, in order; empty sequences hold no tokens and are left out."""
        runs = (Bucket(len(list(group)), length) for length, group in groupby(self.lengths))
        return tuple(bucket for bucket in runs if bucket.length > 0)

    @functools.cached_property
    def _blocks(self) -> dict[int, Blocks]:
        return {}

    def blocks(self, num_heads: int) -> Blocks:
        """Where sequences lie when a CPU answers."""
        if num_heads not in self._blocks:
            self._blocks[num_heads] = Blocks.of(self.lengths, num_heads)
        return self._blocks[num_heads]

    @functools.cached_property
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


def attend(qkv_N3HE: Tensor, layout: Layout, *, dropout: float = 0.0) -> Tensor:
    """Softmax attention of each sequence over itself, (N, H, E), in the type of `qkv_N3HE`.

    `dropout` is the share of attention weights dropped; give 0 outside training.
    """
    if _takes_varlen(qkv_N3HE, layout, dropout) and (varlen_attn := _varlen_attn()) is not None:
        q_NHE, k_NHE, v_NHE = qkv_N3HE.unbind(1)
        offsets, longest = layout.offsets, layout.max_length
        return cast(Tensor, varlen_attn(q_NHE, k_NHE, v_NHE, offsets, offsets, longest, longest))
    if _takes_blocks(qkv_N3HE, layout, dropout):
        return attend_blocks(qkv_N3HE, layout.blocks(qkv_N3HE.shape[2]))
    if len(layout.buckets) == 1:
        return _attend_bucket(qkv_N3HE, layout.buckets[0], dropout)
    if layout.by_length is not None:
        ordered, order_N = layout.by_length
        out_NHE = attend(qkv_N3HE.index_select(0, order_N), ordered, dropout=dropout)
        return torch.empty_like(out_NHE).index_copy(0, order_N, out_NHE)
    # split, not slices: its backward joins the parts once instead of adding one full tensor a part.
    parts = torch.split(qkv_N3HE, [bucket.num_sequences * bucket.length for bucket in layout.buckets])
    outs = [_attend_bucket(part, bucket, dropout) for part, bucket in zip(parts, layout.buckets, strict=True)]
    return torch.cat(outs) if outs else qkv_N3HE.sum(1)  # no token at all: empty, yet part of the graph


def attend_plain(qkv_N3HE: Tensor, layout: Layout) -> Tensor:
    """The definition, one sequence at a time: what `attend` is compared with."""
    outs, start = [qkv_N3HE[:0, 0]], 0
    for length in layout.lengths:
        q_HLE, k_HLE, v_HLE = qkv_N3HE[start : start + length].permute(1, 2, 0, 3)
        scores_HLL = q_HLE @ k_HLE.transpose(1, 2) / math.sqrt(qkv_N3HE.shape[-1])
        outs.append((scores_HLL.softmax(-1) @ v_HLE).transpose(0, 1))
        start += length
    return torch.cat(outs)


def _takes_varlen(qkv_N3HE: Tensor, layout: Layout, dropout: float) -> bool:
    """What the fused kernel for mixed lengths takes: CUDA, half precision, no dropout of weights (it has none)."""
    half = qkv_N3HE.dtype in (torch.bfloat16, torch.float16)
    return qkv_N3HE.is_cuda and half and dropout == 0.0 and len(layout.buckets) > 1


def _takes_blocks(qkv_N3HE: Tensor, layout: Layout, dropout: float) -> bool:
    """What blocks are faster for: a CPU that answers in bf16."""
    answering = qkv_N3HE.device.type == "cpu" and dropout == 0.0 and not qkv_N3HE.requires_grad
    fit = layout.num_tokens >= FEW_TOKENS and layout.max_length <= LONGEST
    return answering and fit and qkv_N3HE.dtype == torch.bfloat16


@functools.cache
def _varlen_attn() -> Callable[..., Any] | None:
    """That kernel, if this build of torch has it (from 2.10 on).

    Its module brings torch's whole compiler along: a second and more, for which no start on a CPU should wait.
    """
    try:
        varlen = importlib.import_module("torch.nn.attention.varlen")
    except ImportError:
        return None
    return cast("Callable[..., Any]", varlen.varlen_attn)


def _attend_bucket(qkv_N3HE: Tensor, bucket: Bucket, dropout: float) -> Tensor:
    """Attention of B sequences of one length."""
    limit = SHORT_LENGTH if dropout or qkv_N3HE.dtype == torch.bfloat16 else SHORT_LENGTH_FP32
    learning = dropout > 0 or qkv_N3HE.requires_grad
    if qkv_N3HE.device.type == "cpu" and learning and bucket.length <= limit:
        return cast(Tensor, _ShortAttention.apply(qkv_N3HE, bucket, dropout))  # type: ignore[no-untyped-call]
    qkv_BL3HE = qkv_N3HE.view(*bucket, *qkv_N3HE.shape[1:])
    q_BHLE, k_BHLE, v_BHLE = qkv_BL3HE.permute(2, 0, 3, 1, 4)
    out_BHLE = F.scaled_dot_product_attention(q_BHLE, k_BHLE, v_BHLE, dropout_p=dropout)
    return out_BHLE.transpose(1, 2).reshape(len(qkv_N3HE), *qkv_N3HE.shape[2:])


class _ShortAttention(torch.autograd.Function):
    """Two batched products and a softmax, copying queries, keys and values together once each way.

    G is B·H: one small matrix for each head of each sequence.
    """

    @staticmethod
    def forward(ctx: Any, qkv_N3HE: Tensor, bucket: Bucket, dropout: float) -> Tensor:
        B, L = bucket
        N, _, H, E = qkv_N3HE.shape
        qkv_3GLE = qkv_N3HE.view(B, L, 3, H, E).permute(2, 0, 3, 1, 4).reshape(3, B * H, L, E)
        q_GLE, k_GLE, v_GLE = qkv_3GLE
        weights_GLL = scaled_bmm(q_GLE, k_GLE.transpose(1, 2), E**-0.5).softmax(-1)
        factors_GLL = None
        if dropout:
            kept_GLL, scale = keep_mask(weights_GLL.shape, dropout)
            factors_GLL = kept_GLL.to(weights_GLL.dtype).mul_(scale)
        ctx.bucket, ctx.heads = bucket, (H, E)
        ctx.save_for_backward(qkv_3GLE, weights_GLL, factors_GLL)
        x_GLE = torch.bmm(weights_GLL if factors_GLL is None else weights_GLL * factors_GLL, v_GLE)
        return x_GLE.view(B, H, L, E).transpose(1, 2).reshape(N, H, E)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_NHE: Tensor) -> tuple[Tensor | None, ...]:
        qkv_3GLE, weights_GLL, factors_GLL = ctx.saved_tensors
        (B, L), (H, E) = ctx.bucket, ctx.heads
        q_GLE, k_GLE, v_GLE = qkv_3GLE
        grad_GLE = grad_NHE.view(B, L, H, E).transpose(1, 2).reshape(B * H, L, E)
        grad_qkv_3GLE = torch.empty_like(qkv_3GLE)
        dropped_GLL = weights_GLL if factors_GLL is None else weights_GLL * factors_GLL
        torch.bmm(dropped_GLL.transpose(1, 2), grad_GLE, out=grad_qkv_3GLE[2])
        grad_GLL = torch.bmm(grad_GLE, v_GLE.transpose(1, 2))
        if factors_GLL is not None:
            grad_GLL *= factors_GLL
        grad_GLL = torch._softmax_backward_data(grad_GLL, weights_GLL, -1, weights_GLL.dtype)
        scaled_bmm(grad_GLL, k_GLE, E**-0.5, out=grad_qkv_3GLE[0])
        scaled_bmm(grad_GLL.transpose(1, 2), q_GLE, E**-0.5, out=grad_qkv_3GLE[1])
        return grad_qkv_3GLE.view(3, B, H, L, E).permute(1, 3, 0, 2, 4).reshape(B * L, 3, H, E), None, None
