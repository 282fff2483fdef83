"""What a unit took: of one that works, one that waits, and one after a large one."""

from __future__ import annotations

import functools
import mmap
import sys
import time
from pathlib import Path

import pytest

from isogloss.corpus.costs import measured, read_costs
from isogloss.corpus.engine import EngineSettings, Unit, run_units


def test_work_takes_the_processor_and_waiting_does_not() -> None:
    answer, waited = measured(functools.partial(_answer, lambda: time.sleep(0.2)), own_process=False)
    assert answer == {"a": 1}
    assert waited.wall_seconds >= 0.2
    assert waited.processor_seconds < 0.1
    _, worked = measured(functools.partial(_answer, _work), own_process=False)
    assert 0.05 < worked.processor_seconds <= worked.wall_seconds + 0.05


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere the peak is not set back")
def test_the_peak_is_that_of_the_unit_in_a_process_of_its_own() -> None:
    large = measured(functools.partial(_answer, _fill), own_process=True)[1].peak_bytes
    after = measured(functools.partial(_answer, lambda: None), own_process=True)[1].peak_bytes
    assert large - after > 150 << 20
    shared = measured(functools.partial(_answer, _fill), own_process=False)[1].peak_bytes
    assert measured(functools.partial(_answer, lambda: None), own_process=False)[1].peak_bytes >= shared


def test_the_engine_leaves_a_cost_beside_each_answer_and_the_answer_as_it_is(tmp_path: Path) -> None:
    units = [Unit(str(n), tmp_path / f"{n}.json", functools.partial(dict, number=n)) for n in range(3)]
    assert run_units(units, EngineSettings(workers=1), description="") == [{"number": n} for n in range(3)]
    costs = read_costs(tmp_path)
    assert list(costs) == ["0", "1", "2"]
    assert all(cost.peak_bytes > 1 << 20 and cost.wall_seconds >= 0 for cost in costs.values())


def _answer(work: object) -> dict[str, int]:
    assert callable(work)
    work()
    return {"a": 1}


def _work() -> None:
    end = time.process_time() + 0.1
    while time.process_time() < end:
        pass


def _fill() -> None:
    # Pages of their own: of what the heap has free from earlier work, none would be new.
    with mmap.mmap(-1, 200 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as pages:
        for place in range(0, len(pages), mmap.PAGESIZE):
            pages[place] = 1
