"""Held-out text, shared by processes: the numbers are those of one process, to the last bit."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from isogloss.config import make_settings
from isogloss.devices import Device
from isogloss.model import MaskedLM, initialise
from isogloss.pretrain import PretrainSettings, Validation
from isogloss.processes import Processes
from isogloss.shards import Shards

CPU = Device(torch.device("cpu"), torch.float32)

# Under torchrun: the model whole in each process, then in parts; the first process says what they found.
SHARED = """
import json, sys, torch
sys.path.insert(0, sys.argv[1])
import test_pretrain_held_out as here
from isogloss.processes import joined
from isogloss.sharing import share

torch.set_num_threads(1)
with joined(torch.device("cpu")) as processes:
    for sharing in ("whole", "sharded"):
        validation, model = here.made(here.Path(sys.argv[2]), without="th")
        share(model, processes, sharing)
        with torch.no_grad():
            scores = validation.scores(model, here.CPU, processes)
        if processes.is_first:
            print(json.dumps(scores), flush=True)
"""


def made(inputs: Path, *, without: str = "") -> tuple[Validation, MaskedLM]:
    """What scores held-out text, as if a language had none, and a fresh model."""
    settings = make_settings(
        PretrainSettings,
        {
            "run": "run", "shards": inputs / "shards", "vocabulary": inputs / "vocab", "steps": 1,
            "model": {"width": 16, "num_layers": 2, "num_heads": 2, "feedforward": 32, "vocabulary_size": 62},
            "batches": {"sequence_length": 16, "batch_size": 3},
            "validation": {"sequences": 8},
        },
    )  # fmt: skip
    shards = Shards.open(inputs / "shards")
    texts = {code: shards.held_out(code) for code in shards.languages}
    if without:
        tokens, offsets, _ = texts[without]
        texts[without] = tokens[:0], offsets[:1], 0
    object.__setattr__(shards, "held_out", texts.__getitem__)
    model = MaskedLM(settings.model)
    initialise(model, 1, std=0.5)
    return Validation(shards, settings, None), model.eval()


@dataclass(frozen=True)
class Part(Processes):
    """One of several processes, which knows what the others have found."""

    others: list[list[float]] = field(default_factory=list)
    own: list[float] = field(default_factory=list)

    def sum(self, *values: float) -> tuple[float, ...]:
        self.own.extend(values)
        return tuple(map(sum, zip(values, *self.others, strict=True)))


@pytest.fixture(scope="module")
def validation(inputs: Path) -> tuple[Validation, MaskedLM, dict[str, Any]]:
    validation, model = made(inputs)
    with torch.no_grad():
        return validation, model, validation.scores(model, CPU, Processes())


@given(count=st.integers(1, 12))
def test_any_number_of_processes_finds_the_same_numbers_in_equally_many_calls(
    validation: tuple[Validation, MaskedLM, dict[str, Any]], count: int
) -> None:
    scorer, model, expected = validation
    calls: list[int] = []
    handle = model.register_forward_hook(lambda *_: calls.append(rank))
    others: list[list[float]] = []
    with torch.no_grad():
        for rank in range(count):
            part = Part(rank, count, others=list(others))
            scores = scorer.scores(model, CPU, part)
            others.append(part.own)
    handle.remove()
    assert scores == expected
    num_batches = sum(map(len, scorer._batches.values()))
    assert num_batches > len(expected["held_out"])
    assert [calls.count(rank) for rank in range(count)] == [-(-num_batches // count)] * count


def test_two_real_processes_find_the_numbers_of_one(inputs: Path, tmp_path: Path) -> None:
    validation, model = made(inputs, without="th")
    with torch.no_grad():
        expected = validation.scores(model, CPU, Processes())
    assert expected["held_out"].keys() == {"en", "sw"}
    (tmp_path / "shared.py").write_text(SHARED, encoding="utf-8")
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    done = subprocess.run(
        [*torchrun, str(tmp_path / "shared.py"), str(Path(__file__).parent), str(inputs)],
        env={**os.environ, "OMP_NUM_THREADS": "1"}, capture_output=True, text=True, check=False, timeout=110,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert [json.loads(line) for line in done.stdout.splitlines()] == [expected, expected]


def test_without_any_held_out_text_there_are_no_scores(inputs: Path) -> None:
    validation, model = made(inputs)
    validation._batches.clear()
    validation._pieces_per_character.clear()
    assert validation.scores(model, CPU, Part(1, 2, others=[[]])) == {}
