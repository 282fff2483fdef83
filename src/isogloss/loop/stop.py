"""SIGTERM and Ctrl-C, heard by a loop that ends its step and saves before it stops.

with Stop() as stop:
    while not stop.asked: ...
    raise stop.preempted(run, step)              # exit 75, or 130 after Ctrl-C
"""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any, Self

from isogloss.errors import Preempted
from isogloss.runs import RunFolder

__all__ = ["Stop"]


class Stop:
    """SIGTERM and Ctrl-C ask the loop to stop after its step; a second Ctrl-C stops at once."""

    def __init__(self) -> None:
        self._signal = 0
        self._earlier: dict[int, Any] = {}

    @property
    def asked(self) -> bool:
        return self._signal != 0

    def preempted(self, run: RunFolder, step: int) -> Preempted:
        error = Preempted(f"stopped and saved at step {step} in {run.path}; the same command goes on from there")
        if self._signal == signal.SIGINT:
            error.exit_code = 130
        return error

    def __enter__(self) -> Self:
        # Python gives signals to the main thread only; elsewhere the caller has to stop the run in its own way.
        if threading.current_thread() is threading.main_thread():
            self._earlier = {number: signal.signal(number, self._note) for number in (signal.SIGTERM, signal.SIGINT)}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._earlier.items():
            signal.signal(number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self._signal == number == signal.SIGINT:
            raise KeyboardInterrupt
        self._signal = number
