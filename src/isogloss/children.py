"""Processes that we start ourselves end with the one that started them, however it ends.

context.Process(target=work).start()            # and in work, first: end_with_parent()
ProcessPoolExecutor(initializer=end_with_parent)
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading

__all__ = ["end_with_parent"]


def end_with_parent() -> None:
    """Watch the parent from a thread. One that was killed cannot stop its children, and would leave them at work in
    folders that the next call wants to itself; they are sent SIGTERM."""
    threading.Thread(target=_wait_for_the_end, daemon=True).start()


def _wait_for_the_end() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None, "not a child process"
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)
