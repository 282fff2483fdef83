"""Scores: the table is as wide as it may be and loses no number, results read back, other files are refused."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from typer.testing import CliRunner

from isogloss.cli import app
from isogloss.errors import DataError, FolderError
from isogloss.scores import Score, join_results, made_schema, read_results, shipped_schema, table, write_results


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


def test_scores_without_types_of_entities_are_no_seeds_of_those_with_them() -> None:
    with_dates = score("zero-shot", "sw", 40.0, model="a")
    without = dataclasses.replace(with_dates, value=60.0, drop_types=("DATE",))
    assert rows(table([with_dates, without]))[1:] == [
        ["zero-shot", "40.0", "40.0"],
        ["zero-shot, without DATE", "60.0", "60.0"],
    ]


def test_seeds_of_different_trainings_or_selections_are_lines_of_their_own() -> None:
    first = score("zero-shot", "sw", 40.0, model="a")
    second = score("zero-shot", "sw", 60.0, 2, model="b")
    trained = [
        dataclasses.replace(one, fingerprints={**one.fingerprints, "training": training})
        for one, training in ((first, "x"), (second, "y"))
    ]
    assert len(rows(table([first, second]))) == 2
    for apart in (trained, [first, dataclasses.replace(second, selection="joint-dev")]):
        assert [row[1] for row in rows(table(apart))[1:]] == ["40.0", "60.0"]


SCORES = [
    score("zero-shot", "sw", 40.25, model="a"),
    score("zero-shot", "en", -3.0, seed=None),
    dataclasses.replace(score("each", "en", 100.0), drop_types=("DATE",), restarts=2),
]


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    write_results(path, SCORES)
    assert read_results(path) == SCORES
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert read_results(path) == SCORES


def test_files_of_earlier_versions_are_read(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    for missing in (("architecture",), ("architecture", "drop_types"), ("architecture", "drop_types", "restarts")):
        old = [{key: value for key, value in dataclasses.asdict(SCORES[0]).items() if key not in missing}]
        path.write_text(json.dumps(old))
        assert read_results(path) == SCORES[:1]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"value": 140}, r"value = 140: should be less than or equal to 100; value is percent"),
        ({"value": "76.2"}, r'value = "76\.2": should be a valid number'),
        ({"value": float("nan")}, r"value = NaN: should be a finite number"),
        ({"value": True}, r"value = true: should be a valid number"),
        ({"n": 0}, r"n = 0: should be greater than or equal to 1; n is examples scored"),
        ({"n": 10.5}, r"n = 10\.5: should be a valid integer"),
        ({"direction": "up"}, r"""direction = "up": should be 'higher' or 'lower'"""),
        ({"seed": -1}, r"seed = -1: should be greater than or equal to 0"),
        ({"task": ""}, r'task = "": should have at least 1 character'),
        ({"language": None}, r"language = null: should be a valid string"),
        ({"fingerprints": {"model": 3}}, r"fingerprints\.model = 3: should be a valid string"),
        ({"fingerprints": []}, r"fingerprints = \[\]: should be a valid dictionary"),
        ({"drop_types": "DATE"}, r'drop_types = "DATE": should be a valid tuple'),
        ({"restarts": -1}, r"restarts = -1"),
        ({"valeu": 1}, r"unknown field 'valeu'; did you mean 'value'\?"),
        ({"zzz": 1}, r"unknown field 'zzz'; known: task, language"),
    ],
)
def test_a_wrong_value_is_named_with_line_field_and_what_should_stand_there(
    tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    path = tmp_path / "results.json"
    write_results(path, SCORES)
    rows = json.loads(path.read_text())
    rows[1] |= changes
    path.write_text(json.dumps(rows, indent=2))
    line = path.read_text().splitlines()[1:].index("  {", 1) + 2  # where the second begins
    with pytest.raises(FolderError, match=rf"results\.json:{line}: {said}"):
        read_results(path)
    with pytest.raises(ValidationError):
        Score(**(dataclasses.asdict(SCORES[1]) | changes))


def test_a_missing_field_is_named_with_its_meaning(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    for name in dataclasses.asdict(SCORES[0]):
        row = dataclasses.asdict(SCORES[0])
        del row[name]
        path.write_text(json.dumps([row]))
        if name in ("restarts", "drop_types", "architecture"):
            read_results(path)
            continue
        with pytest.raises(FolderError, match=rf"results\.json:1: no '{name}' \(.+\); it has "):
            read_results(path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"{}", "a list of scores, this is an object"),
        (b'"scores"', "a list of scores, this is a text"),
        (b"[1]", "results.json:1: a score is an object, this is a number"),
        (b"[\n\n[]]", "results.json:3: a score is an object, this is a list"),
        (b'[{"task": "pos"}]', "results.json:1: no 'language'"),
        (b"[{}]", "results.json:1: no 'task' .* it has nothing"),
        (b"", "results.json:1: not valid JSON: Expecting value; was the file cut off"),
        (b'[\n{"task": "pos",\n', "results.json:3: not valid JSON: .*; was the file cut off"),
        (b'[{"task": "a", "task": "b"}]', "'task' stands twice in one object"),
        (b"\xff\xfe[]", "byte 0 is not UTF-8"),
        (b"[" * 100_000, "not valid JSON"),
        (b"[" + b"1" * 5000 + b"]", "not valid JSON"),
    ],
)
def test_damaged_files_are_one_line(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "results.json"
    path.write_bytes(content)
    with pytest.raises(FolderError, match=said) as caught:
        read_results(path)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400 + len(str(path))


def test_files_that_are_none_are_named(tmp_path: Path) -> None:
    for path in (tmp_path / "nowhere.json", tmp_path):
        with pytest.raises(FolderError, match=rf"{path} cannot be read: .*; 'isogloss evaluate' writes"):
            read_results(path)


def test_one_score_twice_is_noticed_in_a_file_and_two_values_across_files(tmp_path: Path) -> None:
    one, two = tmp_path / "one.json", tmp_path / "two.json"
    write_results(one, SCORES)
    two.write_text(json.dumps([dataclasses.asdict(SCORES[0])] * 2, indent=2))
    with pytest.raises(FolderError, match=r"two\.json:20: a second score of ner, sw, .* the first is in line 2"):
        read_results(two)
    write_results(two, [SCORES[0], dataclasses.replace(SCORES[0], seed=2)])
    assert join_results([one, two, one]) == [*SCORES, dataclasses.replace(SCORES[0], seed=2)]
    write_results(two, [dataclasses.replace(SCORES[0], value=41.0, fingerprints={"model": "a", "data": "d"})])
    with pytest.raises(
        FolderError, match=r"two\.json has 41\.00 \(10 examples, of other data\) for ner, sw, .*one\.json"
    ):
        join_results([one, two])
    with pytest.raises(AssertionError):
        write_results(two, [SCORES[0], SCORES[0]])


def test_the_shipped_schema_is_the_one_that_scores_make() -> None:
    """After a change to `Score`: write `made_schema()` to the file, and count `VERSION` up if earlier files differ."""
    assert json.loads(shipped_schema()) == made_schema()
    of_score = made_schema()["$defs"]["Score"]
    names = [field.name for field in dataclasses.fields(Score)]
    assert list(of_score["properties"]) == names
    assert all(of_score["properties"][name]["description"] for name in names)
    assert set(names) - set(of_score["required"]) == {"restarts", "drop_types", "architecture"}
    assert of_score["additionalProperties"] is False


def test_the_command_prints_the_schema_and_names_what_is_no_results(tmp_path: Path) -> None:
    said = CliRunner().invoke(app, ["results", "--schema"])
    assert said.exit_code == 0
    assert json.loads(said.stdout) == made_schema()
    (tmp_path / "r.json").write_text("[{}]")
    done = CliRunner().invoke(app, ["results", str(tmp_path / "r.json")])
    assert isinstance(done.exception, FolderError)
    write_results(tmp_path / "r.json", [])
    done = CliRunner().invoke(app, ["results", str(tmp_path / "r.json")])
    assert isinstance(done.exception, DataError)
    assert "test files without labels have predictions only" in str(done.exception)
