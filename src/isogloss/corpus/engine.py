"""Units of work on all cores of a machine or on a Ray cluster: each is done once, whatever dies in between.

    units = [Unit("en.txt", Path("work/00000.json"), functools.partial(read_one, source, settings)), ...]
    answers = run_units(units, EngineSettings(workers=8), description="reading")

A unit writes its own files, and its answer (JSON) under `done` last, so a unit that has an answer is not done again and
one that was cut off is done from its beginning. Units are rows of a Daft data frame and `work` runs in a process of
Daft's native runner, or in an actor of its Ray runner on any machine that sees the same folders: the answers, and the
files, are the same. Units must not depend on each other.
"""

from __future__ import annotations

import json
import os
import pickle
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import Field
from rich.console import Console
from rich.progress import Progress

from isogloss import errors
from isogloss.config import Settings
from isogloss.corpus.extras import load_daft, load_ray
from isogloss.errors import DataError, IsoglossError
from isogloss.manifest import write_json

__all__ = ["EngineSettings", "Unit", "run_units"]


class EngineSettings(Settings):
    """Where the work of a corpus is done."""

    runner: Literal["native", "ray"] = Field("native", description="processes of this machine, or a Ray cluster")
    workers: int = Field(0, ge=0, description="units done at a time; 0: as many as there are cores")
    ray_address: str = Field("", description="of a running Ray cluster; none given, a local one is started")
    tries: int = Field(3, ge=1, description="a unit whose process dies is done again, so often in all")


@dataclass(frozen=True)
class Unit:
    """A piece of work: ``work`` can be pickled and its answer written as JSON; ``name`` is said if it fails."""

    name: str
    done: Path
    work: Callable[[], Mapping[str, Any]]


def run_units(units: Sequence[Unit], settings: EngineSettings, *, description: str) -> list[dict[str, Any]]:
    """Do what is left of the units and return the answers of all, in their order.

    Raises what a unit raised for a user's mistake or a full disk, and DataError where processes keep dying.
    """
    with Progress(console=Console(stderr=True), disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task(description, total=len(units))
        for number in range(1, settings.tries + 1):
            left = [unit for unit in units if not unit.done.exists()]
            progress.update(task, completed=len(units) - len(left))
            if not left:
                break
            try:
                for answer in _answers(left, settings):
                    _raise_if_failed(answer)
                    progress.advance(task)
            except IsoglossError:
                raise
            except RuntimeError as error:  # Daft's word for a process that is gone, on either runner
                if number == settings.tries:
                    raise _hopeless(units, settings.tries, error) from None
    return [json.loads(unit.done.read_text(encoding="utf-8")) for unit in units]


def _answers(units: Sequence[Unit], settings: EngineSettings) -> Iterator[dict[str, Any]]:
    """What each unit said, as it is done."""
    num_workers = settings.workers or _num_cores()
    if settings.runner == "native" and num_workers == 1:
        yield from map(_do, units)
        return
    daft = load_daft()
    ray_options = None
    if settings.runner == "ray":
        _start_ray(daft, settings)
        ray_options = {"max_restarts": -1, "max_task_retries": settings.tries - 1}

    @daft.cls(use_process=True, max_concurrency=min(len(units), num_workers), ray_options=ray_options)
    class Worker:
        @daft.method.batch(return_dtype=daft.DataType.string(), batch_size=1)  # type: ignore[untyped-decorator]
        def do(self, units: Any) -> list[str]:
            return [json.dumps(_unpickle_and_do(unit)) for unit in units.to_pylist()]

    frame = daft.from_pydict({"unit": [pickle.dumps(unit) for unit in units]})
    if settings.runner == "ray":
        frame = frame.into_partitions(len(units))  # an actor is given a partition at a time
    for row in frame.select(Worker().do(daft.col("unit")).alias("answer")).iter_rows():
        yield json.loads(row["answer"])


def _do(unit: Unit) -> dict[str, Any]:
    """Do a unit. What a user has to hear comes back as an answer: exceptions lose their kind between processes."""
    try:
        answer = unit.work()
        unit.done.parent.mkdir(parents=True, exist_ok=True)
        write_json(unit.done, answer)
    except IsoglossError as error:
        return {"error": type(error).__name__, "message": str(error)}
    except OSError as error:
        return {"error": "OSError", "errno": error.errno, "message": error.strerror, "file": error.filename}
    return {}


def _unpickle_and_do(pickled: bytes) -> dict[str, Any]:
    """What else goes wrong is a mistake of ours, and is told with its traceback: Daft would give it out as a process
    that died."""
    try:
        return _do(pickle.loads(pickled))
    except Exception:
        return {"error": "", "message": traceback.format_exc()}


def _raise_if_failed(answer: Mapping[str, Any]) -> None:
    if not answer:
        return
    assert answer["error"], answer["message"]
    if answer["error"] == "OSError":
        raise OSError(answer["errno"], answer["message"], answer["file"])
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


def _start_ray(daft: Any, settings: EngineSettings) -> None:
    """Connect Daft to the cluster, once a process: it takes one runner for good."""
    ray = load_ray()
    if not ray.is_initialized():
        quiet = {"include_dashboard": False, "log_to_driver": False, "logging_level": "ERROR"}
        # An actor takes a core, and so does what feeds it.
        num_cores = (settings.workers or _num_cores()) + 1
        ray.init(settings.ray_address) if settings.ray_address else ray.init(num_cpus=num_cores, **quiet)
    daft.set_runner_ray(noop_if_initialized=True)


def _num_cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
