"""Scores: the table is as wide as it may be and loses no number, results read back, other files are refused."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from isogloss.errors import FolderError
from isogloss.scores import Score, read_results, table


def score(setting: str, language: str, value: float, seed: int | None = 1, *, model: str = "") -> Score:
    fingerprints = {"model": model} if model else {}
    return Score("ner", language, "dev", "f1", value, 10, "higher", seed, setting, "last", fingerprints)


def rows(text: str) -> list[list[str]]:
    """The cells of a table's lines, headings first."""
    lines = [re.split("[│┃]", line)[1:-1] for line in text.split("\n") if line[:1] in ("│", "┃")]
    return [[cell.strip() for cell in line] for line in lines]


def test_the_table_has_a_line_a_setting_with_means_over_seeds_and_languages() -> None:
    scores = [
        score("majority", "en", 0.0, None),
        score("majority", "sw", 0.0, None),
        score("zero-shot", "en", 80.0),
        score("zero-shot", "en", 90.0, seed=2),
        score("zero-shot", "sw", 40.0),
        score("zero-shot", "sw", 50.0, seed=2),
    ]
    text = table(scores)
    assert rows(text) == [
        ["setting", "en", "sw", "mean", "others"],
        ["majority", "0.0", "0.0", "0.0", "0.0"],
        ["zero-shot", "85.0", "45.0", "65.0", "45.0"],
    ]
    assert "ner, f1, dev" in text
    assert "others" not in table(scores, source_languages=("en", "sw"))


@pytest.mark.parametrize("width", [60, 80, 100])
@pytest.mark.parametrize(("num_languages", "num_models"), [(2, 2), (5, 2), (29, 1), (29, 2), (29, 12), (100, 3)])
def test_no_line_is_wider_than_the_terminal_and_no_number_is_lost(
    num_languages: int, num_models: int, width: int
) -> None:
    languages = ["en", "context-zh-question-en", *(f"{chr(97 + n // 26)}{chr(97 + n % 26)}x" for n in range(98))]
    scores = [
        score(f"zero-shot, random weights {model}", language, 0.1 * (model * num_languages + place))
        for model in range(num_models)
        for place, language in enumerate(languages[:num_languages])
    ]
    text = table(scores, width=width)
    assert max(map(len, text.split("\n"))) <= width
    shown = re.findall(r"\d+\.\d", text)
    assert {f"{score.value:.1f}" for score in scores} <= set(shown)
    assert len(shown) == len(scores) + 2 * num_models, "each number once, and two means a model"
    assert "…" not in text


def test_few_languages_stand_above_columns_and_many_beside_lines() -> None:
    def shown(num_languages: int) -> list[list[str]]:
        codes = ["en", *(f"a{chr(97 + n)}" for n in range(num_languages - 1))]
        return rows(table([score(setting, code, 50.0) for setting in ("one", "two") for code in codes], width=80))

    assert shown(2) == [
        ["setting", "en", "aa", "mean", "others"],
        ["one", "50.0", "50.0", "50.0", "50.0"],
        ["two", "50.0", "50.0", "50.0", "50.0"],
    ]
    many = shown(20)
    assert many[:2] == [["language", "one", "two"], ["en", "50.0", "50.0"]]
    assert [line[0] for line in many[-2:]] == ["mean", "others"]


def test_models_of_one_setting_and_seed_are_not_averaged() -> None:
    scores = [score("zero-shot", "sw", value, model=model) for model, value in (("aaaaaaaaaa", 40.0), ("bb", 60.0))]
    assert rows(table(scores, names={"bb": "mine"}))[1:] == [
        ["zero-shot, aaaaaaaa", "40.0", "40.0"],
        ["zero-shot, mine", "60.0", "60.0"],
    ]
    seeds = [score("zero-shot", "sw", value, seed=seed, model=str(seed)) for seed, value in ((1, 40.0), (2, 60.0))]
    assert rows(table(seeds))[1:] == [["zero-shot", "50.0", "50.0"]]
    foreign = [score("", "sw", 40.0, seed=None, model="aa")]
    assert rows(table(foreign, names={"aa": "xlmr"}))[1:] == [["xlmr", "40.0", "40.0"]]


def test_a_language_without_a_score_has_a_gap_and_so_has_the_mean() -> None:
    assert rows(table([score("one", "en", 1.0), score("two", "sw", 2.0)]))[1:] == [
        ["one", "1.0", "–", "–", "–"],
        ["two", "–", "2.0", "–", "2.0"],
    ]


def test_results_of_another_form_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    for content in ("{}", '[{"task": "pos"}]', "[", "[1]"):
        path.write_text(content)
        with pytest.raises(FolderError, match=r"results\.json"):
            read_results(path)
    with pytest.raises(FolderError, match="cannot be read"):
        read_results(tmp_path / "nowhere.json")
