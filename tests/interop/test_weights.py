"""Files of weights: all or nothing, one line with the file's path, and nothing but tensors is unpickled."""

from __future__ import annotations

import contextlib
import json
import pickle
import random
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from isogloss.errors import CheckpointError
from isogloss.interop.weights import read_weights, weight_files

TENSORS = {"one": torch.arange(6.0).reshape(2, 3), "two": torch.ones(4)}
INDEX = "model.safetensors.index.json"


def write_parts(folder: Path, weight_map: dict[str, str] | None = None) -> None:
    save_file({"one": TENSORS["one"]}, folder / "a.safetensors")
    save_file({"two": TENSORS["two"], "extra": torch.zeros(1)}, folder / "b.safetensors")
    chosen = weight_map or {"one": "a.safetensors", "two": "b.safetensors"}
    (folder / INDEX).write_text(json.dumps({"metadata": {}, "weight_map": chosen}), encoding="utf-8")


def assert_same(found: dict[str, torch.Tensor]) -> None:
    assert found.keys() == TENSORS.keys()
    assert all(torch.equal(found[name], tensor) for name, tensor in TENSORS.items())


def refusal(folder: Path) -> str:
    with pytest.raises(CheckpointError) as caught:
        read_weights(folder)
    assert "\n" not in str(caught.value)
    assert str(folder) in str(caught.value)
    return str(caught.value)


def test_parts_hold_what_the_index_says(tmp_path: Path) -> None:
    write_parts(tmp_path)
    assert_same(read_weights(tmp_path))
    assert [path.name for path in weight_files(tmp_path)] == ["a.safetensors", "b.safetensors"]


def test_safetensors_come_before_torch(tmp_path: Path) -> None:
    torch.save({"one": torch.zeros(1)}, tmp_path / "pytorch_model.bin")
    write_parts(tmp_path)
    assert_same(read_weights(tmp_path))
    save_file(TENSORS | {"two": torch.zeros(4)}, tmp_path / "model.safetensors")
    assert read_weights(tmp_path)["two"].sum() == 0


@pytest.mark.parametrize(
    ("weight_map", "message"),
    [
        ({"one": "a.safetensors", "two": "a.safetensors"}, "a.safetensors lacks two, which model.safetensors.index"),
        ({"one": "../a.safetensors"}, "names '../a.safetensors', which is no file beside it"),
        ({"one": "gone.safetensors"}, "gone.safetensors cannot be read (No such file"),
        (["one"], "index.json is damaged"),
    ],
)
def test_an_index_that_is_wrong(tmp_path: Path, weight_map: dict[str, str], message: str) -> None:
    (tmp_path / "model").mkdir()
    write_parts(tmp_path, {"one": "a.safetensors"})  # a file of that name outside the folder, too
    write_parts(tmp_path / "model", weight_map)
    assert message in refusal(tmp_path / "model")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:-1]), "cannot be read"),
        (lambda path: path.write_bytes(path.read_bytes()[:5]), "cannot be read"),
        (lambda path: path.write_bytes(b""), "cannot be read"),
        (lambda path: path.write_bytes(b"\xff" * 64), "cannot be read"),
        (lambda path: path.write_bytes(b"version https://git-lfs.github.com/spec/v1\nsize 3\n"), "run 'git lfs pull'"),
        (lambda path: (path.unlink(), path.mkdir()), "cannot be read (Is a directory)"),
    ],
    ids=["cut", "cut in its head", "empty", "noise", "pointer", "folder"],
)
@pytest.mark.parametrize("name", ["model.safetensors", "pytorch_model.bin"])
def test_a_file_that_is_no_longer_whole(
    tmp_path: Path, name: str, spoil: Callable[[Path], object], message: str
) -> None:
    if name.endswith("bin"):
        torch.save(TENSORS, tmp_path / name)
    else:
        save_file(TENSORS, tmp_path / name)
    assert_same(read_weights(tmp_path))
    spoil(tmp_path / name)
    found = refusal(tmp_path)
    assert message in found
    assert str(tmp_path / name) in found


@pytest.mark.parametrize("content", [[1, 2], {"one": "two"}, {3: torch.ones(1)}, torch.ones(2)], ids=str)
def test_a_torch_file_of_something_else(tmp_path: Path, content: object) -> None:
    torch.save(content, tmp_path / "pytorch_model.bin")
    assert "is no table of named tensors" in refusal(tmp_path)


class _Code:
    """What would run a command if it were unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Callable[[Path], None], tuple[Path]]:
        return Path.touch, (self.marker,)


def test_hidden_code_is_not_run(tmp_path: Path) -> None:
    torch.save({"one": _Code(tmp_path / "ran")}, tmp_path / "pytorch_model.bin")
    found = refusal(tmp_path)
    assert "cannot be read as weights alone" in found
    assert "weights_only" not in found  # torch's own message says how to run it all the same
    assert not (tmp_path / "ran").exists()


def test_a_pickle_of_another_format_is_one_line(tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    (tmp_path / "pytorch_model.bin").write_bytes(pickle.dumps(_Code(tmp_path / "ran"), protocol=4))
    assert "cannot be read as weights alone" in refusal(tmp_path)
    assert not recwarn.list
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("seed", range(40))
def test_flipped_bits_are_read_or_refused(tmp_path: Path, seed: int) -> None:
    """Whatever bit of the head is flipped, the file gives tensors or the one error, and never another."""
    draw = random.Random(seed)
    save_file(TENSORS, tmp_path / "model.safetensors")
    data = bytearray((tmp_path / "model.safetensors").read_bytes())
    data[draw.randrange(160)] ^= 1 << draw.randrange(8)
    (tmp_path / "model.safetensors").write_bytes(data)
    with contextlib.suppress(CheckpointError):  # any other error is a failure
        found = read_weights(tmp_path)
        assert sum(tensor.nbytes for tensor in found.values()) <= len(data)


def test_a_folder_without_weights(tmp_path: Path) -> None:
    assert "holds no weights, none of model.safetensors, pytorch_model.bin" in refusal(tmp_path)
