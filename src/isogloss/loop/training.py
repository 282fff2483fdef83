"""The one training loop: pretraining and fine-tuning, any model, any task, one process or many.

``batches(step, micro=, num_micros=)`` is a pure function and ``loss_of(network, batch)`` the SUM of the loss over a
batch's targets; the loop divides it by their number over the whole step, so neither micro-batches nor processes change
the gradient. Weights, AdamW's means and the progress are all the state there is: a run that is stopped or killed and
started again ends in the same bits as one that ran through.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn.utils import clip_grads_with_norm_, get_total_norm

from isogloss.config import Duration, Settings
from isogloss.devices import Device
from isogloss.errors import DivergedError, Preempted
from isogloss.loop.compiled import compile_layers
from isogloss.loop.feed import Batch, Feed, TrainingBatch
from isogloss.loop.safety import fault_of, note_usual
from isogloss.loop.stop import Stop
from isogloss.loop.watch import Hardware, shown
from isogloss.optim import OptimSettings, make_optimizer, rate_at, set_rate
from isogloss.processes import Processes
from isogloss.randomness import key_of
from isogloss.runs import RunFolder
from isogloss.sharing import Sharing, as_number, last_only, share
from isogloss.training_state import Checkpoints, Progress

__all__ = ["Action", "LoopSettings", "train"]

# So many steps without a gain in a row are no accident: the run goes back to its last checkpoint, and on behind them.
SKIPPED_BEFORE_GOING_BACK = 5
# Going back so often to one checkpoint does not save the run; neither do so many skipped steps before there is one.
MOST_RETURNS, MOST_SKIPPED_IN_A_ROW = 3, 20


class LoopSettings(Settings):
    """How a run is cut into micro-batches, shared by processes, logged and saved."""

    accumulate: int = Field(
        1, ge=1, description="micro-batches a process cuts its part of a step into: less memory, the same gradient"
    )
    sharing: Sharing = Field(
        "whole", description="several processes: each has the whole model (DDP), or it is sharded over them (FSDP2)"
    )
    compile: bool = Field(
        False, description="torch.compile the layers: fewer passes over memory, after half a minute at the start"
    )
    log_every: Duration = Field(Duration("50 steps"), description="a line of metrics.jsonl")
    checkpoint_every: Duration = Field(Duration("1000 steps"), description="a checkpoint to go on from")
    keep_checkpoints: int = Field(2, ge=1, description="so many checkpoints, the last ones, are kept")
    keep_every: int = Field(0, ge=0, description="checkpoints of every so many steps are kept for good; 0: of none")
    spike: float = Field(
        0.0, ge=0, description="a step's loss so many mean deviations above the usual is not learned from; 0: all are"
    )


@dataclass(frozen=True)
class Action:
    """Something done once in a while: after every so many steps, and after the last. What it returns is logged."""

    name: str
    every: Duration
    act: Callable[[Progress], Mapping[str, Any]]


def train(
    model: nn.Module,
    *,
    run: RunFolder,
    batches: Callable[..., Batch],
    loss_of: Callable[[Any, Batch], Tensor],
    total_steps: int,
    optim: OptimSettings,
    settings: LoopSettings,
    seed: int,
    device: Device,
    processes: Processes | None = None,
    tokens_per_step: int = 0,
    actions: Sequence[Action] = (),
    flops_of: Callable[[Batch], float] | None = None,
    ledger: Callable[[Progress], Mapping[str, Any]] | None = None,
) -> Progress:
    """Train ``model`` in place up to ``total_steps``, from the run's newest checkpoint if it has one.

    ``loss_of`` gets what is called in the model's place where processes share it, and batches on ``device``. Lines get
    ``ledger(progress)``, and ``flops_of(batch)`` as a share of the peak. Raises Preempted, exit 75, or 130 by Ctrl-C.
    """

    def due(every: Duration) -> bool:
        steps = max(1, every.steps(total_steps=total_steps, tokens_per_step=tokens_per_step))
        return progress.step % steps == 0 or progress.step == total_steps

    # Where a run starts: 1. its own newest checkpoint; 2. the weights the model came with, read or fresh.
    processes = processes or Processes()
    network = _network(model, settings, device, processes)
    optimizer = make_optimizer(model, optim)
    checkpoints = _checkpoints(run, settings, processes)
    progress = checkpoints.load(model, optimizer) or Progress()
    run.rewind(progress.step)

    hardware, losses = Hardware(device, processes, flops_of), _Losses(run)
    feed = Feed(batches, progress.data_step, num_micros=settings.accumulate, device=device, processes=processes)
    bar = shown(progress.step, total_steps, quiet=not processes.is_first)
    with contextlib.closing(run), Stop() as stop, feed, bar as show, _settled(checkpoints):
        network.train()
        while progress.step < total_steps:
            # A training step.
            micro_batches = feed.next(more=progress.step + 1 < total_steps)
            rate = rate_at(progress.step, optim, total_steps=total_steps, tokens_per_step=tokens_per_step)
            set_rate(optimizer, rate)
            step = _gradient(network, micro_batches, loss_of, optim.clip, (seed, progress.data_step), processes, stop)
            fault = fault_of(step.loss, step.norm, progress, spike=settings.spike)
            if not fault:
                optimizer.step()
                note_usual(step.loss, progress)
            optimizer.zero_grad()
            progress.count(step.num_tokens, step.num_targets, step.loss_sum, learned=not fault)
            hardware.count(step.num_tokens, micro_batches)
            show(progress.step, step.loss, hardware.throughput.rate, hardware.share)

            # A step that was no good.
            if fault:
                losses.skip(progress, step, fault, micro_batches)
                if earlier := losses.go_back(checkpoints, model, optimizer, progress):
                    progress = earlier
                    feed.jump(progress.data_step)
                    continue

            # Once in a while.
            if due(settings.log_every):
                facts = {"learning_rate": rate, "gradient_norm": step.norm, **(ledger(progress) if ledger else {})}
                run.log(progress.step, **progress.take_line(), **hardware.take_line(), **facts)
            for action in actions:
                if due(action.every):
                    with hardware.throughput.paused(), _evaluating(network):
                        run.log(progress.step, **action.act(progress))
            checkpoints.settle()
            # Of several processes, what they agreed on before this step.
            stopping = stop.asked if processes.count == 1 else step.stop_asked
            if (due(settings.checkpoint_every) and not fault) or stopping:
                with hardware.throughput.paused():
                    checkpoints.save(model, optimizer, progress)
            if stopping and progress.step < total_steps:
                raise stop.preempted(run, progress.step)
    return progress


def _network(model: nn.Module, settings: LoopSettings, device: Device, processes: Processes) -> nn.Module:
    """What is called in training: `model` on its device, its layers compiled, shared by the processes."""
    device.place(model)
    if settings.compile:
        compile_layers(model)
    return share(model, processes, settings.sharing)


@dataclass(frozen=True)
class _Step:
    """What the gradients of a step were made of, over all processes."""

    loss_sum: float
    norm: float
    num_targets: int
    num_tokens: int
    stop_asked: bool

    @property
    def loss(self) -> float:
        """Mean over the targets."""
        return self.loss_sum / self.num_targets


def _gradient(
    network: nn.Module,
    micro_batches: Sequence[Batch],
    loss_of: Callable[[Any, Batch], Tensor],
    clip: float,
    key: tuple[int, int],
    processes: Processes,
    stop: Stop,
) -> _Step:
    """The gradient of the mean loss over all targets of the step, clipped."""
    counts = [sum(batch.num_targets for batch in micro_batches), sum(batch.num_tokens for batch in micro_batches)]
    # A signal reaches each process at its own time; they stop after the same step.
    num_targets, num_tokens, num_stopped = processes.sum(*counts, stop.asked)
    num_targets = max(1, int(num_targets))
    total = torch.zeros((), device=next(network.parameters()).device)
    for turn, batch in enumerate(micro_batches):
        # Dropout is a function of the step too, so a continued run drops what an unbroken one would.
        micro = turn * processes.count + processes.rank
        torch.manual_seed(key_of(*key, micro, "dropout") >> 1)
        with last_only(network, turn == len(micro_batches) - 1):
            loss_sum = loss_of(network, batch)
            # Gradients become their mean over processes, but the loss is a mean over targets.
            (loss_sum * processes.count / num_targets).backward()  # type: ignore[no-untyped-call]
        total += loss_sum.detach()
    gradients = [parameter for parameter in network.parameters() if parameter.grad is not None]
    norm = get_total_norm([parameter.grad for parameter in gradients if parameter.grad is not None])
    if clip:
        clip_grads_with_norm_(gradients, clip, norm)
    (loss,) = processes.sum(total.item())
    return _Step(loss, as_number(norm), num_targets, int(num_tokens), num_stopped > 0)


class _Losses:
    """Steps that were skipped: said in the metrics, and the way back to the last good state."""

    def __init__(self, run: RunFolder) -> None:
        self._run = run
        self._skips: list[dict[str, Any]] = []
        self._returns: list[int] = []

    def skip(self, progress: Progress, step: _Step, fault: str, micro_batches: Sequence[TrainingBatch]) -> None:
        """A line that says which examples were not learned from, and why."""
        indices = [int(index) for batch in micro_batches for index in batch.indices]
        # As text: JSON has no numbers for these.
        said = {"fault": fault, "loss": str(step.loss_sum), "gradient_norm": str(step.norm), "examples": indices}
        self._skips = [*self._skips[1 - SKIPPED_BEFORE_GOING_BACK :], {"step": progress.step, **said}]
        self._run.log(progress.step, skipped=progress.skipped, **said)

    def go_back(
        self, checkpoints: Checkpoints, model: nn.Module, optimizer: torch.optim.Optimizer, progress: Progress
    ) -> Progress | None:
        """After several skips in a row the last checkpoint is read, to go on from it behind the data that did it.

        None where it is too early for that, or there is no checkpoint. Raises DivergedError where it has not helped.
        """
        if progress.skipped_in_a_row >= MOST_SKIPPED_IN_A_ROW:
            raise self._hopeless(progress)
        if progress.skipped_in_a_row % SKIPPED_BEFORE_GOING_BACK:
            return None
        earlier = checkpoints.load(model, optimizer)
        if earlier is None:
            return None
        self._returns = [step for step in self._returns if step == earlier.step]
        if len(self._returns) == MOST_RETURNS:
            raise self._hopeless(progress)
        self._returns.append(earlier.step)
        first, behind = earlier.data_step, progress.data_step
        earlier.passed_over.append((first, behind))
        earlier.skipped, earlier.skipped_in_a_row = progress.skipped, 0
        self._run.rewind(earlier.step)
        self._run.log(earlier.step, went_back_from=progress.step, passed_over=[first, behind], skips=self._skips)
        return earlier

    def _hopeless(self, progress: Progress) -> DivergedError:
        return DivergedError(
            f"{self._run.path}: the last {progress.skipped_in_a_row} steps, to step {progress.step}, had no usable "
            "loss or gradient and were skipped; lower optim.peak_rate"
        )


def _checkpoints(run: RunFolder, settings: LoopSettings, processes: Processes) -> Checkpoints:
    folder, keep_every = run.path / "checkpoints", settings.keep_every
    return Checkpoints(folder, keep=settings.keep_checkpoints, keep_every=keep_every, processes=processes)


@contextlib.contextmanager
def _settled(checkpoints: Checkpoints) -> Iterator[None]:
    """What is being written gets its name before the loop is left, however it is left."""
    try:
        yield
    except Preempted:
        checkpoints.settle(wait=True)
        raise
    except BaseException:
        # The reason to leave is what is to be heard, not what else fails by it.
        with contextlib.suppress(Exception):
            checkpoints.settle(wait=True)
        raise
    checkpoints.settle(wait=True)


@contextlib.contextmanager
def _evaluating(network: nn.Module) -> Iterator[None]:
    network.eval()
    with torch.no_grad():
        yield
    network.train()
