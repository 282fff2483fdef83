"""A build's memory depends on its settings, not on how much there is to read."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

CODE = """if True:
    import json, sys
    from pathlib import Path
    from isogloss.corpus import CorpusSettings, build_corpus
    low = {"memory_bytes": 1 << 20}
    build_corpus(CorpusSettings(
        input=sys.argv[1], output=sys.argv[2], rules={}, repeats=low | {"rule": "first"}, near_duplicates=low,
        duplicate_memory_bytes=1 << 20, num_samples=5,
    ))
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    print(json.dumps(int(status["VmHWM"].split()[0]) * 1024))
"""
# The buffer of a phase's writer is full of either.
SMALL, LARGE = 60_000_000, 180_000_000
DOCUMENT_BYTES = 2_000
# comparing.py: 15 and 24 bytes for each document of a language; and what an allocator does not give back, which
# hangs on how threads meet (measured: peaks of one size 45 MB apart on a machine with other work, 2 MB on an idle one).
BYTES_A_DOCUMENT, SLACK = 39, 60_000_000


def write_text(path: Path, num_bytes: int) -> None:
    """Documents of one language with words of a Zipf distribution; one line in ten stands in many of them."""
    random = np.random.default_rng(1)
    words = np.array(["".join(random.choice(list("aeioubdklmnrst"), 5)) for _ in range(20_000)])
    shares = 1 / np.arange(1, len(words) + 1)
    with path.open("w", encoding="utf-8") as file:
        for _ in range(num_bytes // DOCUMENT_BYTES):
            chosen = random.choice(words, DOCUMENT_BYTES // 6, p=shares / shares.sum())
            lines = [" ".join(line) for line in np.array_split(chosen, 9)]
            file.write("\n".join([*lines, f"menu of page {random.integers(100)} entry"]) + "\n\n")


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads the peak of memory from /proc")
def test_three_times_the_text_takes_no_more_memory(tmp_path: Path) -> None:
    peaks = []
    for size in (SMALL, LARGE):
        folder = tmp_path / str(size)
        folder.mkdir()
        write_text(folder / "en.txt", size)
        words = [sys.executable, "-c", CODE, folder, tmp_path / f"corpus-{size}"]
        done = subprocess.run(words, check=True, capture_output=True, text=True)
        peaks.append(json.loads(done.stdout))
        statistics = json.loads((tmp_path / f"corpus-{size}" / "manifest.json").read_text())["statistics"]
        assert statistics["dropped"]["en"]["repeated-line"] > size // DOCUMENT_BYTES // 2
    small, large = peaks
    assert large - small < (LARGE - SMALL) / DOCUMENT_BYTES * BYTES_A_DOCUMENT + SLACK, peaks
