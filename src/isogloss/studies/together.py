"""A cell's pretraining by several processes, which torchrun starts: what a user would type, typed for them.

    pretrain_together(settings, 8)            # CELL/pretrain.toml, CELL/pretrain.log, and the run in CELL/pretrain

The recipe that is left beside the run continues it by hand as well, on any number of processes.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn

from isogloss.children import on_termination, started
from isogloss.errors import IsoglossError, Preempted
from isogloss.manifest import MANIFEST_NAME
from isogloss.pretrain import PretrainSettings

__all__ = ["pretrain_together", "write_recipe"]

TORCHRUN = ("torch.distributed.run", "--standalone")
# How the command line begins to say a user's mistake.
SAID = "isogloss: "


def pretrain_together(settings: PretrainSettings, num_processes: int) -> Path:
    """Pretrain in ``num_processes`` processes of this machine and return the run folder, as `pretrain` does.

    Raises IsoglossError with what the run has said, and Preempted after SIGTERM, its state saved.
    """
    if (settings.run / "model" / MANIFEST_NAME).exists():
        return settings.run
    recipe, log = settings.run.with_suffix(".toml"), settings.run.with_suffix(".log")
    write_recipe(recipe, settings)
    words = [f"--nproc-per-node={num_processes}", "-m", "isogloss", "pretrain", str(recipe)]
    with log.open("wb") as said, on_termination(_stop), started(*TORCHRUN, *words, said=said) as torchrun:
        try:
            exit_code = _wait(torchrun)
        except BaseException:
            torchrun.terminate()  # which it passes on, and waits for the processes to save
            torchrun.wait()
            raise
    if exit_code:
        raise IsoglossError(_why(log, exit_code))
    return settings.run


def _wait(process: subprocess.Popen[bytes]) -> int:
    """Its exit code. Not one long wait: Ray ends a task by a signal that Python hears between two calls alone."""
    while (exit_code := process.poll()) is None:
        time.sleep(0.2)
    return exit_code


def write_recipe(path: Path, settings: PretrainSettings) -> None:
    """What is set, as a recipe of `isogloss pretrain`; what is not is chosen there, as the size of the vocabulary."""
    path.write_text("\n".join(_lines(settings.model_dump(mode="json", exclude_unset=True))) + "\n", encoding="utf-8")


def _lines(values: Mapping[str, Any], key: str = "") -> Iterator[str]:
    """Settings as TOML, tables by dotted keys; what is not set is left out. JSON's values are TOML's too."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _lines(value, f"{key}{json.dumps(name)}.")
        elif value is not None:
            yield f"{key}{json.dumps(name)} = {json.dumps(value)}"


def _why(log: Path, exit_code: int) -> str:
    """What went wrong: the line that one of the processes said, or where to look."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    said = next((line.removeprefix(SAID) for line in reversed(lines) if line.startswith(SAID)), "")
    return said or f"torchrun ended with exit code {exit_code}; {log} says why"


def _stop() -> NoReturn:
    raise Preempted("stopped and saved")
