"""The weights of a folder in any layout Hugging Face writes: safetensors or torch files, one or several with an index.

    tensors = read_weights(Path("xlm-roberta-base"))        # {name: tensor on the CPU}, names and types as stored

All or nothing: a part that is missing, cut off, or not what the index says raises CheckpointError with its path. Torch
files are read with `weights_only=True`; nothing but tensors is ever unpickled.
"""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from isogloss.errors import CheckpointError

__all__ = ["INDEX_NAMES", "TORCH_NAME", "WEIGHTS_NAME", "read_weights", "weight_files"]

WEIGHTS_NAME = "model.safetensors"
TORCH_NAME = "pytorch_model.bin"
# Hugging Face's index of a model in several files: {"weight_map": {weight: file}}.
INDEX_NAMES = (f"{WEIGHTS_NAME}.index.json", f"{TORCH_NAME}.index.json")
# What a clone without Git LFS has in the place of a large file begins so.
LFS_POINTER = b"version https://git-lfs"
WAY_OUT = "copy or make the model again"


def read_weights(folder: Path) -> dict[str, Tensor]:
    """All weights of a model folder. Where it has several layouts, safetensors come before torch, one file before many.

    Raises CheckpointError for a folder without weights and for files that are damaged or do not belong together.
    """
    if (folder / WEIGHTS_NAME).exists():
        return _read_file(folder / WEIGHTS_NAME)
    if (folder / INDEX_NAMES[0]).exists():
        return _read_parts(folder, folder / INDEX_NAMES[0])
    if (folder / TORCH_NAME).exists():
        return _read_file(folder / TORCH_NAME)
    if (folder / INDEX_NAMES[1]).exists():
        return _read_parts(folder, folder / INDEX_NAMES[1])
    known = ", ".join((WEIGHTS_NAME, TORCH_NAME, *INDEX_NAMES))
    raise CheckpointError(f"{folder} holds no weights, none of {known}; copy the whole folder again")


def weight_files(folder: Path) -> list[Path]:
    """Every file of the folder that weights may lie in, by name."""
    return sorted(path for pattern in ("*.safetensors", "pytorch_model*.bin") for path in folder.glob(pattern))


def _read_parts(folder: Path, index_path: Path) -> dict[str, Tensor]:
    """The weights that an index lists, each from the file it names."""
    try:
        weight_map: Any = json.loads(index_path.read_text(encoding="utf-8"))["weight_map"]
        files = {str(weight): str(file) for weight, file in weight_map.items()}
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise CheckpointError(f"{index_path} is damaged ({_first_line(error)}); {WAY_OUT}") from None
    tensors: dict[str, Tensor] = {}
    for file in sorted(set(files.values())):
        # An index may come with a foreign folder: it points nowhere but into that folder.
        if Path(file).name != file:
            raise CheckpointError(f"{index_path} names {file!r}, which is no file beside it; {WAY_OUT}")
        held = _read_file(folder / file)
        promised = {weight for weight, where in files.items() if where == file}
        if absent := sorted(promised - held.keys()):
            raise CheckpointError(f"{folder / file} lacks {absent[0]}, which {index_path.name} says it has; {WAY_OUT}")
        tensors |= {weight: held[weight] for weight in sorted(promised)}
    return tensors


def _read_file(path: Path) -> dict[str, Tensor]:
    try:
        with path.open("rb") as stream:
            opening = stream.read(len(LFS_POINTER))
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read ({error.strerror}); {WAY_OUT}") from None
    if opening == LFS_POINTER:
        raise CheckpointError(f"{path} is a Git LFS pointer, not the file itself; run 'git lfs pull' in its folder")
    return _read_safetensors(path) if path.suffix == ".safetensors" else _read_torch(path)


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except (SafetensorError, OSError, ValueError, KeyError) as error:
        raise CheckpointError(f"{path} cannot be read ({_first_line(error)}); {WAY_OUT}") from None


def _read_torch(path: Path) -> dict[str, Tensor]:
    try:
        with warnings.catch_warnings():  # of pickle formats that are then refused
            warnings.simplefilter("ignore")
            weights = torch.load(path, map_location="cpu", weights_only=True)
    except UnpicklingError:
        # torch's own message tells how to run hidden code all the same: not shown.
        raise CheckpointError(
            f"{path} cannot be read as weights alone: it is damaged, or asks for what may be hidden code, of which "
            f"nothing was run; {WAY_OUT}, best as safetensors"
        ) from None
    except Exception as error:  # unpickling raises whatever the damage leads to
        raise CheckpointError(
            f"{path} cannot be read as weights alone ({_first_line(error)}); {WAY_OUT}, best as safetensors"
        ) from None
    if not isinstance(weights, dict) or not all(
        isinstance(name, str) and isinstance(tensor, Tensor) for name, tensor in weights.items()
    ):
        raise CheckpointError(f"{path} is no table of named tensors; {WAY_OUT} with transformers' save_pretrained")
    return dict(weights)


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
