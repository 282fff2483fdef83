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
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any, NoReturn, Protocol

from isogloss.children import end_with_parent, on_termination
from isogloss.corpus.engine import num_cores
from isogloss.corpus.extras import load_ray
from isogloss.errors import IsoglossError, Preempted

__all__ = ["Job", "LocalPool", "Pool", "RayPool", "run_jobs"]

THREADS = "OMP_NUM_THREADS"
STOPPED = "stopped and saved; the same command goes on from there"


@dataclass(frozen=True)
class Job:
    """Something to be done once all jobs that it ``needs`` are; ``work`` can be pickled."""

    name: str
    work: Callable[[], object]
    needs: tuple[str, ...] = ()


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


class LocalPool:
    """Processes of this machine, which share its cores; a process does one job after another."""

    def __init__(self, size: int) -> None:
        # spawn: a forked child would inherit the threads and locks of whatever the parent has loaded.
        self._context = multiprocessing.get_context("spawn")
        self._size = size
        self._idle: list[tuple[SpawnProcess, Connection]] = []
        self._busy: dict[Connection, tuple[SpawnProcess, str]] = {}

    def room(self) -> bool:
        return len(self._busy) < self._size

    def start(self, job: Job) -> None:
        process, connection = self._idle.pop() if self._idle else self._worker()
        connection.send_bytes(pickle.dumps(job.work))
        self._busy[connection] = (process, job.name)

    def ended(self) -> Iterator[tuple[str, str]]:
        for connection in wait(list(self._busy)):
            assert isinstance(connection, Connection)
            process, name = self._busy[connection]
            try:
                error = connection.recv()  # where SIGTERM may come, after which `stop` looks for this process
            except EOFError:
                process.join()
                del self._busy[connection]
                yield name, f"its process ended with exit code {process.exitcode} (out of memory?)"
                continue
            del self._busy[connection]
            self._idle.append((process, connection))
            yield name, error

    def stop(self) -> None:
        for _, connection in self._idle:
            connection.close()  # which ends a process that waits for a job
        for process, _ in self._busy.values():
            process.terminate()
        for process in [*(process for process, _ in self._idle), *(process for process, _ in self._busy.values())]:
            process.join()
        self._idle, self._busy = [], {}

    def _worker(self) -> tuple[SpawnProcess, Connection]:
        here, there = self._context.Pipe()
        process = self._context.Process(target=_serve, args=(there,), daemon=False)
        # Ctrl-C is for this process, which tells the others; none of them may hear it before it can wait.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            with _threads(max(1, num_cores() // self._size)):
                process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        there.close()
        return process, here


@contextlib.contextmanager
def _threads(number: int) -> Iterator[None]:
    """Processes that start in here compute with so many threads, unless the environment has said how many."""
    if THREADS in os.environ:
        yield
        return
    os.environ[THREADS] = str(number)
    try:
        yield
    finally:
        del os.environ[THREADS]


class RayPool:
    """Tasks of a Ray cluster whose machines all see the study's folder; a task whose machine is lost is done again."""

    def __init__(self, size: int, *, address: str = "", gpus: float = 0.0, tries: int = 3) -> None:
        self._ray = ray = load_ray()
        self._size = size
        if not ray.is_initialized():
            quiet: dict[str, Any] = {"include_dashboard": False, "log_to_driver": False, "logging_level": "ERROR"}
            ray.init(address, **quiet) if address else ray.init(num_cpus=size, **quiet)
        self._task = ray.remote(num_cpus=1, num_gpus=gpus, max_retries=tries - 1)(_do)
        self._running: dict[Any, str] = {}

    def room(self) -> bool:
        return len(self._running) < self._size

    def start(self, job: Job) -> None:
        self._running[self._task.remote(pickle.dumps(job.work))] = job.name

    def ended(self) -> Iterator[tuple[str, str]]:
        (reference,), _ = self._ray.wait(list(self._running))
        name = self._running.pop(reference)
        try:
            yield name, self._ray.get(reference)
        except self._ray.exceptions.RayError as error:
            yield name, str(error).splitlines()[0]

    def stop(self) -> None:
        for reference in self._running:
            self._ray.cancel(reference)
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
