"""Several processes train one model: real ones, started by torchrun, over gloo on the CPU."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from isogloss.errors import ConfigError
from isogloss.processes import Processes, joined, started
from isogloss.runs import read_metrics
from isogloss.training_state import newest_checkpoint

STEPS = 8


def recipe(inputs: Path, path: Path, **tables: Mapping[str, Any]) -> Path:
    """A pretraining recipe, without dropout: what is dropped depends on how a step is cut."""
    base: dict[str, dict[str, Any]] = {
        "model": {
            "width": 16, "num_layers": 2, "num_heads": 2, "feedforward": 32, "max_length": 24,
            "dropout": 0.0, "attention_dropout": 0.0,
        },
        "batches": {"sequence_length": 16, "batch_size": 8},
        "optim": {"peak_rate": 5e-3},
        "loop": {"log_every": "2 steps", "checkpoint_every": "3 steps"},
        "validation": {"every": "4 steps", "sequences": 8},
    }  # fmt: skip
    lines = [f'shards = "{inputs / "shards"}"', f'vocabulary = "{inputs / "vocab"}"', f"steps = {STEPS}"]
    lines += ['device = "cpu"', 'precision = "fp32"']
    for name, table in base.items():
        values = table | dict(tables.get(name, {}))
        lines += [f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in values.items())]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def command(count: int, recipe: Path, run: Path) -> list[str]:
    alone = [sys.executable, "-m", "isogloss"]
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={count}"]
    return [*(alone if count == 1 else [*torchrun, "-m", "isogloss"]), "pretrain", str(recipe), f"run={run}"]


def environment() -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1"}


def pretrain_in(count: int, recipe: Path, run: Path, *, exit_code: int = 0) -> str:
    done = subprocess.run(command(count, recipe, run), env=environment(), capture_output=True, text=True, timeout=110)
    assert done.returncode == exit_code, done.stderr
    return done.stderr


def weights(run: Path) -> dict[str, torch.Tensor]:
    return load_file(run / "model" / "model.safetensors")


def logged(run: Path, name: str) -> dict[int, Any]:
    return {line["step"]: line[name] for line in read_metrics(run) if name in line}


@pytest.fixture(scope="module")
def alone(inputs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run of one process; never written to again."""
    folder = tmp_path_factory.mktemp("alone")
    pretrain_in(1, recipe(inputs, folder / "recipe.toml"), folder / "run")
    return folder / "run"


@pytest.mark.parametrize("sharing", ["whole", "sharded"])
def test_two_processes_learn_what_one_learns(inputs: Path, alone: Path, tmp_path: Path, sharing: str) -> None:
    path = recipe(inputs, tmp_path / "recipe.toml", loop={"sharing": sharing})
    talk = pretrain_in(2, path, tmp_path / "run")
    assert talk.count("done: ") == 1
    one, two = weights(alone), weights(tmp_path / "run")
    assert one.keys() == two.keys()
    for name, tensor in one.items():
        torch.testing.assert_close(two[name], tensor, rtol=1e-3, atol=1e-5)
    # AdamW hardly minds a gradient of the wrong size, its norm does.
    for name in ("loss", "gradient_norm"):
        assert logged(tmp_path / "run", name) == pytest.approx(logged(alone, name), rel=1e-4)
    for name in ("ledger", "tokens"):
        assert logged(tmp_path / "run", name) == logged(alone, name)
    for step, scores in logged(alone, "held_out_mean").items():
        assert logged(tmp_path / "run", "held_out_mean")[step] == pytest.approx(scores, rel=1e-4)


@pytest.mark.slow
def test_a_run_goes_on_in_any_number_of_processes(inputs: Path, alone: Path, tmp_path: Path) -> None:
    """Two sharded, stopped; one, stopped; four with the whole model each, to the end."""
    run, path = tmp_path / "run", tmp_path / "recipe.toml"
    for count, sharing, last in ((2, "sharded", 3), (1, "whole", 6), (4, "whole", None)):
        recipe(inputs, path, loop={"sharing": sharing, "checkpoint_every": "1 steps", "log_every": "1 steps"})
        if last is None:
            pretrain_in(count, path, run)
        else:
            stop_after(last, count, path, run)
    assert logged(run, "loss").keys() == set(range(1, STEPS + 1))
    for name, tensor in weights(alone).items():
        torch.testing.assert_close(weights(run)[name], tensor, rtol=1e-3, atol=1e-5)


def stop_after(step: int, count: int, path: Path, run: Path) -> None:
    """Start, and kill everything once a checkpoint of this step or a later one is there, if it comes before the end."""
    process = subprocess.Popen(command(count, path, run), env=environment(), start_new_session=True)
    try:
        deadline = time.monotonic() + 100
        while not any((run / "checkpoints" / f"step-{number}").exists() for number in range(step, STEPS + 1)):
            assert process.poll() is None, "the run ended before it could be killed"
            assert time.monotonic() < deadline, "no checkpoint in time"
            time.sleep(0.01)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.mark.slow
def test_a_signal_stops_all_after_the_same_step_with_the_state_saved(inputs: Path, alone: Path, tmp_path: Path) -> None:
    path = recipe(inputs, tmp_path / "recipe.toml", loop={"log_every": "1 steps"})
    run = tmp_path / "run"
    process = subprocess.Popen(command(2, path, run), env=environment(), stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 100
    while not (run / "metrics.jsonl").exists() and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.005)
    process.send_signal(signal.SIGTERM)
    _, talk = process.communicate(timeout=60)
    if not (run / "model").exists():  # unless it was done by then
        assert "stopped and saved at step" in talk
    pretrain_in(2, path, run)
    for name, tensor in weights(alone).items():
        torch.testing.assert_close(weights(run)[name], tensor, rtol=1e-3, atol=1e-5)


def test_more_processes_than_sequences_are_refused_before_anything_is_made(
    inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from isogloss.cli import main

    for name, value in {"RANK": "0", "WORLD_SIZE": "16", "LOCAL_RANK": "0"}.items():
        monkeypatch.setenv(name, value)
    path = recipe(inputs, tmp_path / "recipe.toml")
    monkeypatch.setattr(sys, "argv", ["isogloss", "pretrain", str(path), f"run={tmp_path / 'run'}"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert "in 16 processes is more than batches.batch_size = 8" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_what_torchrun_says_is_believed_whole_or_not_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK"):
        monkeypatch.delenv(name, raising=False)
    assert started() == Processes()
    monkeypatch.setenv("RANK", "1")
    with pytest.raises(ConfigError, match="has RANK but no usable WORLD_SIZE, LOCAL_RANK; start with torchrun"):
        started()
    monkeypatch.setenv("WORLD_SIZE", "two")
    monkeypatch.setenv("LOCAL_RANK", "1")
    with pytest.raises(ConfigError, match="no usable WORLD_SIZE"):
        started()
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert (started().rank, started().count, started().is_first) == (1, 2, False)


def test_one_process_alone_needs_no_group(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK"):
        monkeypatch.delenv(name, raising=False)
    with joined(torch.device("cpu")) as processes:
        assert not torch.distributed.is_initialized()
        assert processes.is_first
        assert processes.sum(3, 0.1, True) == (3, 0.1, True)
        processes.wait()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_twenty_kills_change_nothing(inputs: Path, tmp_path: Path) -> None:
    """SIGKILL at random moments, most of them while a checkpoint is being written, and started again each time."""
    loop = {"checkpoint_every": "1 steps", "log_every": "1 steps"}
    path = recipe(inputs, tmp_path / "recipe.toml", loop=loop)
    # Long enough that twenty starts do not reach the end.
    path.write_text(path.read_text(encoding="utf-8").replace(f"steps = {STEPS}", "steps = 400"), encoding="utf-8")
    pretrain_in(1, path, tmp_path / "unbroken")
    random = Random(5)
    run, kills, amid_a_save = tmp_path / "run", 0, 0
    while kills < 20 and not (run / "model").exists():
        process = subprocess.Popen(command(1, path, run), env=environment(), stderr=subprocess.DEVNULL)
        before = newest_checkpoint(run / "checkpoints")
        while process.poll() is None and newest_checkpoint(run / "checkpoints") == before:
            time.sleep(0.01)
        time.sleep(random.random() * 0.3)
        process.kill()
        process.wait()
        kills += 1
        amid_a_save += any((run / "checkpoints").glob("*.tmp"))
    assert kills == 20, "the run ended before it was killed so often"
    assert amid_a_save >= 5
    pretrain_in(1, path, run)
    one, other = weights(tmp_path / "unbroken"), weights(run)
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert logged(run, "loss") == logged(tmp_path / "unbroken", "loss")
    assert logged(run, "ledger") == logged(tmp_path / "unbroken", "ledger")
