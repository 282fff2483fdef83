"""The chunked loss beside the plain one: value and gradients, in one chunk and in many."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

import isogloss.loss as loss_module
from isogloss.loss import linear_cross_entropy


def problem(num_rows: int, width: int, vocabulary: int, *, seed: int = 1) -> tuple[torch.Tensor, ...]:
    generator = torch.Generator().manual_seed(seed)
    h = torch.randn(num_rows, width, generator=generator).requires_grad_()
    weight = torch.randn(vocabulary, width, generator=generator).mul_(0.5).requires_grad_()
    bias = torch.randn(vocabulary, generator=generator).requires_grad_()
    return h, weight, bias, torch.randint(0, vocabulary, (num_rows,), generator=generator)


def plain(h: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    return F.cross_entropy(F.linear(h, weight, bias), targets, reduction="sum")


def gradients(total: torch.Tensor, *leaves: torch.Tensor) -> tuple[torch.Tensor, ...]:
    return torch.autograd.grad(total / 7, leaves)


@settings(max_examples=40, deadline=None)
@given(num_rows=st.integers(1, 20), vocabulary=st.integers(2, 60), rows_of_a_chunk=st.integers(1, 25))
def test_value_and_gradients_are_those_of_the_plain_loss(num_rows: int, vocabulary: int, rows_of_a_chunk: int) -> None:
    h, weight, bias, targets = problem(num_rows, 16, vocabulary)
    total = linear_cross_entropy(h, weight, bias, targets, chunk_logits=rows_of_a_chunk * vocabulary)
    expected = plain(h, weight, bias, targets)
    torch.testing.assert_close(total, expected, rtol=1e-5, atol=1e-5)
    for got, want in zip(gradients(total, h, weight, bias), gradients(expected, h, weight, bias), strict=True):
        torch.testing.assert_close(got, want, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("rows_of_a_chunk", [7, 50])
def test_parts_of_the_table_change_nothing(monkeypatch: pytest.MonkeyPatch, rows_of_a_chunk: int) -> None:
    h, weight, bias, targets = problem(50, 16, 30)
    chunk_logits = rows_of_a_chunk * 30
    whole = gradients(linear_cross_entropy(h, weight, bias, targets, chunk_logits=chunk_logits), h, weight, bias)
    monkeypatch.setattr(loss_module, "TABLE_ROWS", 8)
    parts = gradients(linear_cross_entropy(h, weight, bias, targets, chunk_logits=chunk_logits), h, weight, bias)
    for one, other in zip(whole, parts, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6)


def test_slices_of_a_chunk_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    h, weight, bias, targets = problem(50, 16, 30)
    whole = gradients(linear_cross_entropy(h, weight, bias, targets), h, weight, bias)
    monkeypatch.setattr(loss_module, "SLICE_LOGITS", 60)
    sliced = gradients(linear_cross_entropy(h, weight, bias, targets), h, weight, bias)
    for one, other in zip(whole, sliced, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6)


def test_bf16_stays_near_fp32_and_gives_fp32_gradients_to_fp32_weights() -> None:
    h, weight, bias, targets = problem(200, 32, 100)
    half = h.detach().bfloat16().requires_grad_()
    total = linear_cross_entropy(half, weight, bias, targets, chunk_logits=50 * 100)
    expected = plain(h, weight, bias, targets)
    assert total.dtype == torch.float32
    assert abs(total.item() / expected.item() - 1) < 2e-3
    grad_h, grad_w, grad_b = gradients(total, half, weight, bias)
    want_h, want_w, want_b = gradients(expected, h, weight, bias)
    assert (grad_h.dtype, grad_w.dtype, grad_b.dtype) == (torch.bfloat16, torch.float32, torch.float32)
    for got, want in ((grad_h, want_h), (grad_w, want_w), (grad_b, want_b)):
        assert (got.float() - want).norm() < 0.02 * want.norm()


def test_without_gradients_the_value_is_the_same() -> None:
    h, weight, bias, targets = problem(30, 16, 40)
    with torch.no_grad():
        silent = linear_cross_entropy(h, weight, bias, targets, chunk_logits=200)
    torch.testing.assert_close(silent, linear_cross_entropy(h, weight, bias, targets), rtol=1e-6, atol=1e-5)


def test_no_masked_row_is_a_loss_of_zero_with_zero_gradients() -> None:
    h, weight, bias, targets = problem(0, 16, 40)
    total = linear_cross_entropy(h, weight, bias, targets)
    assert total.item() == 0
    assert all(not grad.any() for grad in gradients(total, h, weight, bias))


def test_very_unlikely_targets_keep_a_finite_loss() -> None:
    h = torch.full((1, 1), 300.0, requires_grad=True)
    weight = torch.tensor([[1.0], [-1.0]], requires_grad=True)
    total = linear_cross_entropy(h, weight, torch.zeros(2), torch.tensor([1]))
    assert total.item() == pytest.approx(600.0)


def test_the_matrix_of_logits_is_never_whole() -> None:
    h, weight, bias, targets = problem(64, 8, 50)
    largest = 0

    class Watch(torch.utils._python_dispatch.TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
            nonlocal largest
            out = func(*args, **(kwargs or {}))
            if isinstance(out, torch.Tensor):
                largest = max(largest, out.numel())
            return out

    with Watch():
        linear_cross_entropy(h, weight, bias, targets, chunk_logits=8 * 50).backward()
    assert largest < 64 * 50
