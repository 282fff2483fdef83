"""The same corpus, byte for byte, by one process, by several, and by Ray's workers one of which is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from isogloss.manifest import hash_file
from isogloss.phrasebook import documents

NUM_FILES = 12


def hashes(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): hash_file(path) for path in sorted(folder.rglob("*")) if path.is_file()}


def write_texts(folder: Path, num_documents: int) -> Path:
    """Files of three languages; a file and the next one of its language share half of their documents."""
    for number in range(NUM_FILES):
        code = ("en", "sw", "de")[number % 3]
        texts = list(documents(code, num_documents, seed=1 + number // 6))
        file = folder / code / f"{number:02d}.txt"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("\n\n".join(texts), encoding="utf-8")
    return folder


def command(texts: Path, output: Path, *words: str) -> list[str]:
    steps = ["repeats.rule=first", "trust_names=false", "identify={}", "near_duplicates={}", "keep_dropped=true"]
    return [sys.executable, "-m", "isogloss", "corpus", "build", f"input={texts}", f"output={output}", *steps, *words]


def test_several_processes_write_what_one_writes(tmp_path: Path) -> None:
    texts = write_texts(tmp_path / "texts", 4)
    for workers in (1, 2):
        subprocess.run(command(texts, tmp_path / str(workers), f"engine.workers={workers}"), check=True)
    assert hashes(tmp_path / "1") == hashes(tmp_path / "2")
    # Finished by one engine, it is finished for any other.
    again = subprocess.run(command(texts, tmp_path / "1", "engine.workers=2"), check=True, capture_output=True)
    assert b"reading" not in again.stderr


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="finds Ray's workers in /proc")
@pytest.mark.parametrize("killed", ["a worker", "the command"])
def test_ray_writes_what_one_process_writes(tmp_path: Path, killed: str) -> None:
    pytest.importorskip("ray")
    texts = write_texts(tmp_path / "texts", 400)
    subprocess.run(command(texts, tmp_path / "native"), check=True)
    on_ray = command(texts, tmp_path / "ray", "engine.runner=ray", "engine.workers=3")
    with subprocess.Popen(on_ray, start_new_session=True) as build:
        hit = False
        while build.poll() is None and not hit:
            started = list((tmp_path / "ray.work" / "reading").glob("*.json"))
            workers = ray_workers(tmp_path)
            if started and len(started) < NUM_FILES and workers:
                hit = True
                if killed == "a worker":
                    os.kill(workers[0], signal.SIGKILL)
                else:
                    build.terminate()
            time.sleep(0.02)
        assert build.wait() == (0 if killed == "a worker" else 75)
    assert hit, "the work was done before a process could be killed"
    if killed == "the command":
        assert not (tmp_path / "ray").exists()
        subprocess.run(on_ray, check=True)
    assert hashes(tmp_path / "native") == hashes(tmp_path / "ray")


def ray_workers(folder: Path) -> list[int]:
    """Processes that do units of a build into this folder: those with one of its files open."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            name = (process / "cmdline").read_bytes()
            opened = [str(file.readlink()) for file in (process / "fd").iterdir()]
        except OSError:
            continue
        if name.startswith(b"ray::") and any(target.startswith(str(folder)) for target in opened):
            found.append(int(process.name))
    return found
