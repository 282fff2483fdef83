"""`isogloss shards` that is killed, stopped or loses a worker at any moment ends with the bytes of an unbroken one."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import all_files, sentence

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="finds processes in /proc")

# Units and pieces as if the corpus were large; processes that are started find the first of the two only.
MAIN = """
from isogloss.cli import main
from isogloss.shards import build, join

if __name__ == "__main__":
    build.BYTES_A_UNIT = build.BYTES_A_PROCESS = build.BYTES_A_JOINER = join.PIECE_BYTES = 1
    main()
"""
NUM_PARTS = 24
NOT_DONE = -signal.SIGKILL


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory, write_corpus: Callable[..., Path]) -> Path:
    """Two languages in twelve parts of some 30 KB each."""
    chosen = random.Random(1)
    texts = {code: [sentence(chosen, 300) for _ in range(NUM_PARTS * 10)] for code in ("en", "ru")}
    return write_corpus(tmp_path_factory.mktemp("killed") / "corpus", texts, documents_a_part=20)


def start(corpus: Path, vocab: Path, output: Path, workers: int) -> subprocess.Popen[bytes]:
    words = [f"corpus={corpus}", f"vocabulary={vocab}", f"output={output}", f"workers={workers}"]
    with output.with_suffix(".err").open("w") as said:
        return subprocess.Popen([sys.executable, "-c", MAIN, "shards", *words], stderr=said)


def errors(output: Path) -> str:
    return output.with_suffix(".err").read_text()


@pytest.fixture(scope="module")
def unbroken(corpus: Path, small_vocab: Path) -> dict[str, bytes]:
    output = corpus.parent / "unbroken"
    assert start(corpus, small_vocab, output, 1).wait() == 0, errors(output)
    return all_files(output)


def wait_for(found: Callable[[], bool], run: subprocess.Popen[bytes]) -> None:
    while not found() and run.poll() is None:
        time.sleep(0.002)


def is_encoding(output: Path, num_done: int = 1) -> Callable[[], bool]:
    encoded = output.with_name(f"{output.name}.work") / "encoded"
    return lambda: num_done <= len([path for path in encoded.glob("*.json") if "cost" not in path.name])


def is_joining(output: Path) -> Callable[[], bool]:
    work = output.with_name(f"{output.name}.work")
    return lambda: next(work.glob("*/joined"), None) is not None


def children(process: int) -> list[int]:
    """Its workers: not the process that looks after what they share."""
    found = []
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(file.read_text().rpartition(")")[2].split()[1])
            words = (file.parent / "cmdline").read_bytes()
        except OSError:
            continue
        if parent == process and b"spawn_main" in words:
            found.append(int(file.parent.name))
    return found


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 75), (signal.SIGINT, 130)])
@pytest.mark.parametrize("workers", [pytest.param(1, marks=pytest.mark.slow), 2])
def test_a_signal_ends_it_and_the_same_command_goes_on(
    number: int,
    code: int,
    workers: int,
    corpus: Path,
    small_vocab: Path,
    tmp_path: Path,
    unbroken: dict[str, bytes],
) -> None:
    output = tmp_path / "shards"
    run = start(corpus, small_vocab, output, workers)
    wait_for(is_encoding(output), run)
    run.send_signal(number)
    assert run.wait() == code, errors(output)
    assert "Traceback" not in errors(output)
    assert is_encoding(output)()
    assert not output.exists()
    run = start(corpus, small_vocab, output, workers)
    assert run.wait() == 0, errors(output)
    assert all_files(output) == unbroken
    assert not (tmp_path / "shards.work").exists()


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("workers", [1, 2, 3])
def test_killed_at_random_moments_it_goes_on(
    workers: int, corpus: Path, small_vocab: Path, tmp_path: Path, unbroken: dict[str, bytes]
) -> None:
    chosen = random.Random(workers)
    output = tmp_path / "shards"
    began = [is_encoding(output), is_encoding(output, NUM_PARTS // 2), is_encoding(output, NUM_PARTS)]
    num_killed = 0
    for when in (*began, is_joining(output), is_joining(output), is_joining(output), (tmp_path / "shards.tmp").exists):
        run = start(corpus, small_vocab, output, workers)
        wait_for(when, run)
        time.sleep(chosen.random() * 0.05)
        run.kill()
        num_killed += run.wait() == NOT_DONE
        if (
            output.exists()
        ):  # it was done: the end of joining is near, and a process that has done its work may be killed
            assert all_files(output) == unbroken
            shutil.rmtree(output)
    assert num_killed >= 4
    assert start(corpus, small_vocab, output, workers).wait() == 0, errors(output)
    assert all_files(output) == unbroken


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("when", [is_encoding, is_joining])
def test_a_worker_that_is_killed_is_followed_by_another(
    when: Callable[[Path], Callable[[], bool]],
    corpus: Path,
    small_vocab: Path,
    tmp_path: Path,
    unbroken: dict[str, bytes],
) -> None:
    output = tmp_path / "shards"
    run = start(corpus, small_vocab, output, 2)
    wait_for(when(output), run)
    workers = children(run.pid)
    assert workers
    os.kill(workers[0], signal.SIGKILL)
    assert run.wait() == 0, errors(output)
    assert all_files(output) == unbroken


MEASURED = """
import sys
from pathlib import Path
from isogloss.shards import ShardSettings, build_shards
build_shards(ShardSettings(corpus=sys.argv[1], vocabulary=sys.argv[2], output=sys.argv[3], workers=1))
status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
print(int(status["VmHWM"].split()[0]) * 1024)
"""


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_three_times_the_text_takes_no_more_memory(
    tmp_path: Path, write_corpus: Callable[..., Path], small_vocab: Path
) -> None:
    chosen = random.Random(1)
    texts = [sentence(chosen, 1000) for _ in range(1000)]
    peaks = []
    for times in (4, 12):  # 20 and 60 MB
        own = [f"{number} {text}" for number in range(times) for text in texts]
        corpus = write_corpus(tmp_path / f"corpus-{times}", {"en": own})
        words = [sys.executable, "-c", MEASURED, corpus, small_vocab, tmp_path / f"shards-{times}"]
        peaks.append(int(subprocess.run(words, check=True, capture_output=True, text=True).stdout))
    assert peaks[1] - peaks[0] < 20_000_000, peaks
