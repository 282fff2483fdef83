"""Language-mixed, packed, masked batches: every batch is a pure function of (seed, step, index).

Sequence k of step s has the number g = s * batch_size + k, and its language, its stretch of text and its mask follow
from the seed and g alone. A run that is continued, split over micro-batches or over more processes sees the same global
batch; step 1,000,000 costs what step 0 costs.

    batches = MaskedBatches(shards, settings, seed=1, total_steps=100_000)
    batch = batches.batch(step)                          # or .batch(step, micro=1, num_micros=4)
    model.masked_loss(batch.ids_N, batch.layout, batch.rows_M, batch.targets_M)
    batches.ledger(step)                                 # exact sequences, tokens and epochs of each language

A run may have phases with another alpha, mask rate or length of sequences each, and with languages that join. Each
phase counts its draws from where the one before it ended, so all of this holds across them. Where the length of
sequences changes, texts are cut anew and each begins a new epoch.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt
from pydantic import Field, field_validator

from isogloss.config import Duration, Settings
from isogloss.errors import ConfigError, DataError
from isogloss.languages import canonical_code, sampling_shares
from isogloss.masking import Noise
from isogloss.mixture import Mixture, Packs
from isogloss.packing import Maker, MaskedBatch, ParallelText, RunningText, Text
from isogloss.randomness import key_of

__all__ = ["BatchSettings", "MaskedBatch", "MaskedBatches", "PhaseSettings", "TokenShards", "held_out_batches"]

# Held-out text is always masked with this seed, so that runs with other seeds can be compared.
HELD_OUT_SEED = 0
# The share of pairs is a whole number of these, so that which sequence is one follows without rounding.
_SHARE_BITS = 20

Ids = npt.NDArray[np.int64]
WordStarts = npt.NDArray[np.bool_] | None
RowOf = Callable[[str], int]


class PhaseSettings(Settings):
    """What changes from a step on; what is not set stays as it was."""

    start: Duration = Field(description="first step, as '100_000 steps' or '60 %'")
    alpha: float | None = Field(None, ge=0, le=1, description="as batches.alpha, from here on")
    sequence_length: int | None = Field(None, ge=8, le=65_535, description="as batches.sequence_length, from here on")
    mask_rate: float | None = Field(None, gt=0, lt=1, description="as batches.mask_rate, from here on")
    join: tuple[str, ...] = Field((), description="languages that are drawn from here on, and not before")

    @field_validator("start")
    @classmethod
    def _is_a_step(cls, start: Duration) -> Duration:
        if start.unit == "tokens":
            raise ValueError("a phase starts at a step or a share of all steps: write '100_000 steps' or '60 %'")
        return start

    @field_validator("join")
    @classmethod
    def _canonical(cls, codes: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(map(canonical_code, codes))


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
    tlm_share: float = Field(
        0.0, ge=0, le=1, description="share of sequences that hold sentences with their translations (TLM)"
    )
    phases: tuple[PhaseSettings, ...] = Field((), description="what changes in the course of the run, in order")

    @property
    def longest(self) -> int:
        """Most tokens of a sequence in any phase."""
        return max(self.sequence_length, *(phase.sequence_length or 0 for phase in self.phases), 0)

    def in_phases(self, total_steps: int = 0) -> list[tuple[int, BatchSettings]]:
        """First step and settings of each phase, of which there is one if nothing changes.

        Raises ConfigError for phases out of order and for one that begins after the end (``total_steps``, if known).
        """
        steps, settings = [0], [self.model_copy(update={"phases": ()})]
        for number, phase in enumerate(self.phases):
            steps.append(phase.start.steps(total_steps=total_steps))
            where = f"batches.phases.{number}: start = {phase.start} is step {steps[-1]:,}"
            if steps[-1] <= steps[-2]:
                raise ConfigError(f"{where}, but the phase before it starts at {steps[-2]:,}; write phases in order")
            if total_steps and steps[-1] >= total_steps:
                raise ConfigError(f"{where}, but the run ends at {total_steps:,}; leave the phase out or start earlier")
            changed = phase.model_dump(include={"alpha", "sequence_length", "mask_rate"}, exclude_none=True)
            settings.append(settings[-1].model_copy(update=changed))
        return list(zip(steps, settings, strict=True))

    def waiting(self, phase: int) -> frozenset[str]:
        """The languages that have not joined in this phase (from 0) yet."""
        return frozenset(code for later in self.phases[phase:] for code in later.join)


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
    @property
    def pairs(self) -> Mapping[str, tuple[str, str]]: ...
    @property
    def pair_sizes(self) -> dict[str, float]: ...
    def tokens(self, language: str, /) -> npt.NDArray[np.integer]: ...
    def held_out(self, language: str, /) -> tuple[npt.NDArray[np.integer], Ids, int]: ...
    def pair(self, name: str, /) -> tuple[npt.NDArray[np.integer], Ids]: ...
    def held_out_pair(self, name: str, /) -> tuple[npt.NDArray[np.integer], Ids]: ...


class MaskedBatches:
    """All batches of a run, by step.

    ``total_steps`` resolves phases that start at a percentage; ``row_of`` gives a language's row in the language
    embedding of a model that has one. Raises DataError for a language without text, pairs that are all too long and a
    language without a row, ConfigError for phases or a share of pairs that do not go with the shards.
    """

    def __init__(
        self,
        shards: TokenShards,
        settings: BatchSettings,
        *,
        seed: int,
        total_steps: int = 0,
        word_starts: WordStarts = None,
        row_of: RowOf | None = None,
    ) -> None:
        self.settings = settings
        _check(shards, settings)
        phases = settings.in_phases(total_steps)
        self._first_steps = [first for first, _ in phases]
        self._phases: list[_Phase] = []
        for number, (_, now) in enumerate(phases):
            phase_seed = key_of(seed, "phase", number) if number else seed
            if number and now.sequence_length == phases[number - 1][1].sequence_length:
                texts, drawn = self._phases[-1].maker.texts, self._drawn_until(number)
            else:
                texts = _texts(shards, now, seed=phase_seed)
                drawn = np.zeros(len(texts), dtype=np.int64)
            maker = Maker(
                texts,
                _noise(shards, now, word_starts),
                by_document=now.packing == "document",
                seed=seed,
                row_of=row_of,
            )
            sizes = shards.sizes | shards.pair_sizes
            self._phases.append(_Phase(maker, now, sizes, settings.waiting(number), drawn, seed=phase_seed))

    def batch(self, step: int, *, micro: int = 0, num_micros: int = 1) -> MaskedBatch:
        """Micro-batch ``micro`` of ``num_micros`` of a step; together they are the whole batch, in order."""
        size = self.settings.batch_size
        first, last = (step * size + size * part // num_micros for part in (micro, micro + 1))
        number = bisect_right(self._first_steps, step) - 1
        before = self._first_steps[number] * size
        phase = self._phases[number]
        return phase.maker.make(range(first, last), *phase.draws(range(first - before, last - before)))

    def ledger(self, step: int) -> dict[str, dict[str, float]]:
        """What the first ``step`` steps drew of each language and each pair: sequences, tokens of text (without the
        <s> put before, or the </s> between), and how often the whole text was seen, added up over the phases.

        A sequence of a pair is a pack of pairs.
        """
        lines: dict[str, dict[str, float]] = {}
        for number, phase in enumerate(self._phases[: max(1, bisect_right(self._first_steps, step - 1))]):
            counts = phase.counts(self._num_sequences(number, until=step))
            for text, before, count in zip(phase.maker.texts, phase.drawn.tolist(), counts.tolist(), strict=True):
                blocks = text.blocks
                line = lines.setdefault(text.name, {"sequences": 0, "tokens": 0, "epochs": 0.0})
                line["sequences"] += count
                line["tokens"] += blocks.num_drawn(before + count) - blocks.num_drawn(before)
                line["epochs"] = round(line["epochs"] + count / blocks.num_blocks, 6)
        return lines

    def too_long(self, step: int) -> dict[str, int]:
        """How many pairs of each two languages have no room in a sequence of this step, and are never drawn."""
        texts = self._phases[bisect_right(self._first_steps, step) - 1].maker.texts
        return {text.name: text.blocks.num_too_long for text in texts if isinstance(text.blocks, Packs)}

    def _num_sequences(self, number: int, *, until: int) -> int:
        """Sequences of a phase in the first ``until`` steps."""
        end = self._first_steps[number + 1] if number + 1 < len(self._first_steps) else until
        return (min(end, until) - self._first_steps[number]) * self.settings.batch_size

    def _drawn_until(self, number: int) -> Ids:
        """Draws of each text from the grid that the phase before ``number`` has, up to its end."""
        before = self._phases[number - 1]
        return before.drawn + before.counts(self._num_sequences(number - 1, until=self._first_steps[number]))


class _Phase:
    """A stretch of a run in which nothing about its batches changes; its sequences are numbered from 0."""

    def __init__(
        self,
        maker: Maker,
        settings: BatchSettings,
        sizes: Mapping[str, float],
        waiting: frozenset[str],
        drawn: Ids,
        *,
        seed: int,
    ) -> None:
        self.maker = maker
        self.drawn = drawn  # of each text, before the phase
        here = [index for index, text in enumerate(maker.texts) if not waiting & set(text.languages)]
        # Each with its members' indices among all texts: running text, and pairs.
        self._mixtures = []
        for are_pairs, name in ((False, ""), (True, "pairs")):
            members = [index for index in here if maker.is_pair[index] == are_pairs]
            names = [maker.texts[index].name for index in members]
            if names:
                shares = sampling_shares({name: sizes[name] for name in names}, alpha=settings.alpha)
                mixture = Mixture(list(shares.values()), seed=key_of(seed, name) if name else seed)
                self._mixtures.append((mixture, np.array(members)))
        with_pairs = len(self._mixtures) > 1
        self._pairs_share = round(settings.tlm_share * (1 << _SHARE_BITS)) if with_pairs else 0

    def draws(self, sequences: range) -> tuple[Ids, Ids]:
        """For each sequence number its text (an index) and how many draws of that text came before it."""
        numbers = np.arange(sequences.start, sequences.stop + 1)
        pairs_before = numbers * self._pairs_share >> _SHARE_BITS
        is_pair = np.diff(pairs_before) > 0
        texts, draws = np.empty(len(sequences), dtype=np.int64), np.empty(len(sequences), dtype=np.int64)
        # Both kinds are numbered without gaps, so a stretch of the run is a stretch of each.
        for (mixture, members), chosen, before in zip(
            self._mixtures, (~is_pair, is_pair), (numbers - pairs_before, pairs_before), strict=False
        ):
            if chosen.any():
                places, drawn = mixture.draws(range(int(before[0]), int(before[-1])))
                texts[chosen] = members[places]
                draws[chosen] = drawn + self.drawn[members[places]]
        return texts, draws

    def counts(self, num_sequences: int) -> Ids:
        """Draws of each text among the first so many sequences."""
        counts = np.zeros(len(self.drawn), dtype=np.int64)
        num_pairs = num_sequences * self._pairs_share >> _SHARE_BITS
        for (mixture, members), number in zip(self._mixtures, (num_sequences - num_pairs, num_pairs), strict=False):
            counts[members] = mixture.counts(number)
        return counts


def held_out_batches(
    shards: TokenShards,
    name: str,
    settings: BatchSettings,
    *,
    num_sequences: int,
    word_starts: WordStarts = None,
    row_of: RowOf | None = None,
) -> Iterator[MaskedBatch]:
    """Up to ``num_sequences`` different sequences of the held-out text of a language or a pair; their masks are always
    the same.

    Nothing comes of one with no text held out.
    """
    length, seed = settings.sequence_length, HELD_OUT_SEED
    text: Text
    if name in shards.pairs:
        tokens, offsets = shards.held_out_pair(name)
        text = ParallelText(name, shards.pairs[name], tokens, offsets, sequence_length=length, seed=seed)
    else:
        tokens, _, _ = shards.held_out(name)
        if len(tokens) == 0:
            return
        text = RunningText(name, tokens, sequence_length=length, seed=seed)
    by_document = settings.packing == "document"
    maker = Maker([text], _noise(shards, settings, word_starts), by_document=by_document, seed=seed, row_of=row_of)
    num_sequences = min(num_sequences, text.blocks.num_blocks)
    for first in range(0, num_sequences, settings.batch_size):
        draws = np.arange(first, min(first + settings.batch_size, num_sequences))
        yield maker.make(range(draws[0], draws[-1] + 1), np.zeros(len(draws), dtype=np.int64), draws)


def _check(shards: TokenShards, settings: BatchSettings) -> None:
    """Whether a share of pairs and the languages that join go with the shards."""
    if settings.tlm_share and not shards.pairs:
        raise ConfigError(
            f"batches.tlm_share = {settings.tlm_share} needs sentences with translations, and the shards have none; "
            "make them with 'isogloss shards parallel=FOLDER'"
        )
    joining = [code for phase in settings.phases for code in phase.join]
    known = ", ".join(shards.languages)
    for code in joining:
        if code not in shards.languages:
            raise ConfigError(f"batches.phases: '{code}' joins, but the shards have only {known}")
        if joining.count(code) > 1:
            raise ConfigError(f"batches.phases: '{code}' joins in two phases; name it in one")
    if len(joining) == len(shards.languages):
        raise ConfigError(f"batches.phases: each of {known} joins later, so the run cannot begin; leave one out")


def _texts(shards: TokenShards, settings: BatchSettings, *, seed: int) -> list[Text]:
    """The text of every language, then of every pair if there is a share for them."""
    length = settings.sequence_length
    texts: list[Text] = []
    for code in shards.languages:
        tokens = shards.tokens(code)
        if len(tokens) == 0:
            raise DataError(f"language {code} has no tokens in the shards; leave it out of the corpus or give it text")
        texts.append(RunningText(code, tokens, sequence_length=length, seed=seed))
    for name, languages in shards.pairs.items() if settings.tlm_share else ():
        pairs = ParallelText(name, languages, *shards.pair(name), sequence_length=length, seed=seed)
        if pairs.blocks.num_blocks == 0:
            raise DataError(f"no pair of {name} has room in batches.sequence_length = {length}; lengthen the sequences")
        texts.append(pairs)
    return texts


def _noise(shards: TokenShards, settings: BatchSettings, word_starts: WordStarts) -> Noise:
    if settings.whole_word and word_starts is None:
        raise ConfigError("batches.whole_word = true needs the vocabulary's word starts; name the vocabulary folder")
    return Noise(
        rate=settings.mask_rate,
        vocabulary_size=shards.vocabulary_size,
        mask_id=shards.mask_id,
        word_starts=word_starts if settings.whole_word else None,
    )
