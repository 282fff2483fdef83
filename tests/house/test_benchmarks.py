"""Every benchmark runs, at a size of seconds, and ends in one line of JSON with its ratio."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
BENCHMARKS = REPOSITORY / "benchmarks"
# What makes each one small.
SMALL = {
    # Its ratios are of times less those of a start: text of a tenth of this takes less than starts differ by.
    "corpus.py": [
        "--rounds", "1", "--phrasebook", "--languages", "en", "sw", "de", "fr", "es", "ru",
        "--megabytes", "1", "--files", "1",
    ],
    "encode.py": [
        "--preset", "tiny", "--layers", "1", "--vocabulary-size", "1300",
        "--sides", "isogloss", "transformers-pipeline", "transformers-batches",
        "--sentences", "15", "--documents", "2", "--phrasebook", "40", "--pieces", "1200", "--rounds", "1",
        "--threads", "1",
    ],
    "finetune.py": [
        "--shapes", "mini", "--rounds", "1", "--pairs", "9", "--layers", "1", "--documents", "40", "--pieces", "1200",
        "--threads", "1",
    ],
    "masked_loss.py": ["--rows", "8", "--pieces", "500", "--width", "16", "--rounds", "2", "--threads", "1"],
    "pretrain_step.py": [
        "--recipes", "mini", "--rounds", "1", "--steps", "1", "--warmup", "1", "--sequences", "2", "--length", "16",
        "--layers", "1", "--documents", "40", "--pieces", "1200", "--threads", "1",
    ],
    "serve.py": [
        "--preset", "mini", "--layers", "1", "--clients", "4", "--texts", "32", "--seconds", "1", "--warm-up", "0.2",
        "--rounds", "1", "--documents", "40", "--pieces", "1200", "--threads", "1",
    ],
    "vocab_extend.py": [
        "--phrasebook", "--sentences", "120", "--old", "en", "sw", "--new", "tr", "--pieces", "300", "--add", "60",
        "--steps", "3", "--more-steps", "2", "--batch", "2", "--layers", "1", "--width", "16",
    ],
    "vocab_train.py": [
        "--phrasebook", "--megabytes", "0.6", "--plain-megabytes", "0.3", "--pieces", "1500", "--memory-mb", "64",
    ],
    "tokenize.py": [
        "--rounds", "1", "--text", "README.md", "--megabytes", "0.02", "--size", "400", "--whole-megabytes", "0.02",
        "--workers", "1", "--sides", "sentencepiece", "tokenizers",
    ],
}  # fmt: skip


def test_every_benchmark_is_run_here() -> None:
    assert {path.name for path in BENCHMARKS.glob("*.py")} == set(SMALL)


# They train or build for more than ten seconds.
LONG = ("pretrain_step.py", "corpus.py", "finetune.py", "encode.py", "serve.py")


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow) if name in LONG else name for name in SMALL]
)
def test_a_benchmark_ends_in_json(name: str) -> None:
    pytest.importorskip("transformers")
    words = [sys.executable, str(BENCHMARKS / name), *SMALL[name]]
    done = subprocess.run(words, capture_output=True, text=True, cwd=REPOSITORY)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    assert result["benchmark"] == name.removesuffix(".py")
    assert result["ratio"] > 0
