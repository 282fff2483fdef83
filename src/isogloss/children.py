"""Processes that we start ourselves end with the one that started them, however it ends, and it ends well if asked to.

context.Process(target=work).start()            # and in work, first: end_with_parent()
ProcessPoolExecutor(initializer=end_with_parent)
started("torch.distributed.run", "--help", said=log)     # `python -m` of a module, as a Popen
with on_termination(stop): ...                  # SIGTERM calls stop() instead of ending the process
with removed_at_the_end(folder): ...            # the folder is gone then, also after SIGKILL
with ended_by_signals(): ...                    # around a library's long call, in which no Python runs
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

__all__ = ["end_with_parent", "ended_by_signals", "on_termination", "removed_at_the_end", "started"]

# Waits until nobody holds the other end of its input any more. The folder steps aside first: by the time that another
# run wants its name, it is free.
REMOVE = """
import os, shutil, sys
sys.stdin.read()
folder = sys.argv[1]
try:
    os.rename(folder, folder + ".gone")
except OSError:
    sys.exit()
shutil.rmtree(folder + ".gone", ignore_errors=True)
"""
# Not sys.stdin: a thread that waits in its lock breaks the end of the interpreter.
RUN = """
import os, runpy, signal, sys, threading
def end_with_parent():
    os.read(0, 1)
    os.kill(os.getpid(), signal.SIGTERM)
threading.Thread(target=end_with_parent, daemon=True).start()
del sys.argv[0]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
"""


@contextlib.contextmanager
def on_termination(stop: Callable[[], object]) -> Iterator[None]:
    """Call ``stop``, which may raise, when SIGTERM comes; only a process's main thread can listen to it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, lambda number, frame: stop())
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextlib.contextmanager
def ended_by_signals() -> Iterator[None]:
    """SIGINT and SIGTERM end the process at once, as if no Python listened; only its main thread can say so."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    heard = [number for number in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(number) != signal.SIG_IGN]
    before = {number: signal.signal(number, signal.SIG_DFL) for number in heard}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def removed_at_the_end(folder: Path) -> Iterator[None]:
    """Remove ``folder`` when the block ends, also where the process is killed in the middle of it."""
    # In a session of its own: Ctrl-C goes to everything that the terminal's command has started.
    command = [sys.executable, "-I", "-S", "-c", REMOVE, str(folder.absolute())]
    silent = subprocess.DEVNULL
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=silent, stderr=silent, start_new_session=True):
        try:
            yield
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def started(module: str, *words: str, said: IO[bytes]) -> subprocess.Popen[bytes]:
    """Start ``python -m module words``, which is sent SIGTERM when this process ends, however it does.

    What it says, on both of its channels, goes to the file ``said``.
    """
    command = [sys.executable, "-c", RUN, module, *words]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=said, stderr=said)


def end_with_parent() -> None:
    """Watch the parent from a thread. One that was killed cannot stop its children, and would leave them at work in
    folders that the next call wants to itself; they are sent SIGTERM."""
    threading.Thread(target=_wait_for_the_end, daemon=True).start()


def _wait_for_the_end() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None, "not a child process"
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)
