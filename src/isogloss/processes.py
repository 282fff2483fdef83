"""The processes that train one model together: how many, which one this is, and what they agree on.

    with joined(choose()) as processes:              # started by torchrun: all of them; otherwise one alone
        total = processes.sum(loss, num_targets)     # the same numbers in every process
    with speaking() as aloud: ...                    # the run ends: one process says why

torchrun starts them and says so in the environment; nothing else is asked of it but its store, a table of words that
all processes can write into. Gradients are not exchanged here but by torch's own wrappers (`sharing`).
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta

import torch
import torch.distributed as dist
from torch.distributed import TCPStore  # type: ignore[attr-defined] # documented

from isogloss.errors import ConfigError, ProcessLost

__all__ = ["Processes", "joined", "speaking", "started"]

# One that waits longer than this for the others has lost them; scoring and saving take minutes at most.
PATIENCE = timedelta(minutes=30)
# For the words of another process to be out.
TO_HEAR = timedelta(seconds=10)
# What gloo and NCCL say in a process whose partner has gone; their errors have no type of their own.
SIGNS_OF_LOSS = ("gloo/transport", "ncclRemoteError", "Connection was likely closed")


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
    """The processes that torchrun started, connected for as long as the block runs; each CUDA process has `device`.

    Raises ProcessLost in those that find another one gone, by an error of its own or killed.
    """
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
    except BaseException as error:
        # Now, before the others notice that this process goes: the reason is to be heard, not what follows from it.
        _speaker()
        if isinstance(error, RuntimeError) and any(sign in str(error) for sign in SIGNS_OF_LOSS):
            raise ProcessLost(
                "another process of this run has ended, or is out of reach; the same command goes on from the last "
                "checkpoint"
            ) from error
        raise
    finally:
        dist.destroy_process_group()


@contextlib.contextmanager
def speaking() -> Iterator[bool]:
    """Whether this process is the one that says why all of them end: the first that had a reason.

    The others go on when it has spoken, for torchrun stops every process as soon as one has ended.
    """
    store, speaks = _speaker()
    if store is not None and not speaks:
        with contextlib.suppress(dist.DistError):  # it has gone with the machine it was on
            store.wait([_key("spoken")], TO_HEAR)
    yield speaks
    if store is not None and speaks:
        with contextlib.suppress(dist.DistError):
            store.set(_key("spoken"), "")


def _speaker() -> tuple[TCPStore | None, bool]:
    """torchrun's store, and whether this process was the first to ask for it here; without a store it always was."""
    if os.environ.get("TORCHELASTIC_USE_AGENT_STORE") != "True":
        return None, True
    try:
        address, port = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
        store = TCPStore(address, port, is_master=False, timeout=TO_HEAR)
        rank = os.environ["RANK"]
        return store, store.compare_set(_key("speaker"), "", rank).decode() == rank
    except dist.DistError:
        return None, True


def _key(name: str) -> str:
    """torchrun starts its processes again after a failure, if it is told to."""
    return f"isogloss/{os.environ.get('TORCHELASTIC_RESTART_COUNT', '0')}/{name}"
