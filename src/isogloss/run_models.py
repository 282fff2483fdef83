"""The models that people name by a folder: a model, a run that made one, a run with several seeds or selections.

model_folder(Path("runs/ner"))                           # runs/ner/model
chosen_models([Path("runs/ner")], selections="all")      # that, and those of RUN/selected
model_names([Path("runs/ner")])                          # what a table calls them, by fingerprint
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from isogloss.checkpoint import fingerprint_of
from isogloss.errors import FolderError
from isogloss.runs import METRICS_NAME

__all__ = ["PER_LANGUAGE", "SELECTED", "ChosenModel", "chosen_models", "model_folder", "model_names"]

# The folder of a run that holds the models of further selections, and the selection that has one a language.
SELECTED = "selected"
PER_LANGUAGE = "per-language-dev"


def model_folder(folder: Path) -> Path:
    """The model of a run folder; any other folder is taken for the model itself.

    Raises FolderError where there is no folder, and for a run that has made no model yet.
    """
    if (folder / "model").is_dir():
        return folder / "model"
    if not folder.is_dir():
        raise FolderError(
            f"model folder {folder} does not exist; give a model's folder or that of the run that made it, "
            "by 'isogloss pretrain' or 'isogloss finetune'"
        )
    if (folder / METRICS_NAME).exists():
        raise FolderError(f"{folder} is a run that has made no model yet; the command that started it goes on with it")
    return folder


@dataclass(frozen=True)
class ChosenModel:
    """A model folder, and the one language that it was chosen for, where it was chosen for one."""

    folder: Path
    language: str = ""


def chosen_models(folders: Sequence[Path], *, selections: Literal["chosen", "all"] = "chosen") -> list[ChosenModel]:
    """The models of runs, of folders with a run for each seed (`seed-1`, …), and of model folders, in this order.

    Raises FolderError where there is no model, and for a folder with runs of seeds and a model of its own: asking the
    seeds alone would leave out the model that was made there.
    """
    found: list[ChosenModel] = []
    for folder in folders:
        seeds = [run for run in folder.glob("seed-*") if run.is_dir()]
        if seeds and (folder / "model").is_dir():
            raise FolderError(
                f"{folder} holds a model of its own beside runs of seeds ({min(run.name for run in seeds)}); name "
                f"{folder / 'model'}, or the runs of the seeds one by one"
            )
        for run in sorted(seeds, key=lambda run: (len(run.name), run.name)) or [folder]:
            found.append(ChosenModel(model_folder(run)))
            if selections == "all":
                found += [
                    ChosenModel(path, path.parent.name if path.parent.parent.name == PER_LANGUAGE else "")
                    for path in sorted((run / SELECTED).rglob("model"))
                ]
    return found


def model_names(folders: Sequence[Path]) -> dict[str, str]:
    """What a table calls each model, by its fingerprint: the name of its folder, or its path if two share that.

    The seeds of a run have its name; what further selections chose has it too, and that of the selection.
    """
    clashes = Counter(folder.resolve().name for folder in folders)
    names: dict[str, str] = {}
    for folder in folders:
        short = folder.resolve().name
        name = short if clashes[short] == 1 else str(folder)
        for one in chosen_models([folder], selections="all"):
            selection = one.folder.parent.parent.name if one.language else one.folder.parent.name
            is_further = SELECTED in one.folder.parts[len(folder.parts) :]
            names[fingerprint_of(one.folder)] = f"{name}, {selection}" if is_further else name
    return names
