"""Several processes for one cell: the recipe that torchrun is given is the cell's, and what it says comes back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from isogloss.config import load_recipe
from isogloss.errors import IsoglossError
from isogloss.pretrain import PretrainSettings
from isogloss.runs import read_metrics
from isogloss.studies import StudySettings, cells_of, load_study, run_study
from isogloss.studies.grid import pretraining
from isogloss.studies.together import pretrain_together, write_recipe

Tiny = Callable[..., StudySettings]
RECIPES = sorted((Path(__file__).parents[2] / "recipes" / "studies").glob("*.toml"))


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda path: path.stem)
@pytest.mark.parametrize("budget", ["cpu", "full"])
def test_a_recipe_says_all_settings_of_a_cell(recipe: Path, budget: str, tmp_path: Path) -> None:
    study = load_study(recipe, [f"budget={budget}", f"output={tmp_path}"])
    for cell in cells_of(study)[:: len(study.seeds)]:
        settings = pretraining(
            cell, run=tmp_path / 'a "run"', shards=tmp_path, vocabulary=tmp_path, device=study.device
        )
        write_recipe(tmp_path / "pretrain.toml", settings)
        read = load_recipe(tmp_path / "pretrain.toml", PretrainSettings)
        assert read == settings
        # A size of the vocabulary that nobody has set is that of the shards.
        assert read.model_dump(exclude_unset=True) == settings.model_dump(exclude_unset=True)


@pytest.mark.slow
def test_a_cell_of_two_processes_learns_what_one_learns(tiny: Tiny, tmp_path: Path) -> None:
    bits = []
    for number in (0, 2):
        study = tiny(tmp_path / str(number), only={"steps": ["3"]}, outcomes=["held_out"], gpus_per_cell=number)
        assert run_study(study, command="").failed == {}
        run = tmp_path / str(number) / "cells" / "steps-3" / "seed-1" / "pretrain"
        bits.append(next(line["held_out_mean"] for line in read_metrics(run) if "held_out_mean" in line))
        assert run.with_suffix(".toml").is_file() == (number == 2)
    assert bits[1] == pytest.approx(bits[0], rel=1e-3)


@pytest.mark.slow
def test_what_the_processes_say_comes_back(tiny: Tiny, tmp_path: Path) -> None:
    (cell, *_) = cells_of(tiny(tmp_path))
    settings = pretraining(cell, run=tmp_path / "run", shards=tmp_path, vocabulary=tmp_path / "no", device="cpu")
    with pytest.raises(IsoglossError, match=r"^vocabulary .*/no cannot be read") as caught:
        pretrain_together(settings, 2)
    assert len(str(caught.value).splitlines()) == 1
