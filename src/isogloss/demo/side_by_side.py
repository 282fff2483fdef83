"""Fine-tunings side by side, a process each: two small models on a core each finish sooner than one after the other on
both, for their steps are too short to be worth dividing.

    finetune_side_by_side({"pretrained": [nli, ner], "random": [nli_random, ner_random]})

Each process works off its own list in order and shows nothing; the bars here follow the runs' metrics.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import traceback
from collections.abc import Mapping, Sequence
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import NoReturn

import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from isogloss.children import end_with_parent, on_termination
from isogloss.errors import IsoglossError, Preempted
from isogloss.finetune import FinetuneSettings, finetune
from isogloss.runs import METRICS_NAME, read_metrics

__all__ = ["finetune_side_by_side"]

SECONDS_BETWEEN_LOOKS = 0.5


def finetune_side_by_side(lists: Mapping[str, Sequence[FinetuneSettings]]) -> None:
    """Do the fine-tunings of each list in order, all lists at once; those that are done stay as they are.

    Raises the first error of a list, after the other lists have saved their state and stopped; Preempted after SIGTERM
    (exit 75) or Ctrl-C (130), likewise.
    """
    # spawn: a forked child would inherit the threads and locks of whatever the parent has loaded.
    context = multiprocessing.get_context("spawn")
    num_threads = max(1, torch.get_num_threads() // len(lists))
    workers: dict[SpawnProcess, Connection] = {}
    failed: list[SpawnProcess] = []
    with on_termination(_stop):  # Ctrl-C raises KeyboardInterrupt by itself
        try:
            for name, todo in lists.items():
                here, there = context.Pipe(duplex=False)
                worker = context.Process(target=_work, args=(list(todo), num_threads, there), name=name, daemon=True)
                worker.start()
                there.close()
                workers[worker] = here
            _follow(list(workers), lists)
            failed = [worker for worker in workers if worker.exitcode]
        except KeyboardInterrupt:
            error = Preempted("stopped and saved; the same command goes on from there")
            error.exit_code = 130
            raise error from None
        finally:
            for worker in workers:
                if worker.is_alive():
                    worker.terminate()  # the loop saves its state and ends
                worker.join()
    if failed:
        raise _error_of(failed[0], workers[failed[0]])


def _follow(workers: Sequence[SpawnProcess], lists: Mapping[str, Sequence[FinetuneSettings]]) -> None:
    """Show how far the runs are until all workers are done or one has failed."""
    columns = (TextColumn("{task.description:32}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty()) as bars:
        shown = {
            bars.add_task(f"{settings.task} from {name} weights", total=settings.steps): settings
            for name, todo in lists.items()
            for settings in todo
        }
        while any(worker.is_alive() for worker in workers) and not any(worker.exitcode for worker in workers):
            wait([worker.sentinel for worker in workers if worker.is_alive()], timeout=SECONDS_BETWEEN_LOOKS)
            _update(bars, shown)


def _update(bars: Progress, shown: Mapping[TaskID, FinetuneSettings]) -> None:
    for bar, settings in shown.items():
        if not bars.tasks[bar].finished and (settings.run / METRICS_NAME).exists():
            lines = read_metrics(settings.run)
            bars.update(bar, completed=lines[-1]["step"] if lines else 0)


def _work(todo: Sequence[FinetuneSettings], num_threads: int, failure: Connection) -> None:
    """The fine-tunings of one list, in a process of their own; what goes wrong is sent as (message, exit code)."""
    torch.set_num_threads(num_threads)
    sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - open as long as the process lives
    end_with_parent()
    try:
        for settings in todo:
            finetune(settings)
    except IsoglossError as error:
        failure.send((str(error), error.exit_code))
        sys.exit(error.exit_code)
    except Exception:
        failure.send((traceback.format_exc(), 1))
        sys.exit(1)


def _error_of(worker: SpawnProcess, failure: Connection) -> Exception:
    if not failure.poll():
        return IsoglossError(
            f"the fine-tunings from {worker.name} weights ended with exit code {worker.exitcode}, without a word "
            "(out of memory?); the same command goes on from the last checkpoints"
        )
    message, exit_code = failure.recv()
    if exit_code == 1:
        return RuntimeError(message)
    error = IsoglossError(message)
    error.exit_code = exit_code
    return error


def _stop() -> NoReturn:
    raise Preempted("stopped and saved; the same command goes on from there")
