"""A study as data: budgets are laid over the recipe, the command line over both, and names have to be known."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isogloss.errors import ConfigError
from isogloss.studies import StudySettings, load_study
from isogloss.studies.recipe import laid_over

RECIPE = """
title = "T"
question = "Q"
seeds = [1, 2]
outcomes = ["held_out"]
groups.all = ["en"]
base.languages = ["en"]
base.pretrain.steps = 5
base.pretrain.optim.peak_rate = 1e-3
axes.steps.values.few = {}
[budgets.cpu]
seeds = [7]
base.pretrain.steps = 50
"""

KEYS = st.sampled_from("abc")
TABLES: Any = st.recursive(
    st.dictionaries(KEYS, st.integers()), lambda inner: st.dictionaries(KEYS, st.integers() | inner), max_leaves=8
)


def written(folder: Path, text: str = RECIPE) -> Path:
    path = folder / "study.toml"
    path.write_text(text, encoding="utf-8")
    return path


def leaves(table: dict[str, Any], key: tuple[str, ...] = ()) -> dict[tuple[str, ...], Any]:
    found: dict[tuple[str, ...], Any] = {}
    for name, value in table.items():
        found |= leaves(value, (*key, name)) if isinstance(value, dict) else {(*key, name): value}
    return found


@given(TABLES, TABLES)
def test_what_is_laid_over_wins_and_the_rest_stays(below: dict[str, Any], above: dict[str, Any]) -> None:
    before = json.dumps([below, above])
    merged = leaves(laid_over(below, above))
    assert json.dumps([below, above]) == before
    assert leaves(above).items() <= merged.items()
    assert {key: value for key, value in merged.items() if key not in leaves(above)}.items() <= leaves(below).items()
    whole = laid_over(below, above)
    assert all(whole[key] == below[key] for key in set(below) - set(above))
    assert laid_over(whole, above) == whole
    assert laid_over(below, {}) == below


def test_a_budget_lies_over_the_recipe_and_the_command_line_over_both(tmp_path: Path) -> None:
    path = written(tmp_path)
    assert load_study(path, ["output=o"]).base.pretrain["steps"] == 5
    of_budget = load_study(path, ["output=o", "budget=cpu"])
    assert (of_budget.seeds, of_budget.base.pretrain["steps"]) == ((7,), 50)
    assert of_budget.base.pretrain["optim"]["peak_rate"] == 1e-3
    said = load_study(path, ["output=o", "budget=cpu", "base.pretrain.steps=9"])
    assert (said.seeds, said.base.pretrain["steps"], said.budget) == ((7,), 9, "cpu")


def test_an_unknown_budget_names_those_that_there_are(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no budget 'gpu'; it has cpu"):
        load_study(written(tmp_path), ["output=o", "budget=gpu"])


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('outcomes = ["pos"]', "'pos' is not an outcome of this study"),
        ("only.size = ['1']", "'size' is not an axis"),
        ("only.steps = ['many']", "'many' is not steps of this study; there are few"),
        ('paper = [{source = "s", axis = "x", points = {a = 1.0}}]', "'x' is not an axis"),
        ('fits = [{axis = "steps", group = "some"}]', "'some' is not a group"),
        ("only.steps = []", "only.steps names no value"),
        (
            'axes.steps.values.none.number = 0\nfits = [{axis = "steps"}]',
            "steps none stands at 0, and curves are in log",
        ),
        ("seeds = [1, 1]", "a seed stands there twice"),
        ("question_ = 1", "did you mean 'question'"),
    ],
)
def test_names_that_nobody_knows_are_refused(line: str, said: str, tmp_path: Path) -> None:
    key = line.split(" = ", 1)[0]
    kept = "\n".join(old for old in RECIPE.splitlines() if not old.startswith(f"{key} "))
    with pytest.raises(ConfigError, match=said):
        load_study(written(tmp_path, f"{line}\n{kept}"), ["output=o"])


def test_a_file_that_is_no_recipe_is_one_line(tmp_path: Path) -> None:
    for budget in ([], ["budget=cpu"]):
        with pytest.raises(ConfigError, match="cannot be read"):
            load_study(tmp_path / "none.toml", budget)
        with pytest.raises(ConfigError, match="not valid TOML"):
            load_study(written(tmp_path, "a = "), budget)


def test_the_hundred_of_the_paper_have_a_name(tmp_path: Path) -> None:
    study = load_study(written(tmp_path), ["output=o", "base.languages=paper"])
    assert len(study.base.languages) == 100
    assert {"en", "my-Qaag", "ur-Latn", "zh-Hant"} <= {*study.base.languages}


def test_settings_are_data(tmp_path: Path) -> None:
    study = load_study(written(tmp_path), ["output=o", "budget=cpu"])
    assert StudySettings.model_validate(json.loads(study.model_dump_json())) == study
