"""Fine-tuning runs of a few steps on a tiny model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from isogloss.config import Duration
from isogloss.finetune import FinetuneOptim, FinetuneSettings, finetune
from isogloss.loop import LoopSettings


@pytest.fixture
def tuned(pretrained: Path, labelled: Path, tmp_path: Path) -> Callable[..., Path]:
    """The run folder of a fine-tuning with these settings, by its name."""

    def run(name: str, **changes: Any) -> Path:
        values: dict[str, Any] = {
            "run": tmp_path / name,
            "model": pretrained,
            "task": "pos",
            "data": labelled,
            "steps": 8,
            "batch_size": 8,
            "precision": "fp32",
            "device": "cpu",
            "selection": "last",
            "optim": FinetuneOptim(peak_rate=1e-2, schedule="constant", warmup=Duration("0 %"), weight_decay=0.0),
            "loop": LoopSettings(log_every=Duration("4 steps"), checkpoint_every=Duration("4 steps")),
        }
        return finetune(FinetuneSettings(**{**values, **changes}))

    return run
