"""A study of seconds: two languages of the phrasebook, two sizes of step, a model of one layer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from isogloss.config import make_settings
from isogloss.studies import StudySettings
from isogloss.studies.recipe import laid_over

TINY: dict[str, Any] = {
    "title": "Tiny",
    "question": "Does the chain of a study hold?",
    "seeds": [1],
    "phrasebook": {"num_documents": 30, "num_pairs": 12, "num_tagged": 8, "num_questions": 8, "num_test": 6},
    "outcomes": ["held_out", "retrieval"],
    "groups": {"low": ["sw"], "all": ["en", "sw"]},
    "device": "cpu",
    "base": {
        "languages": ["en", "sw"],
        "vocab": {"size": 300, "model_type": "bpe", "character_coverage": 1.0},
        "pretrain": {
            "steps": 2,
            "model": {"num_layers": 1, "width": 16, "num_heads": 2, "feedforward": 16, "max_length": 64},
            "batches": {"batch_size": 4, "sequence_length": 32},
            "validation": {"sequences": 2, "every": "100 %"},
        },
        "tasks": {"retrieval": {"task": "tatoeba", "test": "retrieval", "split": "test"}},
    },
    "axes": {
        "steps": {
            "label": "steps",
            "values": {
                "2": {"number": 2},
                "3": {"number": 3, "set": {"pretrain": {"steps": 3}}},
            },
        }
    },
}


@pytest.fixture(scope="session")
def tiny() -> Any:
    """Makes the study in a folder, with changes laid over it."""

    def make(output: Path, **changes: Any) -> StudySettings:
        return make_settings(StudySettings, laid_over({**TINY, "output": str(output)}, changes))

    return make
