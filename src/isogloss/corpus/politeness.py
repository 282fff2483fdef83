"""How often and how soon a server is asked: one pause for all connections, and waiting that grows where it refuses.

    pace = Pace(settings)
    pace.wait_turn()                  # before each request
    pace.back_off(tries, asked=20.0)  # after a refusal; `asked`: what Retry-After says

Waiting times are drawn from nothing to a bound that doubles with each try ("full jitter": Brooker, AWS Architecture
Blog, 2015), so that those who were refused together do not come back together. What the server asks for holds for
every connection.
"""

from __future__ import annotations

import random
import threading
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from pydantic import Field

from isogloss.config import Settings

__all__ = ["Pace", "PoliteSettings", "StoppedError", "retry_after"]


class PoliteSettings(Settings):
    """How a server is treated."""

    connections: int = Field(2, ge=1, le=16, description="files fetched at the same time")
    pause_seconds: float = Field(1.0, ge=0, description="least time between two requests, of all connections together")
    tries: int = Field(12, ge=1, description="requests for one file before it is given up")
    backoff_seconds: float = Field(1.0, gt=0, description="bound of the first wait after a refusal; it doubles")
    longest_wait_seconds: float = Field(600.0, gt=0, description="bound of any wait, of what a server asks for too")
    timeout_seconds: float = Field(60.0, gt=0, description="a connection on which nothing comes for so long is broken")
    contact: str = Field("", description="mail or web address for the server's people; stands in the User-Agent")


class StoppedError(Exception):
    """Waiting was broken off because the whole work ends. Never leaves this room."""


class Pace:
    """Shared by all connections; ``stop`` ends every wait."""

    def __init__(self, settings: PoliteSettings, stop: threading.Event | None = None) -> None:
        self._settings = settings
        self._stop = stop or threading.Event()
        self._lock = threading.Lock()
        self._next = 0.0  # on the monotonic clock

    def check(self) -> None:
        """Raises StoppedError if the whole work ends."""
        if self._stop.is_set():
            raise StoppedError

    def wait_turn(self) -> None:
        """Wait until the next request may go out. Raises StoppedError."""
        while True:
            with self._lock:
                left = self._next - time.monotonic()
                if left <= 0:
                    self._next = time.monotonic() + self._settings.pause_seconds
                    return
            self._wait(left)

    def back_off(self, num_tries: int, *, asked: float | None = None) -> None:
        """Wait after the ``num_tries``-th failure of a file, and hold up all connections if the server asks for it.

        Raises StoppedError.
        """
        longest = self._settings.longest_wait_seconds
        bound = min(longest, self._settings.backoff_seconds * 2 ** min(num_tries - 1, 30))
        if asked is not None:
            with self._lock:
                self._next = max(self._next, time.monotonic() + min(asked, longest))
        self._wait(random.uniform(0, bound))

    def _wait(self, seconds: float) -> None:
        if self._stop.wait(seconds):
            raise StoppedError


def retry_after(value: str | None, now: datetime | None = None) -> float | None:
    """Seconds that a Retry-After header asks for, written as a number or as a date; None if it says neither."""
    if not value:
        return None
    if value.strip().isdecimal():
        return float(value)
    try:
        date = parsedate_to_datetime(value)
    except ValueError:
        return None
    date = date if date.tzinfo else date.replace(tzinfo=UTC)
    return max(0.0, (date - (now or datetime.now(UTC))).total_seconds())
