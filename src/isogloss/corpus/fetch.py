"""Fetching files of a web crawl: the crawl's listing, a choice from it, and each file until it is whole.

    manifest = fetch_crawl(FetchSettings(crawl="CC-MAIN-2018-51", files=10, output="crawl"))

Files lie in OUTPUT.tmp until all are there, under the paths that they have in the crawl; OUTPUT.work remembers what the
server said of each. However the work ends, the same command goes on with it, and a larger ``files`` goes on too.
"""

from __future__ import annotations

import gzip
import json
import shutil
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Literal
from urllib.parse import quote

import numpy as np
from pydantic import Field, field_validator
from rich.console import Console
from rich.progress import Progress

from isogloss.children import on_termination
from isogloss.corpus.download import PASSING_REASONS, Download, GivenUpError
from isogloss.corpus.politeness import Pace, PoliteSettings, StoppedError
from isogloss.errors import DataError, FolderError, Preempted
from isogloss.manifest import Manifest, building, finished, write_json, write_manifest
from isogloss.randomness import key_of, permute

__all__ = ["FetchSettings", "choose_paths", "fetch_crawl"]

COMMAND = "isogloss corpus fetch"
# A listing of Common Crawl has some 10 MB.
MAX_LISTING_BYTES = 1 << 28
# A server that so many files in a row could not be had from is left alone.
MAX_FAILURES_IN_A_ROW = 5


class FetchSettings(PoliteSettings):
    """Which files of which crawl, where from and where to."""

    crawl: str = Field(description="name of the crawl, as CC-MAIN-2018-51")
    files: int = Field(gt=0, description="how many files; all if the crawl has fewer")
    output: Path = Field(description="the folder to write")
    kind: Literal["wet", "warc"] = Field("wet", description="wet: text; warc: pages as they were")
    base: str = Field(
        "https://data.commoncrawl.org", description="address of a server (http, https), or a folder with the same paths"
    )
    choose: Literal["first", "sample"] = Field(
        "first", description="the first files of the listing, or a random sample"
    )
    seed: int = Field(1, description="another seed, another sample; more files with one seed hold the fewer")
    max_missing: int = Field(0, ge=0, description="so many files may be missing at the end; their reasons are kept")

    @field_validator("crawl")
    @classmethod
    def _is_a_path(cls, name: str) -> str:
        if _safe_path(name) is None:
            raise ValueError("a crawl's name is a path as CC-MAIN-2018-51 or CC-NEWS/2019/03")
        return name


@dataclass
class _State:
    """What the connections share."""

    pace: Pace
    stop: threading.Event
    progress: Progress
    waiting: deque[str] = field(default_factory=deque)
    entries: dict[str, dict[str, Any]] = field(default_factory=dict)
    missing: dict[str, GivenUpError] = field(default_factory=dict)
    fatal: list[BaseException] = field(default_factory=list)
    failures_in_a_row: int = 0
    is_terminated: bool = False
    num_bytes: int = 0
    began: float = field(default_factory=time.monotonic)

    def got(self, num_bytes: int) -> None:
        """Bytes that came, for the progress bar alone."""
        self.num_bytes += num_bytes

    def terminate(self) -> None:
        """End the connections."""
        self.is_terminated = True
        self.stop.set()

    def summary(self, num_files: int) -> str:
        megabytes = self.num_bytes / 1e6
        speed = megabytes / max(time.monotonic() - self.began, 1e-3)
        missing = f", {len(self.missing)} missing" if self.missing else ""
        return f"{len(self.entries)} of {num_files} files{missing}, {megabytes:,.0f} MB, {speed:,.1f} MB/s"

    def say(self, text: str) -> None:
        """A line above the progress bar, where there is one."""
        if not self.progress.disable:
            self.progress.console.print(text, highlight=False, markup=False)


def fetch_crawl(settings: FetchSettings) -> Manifest:
    """Fetch the files, go on fetching them, or find them there; returns the folder's manifest.

    Raises DataError if there is no such crawl or files of it are missing to stay, Preempted if what is missing may come
    another time or the work was stopped, FolderError if the folder was made with other settings or the disk is full.
    """
    config = settings.model_dump(mode="json", include={"crawl", "files", "kind", "base", "choose", "seed"})
    if (done := finished(settings.output, "crawl", config)) is not None:
        return done
    work = settings.output.with_name(settings.output.name + ".work")
    with building(settings.output) as folder, _progress() as progress:
        _prepare(work, folder, {key: value for key, value in config.items() if key != "files"})
        state = _State(Pace(settings, stop := threading.Event()), stop, progress)
        with on_termination(state.terminate):
            listing = _listing(settings, work, state)
            state.waiting.extend(choose_paths(listing, settings))
            num_files = len(state.waiting)
            _fetch_all(settings, folder, work, state)
        _check_missing(settings, state, num_files)
        for part in folder.rglob("*.part"):
            part.unlink()
        statistics = {
            "bytes": sum(entry["bytes"] for entry in state.entries.values()),
            "files": dict(sorted(state.entries.items())),
            "missing": {path: str(error) for path, error in sorted(state.missing.items())},
        }
        manifest = write_manifest(folder, kind="crawl", command=COMMAND, config=config, statistics=statistics)
    shutil.rmtree(work)
    return manifest


def choose_paths(listing: Sequence[str], settings: FetchSettings) -> list[str]:
    """``files`` paths of the listing in its order: the first ones, or a sample that depends on the seed alone."""
    if settings.choose == "first" or settings.files >= len(listing):
        return list(listing[: settings.files])
    key = key_of(settings.seed, "crawl", settings.crawl, settings.kind)
    places = permute(np.arange(settings.files), size=len(listing), key=key)
    return [listing[place] for place in sorted(places.tolist())]


def _prepare(work: Path, folder: Path, plan: dict[str, Any]) -> None:
    """Refuse to go on with what was begun with other settings: it may have taken days."""
    plan_file = work / "plan.json"
    before = json.loads(plan_file.read_text(encoding="utf-8")) if plan_file.exists() else plan
    if before != plan and not any(path.is_file() for path in folder.rglob("*")):
        shutil.rmtree(work)
    elif before != plan:
        key = next(key for key in plan if before.get(key) != plan[key])
        raise FolderError(
            f"{folder} was begun with {key} = {before.get(key)!r}, now {plan[key]!r}; "
            f"choose another output folder or delete {folder} and {work}"
        )
    work.mkdir(parents=True, exist_ok=True)
    write_json(plan_file, plan)


def _listing(settings: FetchSettings, work: Path, state: _State) -> list[str]:
    """The paths of the crawl's files; fetched once, so that what is chosen stays the same."""
    target = work / f"{settings.kind}.paths.gz"
    url = _address(settings, f"crawl-data/{settings.crawl}/{target.name}")
    try:
        Download(url, target, work / "listing.json", settings, state.pace, say=state.say).fetch()
    except GivenUpError as error:
        if error.reason in PASSING_REASONS:
            raise Preempted(f"{url} cannot be fetched now: {error}; give the same command again later") from None
        raise DataError(f"{url} cannot be fetched: {error}; check crawl, kind and base") from None
    except StoppedError:
        raise _preempted(settings, state) from None
    with gzip.open(target) as stream:
        content = stream.read(MAX_LISTING_BYTES).decode("utf-8", "replace")
    paths = list(dict.fromkeys(line.strip() for line in content.split("\n") if line.strip()))
    if bad := next((path for path in paths if _safe_path(path) is None), None):
        raise DataError(f"{url} names {bad[:200]!r}, which is no path under a folder; is it the listing of a crawl?")
    if not paths:
        raise DataError(f"{url} names no file; check crawl, kind and base")
    return paths


def _fetch_all(settings: FetchSettings, folder: Path, work: Path, state: _State) -> None:
    """Fetch what waits over several connections. Raises Preempted if the work was stopped, or what one of them met."""
    num_files = len(state.waiting)
    bar = state.progress.add_task("fetching", total=num_files)
    threads = [
        # Daemons: a connection on which nothing comes must not hold up the end.
        threading.Thread(target=_connection, args=(settings, folder, work, state), daemon=True)
        for _ in range(min(settings.connections, num_files))
    ]
    for thread in threads:
        thread.start()
    try:
        while any(thread.is_alive() for thread in threads) and not (state.stop.is_set() or state.fatal):
            state.stop.wait(0.05)
            state.progress.update(
                bar, description=state.summary(num_files), completed=len(state.entries) + len(state.missing)
            )
    finally:
        state.stop.set()
    for thread in threads:
        thread.join(1.0)
    if state.fatal:
        raise state.fatal[0]
    if state.is_terminated:
        raise _preempted(settings, state)


def _connection(settings: FetchSettings, folder: Path, work: Path, state: _State) -> None:
    """One thread: files one after another until none waits."""
    while not state.stop.is_set() and state.failures_in_a_row < MAX_FAILURES_IN_A_ROW:
        try:
            path = state.waiting.popleft()
        except IndexError:
            return
        name = path.removeprefix(f"crawl-data/{settings.crawl}/")
        notes = work / "notes" / f"{name}.json"
        download = Download(
            _address(settings, path),
            folder / name,
            notes,
            settings,
            state.pace,
            say=state.say,
            got=state.got,
        )
        try:
            state.entries[name] = download.fetch()
            state.failures_in_a_row = 0
        except GivenUpError as error:
            state.missing[name] = error
            state.failures_in_a_row += error.reason in PASSING_REASONS
        except StoppedError:
            return
        except BaseException as error:  # a full disk, or our own mistake: the main thread raises it
            state.fatal.append(error)
            return


def _check_missing(settings: FetchSettings, state: _State, num_files: int) -> None:
    for path in state.waiting:
        state.missing[path] = GivenUpError("not-tried", f"{MAX_FAILURES_IN_A_ROW} files in a row could not be had")
    if len(state.missing) <= settings.max_missing:
        return
    reasons = Counter(error.reason for error in state.missing.values())
    counted = ", ".join(f"{number} {reason}" for reason, number in sorted(reasons.items()))
    name, first = next(iter(state.missing.items()))
    said = f"{len(state.missing)} of {num_files} files are missing ({counted}; {name}: {first.detail})"
    way_out = f"the others are kept in {settings.output}.tmp"
    if set(reasons) <= {*PASSING_REASONS, "not-tried"}:
        raise Preempted(f"{said}; {way_out}, the same command goes on")
    raise DataError(f"{said}; {way_out}; max_missing={len(state.missing)} does without")


def _preempted(settings: FetchSettings, state: _State) -> Preempted:
    return Preempted(
        f"stopped with {len(state.entries)} files whole; they are kept in {settings.output}.tmp, "
        "the same command goes on"
    )


def _address(settings: FetchSettings, path: str) -> str:
    base = settings.base.rstrip("/")
    return f"{base}/{quote(path) if '://' in base else path}"


def _safe_path(path: str) -> PurePosixPath | None:
    """A path that stays under its folder and names no hidden file; None if it is none."""
    is_plain = bool(path) and all(part and not part.startswith(".") and part.isprintable() for part in path.split("/"))
    return PurePosixPath(path) if is_plain else None


def _progress() -> Progress:
    return Progress(console=Console(stderr=True), disable=not sys.stderr.isatty())
