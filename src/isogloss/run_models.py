"""The models that people name by a folder: a model, a run that made one, or one with several.

Several are runs of seeds, runs of languages with a model each, and what further selections chose.

model_folder(Path("runs/ner"))                           # runs/ner/model
chosen_models([Path("runs/ner")], selections="all")      # that, and those of RUN/selected
model_names([Path("runs/ner")])                          # what a table calls them, by fingerprint
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from isogloss.checkpoint import fingerprint_of
from isogloss.errors import FolderError
from isogloss.runs import METRICS_NAME

__all__ = ["LANGUAGES", "PER_LANGUAGE", "SELECTED", "ChosenModel", "chosen_models", "model_folder", "model_names"]

# The folder of a run that holds a run for each language, where every one has a model of its own.
LANGUAGES = "languages"

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
    if runs := _seeds(folder) or _languages(folder):
        raise FolderError(f"{folder} holds {len(runs)} runs with a model each; name one of them, such as {runs[0]}")
    if (folder / METRICS_NAME).exists():
        raise FolderError(f"{folder} is a run that has made no model yet; the command that started it goes on with it")
    return folder


@dataclass(frozen=True)
class ChosenModel:
    """A model folder, and the one language that it was chosen for, where it was chosen for one."""

    folder: Path
    language: str = ""


def chosen_models(folders: Sequence[Path], *, selections: Literal["chosen", "all"] = "chosen") -> list[ChosenModel]:
    """The models of runs, of folders with a run for each seed (`seed-1`, …) or language (`languages/sw`, …), and of
    model folders, in this order.

    Raises FolderError where there is no model, and for a folder with several runs and a model of its own: asking the
    runs alone would leave out the model that was made there.
    """
    found: list[ChosenModel] = []
    for folder in folders:
        for run in [one for of_seed in _runs(folder, _seeds) for one in _runs(of_seed, _languages)]:
            found.append(ChosenModel(model_folder(run)))
            if selections == "all":
                found += [
                    ChosenModel(path, path.parent.name if path.parent.parent.name == PER_LANGUAGE else "")
                    for path in sorted((run / SELECTED).rglob("model"))
                ]
    return found


def _runs(folder: Path, inside: Callable[[Path], list[Path]]) -> list[Path]:
    """The runs inside of a folder, or itself if there are none."""
    runs = inside(folder)
    if runs and (folder / "model").is_dir():
        raise FolderError(
            f"{folder} holds a model of its own beside runs of seeds or languages ({runs[0].name}); name "
            f"{folder / 'model'}, or those runs one by one"
        )
    return runs or [folder]


def _seeds(folder: Path) -> list[Path]:
    runs = (run for run in folder.glob("seed-*") if run.is_dir())
    return sorted(runs, key=lambda run: (len(run.name), run.name))


def _languages(folder: Path) -> list[Path]:
    return sorted(run for run in (folder / LANGUAGES).glob("*") if run.is_dir())


def model_names(folders: Sequence[Path]) -> dict[str, str]:
    """What a table calls each model, by its fingerprint: the name of its folder, or its path if two share that.

    The seeds and languages of a run have its name; what further selections chose has it too, and that of the selection.
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
