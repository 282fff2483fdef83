"""What is seen of a run while it trains: tokens a second, and a progress bar."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

__all__ = ["Throughput", "shown"]


class Throughput:
    """Tokens a second of training alone: what is paused (validation, saving) does not count."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self.latest = 0.0
        self._clock = clock
        self._tokens = 0
        self._start = clock()

    def count(self, num_tokens: int) -> None:
        self._tokens += num_tokens

    def take_line(self) -> dict[str, float]:
        """The rate since the last line."""
        now = self._clock()
        if now > self._start:
            self.latest = self._tokens / (now - self._start)
        self._tokens, self._start = 0, now
        return {"tokens_per_second": round(self.latest, 1)}

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        begun = self._clock()
        yield
        self._start += self._clock() - begun


@contextlib.contextmanager
def shown(first: int, total_steps: int, *, quiet: bool) -> Iterator[Callable[[int, float, float], None]]:
    """A progress bar on stderr, when that is a terminal."""
    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"), TimeRemainingColumn())
    quiet = quiet or not sys.stderr.isatty()
    with Bar(*columns, console=Console(stderr=True), disable=quiet, refresh_per_second=4) as bar:
        task = bar.add_task("", total=total_steps, completed=first)

        def show(step: int, loss: float, tokens_per_second: float) -> None:
            if not quiet:
                bar.update(task, completed=step, description=f"loss {loss:.3f}  {tokens_per_second:,.0f} tokens/s")

        yield show
