"""The BiLSTM-CRF tagger of Lample et al. 2016, and with contextual strings that of Akbik et al. 2018.

    tagger = Tagger(TaggerSettings(), lexicon, labels=("O", "B-PER", "I-PER"))
    tagger.draw_weights(seed=1, vectors=None)
    loss_of(tagger, batch).backward()
    tagger.eval().tag([["Anna", "sleeps"]])                 # [("B-PER", "O")]

A word is what is learned of it (word vector), how it is written (both ends of an LSTM over its characters), what a
character language model has read up to it from either side (`strings.py`), or several of these side by side. Then
dropout, an LSTM in both directions, a hidden tanh layer, and the CRF over the sentence. It reads words and no pieces,
so that nothing has to be aligned. All is computed in fp32.

Shapes: B sentences, T words, U different words, C characters, D width, K labels.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, Protocol

import numpy as np
import torch
from pydantic import Field, field_validator
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from isogloss.baselines.crf import CRF
from isogloss.baselines.lexicon import UNKNOWN, Lexicon
from isogloss.baselines.sentences import SentenceBatch, Sentences
from isogloss.config import Settings
from isogloss.dropout import drop
from isogloss.randomness import key_of
from isogloss.tasks import FloatArray

__all__ = ["Embedding", "States", "Tagger", "TaggerSettings", "loss_of"]

Embedding = Literal["words", "characters", "contextual-strings"]

# Words that are tagged at once, padding among them; enough to keep a device busy.
WORDS_AT_ONCE = 4096


class TaggerSettings(Settings):
    """The sizes of the tagger, and what it knows of a word; the defaults are those of Lample et al. 2016."""

    embeddings: tuple[Embedding, ...] = Field(
        ("words", "characters"),
        min_length=1,
        description="what a word is made of: words, characters, contextual-strings",
    )
    word_size: int = Field(100, ge=1, description="width of word vectors")
    character_size: int = Field(25, ge=1, description="width of character vectors")
    character_hidden: int = Field(25, ge=1, description="width of the LSTM over a word's characters, each direction")
    hidden: int = Field(
        100, ge=1, description="width of the LSTM over the words, each direction, and of the layer above"
    )
    dropout: float = Field(0.5, ge=0, lt=1, description="share dropped of what the LSTM over the words reads")
    unknown_share: float = Field(
        0.5, ge=0, le=1, description="share of the words that occur once which training takes for unknown ones"
    )

    @field_validator("embeddings")
    @classmethod
    def _each_once(cls, embeddings: tuple[Embedding, ...]) -> tuple[Embedding, ...]:
        return tuple(dict.fromkeys(embeddings))


class States(Protocol):
    """What gives every word a vector by the sentence that it stands in (`strings.ContextualStrings`)."""

    @property
    def width(self) -> int: ...
    def states(self, sentences: Sequence[Sequence[str]], device: torch.device) -> FloatArray:
        """One row a word, (words of all sentences, width)."""
        ...


class Tagger(nn.Module):
    """Words of a sentence → a score for every label (`forward`), and the best labels of all (`tag`)."""

    def __init__(
        self, settings: TaggerSettings, lexicon: Lexicon, labels: Sequence[str], *, strings: States | None = None
    ) -> None:
        super().__init__()
        assert ("contextual-strings" in settings.embeddings) == (strings is not None)
        self.settings, self.lexicon, self.labels, self.strings = settings, lexicon, tuple(labels), strings
        width = strings.width if strings is not None else 0
        if "words" in settings.embeddings:
            self.words = nn.Embedding(1 + lexicon.num_learned, settings.word_size)
            # Words that only the vectors have do not occur in training: they learn nothing, and need no gradient.
            further = torch.zeros(len(lexicon.words) - lexicon.num_learned, settings.word_size)
            self.register_buffer("further_words", further, persistent=False)
            width += settings.word_size
        if "characters" in settings.embeddings:
            self.characters = nn.Embedding(1 + len(lexicon.characters), settings.character_size)
            self.character_lstm = _lstm(settings.character_size, settings.character_hidden)
            width += 2 * settings.character_hidden
        self.word_lstm = _lstm(width, settings.hidden)
        self.dense = nn.Linear(2 * settings.hidden, settings.hidden)
        self.out = nn.Linear(settings.hidden, len(labels))
        self.crf = CRF(len(labels))

    def draw_weights(self, seed: int, vectors: FloatArray | None = None) -> None:
        """Fresh weights from `seed` alone; of the lexicon's words those with a row of `vectors` that is a number.

        Vectors uniform with variance 1/width, matrices as Glorot and Bengio 2010; biases and scores between labels
        zero, but one where an LSTM forgets (Jozefowicz et al. 2015).
        """
        with torch.no_grad():
            for name, parameter in self.named_parameters():
                generator = torch.Generator().manual_seed(key_of(seed, "tagger", name) >> 1)
                parameter.copy_(_drawn(name, parameter.shape, generator))
            if vectors is not None:
                table = torch.from_numpy(vectors)
                learned, further = table[: self.lexicon.num_learned], table[self.lexicon.num_learned :]
                known = ~learned.isnan().any(dim=1)
                self.words.weight[1:][known] = learned[known].to(self.words.weight)
                self.get_buffer("further_words").copy_(further)

    def forward(self, batch: SentenceBatch) -> Tensor:
        """The score of each label at each word, (B, T, K); zeros or less behind the end of a sentence mean nothing."""
        parts_UD = []
        if "words" in self.settings.embeddings:
            parts_UD.append(self._word_vectors(batch))
        if "characters" in self.settings.embeddings:
            parts_UD.append(self._spellings(batch))
        x_BTD = torch.cat(parts_UD, dim=1)[batch.different_BT] if parts_UD else None
        if batch.states_BTD is not None:
            x_BTD = batch.states_BTD if x_BTD is None else torch.cat([x_BTD, batch.states_BTD], dim=2)
        assert x_BTD is not None
        if self.training:
            x_BTD = drop(x_BTD, self.settings.dropout)
        packed = pack_padded_sequence(x_BTD, batch.lengths_B, batch_first=True, enforce_sorted=False)
        h_BTD, _ = pad_packed_sequence(self.word_lstm(packed)[0], batch_first=True)
        scores_BTK: Tensor = self.out(torch.tanh(self.dense(h_BTD)))
        return scores_BTK

    def tag(self, sentences: Sequence[Sequence[str]]) -> list[tuple[str, ...]]:
        """The tags of each sentence's words, in order; the tagger is used as it is, on its device."""
        tags: list[tuple[str, ...]] = [()] * len(sentences)
        # Alike ones together: sentences are padded to the longest.
        order = sorted(
            (place for place, words in enumerate(sentences) if words), key=lambda place: len(sentences[place])
        )
        while order:
            num_together = max(1, WORDS_AT_ONCE // len(sentences[order[-1]]))
            together, order = order[-num_together:], order[:-num_together]
            for place, best in zip(together, self._tag_together([sentences[place] for place in together]), strict=True):
                tags[place] = tuple(self.labels[label] for label in best)
        return tags

    @torch.no_grad()
    def _tag_together(self, sentences: Sequence[Sequence[str]]) -> list[list[int]]:
        device = self.out.weight.device
        states = None if self.strings is None else self.strings.states(sentences, device)
        read = Sentences.of(self.lexicon, sentences, states=states)
        batch = read.batch(np.arange(len(sentences), dtype=np.int32)).to(device)
        return self.crf.best_labels(self(batch), batch.lengths_B.to(device))

    def _word_vectors(self, batch: SentenceBatch) -> Tensor:
        words_U = batch.words_U
        if self.training and self.settings.unknown_share:
            unknown_U = torch.rand(words_U.shape, device=words_U.device) < self.settings.unknown_share
            words_U = words_U.masked_fill(unknown_U & batch.singletons_U, UNKNOWN)
        further_U = words_U > self.lexicon.num_learned
        x_UD: Tensor = self.words(words_U.masked_fill(further_U, UNKNOWN))
        if len(self.get_buffer("further_words")):
            rows_U = (words_U - 1 - self.lexicon.num_learned).clamp(min=0)
            x_UD = torch.where(further_U[:, None], self.get_buffer("further_words")[rows_U], x_UD)
        return x_UD

    def _spellings(self, batch: SentenceBatch) -> Tensor:
        """Where the two directions over a word's characters end, (U, 2 × hidden)."""
        x_UCD = self.characters(batch.characters_UC)
        packed = pack_padded_sequence(x_UCD, batch.characters_U, batch_first=True, enforce_sorted=False)
        _, (ends_2UD, _) = self.character_lstm(packed)
        return torch.cat([ends_2UD[0], ends_2UD[1]], dim=1)


def loss_of(network: Tagger, batch: SentenceBatch) -> Tensor:
    """Minus the logarithm of the probability of the gold labels, in nats, summed over the sentences."""
    x_BTK = network(batch)
    lengths_B = batch.lengths_B.to(x_BTK.device)
    scores_B = network.crf.gold_score(x_BTK, batch.labels_BT, lengths_B)
    return (network.crf.log_partition(x_BTK, lengths_B) - scores_B).sum()


def _lstm(size: int, hidden: int) -> nn.LSTM:
    return nn.LSTM(size, hidden, batch_first=True, bidirectional=True)


def _drawn(name: str, shape: torch.Size, generator: torch.Generator) -> Tensor:
    """Fresh weights for a parameter of this name."""
    if name.startswith("crf."):
        return torch.zeros(shape)
    if len(shape) == 1:
        # Torch's LSTM has two biases that are added, each with the parts input, forget, cell and output.
        bias = torch.zeros(shape)
        if "bias_ih" in name:
            bias[shape[0] // 4 : shape[0] // 2] = 1.0
        return bias
    if name in ("words.weight", "characters.weight"):
        bound = math.sqrt(3 / shape[1])
    else:  # an LSTM's four matrices lie in one
        rows = shape[0] // 4 if "lstm" in name else shape[0]
        bound = math.sqrt(6 / (rows + shape[1]))
    return (2 * torch.rand(shape, generator=generator) - 1) * bound
