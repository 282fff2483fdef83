"""Draws of text → a packed, masked batch: what stands where, where positions start again, and which rows are hidden.

A draw of a language is a stretch of its text, ``<s> text``; packed by documents, one ``<s> document </s>`` a document.
A draw of a pair of languages is a pack of sentences with their translations, each pair a sequence by itself
(translation language modelling: both sides are hidden in part, each is seen by the other):

    <s> source </s> </s> target </s>          positions 0 1 2 …  0 1 2 …, each side with its language's row

That is XLM's layout with positions reset (its first token is ``</s>`` too), and XLM-R's form of two texts. Half the
packs have the target first.

    maker = Maker([RunningText(…), ParallelText(…)], noise, by_document=False, seed=1)
    batch = maker.make(range(64, 66), texts=np.array([0, 1]), draws=np.array([32, 32]))

Shapes: N packed tokens of a batch, M masked rows, S segments: the parts of sequences that are of one language.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from isogloss.attention import Layout
from isogloss.languages import is_known, language
from isogloss.masking import Noise, mask_batch
from isogloss.mixture import Blocks, Packs
from isogloss.randomness import key_of, spread

__all__ = ["Maker", "MaskedBatch", "ParallelText", "RunningText", "Text"]

BOS_ID, EOS_ID = 0, 2
# The ids put around a stored pair, which has its two </s>: <s> before the first side, </s> before the second.
NUM_ADDED_TO_A_PAIR = 2

Ids = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Tokens = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class MaskedBatch:
    """Packed sequences with their masked rows; ``indices`` are the numbers of the sequences drawn, for the log.

    ``segments`` are the parts of sequences whose positions start at 0, ``languages`` the language of each and
    ``languages_S`` its row of a language embedding, for a model that has one.
    """

    ids_N: Tensor
    layout: Layout
    rows_M: Tensor
    targets_M: Tensor
    languages: tuple[str, ...]
    indices: range
    segments: Layout
    languages_S: Tensor | None = None

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
        return replace(
            self,
            ids_N=ids_N,
            rows_M=rows_M,
            targets_M=targets_M,
            layout=layout,
            segments=layout if self.segments is self.layout else Layout.of(self.segments.lengths, device),
            languages_S=None if self.languages_S is None else self.languages_S.to(device, non_blocking=True),
        )


class Text(Protocol):
    """What sequences are drawn from. ``name`` is the language's code or the pair's name."""

    name: str
    languages: tuple[str, str]  # of the parts of a draw, taking turns; the same one twice in running text

    @property
    def blocks(self) -> Blocks | Packs: ...
    def tokens(self, draws: Ids) -> list[Tokens]:
        """The tokens of each draw, as stored."""
        ...

    def turned(self, draws: Ids) -> Flags:
        """Whether a draw begins with the second of the languages."""
        ...


class RunningText:
    """All tokens of a language, drawn as blocks; one that runs over the end of the text goes on at its beginning."""

    def __init__(self, code: str, tokens: Tokens, *, sequence_length: int, seed: int) -> None:
        self.name = code
        self.languages = (code, code)
        self.blocks = Blocks(code, num_tokens=len(tokens), block_length=sequence_length - 1, seed=seed)
        self._tokens = _plain(tokens)

    def tokens(self, draws: Ids) -> list[Tokens]:
        length, rest = self.blocks.length, self._tokens[: self.blocks.length]
        stretches = [self._tokens[start : start + length] for start in self.blocks.at(draws).tolist()]
        return [
            stretch if len(stretch) == length else np.concatenate([stretch, rest[: length - len(stretch)]])
            for stretch in stretches
        ]

    def turned(self, draws: Ids) -> Flags:
        return np.zeros(len(draws), dtype=np.bool_)


class ParallelText:
    """All sentence pairs of two languages, drawn as packs.

    ``offsets`` say where each sentence starts in ``tokens``, source and target in turn, and where the last one ends.
    """

    def __init__(
        self, name: str, languages: tuple[str, str], tokens: Tokens, offsets: Ids, *, sequence_length: int, seed: int
    ) -> None:
        self.name = name
        self.languages = languages
        self.blocks = Packs(
            name,
            lengths=np.diff(offsets[::2]),
            num_added=NUM_ADDED_TO_A_PAIR,
            capacity=sequence_length,
            seed=seed,
        )
        self._tokens, self._offsets = _plain(tokens), offsets

    def tokens(self, draws: Ids) -> list[Tokens]:
        packs, turned = self.blocks.at(draws).tolist(), self.turned(draws).tolist()
        return [self._pack(pack, turn) for pack, turn in zip(packs, turned, strict=True)]

    def turned(self, draws: Ids) -> Flags:
        return self.blocks.turned(draws)

    def _pack(self, pack: int, turned: bool) -> Tokens:
        first, end = self.blocks.bounds[pack : pack + 2].tolist()
        sides: list[Tokens] = []
        for source in (2 * self.blocks.kept[first:end]).tolist():
            start, middle, last = self._offsets[source : source + 3].tolist()
            both = self._tokens[start:middle], self._tokens[middle:last]
            sides += both[::-1] if turned else both
        return np.concatenate(sides)


class Maker:
    """Numbers of sequences, the text and the draw of each → a masked batch.

    ``by_document`` cuts running text at the ends of documents. ``row_of`` gives a language's row in the model's
    language embedding, and raises DataError if it has none; None for a model without one.
    """

    def __init__(
        self,
        texts: Sequence[Text],
        noise: Noise,
        *,
        by_document: bool,
        seed: int,
        row_of: Callable[[str], int] | None = None,
    ) -> None:
        self.texts = texts
        self._noise = noise
        self._mask_key = key_of(seed, "mask")
        self._by_document = by_document
        self.is_pair = np.array([text.languages[0] != text.languages[1] for text in texts])
        self._languages = sorted({code for text in texts for code in text.languages})
        self._sides = np.array([[self._languages.index(code) for code in text.languages] for text in texts])
        self._in_pieces = np.array(
            [is_known(code) and language(code).word_division == "none" for code in self._languages]
        )
        self._rows = None if row_of is None else torch.tensor([row_of(code) for code in self._languages])

    def make(self, indices: range, texts: Ids, draws: Ids) -> MaskedBatch:
        """The batch of the sequences ``indices``: the one with number i holds draw ``draws[i]`` of ``texts[i]``, both
        (len(indices),) int64. All tensors of it are int64, on the CPU."""
        parts, turned = self._read(texts, draws)
        lengths = np.array([len(part) for part in parts])
        text = np.concatenate(parts, dtype=np.int64)
        drawn_from = np.repeat(np.arange(len(lengths)), lengths)
        places = np.arange(len(text)) - (np.cumsum(lengths) - lengths)[drawn_from]
        divided = self.is_pair[texts] | self._by_document
        opens = places == 0
        opens[1:] |= (text[:-1] == EOS_ID) & divided[drawn_from[1:]]

        # A segment begins at each opening. Of a pair, every second one goes on with the sequence of the first.
        openings = np.flatnonzero(opens)
        draw_of = drawn_from[openings]
        numbers = np.arange(len(openings)) - np.searchsorted(draw_of, draw_of)
        goes_on = self.is_pair[texts][draw_of] & (numbers % 2 == 1)

        # Before each opening goes one <s> or, within a sequence, </s>; the rest moves back to make room for it.
        rows_of_text = np.arange(len(text)) + np.cumsum(opens)
        rows_of_added = rows_of_text[openings] - 1
        ids = np.empty(len(text) + len(openings), dtype=np.int64)
        ids[rows_of_text] = text
        ids[rows_of_added] = np.where(goes_on, EOS_ID, BOS_ID)
        segment_lengths = np.diff(rows_of_added, append=len(ids))

        # A position's number comes from (seed, g, place in the draw); what is put before a piece has its, inverted.
        keys = np.empty(len(ids), dtype=np.uint64)
        of_sequence = spread(self._mask_key, np.arange(indices.start, indices.stop))
        keys[rows_of_text] = spread(of_sequence[drawn_from], places)
        keys[rows_of_added] = ~keys[rows_of_added + 1]

        # Hidden by segment, not by sequence: each side of a pair gets its share.
        languages = self._sides[texts[draw_of], (numbers + turned[draw_of]) % 2]
        rows, targets = mask_batch(ids, segment_lengths, keys, self._noise, in_pieces=self._in_pieces[languages])
        layout = Layout.of(np.add.reduceat(segment_lengths, np.flatnonzero(~goes_on)).tolist())
        return MaskedBatch(
            ids_N=torch.from_numpy(ids),
            layout=layout,
            rows_M=torch.from_numpy(rows),
            targets_M=torch.from_numpy(targets),
            languages=tuple(self._languages[index] for index in languages.tolist()),
            indices=indices,
            segments=Layout.of(segment_lengths.tolist()) if goes_on.any() else layout,
            languages_S=None if self._rows is None else self._rows[torch.from_numpy(languages)],
        )

    def _read(self, texts: Ids, draws: Ids) -> tuple[list[Tokens], Flags]:
        """The tokens of each draw, and whether it begins with the second of its languages."""
        parts: list[Tokens] = [np.empty(0)] * len(draws)
        turned = np.zeros(len(draws), dtype=np.bool_)
        for index in np.unique(texts).tolist():
            places = np.flatnonzero(texts == index)
            turned[places] = self.texts[index].turned(draws[places])
            for place, tokens in zip(places.tolist(), self.texts[index].tokens(draws[places]), strict=True):
                parts[place] = tokens
        return parts, turned


def _plain(tokens: Tokens) -> Tokens:
    # A slice of a memmap is a memmap again, which costs five times as much to make as a slice of a plain view of it.
    return np.asarray(tokens).view(np.ndarray)
