"""Fetching a crawl from a real server on loopback that does what servers do when they are asked too much."""

from __future__ import annotations

import gzip
import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isogloss.config import make_settings
from isogloss.corpus.fetch import FetchSettings, choose_paths, fetch_crawl
from isogloss.errors import ConfigError, DataError, FolderError, Preempted
from isogloss.manifest import Manifest, hash_file

CRAWL = "CC-MAIN-2018-51"
LISTING = f"crawl-data/{CRAWL}/wet.paths.gz"
NAMES = [f"segments/{number}/wet/CC-MAIN-{number:05d}.warc.wet.gz" for number in range(6)]
PATHS = [f"crawl-data/{CRAWL}/{name}" for name in NAMES]


def gzip_members(seed: int, size: int = 30_000) -> bytes:
    noise = random.Random(seed)
    return b"".join(gzip.compress(noise.randbytes(size // 3), mtime=0) for _ in range(3))


@pytest.fixture
def server(servers: ModuleType) -> Iterator[Any]:
    files = {path: gzip_members(number) for number, path in enumerate(PATHS)}
    files[LISTING] = gzip.compress("".join(f"{path}\n" for path in PATHS).encode())
    with servers.CrawlServer(files) as running:
        yield running


@pytest.fixture
def fetch(tmp_path: Path, server: Any) -> Callable[..., Manifest]:
    """Fetch from the server, quickly; what lies in the folder then is what the server has."""

    def run(**settings: Any) -> Manifest:
        defaults = {"crawl": CRAWL, "files": 1, "output": tmp_path / "crawl", "base": server.url, "tries": 4}
        quick = {"pause_seconds": 0, "backoff_seconds": 0.01, "timeout_seconds": 5}
        made = FetchSettings(**{**defaults, **quick, **settings})
        manifest = fetch_crawl(made)
        for name in manifest.statistics["files"]:
            assert (made.output / name).read_bytes() == server.files[f"crawl-data/{CRAWL}/{name}"]
        return manifest

    return run


def test_files_come_with_their_paths_and_a_manifest(tmp_path: Path, fetch, server) -> None:
    manifest = fetch(files=3, contact="anna@example.org")
    folder = tmp_path / "crawl"
    assert sorted(manifest.statistics["files"]) == NAMES[:3] == sorted(manifest.files)
    for name, entry in manifest.statistics["files"].items():
        assert entry["xxh3_128"] == hash_file(folder / name) == manifest.files[name]["xxh3_128"]
        assert entry["bytes"] == (folder / name).stat().st_size
        assert entry["checked"] == ["length", "gzip", "ETag"]
        assert entry["url"] == f"{server.url}/crawl-data/{CRAWL}/{name}"
        assert entry["tries"] == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["crawl"]
    (agent,) = {request.headers["User-Agent"] for request in server.requests}
    assert agent.startswith("isogloss/")
    assert "anna@example.org" in agent

    num_requests = len(server.requests)
    assert fetch(files=3) == manifest
    assert len(server.requests) == num_requests
    with pytest.raises(FolderError, match="files = 3, now 4"):
        fetch(files=4)


# What goes wrong once or twice, and how many requests the file then takes.
MENDED: dict[str, tuple[list[dict[str, Any]], int]] = {
    "breaks in the middle": ([{"break_after": 10_000}], 2),
    "breaks twice": ([{"break_after": 10_000}, {"break_after": 5_000}], 3),
    "breaks at once": ([{"break_after": 0}], 2),
    "503": ([{"status": 503}], 2),
    "503, date of Retry-After has passed": ([{"status": 503, "retry_after": "Wed, 21 Oct 2015 07:28:00 GMT"}], 2),
    "403 and 429": ([{"status": 403}, {"status": 429}], 3),
    "500, 502, 504": ([{"status": 500}, {"status": 502}, {"status": 504}], 4),
    "says more than it gives": ([{"length_off_by": 7}], 2),
    "says less than it gives": ([{"length_off_by": -7}], 2),
    "gives half a member as if it were all": ([{"body": gzip_members(0)[:12_345]}], 2),
    "gives a member with another checksum": ([{"body": gzip_members(0)[:-6] + b"xxxxxx"}], 2),
    "gives something else": ([{"body": b"<html>busy</html>"}], 2),
    "gives nothing": ([{"body": b""}], 2),
    "ignores Range": ([{"break_after": 10_000}, {"ignores_range": True}], 2),
    "another part than asked for": ([{"break_after": 10_000}, {"range_off_by": 5}], 3),
    "an earlier part than asked for": ([{"break_after": 10_000}, {"range_off_by": -5}], 3),
    "says nothing to know it by": ([{"break_after": 9_000, "no_validators": True}, {"no_validators": True}], 2),
    "another Content-MD5": ([{"content_md5": b"something else"}], 2),
    "416": ([{"break_after": 10_000}, {"status": 416}], 3),
}


@pytest.mark.parametrize("what", MENDED)
def test_what_goes_wrong_is_mended(what: str, fetch, server, servers) -> None:
    mishaps, num_requests = MENDED[what]
    server.mishaps[PATHS[0]] = [servers.Mishap(**mishap) for mishap in mishaps]
    manifest = fetch()
    assert len(server.asked(PATHS[0])) == num_requests
    assert manifest.statistics["files"][NAMES[0]]["tries"] == num_requests
    assert manifest.statistics["missing"] == {}


def test_a_broken_download_goes_on_where_it_broke(fetch, server, servers) -> None:
    server.mishaps[PATHS[0]] = [servers.Mishap(break_after=10_000)]
    fetch()
    first, second = server.asked(PATHS[0])
    assert "Range" not in first.headers
    assert second.headers["Range"] == "bytes=10000-"
    assert second.headers["If-Range"].startswith('"')


@pytest.mark.parametrize("ignores_if_range", [False, True])
def test_a_file_that_changed_between_two_tries_begins_anew(fetch, server, servers, ignores_if_range: bool) -> None:
    """Also where the server gives a part of the new file though it was asked for one of the old: the ETag differs."""
    server.mishaps[PATHS[0]] = [
        servers.Mishap(break_after=10_000, changes_to=gzip_members(99)),
        servers.Mishap(ignores_if_range=ignores_if_range),
    ]
    manifest = fetch()
    assert manifest.files[NAMES[0]]["bytes"] == len(gzip_members(99))
    assert len(server.asked(PATHS[0])) == (3 if ignores_if_range else 2)


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_retry_after_holds_for_all_connections(fetch, server, servers, form: str) -> None:
    date = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 2))
    server.mishaps[PATHS[0]] = [servers.Mishap(status=503, retry_after="1" if form == "seconds" else date)]
    fetch(files=3, connections=1)
    refused, *others = [request.at for request in server.requests if request.path != LISTING]
    assert min(others) - refused >= 0.95
    assert len(others) == 3


def test_no_wait_is_longer_than_the_bound(fetch, server, servers) -> None:
    server.mishaps[PATHS[0]] = [servers.Mishap(status=503, retry_after="86400")]
    start = time.monotonic()
    fetch(longest_wait_seconds=0.2)
    assert time.monotonic() - start < 20


def test_requests_keep_their_distance(fetch, server) -> None:
    fetch(files=6, connections=3, pause_seconds=0.1)
    times = [request.at for request in server.requests]
    assert times[-1] - times[0] >= 0.1 * len(PATHS) - 0.05


def test_there_are_no_more_connections_than_asked_for(fetch, server, servers) -> None:
    for path in PATHS:
        server.mishaps[path] = [servers.Mishap(silent_seconds=0.2)]
    fetch(files=6, connections=2)
    assert server.most_at_once == 2


def test_a_file_that_does_not_exist_is_given_up_and_the_others_come(tmp_path: Path, fetch, server) -> None:
    del server.files[PATHS[1]]
    with pytest.raises(DataError, match=r"1 of 3 files are missing \(1 http-404.*max_missing=1"):
        fetch(files=3)
    assert len(server.asked(PATHS[1])) == 1, "asking again does not help"
    assert not (tmp_path / "crawl").exists()
    asked = len(server.requests)
    manifest = fetch(files=3, max_missing=1)
    assert sorted(manifest.statistics["files"]) == [NAMES[0], NAMES[2]] == sorted(manifest.files)
    assert "http-404" in manifest.statistics["missing"][NAMES[1]]
    assert len(server.requests) == asked + 1, "what is there is not asked for again"


def test_a_server_that_always_lies_is_given_up_and_the_same_command_goes_on(fetch, server, servers) -> None:
    server.mishaps[PATHS[1]] = [servers.Mishap(body=gzip_members(1)[:-9])] * 4
    with pytest.raises(Preempted, match=r"1 of 3 files are missing \(1 damaged"):
        fetch(files=3)
    assert len(server.asked(PATHS[1])) == 4
    assert len(fetch(files=3).files) == 3
    assert len(server.asked(PATHS[0])) == 1


def test_a_server_that_refuses_everything_is_left_alone(fetch, server, servers) -> None:
    for path in PATHS:
        server.mishaps[path] = [servers.Mishap(status=503)] * 100
    with pytest.raises(Preempted, match=r"5 refused|1 not-tried, 5 refused"):
        fetch(files=6, connections=1, tries=2)
    assert len(server.requests) == 1 + 5 * 2


def test_more_files_go_on_with_the_fewer(fetch, server) -> None:
    del server.files[PATHS[1]]
    with pytest.raises(DataError):
        fetch(files=2)
    server.files[PATHS[1]] = gzip_members(1)
    fetch(files=4)
    assert len(server.asked(PATHS[0])) == 1
    assert len(server.asked(LISTING)) == 1


def test_what_was_begun_with_other_settings_is_not_touched(tmp_path: Path, fetch, server) -> None:
    del server.files[PATHS[1]]
    with pytest.raises(DataError):
        fetch(files=2)
    with pytest.raises(FolderError, match="begun with choose = 'first', now 'sample'"):
        fetch(files=2, choose="sample")
    assert (tmp_path / "crawl.tmp" / NAMES[0]).exists()


def test_a_listing_that_is_not_there_or_leads_out_is_a_mistake(fetch, server) -> None:
    with pytest.raises(DataError, match="check crawl, kind and base"):
        fetch(kind="warc")
    server.files[LISTING] = gzip.compress(b"crawl-data/../../etc/passwd\n")
    with pytest.raises(DataError, match="no path under a folder"):
        fetch()
    with pytest.raises(ConfigError, match="a crawl's name"):
        make_settings(FetchSettings, {"crawl": "../x", "files": 1, "output": "x"})


@pytest.mark.parametrize("form", ["file://{}", "{}"])
def test_a_folder_is_a_base_too(tmp_path: Path, server, form: str) -> None:
    mirror = tmp_path / "mirror of a crawl"
    for path, content in server.files.items():
        (mirror / path).parent.mkdir(parents=True, exist_ok=True)
        (mirror / path).write_bytes(content)
    base = form.format(str(mirror).replace(" ", "%20") if "file" in form else mirror)
    settings = FetchSettings(crawl=CRAWL, files=2, output=tmp_path / "crawl", base=base)
    fetch_crawl(settings)
    assert (tmp_path / "crawl" / NAMES[1]).read_bytes() == server.files[PATHS[1]]
    (mirror / PATHS[1]).write_bytes(server.files[PATHS[1]][:-3])
    (mirror / PATHS[2]).unlink()
    with pytest.raises(DataError, match="1 damaged, 1 no-such-file"):
        fetch_crawl(settings.model_copy(update={"output": tmp_path / "other", "files": 3}))


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 5), st.integers(1, 50))
def test_a_sample_is_part_of_a_larger_one_and_depends_on_the_seed_alone(
    files: int, more: int, seed: int, length: int
) -> None:
    listing = [f"path-{number:03d}" for number in range(length)]

    def chosen(number: int, choose: str) -> list[str]:
        settings = FetchSettings(crawl=CRAWL, files=number, output=Path("x"), choose=choose, seed=seed)
        return choose_paths(listing, settings)

    small, large = chosen(files, "sample"), chosen(files + more, "sample")
    assert len(small) == min(files, length) == len(set(small))
    assert set(small) <= set(large)
    assert large == sorted(large)
    assert chosen(files, "first") == listing[:files]


def command(tmp_path: Path, server: Any, *words: str) -> list[str]:
    options = ["--crawl", CRAWL, "--files", "6", "--base", server.url, "--output", str(tmp_path / "crawl")]
    quick = ["pause_seconds=0", "backoff_seconds=0.01", "connections=2"]
    return [sys.executable, "-m", "isogloss", "corpus", "fetch", *options, *quick, *words]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=["SIGTERM", "SIGKILL"])
def test_a_killed_fetch_goes_on(tmp_path: Path, server, servers, number: int) -> None:
    for path in PATHS:
        server.mishaps[path] = [servers.Mishap(break_after=10_000), servers.Mishap(silent_seconds=30)]
    process = subprocess.Popen(command(tmp_path, server), stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 90
    while len(server.requests) < 5 and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(number)
    said = process.communicate(timeout=60)[1]
    if number == signal.SIGTERM:
        assert process.returncode == 75, said
        assert len(said.strip().splitlines()) == 1
        assert "the same command goes on" in said
    assert not (tmp_path / "crawl").exists()
    parts = list((tmp_path / "crawl.tmp").rglob("*.part"))
    assert parts
    assert all(part.stat().st_size == 10_000 for part in parts)

    server.mishaps.clear()
    server.requests.clear()
    done = subprocess.run(command(tmp_path, server, "--json"), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert sorted(json.loads(done.stdout)["files"]) == NAMES
    for name, path in zip(NAMES, PATHS, strict=True):
        assert (tmp_path / "crawl" / name).read_bytes() == server.files[path]
    assert sum("Range" in request.headers for request in server.requests) == len(parts)
    assert not server.asked(LISTING)


def test_a_full_disk_is_one_line(tmp_path: Path, server) -> None:
    """The limit of a file's size stands for the disk's: the same write fails, with the same advice."""
    code = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000)); sys.argv[0] = 'isogloss'; "
        "from isogloss.cli import main; main()"
    )
    words = command(tmp_path, server)[3:]
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert "make room and give the command again" in done.stderr
    done = subprocess.run(command(tmp_path, server), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["crawl"]
