"""Scores as lines: seeds together with their spread, models of one seed apart, a model a language as one."""

from __future__ import annotations

import dataclasses
import statistics
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from isogloss.cli import app
from isogloss.results import Cell, lines_of, mean_of
from isogloss.scores import Score, write_results

PERCENT = st.floats(0, 100)


def score(language: str, value: float, *, seed: int = 1, task: str = "xnli", setting: str = "zero-shot") -> Score:
    return Score(task, language, "test", "accuracy", value, 5010, "higher", seed, setting, "joint-dev", {})


def of_model(model: str, value: float, *, seed: int = 1, language: str = "en") -> Score:
    return dataclasses.replace(score(language, value, seed=seed), fingerprints={"model": model})


def test_seeds_are_one_line_with_their_spread() -> None:
    ((_, lines),) = lines_of([score("en", 80.0), score("en", 84.0, seed=2), score("sw", 60.0)]).items()
    (line,) = lines
    assert (line.cells["en"].mean, line.cells["en"].deviation) == (82.0, pytest.approx(8**0.5))
    assert line.cells["sw"].deviation is None
    assert line.num_seeds == 2
    mean = line.mean(["en", "sw"])
    assert mean is not None
    assert (mean.mean, mean.deviation) == (71.0, None), "the seeds of one language are not those of the other"
    assert line.mean(["en", "ur"]) is None


@given(st.lists(st.tuples(PERCENT, PERCENT, PERCENT), min_size=1, max_size=5))
def test_a_mean_over_languages_spreads_as_the_means_of_the_seeds_do(values: list[tuple[float, float, float]]) -> None:
    cells = [Cell(dict(enumerate(of_language))) for of_language in values]
    by_seed = [statistics.fmean(of_seed) for of_seed in zip(*values, strict=True)]
    found = mean_of(cells)
    assert found.mean == pytest.approx(statistics.fmean(by_seed))
    assert found.deviation == pytest.approx(statistics.stdev(by_seed), abs=1e-9)


def test_scores_without_types_of_entities_are_a_line_of_their_own() -> None:
    scores = [score("en", 80.0), score("sw", 60.0)]
    dropped = [dataclasses.replace(one, value=one.value - 10, drop_types=("DATE",)) for one in scores]
    ((_, lines),) = lines_of([*scores, *dropped]).items()
    assert [(line.setting, line.shown_setting) for line in lines] == [
        ("zero-shot", "zero-shot"),
        ("zero-shot", "zero-shot, without DATE"),
    ]
    assert [line.num_seeds for line in lines] == [1, 1]


def test_models_with_one_seed_are_no_seeds_of_one_training(tmp_path: Path) -> None:
    ((_, lines),) = lines_of(
        [of_model("a" * 16, 80.0), of_model("b" * 16, 70.0), of_model("b" * 16, 60.0, seed=2)]
    ).items()
    assert [(line.model, line.num_seeds, line.cells["en"].mean) for line in lines] == [
        ("aaaaaaaa", 1, 80.0),
        ("bbbbbbbb", 2, 65.0),
    ]
    files = [tmp_path / name / "results.json" for name in ("one", "two")]
    for file, values in zip(files, ({"a": 80.0, "b": 84.0}, {"c": 60.0, "d": 64.0}), strict=True):
        file.parent.mkdir()
        write_results(file, [of_model(model, value, seed=seed) for seed, (model, value) in enumerate(values.items())])
    said = CliRunner().invoke(app, ["results", *map(str, files), "--no-published"]).stdout
    assert f"| {tmp_path / 'one'} | 1 | joint-dev | 82.0 ± 2.8 |" in said
    assert f"| {tmp_path / 'two'} | 1 | joint-dev | 62.0 ± 2.8 |" in said


def test_models_of_different_languages_or_seeds_are_one_line() -> None:
    scores = [of_model("a", 80.0), of_model("b", 70.0, language="sw"), of_model("c", 60.0, seed=2)]
    ((_, lines),) = lines_of(scores, origins={"a": "x", "b": "y", "c": "z"}).items()
    assert [(line.model, line.num_models, line.origins) for line in lines] == [("", 2, ("x", "y", "z"))]


def test_models_that_were_trained_otherwise_are_no_seeds_of_one_training() -> None:
    """Full fine-tuning and LoRA, say, one seed each."""
    scores = [
        dataclasses.replace(of_model(model, value, seed=seed), fingerprints={"model": model, "training": training})
        for model, value, seed, training in (
            ("a" * 16, 80.0, 1, "x"),
            ("b" * 16, 60.0, 2, "y"),
            ("c" * 16, 82.0, 3, "x"),
        )
    ]
    alike = [scores[0], scores[2]]
    ((_, lines),) = lines_of(alike).items()
    assert [(line.num_seeds, line.cells["en"].mean) for line in lines] == [(2, 81.0)]
    ((_, lines),) = lines_of(scores).items()
    assert [line.cells["en"].mean for line in lines] == [80.0, 60.0, 82.0]
    origins = {"a" * 16: "full", "b" * 16: "lora", "c" * 16: "full"}
    ((_, lines),) = lines_of(scores, origins=origins).items()
    assert [(line.model, line.cells["en"].mean) for line in lines] == [("full", 81.0), ("lora", 60.0)]
