"""What goes wrong with a pretraining, seen from its command line, in one process and in two that torchrun starts."""

from __future__ import annotations

import json
import math
import os
import random
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import sentencepiece
import torch
from safetensors.torch import load_file

from isogloss.cli import main
from isogloss.errors import FolderError
from isogloss.loop.watch import Hardware
from isogloss.manifest import read_manifest, write_manifest
from isogloss.runs import RunFolder, read_metrics
from isogloss.vocab import MODEL_NAME

RECIPE = """
steps = 8
device = "cpu"
precision = "fp32"
model = {width = 16, num_layers = 2, num_heads = 2, feedforward = 32, dropout = 0, attention_dropout = 0}
batches = {sequence_length = 16, batch_size = 8}
optim = {peak_rate = 5e-3}
loop = {log_every = "2 steps", checkpoint_every = "3 steps"}
validation = {every = "4 steps", sequences = 8}
"""

# What is wrong, as settings; {} is a folder that has what they name.
WRONG = {
    "shards of another vocabulary": (["vocabulary={}/vocab"], "made with another vocabulary (62 ids, "),
    "a language without text": (["shards={}/shards"], "language sw has no tokens in the shards; leave it out"),
    "an alpha above 1": (["batches.alpha=1.5"], "batches.alpha = 1.5: Input should be less than or equal to 1"),
    "an alpha below 0": (["batches.alpha=-1"], "batches.alpha = -1: Input should be greater than or equal to 0"),
    "an alpha of a later phase": (['batches.phases=[{start="4 steps", alpha=2}]'], "batches.phases.0.alpha = 2"),
    "a misspelt key": (["batches.mask_rat=0.2"], "unknown key 'batches.mask_rat'; did you mean 'mask_rate'?"),
    "more micro-batches than sequences": (["loop.accumulate=9"], "is more than batches.batch_size = 8"),
}

# Under torchrun: each mistake in turn, as if its processes were started anew; then what each process has said.
EACH_MISTAKE = """
import contextlib, io, json, os, sys
from isogloss.cli import main

for number, words in enumerate(json.load(open(sys.argv[1]))):
    os.environ["TORCHELASTIC_RESTART_COUNT"] = str(number)
    sys.argv[1:] = ["pretrain", *words]
    with contextlib.redirect_stderr(io.StringIO()) as said:
        try:
            main()
        except SystemExit as ended:
            # One write: print's line and its end are two, between which the other process may write.
            os.write(1, (json.dumps([number, ended.code, said.getvalue()]) + "\\n").encode())
"""

# The command line, in which trouble comes to one process with the checkpoint of step 6.
TROUBLED = """
import os, resource, signal, sys
from isogloss.cli import main
from isogloss.training_state import Checkpoints

kind, rank = sys.argv[1:3]
save = Checkpoints.save

def troubled(self, model, optimizer, progress):
    here = progress.step == 6 and os.environ["RANK"] == rank
    if progress.step == 6:
        self.settle(wait=True)  # else the limit may fall on what is still written of step 3
    if here and kind == "full":
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))
    save(self, model, optimizer, progress)
    if here and kind == "killed":
        os.kill(os.getpid(), signal.SIGKILL)

Checkpoints.save = troubled
del sys.argv[1:3]
main()
"""


@pytest.fixture(scope="module")
def recipe(inputs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("recipe") / "recipe.toml"
    folders = f'shards = "{inputs / "shards"}"\nvocabulary = "{inputs / "vocab"}"'
    path.write_text(folders + RECIPE, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def wrong(inputs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another vocabulary, and the shards without the text of one language."""
    folder = tmp_path_factory.mktemp("wrong")
    (folder / "vocab").mkdir()
    with (folder / "vocab" / MODEL_NAME).open("wb") as model:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(["other words here"] * 20), model_writer=model, vocab_size=14, minloglevel=2
        )
    shutil.copytree(inputs / "shards", folder / "shards")
    (folder / "shards" / "manifest.json").unlink()
    (folder / "shards" / "sw" / "part-00000.bin").write_bytes(b"")
    statistics = read_manifest(inputs / "shards", "shards").statistics
    write_manifest(folder / "shards", kind="shards", command="isogloss shards", config={}, statistics=statistics)
    return folder


@pytest.fixture(scope="module")
def alone(recipe: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run of one process, without any trouble; never written to again."""
    run = tmp_path_factory.mktemp("alone") / "run"
    assert say(recipe, f"run={run}") == 0
    return run


def say(*words: object) -> int:
    """``isogloss pretrain …`` in this process; its exit code."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(sys, "argv", ["isogloss", "pretrain", *map(str, words)])
        try:
            main()
        except SystemExit as ended:
            return int(ended.code or 0)
    return 0


def in_two_processes(*words: object) -> subprocess.CompletedProcess[str]:
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [*torchrun, *map(str, words)], env=environment, capture_output=True, text=True, check=False, timeout=110
    )


def lines_of(talk: str) -> list[str]:
    """What the processes said, without torchrun's warnings in between and its own report that they have failed."""
    said = [line for line in talk.splitlines() if not re.match(r"W\d{4} .*torch/distributed/elastic", line)]
    end = next((number for number, line in enumerate(said) if "torch/distributed/elastic" in line), len(said))
    return said[:end]


@pytest.mark.parametrize("mistake", WRONG)
def test_a_mistake_is_one_line_before_anything_is_made(
    recipe: Path, wrong: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], mistake: str
) -> None:
    settings, words = WRONG[mistake]
    assert say(recipe, f"run={tmp_path / 'run'}", *(one.replace("{}/", f"{wrong}/") for one in settings)) == 2
    (line,) = capfd.readouterr().err.splitlines()
    assert words in line
    assert not (tmp_path / "run").exists()


def test_a_mistake_is_said_by_one_of_two_processes(recipe: Path, wrong: Path, tmp_path: Path) -> None:
    mistakes = {**WRONG, "more processes than sequences": (["batches.batch_size=1"], "in 2 processes is more than")}
    calls = [
        [str(recipe), f"run={tmp_path / 'run'}", *(one.replace("{}/", f"{wrong}/") for one in settings)]
        for settings, _ in mistakes.values()
    ]
    (tmp_path / "calls.json").write_text(json.dumps(calls), encoding="utf-8")
    (tmp_path / "each.py").write_text(EACH_MISTAKE, encoding="utf-8")
    done = in_two_processes(tmp_path / "each.py", tmp_path / "calls.json")
    assert done.returncode == 0, done.stderr
    heard = [json.loads(line) for line in done.stdout.splitlines()]
    for number, (mistake, (_, words)) in enumerate(mistakes.items()):
        codes, said = zip(*(rest for which, *rest in heard if which == number), strict=True)
        assert codes == (2, 2), mistake
        assert "".join(said).count("\n") == 1, mistake
        assert words in "".join(said)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("num_layers", [1, 3])
def test_checkpoints_of_another_model_are_one_line(
    recipe: Path, alone: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], num_layers: int
) -> None:
    """A deeper and a shallower model than the one whose checkpoints lie in the run folder."""
    shutil.copytree(alone / "checkpoints", tmp_path / "run" / "checkpoints")
    assert say(recipe, f"run={tmp_path / 'run'}", f"model.num_layers={num_layers}") == 2
    (line,) = capfd.readouterr().err.splitlines()
    assert "step-8 does not fit this model" in line
    assert "choose another run folder" in line


@pytest.mark.slow
def test_another_model_in_the_run_folder_is_said_by_one_of_two_processes(
    recipe: Path, alone: Path, tmp_path: Path
) -> None:
    """Refused by the first alone, who opens the folder, while the second waits; and by both, who read checkpoints."""
    words = ["-m", "isogloss", "pretrain", recipe, "model.num_layers=1"]
    done = in_two_processes(*words, f"run={alone}")
    assert [line.split("; ")[-1] for line in lines_of(done.stderr)] == ["choose another run folder or delete it"]
    shutil.copytree(alone / "checkpoints", tmp_path / "run" / "checkpoints")
    done = in_two_processes(*words, f"run={tmp_path / 'run'}")
    assert [line.split("; ")[-1] for line in lines_of(done.stderr)] == ["choose another run folder"]


@pytest.mark.parametrize(
    ("kind", "rank", "sharing", "words"),
    [
        pytest.param("full", 1, "sharded", "step-6 cannot be written (OSError: [Errno 27] File too large)"),
        pytest.param("killed", 1, "whole", "another process of this run has ended"),
        pytest.param("full", 0, "whole", "step-6 cannot be written", marks=pytest.mark.slow),
        pytest.param("killed", 0, "sharded", "another process of this run has ended", marks=pytest.mark.slow),
    ],
)
def test_trouble_of_one_of_two_processes_ends_both_with_one_line_and_the_run_goes_on(
    recipe: Path, alone: Path, tmp_path: Path, kind: str, rank: int, sharing: str, words: str
) -> None:
    pytest.importorskip("resource", reason="no limits on the size of a file here")
    (tmp_path / "troubled.py").write_text(TROUBLED, encoding="utf-8")
    run = tmp_path / "run"
    done = in_two_processes(
        tmp_path / "troubled.py", kind, rank, "pretrain", recipe, f"run={run}", f"loop.sharing={sharing}"
    )
    assert done.returncode == 1
    (line,) = lines_of(done.stderr)
    assert words in line
    whole = {path.name for path in (run / "checkpoints").iterdir() if path.suffix != ".tmp"}
    assert whole == {"step-3"} or (kind == "killed" and whole == {"step-3", "step-6"})
    assert say(recipe, f"run={run}") == 0
    assert not list((run / "checkpoints").glob("*.tmp"))
    for name, tensor in load_file(alone / "model" / "model.safetensors").items():
        found = load_file(run / "model" / "model.safetensors")[name]
        torch.testing.assert_close(found, tensor, rtol=1e-3, atol=1e-5)


def test_a_full_disk_under_the_metrics_is_one_line(tmp_path: Path) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("no /dev/full here")
    (tmp_path / "metrics.jsonl").symlink_to(full)  # to be written to only: there is no end to read
    run = RunFolder(tmp_path)
    for write in (lambda: run.log(1, loss=3.0), run.close):
        with pytest.raises(FolderError, match=r"cannot be written \(No space left on device\); make room"):
            write()


class JumpingClock:
    """Goes on by a second, and now and then by a year, back or forth."""

    def __init__(self) -> None:
        self._now, self._random = 1e9, random.Random(3)

    def __call__(self) -> float:
        self._now += self._random.choice([1.0, 1.0, 3e7, -3e7, 0.0])
        return self._now


def test_a_clock_that_jumps_stops_nothing_and_spoils_no_number(
    recipe: Path, alone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The clock on the wall jumps, and the one that speed is taken from too, though the system says that it never does.
    monkeypatch.setattr(time, "time", JumpingClock())
    monkeypatch.setattr("isogloss.loop.training.Hardware", partial(Hardware, clock=JumpingClock()))
    assert say(recipe, f"run={tmp_path / 'run'}", "loop.log_every=1 steps") == 0
    lines = read_metrics(tmp_path / "run")
    numbers = list(_numbers(lines))
    assert len(numbers) > 100
    assert all(math.isfinite(number) and number >= 0 for number in numbers)
    last = [[line for line in read_metrics(run) if "held_out" in line][-1] for run in (tmp_path / "run", alone)]
    assert last[0] == last[1]


def _numbers(value: Any) -> Iterator[float]:
    if isinstance(value, dict):
        yield from _numbers(list(value.values()))
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for part in value:
            yield from _numbers(part)
    elif isinstance(value, int | float):
        yield float(value)
