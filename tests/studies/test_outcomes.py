"""Points of a study: each language from the cell that has it, seeds that are whole, languages that all points have."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from isogloss.studies import StudySettings, cells_of
from isogloss.studies.cell import cell_folder
from isogloss.studies.outcomes import Point, Result, group_languages, points_of, read_result

Tiny = Callable[..., StudySettings]
ALONE: dict[str, Any] = {
    "model": {
        "values": {
            "en alone": {"together": "alone", "set": {"languages": ["en"]}},
            "sw alone": {"together": "alone", "set": {"languages": ["sw"]}},
            "both": {},
        }
    }
}


@pytest.fixture
def study(tiny: Tiny, tmp_path: Path) -> StudySettings:
    axes = tiny(tmp_path).model_dump(mode="json")["axes"]
    assert list(axes) == ["steps"]
    made = tiny(tmp_path, axes=ALONE, only={"steps": ["2"]}, seeds=[1, 2])
    return made.model_copy(update={"axes": {"model": made.axes["model"]}, "only": {}})


def results_of(study: StudySettings, values: Mapping[tuple[str, int], Mapping[str, float]]) -> list[Result]:
    """Of each cell what it has come to; one that is not named has failed."""
    found = []
    for cell in cells_of(study):
        own = values.get((cell.labels[0][1], cell.seed))
        of_cell = {} if own is None else {"held_out.same": own}
        found.append(Result(cell, own is not None, "", of_cell, (), tokens=0, seconds=0.0))
    return found


def test_cells_that_stand_together_bring_the_languages_that_they_have(study: StudySettings) -> None:
    """Each was asked in both languages; that of the other cell is not what it stands for."""
    alone = {(f"{code} alone", seed): {"en": 10.0, "sw": 10.0, code: 1.0} for code in ("en", "sw") for seed in (1, 2)}
    both = {("both", seed): {"en": 2.0, "sw": 4.0} for seed in (1, 2)}
    results = results_of(study, alone | both)
    assert points_of(study, results, "held_out.same", "all") == [
        Point(("alone",), (1.0, 1.0)),
        Point(("both",), (3.0, 3.0)),
    ]


def test_a_seed_of_which_a_cell_is_missing_is_no_point(study: StudySettings) -> None:
    alone = {("en alone", seed): {"en": 1.0} for seed in (1, 2)} | {("sw alone", 2): {"sw": 3.0}}
    results = results_of(study, alone | {("both", 1): {"en": 2.0, "sw": 4.0}})
    assert points_of(study, results, "held_out.same", "all") == [Point(("alone",), (2.0,)), Point(("both",), (3.0,))]


def test_bits_are_of_languages_that_a_cell_has_text_of(study: StudySettings) -> None:
    cell = cells_of(study)[0]
    assert cell.settings.languages == ("en",)
    scored = cell_folder(study, cell) / "held-out" / "held_out.json"
    scored.parent.mkdir(parents=True)
    scored.write_text(json.dumps({code: {"bits_per_character": 2.0} for code in ("en", "sw")}))
    assert read_result(study, cell, {}).values["held_out"] == {"en": 2.0}


def test_a_language_that_one_point_lacks_is_in_no_mean(study: StudySettings) -> None:
    alone = {(f"{code} alone", seed): {code: 1.0} for code in ("en", "sw") for seed in (1, 2)}
    results = results_of(study, alone | {("both", 1): {"en": 2.0, "sw": 4.0}, ("both", 2): {"en": 6.0}})
    assert group_languages(study, results, "held_out.same", "all") == ["en"]
    (_, both) = points_of(study, results, "held_out.same", "all")
    assert both == Point(("both",), (2.0, 6.0))
    assert both.deviation == pytest.approx(8**0.5)
    assert group_languages(study, results, "held_out.same", "low") == []
    assert points_of(study, results, "held_out.same", "low") == []
