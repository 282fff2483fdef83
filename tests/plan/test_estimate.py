"""A recipe's plan: the paper's runs by hand, devices and micro-batches, phases, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from isogloss.errors import ConfigError
from isogloss.plan import ACCELERATORS, StepTimes, estimate, make_plan, report
from isogloss.plan.report import _bytes, _rounded
from isogloss.pretrain import PretrainSettings

Recipes = Callable[..., PretrainSettings]
PAPER = {"steps": 1_500_000, "batches": {"sequence_length": 512, "batch_size": 8192}}


def test_the_papers_base_on_eight_h100_by_hand(recipe: Recipes) -> None:
    settings = recipe(**PAPER, model={"preset": "base", "vocabulary_size": 250_002, "width": 768, "num_layers": 12,
                                      "num_heads": 12, "feedforward": 3072, "max_length": 512})  # fmt: skip
    plan = make_plan(settings, device="h100", num_devices=8, share_of_peak=0.4, price_per_hour=2.0)
    # 12 layers of 12 D D weights, scores of 512 tokens, and the table for 15 % of the 511 pieces.
    by_hand = 6 * 12 * 12 * 768**2 + 12 * 12 * 512 * 768 + 6 * 0.15 * 511 / 512 * 768 * (768 + 250_002)
    assert plan.flops_per_token.total == pytest.approx(by_hand, rel=1e-3)
    assert plan.tokens == 1_500_000 * 8192 * 512
    seconds = by_hand * 1_500_000 * 8192 * 512 / (8 * 0.4 * 989e12)
    assert plan.days == pytest.approx(seconds / 86_400, rel=1e-3)
    assert plan.cost == pytest.approx(2.0 * 8 * seconds / 3600, rel=1e-3)
    assert plan.memory.weights == 4 * plan.parameters
    assert plan.disk.checkpoints == 3 * 12 * plan.parameters, "two are kept while a third is written"


def test_devices_share_the_sequences_and_not_the_days(recipe: Recipes) -> None:
    settings = recipe(batches={"batch_size": 64})
    one, four = (make_plan(settings, device="a100", num_devices=number) for number in (1, 4))
    assert one.days is not None
    assert four.days == pytest.approx(one.days / 4)
    assert four.device_hours == pytest.approx(one.device_hours)
    assert four.memory.activations == pytest.approx(one.memory.activations / 4, rel=0.05)
    assert four.memory.weights == one.memory.weights


def test_what_does_not_fit_is_told_how_it_would(recipe: Recipes) -> None:
    settings = recipe(batches={"batch_size": 1 << 19})
    (said,) = [note for note in make_plan(settings, device="t4").notes if "does not fit" in note]
    accumulate = int(said.rsplit("=", 1)[1])
    fits = recipe(batches={"batch_size": 1 << 19}, loop={"accumulate": accumulate})
    too_few = recipe(batches={"batch_size": 1 << 19}, loop={"accumulate": accumulate // 2})
    assert make_plan(fits, device="t4").memory.peak <= 16e9 < make_plan(too_few, device="t4").memory.peak
    assert any("no bf16" in note for note in make_plan(fits, device="t4").notes)


def test_a_run_with_phases_pays_for_each(recipe: Recipes) -> None:
    grows = {"sequence_length": 16, "phases": [{"start": "50 %", "sequence_length": 48}]}
    plan = make_plan(recipe(batches=grows), device="a100")
    short, long = (make_plan(recipe(batches={"sequence_length": length}), device="a100") for length in (16, 48))
    assert plan.tokens == (short.tokens + long.tokens) / 2
    assert plan.days == pytest.approx((short.days + long.days) / 2)
    assert plan.memory == long.memory
    assert plan.tokens_per_second_at_start == pytest.approx(short.tokens_per_second)


def test_a_timed_step_is_scaled_to_the_batch(recipe: Recipes, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = SimpleNamespace()

    def measured(*_: Any, micro_sequences: int, **more: Any) -> StepTimes:
        asked.micro_sequences = micro_sequences
        return StepTimes(micro_batch=0.1, sequence=0.01, optimizer=0.5)

    monkeypatch.setattr(estimate, "measure_step", measured)
    plan = make_plan(recipe(batches={"batch_size": 32}, loop={"accumulate": 4}), device="cpu")
    assert asked.micro_sequences == 8
    assert plan.tokens_per_second == pytest.approx(32 * 48 / (4 * (0.1 + 8 * 0.01) + 0.5))
    assert plan.speed_from.startswith("steps timed")


def test_this_machine_is_really_timed(recipe: Recipes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimate, "BUDGET", 0.2)
    plan = make_plan(recipe(), device="cpu")
    assert plan.tokens_per_second is not None
    assert 100 < plan.tokens_per_second < 1e7
    assert make_plan(recipe(), device="cpu", measure=False).tokens_per_second is None


def test_the_report_says_every_part(recipe: Recipes) -> None:
    text = report(make_plan(recipe(batches={"tlm_share": 0.1}), device="l4", price_per_hour=1.0))
    for word in ("parameters", "weights", "gradients", "optimizer", "activations", "loss", "peak", "tokens a second"):
        assert word in text
    for word in ("assumed: 35% of 121 TFLOP/s", "days", "device-hours", "cost", "checkpoints", "note: no shards yet"):
        assert word in text
    assert max(map(len, text.splitlines())) < 130


@pytest.mark.parametrize(
    ("number", "said"), [(0.00026, "0.00026"), (19.44, "19.4"), (3731.6, "3,732"), (1e8, "100,000,000"), (0.0, "0")]
)
def test_figures_have_no_exponent(number: float, said: str) -> None:
    assert _rounded(number) == said


@pytest.mark.parametrize(
    ("number", "said"), [(999, "999 B"), (999.6, "1 kB"), (1_234_567, "1.23 MB"), (2e18, "2,000 PB")]
)
def test_bytes_are_scaled(number: float, said: str) -> None:
    assert _bytes(number) == said


@pytest.mark.parametrize(
    ("tables", "options", "said"),
    [
        ({}, {"device": "h1000"}, "h200"),
        ({"loop": {"accumulate": 5}}, {"device": "a100", "num_devices": 2}, "batches.batch_size = 8"),
        ({"batches": {"sequence_length": 49}}, {"device": "a100"}, "max_length = 48"),
    ],
)
def test_a_mistake_is_one_line(recipe: Recipes, tables: Any, options: Any, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        make_plan(recipe(**tables), **options)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_vocabulary_of_unknown_size_is_asked_for(recipe: Recipes) -> None:
    settings = recipe()
    unknown = settings.model.model_dump(exclude={"vocabulary_size"}, exclude_unset=True)
    with pytest.raises(ConfigError, match=r"model\.vocabulary_size=N"):
        make_plan(settings.model_copy(update={"model": type(settings.model)(**unknown)}), device="a100")


def test_the_table_has_plausible_peaks() -> None:
    for accelerator in ACCELERATORS.values():
        assert 5 < accelerator.fp32 < 200 < 2000
        assert accelerator.bf16 is None or accelerator.fp32 < accelerator.bf16 < 3000
        assert 10 < accelerator.memory_gb < 300
