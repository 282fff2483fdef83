"""The question embed: one vector a text out of the hidden states of its tokens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, get_args

import numpy as np
from torch import Tensor

from isogloss.attention import Layout
from isogloss.errors import ConfigError
from isogloss.heads import AnyEncoder, mean_of_pieces
from isogloss.predict.loaded import LoadedModel
from isogloss.predict.windowed import RunningMeans
from isogloss.tasks import FloatArray, Long, text_windows

__all__ = ["Pooling", "embed_texts"]

Pooling = Literal["mean", "cls", "mean-all"]


def embed_texts(
    loaded: LoadedModel,
    texts: Sequence[str],
    *,
    pooling: Pooling | None,
    normalise: bool | None,
    width: int | None,
    long: Long,
) -> FloatArray:
    """A vector a text, (texts, `width`), cut to that width before it is normalised."""
    whole = loaded.encoder.settings.width
    if pooling not in (None, *get_args(Pooling)):
        raise ConfigError(f"pooling = '{pooling}' is not known: use mean, cls or mean-all")
    if width is not None and not 1 <= width <= whole:
        raise ConfigError(f"width = {width} is outside 1 to {whole}, the width of the model's vectors")
    max_length = loaded.max_length
    if pooling is None and loaded.modules is not None:
        said = loaded.modules.pooling()
        pooling, normalise = said.mode, said.normalise if normalise is None else normalise
        max_length = min(max_length, loaded.modules.max_length)
    windows = text_windows([(text,) for text in texts], loaded.tokenizer, max_length=max_length, long=long)
    means = RunningMeans((len(texts), whole))
    rows = loaded.ask(_pooled(loaded.encoder, pooling or "mean"), (window.ids for window in windows))
    for window, row in zip(windows, rows, strict=True):
        means.add(window.example, row)
    vectors = means.rows[:, :width]
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True).clip(min=1e-12) if normalise else vectors


def _pooled(encoder: AnyEncoder, pooling: Pooling) -> Callable[..., Tensor]:
    """The model with its pooling: one row a sequence."""

    def pooled(ids_N: Tensor, layout: Layout, languages_S: Tensor) -> Tensor:
        x_ND = encoder(ids_N, layout, languages_S=languages_S).float()
        if pooling == "cls":
            return x_ND[layout.offsets[:-1].long()]
        if pooling == "mean-all":
            lengths_S = layout.offsets.diff()
            sums_SD = x_ND.new_zeros(layout.num_sequences, x_ND.shape[1]).index_add_(0, layout.sequences_N, x_ND)
            return sums_SD / lengths_S[:, None]
        return mean_of_pieces(x_ND, layout)

    return pooled
