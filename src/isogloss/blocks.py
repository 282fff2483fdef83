"""Attention over sequences of mixed lengths on a CPU that only answers: blocks of few sizes, each with its mask.

    blocks = Blocks.of([5, 30, 21, 3, 200], 12)   # once a pack, for all layers: two of 32 tokens, one of 256
    out_NHE = attend_blocks(qkv_N3HE, blocks)

One batched product for each length there is costs more in calls than in arithmetic, where a pack holds eighty of them.
Here sequences lie end to end in blocks of few sizes, short ones in what longer ones leave, and a mask keeps them apart.
As many blocks are taken at a time as the processor's cache holds weights of, and each vector is copied once each way.

Shapes: N packed tokens, H heads, E width of a head, R rows of that width; B blocks of L tokens; G is B·H.
"""

from __future__ import annotations

import dataclasses
from bisect import bisect_left, insort
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import accumulate

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

__all__ = ["LONGEST", "Blocks", "attend_blocks", "scaled_bmm"]

SIZES = (32, 64, 96, 128, 192, 256, 384, 512)
LONGEST = SIZES[-1]
# Attention weights that are worked on together: 12 heads of one sequence of 512. Twice as many are 5 % slower.
CACHED_WEIGHTS = 12 * 512 * 512
EMPTY = -1
Filled = list[tuple[int, list[list[int]]]]
# Sequences of one length with so many tokens together have blocks of that size.
OF_THEIR_OWN = 512


@dataclasses.dataclass(frozen=True, eq=False)
class Group:
    """Blocks of one size that are worked on together."""

    num_blocks: int
    size: int
    rows: Tensor  # of width E in the packed tensor: those of queries, keys and values, each (B, H, L)
    mask_BLL: Tensor | None  # 0 within a sequence, -inf elsewhere; None where a sequence fills each block


@dataclasses.dataclass(frozen=True, eq=False)
class Blocks:
    """Where each packed sequence lies in which block. Build it with `Blocks.of`."""

    groups: tuple[Group, ...]
    rows_NH: Tensor  # where the result of each token and head stands in those of all groups

    @classmethod
    def of(cls, lengths: Sequence[int], num_heads: int) -> Blocks:
        """Blocks for sequences packed in this order, none longer than `LONGEST`; empty ones take no room."""
        starts = [0, *accumulate(lengths)]
        heads_H = np.arange(num_heads)
        parts_3111 = np.arange(3)[:, None, None, None]
        rows_NH = np.empty((starts[-1], num_heads), np.int64)
        groups: list[Group] = []
        num_rows = 0
        for size, blocks in _groups(_fill(lengths), num_heads):
            tokens_BL, sequences_BL = _laid_out(blocks, size, lengths, starts)
            rows_3BHL = (tokens_BL[:, None] * 3 + parts_3111) * num_heads + heads_H[:, None]
            block_T, place_T = np.nonzero(sequences_BL != EMPTY)
            results_TH = (block_T[:, None] * num_heads + heads_H) * size + place_T[:, None]
            rows_NH[tokens_BL[block_T, place_T]] = num_rows + results_TH
            num_rows += tokens_BL.size * num_heads
            groups.append(Group(len(blocks), size, torch.from_numpy(rows_3BHL.reshape(-1)), _mask(sequences_BL)))
        return cls(tuple(groups), torch.from_numpy(rows_NH))


def attend_blocks(qkv_N3HE: Tensor, blocks: Blocks) -> Tensor:
    """Softmax attention of each sequence over itself, (N, H, E), in the type of `qkv_N3HE`; not differentiable."""
    N, _, H, E = qkv_N3HE.shape
    qkv_RE = qkv_N3HE.reshape(N * 3 * H, E)
    out_RE = qkv_N3HE.new_empty(sum(group.num_blocks * group.size for group in blocks.groups) * H, E)
    begin = 0
    for group in blocks.groups:
        B, L = group.num_blocks, group.size
        q_GLE, k_GLE, v_GLE = qkv_RE.index_select(0, group.rows).view(3, B * H, L, E)
        scores_GLL = scaled_bmm(q_GLE, k_GLE.transpose(1, 2), E**-0.5)
        if group.mask_BLL is not None:
            scores_GLL.view(B, H, L, L).add_(group.mask_BLL[:, None].to(scores_GLL.dtype))
        end = begin + B * H * L
        torch.bmm(scores_GLL.softmax(-1), v_GLE, out=out_RE[begin:end].view(B * H, L, E))
        begin = end
    return out_RE.index_select(0, blocks.rows_NH.view(-1)).view(N, H, E)


def scaled_bmm(a: Tensor, b: Tensor, scale: float, *, out: Tensor | None = None) -> Tensor:
    """scale · a @ b; with beta = 0 the first operand is only a place for the result."""
    if out is None:
        out = a.new_empty(len(a), a.shape[1], b.shape[2])
    return torch.baddbmm(out, a, b, beta=0, alpha=scale, out=out)


def _groups(filled: Filled, num_heads: int) -> Iterator[tuple[int, list[list[int]]]]:
    """As many blocks of a size at a time as the cache holds weights of."""
    for size, blocks in filled:
        at_once = max(1, CACHED_WEIGHTS // (num_heads * size**2))
        for first in range(0, len(blocks), at_once):
            yield size, blocks[first : first + at_once]


def _laid_out(
    blocks: list[list[int]], size: int, lengths: Sequence[int], starts: Sequence[int]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The token of each row, and its sequence or `EMPTY`."""
    tokens_BL = np.empty((len(blocks), size), np.int64)
    sequences_BL = np.full((len(blocks), size), EMPTY, np.int64)
    for tokens_L, sequences_L, block in zip(tokens_BL, sequences_BL, blocks, strict=True):
        tokens_L[:] = starts[block[0]]
        begin = 0
        for sequence in block:
            end = begin + lengths[sequence]
            tokens_L[begin:end] = range(starts[sequence], starts[sequence + 1])
            sequences_L[begin:end] = sequence
            begin = end
    return tokens_BL, sequences_BL


def _fill(lengths: Sequence[int]) -> Filled:
    """Sizes, each with the sequences of each of its blocks; those that one sequence fills are apart from the others."""
    number = Counter(length for length in lengths if length)
    full: dict[int, list[list[int]]] = defaultdict(list)
    shared: dict[int, list[list[int]]] = defaultdict(list)
    # What is left in each block, least first: the longest sequence that has no place yet goes where it fits best.
    rooms: list[tuple[int, int]] = []
    blocks: list[list[int]] = []
    for sequence in sorted(range(len(lengths)), key=lambda sequence: -lengths[sequence]):
        if not (length := lengths[sequence]):
            break
        if len(number) == 1 or length in SIZES or number[length] * length >= OF_THEIR_OWN:
            full[length].append([sequence])
        elif (place := bisect_left(rooms, (length, 0))) < len(rooms):
            room, block = rooms.pop(place)
            blocks[block].append(sequence)
            insort(rooms, (room - length, block))
        else:
            size = SIZES[bisect_left(SIZES, length)]
            insort(rooms, (size - length, len(blocks)))
            blocks.append([sequence])
            shared[size].append(blocks[-1])
    return [*full.items(), *shared.items()]


def _mask(sequences_BL: npt.NDArray[np.int64]) -> Tensor | None:
    """What is added to weights: nothing within a sequence, -inf between two; empty rows only see each other."""
    if (sequences_BL == sequences_BL[:, :1]).all():
        return None
    apart_BLL = torch.from_numpy(sequences_BL[:, :, None] != sequences_BL[:, None, :])
    return torch.zeros(apart_BLL.shape, dtype=torch.bfloat16).masked_fill_(apart_BLL, -torch.inf)
