"""Plans: every combination of values is planned as the room of plans does, times its seeds."""

from __future__ import annotations

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
    words = ["study", str(ROOT / "languages.toml"), "budget=gpu", "output=out", "--plan", "--device", "h100"]
    said = CliRunner().invoke(app, words, catch_exceptions=False)
    assert said.exit_code == 0
    assert "| languages-100 | 52,1" in said.stdout
    assert "hours of pretraining in all, 39,321,600,000 tokens" in said.stdout
