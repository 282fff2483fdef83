"""Settings of small models and of recipes, for the tests of plans."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from isogloss.config import make_settings
from isogloss.pretrain import PretrainSettings

SMALL = {"width": 64, "num_layers": 2, "num_heads": 4, "feedforward": 192, "max_length": 48, "vocabulary_size": 1000}


@pytest.fixture
def recipe() -> Callable[..., PretrainSettings]:
    """A recipe of a small model; tables that are given change single settings."""

    def make(**tables: Any) -> PretrainSettings:
        values: dict[str, Any] = {
            "run": "run", "shards": "shards", "vocabulary": "vocabulary", "steps": 60,
            "model": SMALL, "batches": {"sequence_length": 48, "batch_size": 8},
        }  # fmt: skip
        for name, value in tables.items():
            values[name] = {**values.get(name, {}), **value} if isinstance(value, dict) else value
        return make_settings(PretrainSettings, values)

    return make
