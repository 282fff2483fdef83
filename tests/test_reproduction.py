"""Whether a published row is reproduced: within the tolerance, whole, by what was asked of the same files."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from isogloss.cli import app
from isogloss.cli.results import say_comparison, shape_name
from isogloss.errors import CheckpointError, ConfigError, DataError
from isogloss.published import MEAN, PublishedRow, all_rows, published_row
from isogloss.report import to_markdown
from isogloss.reproduction import compare_with_published, comparison_blocks, decisive
from isogloss.scores import Score

ROW = published_row("XLM-R base", task="xnli", metric="accuracy", setting="zero-shot")
WHOLE = [row for row in all_rows() if len(row.values) > 1]


def as_published(row: PublishedRow = ROW, *, plus: float = 0.0, **changes: object) -> list[Score]:
    scores = [
        Score(row.task, code, row.split, row.metric, value + plus, 5010, "higher", 1, row.setting, row.selection, {})
        for code, value in row.values.items()
        if code != MEAN
    ]
    return [dataclasses.replace(one, **changes) for one in scores]  # type: ignore[arg-type]


@pytest.mark.parametrize("row", WHOLE, ids=lambda row: f"{row.table} {row.task} {row.metric} {row.model} {row.setting}")
def test_every_row_is_reproduced_by_its_own_figures(row: PublishedRow) -> None:
    (compared,) = compare_with_published(as_published(row), row.model, tolerance=0.1)
    assert compared.row == row
    assert compared.reproduced
    assert compared.same_selection


@pytest.mark.parametrize(("plus", "reproduced"), [(0.0, True), (0.9, True), (-0.9, True), (1.5, False), (-1.5, False)])
def test_a_row_is_reproduced_within_the_tolerance(plus: float, reproduced: bool) -> None:
    (compared,) = compare_with_published(as_published(plus=plus), "XLM-R base", tolerance=1.0)
    assert compared.reproduced is reproduced
    assert compared.differences["sw"] == pytest.approx(plus)
    assert compared.differences[MEAN] == pytest.approx(plus, abs=0.1)


def test_one_bad_language_is_enough() -> None:
    scores = as_published()
    scores[3] = dataclasses.replace(scores[3], value=scores[3].value - 2)
    (compared,) = compare_with_published(scores, "XLM-R base", tolerance=1.0)
    assert (compared.reproduced, compared.verdict) == (False, "NOT reproduced")


@pytest.mark.parametrize(
    ("changes", "kept", "gap"),
    [
        ({}, 14, "not scored: ur"),
        ({"split": "dev"}, 15, "of test files, these of dev; set split=test"),
        ({"drop_types": ("DATE",)}, 15, "found with setting = zero-shot, without DATE"),
        ({"architecture": "BiLSTM-CRF"}, 15, "found by BiLSTM-CRF"),
    ],
)
def test_a_part_of_a_row_is_not_the_row(changes: dict[str, object], kept: int, gap: str) -> None:
    (compared,) = compare_with_published(as_published(**changes)[:kept], "XLM-R base", tolerance=1.0)
    assert (compared.is_within, compared.reproduced) == (True, False)
    assert any(gap in said for said in compared.gaps)
    assert (MEAN in compared.found) is (kept == 15)
    assert "within the tolerance, but NOT the whole row" in to_markdown(comparison_blocks([compared]))
    with pytest.raises(DataError, match=gap):
        say_comparison(as_published(**changes)[:kept], "XLM-R base", 1.0)


def test_a_mean_that_is_printed_alone_is_over_its_own_languages() -> None:
    row = published_row("XLM-R XL", task="mlqa", metric="f1", setting="zero-shot")
    scores = [
        Score("mlqa", code, "test", "f1", row.values[MEAN], 500, "higher", 1, "zero-shot", "joint-dev", {})
        for code in ("ar", "de", "en", "es", "hi", "vi", "zh")
    ]
    other = dataclasses.replace(scores[0], language="context-de-question-en", value=20.0)
    (compared,) = compare_with_published([*scores, other], row.model, tolerance=0.1)
    assert compared.reproduced
    (part,) = compare_with_published(scores[2:3], row.model, tolerance=0.1)
    assert (part.found, part.verdict, part.reproduced) == ({}, "NOT compared", False)
    # Whose forty languages XTREME's mean is over, nobody tells.
    panx = [dataclasses.replace(one, task="panx", value=65.4) for one in scores]
    (unknown,) = compare_with_published(panx, "XLM-R large", tolerance=1.0)
    assert unknown.verdict == "NOT compared"


def test_the_row_of_the_same_selection_is_compared_with() -> None:
    rows = {
        row.selection: row
        for row in all_rows()
        if (row.model, row.task, row.setting) == ("XLM-100", "xnli", "zero-shot")
    }
    for selection in ("joint-dev", "per-language-dev"):
        (compared,) = compare_with_published(as_published(rows[selection]), "XLM-100", tolerance=0.1)
        assert compared.row is rows[selection]
        assert MEAN not in compared.found, "the paper exchanged the two means"
    (other,) = compare_with_published(as_published(selection="last"), "XLM-R base", tolerance=1.0)
    assert "published with selection = joint-dev, found with last" in other.notes


def test_of_several_selections_the_published_one_decides() -> None:
    scores = [*as_published(), *as_published(plus=-5, selection="last")]
    compared = compare_with_published(scores, "XLM-R base", tolerance=1.0)
    assert [one.reproduced for one in compared] == [True, False]
    assert [one.selection for one in decisive(compared)] == ["joint-dev"]
    say_comparison(scores, "XLM-R base", 1.0)
    with pytest.raises(DataError, match="differs by -5"):
        say_comparison(scores[15:], "XLM-R base", 1.0)


def test_a_model_a_language_is_chosen_by_the_dev_file_of_its_own() -> None:
    row = published_row("XLM-R large", task="conll", metric="f1", setting="each")
    scores = [
        dataclasses.replace(one, selection="source-dev", fingerprints={"model": one.language})
        for one in as_published(row)
    ]
    (compared,) = compare_with_published(scores, "XLM-R large", tolerance=0.1)
    assert compared.reproduced
    assert compared.same_selection


def test_in_english_alone_zero_shot_is_each() -> None:
    row = published_row("XLM-R large", task="qnli", metric="accuracy", setting="each")
    (compared,) = compare_with_published(as_published(row, setting="zero-shot"), "XLM-R large", tolerance=0.1)
    assert compared.row is row
    assert compared.reproduced


def test_a_line_without_a_common_language_does_not_keep_the_others_from_being_compared() -> None:
    other = dataclasses.replace(as_published()[0], language="ja", fingerprints={"model": "b"}, selection="last")
    first, second = compare_with_published([*as_published(), other], "XLM-R base", tolerance=1.0)
    assert (first.verdict, second.verdict) == ("reproduced", "NOT compared")


def test_scores_without_a_published_row_are_refused() -> None:
    with pytest.raises(ConfigError, match="tatoeba"):
        compare_with_published(as_published(task="tatoeba"), "XLM-R base", tolerance=1.0)
    with pytest.raises(ConfigError, match="says its setting"):
        compare_with_published(as_published(setting="majority"), "XLM-R base", tolerance=1.0)


def test_what_is_not_reproduced_is_an_error_after_the_comparison(capsys: pytest.CaptureFixture[str]) -> None:
    say_comparison(as_published(), "XLM-R base", 1.0)
    assert "base, xnli, accuracy, zero-shot: reproduced" in capsys.readouterr().err
    with pytest.raises(DataError, match="not reproduced within 1 points"):
        say_comparison(as_published(plus=-3.0), "XLM-R base", 1.0)
    assert "-3.0" in capsys.readouterr().err


def config_of(folder: Path, kind: str, layers: int, width: int, vocabulary_size: int) -> Path:
    folder.mkdir(exist_ok=True)
    names = ("model_type", "num_hidden_layers", "hidden_size", "vocab_size")
    values = dict(zip(names, (kind, layers, width, vocabulary_size), strict=True))
    (folder / "config.json").write_text(json.dumps(values), encoding="utf-8")
    return folder


def test_the_row_is_known_by_the_models_kind_and_shape(tmp_path: Path) -> None:
    base = config_of(tmp_path / "base", "xlm-roberta", 12, 768, 250_002)
    large = config_of(tmp_path / "large", "xlm-roberta", 24, 1024, 250_002)
    assert [shape_name([folder]) for folder in (base, large)] == ["XLM-R base", "XLM-R large"]
    assert shape_name([config_of(tmp_path / "v", "xlm-roberta", 12, 768, 901_629)]) == "XLM-V base"
    assert shape_name([config_of(tmp_path / "xl", "xlm-roberta-xl", 36, 2560, 250_880)]) == "XLM-R XL"
    for kind, layers, width in (("xlm-roberta", 2, 8), ("bert", 12, 768), ("deberta-v2", 12, 768)):
        with pytest.raises(ConfigError, match=f"{kind} of {layers} layers, {width} wide; name the row"):
            shape_name([config_of(tmp_path / "other", kind, layers, width, 250_002)])
    with pytest.raises(ConfigError, match="compare them apart"):
        shape_name([base, large])
    (base / "config.json").write_text("{}", encoding="utf-8")
    with pytest.raises(CheckpointError, match=r"config\.json"):
        shape_name([base])


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--tolerance", "2"], "add --expect published"),
        (["--published-model", "XLM-R base"], "add --expect published"),
        (["--expect", "published", "--published-model", "XLM-R bas"], "there are XLM-R base"),
        (["--expect", "other"], "'published' is all there is"),
    ],
)
def test_what_cannot_be_compared_is_said_before_an_hour_of_scoring(
    tmp_path: Path, options: list[str], says: str
) -> None:
    given = ['models=["nowhere"]', "task=xnli", f"data={tmp_path}", f"output={tmp_path}/r.json"]
    done = CliRunner().invoke(app, ["evaluate", *given, *options])
    assert done.exit_code == 2 or isinstance(done.exception, ConfigError)
    assert says in (str(done.exception) + done.output)
