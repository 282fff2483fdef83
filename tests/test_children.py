"""A folder for what is in between is gone when the process is, however that ended."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from isogloss.children import removed_at_the_end

WAITING = """
import sys, time
from pathlib import Path
from isogloss.children import ended_by_signals, removed_at_the_end
folder = Path(sys.argv[1])
with removed_at_the_end(folder):
    folder.mkdir()
    (folder / "file").touch()
    with ended_by_signals():
        print("ready", flush=True)
        time.sleep(60)
"""


def gone(folder: Path) -> bool:
    """Whether nothing is left under its name or beside it, soon."""
    for _ in range(300):
        if not list(folder.parent.iterdir()):
            return True
        time.sleep(0.1)
    return False


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_it_is_gone_after_any_signal(how: signal.Signals, tmp_path: Path) -> None:
    folder = tmp_path / "work"
    with subprocess.Popen([sys.executable, "-c", WAITING, str(folder)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert (folder / "file").exists()
        process.send_signal(how)
        assert process.wait(timeout=60) == -how
    assert gone(folder)


def test_it_is_gone_after_the_block_and_after_an_error(tmp_path: Path) -> None:
    folder = tmp_path / "work"
    with removed_at_the_end(folder):
        folder.mkdir()
    assert gone(folder)
    folder.mkdir()
    with pytest.raises(FileExistsError), removed_at_the_end(folder):
        folder.mkdir()
    assert gone(folder)


def test_there_may_be_no_folder(tmp_path: Path) -> None:
    with removed_at_the_end(tmp_path / "work"):
        pass
    assert gone(tmp_path / "work")
