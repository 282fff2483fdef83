"""The engine: every unit's answer once, in order, whoever dies; in real processes, of this machine and of Ray."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from isogloss.corpus.engine import EngineSettings, Unit, run_units
from isogloss.errors import DataError

NUM_UNITS = 5

# What the processes import; it must be a module that they find.
WORK = """
import os, signal, time
from pathlib import Path
from isogloss.errors import DataError

def work(number, folder, how):
    times = Path(folder) / f"times-{number}"
    with times.open("a") as file:
        file.write("x")
    first = times.stat().st_size == 1
    if number == 3 and (how == "always dies" or how == "dies once" and first):
        os.kill(os.getpid(), signal.SIGKILL)
    if how in ("waits", "meets another"):
        (Path(folder) / f"at-{os.getpid()}").touch()
    if how == "waits":
        signal.pause()
    if number == 0 and how == "meets another":
        end = time.monotonic() + 60
        while len(list(Path(folder).glob("at-*"))) < 2 and time.monotonic() < end:
            time.sleep(0.01)
    if number == 3 and how == "bad file":
        raise DataError("u3 cannot be read; take it out")
    if number == 3 and how == "full disk":
        raise OSError(28, "No space left on device", "u3.parquet")
    if number == 3 and how == "no number":
        raise OSError("Arrow says no number")
    if number == 3 and how == "our mistake":
        raise ZeroDivisionError("ours")
    return {"number": number, "process": os.getpid()}
"""
MAIN = """
import functools, json, sys
from pathlib import Path
from isogloss.corpus.engine import EngineSettings, Unit, run_units
from work_of_a_test import work

if __name__ == "__main__":
    folder, runner, how, num_units = Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])
    units = [
        Unit(f"u{n}", folder / f"{n}.json", functools.partial(work, n, str(folder), how)) for n in range(num_units)
    ]
    try:
        said = run_units(units, EngineSettings(runner=runner, workers=2), description="test")
    except BaseException as error:
        said = f"{type(error).__name__}: {error}"
    print(json.dumps(said))
"""


def run_in_background(folder: Path, how: str, runner: str = "native") -> subprocess.Popen[str]:
    (folder / "work_of_a_test.py").write_text(WORK, encoding="utf-8")
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])}
    out = folder / "out"
    out.mkdir(exist_ok=True)
    words = [sys.executable, "-c", MAIN, str(out), runner, how, str(NUM_UNITS)]
    return subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, cwd=folder
    )


def run(folder: Path, runner: str, how: str) -> object:
    started = run_in_background(folder, how, runner)
    said, errors = started.communicate()
    assert started.returncode == 0, errors[-2000:]
    return json.loads(said.splitlines()[-1])


def wait_for(found: Callable[[], list[int]], number: int) -> list[int]:
    end = time.monotonic() + 60
    while len(found()) < number:
        assert time.monotonic() < end, f"{found()} after a minute"
        time.sleep(0.05)
    return found()


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that nobody has asked about since it ended does not."""
    said = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True).stdout.strip()
    return bool(said) and not said.startswith("Z")


def numbers(said: object) -> list[int]:
    assert isinstance(said, list), said
    return [answer["number"] for answer in said]


def test_answers_come_in_order_from_several_processes_and_are_kept(tmp_path: Path) -> None:
    said = run(tmp_path, "native", "meets another")
    assert numbers(said) == list(range(NUM_UNITS))
    assert len({answer["process"] for answer in said}) > 1
    # The same again does nothing anew, whatever would have happened.
    assert run(tmp_path, "native", "always dies") == said


def test_a_process_that_dies_is_followed_by_another(tmp_path: Path) -> None:
    assert numbers(run(tmp_path, "native", "dies once")) == list(range(NUM_UNITS))
    assert (tmp_path / "out" / "times-3").read_text() == "xx"


def test_a_unit_that_always_kills_its_process_is_named_and_the_others_are_kept(tmp_path: Path) -> None:
    said = run(tmp_path, "native", "always dies")
    assert isinstance(said, str)
    assert said.startswith("DataError: the process at work died 3 times, with ")
    assert "u3" in said
    assert len((tmp_path / "out" / "times-3").read_text()) == 3
    assert (tmp_path / "out" / "0.json").exists()
    assert numbers(run(tmp_path, "native", "")) == list(range(NUM_UNITS))


@pytest.mark.parametrize(
    ("how", "start"),
    [
        ("bad file", "DataError: u3 cannot be read; take it out"),
        ("full disk", "OSError: [Errno 28] No space left on device: 'u3.parquet'"),
        ("no number", "OSError: Arrow says no number"),
        ("our mistake", "AssertionError: Traceback"),
    ],
)
def test_what_a_unit_raises_is_raised_here(tmp_path: Path, how: str, start: str) -> None:
    said = run(tmp_path, "native", how)
    assert isinstance(said, str)
    assert said.startswith(start)
    assert (tmp_path / "out" / "times-3").read_text() == "x"


def test_one_worker_needs_no_process_of_its_own(tmp_path: Path) -> None:
    units = [Unit(str(n), tmp_path / f"{n}.json", partial(dict, number=n)) for n in range(3)]
    said = run_units(units, EngineSettings(workers=1), description="")
    assert said == [{"number": 0}, {"number": 1}, {"number": 2}]
    with pytest.raises(DataError, match="no"):
        run_units([Unit("x", tmp_path / "x.json", _refuse)], EngineSettings(workers=1), description="")


def test_processes_end_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    with run_in_background(tmp_path, "waits") as started:
        pids = wait_for(lambda: [int(path.name.split("-")[1]) for path in (tmp_path / "out").glob("at-*")], 2)
        started.kill()
    wait_for(lambda: [pid for pid in pids if not is_alive(pid)], 2)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_ray_gives_the_same_answers_after_a_worker_is_killed(tmp_path: Path) -> None:
    pytest.importorskip("ray")
    assert numbers(run(tmp_path, "ray", "dies once")) == list(range(NUM_UNITS))
    assert (tmp_path / "out" / "times-3").read_text() == "xx"


def _refuse() -> dict[str, int]:
    raise DataError("no")
