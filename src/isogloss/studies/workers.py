"""Jobs that wait for each other, several at a time, in processes of this machine or on a Ray cluster.

    failed = run_jobs([Job("vocab", make, ()), Job("cell", run, ("vocab",))], LocalPool(2), tell=print)

A job that fails, or whose process dies, is told with its error, and so are the jobs that wait for it; the others go on.
SIGTERM and Ctrl-C end all processes, which save their state, and raise Preempted.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import pickle
import signal
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any, NoReturn, Protocol

from isogloss.children import end_with_parent, on_termination
from isogloss.corpus.cluster import Cluster
from isogloss.corpus.engine import num_cores
from isogloss.errors import ConfigError, IsoglossError, Preempted

__all__ = ["Job", "LocalPool", "Pool", "RayPool", "run_jobs"]

THREADS, VISIBLE_GPUS = "OMP_NUM_THREADS", "CUDA_VISIBLE_DEVICES"
# Seconds in which a cluster's tasks save their state.
PATIENCE = 300
STOPPED = "stopped and saved; the same command goes on from there"


@dataclass(frozen=True)
class Job:
    """Something to be done once all jobs that it ``needs`` are; ``work`` can be pickled. A cluster finds ``gpus``."""

    name: str
    work: Callable[[], object]
    needs: tuple[str, ...] = ()
    gpus: float = 0.0


class Pool(Protocol):
    """Where jobs are done."""

    def room(self) -> bool: ...
    def start(self, job: Job) -> None: ...
    def ended(self) -> Iterator[tuple[str, str]]:
        """Wait until a job has ended: its name, and what went wrong, if anything."""
        ...

    def stop(self) -> None:
        """End all that is at work, after it has saved its state."""
        ...


def run_jobs(jobs: Sequence[Job], pool: Pool, *, tell: Callable[[str, str], object]) -> dict[str, str]:
    """Do all jobs and return what went wrong, by name; ``tell(name, error)`` hears of each as it ends."""
    errors: dict[str, str] = {}
    done: set[str] = set()
    waiting, running = list(jobs), set[str]()

    def end(name: str, error: str) -> None:
        running.discard(name)
        (errors.__setitem__(name, error) if error else done.add(name))
        tell(name, error)

    with on_termination(_stop):  # Ctrl-C raises KeyboardInterrupt by itself
        try:
            while waiting or running:
                for job in list(waiting):
                    if lost := next((name for name in job.needs if name in errors), None):
                        waiting.remove(job)
                        end(job.name, errors[lost])
                    elif done.issuperset(job.needs) and pool.room():
                        waiting.remove(job)
                        running.add(job.name)
                        pool.start(job)
                if running:
                    for name, error in pool.ended():
                        end(name, error)
        except KeyboardInterrupt:
            raise _stopped(130) from None
        finally:
            pool.stop()
    return errors


@dataclass(frozen=True)
class Worker:
    """A process of this machine that waits for jobs, and the GPUs that it alone sees ("2,3"; "" for all)."""

    process: SpawnProcess
    connection: Connection
    gpus: str


class LocalPool:
    """Processes of this machine, which share its cores; a process does one job after another.

    ``gpus`` are those of each process, where they are not to see all.
    """

    def __init__(self, size: int, *, gpus: Sequence[str] = ()) -> None:
        assert not gpus or len(gpus) == size, "each process has its own"
        # spawn: a forked child would inherit the threads and locks of whatever the parent has loaded.
        self._context = multiprocessing.get_context("spawn")
        self._size = size
        self._free_gpus = list(gpus) or [""] * size
        self._idle: list[Worker] = []
        self._busy: dict[Connection, tuple[Worker, str]] = {}

    def room(self) -> bool:
        return len(self._busy) < self._size

    def start(self, job: Job) -> None:
        worker = self._waiting() or self._worker()
        # To one that has died while it loaded torch: `ended` finds that out.
        with contextlib.suppress(BrokenPipeError):
            worker.connection.send_bytes(pickle.dumps(job.work))
        self._busy[worker.connection] = (worker, job.name)

    def ended(self) -> Iterator[tuple[str, str]]:
        for connection in wait(list(self._busy)):
            assert isinstance(connection, Connection)
            worker, name = self._busy[connection]
            try:
                error = connection.recv()  # where SIGTERM may come, after which `stop` looks for this process
                self._idle.append(worker)
            except (EOFError, ConnectionError):  # the latter of one that has not even read its job
                worker.process.join()
                error = f"its process ended with exit code {worker.process.exitcode} (out of memory?)"
                self._free_gpus.append(worker.gpus)
            del self._busy[connection]
            yield name, error

    def stop(self) -> None:
        for worker in self._idle:
            worker.connection.close()  # which ends a process that waits for a job
        for worker, _ in self._busy.values():
            worker.process.terminate()
        for worker in [*self._idle, *(worker for worker, _ in self._busy.values())]:
            worker.process.join()
            self._free_gpus.append(worker.gpus)
        self._idle, self._busy = [], {}

    def _waiting(self) -> Worker | None:
        """A process that waits for a job, if there is one; those that were killed meanwhile are forgotten."""
        while self._idle:
            worker = self._idle.pop()
            if worker.process.is_alive():
                return worker
            self._free_gpus.append(worker.gpus)
        return None

    def _worker(self) -> Worker:
        here, there = self._context.Pipe()
        process = self._context.Process(target=_serve, args=(there,), daemon=False)
        gpus = self._free_gpus.pop(0)
        given = {} if THREADS in os.environ else {THREADS: str(max(1, num_cores() // self._size))}
        # Ctrl-C is for this process, which tells the others; none of them may hear it before it can wait.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            with _environment(given | ({VISIBLE_GPUS: gpus} if gpus else {})):
                process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        there.close()
        return Worker(process, here, gpus)


@contextlib.contextmanager
def _environment(given: Mapping[str, str]) -> Iterator[None]:
    """Processes that start in here find these words in their environment."""
    before = {name: os.environ.get(name) for name in given}
    os.environ.update(given)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


class RayPool:
    """Tasks of a Ray cluster whose machines all see the study's folder; a task whose machine is lost is done again."""

    def __init__(self, size: int, *, address: str = "", tries: int = 3) -> None:
        self._size = size
        self._cluster = Cluster(address, num_cpus=size)
        self._ray = self._cluster.ray
        self._task = self._ray.remote(num_cpus=1, max_retries=tries - 1)(_do)
        self._running: dict[Any, str] = {}

    def room(self) -> bool:
        return len(self._running) < self._size

    def start(self, job: Job) -> None:
        there = self._ray.cluster_resources().get("GPU", 0.0)
        if job.gpus > there:  # Ray would wait for them without a word
            raise ConfigError(
                f"{job.name} is given {job.gpus:g} GPUs by gpus_per_cell, and the Ray cluster has {there:g}; "
                "take fewer, device=cpu, or a larger cluster"
            )
        self._running[self._task.options(num_gpus=job.gpus).remote(pickle.dumps(job.work))] = job.name

    def ended(self) -> Iterator[tuple[str, str]]:
        reference = self._cluster.first(self._running)
        name = self._running.pop(reference)
        try:
            yield name, self._cluster.answer(reference)
        except self._ray.exceptions.RayError as error:
            yield name, str(error).splitlines()[0]

    def stop(self) -> None:
        self._cluster.cancel(self._running, patience=PATIENCE)
        self._running = {}


def _serve(jobs: Connection) -> None:
    """A worker: jobs come, and errors go back, until nobody holds the other end."""
    sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - open as long as the process lives
    end_with_parent()
    while True:
        try:
            pickled = jobs.recv_bytes()
        except EOFError:
            return
        jobs.send(_do(pickled))


def _do(pickled: bytes) -> str:
    """Do a job; what went wrong, in a line for a user's mistake, else with the last lines of its traceback."""
    try:
        pickle.loads(pickled)()
    except Preempted as error:
        sys.exit(error.exit_code)
    except IsoglossError as error:
        return str(error) or type(error).__name__
    except OSError as error:
        return f"{error.filename or 'a file'}: {error.strerror or error}"
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        return f"{type(error).__name__}: {error} ({Path(where.filename).name}, line {where.lineno})"
    return ""


def _stop() -> NoReturn:
    raise Preempted(STOPPED)


def _stopped(exit_code: int) -> Preempted:
    error = Preempted(STOPPED)
    error.exit_code = exit_code
    return error
