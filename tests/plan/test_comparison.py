"""A plan beside what a run measured: once, after enough steps, and only with a plan for the same settings."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from isogloss.devices import choose
from isogloss.plan import Watch, compare, comparison, keep_plan, make_plan
from isogloss.plan.comparison import Comparison
from isogloss.pretrain import PretrainSettings
from isogloss.runs import RunFolder

Recipes = Callable[..., PretrainSettings]


@pytest.fixture
def run(tmp_path: Path) -> Iterator[RunFolder]:
    folder = RunFolder(tmp_path)
    yield folder
    folder.close()


def keep(settings: PretrainSettings, folder: Path, tokens_per_second: float) -> None:
    """A plan of this speed, as `isogloss plan` keeps one after timing."""
    path = keep_plan(make_plan(settings, device="cpu", measure=False), settings, folder)
    kept = json.loads(path.read_text(encoding="utf-8"))
    kept["plan"]["tokens_per_second_at_start"] = tokens_per_second
    path.write_text(json.dumps(kept), encoding="utf-8")


def test_it_is_shown_once_when_the_speed_is_known(
    recipe: Recipes, run: RunFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = recipe()
    keep(settings, run.path, 1000.0)
    watch = Watch(settings, run.path, choose("cpu"))
    assert watch(50) == {}, "no line with a speed yet"
    run.log(25, tokens_per_second=300.0)
    run.log(50, tokens_per_second=800.0)
    run.log(75, tokens_per_second=900.0)
    assert watch(49) == {}, "too early"
    found = watch(75)["plan"]
    assert found["predicted_tokens_per_second"] == 1000.0
    assert found["measured_tokens_per_second"] == 800.0
    assert found["predicted_peak_bytes"] > 0
    (line,) = capsys.readouterr().err.splitlines()
    assert "predicted 1,000 tokens/s, measured 800 (+25%)" in line
    assert watch(100) == {}


def test_a_run_that_goes_on_does_not_say_it_again(recipe: Recipes, run: RunFolder) -> None:
    run.log(50, tokens_per_second=800.0)
    run.log(50, plan=Watch(recipe(), run.path, choose("cpu"))(50)["plan"])
    assert Watch(recipe(), run.path, choose("cpu"))(100) == {}


def test_without_a_plan_one_is_made_and_both_are_compared(recipe: Recipes, run: RunFolder) -> None:
    run.log(50, tokens_per_second=800.0)
    found = Watch(recipe(), run.path, choose("cpu"))(50)["plan"]
    assert found["predicted_tokens_per_second"] > 1000, "a model of two layers of width 64"
    assert found["predicted_peak_bytes"] > 0


def test_a_run_that_is_never_compared_times_nothing(
    recipe: Recipes, run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*args: object, **kwargs: object) -> None:
        raise AssertionError("planned")

    monkeypatch.setattr(comparison, "make_plan", never)
    run.log(50, tokens_per_second=800.0)
    assert Watch(recipe(steps=49), run.path, choose("cpu"))(49) == {}
    with pytest.raises(AssertionError, match="planned"):
        Watch(recipe(), run.path, choose("cpu"))
    run.log(50, plan={"predicted_peak_bytes": 1})
    assert Watch(recipe(), run.path, choose("cpu"))(100) == {}


@pytest.mark.parametrize(
    "changed", [{"batches": {"batch_size": 16}}, {"model": {"width": 32}}, {"loop": {"accumulate": 2}}], ids=str
)
def test_a_plan_for_other_settings_is_not_compared(recipe: Recipes, run: RunFolder, changed: dict[str, object]) -> None:
    keep(recipe(), run.path, 1000.0)
    run.log(50, tokens_per_second=800.0)
    assert Watch(recipe(**changed), run.path, choose("cpu"))(50)["plan"]["predicted_tokens_per_second"] != 1000.0


def test_a_plan_for_other_devices_is_not_compared(recipe: Recipes, run: RunFolder) -> None:
    keep(recipe(), run.path, 1000.0)
    run.log(50, tokens_per_second=800.0)
    watch = Watch(recipe(), run.path, choose("cpu"), num_devices=2)
    assert watch(50)["plan"]["predicted_tokens_per_second"] != 1000.0


def test_the_vocabulary_comes_with_the_shards(recipe: Recipes, run: RunFolder) -> None:
    keep(recipe(), run.path, 1000.0)
    run.log(50, tokens_per_second=800.0)
    watch = Watch(recipe(model={"vocabulary_size": 777}), run.path, choose("cpu"))
    assert watch(50)["plan"]["predicted_tokens_per_second"] == 1000.0


def test_numbers_that_nobody_knows_are_said_to_be_unknown(recipe: Recipes) -> None:
    plan = make_plan(recipe(), device="a100").as_dict()
    said = str(compare(plan, peak_bytes=None, tokens_per_second=None))
    assert said.count("measured unknown") == 2
    assert str(Comparison(2_000_000_000, 1_600_000_000, None, 5.0)) == (
        "plan: predicted 2.00 GB at the peak, measured 1.60 (+25%); predicted unknown tokens/s, measured 5"
    )
