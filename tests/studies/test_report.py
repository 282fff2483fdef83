"""The report of cells that are made up: lines have the names of their axes, settings other than zero-shot are said."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from isogloss.studies import StudySettings, cells_of
from isogloss.studies.outcomes import Result
from isogloss.studies.report import write_reports

Tiny = Callable[..., StudySettings]
BATCHES: dict[str, Any] = {
    "batch": {"values": {f"x{size}": {"set": {"pretrain": {"batches": {"batch_size": size}}}} for size in (4, 8)}}
}
NLI = {"task": "xnli", "test": "nli", "finetune": {"steps": 1}}
FITS = [{"axis": "steps", "outcome": "held_out", "curve": "power"}]


def report_of(study: StudySettings) -> str:
    """Bits are the steps over the batch; NLI is known of the first cell alone."""
    study.output.mkdir()
    results = []
    for number, cell in enumerate(cells_of(study)):
        given = cell.settings.pretrain
        bits = given["steps"] / given["batches"]["batch_size"]
        values = {"held_out": {"en": bits, "sw": bits}} | ({} if number else {"nli": {"en": 50.0, "sw": 40.0}})
        results.append(Result(cell, not number, "" if not number else "out of luck", values, (), tokens=7, seconds=6.0))
    return write_reports(study, results, command="isogloss study").with_suffix(".md").read_text(encoding="utf-8")


@pytest.fixture
def markdown(tiny: Tiny, tmp_path: Path) -> str:
    steps = {"values": {"4": {"number": 4, "set": {"pretrain": {"steps": 4}}}}}
    tasks = {"nli": NLI | {"finetune": {"setting": "translate-train-all"}}}
    return report_of(
        tiny(
            tmp_path / "out", axes={"steps": steps, **BATCHES}, fits=FITS, outcomes=["held_out", "nli"],
            base={"tasks": tasks},
        )
    )  # fmt: skip


def test_of_several_axes_each_value_is_named_by_its_own(markdown: str) -> None:
    assert "| language | steps 2, batch x4 | steps 2, batch x8 |" in markdown
    # Bits grow in proportion to the steps: 2^1 at twice as many.
    assert re.search(r"^\| batch x4 \| b \| 1 \| – \| 1 to 1 \| 1\.00 \|$", markdown, flags=re.MULTILINE)
    assert re.search(r"^\| 3 \| x8 \| 0\.375 \| 0\.375 \|$", markdown, flags=re.MULTILINE)


def test_what_is_missing_is_a_hole_and_not_a_number(markdown: str) -> None:
    assert "1 of 6 cells are done (1 seed of each combination); 42 tokens" in markdown
    assert markdown.count("out of luck") == 5
    assert re.search(r"^\| 2 \| x4 \| 40\.0 \| 45\.0 \|$", markdown, flags=re.MULTILINE)
    assert re.search(r"^\| 4 \| x8 \| – \| – \|$", markdown, flags=re.MULTILINE)


def test_labels_that_are_not_english_alone_are_said(tiny: Tiny, tmp_path: Path, markdown: str) -> None:
    assert "Setting: translate-train-all." in markdown
    zero_shot = report_of(tiny(tmp_path / "zero", axes=BATCHES, outcomes=["nli"], base={"tasks": {"nli": NLI}}))
    assert "Setting:" not in zero_shot
