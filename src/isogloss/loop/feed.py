"""Batches made ahead: one thread makes the next step's micro-batches while the model works on this one's."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, Protocol, Self, TypeVar

import torch

from isogloss.devices import Device
from isogloss.processes import Processes

__all__ = ["Batch", "Feed", "TrainingBatch", "micro_batches"]


class TrainingBatch(Protocol):
    """What the loop asks of a batch; all of it is known before the model runs."""

    @property
    def num_targets(self) -> int: ...  # what the loss is averaged over: masked pieces, labelled sequences
    @property
    def num_tokens(self) -> int: ...
    @property
    def indices(self) -> Sequence[int]: ...  # the examples' numbers, for the log of a skipped step
    def to(self, device: torch.device, /) -> Self: ...


Batch = TypeVar("Batch", bound=TrainingBatch)


class Feed(Generic[Batch]):
    """The micro-batches of this process, step by step from `first`; the next are being made while these are used."""

    def __init__(
        self,
        batches: Callable[..., Batch],
        first: int,
        *,
        num_micros: int,
        device: Device,
        processes: Processes,
    ) -> None:
        self._batches = batches
        self._step = first
        self._num_micros = num_micros
        self._device = device.device
        self._copies: torch.cuda.Stream | None = None
        if self._device.type == "cuda":
            self._copies = torch.cuda.Stream(self._device)  # type: ignore[no-untyped-call]
        self._processes = processes
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="batches")
        self._next: Future[list[Batch]] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def next(self, *, more: bool) -> list[Batch]:
        """The micro-batches of the step; unless there are no `more`, those of the one after it are begun."""
        ready = self._make(self._step) if self._next is None else self._next.result()
        self._step += 1
        self._next = self._pool.submit(self._make, self._step) if more else None
        return ready

    def jump(self, step: int) -> None:
        """Go on with the data of this step."""
        self._step, self._next = step, None

    def _make(self, step: int) -> list[Batch]:
        made = list(micro_batches(self._batches, step, num_micros=self._num_micros, processes=self._processes))
        if self._copies is None:
            return [batch.to(self._device) for batch in made]
        # In the model's own stream the copies would stand behind the kernels of the step that is being computed. What
        # is copied here is read there, and its memory given back when that step's loss has been waited for.
        with torch.cuda.stream(self._copies):
            there = [batch.to(self._device) for batch in made]
        self._copies.synchronize()
        return there


def micro_batches(
    batches: Callable[..., Batch], step: int, *, num_micros: int, processes: Processes
) -> Iterator[Batch]:
    """The micro-batches of a step that are this process's: every so-manieth of all."""
    for turn in range(num_micros):
        micro = turn * processes.count + processes.rank
        yield batches(step, micro=micro, num_micros=num_micros * processes.count)
