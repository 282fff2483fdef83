"""Piece embeddings of which training holds the rows of the pieces it meets: a few per cent of XLM-R's 250,002.

    hold_used_rows(model, training.ids.values, folder=run.path)

The others would get no gradient in any step. What is learned is what training with the whole table learns, but for one
thing: there weight decay shrinks also the rows of pieces that never occur (by `rate x weight_decay` a step, 0.02 % of
their length in a thousand steps at 2e-5 and 0.01), and here they stay as they were.

Shapes: V pieces, R rows that are held, N tokens, D width.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from isogloss.heads import TaskModel
from isogloss.interop.foreign import ForeignEncoder
from isogloss.lean.plain import Replaced, replace_module
from isogloss.manifest import room_for
from isogloss.model import Encoder

__all__ = ["UsedRows", "hold_used_rows"]


class UsedRows(Replaced):
    """Takes ids of the whole vocabulary: the rows of ``ids_R`` learn, others are looked up where they are put aside.

    That is a nameless file of ``folder``, gone when the process ends. In training another id is an IndexError.
    """

    row_of_V: Tensor

    def __init__(self, whole: nn.Embedding, ids_R: npt.NDArray[np.int64], *, folder: Path) -> None:
        super().__init__()
        self._ids_R = torch.from_numpy(ids_R)
        self._padding_id = whole.padding_idx
        self.weight = nn.Parameter(whole.weight.detach()[self._ids_R].clone(), whole.weight.requires_grad)
        row_of_V = torch.full((whole.num_embeddings,), -1)
        row_of_V[self._ids_R] = torch.arange(len(ids_R))
        self.register_buffer("row_of_V", row_of_V, persistent=False)
        self._padding_row = None if whole.padding_idx is None else int(row_of_V[whole.padding_idx])
        self._whole_VD = _put_aside(whole.weight.detach(), folder)

    def forward(self, ids_N: Tensor) -> Tensor:
        rows_N = self.row_of_V[ids_N]
        if self.training:
            return F.embedding(rows_N, self.weight, padding_idx=self._padding_row)
        x_ND = F.embedding(rows_N.clamp(min=0), self.weight)
        others_N = rows_N < 0
        if others_N.any():
            x_ND[others_N] = self._whole_VD[ids_N[others_N].cpu()].to(x_ND)
        return x_ND

    @torch.no_grad()
    def plain(self) -> nn.Module:
        """The whole table, with the rows as they are now."""
        self._whole_VD[self._ids_R] = self.weight.cpu()
        num_pieces, width = self._whole_VD.shape
        return nn.Embedding(num_pieces, width, padding_idx=self._padding_id, _weight=self._whole_VD)


def hold_used_rows(model: TaskModel, ids: npt.NDArray[np.integer[Any]], *, folder: Path) -> None:
    """Leave the model, in place, the rows of these ids; the whole table is put aside in ``folder``.

    An encoder of another family whose embedding does more than look up keeps it whole. Raises FolderError when the
    table does not fit the disk.
    """
    encoder, padding = model.encoder, list[int]()
    if isinstance(encoder, ForeignEncoder):
        whole = encoder.model.get_input_embeddings()
        if type(whole) is not nn.Embedding or whole.max_norm is not None or whole.scale_grad_by_freq:
            return
        # Their batches are padded, and their table may know a padding row of its own.
        padding = [encoder.format.pad_id, *([] if whole.padding_idx is None else [whole.padding_idx])]
    else:
        assert isinstance(encoder, Encoder)
        whole = encoder.embeddings.pieces
    used_R = np.unique(np.concatenate([ids.astype(np.int64), np.array(padding, np.int64)]))
    replace_module(model, whole, UsedRows(whole, used_R, folder=folder))


def _put_aside(table_VD: Tensor, folder: Path) -> Tensor:
    """The table as a map of a file without a name: memory that the system may take back. Writing to it changes memory
    alone."""
    with room_for(folder), tempfile.TemporaryFile(dir=folder) as file:
        file.write(table_VD.cpu().contiguous().numpy().data)
        file.flush()
        return torch.from_numpy(np.memmap(file, np.float32, mode="c", shape=tuple(table_VD.shape)))
