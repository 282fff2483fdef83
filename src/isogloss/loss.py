"""Masked-token loss: output projection and cross-entropy on the masked rows only, in chunks, with its own backward.

    total = linear_cross_entropy(h_MD, weight_VD, bias_V, targets_M)     # nats, summed over the rows

The matrix of logits is the largest tensor of a language model with many languages. It is never whole in memory:
each chunk of rows makes its logits, its share of the loss and its gradients, and drops them. Small problems are
one chunk and pay nothing for this.

Shapes: M masked rows, C rows of a chunk, V vocabulary, R rows of a part of its table, D width.
"""

from __future__ import annotations

from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

__all__ = ["linear_cross_entropy", "rows_of_chunk"]

# Logits of one chunk: a thousand rows of XLM-R's vocabulary, 512 MB in bf16. Each chunk adds to the gradient of the
# whole table, so chunks of 64 rows took nearly twice as long.
CHUNK_LOGITS = 1 << 28
# On a CPU a chunk has no more rows than these, or than twice the width: it then takes what the table's gradient does.
# A narrow model is no faster with more, and the heap comes to hold several times what a step's largest tensor takes.
CPU_ROWS = 512
# The softmax reads and writes its logits several times, so it goes over slices of a chunk that stay in the cache: a
# million in fp32 is 4 MB. Smaller ones are too little work for two threads, larger ones fall out of the cache.
SLICE_LOGITS = 1 << 20
# The table's gradient is summed in fp32, and torch casts what it adds: a part of the table at a time stays small.
TABLE_ROWS = 1 << 14


def linear_cross_entropy(
    h_MD: Tensor, weight_VD: Tensor, bias_V: Tensor, targets_M: Tensor, *, chunk_logits: int | None = None
) -> Tensor:
    """Sum over rows of -log softmax(h @ weight.T + bias)[target], in fp32.

    Products run in the type of `h_MD`; softmax, loss and the sums of gradients over chunks in fp32.
    """
    num_pieces, width = weight_VD.shape
    num_rows = rows_of_chunk(num_pieces, width, h_MD.device.type)
    if chunk_logits is not None:
        num_rows = max(1, chunk_logits // num_pieces)
    if torch.is_grad_enabled() and (h_MD.requires_grad or weight_VD.requires_grad or bias_V.requires_grad):
        loss = _LinearCrossEntropy.apply(h_MD, weight_VD, bias_V, targets_M, num_rows)  # type: ignore[no-untyped-call]
        return cast(Tensor, loss)
    weight_VD = weight_VD.to(h_MD.dtype)
    total = torch.zeros((), device=h_MD.device)
    for h_CD, targets_C in zip(torch.split(h_MD, num_rows), torch.split(targets_M, num_rows), strict=True):
        logits_CV = torch.mm(h_CD, weight_VD.t()) + bias_V.float()
        total += F.cross_entropy(logits_CV, targets_C, reduction="sum")
    return total


def rows_of_chunk(num_pieces: int, width: int, device: str) -> int:
    """Most rows whose logits are there at one time, on a "cpu" or on "cuda"."""
    num_rows = max(1, CHUNK_LOGITS // num_pieces)
    return min(num_rows, max(CPU_ROWS, 2 * width)) if device == "cpu" else num_rows


class _LinearCrossEntropy(torch.autograd.Function):
    """Gradients are made in the forward pass, while a chunk's logits are at hand, and only scaled in the backward."""

    @staticmethod
    def forward(ctx: Any, h_MD: Tensor, weight_VD: Tensor, bias_V: Tensor, targets_M: Tensor, num_rows: int) -> Tensor:
        w_VD = weight_VD.to(h_MD.dtype)
        total = torch.zeros((), device=h_MD.device)
        grad_h_MD = torch.empty_like(h_MD)
        grad_w_VD: Tensor | None = None
        grad_b_V = torch.zeros_like(bias_V, dtype=torch.float32)
        rows = (torch.split(x_M, num_rows) for x_M in (h_MD, targets_M, grad_h_MD))
        for h_CD, targets_C, grad_h_CD in zip(*rows, strict=True):
            logits_CV = torch.mm(h_CD, w_VD.t())
            _cross_entropy_and_gradient(logits_CV, bias_V.float(), targets_C, total, grad_b_V)
            torch.mm(logits_CV, w_VD, out=grad_h_CD)
            is_first, grad_w_VD = grad_w_VD is None, torch.empty_like(weight_VD) if grad_w_VD is None else grad_w_VD
            parts = zip(torch.split(grad_w_VD, TABLE_ROWS), torch.split(logits_CV, TABLE_ROWS, dim=1), strict=True)
            for grad_RD, logits_CR in parts:
                part_RD = torch.mm(logits_CR.t(), h_CD)
                grad_RD.copy_(part_RD) if is_first else grad_RD.add_(part_RD)
        ctx.bias_dtype = bias_V.dtype
        # Not saved for backward but handed over, so that the table's gradient is scaled where it lies.
        ctx.gradients = grad_h_MD, torch.zeros_like(weight_VD) if grad_w_VD is None else grad_w_VD, grad_b_V
        return total

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        assert ctx.gradients is not None, "the gradients of this loss have been taken before"
        (grad_h_MD, grad_w_VD, grad_b_V), ctx.gradients = ctx.gradients, None
        return (
            grad_h_MD * grad.to(grad_h_MD.dtype),
            grad_w_VD.mul_(grad),
            (grad_b_V * grad).to(ctx.bias_dtype),
            None,
            None,
        )


def _cross_entropy_and_gradient(
    logits_CV: Tensor, bias_V: Tensor, targets_C: Tensor, total: Tensor, grad_b_V: Tensor
) -> None:
    """Turn logits, still without bias, into their gradients in place; add to the loss and to the bias gradient."""
    num_rows = max(1, SLICE_LOGITS // logits_CV.shape[1]) if logits_CV.device.type == "cpu" else len(logits_CV)
    # Two buffers for all slices: a fresh one for each would be cold memory.
    buffers = [logits_CV.new_empty((min(num_rows, len(logits_CV)), len(bias_V)), dtype=torch.float32) for _ in "xp"]
    for logits_RV, targets_R in zip(torch.split(logits_CV, num_rows), torch.split(targets_C, num_rows), strict=True):
        targets_R1 = targets_R[:, None]
        x_RV, p_RV = (buffer[: len(logits_RV)] for buffer in buffers)
        x_RV.copy_(logits_RV).add_(bias_V)  # one mixed addition would be slower than the copy and the addition
        torch.softmax(x_RV, 1, out=p_RV)
        # Of the largest logit the probability is known, so the logarithm of the sum needs no pass of its own.
        log_sums_R1 = x_RV.amax(1, keepdim=True) - p_RV.amax(1, keepdim=True).log()
        total += (log_sums_R1 - x_RV.gather(1, targets_R1)).sum()
        p_RV.scatter_add_(1, targets_R1, torch.full_like(log_sums_R1, -1.0))
        grad_b_V += p_RV[0] if len(p_RV) == 1 else p_RV.sum(0)
        logits_RV.copy_(p_RV)
