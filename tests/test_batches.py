"""Batches as pure functions: the same whatever the micro-batching, counted exactly, quick at any step."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import ClassVar

import numpy as np
import pytest
import torch
import xxhash
from hypothesis import given, settings
from hypothesis import strategies as st

from isogloss.batches import BatchSettings, MaskedBatches, held_out_batches
from isogloss.config import make_settings
from isogloss.errors import ConfigError, DataError
from isogloss.languages import sampling_shares
from isogloss.loop.feed import micro_batches
from isogloss.processes import Processes

BOS, EOS, MASK = 0, 2, 999


class FakeShards:
    """Tokens that tell where they come from: language i counts up from 100 * i + 10; every ninth ends a document."""

    vocabulary_size = 1000
    mask_id = MASK
    pairs: ClassVar[dict[str, tuple[str, str]]] = {}
    pair_sizes: ClassVar[dict[str, float]] = {}

    def __init__(self, **num_tokens: int) -> None:
        self.languages = tuple(num_tokens)
        self.sizes = {code: float(num) for code, num in num_tokens.items()}
        self._tokens = {}
        for index, (code, num) in enumerate(num_tokens.items()):
            self._tokens[code] = (100 * index + 10 + np.arange(num) % 90).astype(np.uint16)
            self._tokens[code][8::9] = EOS

    def tokens(self, language: str) -> np.ndarray:
        return self._tokens[language]

    def held_out(self, language: str) -> tuple[np.ndarray, np.ndarray, int]:
        tokens = self._tokens[language][:300]
        return tokens, np.array([0, len(tokens)]), 5 * len(tokens)


SHARDS = FakeShards(en=20_000, sw=3_000, th=1_111)


def make(seed: int = 1, shards: FakeShards = SHARDS, *, total_steps: int = 0, **values: object) -> MaskedBatches:
    chosen = {"sequence_length": 32, "batch_size": 24, "mask_rate": 0.2, **values}
    word_starts = np.arange(1000) % 4 == 0
    return MaskedBatches(shards, BatchSettings(**chosen), seed=seed, total_steps=total_steps, word_starts=word_starts)


def unmasked(batch) -> torch.Tensor:
    ids = batch.ids_N.clone()
    ids[batch.rows_M] = batch.targets_M
    return ids


@pytest.mark.parametrize("packing", ["stream", "document"])
@pytest.mark.parametrize("whole_word", [False, True])
@pytest.mark.parametrize("num_micros", [2, 5, 24])
def test_micro_batches_are_the_batch_in_parts(packing: str, whole_word: bool, num_micros: int) -> None:
    batches = make(packing=packing, whole_word=whole_word)
    whole = batches.batch(3)
    parts = [batches.batch(3, micro=micro, num_micros=num_micros) for micro in range(num_micros)]
    starts = np.cumsum([0, *(part.num_tokens for part in parts)])[:-1]
    assert torch.equal(torch.cat([part.ids_N for part in parts]), whole.ids_N)
    assert torch.equal(
        torch.cat([part.rows_M + start for part, start in zip(parts, starts, strict=True)]), whole.rows_M
    )
    assert torch.equal(torch.cat([part.targets_M for part in parts]), whole.targets_M)
    assert sum((part.layout.lengths for part in parts), ()) == whole.layout.lengths
    assert sum((part.languages for part in parts), ()) == whole.languages
    assert [index for part in parts for index in part.indices] == list(whole.indices) == list(range(72, 96))


def hash_of_steps(steps: range, *, processes: int, accumulate: int, workers: int) -> str:
    """Tokens and masks of these steps, as so many processes see them, each step's put together again in order."""
    feeds = [Processes(rank, processes) for rank in range(processes)]
    all_batches = [make(packing="document", whole_word=True) for _ in feeds]

    def of_step(step: int) -> bytes:
        found = {}
        for place, batches in zip(feeds, all_batches, strict=True):
            for turn, batch in enumerate(micro_batches(batches.batch, step, num_micros=accumulate, processes=place)):
                found[turn * processes + place.rank] = batch
        parts = [found[number] for number in sorted(found)]
        starts = np.cumsum([0, *(part.num_tokens for part in parts)])[:-1]
        rows = [part.rows_M + start for part, start in zip(parts, starts, strict=True)]
        tensors = (torch.cat(x).numpy() for x in ([p.ids_N for p in parts], rows, [p.targets_M for p in parts]))
        return b"".join(x.tobytes() for x in tensors)

    digest = xxhash.xxh3_128()
    with ThreadPoolExecutor(workers) as pool:
        for content in pool.map(of_step, steps):
            digest.update(content)
    return digest.hexdigest()


def test_a_thousand_steps_are_the_same_for_any_number_of_processes_and_workers() -> None:
    cuts = [(1, 1, 1), (2, 1, 1), (4, 1, 3), (1, 4, 2), (2, 3, 1)]
    hashes = {
        hash_of_steps(range(500, 1500), processes=processes, accumulate=accumulate, workers=workers)
        for processes, accumulate, workers in cuts
    }
    assert len(hashes) == 1
    assert hashes != {hash_of_steps(range(501, 1501), processes=1, accumulate=1, workers=1)}


def test_other_seeds_and_steps_are_other_batches_and_the_same_ones_are_the_same() -> None:
    one = make().batch(7)
    assert torch.equal(one.ids_N, make().batch(7).ids_N)
    assert not torch.equal(unmasked(one), unmasked(make(seed=2).batch(7)))
    assert not torch.equal(unmasked(one), unmasked(make().batch(8)))


def test_stream_packing_fills_sequences_across_documents_with_one_language_each() -> None:
    batch = make().batch(0)
    rows = unmasked(batch).view(24, 32).numpy()
    assert batch.layout.lengths == (32,) * 24
    assert np.all(rows[:, 0] == BOS)
    assert not np.any(rows[:, 1:] == BOS)
    assert np.any(rows[:, 1:-1] == EOS)
    for row, code in zip(rows, batch.languages, strict=True):
        origin = SHARDS.languages.index(code)
        assert set((row[(row != BOS) & (row != EOS)] - 10) // 100) == {origin}


def test_document_packing_holds_the_same_text_but_ends_sequences_at_documents() -> None:
    stream, document = make().batch(0), make(packing="document").batch(0)
    texts = [ids[ids != BOS] for ids in (unmasked(stream), unmasked(document))]
    assert torch.equal(*texts)
    sequences = unmasked(document).split(list(document.layout.lengths))
    assert len(document.languages) == len(sequences) > 24
    assert max(len(sequence) for sequence in sequences) <= 10
    for sequence in sequences:
        assert sequence[0] == BOS
        assert not torch.any(sequence[1:] == BOS)
        assert not torch.any(sequence[1:-1] == EOS)


def test_a_text_shorter_than_a_sequence_is_a_short_sequence() -> None:
    batches = make(shards=FakeShards(en=5000, sw=12), alpha=0.0)
    batch = batches.batch(0)
    lengths = dict(zip(batch.languages, batch.layout.lengths, strict=True))
    assert lengths == {"en": 32, "sw": 13}
    assert batches.ledger(1)["sw"]["epochs"] == batch.languages.count("sw")


@given(st.integers(0, 2**31), st.integers(0, 40), st.sampled_from(["stream", "document"]), st.floats(0, 1))
@settings(max_examples=15, deadline=None)
def test_the_ledger_equals_counting(seed: int, num_steps: int, packing: str, alpha: float) -> None:
    batches = make(seed, packing=packing, alpha=alpha)
    ledger = batches.ledger(num_steps)
    for index, code in enumerate(SHARDS.languages):
        tokens = sum(_tokens_of(batches.batch(step), index, code) for step in range(num_steps))
        assert ledger[code]["tokens"] == tokens
        assert ledger[code]["sequences"] * 31 == tokens
        num_blocks = len(SHARDS.tokens(code)) // 31
        assert ledger[code]["epochs"] == pytest.approx(tokens / 31 / num_blocks, abs=1e-5)


def _tokens_of(batch, index: int, code: str) -> int:
    """Tokens of text, without <s>, of the sequences that name a language; checked against the tokens themselves."""
    sequences = unmasked(batch).split(list(batch.layout.lengths))
    mine = [sequence[1:] for sequence, language in zip(sequences, batch.languages, strict=True) if language == code]
    for tokens in mine:
        text = tokens[tokens != EOS]
        assert torch.all((text >= 100 * index + 10) & (text < 100 * index + 100))
    return sum(len(tokens) for tokens in mine)


@pytest.mark.parametrize("alpha", [0.0, 0.3, 1.0])
def test_languages_get_their_share(alpha: float) -> None:
    batches = make(alpha=alpha)
    ledger = batches.ledger(100_000)
    shares = sampling_shares(SHARDS.sizes, alpha=alpha)
    for code in SHARDS.languages:
        assert ledger[code]["sequences"] == pytest.approx(2_400_000 * shares[code], abs=300)


def test_an_epoch_shows_every_token_once() -> None:
    batches = make(shards=FakeShards(en=24 * 31 * 5), sequence_length=32)
    seen = torch.cat([unmasked(batches.batch(step)) for step in range(5)])
    text = np.sort(seen[seen != BOS].numpy())
    assert np.array_equal(text, np.sort(FakeShards(en=24 * 31 * 5).tokens("en")))


def test_no_special_token_is_masked_or_put_in() -> None:
    batches = make(mask_rate=0.9)
    for step in range(20):
        batch = batches.batch(step)
        assert torch.all((batch.targets_M >= 4) & (batch.targets_M < MASK))
        assert torch.all(batch.ids_N[batch.rows_M] >= 4)


def test_whole_words_are_for_languages_written_with_spaces() -> None:
    batches = make(whole_word=True, sequence_length=64, mask_rate=0.2)
    exact = {"en": [], "th": []}
    for batch in map(batches.batch, range(20)):
        ends = np.cumsum(batch.layout.lengths)
        for code, end in zip(batch.languages, ends.tolist(), strict=True):
            pieces = int(np.sum(unmasked(batch)[end - 64 : end].numpy() >= 4))
            chosen = int(((batch.rows_M >= end - 64) & (batch.rows_M < end)).sum())
            if code in exact:
                exact[code].append(chosen in (int(0.2 * pieces), int(0.2 * pieces) + 1))
    assert all(exact["th"])
    assert not all(exact["en"])


def test_step_one_million_comes_in_no_time() -> None:
    start = time.perf_counter()
    batches = make(batch_size=256)
    batch = batches.batch(1_000_000)
    ledger = batches.ledger(1_000_000)
    assert time.perf_counter() - start < 1
    assert batch.indices[0] == 256_000_000 == sum(int(line["sequences"]) for line in ledger.values())


def test_held_out_text_is_masked_the_same_whatever_the_run() -> None:
    settings = BatchSettings(sequence_length=32, batch_size=4)
    found = [list(held_out_batches(SHARDS, "sw", settings, num_sequences=num)) for num in (6, 6, 1000)]
    assert [len(batch.layout.lengths) for batch in found[0]] == [4, 2]
    assert torch.equal(found[0][1].ids_N, found[1][1].ids_N)
    assert sum(len(batch.layout.lengths) for batch in found[2]) == 300 // 31
    assert list(held_out_batches(FakeShards(sw=0), "sw", settings, num_sequences=6)) == []


def test_moving_to_a_device_keeps_everything() -> None:
    batch = make().batch(0)
    assert batch.to(torch.device("cpu")) is batch
    moved = batch.to(torch.device("meta"))
    assert moved.ids_N.device.type == moved.layout.offsets.device.type == "meta"
    assert (moved.languages, moved.indices, moved.num_targets) == (batch.languages, batch.indices, batch.num_targets)


def test_mistakes_are_named() -> None:
    with pytest.raises(DataError, match="language sw has no tokens"):
        make(shards=FakeShards(en=100, sw=0))
    with pytest.raises(ConfigError, match="whole_word"):
        MaskedBatches(SHARDS, BatchSettings(whole_word=True), seed=1)


PHASES = [
    {"start": "4 steps", "alpha": 1.0, "mask_rate": 0.4},
    {"start": "60 %", "sequence_length": 48, "join": ["th"]},
]


def test_phases_change_what_they_name_and_keep_the_rest() -> None:
    batches = make(phases=PHASES, total_steps=20)
    seen = {}
    for step in range(20):
        batch = batches.batch(step)
        pieces = int(np.sum(unmasked(batch).numpy() >= 4))
        seen[step] = batch.layout.max_length, round(batch.num_targets / pieces, 1), "th" in batch.languages
    assert {seen[step] for step in range(4)} == {(32, 0.2, False)}
    assert {seen[step] for step in range(4, 12)} == {(32, 0.4, False)}
    assert {seen[step][:2] for step in range(12, 20)} == {(48, 0.4)}
    assert any(seen[step][2] for step in range(12, 20))
    assert batches.batch(12).indices == range(12 * 24, 13 * 24)


def test_a_run_before_its_first_change_is_the_run_without_one() -> None:
    plain, changed = make(), make(phases=[{"start": "4 steps", "mask_rate": 0.4}])
    for step in range(4):
        assert torch.equal(plain.batch(step).ids_N, changed.batch(step).ids_N)
    # The rate changes what is hidden, not which text is drawn: the shares stay and no block is drawn twice.
    seen = torch.cat([unmasked(changed.batch(step)) for step in range(10)])
    assert not torch.equal(plain.batch(4).ids_N, changed.batch(4).ids_N)
    english = [ids for ids in seen.split(32) if 10 <= ids[ids >= 4][0] < 100]
    assert changed.ledger(10)["en"]["sequences"] == len(english) < 20_000 // 31


def test_no_block_comes_twice_in_an_epoch_that_a_change_interrupts() -> None:
    shards = FakeShards(en=24 * 31 * 5)
    batches = make(shards=shards, phases=[{"start": "2 steps", "mask_rate": 0.4}, {"start": "3 steps", "alpha": 0.9}])
    seen = torch.cat([unmasked(batches.batch(step)) for step in range(5)])
    assert np.array_equal(np.sort(seen[seen != BOS].numpy()), np.sort(shards.tokens("en")))


@given(
    seed=st.integers(0, 2**31),
    starts=st.lists(st.integers(1, 30), max_size=4, unique=True).map(sorted),
    lengths=st.lists(st.sampled_from([None, 16, 32, 40]), min_size=4, max_size=4),
    alphas=st.lists(st.sampled_from([None, 0.0, 0.5, 1.0]), min_size=4, max_size=4),
    joins=st.integers(0, 3),
    num_steps=st.integers(0, 40),
)
@settings(max_examples=25)
def test_the_ledger_equals_counting_across_phases(
    seed: int, starts: list[int], lengths: list[int | None], alphas: list[float | None], joins: int, num_steps: int
) -> None:
    phases = [
        {"start": f"{start} steps", "sequence_length": length, "alpha": alpha, "join": ["th"] if n == joins else []}
        for n, (start, length, alpha) in enumerate(zip(starts, lengths, alphas, strict=False))
    ]
    batches = make(seed, phases=phases)
    ledger = batches.ledger(num_steps)
    counted = dict.fromkeys(SHARDS.languages, 0)
    for step in range(num_steps):
        batch = batches.batch(step)
        assert "th" not in batch.languages or joins >= len(starts) or step >= starts[joins]
        for index, code in enumerate(SHARDS.languages):
            counted[code] += _tokens_of(batch, index, code)
    assert {code: line["tokens"] for code, line in ledger.items()} == counted
    assert sum(line["sequences"] for line in ledger.values()) == num_steps * 24


def test_micro_batches_of_a_step_after_a_change_are_the_batch_in_parts() -> None:
    batches = make(phases=PHASES, total_steps=20)
    parts = [batches.batch(13, micro=micro, num_micros=5) for micro in range(5)]
    assert torch.equal(torch.cat([part.ids_N for part in parts]), batches.batch(13).ids_N)
    assert sum((part.languages for part in parts), ()) == batches.batch(13).languages


def test_step_one_million_comes_in_no_time_after_many_changes() -> None:
    start = time.perf_counter()
    phases = [{"start": f"{n * 1000} steps", "alpha": n / 20, "sequence_length": 16 + n} for n in range(1, 20)]
    batches = make(batch_size=256, phases=phases)
    batch = batches.batch(1_000_000)
    ledger = batches.ledger(1_000_000)
    assert time.perf_counter() - start < 2
    assert batch.indices[0] == 256_000_000 == sum(int(line["sequences"]) for line in ledger.values())


@pytest.mark.parametrize(
    ("phases", "message"),
    [
        (
            [{"start": "5 steps"}, {"start": "5 steps"}],
            r"phases\.1: start = 5 steps is step 5, but the phase before it",
        ),
        ([{"start": "0 %"}], r"phases\.0: start = 0 % is step 0, but the phase before it starts at 0"),
        ([{"start": "100 steps"}], r"is step 100, but the run ends at 100"),
        ([{"start": "5 steps", "join": ["de"]}], r"'de' joins, but the shards have only en, sw, th"),
        ([{"start": "5 steps", "join": ["sw"]}, {"start": "6 steps", "join": ["sw"]}], r"'sw' joins in two phases"),
        ([{"start": "5 steps", "join": ["en", "sw", "th"]}], r"each of en, sw, th joins later"),
    ],
)
def test_phases_that_cannot_be_are_refused(phases: list[dict[str, object]], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make(phases=phases, total_steps=100)


def test_a_phase_says_its_start_in_steps_and_its_keys_are_checked() -> None:
    with pytest.raises(ConfigError, match=r"phases\.0\.start = '1e9 tokens': a phase starts at a step or a share"):
        make_settings(BatchSettings, {"phases": [{"start": "1e9 tokens"}]})
    with pytest.raises(ConfigError, match=r"unknown key 'phases\.0\.mask_rat'; did you mean 'mask_rate'"):
        make_settings(BatchSettings, {"phases": [{"start": "5 steps", "mask_rat": 0.2}]})
