"""Dropout of our own: the share dropped, the scale of the rest, the gradient, the seed."""

from __future__ import annotations

import pytest
import torch

from isogloss.dropout import drop


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_share_and_scale(share: float) -> None:
    torch.manual_seed(1)
    x = torch.ones(1000, 333)
    out = drop(x, share)
    assert (out == 0).float().mean().item() == pytest.approx(share, abs=0.005)
    assert out[out != 0].unique().item() == pytest.approx(1 / (1 - share), rel=1e-3)
    # The four numbers cut from one draw are as good as four draws: each column drops its share.
    lanes = (out.flatten()[: 4 * 83_250].view(-1, 4) == 0).float().mean(0)
    assert torch.allclose(lanes, torch.full((4,), share), atol=0.01)
    together = ((out.flatten()[:-1] == 0) & (out.flatten()[1:] == 0)).float().mean().item()
    assert together == pytest.approx(share**2, abs=0.01)


def test_gradient_passes_where_values_pass() -> None:
    x = torch.ones(50, 3, requires_grad=True)
    out = drop(x, 0.4)
    out.sum().backward()
    assert torch.equal(x.grad, out.detach())


def test_zero_is_the_identity_and_the_seed_decides() -> None:
    x = torch.randn(7, 5)
    assert drop(x, 0.0) is x
    torch.manual_seed(2)
    first = drop(x, 0.5)
    state = torch.get_rng_state()
    second = drop(x, 0.5)
    assert not torch.equal(first, second)
    torch.set_rng_state(state)
    assert torch.equal(second, drop(x, 0.5))


def test_bf16_stays_bf16() -> None:
    assert drop(torch.ones(8, dtype=torch.bfloat16), 0.2).dtype == torch.bfloat16
