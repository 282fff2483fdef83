"""Rules about the whole: captions, sorted public names, silence, and functions that fit a screen."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import isogloss

ROOT = Path(isogloss.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))
LONGEST_FILE, LONGEST_FUNCTION = 400, 80


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.fixture(params=FILES, ids=name_of)
def source(request: pytest.FixtureRequest) -> tuple[Path, ast.Module]:
    path: Path = request.param
    return path, ast.parse(path.read_text(encoding="utf-8"))


def test_file_opens_by_saying_what_it_is(source: tuple[Path, ast.Module]) -> None:
    path, tree = source
    caption = ast.get_docstring(tree)
    assert caption, path
    assert len(caption) > 25, path


def test_public_names_are_listed_and_sorted(source: tuple[Path, ast.Module]) -> None:
    path, tree = source
    listed = [
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None and "__all__" in _names(node)
    ]
    if path.name == "__main__.py":
        return
    assert len(listed) == 1, f"{name_of(path)} has no __all__"

    def group(name: str) -> int:  # constants, classes, functions
        return 0 if name.isupper() else 1 if name[0].isupper() else 2

    assert listed[0] == sorted(listed[0], key=lambda name: (group(name), name)), name_of(path)
    defined = {name for node in tree.body for name in _names(node)}
    # The package's front gives its names on first use.
    if path != ROOT / "__init__.py":
        assert set(listed[0]) <= defined, f"{name_of(path)} lists names it does not have"


def _names(node: ast.stmt) -> set[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
        return {node.name}
    if isinstance(node, ast.Assign):
        return {getattr(target, "id", "") for target in node.targets}
    if isinstance(node, ast.AnnAssign):
        return {getattr(node.target, "id", "")}
    if isinstance(node, ast.Import | ast.ImportFrom):
        return {name.asname or name.name for name in node.names}
    if isinstance(node, ast.Try):
        return {name for inner in node.body for name in _names(inner)}
    return set()


def test_nothing_prints_outside_the_command_line(source: tuple[Path, ast.Module]) -> None:
    path, tree = source
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "print"]
    assert not calls, path


def test_no_open_ends(source: tuple[Path, ast.Module]) -> None:
    path, tree = source
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    assert "NotImplementedError" not in names, path
    assert "TODO" not in path.read_text(encoding="utf-8"), path


def test_files_and_functions_keep_their_size(source: tuple[Path, ast.Module]) -> None:
    path, tree = source
    assert path.read_text(encoding="utf-8").count("\n") <= LONGEST_FILE, path
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.end_lineno is not None:
            assert node.end_lineno - node.lineno < LONGEST_FUNCTION, f"{path.name}: {node.name}"


def test_no_attic_rooms() -> None:
    assert not {path.stem for path in ROOT.rglob("*")} & {"utils", "util", "common", "misc", "helpers"}


def test_front_gives_every_public_name() -> None:
    for name in isogloss.__all__:
        assert getattr(isogloss, name) is not None
    assert list(isogloss.__all__) == sorted(isogloss.__all__)
    assert set(isogloss.__all__) <= set(dir(isogloss))
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = isogloss.no_such_name


def test_front_says_the_same_to_type_checkers() -> None:
    tree = ast.parse((ROOT / "__init__.py").read_text(encoding="utf-8"))
    (seen,) = [node for node in tree.body if isinstance(node, ast.If)]
    imported = {
        (node.module.removeprefix("isogloss."), name.name)
        for node in seen.body
        if isinstance(node, ast.ImportFrom) and node.module is not None
        for name in node.names
    }
    rooms = vars(isogloss)["_ROOMS"]
    assert imported == {(room, name) for room, names in rooms.items() for name in names}
    assert {name for _, name in imported} == set(isogloss.__all__)


@pytest.mark.parametrize(
    "first", ["isogloss.pretrain", "from isogloss.pretrain import PretrainSettings", "import isogloss.pretrain"]
)
def test_front_keeps_a_function_that_is_called_as_its_room(first: str) -> None:
    code = f"import isogloss\n{first}\nassert isogloss.pretrain.__name__ == 'pretrain', isogloss.pretrain"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = (
        "import sys, isogloss, isogloss.cli; "
        "sys.exit(', '.join({'torch', 'numpy', 'matplotlib', 'daft'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
