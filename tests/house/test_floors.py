"""Imports go one way: from a room to lower floors and to itself; the two halves of floor 1 are strangers."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import isogloss

ROOT = Path(isogloss.__file__).parent

# The floors, from the ground up; a room is a file or folder directly under src/isogloss.
FLOORS: list[set[str]] = [
    {"errors", "languages", "config", "manifest", "runs", "randomness", "report", "scores", "children", "published"},
    {
        "corpus",
        "phrasebook",
        "vocab",
        "shards",
        "model",
        "attention",
        "blocks",
        "devices",
        "dropout",
        "loss",
        "processes",
    },
    {
        *("tasks", "batches", "packing", "masking", "mixture", "optim", "loop", "training_state", "sharing", "encode"),
        *("inference", "interop", "checkpoint", "heads", "rows", "lean"),
    },
    {
        *(
            "plan",
            "pretrain",
            "finetune",
            "transfer",
            "selection",
            "collapse",
            "evaluate",
            "asked",
            "run_models",
            "labelled",
        ),
        *(
            "baselines",
            "learning",
            "results",
            "paper_tables",
            "reproduction",
            "score",
            "compare",
            "predict",
            "lines",
            "convert",
            "export",
            "extend",
            "trim",
            "resized",
        ),
    },
    {"demo", "serve", "studies"},
    {"cli", "__main__"},
]
TEXT_HALF = {"corpus", "phrasebook", "vocab", "shards"}
TENSOR_HALF = {"model", "attention", "blocks", "devices", "dropout", "loss", "processes"}
FREE = {"__init__"}


def rooms() -> set[str]:
    return {path.stem for path in ROOT.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}


def files_of(room: str) -> list[Path]:
    folder = ROOT / room
    return sorted(folder.rglob("*.py")) if folder.is_dir() else [ROOT / f"{room}.py"]


def imports_of(path: Path) -> set[str]:
    """Full names of the modules a file imports, anywhere in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: relative import"
            found |= {f"{node.module}.{name.name}" for name in node.names} | {node.module}
    return found


def rooms_imported(path: Path) -> set[str]:
    return {name.split(".")[1] for name in imports_of(path) if name.startswith("isogloss.")} & rooms()


def floor_of(room: str) -> int:
    return next(number for number, floor in enumerate(FLOORS) if room in floor)


def test_every_room_has_one_floor() -> None:
    placed = [room for floor in FLOORS for room in floor]
    assert len(placed) == len(set(placed))
    assert rooms() - FREE == set(placed)


def test_the_readme_shows_these_floors() -> None:
    readme = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")
    shown = re.findall(r"^\| (\d) \| `(\w+)` \|", readme, flags=re.MULTILINE)
    assert {(room, int(floor)) for floor, room in shown} == {(room, floor_of(room)) for room in rooms() - FREE}


@pytest.mark.parametrize("room", sorted(rooms() - FREE))
def test_imports_go_down(room: str) -> None:
    for path in files_of(room):
        for other in rooms_imported(path) - {room}:
            assert floor_of(other) <= floor_of(room), f"{path.name} ({room}) imports {other} from a higher floor"


def test_no_circles_within_a_floor() -> None:
    arrows = {room: {other for path in files_of(room) for other in rooms_imported(path)} - {room} for room in rooms()}
    seen: set[str] = set()
    while ready := [room for room in arrows if room not in seen and arrows[room] <= seen | FREE]:
        seen |= set(ready)
    assert seen == set(arrows), f"rooms that import each other in a circle: {sorted(set(arrows) - seen)}"


@pytest.mark.parametrize("room", sorted(TEXT_HALF))
def test_text_has_no_torch(room: str) -> None:
    for path in files_of(room):
        assert not {name for name in imports_of(path) if name.split(".")[0] == "torch"}, path
        assert not rooms_imported(path) & TENSOR_HALF, path


@pytest.mark.parametrize("room", sorted(TENSOR_HALF))
def test_tensors_have_no_text(room: str) -> None:
    for path in files_of(room):
        assert not rooms_imported(path) & TEXT_HALF, path


def test_imports_inside_functions_stand_where_they_may() -> None:
    """In the command line and the front; elsewhere only for what costs much or is an optional extra."""
    optional = {
        *("daft", "pyarrow", "fastwarc", "resiliparse", "pycld2", "fasttext", "kenlm", "ray"),
        *("transformers", "tokenizers", "flair", "torch.utils.tensorboard"),
    }
    for path in ROOT.rglob("*.py"):
        if path.is_relative_to(ROOT / "cli") or path.name == "__init__.py":
            continue
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(function, ast.FunctionDef):
                for node in ast.walk(function):
                    if isinstance(node, ast.Import):
                        names = [name.name for name in node.names]
                    elif isinstance(node, ast.ImportFrom):
                        names = [node.module or ""]
                    else:
                        continue
                    assert all(
                        any(name == known or name.startswith(f"{known}.") for known in optional) for name in names
                    ), f"{path.name}:{node.lineno} imports {names} inside a function"
