"""The models that a folder stands for: its own, or those of its seeds, and never one of them unsaid."""

from __future__ import annotations

from pathlib import Path

import pytest

from isogloss.errors import FolderError
from isogloss.run_models import chosen_models


def test_a_folder_of_seeds_is_their_models_in_the_order_of_numbers(tmp_path: Path) -> None:
    for seed in (10, 2):
        (tmp_path / f"seed-{seed}" / "model").mkdir(parents=True)
    assert [one.folder.parent.name for one in chosen_models([tmp_path])] == ["seed-2", "seed-10"]


def test_a_folder_of_seeds_with_a_model_of_its_own_is_refused(tmp_path: Path) -> None:
    for folder in ("seed-1/model", "model"):
        (tmp_path / folder).mkdir(parents=True)
    with pytest.raises(
        FolderError, match=r"holds a model of its own beside runs of seeds \(seed-1\); name .*model, or"
    ):
        chosen_models([tmp_path])
