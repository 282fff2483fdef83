"""Sentences with their translations: two segments a sequence, each side hidden in part, each pair once an epoch."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from isogloss.batches import BatchSettings, MaskedBatch, MaskedBatches, held_out_batches
from isogloss.errors import ConfigError, DataError

BOS, EOS, MASK = 0, 2, 4999
# The n-th pair of every kind says so in its pieces: source 10 + n, target 2000 + n, so that pairs can be told apart.
SOURCE, TARGET = 10, 2000
NUM_PAIRS = {"en-sw": 150, "en-th": 40}


class FakeShards:
    """Three languages of running text and two pairs of languages, of sentences of one to eight pieces."""

    vocabulary_size = 5000
    mask_id = MASK
    languages = ("en", "sw", "th")

    def __init__(self, num_pairs: dict[str, int] = NUM_PAIRS) -> None:
        self.sizes = dict.fromkeys(self.languages, 1000.0)
        self.pairs = {name: tuple(name.split("-")) for name in num_pairs}
        self.pair_sizes = {name: 10.0 * number for name, number in num_pairs.items()}
        self._pairs = {}
        for name, number in num_pairs.items():
            lengths = np.random.default_rng(number).integers(1, 9, size=2 * number)
            sentences = [
                [(TARGET if index % 2 else SOURCE) + index // 2] * length + [EOS]
                for index, length in enumerate(lengths.tolist())
            ]
            self._pairs[name] = np.concatenate(sentences).astype(np.uint16), np.cumsum([0, *map(len, sentences)])

    def tokens(self, language: str) -> np.ndarray:
        return np.full(500, 4000 + self.languages.index(language), dtype=np.uint16)

    def held_out(self, language: str) -> tuple[np.ndarray, np.ndarray, int]:
        return self.tokens(language)[:100], np.array([0, 100]), 500

    def pair(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        return self._pairs[name]

    held_out_pair = pair


SHARDS = FakeShards()
ROWS = {"en": 2, "sw": 0, "th": 1}


def make(seed: int = 1, *, shards: FakeShards = SHARDS, rows: bool = True, **values: object) -> MaskedBatches:
    chosen = {"sequence_length": 32, "batch_size": 12, "mask_rate": 0.3, "tlm_share": 0.5, **values}
    return MaskedBatches(
        shards, BatchSettings(**chosen), seed=seed, total_steps=1000, row_of=ROWS.__getitem__ if rows else None
    )


def segments_of(batch: MaskedBatch) -> list[list[int]]:
    """The ids of each segment, as they were before any were hidden."""
    ids = batch.ids_N.clone()
    ids[batch.rows_M] = batch.targets_M
    return [part.tolist() for part in ids.split(list(batch.segments.lengths))]


def pairs_of(batch: MaskedBatch) -> list[tuple[tuple[str, list[int]], tuple[str, list[int]]]]:
    """Language and ids of both sides of each sequence that is a pair."""
    parts = list(zip(batch.languages, segments_of(batch), strict=True))
    return [(parts[place - 1], parts[place]) for place, (_, ids) in enumerate(parts) if ids[0] == EOS]


def test_a_pair_is_one_sequence_of_two_segments_with_their_languages() -> None:
    seen = Counter()
    for step in range(20):
        batch = make().batch(step)
        pairs = pairs_of(batch)
        seen["turned"] += sum(one[1][1] >= TARGET for one, _ in pairs)
        seen["pairs"] += len(pairs)
        assert len(batch.layout.lengths) == len(batch.segments.lengths) - len(pairs)
        assert sum(batch.layout.lengths) == sum(batch.segments.lengths) == batch.num_tokens
        for (first, ids), (second, others) in pairs:
            assert (ids[0], ids[-1], others[0], others[-1]) == (BOS, EOS, EOS, EOS)
            assert len(ids) + len(others) in batch.layout.lengths
            # English is the source of every pair here, and its pieces are below those of targets.
            assert (first == "en") == (ids[1] < TARGET)
            assert (second == "en") == (others[1] < TARGET)
            assert (first == "en") != (second == "en")
            assert abs(ids[1] - others[1]) == TARGET - SOURCE, "the translation of this sentence and of no other"
    assert 0.3 < seen["turned"] / seen["pairs"] < 0.7


def test_positions_start_again_and_language_rows_change_at_the_second_side() -> None:
    batch = make().batch(0)
    assert batch.languages_S is not None
    positions = batch.segments.positions_N.split(list(batch.segments.lengths))
    assert all(found.tolist() == list(range(len(found))) for found in positions)
    assert batch.languages_S.tolist() == [ROWS[code] for code in batch.languages]
    assert len(batch.languages_S) == len(batch.segments.lengths) > len(batch.layout.lengths)
    assert make(rows=False).batch(0).languages_S is None


def test_both_sides_are_hidden_at_the_rate() -> None:
    hidden, pieces = Counter(), Counter()
    batches = make(tlm_share=1.0)
    for step in range(100):
        batch = batches.batch(step)
        sides = np.repeat(np.arange(len(batch.languages)) % 2, batch.segments.lengths)
        hidden.update(sides[batch.rows_M].tolist())
        for side, ids in enumerate(segments_of(batch)):
            pieces[side % 2] += sum(piece >= 4 for piece in ids)
    for side in (0, 1):
        assert hidden[side] / pieces[side] == pytest.approx(0.3, rel=0.05)


def test_an_epoch_shows_every_pair_once() -> None:
    batches = make(tlm_share=1.0, alpha=1.0, shards=FakeShards({"en-sw": 100}), batch_size=1)
    num_packs = next(number for number in range(1, 200) if batches.ledger(number)["en-sw"]["epochs"] == 1)
    for epoch in range(2):
        steps = range(epoch * num_packs, (epoch + 1) * num_packs)
        sources = [
            min(one[1][1], other[1][1]) - SOURCE for step in steps for one, other in pairs_of(batches.batch(step))
        ]
        assert sorted(sources) == list(range(100))
        assert sources != sorted(sources)


@pytest.mark.parametrize("num_micros", [2, 5, 12])
def test_micro_batches_are_the_batch_in_parts(num_micros: int) -> None:
    batches = make(whole_word=False)
    whole = batches.batch(3)
    parts = [batches.batch(3, micro=micro, num_micros=num_micros) for micro in range(num_micros)]
    starts = np.cumsum([0, *(part.num_tokens for part in parts)])[:-1].tolist()
    assert torch.equal(torch.cat([part.ids_N for part in parts]), whole.ids_N)
    rows = torch.cat([part.rows_M + start for part, start in zip(parts, starts, strict=True)])
    assert torch.equal(rows, whole.rows_M)
    assert torch.equal(torch.cat([part.targets_M for part in parts]), whole.targets_M)
    assert sum((part.layout.lengths for part in parts), ()) == whole.layout.lengths
    assert sum((part.segments.lengths for part in parts), ()) == whole.segments.lengths
    assert sum((part.languages for part in parts), ()) == whole.languages


@given(st.integers(0, 2**31), st.integers(0, 30), st.floats(0, 1), st.floats(0, 1))
@settings(max_examples=20)
def test_the_ledger_equals_counting(seed: int, num_steps: int, share: float, alpha: float) -> None:
    batches = make(seed, tlm_share=share, alpha=alpha)
    ledger = batches.ledger(num_steps)
    tokens = Counter()
    for step in range(num_steps):
        batch = batches.batch(step)
        in_pairs = Counter()
        for (first, ids), (second, others) in pairs_of(batch):
            # Stored are both sides with their </s>; drawn, each has one id more before it.
            name = "-".join(sorted((first, second)))
            tokens[name] += len(ids) + len(others) - 2
            in_pairs.update((first, second))
        plain = Counter(batch.languages) - in_pairs
        tokens.update({code: 31 * number for code, number in plain.items()})
    assert {name: line["tokens"] for name, line in ledger.items() if line["tokens"]} == dict(tokens)
    sequences = {name: int(line["sequences"]) for name, line in ledger.items()}
    assert sum(sequences.values()) == 12 * num_steps
    assert abs(sum(sequences.get(name, 0) for name in NUM_PAIRS) - share * 12 * num_steps) <= 1 + 1e-9


def test_a_pair_too_long_for_a_sequence_is_left_out_and_counted() -> None:
    short = make(sequence_length=12, tlm_share=1.0)
    found = [pair for step in range(200) for pair in pairs_of(short.batch(step))]
    assert max(len(one[1]) + len(other[1]) for one, other in found) <= 12
    offsets = SHARDS.pair("en-sw")[1]
    too_long = int(np.sum(np.diff(offsets[::2]) + 2 > 12))
    assert 0 < too_long == short.too_long(0)["en-sw"]
    assert make(tlm_share=0.0).too_long(0) == {}
    assert len({min(one[1][1], other[1][1]) for one, other in found if "sw" in (one[0], other[0])}) == 150 - too_long


def test_text_is_the_same_with_and_without_pairs() -> None:
    """Pairs take places of the run, but no language's text is drawn otherwise for it."""
    alone, mixed = make(tlm_share=0.0, batch_size=6), make(tlm_share=0.5, batch_size=12)
    for step in range(5):
        codes = [
            code
            for code, ids in zip(mixed.batch(step).languages, segments_of(mixed.batch(step)), strict=True)
            if max(ids) >= 4000
        ]
        assert codes == list(alone.batch(step).languages)


def test_a_pair_waits_for_its_languages() -> None:
    batches = make(phases=[{"start": "3 steps", "join": ["th"]}, {"start": "6 steps", "sequence_length": 24}])
    spoken = [{code for pair in pairs_of(batches.batch(step)) for code, _ in pair} for step in range(9)]
    assert all(codes == {"en", "sw"} for codes in spoken[:3])
    assert set().union(*spoken[3:]) == {"en", "sw", "th"}
    drawn = [line["sequences"] for line in map(batches.ledger(9).get, NUM_PAIRS) if line]
    assert sum(drawn) == pytest.approx(9 * 6, abs=3)
    tokens = Counter()
    for step in range(9):
        for (first, ids), (second, others) in pairs_of(batches.batch(step)):
            tokens["-".join(sorted((first, second)))] += len(ids) + len(others) - 2
    assert tokens == {name: batches.ledger(9)[name]["tokens"] for name in NUM_PAIRS}


def test_held_out_pairs_are_masked_the_same_always() -> None:
    settings_ = BatchSettings(sequence_length=32, batch_size=4)
    one, again = (list(held_out_batches(SHARDS, "en-sw", settings_, num_sequences=6)) for _ in range(2))
    assert [len(batch.indices) for batch in one] == [4, 2]
    assert torch.equal(one[1].ids_N, again[1].ids_N)
    assert pairs_of(one[0])


def test_moving_to_a_device_keeps_segments_and_rows() -> None:
    batch = make().batch(0)
    moved = batch.to(torch.device("meta"))
    assert moved.segments.offsets.device.type == "meta"
    assert moved.languages_S is not None
    assert moved.languages_S.device.type == "meta"
    assert moved.segments.lengths == batch.segments.lengths
    plain = make(tlm_share=0.0).batch(0).to(torch.device("meta"))
    assert plain.segments is plain.layout


def test_mistakes_are_named() -> None:
    with pytest.raises(ConfigError, match=r"tlm_share = 0\.5 needs sentences with translations"):
        make(shards=FakeShards({}))
    long = FakeShards({"en-sw": 3})
    long._pairs["en-sw"] = np.full(60, 9, dtype=np.uint16), np.arange(0, 61, 10)
    with pytest.raises(DataError, match=r"no pair of en-sw has room in batches\.sequence_length = 8"):
        make(shards=long, sequence_length=8)
