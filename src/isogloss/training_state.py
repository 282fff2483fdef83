"""The state of a run on disk: ``checkpoints/step-N``, whole or not there at all, and the newest found again.

A checkpoint holds the fp32 weights and AdamW's two means (torch.distributed.checkpoint, so it can be read by another
number of processes) and ``progress.json``. Rates, data and dropout are functions of the step and need no place here.

    save_state(run.path / "checkpoints", model, optimizer, progress, keep=2)
    progress = load_state(run.path / "checkpoints", model, optimizer)        # None: there is no checkpoint
"""

from __future__ import annotations

import json
import os
import pickle
import shutil
import warnings
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.distributed.checkpoint.api import CheckpointException
from torch.distributed.checkpoint.filesystem import FileSystemReader
from torch.distributed.checkpoint.metadata import Metadata
from torch.distributed.checkpoint.state_dict import get_state_dict, set_state_dict
from torch.distributed.checkpoint.state_dict_loader import load
from torch.distributed.checkpoint.state_dict_saver import save
from torch.optim import Optimizer

from isogloss.errors import CheckpointError
from isogloss.manifest import write_json

__all__ = ["Progress", "load_state", "newest_checkpoint", "save_state"]

PROGRESS_NAME = "progress.json"


@dataclass
class Progress:
    """How far a run is, and what its next logged line is made of."""

    step: int = 0
    tokens: int = 0
    skipped: int = 0
    skipped_in_a_row: int = 0
    # Since the last logged line.
    loss_sum: float = 0.0
    num_targets: int = 0

    def count(self, num_tokens: int, num_targets: int, loss_sum: float, *, finite: bool) -> None:
        """One more step was made; without a finite loss its data are passed, but nothing was learned."""
        self.step += 1
        self.tokens += num_tokens
        self.skipped += not finite
        self.skipped_in_a_row = 0 if finite else self.skipped_in_a_row + 1
        if finite:
            self.loss_sum += loss_sum
            self.num_targets += num_targets

    def take_line(self) -> dict[str, float | None]:
        """Tokens so far and the mean loss since the last line (None if every step was skipped)."""
        loss = self.loss_sum / self.num_targets if self.num_targets else None
        self.loss_sum, self.num_targets = 0.0, 0
        return {"tokens": self.tokens, "loss": loss, "skipped": self.skipped}


def save_state(folder: Path, model: nn.Module, optimizer: Optimizer, progress: Progress, *, keep: int) -> Path:
    """Write ``step-N`` beside and rename it, then drop all but the last ``keep``.

    Raises CheckpointError when it cannot be written (a full disk); earlier checkpoints are untouched.
    """
    target = folder / f"step-{progress.step}"
    beside = folder / f"step-{progress.step}.tmp"
    try:
        _remove(beside)
        beside.mkdir(parents=True)
        _save_tensors(beside, model, optimizer)
        files = {path.name: path.stat().st_size for path in sorted(beside.iterdir())}
        write_json(beside / PROGRESS_NAME, {"progress": asdict(progress), "files": files})
        _remove(target)
        beside.rename(target)
        _sync(folder)
    except (OSError, CheckpointException) as error:
        newest = newest_checkpoint(folder)
        last = f"the last good one is {newest}" if newest else "there is no earlier one"
        reason = error.strerror if isinstance(error, OSError) else str(error).strip().splitlines()[-1]
        raise CheckpointError(f"checkpoint {target} cannot be written ({reason}); {last}") from error
    for path in _checkpoints(folder)[:-keep]:
        _remove(path)
    return target


def load_state(folder: Path, model: nn.Module, optimizer: Optimizer) -> Progress | None:
    """Read the newest checkpoint into the model and the optimizer; None if there is none.

    Raises CheckpointError for a damaged checkpoint or one of another model.
    """
    newest = newest_checkpoint(folder)
    if newest is None:
        return None
    way_out = f"delete {newest} to go on from the one before it"
    try:
        known = json.loads((newest / PROGRESS_NAME).read_text(encoding="utf-8"))
        progress = Progress(**known["progress"])
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise CheckpointError(f"{newest / PROGRESS_NAME} is damaged ({error}); {way_out}") from None
    for name, size in known["files"].items():
        found = (newest / name).stat().st_size if (newest / name).exists() else 0
        if found != size:
            raise CheckpointError(f"{newest / name} has {found} bytes, it was written with {size}; {way_out}")
    try:
        _load_tensors(newest, model, optimizer)
    except (CheckpointException, RuntimeError, pickle.UnpicklingError) as error:
        reason = str(error).strip().splitlines()[-1]
        raise CheckpointError(f"{newest} does not fit this model ({reason}); choose another run folder") from error
    return progress


def newest_checkpoint(folder: Path) -> Path | None:
    """The checkpoint with the highest step."""
    return found[-1] if (found := _checkpoints(folder)) else None


def _save_tensors(folder: Path, model: nn.Module, optimizer: Optimizer) -> None:
    weights, of_optimizer = get_state_dict(model, optimizer)
    with warnings.catch_warnings():
        # Said on every save of a single process, which is what is wanted.
        warnings.filterwarnings("ignore", message="torch.distributed is disabled")
        save({"model": weights, "optimizer": of_optimizer["state"]}, checkpoint_id=folder)


def _load_tensors(folder: Path, model: nn.Module, optimizer: Optimizer) -> None:
    weights, of_optimizer = get_state_dict(model, optimizer)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="torch.distributed is disabled")
        load({"model": weights, "optimizer": of_optimizer["state"]}, storage_reader=_Reader(folder))
    set_state_dict(model, optimizer, model_state_dict=weights, optim_state_dict=of_optimizer)


class _Reader(FileSystemReader):
    """Reads the index of a checkpoint, which torch pickles, and lets it name nothing but what torch puts there."""

    def read_metadata(self, *args: Any, **kwargs: Any) -> Metadata:
        with (Path(self.path) / ".metadata").open("rb") as stream:
            metadata: Metadata = _IndexUnpickler(stream).load()
        if metadata.storage_meta is not None:
            metadata.storage_meta.load_id = self.load_id
        return metadata


class _IndexUnpickler(pickle.Unpickler):
    _ALLOWED = (
        ("torch.distributed.checkpoint.metadata", None),
        ("torch.distributed.checkpoint.filesystem", "_StorageInfo"),
        ("torch.serialization", "_get_layout"),
        ("torch", "Size"),
        ("torch", "device"),
        ("pathlib", "PosixPath"),
        ("pathlib", "WindowsPath"),
    )

    def find_class(self, module: str, name: str) -> Any:
        plain = "." not in name  # a dotted name would reach through a class to what its module imports
        if plain and ((module, name) in self._ALLOWED or (module, None) in self._ALLOWED):
            return super().find_class(module, name)
        if module == "torch" and isinstance(found := getattr(torch, name, None), torch.dtype):
            return found
        raise pickle.UnpicklingError(f"the index names {module}.{name}, which no checkpoint needs")


def _checkpoints(folder: Path) -> list[Path]:
    """Whole checkpoints, oldest first."""
    numbers = [int(path.name.removeprefix("step-")) for path in folder.glob("step-*") if path.name[5:].isdecimal()]
    return [folder / f"step-{number}" for number in sorted(numbers)]


def _remove(path: Path) -> None:
    """Delete a checkpoint so that a kill half-way leaves no folder that looks whole."""
    if path.exists() and path.suffix != ".tmp":
        path = path.rename(path.with_name(path.name + ".tmp"))
    if path.exists():
        shutil.rmtree(path)


def _sync(folder: Path) -> None:
    """Make a rename survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
