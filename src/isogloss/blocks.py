"""Attention over sequences of mixed lengths on a CPU that only answers: blocks of few sizes, each with its mask.

    blocks = Blocks.of([5, 30, 21, 3, 200])       # once a pack, for all layers: two of 32 rows and one of 256
    out_NHE = attend_blocks(qkv_N3HE, blocks)

One batched product for each length there is costs more in calls than in arithmetic, where a pack holds eighty of them.
Here sequences lie end to end in blocks of few sizes, short ones in what longer ones leave, and a mask keeps them apart.
As many blocks are taken at a time as the processor's cache holds weights of.

Shapes: N packed tokens, H heads, E width of a head; B blocks of L rows, M rows of all blocks; G is B·H.
"""

from __future__ import annotations

import dataclasses
from bisect import bisect_left, insort
from collections import Counter, defaultdict
from collections.abc import Sequence
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
# Sequences of one length with so many tokens together have blocks of that size.
OF_THEIR_OWN = 512


@dataclasses.dataclass(frozen=True, eq=False)
class Group:
    """Blocks of one size, their rows one after another."""

    num_blocks: int
    size: int
    sources_BL: Tensor  # the packed token in each row; any of the block's in rows that are left empty
    mask_BLL: Tensor | None  # 0 within a sequence, -inf elsewhere; None where a sequence fills each block


@dataclasses.dataclass(frozen=True, eq=False)
class Blocks:
    """Where each packed sequence lies in which block. Build it with `Blocks.of`."""

    groups: tuple[Group, ...]
    rows_N: Tensor | None  # the row of each packed token; None where rows and tokens are the same

    @classmethod
    def of(cls, lengths: Sequence[int]) -> Blocks:
        """Blocks for sequences packed in this order, none longer than `LONGEST`; empty ones take no room."""
        starts = [0, *accumulate(lengths)]
        rows_N = np.empty(starts[-1], np.int64)
        groups: list[Group] = []
        num_rows = 0
        for size, blocks in _fill(lengths):
            sources_BL = np.empty((len(blocks), size), np.int64)
            sequences_BL = np.full((len(blocks), size), EMPTY, np.int64)
            for sources_L, sequences_L, block in zip(sources_BL, sequences_BL, blocks, strict=True):
                sources_L[:] = starts[block[0]]
                begin = 0
                for sequence in block:
                    end = begin + lengths[sequence]
                    sources_L[begin:end] = range(starts[sequence], starts[sequence + 1])
                    sequences_L[begin:end] = sequence
                    begin = end
            taken_BL = sequences_BL != EMPTY
            rows_N[sources_BL[taken_BL]] = num_rows + np.flatnonzero(taken_BL)
            num_rows += sources_BL.size
            groups.append(Group(len(blocks), size, torch.from_numpy(sources_BL), _mask(sequences_BL)))
        same = bool((rows_N == np.arange(len(rows_N))).all()) and num_rows == len(rows_N)
        return cls(tuple(groups), None if same else torch.from_numpy(rows_N))


def attend_blocks(qkv_N3HE: Tensor, blocks: Blocks) -> Tensor:
    """Softmax attention of each sequence over itself, (N, H, E), in the type of `qkv_N3HE`; not differentiable."""
    H, E = qkv_N3HE.shape[2:]
    num_rows = sum(group.num_blocks * group.size for group in blocks.groups)
    out_MHE = qkv_N3HE.new_empty(num_rows, H, E)
    begin = 0
    for group in blocks.groups:
        at_once = max(1, CACHED_WEIGHTS // (H * group.size**2))
        for first in range(0, group.num_blocks, at_once):
            last = min(first + at_once, group.num_blocks)
            end = begin + (last - first) * group.size
            qkv_R3HE = qkv_N3HE[begin:end]
            if blocks.rows_N is not None:
                qkv_R3HE = qkv_N3HE.index_select(0, group.sources_BL[first:last].reshape(-1))
            mask_BLL = None if group.mask_BLL is None else group.mask_BLL[first:last]
            _attend(qkv_R3HE, group.size, mask_BLL, out_MHE[begin:end])
            begin = end
    return out_MHE if blocks.rows_N is None else out_MHE.index_select(0, blocks.rows_N)


def scaled_bmm(a: Tensor, b: Tensor, scale: float, *, out: Tensor | None = None) -> Tensor:
    """scale · a @ b; with beta = 0 the first operand is only a place for the result."""
    if out is None:
        out = a.new_empty(len(a), a.shape[1], b.shape[2])
    return torch.baddbmm(out, a, b, beta=0, alpha=scale, out=out)


def _attend(qkv_R3HE: Tensor, L: int, mask_BLL: Tensor | None, out_RHE: Tensor) -> None:
    """Blocks that fit into the cache; the result is written to `out_RHE`."""
    R, _, H, E = qkv_R3HE.shape
    B = R // L
    q_GLE, k_GLE, v_GLE = qkv_R3HE.view(B, L, 3, H, E).permute(2, 0, 3, 1, 4).reshape(3, B * H, L, E)
    scores_GLL = scaled_bmm(q_GLE, k_GLE.transpose(1, 2), E**-0.5)
    if mask_BLL is not None:
        scores_GLL.view(B, H, L, L).add_(mask_BLL[:, None].to(scores_GLL.dtype))
    x_GLE = torch.bmm(scores_GLL.softmax(-1), v_GLE)
    out_RHE.view(B, L, H, E).copy_(x_GLE.view(B, H, L, E).transpose(1, 2))


def _fill(lengths: Sequence[int]) -> list[tuple[int, list[list[int]]]]:
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
