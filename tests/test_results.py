"""Scores as the paper's tables: seeds together, the paper's order, published rows; and what counts as reproduced."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from isogloss.cli import app
from isogloss.cli.results import say_comparison, shape_name
from isogloss.errors import CheckpointError, ConfigError, DataError
from isogloss.published import MEAN, published_row
from isogloss.report import Table, to_latex, to_markdown
from isogloss.results import compare_with_published, comparison_blocks, lines_of, results_blocks
from isogloss.scores import Score, write_results

ROW = published_row("XLM-R base", task="xnli", metric="accuracy", setting="zero-shot")


def score(language: str, value: float, *, seed: int = 1, task: str = "xnli", setting: str = "zero-shot") -> Score:
    return Score(task, language, "test", "accuracy", value, 5010, "higher", seed, setting, "joint-dev", {})


def as_published(*, plus: float = 0.0) -> list[Score]:
    return [score(language, value + plus) for language, value in ROW.values.items() if language != MEAN]


def test_seeds_are_one_line_with_their_spread() -> None:
    ((_, lines),) = lines_of([score("en", 80.0), score("en", 84.0, seed=2), score("sw", 60.0)]).items()
    (line,) = lines
    assert (line.cells["en"].mean, line.cells["en"].deviation) == (82.0, pytest.approx(8**0.5))
    assert line.cells["sw"].deviation is None
    assert line.num_seeds == 2
    mean = line.mean(["en", "sw"])
    assert mean is not None
    assert mean.mean == 71.0
    assert line.mean(["en", "ur"]) is None


def test_scores_without_types_of_entities_are_a_line_of_their_own_and_said_beside_the_published() -> None:
    scores = as_published()
    dropped = [dataclasses.replace(one, value=one.value - 10, drop_types=("DATE",)) for one in scores]
    ((_, lines),) = lines_of([*scores, *dropped]).items()
    assert [(line.setting, line.shown_setting) for line in lines] == [
        ("zero-shot", "zero-shot"),
        ("zero-shot", "zero-shot, without DATE"),
    ]
    assert [line.num_seeds for line in lines] == [1, 1]
    assert "| zero-shot, without DATE |" in to_markdown(results_blocks(dropped))
    whole, without = compare_with_published([*scores, *dropped], "XLM-R base", tolerance=1.0)
    assert whole.reproduced
    assert not without.reproduced
    assert "found with setting = zero-shot, without DATE" in without.notes


def of_model(model: str, value: float, *, seed: int = 1, language: str = "en") -> Score:
    return dataclasses.replace(score(language, value, seed=seed), fingerprints={"model": model})


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
    assert f"| {tmp_path / 'one'} | zero-shot | joint-dev | 82.0 ± 2.8 |" in said
    assert f"| {tmp_path / 'two'} | zero-shot | joint-dev | 62.0 ± 2.8 |" in said


def test_models_of_different_languages_or_seeds_are_one_line() -> None:
    scores = [of_model("a", 80.0), of_model("b", 70.0, language="sw"), of_model("c", 60.0, seed=2)]
    ((_, lines),) = lines_of(scores, origins={"a": "x", "b": "y", "c": "z"}).items()
    assert [line.model for line in lines] == [""]


def test_columns_come_in_the_papers_order_and_a_missing_language_leaves_no_mean() -> None:
    blocks = results_blocks([score("ur", 50.0), score("en", 80.0), score("fr", 70.0)])
    table = next(block for block in blocks if isinstance(block, Table))
    assert table.head == ("model", "setting", "selection", "en", "fr", "ur", MEAN)
    rows = [list(row) for row in table.rows]
    assert rows[-1] == ["ours", "zero-shot", "joint-dev", "80.0", "70.0", "50.0", "66.7"]
    base = next(row for row in rows if row[:2] == ["XLM-R base", "zero-shot"])
    # The printed mean is over fifteen languages, these are three.
    assert base[3:] == ["85.8", "79.7", "68.3", "–"]


def test_without_published_rows_there_are_ours_alone() -> None:
    blocks = results_blocks(as_published(), published=False)
    table = next(block for block in blocks if isinstance(block, Table))
    assert len(table.rows) == 1


@pytest.mark.parametrize(("plus", "reproduced"), [(0.0, True), (0.9, True), (-0.9, True), (1.5, False), (-1.5, False)])
def test_a_row_is_reproduced_within_the_tolerance(plus: float, reproduced: bool) -> None:
    (compared,) = compare_with_published(as_published(plus=plus), "XLM-R base", tolerance=1.0)
    assert compared.reproduced is reproduced
    assert compared.differences["sw"] == pytest.approx(plus)
    assert compared.differences[MEAN] == pytest.approx(plus, abs=0.1)


def test_one_bad_language_is_enough_and_what_differs_in_protocol_is_said() -> None:
    scores = [dataclasses.replace(one, split="dev", selection="source-dev") for one in as_published()[:-1]]
    scores[3] = dataclasses.replace(scores[3], value=scores[3].value - 2)
    (compared,) = compare_with_published(scores, "XLM-R base", tolerance=1.0)
    assert not compared.reproduced
    assert MEAN not in compared.found
    told = to_markdown(comparison_blocks([compared]))
    for what in ("NOT reproduced", "of test files, these of dev", "selection = joint-dev", "Not scored: ur"):
        assert what in told


def test_scores_without_a_published_row_are_refused() -> None:
    with pytest.raises(ConfigError, match="tatoeba"):
        compare_with_published([score("sw", 50.0, task="tatoeba")], "XLM-R base", tolerance=1.0)
    with pytest.raises(ConfigError, match="says its setting"):
        compare_with_published([score("sw", 50.0, setting="majority")], "XLM-R base", tolerance=1.0)


def test_latex_escapes_and_lines_up() -> None:
    text = to_latex([Table(("a_b", "50 %"), [("x & y", "1.0 ± 0.1")])])
    assert "a\\_b & 50 \\% \\\\" in text
    assert "x \\& y & 1.0 $\\pm$ 0.1 \\\\" in text
    assert text.startswith("\\begin{tabular}{lr}")


def test_the_command_writes_each_form(tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    file.write_text(json.dumps([dataclasses.asdict(one) for one in as_published()]), encoding="utf-8")
    said = CliRunner().invoke(app, ["results", str(file), str(file)])
    assert said.exit_code == 0
    assert sum(line.startswith("| ours") for line in said.output.splitlines()) == 1
    assert "XLM-R large" in said.output
    for form, mark in (("latex", "\\toprule"), ("html", "<table")):
        output = tmp_path / f"table.{form}"
        assert CliRunner().invoke(app, ["results", str(file), "--format", form, "--output", str(output)]).exit_code == 0
        assert mark in output.read_text(encoding="utf-8")


@pytest.mark.parametrize(("layers", "width", "named"), [(12, 768, "XLM-R base"), (24, 1024, "XLM-R large")])
def test_the_row_is_known_by_the_models_shape(tmp_path: Path, layers: int, width: int, named: str) -> None:
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"num_hidden_layers": layers, "hidden_size": width}), encoding="utf-8")
    assert shape_name([tmp_path]) == named
    config.write_text(json.dumps({"num_hidden_layers": 2, "hidden_size": 8}), encoding="utf-8")
    with pytest.raises(ConfigError, match="2 layers, 8 wide"):
        shape_name([tmp_path])
    config.write_text("{}", encoding="utf-8")
    with pytest.raises(CheckpointError, match=r"config\.json"):
        shape_name([tmp_path])


def test_what_is_not_reproduced_is_an_error_after_the_comparison(capsys: pytest.CaptureFixture[str]) -> None:
    say_comparison(as_published(), "XLM-R base", 1.0)
    assert "base, xnli, accuracy, zero-shot: reproduced" in capsys.readouterr().err
    with pytest.raises(DataError, match="not reproduced within 1 points"):
        say_comparison(as_published(plus=-3.0), "XLM-R base", 1.0)
    assert "-3.0" in capsys.readouterr().err
