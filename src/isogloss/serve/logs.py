"""Structured logs: a JSON object a line, written by a thread of its own, so that a full pipe stops nobody.

    log = Log(sys.stderr)
    log.write("request", route="/ask/tag", status=200, texts=3)
    log.close()

Texts of requests are never in them: not in lines about requests, and not in lines about our own mistakes, which have
the kind of the error and where in the program it was, but not its message.
"""

from __future__ import annotations

import json
import queue
import threading
import traceback
from datetime import UTC, datetime
from typing import Any, TextIO

__all__ = ["Log"]

# Lines that wait to be written; later ones are lost and counted.
LONGEST_QUEUE = 10_000


class Log:
    """Lines for `stream`, in order."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lines: queue.Queue[str | None] = queue.Queue(LONGEST_QUEUE)
        self._num_lost = 0
        self._thread = threading.Thread(target=self._work, name="log", daemon=True)
        self._thread.start()

    def write(self, event: str, *, level: str = "info", **facts: Any) -> None:
        """One line; never waits. What is None is left out."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        line = {"time": now, "level": level, "event": event, **facts}
        if self._num_lost:
            line["lines_lost"] = self._num_lost
        try:
            self._lines.put_nowait(json.dumps({name: fact for name, fact in line.items() if fact is not None}))
            self._num_lost = 0
        except queue.Full:
            self._num_lost += 1

    def error(self, error: BaseException, **facts: Any) -> None:
        """A mistake of ours: its kind and where it was, without its message, which may quote a text."""
        frames = traceback.extract_tb(error.__traceback__)
        where = [f"{frame.filename.rpartition('site-packages/')[2]}:{frame.lineno} {frame.name}" for frame in frames]
        self.write("error", level="error", error=type(error).__name__, where=where, **facts)

    def close(self, *, seconds: float = 2) -> None:
        """Write what is left, unless nobody reads it."""
        try:
            self._lines.put(None, timeout=seconds)
        except queue.Full:
            return
        self._thread.join(seconds)

    def _work(self) -> None:
        while (line := self._lines.get()) is not None:
            try:
                self._stream.write(f"{line}\n")
                self._stream.flush()
            except (OSError, ValueError):  # the other end is gone, or the stream is closed
                return
