"""Waiting: what Retry-After says, how long a wait may be, and that a stop ends it."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isogloss.corpus.politeness import Pace, PoliteSettings, StoppedError, retry_after

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@given(st.integers(-100_000, 100_000))
def test_retry_after_is_seconds_or_a_date(seconds: int) -> None:
    date = format_datetime(NOW + timedelta(seconds=seconds), usegmt=True)
    assert retry_after(date, NOW) == max(0, seconds)
    assert retry_after(str(abs(seconds)), NOW) == abs(seconds)


@given(st.one_of(st.none(), st.just("-1"), st.just("soon"), st.text(max_size=30)))
def test_any_other_retry_after_says_nothing_or_a_wait(value: str | None) -> None:
    said = retry_after(value, NOW)
    assert said is None or said >= 0


def test_waits_stay_under_a_bound_that_doubles(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    settings = PoliteSettings(backoff_seconds=1, longest_wait_seconds=60)
    pace = Pace(settings)
    monkeypatch.setattr(pace, "_wait", waited.append)
    for num_tries in (1, 2, 3, 5, 20, 500):
        for _ in range(200):
            pace.back_off(num_tries)
        bound = min(60, 2 ** (num_tries - 1))
        assert 0.8 * bound < max(waited) <= bound
        assert min(waited) < 0.2 * bound, "full jitter begins at nothing"
        waited.clear()


def test_a_stop_ends_a_wait() -> None:
    stop = threading.Event()
    pace = Pace(PoliteSettings(pause_seconds=60), stop)
    pace.wait_turn()
    threading.Timer(0.1, stop.set).start()
    start = time.monotonic()
    with pytest.raises(StoppedError):
        pace.wait_turn()
    assert time.monotonic() - start < 30
    with pytest.raises(StoppedError):
        pace.check()
