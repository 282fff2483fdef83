"""Plans: every combination of values is planned as the room of plans does, times its seeds."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from isogloss.cli import app
from isogloss.studies import load_study
from isogloss.studies.plans import plan_study

ROOT = Path(__file__).resolve().parents[2] / "recipes" / "studies"


@pytest.mark.parametrize("budget", ["gpu", "full"])
def test_a_vocabulary_at_fixed_parameters_plans_models_of_one_size(budget: str) -> None:
    study = load_study(ROOT / "vocabulary.toml", [f"budget={budget}", "output=out"])
    planned = plan_study(study, device="h100")
    fixed = [one.plan.parameters for one in planned if "fixed" in one.name]
    growing = [one.plan.parameters for one in planned if "growing" in one.name]
    # Positions, norms and biases are not in the paper's formula.
    assert max(fixed) / min(fixed) < 1.05
    assert growing == sorted(growing)
    assert growing[-1] / growing[0] > 1.4
    hours = [(one.hours, one.plan.days) for one in planned]
    assert all(hour == pytest.approx(24 * days * len(study.seeds)) for hour, days in hours if hour and days)


def test_the_command_says_what_all_cells_take() -> None:
    words = ["plan", str(ROOT / "languages.toml"), "budget=gpu", "output=out", "--device", "h100"]
    said = CliRunner().invoke(app, words, catch_exceptions=False)
    assert said.exit_code == 0
    assert "| languages-100 | 52,1" in said.stdout
    assert "hours of pretraining in all, 39,321,600,000 tokens" in said.stdout
    priced = CliRunner().invoke(app, [*words, "--devices", "2", "--price-per-hour", "3"], catch_exceptions=False)
    found = re.search(r"([\d,.]+) hours of pretraining.* they cost ([\d,]+)\.", priced.stdout)
    assert found is not None
    hours, price = (float(number.replace(",", "")) for number in found.groups())
    assert price == pytest.approx(6 * hours, abs=1)


@pytest.mark.parametrize("recipe", sorted(ROOT.glob("*.toml")), ids=lambda path: path.stem)
def test_every_study_can_be_planned_at_every_budget(recipe: Path) -> None:
    for budget in ("cpu", "gpu", "full"):
        words = ["plan", str(recipe), f"budget={budget}", "output=out", "--device", "h100", "--json"]
        said = CliRunner().invoke(app, words, catch_exceptions=False)
        assert said.exit_code == 0, said.output
        assert all(cell["tokens"] > 0 for cell in json.loads(said.stdout))
