"""A model with other rows in its piece embeddings: for a vocabulary with fewer pieces, or with more.

    smaller = with_rows(model, Rows.copies([0, 1, 2, 3, 17, 40, 8001]))
    larger = with_rows(model, Rows.of([*range(8001), [17, 40], [5, 6, 7], 8001]))     # two rows are means of old ones

What has a row for each piece goes by the same rule: the embeddings, an untied head's own, and the head's bias. All else
is the very same tensors.

Shapes: V rows of the old table, R rows of the new one, D width.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from isogloss.heads import TaskModel
from isogloss.model import Encoder, MaskedLM

__all__ = ["Rows", "with_rows"]

Model = TypeVar("Model", bound=MaskedLM | TaskModel | Encoder)


@dataclass(frozen=True)
class Rows:
    """Each new row as a weighted sum of old ones: those from ``begins_R[i]`` to ``begins_R[i + 1]``, int64 and fp32."""

    sources: Tensor
    begins_R: Tensor
    weights: Tensor

    @classmethod
    def copies(cls, sources: Sequence[int]) -> Rows:
        """Every new row is an old one."""
        return cls.of(sources)

    @classmethod
    def of(cls, sources: Sequence[int | Sequence[int]]) -> Rows:
        """Every new row is an old one or the mean of several."""
        lists = [[source] if isinstance(source, int) else list(source) for source in sources]
        return cls.weighted([[(source, 1 / len(members)) for source in members] for members in lists])

    @classmethod
    def weighted(cls, sources: Sequence[Sequence[tuple[int, float]]]) -> Rows:
        """Every new row is a sum of old ones, each with its weight; at least one."""
        assert all(sources), "a row comes from somewhere"
        lengths = torch.tensor([0, *(len(members) for members in sources[:-1])])
        flat = [pair for members in sources for pair in members]
        return cls(
            torch.tensor([source for source, _ in flat]),
            lengths.cumsum(0),
            torch.tensor([weight for _, weight in flat], dtype=torch.float32),
        )

    def __len__(self) -> int:
        return len(self.begins_R)

    def applied(self, table_VD: Tensor) -> Tensor:
        """The new table, (R, D); a row that is copied is equal to the bit."""
        return F.embedding_bag(
            self.sources, table_VD.detach(), self.begins_R, mode="sum", per_sample_weights=self.weights.to(table_VD)
        )


@torch.no_grad()
def with_rows(model: Model, rows: Rows) -> Model:
    """A model with the new rows; ``model`` is left as it is."""
    assert int(rows.sources.max()) < _encoder(model).settings.vocabulary_size, "rows come from the old table"
    # Everything but the tables is shared, so that nothing large is copied.
    tables = [parameter for parameter in model.parameters() if _has_rows(model, parameter)]
    changed: Model = copy.deepcopy(model, {id(p): p for p in model.parameters()} | {id(b): b for b in model.buffers()})
    settings = _encoder(model).settings.model_copy(update={"vocabulary_size": len(rows)})
    for module in changed.modules():
        if isinstance(getattr(module, "settings", None), type(settings)):
            module.settings = settings  # type: ignore[assignment]
        for name, parameter in module.named_parameters(recurse=False):
            if any(parameter is table for table in tables):
                new = rows.applied(parameter if parameter.ndim == 2 else parameter[:, None])
                setattr(module, name, nn.Parameter(new if parameter.ndim == 2 else new[:, 0].clone()))
        if isinstance(module, nn.Embedding):
            module.num_embeddings = module.weight.shape[0]
    return changed


def _has_rows(model: MaskedLM | TaskModel | Encoder, parameter: nn.Parameter) -> bool:
    known = [_encoder(model).embeddings.pieces.weight]
    if isinstance(model, MaskedLM):
        known += [model.head.bias, *([] if model.head.pieces is None else [model.head.pieces.weight])]
    return any(parameter is table for table in known)


def _encoder(model: MaskedLM | TaskModel | Encoder) -> Encoder:
    encoder = model if isinstance(model, Encoder) else model.encoder
    assert isinstance(encoder, Encoder), "of our own family"
    return encoder
