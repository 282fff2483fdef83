"""Every recipe parses, builds its settings, and says at its head what it is and how it is run."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import torch

from isogloss.baselines import BaselineSettings
from isogloss.config import Duration, Settings, load_recipe, parse_override
from isogloss.corpus import CorpusSettings
from isogloss.evaluate import EvaluateSettings
from isogloss.finetune import FinetuneSettings
from isogloss.languages import canonical_code
from isogloss.model import MaskedLM
from isogloss.pretrain import PretrainSettings
from isogloss.shards import ShardSettings
from isogloss.studies import StudySettings, load_study
from isogloss.vocab import VocabSettings

ROOT = Path(__file__).resolve().parents[2] / "recipes"
RECIPES = sorted(ROOT.rglob("*.toml"))

# What a recipe is for, by its folder or the first word of its name, and what it leaves to the command line.
KINDS: dict[str, tuple[type[Settings], list[str]]] = {
    "corpus": (CorpusSettings, ["input=text", "output=corpus"]),
    "vocab": (VocabSettings, ["corpus=corpus", "output=vocab"]),
    "shards": (ShardSettings, ["corpus=corpus", "vocabulary=vocab", "output=shards"]),
    "pretrain": (PretrainSettings, ["run=run", "shards=shards", "vocabulary=vocab"]),
    "finetune": (FinetuneSettings, ["run=run", "model=model", "data=data"]),
    "baselines": (BaselineSettings, ["run=run", "data=data"]),
    "evaluate": (EvaluateSettings, ['models=["run"]', "data=data", "output=scores"]),
    "studies": (StudySettings, ["output=study"]),
}


def kind_of(path: Path) -> str:
    return path.parent.name if path.parent.name in KINDS else path.stem.split("-")[0]


def head_of(path: Path) -> str:
    """The comment a recipe opens with, as one line."""
    lines = path.read_text(encoding="utf-8").split("\n\n")[0].splitlines()
    assert all(line.startswith("#") for line in lines), path
    return " ".join(line.removeprefix("#").strip() for line in lines)


def test_there_are_recipes() -> None:
    assert {kind_of(path) for path in RECIPES} <= set(KINDS)
    assert len(RECIPES) >= 6


def as_said(built: Any, said: Any) -> bool:
    """Is a setting what the recipe writes? Durations and paths are written as strings, tuples as lists."""
    if isinstance(built, Settings):
        return all(as_said(getattr(built, key), value) for key, value in said.items())
    if isinstance(built, Duration | Path):
        return built == type(built)(said)
    if isinstance(built, dict):
        return all(as_said(built[key], value) for key, value in said.items())
    if isinstance(said, list):
        return len(built) == len(said) and all(map(as_said, built, said))
    return bool(built == said)


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_recipe_builds(path: Path) -> None:
    """Its settings are what it and the command line say, to the last key."""
    kind, places = KINDS[kind_of(path)]
    settings = load_study(path, places) if kind is StudySettings else load_recipe(path, kind, places)
    assert type(settings) is kind
    said = tomllib.loads(path.read_text(encoding="utf-8")) | {keys[0]: v for keys, v in map(parse_override, places)}
    if "languages" in said:  # aliases are resolved, and order says nothing
        said["languages"] = sorted(map(canonical_code, said["languages"]))
    for key, value in said.items():
        assert as_said(getattr(settings, key), value), f"{key} = {value!r} became {getattr(settings, key)!r}"


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_recipe_says_its_command(path: Path) -> None:
    assert f"recipes/{path.relative_to(ROOT).as_posix()} " in head_of(path), path


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_recipe_says_its_time_and_what_to_expect(path: Path) -> None:
    head = head_of(path)
    assert "Not run" in head or re.search(r"\d (s|min|minutes|hours) of ", head), path
    assert "Expected" in head or "no score" in head, path


@pytest.mark.parametrize("path", sorted((ROOT / "pretrain").glob("*.toml")), ids=lambda path: path.stem)
def test_model_has_the_parameters_the_recipe_says(path: Path) -> None:
    settings = load_recipe(path, PretrainSettings, KINDS["pretrain"][1])
    with torch.device("meta"):
        num_parameters = sum(parameter.numel() for parameter in MaskedLM(settings.model).parameters())
    assert f"{num_parameters:,} parameters" in head_of(path), f"{num_parameters:,}"
    assert settings.batches.longest <= settings.model.max_length


@pytest.mark.parametrize("path", sorted((ROOT / "pretrain").glob("*.toml")), ids=lambda path: path.stem)
def test_what_is_not_published_is_marked_with_a_reason(path: Path) -> None:
    """A rate of learning and a warmup of XLM-R have never been published, so each says where it comes from."""
    lines = path.read_text(encoding="utf-8").splitlines()
    marks = [line for line in lines if "# inferred" in line]
    assert all(re.search(r"= .+  # inferred: \w.+", line) for line in marks), path
    if "as published" in head_of(path) and "XLM-15" not in head_of(path):
        marked = {line.split(" = ")[0] for line in marks}
        assert {"peak_rate", "warmup", "mask_rate"} <= marked, path
