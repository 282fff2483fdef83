"""Which language sequence number g of a run is drawn from, and which stretch of its text it holds: no state is kept.

Languages are drawn in rounds. The draws of language i in the first r rounds are the difference of two floors on the
cumulative shares, so they are never further than one from r x round x share, and the languages of one round are
shuffled by a keyed permutation. The j-th draw of a language takes a block of its text: an epoch visits every block
once in a keyed order, and the grid of blocks lies differently in each epoch. Nothing here depends on what was drawn
before: sequence 12 billion costs what sequence 0 costs, and the ledger (draws, tokens, epochs) is computed, not kept.

Sentence pairs are mixed in the same way. What is drawn of them is a pack: as many pairs as a sequence has room for.

    mixture = Mixture([0.7, 0.3], seed=1)
    languages, draws = mixture.draws(range(64))         # for each sequence: language, and its how-manieth draw
    mixture.counts(6400)                                # draws of each language among the first 6,400 sequences
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from isogloss.randomness import key_of, permute, spread

__all__ = ["Blocks", "Mixture", "Packs"]

Indices = npt.NDArray[np.int64]

_SMALLEST_ROUND = 1024
# A round holds every language at least twice. A share below two in a million is raised to that.
_LARGEST_ROUND = 1 << 20
_FRACTION_BITS = 32


class Mixture:
    """The language of every sequence of a run, from the shares and a seed alone."""

    def __init__(self, shares: Sequence[float], *, seed: int) -> None:
        raised = np.maximum(np.asarray(shares, dtype=np.float64), 2 / _LARGEST_ROUND)
        raised /= raised.sum()
        self.round_size = max(_SMALLEST_ROUND, 1 << int(np.ceil(np.log2(2 / raised.min()))))
        # Cumulative draws a round: whole part and a fraction in integers, so that no machine rounds it differently.
        scaled = [round(float(share) * self.round_size * 2**_FRACTION_BITS) for share in np.cumsum(raised)]
        scaled[-1] = self.round_size << _FRACTION_BITS
        self._whole = np.array([0, *(value >> _FRACTION_BITS for value in scaled)], dtype=np.int64)
        self._fraction = np.array([0, *(value % (1 << _FRACTION_BITS) for value in scaled)], dtype=np.int64)
        self._offset = key_of(seed, "mixture") % (1 << _FRACTION_BITS)
        self._seed = seed
        self._round = functools.lru_cache(maxsize=4)(self._make_round)

    def draws(self, sequences: range) -> tuple[Indices, Indices]:
        """For each sequence number its language (an index) and how many draws of that language came before it."""
        first, end = sequences.start // self.round_size, -(-sequences.stop // self.round_size)
        rounds = [self._round(number) for number in range(first, max(end, first + 1))]
        inside = slice(sequences.start - first * self.round_size, sequences.stop - first * self.round_size)
        languages, draws = (np.concatenate(parts)[inside] for parts in zip(*rounds, strict=True))
        return languages, draws

    def counts(self, num_sequences: int) -> Indices:
        """Draws of each language among sequences 0 … num_sequences-1."""
        whole_rounds, rest = divmod(num_sequences, self.round_size)
        counts = np.diff(self._cumulative(np.array([whole_rounds])))[0]
        languages, _ = self._round(whole_rounds)
        total: Indices = counts + np.bincount(languages[:rest], minlength=len(counts))
        return total

    def _make_round(self, number: int) -> tuple[Indices, Indices]:
        """Languages and draws of one round, in order."""
        before, after = self._cumulative(np.array([number, number + 1]))
        bounds = after - before
        # Place p of the unshuffled round: first all draws of language 0, then all of language 1, and so on.
        key = key_of(self._seed, "round", number)
        places = permute(np.arange(self.round_size), size=self.round_size, key=key)
        languages = np.searchsorted(bounds[1:], places, side="right")
        order = np.argsort(languages, kind="stable")
        draws = np.empty(self.round_size, dtype=np.int64)
        draws[order] = np.arange(self.round_size) - bounds[languages[order]] + np.diff(before)[languages[order]]
        return languages, draws

    def _cumulative(self, rounds: Indices) -> Indices:
        """In the first ``rounds`` rounds, the draws of all languages before each one: (rounds, languages + 1)."""
        fractions = (rounds[:, None] * self._fraction + self._offset) >> _FRACTION_BITS
        return rounds[:, None] * self._whole + fractions


class Blocks:
    """A language's text cut into blocks, each visited once an epoch; ``at(draws)`` says where each draw begins."""

    def __init__(self, language: str, *, num_tokens: int, block_length: int, seed: int) -> None:
        assert num_tokens > 0, f"{language} has no text"
        self.num_tokens = num_tokens
        # A text shorter than a block is one short block, not a block in which the text repeats.
        self.length = min(block_length, num_tokens)
        self.num_blocks = num_tokens // self.length
        self._order_key = key_of(seed, "order", language)
        self._phase_key = key_of(seed, "phase", language)

    def num_drawn(self, num_draws: int) -> int:
        """Tokens of the first so many draws."""
        return num_draws * self.length

    def at(self, draws: npt.ArrayLike) -> Indices:
        """The first token of each draw; a block that runs over the end of the text goes on at its beginning."""
        epochs, places = np.divmod(np.asarray(draws, dtype=np.int64), self.num_blocks)
        blocks = permute(places, size=self.num_blocks, key=spread(self._order_key, epochs))
        phases = (spread(self._phase_key, epochs) % np.uint64(self.num_tokens)).astype(np.int64)
        return (phases + blocks * self.length) % self.num_tokens


class Packs:
    """Neighbouring sentence pairs put together up to a number of tokens; each pack is visited once an epoch.

    ``lengths`` are the tokens of each pair as stored; ``num_added`` more go around it when it is drawn. A pair that is
    too long for a sequence of its own is left out and counted.
    """

    def __init__(self, name: str, *, lengths: Indices, num_added: int, capacity: int, seed: int) -> None:
        self.kept = np.flatnonzero(lengths + num_added <= capacity)
        self.num_too_long = len(lengths) - len(self.kept)
        ends = np.cumsum(lengths[self.kept] + num_added)
        bounds, filled = [0], 0
        while bounds[-1] < len(self.kept):
            bounds.append(int(np.searchsorted(ends, filled + capacity, side="right")))
            filled = int(ends[bounds[-1] - 1])
        self.bounds = np.array(bounds, dtype=np.int64)
        self.num_blocks = len(bounds) - 1
        self._sizes = np.diff(np.concatenate([[0], np.cumsum(lengths[self.kept])])[self.bounds])
        self._order_key = key_of(seed, "order", name)
        self._turn_key = key_of(seed, "turn", name)
        self._drawn_in = functools.lru_cache(maxsize=2)(self._make_drawn_in)

    def at(self, draws: npt.ArrayLike) -> Indices:
        """The pack of each draw: pack n holds the pairs ``kept[bounds[n] : bounds[n + 1]]``."""
        epochs, places = np.divmod(np.asarray(draws, dtype=np.int64), self.num_blocks)
        return permute(places, size=self.num_blocks, key=spread(self._order_key, epochs))

    def turned(self, draws: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Whether the target of each pair of a draw comes first: half the draws."""
        turned: npt.NDArray[np.bool_] = spread(self._turn_key, draws) % np.uint64(2) == 1
        return turned

    def num_drawn(self, num_draws: int) -> int:
        """Tokens, as stored, of the first so many draws; packs differ, so the last epoch is added up, once."""
        epochs, places = divmod(num_draws, self.num_blocks)
        return epochs * int(self._sizes.sum()) + int(self._drawn_in(epochs)[places])

    def _make_drawn_in(self, epoch: int) -> Indices:
        """Tokens of an epoch's first 0, 1, 2, … draws."""
        order = self.at(epoch * self.num_blocks + np.arange(self.num_blocks))
        return np.concatenate([[0], np.cumsum(self._sizes[order])])
