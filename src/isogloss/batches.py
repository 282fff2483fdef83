"""Language-mixed, packed, masked batches: every batch is a pure function of (seed, step, index).

Sequence k of step s has the number g = s * batch_size + k, and its language, its stretch of text and its mask follow
from the seed and g alone. A run that is continued, split over micro-batches or over more processes sees the same global
batch; step 1,000,000 costs what step 0 costs.

    batches = MaskedBatches(shards, settings, seed=1)
    batch = batches.batch(step)                          # or .batch(step, micro=1, num_micros=4)
    model.masked_loss(batch.ids_N, batch.layout, batch.rows_M, batch.targets_M)
    batches.ledger(step)                                 # exact sequences, tokens and epochs of each language

Shapes: N packed tokens of a batch, M masked rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt
import torch
from pydantic import Field
from torch import Tensor

from isogloss.attention import Layout
from isogloss.config import Settings
from isogloss.errors import ConfigError, DataError
from isogloss.languages import is_known, language, sampling_shares
from isogloss.masking import Noise, mask_batch
from isogloss.mixture import Blocks, Mixture
from isogloss.randomness import key_of, spread

__all__ = ["BatchSettings", "MaskedBatch", "MaskedBatches", "TokenShards", "held_out_batches"]

BOS_ID, EOS_ID = 0, 2
# Held-out text is always masked with this seed, so that runs with other seeds can be compared.
HELD_OUT_SEED = 0

Ids = npt.NDArray[np.int64]


class BatchSettings(Settings):
    """What a step of pretraining sees."""

    alpha: float = Field(
        0.3, ge=0, le=1, description="share of a language: q_i proportional to p_i^alpha; 1 as in the text, 0 all equal"
    )
    sequence_length: int = Field(512, ge=8, le=65_535, description="tokens of a sequence, its <s> included")
    batch_size: int = Field(8192, ge=1, description="sequences of a step, over all processes and micro-batches")
    mask_rate: float = Field(0.15, gt=0, lt=1, description="share of pieces that are hidden and predicted")
    packing: Literal["stream", "document"] = Field(
        "stream", description="stream: sequences run across documents; document: no attention across documents"
    )
    whole_word: bool = Field(False, description="hide whole words (in languages written with spaces)")


class TokenShards(Protocol):
    """What is asked of the shards: `isogloss.shards.Shards`, or a small fake."""

    @property
    def vocabulary_size(self) -> int: ...
    @property
    def mask_id(self) -> int: ...
    @property
    def languages(self) -> tuple[str, ...]: ...
    @property
    def sizes(self) -> dict[str, float]: ...
    def tokens(self, language: str, /) -> npt.NDArray[np.integer]: ...
    def held_out(self, language: str, /) -> tuple[npt.NDArray[np.integer], npt.NDArray[np.int64], int]: ...


@dataclass(frozen=True, eq=False)
class MaskedBatch:
    """Packed sequences with their masked rows; ``indices`` are the numbers of the sequences drawn, for the log."""

    ids_N: Tensor
    layout: Layout
    rows_M: Tensor
    targets_M: Tensor
    languages: tuple[str, ...]
    indices: range

    @property
    def num_tokens(self) -> int:
        return len(self.ids_N)

    @property
    def num_targets(self) -> int:
        return len(self.rows_M)

    def to(self, device: torch.device) -> MaskedBatch:
        """The same batch on a device."""
        if self.ids_N.device == device:
            return self
        ids_N, rows_M, targets_M = (x.to(device, non_blocking=True) for x in (self.ids_N, self.rows_M, self.targets_M))
        layout = Layout.of(self.layout.lengths, device)
        return MaskedBatch(ids_N, layout, rows_M, targets_M, self.languages, self.indices)


class MaskedBatches:
    """All batches of a run, by step."""

    def __init__(
        self,
        shards: TokenShards,
        settings: BatchSettings,
        *,
        seed: int,
        word_starts: npt.NDArray[np.bool_] | None = None,
    ) -> None:
        self.settings = settings
        self.languages = tuple(shards.languages)
        texts = [_text(shards.tokens(code)) for code in self.languages]
        for code, text in zip(self.languages, texts, strict=True):
            if len(text) == 0:
                raise DataError(
                    f"language {code} has no tokens in the shards; leave it out of the corpus or give it text"
                )
        self.shares = sampling_shares({code: shards.sizes[code] for code in self.languages}, alpha=settings.alpha)
        self._mixture = Mixture([self.shares[code] for code in self.languages], seed=seed)
        self._maker = _Maker(self.languages, texts, settings, _noise(shards, settings, word_starts), seed)

    def batch(self, step: int, *, micro: int = 0, num_micros: int = 1) -> MaskedBatch:
        """Micro-batch ``micro`` of ``num_micros`` of a step; together they are the whole batch, in order."""
        size = self.settings.batch_size
        first, last = (step * size + size * part // num_micros for part in (micro, micro + 1))
        indices = range(first, last)
        return self._maker.make(indices, *self._mixture.draws(indices))

    def ledger(self, step: int) -> dict[str, dict[str, float]]:
        """What the first ``step`` steps drew of each language: sequences, tokens of text (without the <s> put
        before), and how often its whole text was seen."""
        counts = self._mixture.counts(step * self.settings.batch_size)
        return {
            code: {
                "sequences": int(count),
                "tokens": int(count) * blocks.length,
                "epochs": round(int(count) / blocks.num_blocks, 6),
            }
            for code, count, blocks in zip(self.languages, counts, self._maker.blocks, strict=True)
        }


def held_out_batches(
    shards: TokenShards,
    code: str,
    settings: BatchSettings,
    *,
    num_sequences: int,
    word_starts: npt.NDArray[np.bool_] | None = None,
) -> Iterator[MaskedBatch]:
    """Up to ``num_sequences`` different sequences of a language's held-out text; their masks are always the same.

    Nothing comes of a language with no text held out.
    """
    tokens, _, _ = shards.held_out(code)
    text = _text(tokens)
    if len(text) == 0:
        return
    maker = _Maker((code,), [text], settings, _noise(shards, settings, word_starts), HELD_OUT_SEED)
    num_sequences = min(num_sequences, maker.blocks[0].num_blocks)
    for first in range(0, num_sequences, settings.batch_size):
        draws = np.arange(first, min(first + settings.batch_size, num_sequences))
        yield maker.make(range(draws[0], draws[-1] + 1), np.zeros(len(draws), dtype=np.int64), draws)


class _Maker:
    """Numbers of sequences, their languages and draws → a masked batch."""

    def __init__(
        self,
        languages: tuple[str, ...],
        texts: list[npt.NDArray[np.integer]],
        settings: BatchSettings,
        noise: Noise,
        seed: int,
    ) -> None:
        self.blocks = [
            Blocks(code, num_tokens=len(text), block_length=settings.sequence_length - 1, seed=seed)
            for code, text in zip(languages, texts, strict=True)
        ]
        self._languages = languages
        self._texts = texts
        self._settings = settings
        self._noise = noise
        self._mask_key = key_of(seed, "mask")
        self._lengths = np.array([blocks.length for blocks in self.blocks])
        self._in_pieces = np.array([is_known(code) and language(code).word_division == "none" for code in languages])

    def make(self, indices: range, languages: Ids, draws: Ids) -> MaskedBatch:
        lengths = self._lengths[languages]
        text = self._text(languages, draws, lengths)
        drawn_from = np.repeat(np.arange(len(lengths)), lengths)
        places = np.arange(len(text)) - (np.cumsum(lengths) - lengths)[drawn_from]
        opens = places == 0
        if self._settings.packing == "document":
            opens[1:] |= text[:-1] == EOS_ID

        # Before each opening goes one <s>; the rest of the sequence moves back to make room for it.
        num_opened = np.cumsum(opens)
        rows_of_text = np.arange(len(text)) + num_opened
        openings = np.flatnonzero(opens)
        ids = np.full(len(text) + len(openings), BOS_ID, dtype=np.int64)
        ids[rows_of_text] = text
        rows_of_bos = rows_of_text[openings] - 1
        sequence_lengths = np.diff(rows_of_bos, append=len(ids))

        # A position's number comes from (seed, g, place in the draw); <s> has that of the piece behind it, inverted.
        keys = np.empty(len(ids), dtype=np.uint64)
        of_sequence = spread(self._mask_key, np.arange(indices.start, indices.stop))
        keys[rows_of_text] = spread(of_sequence[drawn_from], places)
        keys[rows_of_bos] = ~keys[rows_of_bos + 1]

        languages = languages[drawn_from[openings]]
        rows, targets = mask_batch(ids, sequence_lengths, keys, self._noise, in_pieces=self._in_pieces[languages])
        return MaskedBatch(
            ids_N=torch.from_numpy(ids),
            layout=Layout.of(sequence_lengths.tolist()),
            rows_M=torch.from_numpy(rows),
            targets_M=torch.from_numpy(targets),
            languages=tuple(self._languages[index] for index in languages.tolist()),
            indices=indices,
        )

    def _text(self, languages: Ids, draws: Ids, lengths: Ids) -> Ids:
        """The tokens of each draw, one after another."""
        starts = np.empty(len(draws), dtype=np.int64)
        for index in np.unique(languages):
            of_language = languages == index
            starts[of_language] = self.blocks[index].at(draws[of_language])
        text = np.empty(int(lengths.sum()), dtype=np.int64)
        end = 0
        for index, start, length in zip(languages.tolist(), starts.tolist(), lengths.tolist(), strict=True):
            tokens = self._texts[index]
            begin, end = end, end + length
            inside = min(length, len(tokens) - start)
            text[begin : begin + inside] = tokens[start : start + inside]
            if inside < length:
                text[begin + inside : end] = tokens[: length - inside]
        return text


def _text(tokens: npt.NDArray[np.integer]) -> npt.NDArray[np.integer]:
    # A slice of a memmap is a memmap again, which costs five times as much to make as a slice of a plain view of it.
    return np.asarray(tokens).view(np.ndarray)


def _noise(shards: TokenShards, settings: BatchSettings, word_starts: npt.NDArray[np.bool_] | None) -> Noise:
    if settings.whole_word and word_starts is None:
        raise ConfigError("batches.whole_word = true needs the vocabulary's word starts; name the vocabulary folder")
    return Noise(
        rate=settings.mask_rate,
        vocabulary_size=shards.vocabulary_size,
        mask_id=shards.mask_id,
        word_starts=word_starts if settings.whole_word else None,
    )
