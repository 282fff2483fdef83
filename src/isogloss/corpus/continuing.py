"""Whether a build is done, goes on or begins anew, and that it is alone in its folders.

check_same_input(settings, done, sources)                    # a finished corpus
with alone(work, settings.output): prepare(work, folder, config, sources)
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from isogloss.corpus.settings import CorpusSettings
from isogloss.corpus.sources import Source
from isogloss.errors import FolderError
from isogloss.manifest import Manifest, write_json

__all__ = ["PLAN_NAME", "alone", "check_same_input", "delete", "prepare", "put_away", "state_or_none"]

PLAN_NAME = "plan.json"
# Seconds.
PATIENCE = 2.0


@contextlib.contextmanager
def alone(work: Path, output: Path) -> Iterator[None]:
    """Have ``work``, which is made if it is not there, to oneself; raises FolderError where another process has it."""
    work.mkdir(parents=True, exist_ok=True)
    folder = os.open(work, os.O_RDONLY)
    try:
        if not _is_locked(folder):
            raise FolderError(
                f"{output} is being built by another process, at work in {work}; wait for its end, or choose another "
                "output folder"
            )
        yield
    finally:
        os.close(folder)


def _is_locked(folder: int) -> bool:
    """Whether the lock could be had, or there are none; a killed build's last child may hold it a moment longer."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if time.monotonic() > end:
                return False
            time.sleep(0.05)
        except OSError:  # a file system without locks
            return True


def prepare(work: Path, folder: Path, config: Mapping[str, Any], sources: Sequence[Source]) -> None:
    """Keep what an earlier attempt left if it was made by the same settings from files of the same names."""
    plan = {"config": config, "sources": [source.name for source in sources]}
    plan_file = work / PLAN_NAME
    is_same = plan_file.exists() and json.loads(plan_file.read_text(encoding="utf-8")) == json.loads(json.dumps(plan))
    # What was written lies there alone; it may have been deleted.
    is_lost = any(work.glob("writing/*.json")) and not any(folder.iterdir())
    if is_lost or not is_same:
        plan_file.unlink(missing_ok=True)
        for path in (*work.iterdir(), *folder.iterdir()):
            delete(path)
        write_json(plan_file, plan)


def delete(path: Path) -> None:
    """A file, or a folder with all it holds."""
    shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def put_away(work: Path) -> None:
    """Delete the work folder of a finished build."""
    # First of all: half of a work folder must never pass for an unfinished build.
    (work / PLAN_NAME).unlink(missing_ok=True)
    shutil.rmtree(work, ignore_errors=True)


def check_same_input(settings: CorpusSettings, done: Manifest, sources: Sequence[Source]) -> None:
    """Refuse a finished corpus whose input is another one now; a file older than the corpus is not hashed again."""
    before = {entry["file"]: entry for entry in done.statistics["files"]}
    made = (settings.output / "manifest.json").stat().st_mtime_ns
    for name in sorted(set(before) ^ {source.name for source in sources}):
        _refuse(settings, f"input file {name} {'is gone' if name in before else 'is new'}")
    for source in sources:
        entry, state = before[source.name], state_or_none(source)
        size, mtime_ns = (state[0], state[1]) if state else (0, 0)
        if size != entry["bytes"]:
            _refuse(settings, f"input file {source.name} has {size} bytes, it had {entry['bytes']}")
        if entry["xxh3_128"] and (mtime_ns >= made or source.remote) and source.digest() != entry["xxh3_128"]:
            _refuse(settings, f"input file {source.name} has other content")


def _refuse(settings: CorpusSettings, change: str) -> None:
    raise FolderError(
        f"{settings.output} was made from other input: {change}; choose another output folder or delete this one"
    )


def state_or_none(source: Source) -> list[int] | None:
    """A file's state as JSON has it; None where there is none."""
    try:
        return list(source.state())
    except OSError:
        return None
