"""Entities of the phrasebook, which the tests of taggers learn from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="session")
def entities(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """train.en, dev.en and test files in English, German and Chinese."""
    from isogloss.phrasebook import PhrasebookSettings, write_labelled

    folder = tmp_path_factory.mktemp("phrasebook")
    settings = PhrasebookSettings(
        languages=("en", "de", "zh"), num_pairs=3, num_tagged=300, num_questions=1, num_test=80
    )
    write_labelled(folder, settings)
    return folder / "ner"


@pytest.fixture(scope="session")
def settings_for(entities: Path) -> Callable[..., Any]:
    """Settings of a small run on them."""
    from isogloss.baselines import BaselineSettings

    def make(run: Path, **changes: Any) -> BaselineSettings:
        values: dict[str, Any] = {
            "run": run,
            "task": "ner",
            "data": entities,
            "steps": 12,
            "batch_size": 8,
            "device": "cpu",
            "validate_every": "4 steps",
            "optim": {"peak_rate": 1e-2},
            "tagger": {"word_size": 16, "hidden": 16, "character_size": 8, "character_hidden": 8},
            "loop": {"log_every": "4 steps", "checkpoint_every": "4 steps"},
        }
        return BaselineSettings.model_validate({**values, **changes})

    return make
