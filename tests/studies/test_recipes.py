"""The studies that ship: each has its budgets, and every cell of every budget has settings that its stages take."""

from __future__ import annotations

from pathlib import Path

import pytest

from isogloss.studies import cells_of, load_study

ROOT = Path(__file__).resolve().parents[2] / "recipes" / "studies"
RECIPES = sorted(ROOT.glob("*.toml"))
# Cells of a cpu budget fit into an hour on two cores, one of them at a time on each.
MOST_TOKENS = 90_000_000


def test_the_studies_of_the_paper_are_there() -> None:
    wanted = "alpha capacity data-size language-embeddings languages low-resource multilingual tokenizer training"
    assert {path.stem for path in RECIPES} == {*wanted.split(), "translations", "vocabulary", "wikipedia-web"}


@pytest.mark.parametrize("budget", ["cpu", "gpu", "full", "smoke"])
@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_every_cell_has_settings(path: Path, budget: str) -> None:
    for data in ("phrasebook", "DATA"):
        study = load_study(path, [f"budget={budget}", "output=out", f"data={data}"])
        cells = cells_of(study)
        assert len(cells) >= 2
        assert {cell.seed for cell in cells} == set(study.seeds)


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_a_cpu_budget_is_small_enough(path: Path) -> None:
    cells = cells_of(load_study(path, ["budget=cpu", "output=out"]))
    tokens = 0
    for cell in cells:
        given = cell.settings.pretrain
        tokens += given["steps"] * given["batches"]["batch_size"] * given["batches"]["sequence_length"]
    assert tokens <= MOST_TOKENS, f"{tokens:,} tokens in {len(cells)} cells"


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_the_papers_points_name_their_source(path: Path) -> None:
    study = load_study(path, ["output=out"])
    for curve in study.paper:
        assert curve.source.startswith("XLM-R, ")
        assert all(40 < value < 90 for value in curve.points.values())
