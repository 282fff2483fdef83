"""The models that a folder stands for: its own, or those of its seeds, and never one of them unsaid."""

from __future__ import annotations

from pathlib import Path

import pytest

from isogloss.errors import FolderError
from isogloss.run_models import chosen_models, model_folder


def test_a_folder_of_seeds_is_their_models_in_the_order_of_numbers(tmp_path: Path) -> None:
    for seed in (10, 2):
        (tmp_path / f"seed-{seed}" / "model").mkdir(parents=True)
    assert [one.folder.parent.name for one in chosen_models([tmp_path])] == ["seed-2", "seed-10"]


def test_a_folder_of_seeds_with_a_model_of_its_own_is_refused(tmp_path: Path) -> None:
    for folder in ("seed-1/model", "model"):
        (tmp_path / folder).mkdir(parents=True)
    with pytest.raises(
        FolderError, match=r"holds a model of its own beside runs of seeds or languages \(seed-1\); name .*model, or"
    ):
        chosen_models([tmp_path])


def test_seeds_hold_languages_and_a_folder_of_several_is_no_model(tmp_path: Path) -> None:
    for run in ("seed-1/languages/sw", "seed-1/languages/de", "seed-2"):
        (tmp_path / run / "model").mkdir(parents=True)
    found = [str(one.folder.parent.relative_to(tmp_path)) for one in chosen_models([tmp_path])]
    assert found == ["seed-1/languages/de", "seed-1/languages/sw", "seed-2"]
    with pytest.raises(FolderError, match=r"holds 2 runs with a model each; name one of them, such as .*seed-1$"):
        model_folder(tmp_path)
    with pytest.raises(FolderError, match=r"name one of them, such as .*languages/de$"):
        model_folder(tmp_path / "seed-1")
