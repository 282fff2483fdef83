"""Every recipe parses, builds its settings, and says at its head what it is and how it is run."""

from __future__ import annotations

from pathlib import Path

import pytest

from isogloss.config import Settings, load_recipe
from isogloss.corpus import CorpusSettings
from isogloss.evaluate import EvaluateSettings
from isogloss.finetune import FinetuneSettings
from isogloss.pretrain import PretrainSettings
from isogloss.shards import ShardSettings
from isogloss.vocab import VocabSettings

ROOT = Path(__file__).resolve().parents[2] / "recipes"
RECIPES = sorted(ROOT.rglob("*.toml"))

# What a recipe is for, by the first word of its name, and what it leaves to the command line.
KINDS: dict[str, tuple[type[Settings], list[str]]] = {
    "corpus": (CorpusSettings, ["input=text", "output=corpus"]),
    "vocab": (VocabSettings, ["corpus=corpus", "output=vocab"]),
    "shards": (ShardSettings, ["corpus=corpus", "vocabulary=vocab", "output=shards"]),
    "pretrain": (PretrainSettings, ["run=run", "shards=shards", "vocabulary=vocab"]),
    "finetune": (FinetuneSettings, ["run=run", "model=model", "data=data"]),
    "evaluate": (EvaluateSettings, ['models=["run"]', "data=data", "output=scores"]),
}


def test_there_are_recipes() -> None:
    assert {path.stem.split("-")[0] for path in RECIPES} <= set(KINDS)
    assert len(RECIPES) >= 6


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_recipe_builds(path: Path) -> None:
    kind, places = KINDS[path.stem.split("-")[0]]
    load_recipe(path, kind, places)


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_recipe_says_its_command(path: Path) -> None:
    head = [line for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("#")]
    assert len(head) >= 3, path
    assert any(f"recipes/{path.relative_to(ROOT).as_posix()}" in line for line in head), path
