"""The processes that train one model together: how many, which one this is, and what they agree on.

    with joined(choose()) as processes:              # started by torchrun: all of them; otherwise one alone
        total = processes.sum(loss, num_targets)     # the same numbers in every process

torchrun starts them and says so in the environment; nothing else is asked of it. Gradients are not exchanged here but
by torch's own wrappers (`sharing`).
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta

import torch
import torch.distributed as dist

from isogloss.errors import ConfigError

__all__ = ["Processes", "joined", "started"]

# One that waits longer than this for the others has lost them; scoring and saving take minutes at most.
PATIENCE = timedelta(minutes=30)


@dataclass(frozen=True)
class Processes:
    """This process among `count`; alone unless `joined`."""

    rank: int = 0
    count: int = 1
    local_rank: int = 0
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))

    @property
    def is_first(self) -> bool:
        """Whether this is the one that writes files and talks."""
        return self.rank == 0

    def sum(self, *values: float) -> tuple[float, ...]:
        """The sum of each value over all processes, in double precision."""
        if self.count == 1:
            return values
        # Apple's and older CUDA devices aside, every backend sums doubles; counts stay exact to 2^53.
        totals = torch.tensor(values, dtype=torch.float64, device=self.device)
        dist.all_reduce(totals)
        return tuple(totals.tolist())

    def wait(self) -> None:
        """Until all processes are here."""
        if self.count > 1:
            dist.barrier()


def started() -> Processes:
    """What torchrun says in the environment; one process where it says nothing.

    Raises ConfigError for an environment that says half of it.
    """
    names = ("RANK", "WORLD_SIZE", "LOCAL_RANK")
    said = {name: os.environ[name] for name in names if name in os.environ}
    if not said:
        return Processes()
    if len(said) < len(names) or not all(value.isdecimal() for value in said.values()):
        missing = ", ".join(name for name in names if not said.get(name, "").isdecimal())
        raise ConfigError(f"the environment has {', '.join(said)} but no usable {missing}; start with torchrun")
    return Processes(int(said["RANK"]), int(said["WORLD_SIZE"]), int(said["LOCAL_RANK"]))


@contextlib.contextmanager
def joined(device: torch.device) -> Iterator[Processes]:
    """The processes that torchrun started, connected for as long as the block runs; each CUDA process has `device`."""
    found = started()
    processes = Processes(found.rank, found.count, found.local_rank, device)
    if processes.count == 1:
        yield processes
        return
    # Checkpoints are written by the CPU beside the training, so it needs a way of its own.
    backend = "cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo"
    dist.init_process_group(backend, timeout=PATIENCE)
    try:
        yield processes
    finally:
        dist.destroy_process_group()
