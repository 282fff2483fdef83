"""Jobs: in the order that they need, several at a time, and a failure takes along what waits for it and no more."""

from __future__ import annotations

import os
import signal
import time
from functools import partial
from pathlib import Path

import pytest

from isogloss.errors import DataError
from isogloss.studies.workers import Job, LocalPool, Pool, RayPool, run_jobs


def work(folder: Path, name: str, needs: tuple[str, ...] = ()) -> None:
    """Leaves a file; fails where what it needs has not left its own."""
    for other in needs:
        assert (folder / other).exists(), f"{other} was not done before {name}"
    if name == "wrong":
        raise DataError("no text of it")
    if name == "broken":
        raise ZeroDivisionError("a mistake")
    if name == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    (folder / name).write_text(str(os.getpid()), encoding="utf-8")


def jobs_in(folder: Path, *needs: tuple[str, tuple[str, ...]]) -> list[Job]:
    return [Job(name, partial(work, folder, name, needed), needed) for name, needed in needs]


GRAPH = (
    ("last", ("middle", "other")),
    ("first", ()),
    ("middle", ("first",)),
    ("other", ("first",)),
    ("after wrong", ("wrong",)),
    ("wrong", ()),
    ("after that", ("after wrong", "first")),
    ("broken", ()),
    ("killed", ()),
    ("alone", ()),
)


def check(folder: Path, pool: Pool) -> dict[str, str]:
    told: list[str] = []
    errors = run_jobs(jobs_in(folder, *GRAPH), pool, tell=lambda name, error: told.append(name))
    assert sorted(told) == sorted(name for name, _ in GRAPH)
    assert {path.name for path in folder.iterdir()} == {"first", "middle", "other", "last", "alone"}
    assert errors.keys() == {"wrong", "after wrong", "after that", "broken", "killed"}
    assert errors["wrong"] == errors["after wrong"] == errors["after that"] == "no text of it"
    assert "ZeroDivisionError: a mistake (test_workers.py" in errors["broken"]
    return errors


def test_jobs_run_in_order_and_failures_stay_where_they_are(tmp_path: Path) -> None:
    errors = check(tmp_path, LocalPool(2))
    assert errors["killed"] == "its process ended with exit code -9 (out of memory?)"
    assert str(os.getpid()) not in {path.read_text(encoding="utf-8") for path in tmp_path.iterdir()}


def see(folder: Path, name: str) -> None:
    """Leaves the GPUs that it sees; together with another, so that each has a process."""
    (folder / name).write_text(os.environ.get("CUDA_VISIBLE_DEVICES", "all"), encoding="utf-8")
    while len([*folder.iterdir()]) < 2:
        time.sleep(0.01)
    if name == "killed":
        os.kill(os.getpid(), signal.SIGKILL)


def test_each_process_sees_its_own_gpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,5,6,7")
    jobs = [Job(name, partial(see, tmp_path, name)) for name in ("killed", "one", "other", "another")]
    pool = LocalPool(2, gpus=["4,5", "6,7"])
    assert run_jobs(jobs, pool, tell=lambda name, error: None).keys() == {"killed"}
    seen = {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()}
    # A process that takes the place of one that was killed has its GPUs.
    assert {seen["killed"], seen["one"]} == {"4,5", "6,7"}
    assert {*seen.values()} == {"4,5", "6,7"}
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "4,5,6,7"


class Unread:
    """Ends the process that would read it."""

    def __reduce__(self) -> tuple[object, ...]:
        return os._exit, (3,)

    def __call__(self) -> None: ...


def test_a_process_that_dies_before_its_job_begins_is_an_error_of_that_job(tmp_path: Path) -> None:
    jobs = [Job("unread", Unread()), *jobs_in(tmp_path, ("one", ()), ("other", ()))]
    errors = run_jobs(jobs, LocalPool(1), tell=lambda name, error: None)
    assert errors == {"unread": "its process ended with exit code 3 (out of memory?)"}
    assert {path.name for path in tmp_path.iterdir()} == {"one", "other"}


def test_a_process_that_was_killed_while_it_waited_is_replaced(tmp_path: Path) -> None:
    def kill(name: str, error: str) -> None:
        if name == "one":
            process = int((tmp_path / "one").read_text(encoding="utf-8"))
            os.kill(process, signal.SIGKILL)
            while Path(f"/proc/{process}/stat").exists() and " Z " not in Path(f"/proc/{process}/stat").read_text():
                time.sleep(0.01)

    assert run_jobs(jobs_in(tmp_path, ("one", ()), ("other", ())), LocalPool(1), tell=kill) == {}
    one, other = ((tmp_path / name).read_text(encoding="utf-8") for name in ("one", "other"))
    assert one != other


@pytest.mark.slow
def test_ray_does_the_same(tmp_path: Path) -> None:
    ray = pytest.importorskip("ray")
    try:
        check(tmp_path, RayPool(2, tries=1))
    finally:
        ray.shutdown()
