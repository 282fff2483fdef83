"""The state of a run on disk: ``checkpoints/step-N``, whole or not there at all, and the newest found again.

A checkpoint holds the fp32 weights that learn and AdamW's two means (torch.distributed.checkpoint, so any other number
of processes reads it) and ``progress.json``. Rates, data and dropout are functions of the step and need no place here;
weights that stand still are those that the run begins with each time.

    checkpoints = Checkpoints(run.path / "checkpoints", keep=2)
    progress = checkpoints.load(model, optimizer)       # None: there is no checkpoint
    checkpoints.save(model, optimizer, progress)        # copies the state, and writes it while training goes on
    checkpoints.settle(wait=True)                       # now it lies there
"""

from __future__ import annotations

import json
import os
import pickle
import shutil
import warnings
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import nn
from torch.distributed.checkpoint.api import CheckpointException
from torch.distributed.checkpoint.filesystem import FileSystemReader
from torch.distributed.checkpoint.metadata import Metadata
from torch.distributed.checkpoint.state_dict import StateDictOptions, get_state_dict, set_state_dict
from torch.distributed.checkpoint.state_dict_loader import load
from torch.distributed.checkpoint.state_dict_saver import async_save, save
from torch.optim import Optimizer

from isogloss.errors import CheckpointError
from isogloss.manifest import write_json
from isogloss.processes import Processes

__all__ = ["Checkpoints", "Progress", "newest_checkpoint"]

PROGRESS_NAME = "progress.json"
WHAT_LEARNS = StateDictOptions(ignore_frozen_params=True, strict=False)


@dataclass
class Progress:
    """How far a run is, and what its next logged line is made of."""

    step: int = 0
    tokens: int = 0
    skipped: int = 0
    skipped_in_a_row: int = 0
    # Data of these steps, from … to …, were passed over when the run went back to an earlier state.
    passed_over: list[tuple[int, int]] = field(default_factory=list)
    # Mean and mean deviation of the loss over the last steps, by which a spike is known.
    usual_loss: float = 0.0
    usual_deviation: float = 0.0
    # Since the last logged line.
    loss_sum: float = 0.0
    num_targets: int = 0
    # Since `take_window`, by whoever calls it.
    window_loss: float = 0.0
    window_targets: int = 0

    @property
    def data_step(self) -> int:
        """The step whose data come next: later than the step itself where data were passed over."""
        return self.step + sum(end - begin for begin, end in self.passed_over)

    def count(self, num_tokens: int, num_targets: int, loss_sum: float, *, learned: bool) -> None:
        """One more step was made; where it was skipped its data are behind, but nothing was learned."""
        self.step += 1
        self.tokens += num_tokens
        self.skipped += not learned
        self.skipped_in_a_row = 0 if learned else self.skipped_in_a_row + 1
        if learned:
            self.loss_sum += loss_sum
            self.num_targets += num_targets
            self.window_loss += loss_sum
            self.window_targets += num_targets

    def take_line(self) -> dict[str, float | None]:
        """Tokens so far and the mean loss since the last line (None if every step was skipped)."""
        loss = self.loss_sum / self.num_targets if self.num_targets else None
        self.loss_sum, self.num_targets = 0.0, 0
        return {"tokens": self.tokens, "loss": loss, "skipped": self.skipped}

    def take_window(self) -> tuple[float, int]:
        """The summed loss and the targets of the steps that learned since the last call, also in an earlier process."""
        loss, targets = self.window_loss, self.window_targets
        self.window_loss, self.window_targets = 0.0, 0
        return loss, targets


class Checkpoints:
    """The checkpoints of a run; with several processes, each writes its part and the first one the rest.

    Kept are the last `keep`, and every one whose step is a multiple of `keep_every` (0: none).
    """

    def __init__(self, folder: Path, *, keep: int, keep_every: int = 0, processes: Processes | None = None) -> None:
        # Said on every save of a single process, which is what is wanted, and from a thread, where no filter is local.
        warnings.filterwarnings("ignore", message="torch.distributed is disabled")
        self._folder, self._keep, self._keep_every = folder, keep, keep_every
        self._processes = processes or Processes()
        # Written beside the training, in a group of its own: two exchanges at once must not mix.
        self._group = dist.new_group(backend="gloo") if self._processes.count > 1 else None
        self._writing: tuple[Future[Any], dict[str, Any], Path] | None = None

    def save(self, model: nn.Module, optimizer: Optimizer, progress: Progress) -> None:
        """Copy the state and begin to write it as ``step-N``; an earlier one is settled first.

        A process alone that has no memory for the copy writes at once, and training waits for it.
        Raises CheckpointError when it, or the earlier one, cannot be written (a full disk).
        """
        self.settle(wait=True)
        target = self._folder / f"step-{progress.step}"
        beside = target.with_name(target.name + ".tmp")
        with self._reported(target):
            if self._processes.is_first:
                _remove(beside)
                beside.mkdir(parents=True)
            self._processes.wait()
            weights, of_optimizer = get_state_dict(model, optimizer, options=WHAT_LEARNS)
            state = {"model": weights, "optimizer": of_optimizer["state"]}
            if self._processes.count == 1 and _copy_is_too_large(model):
                written: Any = Future()
                written.set_result(save(state, checkpoint_id=beside))
            else:
                written = async_save(state, checkpoint_id=beside, process_group=self._group)
        assert isinstance(written, Future)
        self._writing = (written, asdict(progress), target)

    def settle(self, *, wait: bool = False) -> None:
        """Give what is written its name, if it is whole by now or once it is; then drop what is not kept.

        Raises CheckpointError when it could not be written; earlier checkpoints are untouched.
        """
        if self._writing is None or not (wait or self._writing[0].done()):
            return
        (written, progress, target), self._writing = self._writing, None
        beside = target.with_name(target.name + ".tmp")
        with self._reported(target):
            written.result()
            if not self._processes.is_first:
                return
            files = {path.name: path.stat().st_size for path in sorted(beside.iterdir())}
            write_json(beside / PROGRESS_NAME, {"progress": progress, "files": files})
            _remove(target)
            beside.rename(target)
            _sync(self._folder)
            kept = _checkpoints(self._folder)
            for path in kept[: -self._keep]:
                if not self._keep_every or _step_of(path) % self._keep_every:
                    _remove(path)

    def load(self, model: nn.Module, optimizer: Optimizer) -> Progress | None:
        """Read the newest checkpoint into the model and the optimizer; None if there is none.

        Raises CheckpointError for a damaged checkpoint or one of another model.
        """
        self.settle(wait=True)
        if self._processes.is_first:  # what a kill or a full disk left half-written would lie there for good
            for path in self._folder.glob("step-*.tmp"):
                _remove(path)
        self._processes.wait()
        newest = newest_checkpoint(self._folder)
        if newest is None:
            return None
        way_out = f"delete {newest} to go on from the one before it"
        try:
            known = json.loads((newest / PROGRESS_NAME).read_text(encoding="utf-8"))
            progress = Progress(**known["progress"])
            progress.passed_over = [(begin, end) for begin, end in progress.passed_over]
        except (json.JSONDecodeError, KeyError, TypeError, ValueError) as error:
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

    @contextmanager
    def _reported(self, target: Path) -> Iterator[None]:
        try:
            yield
        except (OSError, CheckpointException) as error:
            newest = newest_checkpoint(self._folder)
            last = f"the last good one is {newest}" if newest else "there is no earlier one"
            reason = error.strerror if isinstance(error, OSError) else str(error).strip().splitlines()[-1]
            raise CheckpointError(f"checkpoint {target} cannot be written ({reason}); {last}") from error


def newest_checkpoint(folder: Path) -> Path | None:
    """The checkpoint with the highest step."""
    return found[-1] if (found := _checkpoints(folder)) else None


def _copy_is_too_large(model: nn.Module) -> bool:
    """Whether weights and two means, once more, are over half of what memory the machine can give; a container's own
    limit is not known here."""
    available = _available_bytes()
    needed = 3 * sum(parameter.nbytes for parameter in model.parameters() if parameter.requires_grad)
    return available is not None and needed > available // 2


def _available_bytes(meminfo: Path = Path("/proc/meminfo")) -> int | None:
    """What the kernel says it can give without swapping; None where it says nothing."""
    for line in meminfo.read_text(encoding="ascii").splitlines() if meminfo.exists() else ():
        name, _, value = line.partition(":")
        if name == "MemAvailable":
            return int(value.split()[0]) << 10
    return None


def _load_tensors(folder: Path, model: nn.Module, optimizer: Optimizer) -> None:
    weights, of_optimizer = get_state_dict(model, optimizer, options=WHAT_LEARNS)
    reader = _Reader(folder)
    # torch takes what it looks for, and does not mind what else there is.
    known = {name for name in reader.read_metadata().state_dict_metadata if name.startswith("model.")}
    if unknown := known - {f"model.{name}" for name in model.state_dict()}:  # earlier versions wrote all of them
        raise RuntimeError(f"it has {sorted(unknown)[0]}, the model has not")
    load({"model": weights, "optimizer": of_optimizer["state"]}, storage_reader=reader)
    set_state_dict(model, optimizer, model_state_dict=weights, optim_state_dict=of_optimizer, options=WHAT_LEARNS)


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
    return sorted((path for path in folder.glob("step-*") if path.name[5:].isdecimal()), key=_step_of)


def _step_of(path: Path) -> int:
    return int(path.name.removeprefix("step-"))


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
