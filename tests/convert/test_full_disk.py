"""A disk that is full: one line, nothing at the target, and the same command again goes through."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from isogloss.convert import convert

resource = pytest.importorskip("resource", reason="no limits on the size of a file here")

BOUNDED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), resource.RLIM_INFINITY))
del sys.argv[1]
from isogloss.cli import main
main()
"""


def run_bounded(num_bytes: int, *words: str | Path) -> subprocess.CompletedProcess[str]:
    """The command line, no file of which may grow larger than this."""
    command = [sys.executable, "-c", BOUNDED, str(num_bytes), *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


# 4 kB: the weights do not fit. 100 kB: they do, the SentencePiece model does not.
@pytest.mark.slow  # two commands a case
@pytest.mark.parametrize("num_bytes", [4_000, 100_000])
@pytest.mark.parametrize("to", ["hf", "fairseq", "sentence-transformers"])
def test_a_full_disk_is_one_line(fairseq_folder: Callable[..., Path], tmp_path: Path, to: str, num_bytes: int) -> None:
    source = fairseq_folder()
    if to != "hf":
        convert(source, tmp_path / "ours", to="hf")
        source = tmp_path / "ours"
    assert (source / "sentencepiece.bpe.model").stat().st_size > 100_000
    words = ("convert", source, tmp_path / "target", "--to", to)
    done = run_bounded(num_bytes, *words)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done.stderr
    assert "target.tmp" in done.stderr
    assert "ake room and give the command again" in done.stderr
    assert not (tmp_path / "target").exists()
    done = run_bounded(10_000_000, *words)
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "target.tmp").exists()
