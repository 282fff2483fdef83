"""Contextual string embeddings (Akbik et al. 2018): what character language models have read, up to each word.

    strings = ContextualStrings((CharacterModel.read(forward), CharacterModel.read(backward)))
    strings.states([["Anna", "sleeps"], ["Oslo"]])          # (3 words, forward width + backward width)

A model that reads forwards gives its state behind a word's last character, one that reads backwards that before its
first (section 2.2). The states are flair's, and not learned further; they need the extra `isogloss[flair]`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from isogloss.baselines.character_model import CharacterModel
from isogloss.baselines.flair_library import flair_on
from isogloss.errors import CheckpointError
from isogloss.tasks import FloatArray

__all__ = ["ContextualStrings"]

DIRECTIONS = ("forward", "backward")
# Sentences that the language models read at once: their states take 8 kB a character in the largest.
SENTENCES_AT_ONCE = 32
# flair drops words without a character.
NO_WORD = "\ufffd"


@dataclass
class ContextualStrings:
    """One or two character language models, at most one in each direction."""

    models: tuple[CharacterModel, ...]
    _embeddings: dict[torch.device, list[Any]] = field(default_factory=dict, repr=False)

    @classmethod
    def read(cls, *, forward: Path | None, backward: Path | None) -> ContextualStrings:
        """From files of flair or folders of ours. Raises CheckpointError, also for one that reads the other way."""
        models = []
        for path, is_forward in ((forward, True), (backward, False)):
            if path is None:
                continue
            model = CharacterModel.read(path)
            if model.is_forward != is_forward:
                there, asked = ("forwards", "backward") if model.is_forward else ("backwards", "forward")
                raise CheckpointError(f"strings.{asked} = {path} reads {there}; exchange forward and backward")
            models.append(model)
        return cls(tuple(models))

    @classmethod
    def load(cls, folder: Path) -> ContextualStrings:
        """What `save` wrote."""
        return cls(tuple(CharacterModel.read(folder / name) for name in DIRECTIONS if (folder / name).is_dir()))

    def save(self, folder: Path) -> None:
        """Write the models into `folder`, without a pickle."""
        for model in self.models:
            model.save(folder / ("forward" if model.is_forward else "backward"))

    @property
    def width(self) -> int:
        """Width of a word's states, of all models together."""
        return sum(model.width for model in self.models)

    def states(self, sentences: Sequence[Sequence[str]], device: torch.device) -> FloatArray:
        """One row a word, (words of all sentences, width). Raises MissingExtraError."""
        rows: list[FloatArray] = [np.zeros((0, self.width), np.float32)]
        with flair_on(device):
            from flair.data import Sentence

            for first in range(0, len(sentences), SENTENCES_AT_ONCE):
                together = [
                    Sentence([word or NO_WORD for word in words])
                    for words in sentences[first : first + SENTENCES_AT_ONCE]
                ]
                for embeddings in self._on(device):
                    embeddings.embed(together)
                for sentence in together:
                    rows.append(torch.stack([token.get_embedding() for token in sentence]).float().cpu().numpy())
                    sentence.clear_embeddings()
        states = np.concatenate(rows)
        assert len(states) == sum(map(len, sentences)), "a state for every word"
        return states

    def _on(self, device: torch.device) -> list[Any]:
        """flair's embeddings there, made once."""
        if device not in self._embeddings:
            self._embeddings[device] = [model.embeddings(device) for model in self.models]
        return self._embeddings[device]
