"""Masked-token loss: output projection and cross-entropy on the masked rows only, in chunks, with its own backward.

    total = linear_cross_entropy(h_MD, weight_VD, bias_V, targets_M)     # nats, summed over the rows

The matrix of logits is the largest tensor of a language model with many languages. It is never whole in memory:
each chunk of rows makes its logits, its share of the loss and its gradients, and drops them. Small problems are
one chunk and pay nothing for this.

Shapes: M masked rows, C rows of a chunk, V vocabulary, D width.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

__all__ = ["linear_cross_entropy"]

# Logits of one chunk: 16 million, 64 MB in fp32. Larger chunks gain no speed, smaller ones pay for more calls.
CHUNK_LOGITS = 1 << 24


def linear_cross_entropy(
    h_MD: Tensor, weight_VD: Tensor, bias_V: Tensor, targets_M: Tensor, *, chunk_logits: int = CHUNK_LOGITS
) -> Tensor:
    """Sum over rows of -log softmax(h @ weight.T + bias)[target], in fp32.

    Products run in the type of `h_MD`; softmax, loss and the sums of gradients over chunks in fp32.
    """
    num_rows = max(1, chunk_logits // weight_VD.shape[0])
    if torch.is_grad_enabled() and (h_MD.requires_grad or weight_VD.requires_grad or bias_V.requires_grad):
        total: Tensor = _LinearCrossEntropy.apply(h_MD, weight_VD, bias_V, targets_M, num_rows)
        return total
    weight_VD, bias_V = weight_VD.to(h_MD.dtype), bias_V.to(h_MD.dtype)
    total = torch.zeros((), device=h_MD.device)
    for h_CD, targets_C in zip(h_MD.split(num_rows), targets_M.split(num_rows), strict=True):
        logits_CV = F.linear(h_CD, weight_VD, bias_V).float()
        total = total + F.cross_entropy(logits_CV, targets_C, reduction="sum")
    return total


class _LinearCrossEntropy(torch.autograd.Function):
    """Gradients are made in the forward pass, while a chunk's logits are at hand, and only scaled in the backward."""

    @staticmethod
    def forward(
        ctx: Any, h_MD: Tensor, weight_VD: Tensor, bias_V: Tensor, targets_M: Tensor, num_rows: int
    ) -> Tensor:
        w_VD, b_V = weight_VD.to(h_MD.dtype), bias_V.to(h_MD.dtype)
        total = torch.zeros((), device=h_MD.device)
        grad_h_MD = torch.empty_like(h_MD)
        grad_w_VD: Tensor | None = None
        grad_b_V = torch.zeros_like(bias_V)
        chunks = zip(h_MD.split(num_rows), targets_M.split(num_rows), grad_h_MD.split(num_rows), strict=True)
        for h_CD, targets_C, grad_h_CD in chunks:
            logits_CV = F.linear(h_CD, w_VD, b_V).float()
            log_probabilities_CV = F.log_softmax(logits_CV, -1)
            total -= log_probabilities_CV.gather(1, targets_C[:, None]).sum()
            grad_CV = log_probabilities_CV.exp_()
            grad_CV.scatter_add_(1, targets_C[:, None], grad_CV.new_full((len(targets_C), 1), -1.0))
            grad_b_V += grad_CV.sum(0)
            grad_CV = grad_CV.to(h_MD.dtype)
            torch.mm(grad_CV, w_VD, out=grad_h_CD)
            part_VD = torch.mm(grad_CV.t(), h_CD)
            grad_w_VD = part_VD.to(weight_VD.dtype) if grad_w_VD is None else grad_w_VD.add_(part_VD)
        ctx.save_for_backward(grad_h_MD, torch.zeros_like(weight_VD) if grad_w_VD is None else grad_w_VD, grad_b_V)
        return total

    @staticmethod
    @once_differentiable  # type: ignore[untyped-decorator]
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        grad_h_MD, grad_w_VD, grad_b_V = ctx.saved_tensors
        return grad_h_MD * grad, grad_w_VD * grad, grad_b_V * grad, None, None
