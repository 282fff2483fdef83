"""Attention in blocks beside the definition, and how full the blocks are."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import isogloss.blocks as blocks_module
from isogloss.attention import Layout, attend, attend_plain
from isogloss.blocks import LONGEST, Blocks, attend_blocks

LENGTHS = st.lists(
    st.integers(0, 40) | st.sampled_from([0, 31, 32, 33, 64, 65, 127, 130, 200]), min_size=1, max_size=40
)


def random_qkv(num_tokens: int, *, seed: int = 1) -> torch.Tensor:
    return torch.randn(num_tokens, 3, 2, 8, generator=torch.Generator().manual_seed(seed))


@settings(max_examples=60, deadline=None)
@given(lengths=LENGTHS)
def test_is_the_definition(lengths: list[int]) -> None:
    qkv = random_qkv(sum(lengths))
    out = attend_blocks(qkv, Blocks.of(lengths, 2))
    torch.testing.assert_close(out, attend_plain(qkv, Layout.of(lengths)), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "lengths", [[LONGEST] * 3, [500, 3, LONGEST, 7, 385], [20] * 60, [20] * 60 + [5, 9], [1], [0, 0]]
)
def test_is_the_definition_at_the_borders(lengths: list[int]) -> None:
    qkv = random_qkv(sum(lengths))
    out = attend_blocks(qkv, Blocks.of(lengths, 2))
    torch.testing.assert_close(out, attend_plain(qkv, Layout.of(lengths)), rtol=1e-5, atol=1e-6)


@settings(max_examples=30, deadline=None)
@given(lengths=LENGTHS, cached=st.integers(1, 5000))
def test_how_many_at_a_time_changes_nothing(lengths: list[int], cached: int) -> None:
    qkv = random_qkv(sum(lengths))
    at_once = attend_blocks(qkv, Blocks.of(lengths, 2))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks_module, "CACHED_WEIGHTS", cached)
        torch.testing.assert_close(attend_blocks(qkv, Blocks.of(lengths, 2)), at_once, rtol=1e-5, atol=1e-6)


@settings(max_examples=60, deadline=None)
@given(lengths=LENGTHS, num_heads=st.integers(1, 3))
def test_blocks_hold_every_head_of_every_token_once(lengths: list[int], num_heads: int) -> None:
    blocks = Blocks.of(lengths, num_heads)
    queries = [group.rows.view(3, -1)[0] for group in blocks.groups]
    assert blocks.rows_NH.unique().numel() == sum(lengths) * num_heads
    if queries:
        expected = torch.arange(sum(lengths))[:, None] * 3 * num_heads + torch.arange(num_heads)
        assert torch.equal(torch.cat(queries)[blocks.rows_NH], expected)
    for group in blocks.groups:
        assert len(group.rows) == 3 * group.num_blocks * num_heads * group.size
        if group.mask_BLL is not None:
            assert set(group.mask_BLL.unique().tolist()) == {0.0, -torch.inf}
            assert not group.mask_BLL.diagonal(dim1=1, dim2=2).any()


def test_sequences_of_one_length_need_no_mask() -> None:
    blocks = Blocks.of([37] * 5, 12)
    assert [(group.num_blocks, group.size, group.mask_BLL) for group in blocks.groups] == [(5, 37, None)]


def test_short_ones_fill_what_longer_ones_leave() -> None:
    assert [(group.num_blocks, group.size) for group in Blocks.of([5, 20, 12, 27, 30, 2], 12).groups] == [(3, 32)]


def test_a_length_shared_by_many_has_blocks_of_its_own() -> None:
    sizes = {group.size: group.num_blocks for group in Blocks.of([19] * 40 + [7, 25], 12).groups}
    assert sizes == {19: 40, 32: 1}


def test_sequences_do_not_see_each_other() -> None:
    lengths = [20, 12, 7]
    qkv = random_qkv(39)
    changed = qkv.clone()
    changed[20:32] += 1
    before, after = (attend_blocks(one, Blocks.of(lengths, 2)) for one in (qkv, changed))
    assert torch.equal(before[:20], after[:20])
    assert torch.equal(before[32:], after[32:])
    assert not torch.allclose(before[20:32], after[20:32])


def test_a_processor_that_answers_in_bf16_takes_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object) -> torch.Tensor:
        raise AssertionError("no blocks here")

    layout = Layout.of([40, 30, 20])
    half = random_qkv(90).bfloat16()
    assert torch.equal(attend(half, layout), attend_blocks(half, layout.blocks(2)))
    monkeypatch.setattr("isogloss.attention.attend_blocks", refuse)
    with pytest.raises(AssertionError, match="no blocks"):
        attend(half, layout)
    attend(random_qkv(90), layout)
    attend(half.requires_grad_(), layout)
    attend(half, layout, dropout=0.1)
    attend(random_qkv(LONGEST + 1).bfloat16(), Layout.of([LONGEST + 1]))
