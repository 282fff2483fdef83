"""Processes that we start ourselves end with the one that started them, however it ends, and it ends well if asked to.

context.Process(target=work).start()            # and in work, first: end_with_parent()
ProcessPoolExecutor(initializer=end_with_parent)
with on_termination(stop): ...                  # SIGTERM calls stop() instead of ending the process
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator

__all__ = ["end_with_parent", "on_termination"]


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


def end_with_parent() -> None:
    """Watch the parent from a thread. One that was killed cannot stop its children, and would leave them at work in
    folders that the next call wants to itself; they are sent SIGTERM."""
    threading.Thread(target=_wait_for_the_end, daemon=True).start()


def _wait_for_the_end() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None, "not a child process"
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)
