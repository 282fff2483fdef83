"""Units of work on all cores of a machine or on a Ray cluster: each is done once, whatever dies in between.

    units = [Unit("en.txt", Path("work/00000.json"), functools.partial(read_one, source, settings)), ...]
    answers = run_units(units, EngineSettings(workers=8), description="reading")

A unit writes its own files, and its answer (JSON) under `done` last, so a unit that has an answer is not done again and
one that was cut off is done from its beginning; what it took lies beside (:mod:`isogloss.corpus.costs`). `work` runs in
a process of this machine, or as a task of Ray on any machine that sees the same folders: the answers, and the files,
are the same. Units must not depend on each other. (Daft's own Ray runner was tried here: after one of its actors was
killed it sometimes waited for ever. And its group-by holds all keys of a group in memory, which no setting bounds.)
"""

from __future__ import annotations

import json
import multiprocessing
import os
import pickle
import signal
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NoReturn

from pydantic import Field, model_validator
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from isogloss import errors
from isogloss.children import end_with_parent, on_termination
from isogloss.config import Settings
from isogloss.corpus.cluster import Cluster
from isogloss.corpus.costs import measured, write_cost
from isogloss.errors import DataError, IsoglossError, Preempted
from isogloss.manifest import write_json

__all__ = ["EngineSettings", "Unit", "answer_of", "finish_units", "num_cores", "preempt", "run_units"]

# Seconds in which a cluster's tasks end that are not wanted any more.
PATIENCE = 10.0


class EngineSettings(Settings):
    """Where the work of a corpus is done."""

    runner: Literal["native", "ray"] = Field("native", description="processes of this machine, or a Ray cluster")
    workers: int = Field(0, ge=0, description="units done at a time; 0: as many as there are cores")
    ray_address: str = Field("", description="of a running Ray cluster; none given, a local one is started")
    tries: int = Field(3, ge=1, description="a unit whose process dies is done again, so often in all")

    @model_validator(mode="after")
    def _address_is_used(self) -> EngineSettings:
        if self.ray_address and self.runner != "ray":
            raise ValueError(f"ray_address = '{self.ray_address}' is for runner = 'ray', not '{self.runner}'")
        return self


@dataclass(frozen=True)
class Unit:
    """A piece of work: ``work`` can be pickled and its answer written as JSON; ``name`` is said if it fails.

    Where every unit has ``num_bytes``, of what it reads, progress is told in bytes.
    """

    name: str
    done: Path
    work: Callable[[], Mapping[str, Any]]
    num_bytes: int = 0


def run_units(units: Sequence[Unit], settings: EngineSettings, *, description: str) -> list[dict[str, Any]]:
    """Do what is left of the units and return the answers of all, in their order.

    Raises what a unit raised for a user's mistake or a full disk, and DataError where processes keep dying.
    """
    finish_units(units, settings, description=description)
    return [answer_of(unit) for unit in units]


def answer_of(unit: Unit) -> dict[str, Any]:
    """What a finished unit said."""
    answer: dict[str, Any] = json.loads(unit.done.read_text(encoding="utf-8"))
    return answer


def finish_units(units: Sequence[Unit], settings: EngineSettings, *, description: str) -> None:
    """Do what is left of the units; raises as :func:`run_units` does, and Preempted after SIGTERM."""
    in_bytes = all(unit.num_bytes for unit in units)
    columns = _columns_in_bytes() if in_bytes else Progress.get_default_columns()
    bar = Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty())
    with on_termination(preempt), bar as progress:
        whole = sum(unit.num_bytes for unit in units) if in_bytes else len(units)
        task = progress.add_task(description, total=whole)
        for number in range(1, settings.tries + 1):
            left = [unit for unit in units if not unit.done.exists()]
            progress.update(task, completed=whole - sum(unit.num_bytes if in_bytes else 1 for unit in left))
            if not left:
                break
            try:
                for unit, answer in _answers(left, settings):
                    _raise_if_failed(answer)
                    progress.advance(task, unit.num_bytes if in_bytes else 1)
            except BrokenExecutor as error:
                if number == settings.tries or settings.runner == "ray":  # which has tried as often itself
                    raise _hopeless(units, settings.tries, error) from None


def _columns_in_bytes() -> tuple[ProgressColumn, ...]:
    return (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )


def _answers(units: Sequence[Unit], settings: EngineSettings) -> Iterator[tuple[Unit, dict[str, Any]]]:
    """Each unit and what it said, as it is done; raises BrokenExecutor where a process died too often."""
    num_workers = settings.workers or num_cores()
    if settings.runner == "ray":
        yield from _from_ray(units, num_workers, settings)
    elif num_workers == 1:
        for unit in units:
            _finish(unit, own_process=False)
            yield unit, {}
    else:
        # Not forked: a copy of a process that has threads may wait for ever for what another thread held.
        fresh = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(min(num_workers, len(units)), fresh, _begin) as pool:
            # Neither may come between a worker's start and what it is told to do.
            before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
            futures = {pool.submit(_do, pickle.dumps(unit)): unit for unit in units}
            try:
                signal.pthread_sigmask(signal.SIG_SETMASK, before)
                for future in as_completed(futures):
                    yield futures[future], future.result()
            except (KeyboardInterrupt, Preempted):
                # The units they are at may take long, and are done again from their beginning.
                for worker in multiprocessing.active_children():
                    worker.terminate()
                raise
            except BaseException:
                for future in futures:
                    future.cancel()
                raise


def _begin() -> None:
    """Of a worker, which was started with both signals blocked: Ctrl-C stays so, it is for the first process."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    end_with_parent()


def preempt() -> NoReturn:
    """What SIGTERM does to work that the same command goes on with."""
    raise Preempted("stopped; what is finished is kept, and the same command goes on from there")


def _from_ray(
    units: Sequence[Unit], num_workers: int, settings: EngineSettings
) -> Iterator[tuple[Unit, dict[str, Any]]]:
    """Ray does a task again, elsewhere, when its process or its machine is lost."""
    cluster = Cluster(settings.ray_address, num_cpus=num_workers)
    task = cluster.ray.remote(num_cpus=1, max_retries=settings.tries - 1)(_do)
    left = {task.remote(pickle.dumps(unit)): unit for unit in units}
    try:
        while left:
            done = cluster.first(left)
            yield left.pop(done), cluster.answer(done)
    except cluster.ray.exceptions.RayError as error:
        raise BrokenExecutor(str(error)) from None
    finally:
        cluster.cancel(left, patience=PATIENCE)


def _finish(unit: Unit, *, own_process: bool) -> None:
    answer, cost = measured(unit.work, own_process=own_process)
    unit.done.parent.mkdir(parents=True, exist_ok=True)
    write_cost(unit.done, cost)
    write_json(unit.done, answer)


def _do(pickled: bytes) -> dict[str, Any]:
    """Do a unit in another process. What a user has to hear comes back as an answer, since exceptions lose their kind
    on the way; what else goes wrong is a mistake of ours, and is told with its traceback."""
    try:
        _finish(pickle.loads(pickled), own_process=True)
    except IsoglossError as error:
        return {"error": type(error).__name__, "message": str(error)}
    except OSError as error:
        # Arrow's errors may have no number, and what they say is no `strerror` then.
        return {
            "error": "OSError",
            "errno": error.errno,
            "message": error.strerror or str(error),
            "file": error.filename and str(error.filename),
        }
    except Exception:
        return {"error": "", "message": traceback.format_exc()}
    return {}


def _raise_if_failed(answer: Mapping[str, Any]) -> None:
    if not answer:
        return
    assert answer["error"], answer["message"]
    if answer["error"] == "OSError":
        known = answer["errno"] is not None
        raise OSError(answer["errno"], answer["message"], answer["file"]) if known else OSError(answer["message"])
    kind = getattr(errors, answer["error"], IsoglossError)
    raise (IsoglossError if kind is errors.MissingExtraError else kind)(answer["message"])


def _hopeless(units: Sequence[Unit], tries: int, error: Exception) -> DataError:
    left = [unit.name for unit in units if not unit.done.exists()]
    names = ", ".join(left[:3]) + (f" and {len(left) - 3} more" if len(left) > 3 else "")
    said = str(error).splitlines()[0][:200]
    return DataError(
        f"the process at work died {tries} times, with {names} not done ({said}); what is finished is kept: start "
        "again with more memory or fewer workers, or take the file out"
    )


def num_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
