"""The studies that ship: each has its budgets, and every cell of every budget has settings that its stages take."""

from __future__ import annotations

from pathlib import Path

import pytest

from isogloss.studies import cells_of, load_study
from isogloss.studies.grid import pretraining

ROOT = Path(__file__).resolve().parents[2] / "recipes" / "studies"
RECIPES = sorted(ROOT.glob("*.toml"))
# What two cores without bf16 do in 40 minutes, where a model of these sizes reaches 45e9 operations a second on a core;
# the rest of the hour is for vocabularies, fine-tuning and scoring.
MOST_OPERATIONS = 2 * 45e9 * 40 * 60
NOWHERE = Path("-")
# As printed in the paper's figures 2 to 7 and table 5, and in XLM-R's table 1 of XLM.
PRINTED: dict[str, list[dict[str, float]]] = {
    "alpha": [
        {"0.01": 58.5, "0.3": 57.2, "0.7": 52.0, "1.0": 49.3},
        {"0.01": 72.9, "0.3": 74.4, "0.7": 75.8, "1.0": 75.8},
        {"0.01": 65.7, "0.3": 66.1, "0.7": 65.6, "1.0": 64.6},
    ],
    "capacity": [{"7": 72.9, "30": 71.9, "100": 67.6}, {"30": 72.5, "100": 69.8}],
    "data-size": [],
    "language-embeddings": [],
    "languages": [
        {"7": 62.8, "15": 65.5, "30": 63.8, "60": 60.8, "100": 57.8},
        {"7": 80.1, "15": 79.4, "30": 78.6, "60": 77.5, "100": 74.8},
        {"7": 72.7, "15": 72.8, "30": 71.9, "60": 69.8, "100": 67.6},
    ],
    "low-resource": [{"Wikipedia": 60.1, "CommonCrawl": 70.8}, {"Wikipedia": 57.3, "CommonCrawl": 65.1}],
    "multilingual": [
        {"a model a language": 73.4, "seven, zero-shot": 71.8, "seven, translate-train-all": 76.3},
        {"a model a language": 77.5, "seven, zero-shot": 76.2, "seven, translate-train-all": 80.0},
    ],
    "tokenizer": [{"BPE, cut before": 64.0, "unigram, raw text": 63.9}],
    "training": [{"x1": 64.8, "x2": 65.6, "x4": 67.0}],
    "translations": [{"MLM": 71.3, "MLM+TLM": 75.1}],
    "vocabulary": [
        {"32k": 61.9, "64k": 62.5, "128k": 63.6, "256k": 64.7, "512k": 63.3},
        {"128k": 63.6, "256k": 66.6, "512k": 67.7},
    ],
    "wikipedia-web": [{"wiki": 62.8, "web": 69.1}, {"wiki": 80.1, "web": 82.2}, {"wiki": 72.7, "web": 76.2}],
}


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
    operations = 0.0
    for cell in cells_of(load_study(path, ["budget=cpu", "output=out"])):
        run = pretraining(cell, run=NOWHERE, shards=NOWHERE, vocabulary=NOWHERE, device="cpu")
        model, batches = run.model, run.batches
        layers = model.num_layers * (4 * model.width**2 + 2 * model.width * model.feedforward)
        pieces = batches.mask_rate * cell.settings.vocab["size"] * model.width
        assert isinstance(run.steps, int)
        operations += run.steps * batches.batch_size * batches.sequence_length * 6 * (layers + pieces)
    assert operations <= MOST_OPERATIONS, f"{40 * operations / MOST_OPERATIONS:.0f} minutes of pretraining"


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_the_papers_points_are_as_printed(path: Path) -> None:
    study = load_study(path, ["output=out"])
    assert [curve.points for curve in study.paper] == PRINTED[path.stem]
    assert all(curve.source.startswith("XLM-R, ") for curve in study.paper)


@pytest.mark.parametrize("name", ["alpha", "vocabulary", "training", "tokenizer"])
def test_studies_of_the_papers_hundred_languages_have_them_at_full(name: str) -> None:
    for cell in cells_of(load_study(ROOT / f"{name}.toml", ["budget=full", "output=out"])):
        assert len(cell.settings.languages) == 100


@pytest.mark.parametrize("budget", ["gpu", "full"])
@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_no_score_is_of_the_file_that_chose_the_checkpoint(path: Path, budget: str) -> None:
    for cell in cells_of(load_study(path, [f"budget={budget}", "output=out", "data=DATA"])):
        for task in cell.settings.tasks.values():
            assert task.split == "test" or task.finetune.get("selection") == "last" or task.test != task.train
