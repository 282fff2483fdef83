"""Fast inference: any number of sequences through a model, sorted by length, packed by token budget, order restored.

    for logits in run_packed(task_model, sequences, device=device): ...                 # (L,) a sequence
    for logits_TL in run_packed(token_model, sequences, device=device, num_rows=len): ...  # a row a token

Nothing is padded. Sequences of similar length share a pack, so attention meets few different lengths. A generator
goes in and a generator comes out: only `look_ahead` sequences are held at a time, whatever the length of the file.

Shapes: N packed tokens, S sequences, T tokens of one sequence, R rows that the model gives for a pack.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from isogloss.attention import Layout
from isogloss.devices import Device

__all__ = ["TOKEN_BUDGET", "in_language", "one_row", "packs", "run_packed"]

IntArray = npt.NDArray[np.int32]

# Tokens of a pack. On two CPU cores speed is flat from 4,096 up, and memory grows with it.
TOKEN_BUDGET = 8192
# Sequences that are sorted together.
LOOK_AHEAD = 8192


def one_row(ids: IntArray) -> int:
    """For models that give one row a sequence."""
    return 1


def in_language(forward: Callable[..., Tensor], row: int) -> Callable[[Tensor, Layout], Tensor]:
    """`forward` for sequences of one language, that of this row of the model's language embedding."""

    def spoken(ids_N: Tensor, layout: Layout) -> Tensor:
        return forward(ids_N, layout, languages_S=torch.full((layout.num_sequences,), row, device=ids_N.device))

    return spoken


def run_packed(
    forward: Callable[[Tensor, Layout], Tensor],
    sequences: Iterable[IntArray],
    *,
    device: Device,
    num_rows: Callable[[IntArray], int] = one_row,
    token_budget: int = TOKEN_BUDGET,
    look_ahead: int = LOOK_AHEAD,
) -> Iterator[npt.NDArray[Any]]:
    """What `forward` gives for each sequence, in the order of `sequences`.

    `forward(ids_N, layout)` gives rows for a pack, `num_rows(ids)` says how many of them belong to a sequence; where
    that is always 1, the row comes without its first dimension. Rows arrive as fp32 (or as integers, if they are).
    """
    queue = iter(sequences)
    while window := list(islice(queue, look_ahead)):
        lengths = [len(ids) for ids in window]
        results: list[npt.NDArray[Any]] = [np.empty(0)] * len(window)
        for pack in packs(lengths, token_budget=token_budget):
            rows_R = _forward(forward, [window[index] for index in pack], device)
            if num_rows is one_row:
                parts = list(rows_R)
            else:
                parts = np.split(rows_R, np.cumsum([num_rows(window[index]) for index in pack])[:-1])
            for index, part in zip(pack, parts, strict=True):
                results[index] = part
        yield from results


def packs(lengths: Sequence[int], *, token_budget: int) -> Iterator[list[int]]:
    """Indices that go together, longest first: at most `token_budget` tokens, and at least one sequence."""
    pack: list[int] = []
    num_tokens = 0
    # Longest first, so that a budget beyond the memory shows at the first pack and not at the last.
    for index in sorted(range(len(lengths)), key=lambda index: -lengths[index]):
        if pack and num_tokens + lengths[index] > token_budget:
            yield pack
            pack, num_tokens = [], 0
        pack.append(index)
        num_tokens += lengths[index]
    if pack:
        yield pack


def _forward(
    forward: Callable[[Tensor, Layout], Tensor], sequences: Sequence[IntArray], device: Device
) -> npt.NDArray[Any]:
    ids_N = torch.from_numpy(np.concatenate(sequences).astype(np.int64)).to(device.device, non_blocking=True)
    layout = Layout.of([len(ids) for ids in sequences], device.device)
    with torch.inference_mode():
        rows_R = forward(ids_N, layout)
        rows_R = rows_R.float() if rows_R.is_floating_point() else rows_R
    array: npt.NDArray[Any] = rows_R.cpu().numpy()
    return array
