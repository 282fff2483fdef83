"""Every recipe parses, builds its settings, and says at its head what it is and how it is run."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from isogloss.config import Duration, Settings, load_recipe, parse_override
from isogloss.corpus import CorpusSettings
from isogloss.evaluate import EvaluateSettings
from isogloss.finetune import FinetuneSettings
from isogloss.languages import canonical_code
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


def as_said(built: Any, said: Any) -> bool:
    """Is a setting what the recipe writes? Durations and paths are written as strings, tuples as lists."""
    if isinstance(built, Settings):
        return all(as_said(getattr(built, key), value) for key, value in said.items())
    if isinstance(built, Duration | Path):
        return built == type(built)(said)
    if isinstance(said, list):
        return len(built) == len(said) and all(map(as_said, built, said))
    return bool(built == said)


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_recipe_builds(path: Path) -> None:
    """Its settings are what it and the command line say, to the last key."""
    kind, places = KINDS[path.stem.split("-")[0]]
    settings = load_recipe(path, kind, places)
    assert type(settings) is kind
    said = tomllib.loads(path.read_text(encoding="utf-8")) | {keys[0]: v for keys, v in map(parse_override, places)}
    if "languages" in said:  # aliases are resolved, and order says nothing
        said["languages"] = sorted(map(canonical_code, said["languages"]))
    for key, value in said.items():
        assert as_said(getattr(settings, key), value), f"{key} = {value!r} became {getattr(settings, key)!r}"


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_recipe_says_its_command(path: Path) -> None:
    head = [line for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("#")]
    assert len(head) >= 3, path
    assert any(f"recipes/{path.relative_to(ROOT).as_posix()}" in line for line in head), path
