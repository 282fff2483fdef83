"""A fairseq checkpoint file (`model.pt`), read without running anything that it carries.

    args, tensors = read_checkpoint(Path("xlmr.base/model.pt"))

Such a file is a pickle of settings, weights and the state of a training. It is read by `torch.load(weights_only=True)`
with a list of names that may occur in it: `argparse.Namespace` (older checkpoints) and the classes by which omegaconf
keeps settings (newer ones). fairseq and omegaconf are not needed: each of their names is answered with a class of ours
that keeps what it is given and does nothing. A file that asks for any other name is refused before that name is looked
up. A zip file is compared with its checksums; the older format has none, so a flipped bit in a weight shows only where
the weight is no longer a number.
"""

from __future__ import annotations

import argparse
import re
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from torch import Tensor

from isogloss.errors import CheckpointError, FolderError

__all__ = ["read_checkpoint", "write_checkpoint"]

# What a checkpoint of fairseq may name beside tensors and Namespace; anything else is refused.
INERT_NAMES = (
    *(f"omegaconf.{name}" for name in ("dictconfig.DictConfig", "listconfig.ListConfig")),
    *(f"omegaconf.base.{name}" for name in ("ContainerMetadata", "Metadata")),
    *(f"omegaconf.nodes.{kind}Node" for kind in ("Any", "Integer", "Float", "Boolean", "String", "Enum")),
    # The types that omegaconf notes for its values.
    *(f"typing.{name}" for name in ("Any", "Dict", "List", "Optional", "Tuple", "Union")),
    "_operator.getitem",  # by which List[int] is made of List and int
    *(f"builtins.{name}" for name in ("bool", "dict", "float", "int", "list", "str", "tuple")),
    *(
        f"fairseq.dataclass.configs.{name}Config"
        for name in (
            "Checkpoint", "Common", "CommonEval", "Dataset", "DistributedTraining", "EMA", "EvalLM", "Fairseq",
            "FairseqBMUF", "Generation", "Interactive", "Optimization",
        )
    ),
    # The state of the training, which is left out.
    *(f"fairseq.meters.{name}Meter" for name in ("Average", "Stopwatch", "Time")),
    *(f"fairseq.logging.meters.{name}Meter" for name in ("Average", "Stopwatch", "Time")),
    *(f"numpy.{name}" for name in ("core.multiarray.scalar", "_core.multiarray.scalar", "dtype")),
)  # fmt: skip


class _Inert:
    """Stands for a class of fairseq, omegaconf or numpy: keeps the fields it is given, and does nothing."""

    def __init__(self, *_: object) -> None:
        pass

    def __new__(cls, *_: object) -> _Inert:
        return super().__new__(cls)

    def __setstate__(self, state: object) -> None:
        if isinstance(state, dict):
            vars(self).update(state)


def _plain_dict(*_: object) -> dict[object, object]:
    """Stands for collections.defaultdict, whose factory would be a call at every missing key."""
    return {}


# (what answers, the name it answers to), as torch wants it. A class a name: torch tells them apart by identity.
ALLOWED: list[Any] = [
    argparse.Namespace,
    (_plain_dict, "collections.defaultdict"),
    *((type("Inert", (_Inert,), {}), name) for name in INERT_NAMES),
]


def read_checkpoint(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """The model's settings (`args`, or `cfg.model`) and its weights, on the CPU, names and types as stored.

    Raises CheckpointError for a file that is missing, damaged, asks for code, or is no fairseq checkpoint.
    """
    state = _load(path)
    if not isinstance(state, dict) or not isinstance(state.get("model"), dict):
        raise CheckpointError(f"{path} is no fairseq checkpoint: it has no table 'model' of weights")
    tensors = {}
    for name, tensor in state["model"].items():
        if not isinstance(name, str) or not isinstance(tensor, Tensor):
            raise CheckpointError(f"{path}: {name!r} of its table 'model' is a {type(tensor).__name__}, not a weight")
        tensors[name] = tensor.detach()
    args = _fields(state.get("args")) or _fields(_fields(state.get("cfg")).get("model"))
    if not args:
        raise CheckpointError(f"{path} has neither 'args' nor 'cfg' with the settings of its model")
    return args, tensors


def write_checkpoint(path: Path, args: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
    """Write `model.pt` with `args` as a Namespace, which every fairseq reads, older and newer.

    Raises FolderError where the disk is full.
    """
    state = {
        "args": argparse.Namespace(**args),
        "model": dict(tensors),
        # Without these fairseq takes the file for one of its first format, and looks for that one's keys.
        "optimizer_history": [
            {"criterion_name": "", "optimizer_name": "", "lr_scheduler_state": {}, "num_updates": 0},
        ],
        "extra_state": {"train_iterator": {"epoch": 1, "iterations_in_epoch": 0}},
    }
    try:
        torch.save(state, path)
    except RuntimeError:  # torch counts the bytes of its zip file, and does not say why some are missing
        raise FolderError(
            f"{path} cannot be written whole; is the disk full? Make room and give the command again"
        ) from None


def _load(path: Path) -> Any:
    try:
        if zipfile.is_zipfile(path) and (damaged := _damaged_part(path)) is not None:
            raise CheckpointError(f"{path} is damaged: its part {damaged!r} has another checksum; copy it again")
        # Warnings here are about pickle formats that are then refused.
        with torch.serialization.safe_globals(ALLOWED), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read ({error.strerror or error})") from None
    except UnpicklingError as error:
        # torch's own message tells how to run the code all the same: not shown.
        if (name := re.search(r"GLOBAL (\S+)", str(error))) is not None:
            raise CheckpointError(
                f"{path} asks for {name[1]!r}, which no fairseq model needs and which may be hidden code; nothing of "
                "it was run. Take the file from its publisher, or have its weights and args saved alone"
            ) from None
        raise CheckpointError(f"{path} is damaged, or no file that torch wrote; copy it again") from None
    except CheckpointError:
        raise
    except Exception as error:  # a damaged pickle raises whatever the damage leads to
        raise CheckpointError(f"{path} is damaged ({type(error).__name__} while reading); copy it again") from None


def _damaged_part(path: Path) -> str | None:
    """The first part of a zip file that is not what its checksum says; torch does not look."""
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.testzip()
    except (zipfile.BadZipFile, EOFError, ValueError, RuntimeError) as error:
        return str(error) or type(error).__name__


def _fields(value: object) -> dict[str, Any]:
    """The fields of a Namespace, a dict or omegaconf's DictConfig, one level deep; {} for anything else."""
    if isinstance(value, _Inert):
        value = vars(value).get("_content")
    elif isinstance(value, argparse.Namespace):
        value = vars(value)
    if not isinstance(value, dict):
        return {}
    return {str(key): _value(field) for key, field in value.items()}


def _value(field: object) -> object:
    """What a node of omegaconf holds; anything else as it is."""
    return vars(field).get("_val", field) if isinstance(field, _Inert) else field
