"""A Ray cluster, joined or started here, whose answers are waited for in a way that SIGTERM and Ctrl-C can end.

cluster = Cluster("", num_cpus=2)              # "": one on this machine
reference = cluster.first([cluster.ray.remote(work).remote()])
cluster.answer(reference)                      # raises ray.exceptions.RayError
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from isogloss.corpus.extras import load_ray

__all__ = ["Cluster"]


class Cluster:
    """Ray as this process sees it; ``num_cpus`` are those of a cluster that is started here.

    Raises MissingExtraError without Ray.
    """

    def __init__(self, address: str, *, num_cpus: int) -> None:
        self.ray = load_ray()
        # A handler that raises within a call into Ray leaves it broken, so that another thread waits for Ray, and this
        # one for that.
        self._waiting = ThreadPoolExecutor(1)
        if self.ray.is_initialized():
            return
        given: dict[str, Any] = {"address": address} if address else {"num_cpus": num_cpus}
        given |= {"include_dashboard": False, "log_to_driver": False, "logging_level": "ERROR"}
        handler = signal.getsignal(signal.SIGTERM)
        self.ray.init(**given)
        if threading.current_thread() is threading.main_thread():
            # Ray has put its own there, of Python and of C++, which end the process at once.
            signal.signal(signal.SIGTERM, handler)

    def first(self, references: Iterable[Any]) -> Any:
        """Wait for the first of some tasks to end: its reference."""
        (reference,), _ = self._waiting.submit(self.ray.wait, list(references)).result()
        return reference

    def cancel(self, references: Iterable[Any], *, patience: float) -> None:
        """End tasks: KeyboardInterrupt is raised in each, and what goes on after ``patience`` seconds is killed."""
        left = list(references)
        for reference in left:
            self.ray.cancel(reference)
        if left:
            # Another thread than that which waits for the first of them.
            with ThreadPoolExecutor(1) as stopping:
                _, left = stopping.submit(self.ray.wait, left, num_returns=len(left), timeout=patience).result()
        for reference in left:
            self.ray.cancel(reference, force=True)

    def answer(self, reference: Any) -> Any:
        """What a task that has ended gave; raises its error, a RayError where its process or machine was lost."""
        return self._waiting.submit(self.ray.get, reference).result()
