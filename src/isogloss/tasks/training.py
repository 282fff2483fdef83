"""Training examples as packed batches: which examples a step sees is a pure function of (seed, step).

    training = TrainingSet.of("tag", windows, targets, rows)
    batches = ExampleBatches(training, batch_size=32, seed=1)
    batch = batches.batch(step)                          # or .batch(step, micro, num_micros)

An epoch is a shuffle of all sequences. Inside a stretch of many batches sequences are sorted by length, so
that a batch holds similar lengths and attention meets few different ones; the stretch's batches are shuffled again.

Shapes: N packed tokens, S sequences, M rows with a target or labels.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from isogloss.attention import Layout
from isogloss.randomness import key_of
from isogloss.tasks.examples import Kind
from isogloss.tasks.targets import RATING_STEP, Target
from isogloss.tasks.windows import Window
from isogloss.tasks.words import IntArray

__all__ = ["ExampleBatch", "ExampleBatches", "Examples", "Ragged", "TrainingSet"]

# Batches that are sorted together. On a CPU every new pair of number and length of sequences costs attention a
# compilation, so that longer stretches train faster (32: 91 ms a step, 512: 69); shorter ones are more random.
STRETCH = 256


@dataclass(frozen=True, eq=False)
class ExampleBatch:
    """Packed sequences and what they should give: `labels_M` of the sequences (classify) or of `rows_M` (tag), or,
    as pairs in `rows_M`, the rows where answers start and end; ratings are floats. `num_targets` is what the loss is
    averaged over."""

    ids_N: Tensor
    layout: Layout
    rows_M: Tensor
    labels_M: Tensor
    num_targets: int
    indices: tuple[int, ...]
    languages_S: Tensor | None = None

    @property
    def num_tokens(self) -> int:
        return len(self.ids_N)

    def to(self, device: torch.device) -> ExampleBatch:
        """The same batch on a device."""
        if self.ids_N.device == device:
            return self
        tensors = {name: x for name, x in vars(self).items() if isinstance(x, Tensor)}
        moved: dict[str, Any] = {name: x.to(device, non_blocking=True) for name, x in tensors.items()}
        return dataclasses.replace(self, layout=Layout.of(self.layout.lengths, device), **moved)


@dataclass(frozen=True, eq=False)
class TrainingSet:
    """All sequences and their targets, in flat arrays."""

    kind: Kind
    ids: Ragged
    rows: Ragged
    labels: Ragged
    languages: IntArray

    @classmethod
    def of(
        cls, kind: Kind, windows: Sequence[Window], targets: Sequence[Target], languages: Sequence[int] | None = None
    ) -> TrainingSet:
        """The set of these sequences; one without any target (a stretch of text where no word begins) is left out.

        `languages` are rows of the model's language embedding, 0 unless given.
        """
        languages = [0] * len(windows) if languages is None else languages
        kept = [parts for parts in zip(windows, targets, languages, strict=True) if len(parts[1].rows) > 0]
        return cls(
            kind,
            Ragged.of(window.ids for window, _, _ in kept),
            Ragged.of(target.rows for _, target, _ in kept),
            Ragged.of(target.labels for _, target, _ in kept),
            np.array([language for _, _, language in kept], np.int32),
        )

    def __len__(self) -> int:
        return len(self.ids.lengths)

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """Pieces of each sequence."""
        return self.ids.lengths

    @property
    def mean_length(self) -> float:
        return float(self.lengths.mean())

    def batch(self, indices: IntArray) -> ExampleBatch:
        """These sequences as one batch."""
        lengths = self.ids.lengths[indices]
        begins = np.cumsum(lengths) - lengths
        rows = self.rows.take(indices) + np.repeat(begins, self.rows.lengths[indices])
        labels = self.labels.take(indices)
        return ExampleBatch(
            ids_N=torch.from_numpy(self.ids.take(indices).astype(np.int64)),
            layout=Layout.of(lengths.tolist()),
            rows_M=torch.from_numpy(rows.astype(np.int64)),
            labels_M=torch.from_numpy(labels / RATING_STEP if self.kind == "rate" else labels.astype(np.int64)),
            num_targets=len(labels) if self.kind == "tag" else len(indices),
            indices=tuple(indices.tolist()),
            languages_S=torch.from_numpy(self.languages[indices].astype(np.int64)),
        )


BatchOf = TypeVar("BatchOf", covariant=True)


class Examples(Protocol[BatchOf]):
    """What batches are made of: examples by number, and how long each of them is."""

    @property
    def lengths(self) -> npt.NDArray[np.int64]: ...
    def __len__(self) -> int: ...
    def batch(self, indices: IntArray) -> BatchOf: ...


class ExampleBatches(Generic[BatchOf]):
    """All batches of a run, by step."""

    def __init__(self, training: Examples[BatchOf], *, batch_size: int, seed: int) -> None:
        assert len(training) > 0, "nothing to train on"
        self._training = training
        self._batch_size = batch_size
        self._seed = seed
        self.steps_per_epoch = -(-len(training) // batch_size)
        self._order_of = functools.lru_cache(maxsize=2)(self._order)

    def batch(self, step: int, micro: int = 0, num_micros: int = 1) -> BatchOf:
        """Micro-batch `micro` of `num_micros` of a step; together they are the whole batch, in order."""
        indices = self.indices(step)
        first, last = (len(indices) * part // num_micros for part in (micro, micro + 1))
        return self._training.batch(indices[first:last])

    def indices(self, step: int) -> IntArray:
        """The numbers of the sequences that a step sees."""
        epoch, place = divmod(step, self.steps_per_epoch)
        indices: IntArray = self._order_of(epoch)[place]
        return indices

    def _order(self, epoch: int) -> npt.NDArray[np.int32]:
        """The batches of an epoch, (steps, batch size). The last one is filled up with the epoch's first sequences."""
        random = np.random.default_rng(key_of(self._seed, "epoch", epoch))
        shuffled = random.permutation(len(self._training)).astype(np.int32)
        shuffled = np.resize(shuffled, self.steps_per_epoch * self._batch_size)
        batches = []
        for first in range(0, len(shuffled), STRETCH * self._batch_size):
            stretch = shuffled[first : first + STRETCH * self._batch_size]
            stretch = stretch[np.argsort(self._training.lengths[stretch], kind="stable")]
            batches.append(random.permutation(stretch.reshape(-1, self._batch_size)))
        return np.concatenate(batches)


@dataclass(frozen=True, eq=False)
class Ragged:
    """Arrays of different lengths, one after another."""

    values: IntArray
    starts: npt.NDArray[np.int64]
    lengths: npt.NDArray[np.int64]

    @classmethod
    def of(cls, arrays: Iterable[IntArray]) -> Ragged:
        kept = list(arrays)
        lengths = np.array([len(array) for array in kept], np.int64)
        values = np.concatenate([np.empty(0, np.int32), *kept]).astype(np.int32)
        return cls(values, np.cumsum(lengths) - lengths, lengths)

    def take(self, indices: IntArray) -> IntArray:
        """The arrays of these numbers, one after another."""
        taken: IntArray = self.values[self.places(indices)]
        return taken

    def places(self, indices: IntArray) -> npt.NDArray[np.int64]:
        """Where the values of these arrays stand among all."""
        lengths = self.lengths[indices]
        inside = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        places: npt.NDArray[np.int64] = np.repeat(self.starts[indices], lengths) + inside
        return places
