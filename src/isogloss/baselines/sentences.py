"""Sentences as a tagger reads them: padded batches of numbers, for training and for tagging alike.

    sentences = Sentences.of(lexicon, [["Anna", "sleeps"], …], labels=[[1, 0], …], states=None)
    batch = sentences.batch(np.array([4, 2, 7]))

Characters are read once for each different word of a batch. `states` are what contextual strings give for each word.

Shapes: B sentences, T words of the longest, U different words, C characters of the longest, D width of the states.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from isogloss.baselines.lexicon import Lexicon
from isogloss.tasks import FloatArray, IntArray
from isogloss.tasks.training import Ragged

__all__ = ["SentenceBatch", "Sentences"]


@dataclass(frozen=True, eq=False)
class SentenceBatch:
    """Numbers of words and of their characters, padded with zeros; the loss is averaged over `num_targets` words.

    `lengths_B` and `characters_U` (how many) stay on the CPU, where torch wants them. `different_BT` is the row of a
    word among the `U` different ones, `singletons_U` says which of those occur once in the training files.
    """

    words_U: Tensor
    singletons_U: Tensor
    characters_UC: Tensor
    characters_U: Tensor
    different_BT: Tensor
    lengths_B: Tensor
    labels_BT: Tensor
    states_BTD: Tensor | None
    indices: tuple[int, ...]

    @property
    def num_tokens(self) -> int:
        return int(self.lengths_B.sum())

    @property
    def num_targets(self) -> int:
        return self.num_tokens

    def to(self, device: torch.device) -> SentenceBatch:
        """The same batch on a device, but for the lengths."""
        moved: dict[str, Any] = {
            name: x.to(device, non_blocking=True)
            for name, x in vars(self).items()
            if isinstance(x, Tensor) and name not in ("lengths_B", "characters_U")
        }
        return dataclasses.replace(self, **moved)


@dataclass(frozen=True, eq=False)
class Sentences:
    """All sentences in flat arrays: of each word which of the different words it is, and its label."""

    words: IntArray
    singletons: npt.NDArray[np.bool_]
    characters: Ragged
    different: Ragged
    labels: IntArray
    states: FloatArray | None

    @classmethod
    def of(
        cls,
        lexicon: Lexicon,
        sentences: Sequence[Sequence[str]],
        *,
        labels: Sequence[Sequence[int]] | None = None,
        states: FloatArray | None = None,
    ) -> Sentences:
        """Sentences of one word at least; `labels` a number a word, `states` (words of all sentences, D)."""
        assert all(sentences), "a sentence without words has nothing to tag"
        rows: dict[str, int] = {}
        different = [np.array([rows.setdefault(word, len(rows)) for word in words], np.int32) for words in sentences]
        return cls(
            words=np.array([lexicon.word_id(word) for word in rows], np.int32),
            singletons=np.array([word in lexicon.singletons for word in rows], np.bool_),
            characters=Ragged.of(np.array(lexicon.character_ids(word), np.int32) for word in rows),
            different=Ragged.of(different),
            labels=np.array(
                [label for of_words in labels for label in of_words]
                if labels is not None
                else np.zeros(sum(map(len, different))),
                np.int32,
            ),
            states=states,
        )

    def __len__(self) -> int:
        return len(self.different.lengths)

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """Words of each sentence."""
        return self.different.lengths

    def batch(self, indices: IntArray) -> SentenceBatch:
        """These sentences, in this order."""
        lengths = self.lengths[indices]
        places = self.different.places(indices)
        rows, different = np.unique(self.different.values[places], return_inverse=True)
        characters = self.characters.lengths[rows]
        return SentenceBatch(
            words_U=torch.from_numpy(self.words[rows].astype(np.int64)),
            singletons_U=torch.from_numpy(self.singletons[rows]),
            characters_UC=_padded(self.characters.take(rows).astype(np.int64), characters),
            characters_U=torch.from_numpy(characters),
            different_BT=_padded(different.astype(np.int64), lengths),
            lengths_B=torch.from_numpy(lengths),
            labels_BT=_padded(self.labels[places].astype(np.int64), lengths),
            states_BTD=None if self.states is None else _padded(self.states[places], lengths),
            indices=tuple(indices.tolist()),
        )


def _padded(values: npt.NDArray[Any], lengths: npt.NDArray[np.int64]) -> Tensor:
    """Flat rows of values as (rows, longest, …), zeros behind each row."""
    inside = np.arange(lengths.max()) < lengths[:, None]
    padded = np.zeros((*inside.shape, *values.shape[1:]), values.dtype)
    padded[inside] = values
    return torch.from_numpy(padded)
