"""The one training loop: pretraining and fine-tuning, any model, any task.

    progress = train(
        model, run=run, batches=batches.batch, loss_of=loss_of, total_steps=1000,
        optim=OptimSettings(), settings=LoopSettings(), seed=1, device=choose(),
        actions=[Action("validate", Duration("500 steps"), validate)],
    )

``batches(step, micro, num_micros)`` is a pure function and ``loss_of(batch)`` the SUM of the loss over a batch's
targets; the loop divides it by their number over the whole step, so micro-batches do not change the gradient. Weights,
AdamW's means and the step are all the state there is: a run that is stopped or killed and started again ends in the
same bits as one that ran through.
"""

from __future__ import annotations

import contextlib
import math
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from types import FrameType
from typing import Any, Generic, Protocol, Self, TypeVar

import torch
from pydantic import Field
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from torch import Tensor, nn
from torch.nn.utils import clip_grads_with_norm_, get_total_norm

from isogloss.config import Duration, Settings
from isogloss.devices import Device
from isogloss.errors import ConfigError, Preempted
from isogloss.optim import OptimSettings, make_optimizer, rate_at, set_rate
from isogloss.randomness import key_of
from isogloss.runs import RunFolder
from isogloss.training_state import Progress, load_state, save_state

__all__ = ["Action", "LoopSettings", "Throughput", "TrainingBatch", "train"]

# So many steps without a finite loss in a row are no accident: going on cannot save the run.
MOST_SKIPPED_IN_A_ROW = 20


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


class LoopSettings(Settings):
    """How a run is cut into micro-batches, logged and saved; none of it changes what is learned."""

    accumulate: int = Field(1, ge=1, description="micro-batches a step is cut into: less memory, the same gradient")
    log_every: Duration = Field(Duration("50 steps"), description="a line of metrics.jsonl")
    checkpoint_every: Duration = Field(Duration("1000 steps"), description="a checkpoint to go on from")
    keep_checkpoints: int = Field(2, ge=1, description="so many checkpoints, the last ones, are kept")


@dataclass(frozen=True)
class Action:
    """Something done once in a while: after every so many steps, and after the last. What it returns is logged."""

    name: str
    every: Duration
    act: Callable[[int], Mapping[str, Any]]


def train(
    model: nn.Module,
    *,
    run: RunFolder,
    batches: Callable[[int, int, int], Batch],
    loss_of: Callable[[Batch], Tensor],
    total_steps: int,
    optim: OptimSettings,
    settings: LoopSettings,
    seed: int,
    device: Device,
    tokens_per_step: int = 0,
    actions: Sequence[Action] = (),
    ledger: Callable[[int], Mapping[str, Any]] | None = None,
) -> Progress:
    """Train ``model`` in place up to ``total_steps``, from the run's newest checkpoint if it has one.

    Batches are on ``device`` when ``loss_of`` gets them. ``ledger(step)`` goes into every logged line.
    Raises Preempted after SIGTERM (exit 75) or Ctrl-C (130), with the state saved.
    """

    def due(every: Duration) -> bool:
        steps = max(1, every.steps(total_steps=total_steps, tokens_per_step=tokens_per_step))
        return progress.step % steps == 0 or progress.step == total_steps

    # Where a run starts: 1. its own newest checkpoint; 2. the weights the model came with, read or fresh.
    device.place(model)
    optimizer = make_optimizer(model, optim)
    checkpoints = run.path / "checkpoints"
    progress = load_state(checkpoints, model, optimizer) or Progress()
    run.rewind(progress.step)

    throughput = Throughput()
    feed = _Feed(batches, progress.step, total_steps, settings.accumulate, device)
    shown = _shown(progress.step, total_steps)
    with contextlib.closing(run), _Stop() as stop, feed, shown as show:
        model.train()
        while progress.step < total_steps:
            # A training step.
            micro_batches = feed.next()
            rate = rate_at(progress.step, optim, total_steps=total_steps, tokens_per_step=tokens_per_step)
            set_rate(optimizer, rate)
            step = _training_step(model, optimizer, micro_batches, loss_of, clip=optim.clip, key=(seed, progress.step))
            progress.count(step.num_tokens, step.num_targets, step.loss_sum, finite=step.finite)
            throughput.count(step.num_tokens)
            show(progress.step, step.loss_sum / step.num_targets, throughput.latest)

            # Once in a while.
            if not step.finite:
                _log_skipped(run, progress, step, micro_batches)
            if due(settings.log_every):
                facts = dict(ledger(progress.step)) if ledger is not None else {}
                run.log(
                    progress.step,
                    **progress.take_line(),
                    **throughput.take_line(),
                    learning_rate=rate,
                    gradient_norm=step.norm,
                    **facts,
                )
            for action in actions:
                if due(action.every):
                    with throughput.paused(), _evaluating(model):
                        run.log(progress.step, **action.act(progress.step))
            if due(settings.checkpoint_every) or stop.asked:
                with throughput.paused():
                    save_state(checkpoints, model, optimizer, progress, keep=settings.keep_checkpoints)
            if stop.asked and progress.step < total_steps:
                raise stop.preempted(run, progress.step)
    return progress


@dataclass(frozen=True)
class _Step:
    """What one step did."""

    loss_sum: float
    norm: float
    num_targets: int
    num_tokens: int

    @property
    def finite(self) -> bool:
        return math.isfinite(self.loss_sum) and math.isfinite(self.norm)


def _training_step(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    micro_batches: Sequence[Batch],
    loss_of: Callable[[Batch], Tensor],
    *,
    clip: float,
    key: tuple[int, int],
) -> _Step:
    """Gradient over all micro-batches, clipped, and the optimizer's step, left out when anything is not finite."""
    num_targets = max(1, sum(batch.num_targets for batch in micro_batches))
    total = torch.zeros((), device=next(model.parameters()).device)
    for micro, batch in enumerate(micro_batches):
        # Dropout is a function of the step too, so a continued run drops what an unbroken one would.
        torch.manual_seed(key_of(*key, micro, "dropout") >> 1)
        loss_sum = loss_of(batch)
        (loss_sum / num_targets).backward()  # type: ignore[no-untyped-call]
        total += loss_sum.detach()
    gradients = [parameter for parameter in model.parameters() if parameter.grad is not None]
    norm = get_total_norm([parameter.grad for parameter in gradients if parameter.grad is not None])
    if clip:
        clip_grads_with_norm_(gradients, clip, norm)
    step = _Step(total.item(), norm.item(), num_targets, sum(batch.num_tokens for batch in micro_batches))
    if step.finite:
        optimizer.step()
    optimizer.zero_grad()
    return step


def _log_skipped(run: RunFolder, progress: Progress, step: _Step, micro_batches: Sequence[TrainingBatch]) -> None:
    """A line that says which examples gave no finite loss. Raises ConfigError after too many such steps in a row."""
    indices = [int(index) for batch in micro_batches for index in batch.indices]
    # As text: JSON has no numbers for these.
    run.log(
        progress.step, skipped=progress.skipped, loss=str(step.loss_sum), gradient_norm=str(step.norm), examples=indices
    )
    if progress.skipped_in_a_row >= MOST_SKIPPED_IN_A_ROW:
        raise ConfigError(
            f"{run.path}: the last {progress.skipped_in_a_row} steps, to step {progress.step}, had no finite loss or "
            f"gradient and were skipped; lower optim.peak_rate"
        )


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


class _Stop:
    """SIGTERM and Ctrl-C ask the loop to stop after its step; a second Ctrl-C stops at once."""

    def __init__(self) -> None:
        self._signal = 0
        self._earlier: dict[int, Any] = {}

    @property
    def asked(self) -> bool:
        return self._signal != 0

    def preempted(self, run: RunFolder, step: int) -> Preempted:
        error = Preempted(f"stopped and saved at step {step} in {run.path}; the same command goes on from there")
        if self._signal == signal.SIGINT:
            error.exit_code = 130
        return error

    def __enter__(self) -> Self:
        # Python gives signals to the main thread only; elsewhere the caller has to stop the run in its own way.
        if threading.current_thread() is threading.main_thread():
            self._earlier = {number: signal.signal(number, self._note) for number in (signal.SIGTERM, signal.SIGINT)}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._earlier.items():
            signal.signal(number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self._signal == number == signal.SIGINT:
            raise KeyboardInterrupt
        self._signal = number


class _Feed(Generic[Batch]):
    """The micro-batches of one step after another; one thread makes the next while the model works on this one."""

    def __init__(
        self, batches: Callable[[int, int, int], Batch], first: int, end: int, num_micros: int, device: Device
    ) -> None:
        self._batches = batches
        self._step, self._end = first, end
        self._num_micros = num_micros
        self._device = device.device
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="batches")
        self._next: Future[list[Batch]] | None = None

    def __enter__(self) -> Self:
        self._ask()
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def next(self) -> list[Batch]:
        assert self._next is not None, "no step is left"
        ready = self._next.result()
        self._step += 1
        self._ask()
        return ready

    def _ask(self) -> None:
        self._next = self._pool.submit(self._make, self._step) if self._step < self._end else None

    def _make(self, step: int) -> list[Batch]:
        return [self._batches(step, micro, self._num_micros).to(self._device) for micro in range(self._num_micros)]


@contextlib.contextmanager
def _evaluating(model: nn.Module) -> Iterator[None]:
    model.eval()
    with torch.no_grad():
        yield
    model.train()


@contextlib.contextmanager
def _shown(first: int, total_steps: int) -> Iterator[Callable[[int, float, float], None]]:
    """A progress bar on stderr, when that is a terminal."""
    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"), TimeRemainingColumn())
    quiet = not sys.stderr.isatty()
    with Bar(*columns, console=Console(stderr=True), disable=quiet, refresh_per_second=4) as bar:
        task = bar.add_task("", total=total_steps, completed=first)

        def show(step: int, loss: float, tokens_per_second: float) -> None:
            if not quiet:
                bar.update(task, completed=step, description=f"loss {loss:.3f}  {tokens_per_second:,.0f} tokens/s")

        yield show
