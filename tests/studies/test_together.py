"""Several processes for one cell: the recipe that torchrun is given is the cell's, and what it says comes back."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from isogloss.config import load_recipe
from isogloss.errors import IsoglossError
from isogloss.pretrain import PretrainSettings
from isogloss.runs import read_metrics
from isogloss.studies import StudySettings, cells_of, load_study, run_study
from isogloss.studies.grid import pretraining
from isogloss.studies.together import pretrain_together, write_recipe

Tiny = Callable[..., StudySettings]
RECIPES = sorted((Path(__file__).parents[2] / "recipes" / "studies").glob("*.toml"))


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda path: path.stem)
@pytest.mark.parametrize("budget", ["cpu", "full"])
def test_a_recipe_says_all_settings_of_a_cell(recipe: Path, budget: str, tmp_path: Path) -> None:
    study = load_study(recipe, [f"budget={budget}", f"output={tmp_path}"])
    for cell in cells_of(study)[:: len(study.seeds)]:
        settings = pretraining(
            cell, run=tmp_path / 'a "run"', shards=tmp_path, vocabulary=tmp_path, device=study.device
        )
        write_recipe(tmp_path / "pretrain.toml", settings)
        read = load_recipe(tmp_path / "pretrain.toml", PretrainSettings)
        assert read == settings
        # A size of the vocabulary that nobody has set is that of the shards.
        assert read.model_dump(exclude_unset=True) == settings.model_dump(exclude_unset=True)


@pytest.mark.slow
def test_a_cell_of_two_processes_learns_what_one_learns(tiny: Tiny, tmp_path: Path) -> None:
    bits = []
    for number in (0, 2):
        study = tiny(tmp_path / str(number), only={"steps": ["3"]}, outcomes=["held_out"], gpus_per_cell=number)
        assert run_study(study, command="").failed == {}
        run = tmp_path / str(number) / "cells" / "steps-3" / "seed-1" / "pretrain"
        bits.append(next(line["held_out_mean"] for line in read_metrics(run) if "held_out_mean" in line))
        assert run.with_suffix(".toml").is_file() == (number == 2)
    assert bits[1] == pytest.approx(bits[0], rel=1e-3)


@pytest.mark.slow
def test_what_the_processes_say_comes_back(tiny: Tiny, tmp_path: Path) -> None:
    (cell, *_) = cells_of(tiny(tmp_path))
    settings = pretraining(cell, run=tmp_path / "run", shards=tmp_path, vocabulary=tmp_path / "no", device="cpu")
    with pytest.raises(IsoglossError, match=r"^vocabulary .*/no cannot be read") as caught:
        pretrain_together(settings, 2)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="finds processes in /proc")
def test_the_processes_end_with_a_worker_that_is_killed(tiny: Tiny, tmp_path: Path) -> None:
    study = tiny(tmp_path, only={"steps": ["2"]}, outcomes=["held_out"], base={"pretrain": {"steps": 100_000}})
    recipe = tmp_path / "tiny.toml"
    write_recipe(recipe, study)
    command = [sys.executable, "-m", "isogloss", "study", str(recipe), "gpus_per_cell=2"]
    run = tmp_path / "cells" / "steps-2" / "seed-1" / "pretrain"
    named = str(run.with_suffix(".toml"))
    with subprocess.Popen(command, stderr=subprocess.PIPE) as process:
        try:
            while not (run / "metrics.jsonl").exists():
                assert process.poll() is None
                time.sleep(0.1)
            torchrun, *ranks = _processes_that_name(named)
            assert len(ranks) == 2
            os.kill(_parent(torchrun), signal.SIGKILL)
            _, said = process.communicate()
            assert process.returncode == 2
            assert b"its process ended with exit code -9" in said
            end = time.monotonic() + 200
            while _processes_that_name(named):
                assert time.monotonic() < end, "they go on without it"
                time.sleep(0.1)
        finally:
            for left in [process.pid, *_processes_that_name(named)]:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(left, signal.SIGKILL)
    assert any((run / "checkpoints").glob("step-*")), "what they had was not saved"


def _processes_that_name(word: str) -> list[int]:
    """Processes that have this word in their command, the oldest first."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if word.encode() in (process / "cmdline").read_bytes().split(b"\0"):
                found.append(int(process.name))
    return sorted(found)


def _parent(process: int) -> int:
    status = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("PPid:")))
