"""attend() beside the definition, for every layout, type and backend that a CPU has."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import isogloss.attention as attention
from isogloss.attention import Bucket, Layout, attend, attend_plain

LENGTHS = st.lists(st.integers(0, 9), min_size=0, max_size=8)


def random_qkv(num_tokens: int, *, dtype: torch.dtype = torch.float32, seed: int = 1) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(num_tokens, 3, 2, 8, generator=generator).to(dtype)


@settings(max_examples=60, deadline=None)
@given(lengths=LENGTHS, training=st.booleans())
def test_attend_is_the_definition(lengths: list[int], training: bool) -> None:
    layout = Layout.of(lengths)
    qkv = random_qkv(layout.num_tokens).requires_grad_(training)
    torch.testing.assert_close(attend(qkv, layout), attend_plain(qkv, layout), rtol=1e-5, atol=1e-6)


def padded(qkv: torch.Tensor, lengths: list[int]) -> torch.Tensor:
    """The same as a padded batch with a mask, through torch's own attention; what it gives for tokens, packed again."""
    longest = max(lengths, default=0)
    parts = qkv.split(lengths)
    full = torch.stack([torch.nn.functional.pad(part, (0, 0, 0, 0, 0, 0, 0, longest - len(part))) for part in parts])
    mask = torch.arange(longest) < torch.tensor(lengths)[:, None]
    # A sequence of nothing but padding looks at all of it: else its softmax, which is cut away, would be of nothing.
    mask = torch.where(mask.any(1, keepdim=True), mask, True)
    q, k, v = full.permute(2, 0, 3, 1, 4)
    out = torch.nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=mask[:, None, None, :])
    return torch.cat([row.transpose(0, 1)[:length] for row, length in zip(out, lengths, strict=True)])


@settings(max_examples=60, deadline=None)
@given(
    lengths=st.lists(st.integers(0, 9) | st.integers(60, 70), min_size=1, max_size=8),
    dtype=st.sampled_from([torch.float32, torch.bfloat16]),
    training=st.booleans(),
)
def test_packed_is_padded_is_plain(lengths: list[int], dtype: torch.dtype, training: bool) -> None:
    layout = Layout.of(lengths)
    qkv = random_qkv(layout.num_tokens, dtype=dtype).requires_grad_(training)
    out = attend(qkv, layout)
    assert out.dtype == dtype
    tolerance = {"rtol": 1e-5, "atol": 1e-6} if dtype == torch.float32 else {"rtol": 0.02, "atol": 0.02}
    exact = qkv.detach().float()
    torch.testing.assert_close(out.float(), padded(exact, lengths), **tolerance)
    torch.testing.assert_close(out.float(), attend_plain(exact, layout), **tolerance)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("lengths", [(3000,), (0, 1200, 3, 0, 700, 3)])
def test_long_documents(lengths: tuple[int, ...], training: bool) -> None:
    layout = Layout.of(lengths)
    qkv = random_qkv(layout.num_tokens).requires_grad_(training)
    torch.testing.assert_close(attend(qkv, layout), attend_plain(qkv, layout), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("lengths", [(0, 700, 5, 0, 5), (0, 0), ()])
def test_dropout_at_every_length(lengths: tuple[int, ...]) -> None:
    """Every value the same: a result is the sum of the weights it kept, one on average."""
    layout = Layout.of(lengths)
    qkv = random_qkv(layout.num_tokens)
    qkv[:, 2] = 1.0
    qkv.requires_grad_()
    out = attend(qkv, layout, dropout=0.3)
    out.sum().backward()
    assert out.shape == (sum(lengths), 2, 8)
    assert qkv.grad is not None
    assert qkv.grad.isfinite().all()
    if lengths and max(lengths) > 1:
        assert abs(out.mean().item() - 1) < 0.02
        assert out.std() > 0.01


@pytest.mark.parametrize("lengths", [(4, 4, 4), (5, 3, 0, 5, 3, 7), (70,), (0, 0)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_gradients_are_those_of_the_definition(lengths: tuple[int, ...], dtype: torch.dtype) -> None:
    layout = Layout.of(lengths)
    qkv = random_qkv(layout.num_tokens, dtype=dtype).requires_grad_()
    exact = qkv.detach().float().requires_grad_()
    direction = random_qkv(layout.num_tokens, seed=2)[:, 0]
    (attend(qkv, layout).float() * direction).sum().backward()
    (attend_plain(exact, layout) * direction).sum().backward()
    tolerance = 1e-5 if dtype == torch.float32 else 0.06
    torch.testing.assert_close(qkv.grad.float(), exact.grad, rtol=tolerance, atol=tolerance)


def test_own_backward_by_finite_differences() -> None:
    layout = Layout.of([5, 3, 0, 5, 2])
    qkv = random_qkv(15, dtype=torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: attend(x, layout), (qkv,))

    def dropped(x: torch.Tensor) -> torch.Tensor:
        torch.manual_seed(7)
        return attend(x, layout, dropout=0.4)

    assert torch.autograd.gradcheck(dropped, (qkv,))


def test_both_cpu_ways_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    layout = Layout.of([6, 6])
    qkv = random_qkv(12).requires_grad_()
    short = attend(qkv, layout)
    monkeypatch.setattr(attention, "SHORT_LENGTH_FP32", 0)
    fused = attend(qkv, layout)
    assert type(short.grad_fn) is not type(fused.grad_fn)
    torch.testing.assert_close(short, fused, rtol=1e-5, atol=1e-6)


def test_sequences_do_not_see_each_other() -> None:
    layout = Layout.of([3, 5, 3])
    qkv = random_qkv(11)
    changed = qkv.clone()
    changed[3:8] += 1
    before, after = attend(qkv, layout), attend(changed, layout)
    assert torch.equal(before[:3], after[:3])
    assert torch.equal(before[8:], after[8:])
    assert not torch.allclose(before[3:8], after[3:8])


def test_dropout_keeps_the_mean_and_follows_the_seed() -> None:
    layout = Layout.of([64] * 32)
    qkv = random_qkv(64 * 32)
    qkv[:, 2] = 1.0  # every value the same: dropping weights changes the sum of weights only
    torch.manual_seed(3)
    first = attend(qkv, layout, dropout=0.25)
    torch.manual_seed(3)
    assert torch.equal(first, attend(qkv, layout, dropout=0.25))
    assert not torch.equal(first, attend(qkv, layout, dropout=0.25))
    assert first.std() > 0.01
    assert abs(first.mean().item() - 1) < 0.01


@given(lengths=LENGTHS)
@settings(max_examples=60, deadline=None)
def test_layout_counts_and_places(lengths: list[int]) -> None:
    layout = Layout.of(lengths)
    assert layout.offsets.dtype == torch.int32
    assert layout.offsets.tolist() == [sum(lengths[:k]) for k in range(len(lengths) + 1)]
    assert layout.max_length == max(lengths, default=0)
    assert layout.positions_N.tolist() == [place for length in lengths for place in range(length)]
    assert layout.sequences_N.tolist() == [k for k, length in enumerate(lengths) for _ in range(length)]
    assert sum(bucket.num_sequences * bucket.length for bucket in layout.buckets) == sum(lengths)
    if layout.by_length is not None:
        ordered, order_N = layout.by_length
        assert list(ordered.lengths) == sorted(lengths)
        assert sorted(order_N.tolist()) == list(range(sum(lengths)))
        assert layout.positions_N[order_N].tolist() == ordered.positions_N.tolist()


def test_uniform_batch_is_one_bucket_and_worked_out_once() -> None:
    layout = Layout.of([7] * 5)
    assert layout.buckets == (Bucket(5, 7),)
    assert layout.by_length is None
    assert layout.positions_N is layout.positions_N


def test_negative_length_is_our_mistake() -> None:
    with pytest.raises(AssertionError, match="negative"):
        Layout.of([3, -1])


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("lengths", [(64,) * 4, (5, 30, 0, 17, 30)])
def test_cuda_backends_agree_with_the_definition(lengths: tuple[int, ...]) -> None:
    layout = Layout.of(lengths, "cuda")
    qkv = random_qkv(layout.num_tokens, dtype=torch.bfloat16).cuda().requires_grad_()
    expected = attend_plain(qkv.float(), layout)
    torch.testing.assert_close(attend(qkv, layout).float(), expected, rtol=0.03, atol=0.03)
