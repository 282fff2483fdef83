"""What is seen of a run while it trains: tokens a second, share of the peak, memory, and a progress bar."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Generic

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from isogloss.devices import Device, peak_flops, peak_memory
from isogloss.loop.feed import Batch
from isogloss.processes import Processes

__all__ = ["Hardware", "Throughput", "shown"]


class Throughput:
    """Tokens a second of training alone: what is paused (validation, saving) does not count."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self.latest = 0.0
        self.seconds = 0.0  # of the last line
        self._clock = clock
        self._tokens = 0
        self._start = clock()

    def count(self, num_tokens: int) -> None:
        self._tokens += num_tokens

    def take_line(self) -> dict[str, float]:
        """The rate since the last line."""
        now = self._clock()
        self.seconds = now - self._start
        if self.seconds > 0:
            self.latest = self._tokens / self.seconds
        self._tokens, self._start = 0, now
        return {"tokens_per_second": round(self.latest, 1)}

    @property
    def rate(self) -> float:
        """That of the last line; before there is one, that of the steps so far."""
        return self.latest or self._tokens / max(1e-9, self._clock() - self._start)

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        begun = self._clock()
        yield
        self._start += self._clock() - begun


class Hardware(Generic[Batch]):
    """What training takes of its device: tokens/s, share of the peak, memory; the last two of several processes are the
    mean over theirs.

    The peak is that of matrix products (`devices.peak_flops`), measured here. Without ``flops_of`` there is no share.
    """

    def __init__(
        self,
        device: Device,
        processes: Processes,
        flops_of: Callable[[Batch], float] | None,
        *,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.share: float | None = None
        self._device, self._processes, self._flops_of = device, processes, flops_of
        self._peak = peak_flops(device) if flops_of is not None else 0.0
        self._flops = 0.0
        self.throughput = Throughput(clock)

    def count(self, num_tokens: int, micro_batches: Sequence[Batch]) -> None:
        """One more step: its tokens in all processes, and this one's part of it."""
        self.throughput.count(num_tokens)
        if self._flops_of is not None:
            self._flops += sum(map(self._flops_of, micro_batches))

    def take_line(self) -> dict[str, float]:
        """Speed and share since the last line, and bytes held at most since the start; every process must ask."""
        line, seconds = self.throughput.take_line(), self.throughput.seconds
        share = self._flops / (seconds * self._peak) if self._peak and seconds > 0 else self.share or 0.0
        share, memory = (of / self._processes.count for of in self._processes.sum(share, peak_memory(self._device)))
        self._flops = 0.0
        if memory:
            line["memory_bytes"] = round(memory)
        if self._peak:
            self.share = share
            line["peak_share"] = float(f"{share:.4g}")
        return line


@contextlib.contextmanager
def shown(first: int, total_steps: int, *, quiet: bool) -> Iterator[Callable[[int, float, float, float | None], None]]:
    """A progress bar on stderr, when that is a terminal."""
    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"), TimeRemainingColumn())
    quiet = quiet or not sys.stderr.isatty()
    with Bar(*columns, console=Console(stderr=True), disable=quiet, refresh_per_second=4) as bar:
        task = bar.add_task("", total=total_steps, completed=first)

        def show(step: int, loss: float, tokens_per_second: float, peak_share: float | None) -> None:
            if not quiet:
                said = f"loss {loss:.3f}  {tokens_per_second:,.0f} tokens/s"
                said += "" if peak_share is None else f"  {peak_share:.0%} of the peak"
                bar.update(task, completed=step, description=said)

        yield show
