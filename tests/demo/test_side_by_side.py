"""Fine-tunings in processes of their own: an error is told as it was, and whoever is stopped has saved its state."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import sentencepiece

from isogloss.checkpoint import save_model
from isogloss.config import Duration
from isogloss.demo.side_by_side import finetune_side_by_side
from isogloss.errors import IsoglossError
from isogloss.finetune import FinetuneSettings
from isogloss.loop import LoopSettings
from isogloss.model import MaskedLM, ModelSettings, initialise
from isogloss.runs import read_metrics
from isogloss.vocab import MODEL_NAME, Vocabulary

LINES = ["anna sleeps\tyes", "omar runs\tno", "anna runs\tyes", "omar sleeps\tno"]
LONG = 10**6


@pytest.fixture(scope="module")
def pretrained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of next to no size, and a file of labelled texts beside it."""
    folder = tmp_path_factory.mktemp("pretrained")
    (folder / "vocab").mkdir()
    (folder / "train.en.tsv").write_text("\n".join(LINES) + "\n", encoding="utf-8")
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(LINES * 20),
        model_prefix=str(folder / "vocab" / "sentencepiece.bpe"),
        model_type="bpe",
        vocab_size=32,
        minloglevel=2,
    )
    size = len(Vocabulary.load(folder / "vocab" / MODEL_NAME))
    model = MaskedLM(
        ModelSettings(vocabulary_size=size, width=8, num_layers=1, num_heads=1, feedforward=8, max_length=32)
    )
    initialise(model, seed=1)
    save_model(folder / "model", model, vocabulary_folder=folder / "vocab", parents=[], command="test", card="A test.")
    return folder


def settings_for(pretrained: Path, run: Path, *, steps: int, data: Path | None = None) -> FinetuneSettings:
    return FinetuneSettings(
        run=run,
        model=pretrained / "model",
        task="text",
        data=data or pretrained,
        selection="last",
        steps=steps,
        batch_size=2,
        device="cpu",
        loop=LoopSettings(log_every=Duration("20 steps")),
    )


def num_steps_saved(run: Path) -> int:
    names = [path.name for path in (run / "checkpoints").glob("step*")]
    return max((int("".join(letter for letter in name if letter.isdigit())) for name in names), default=0)


def test_each_list_is_done_in_order(pretrained: Path, tmp_path: Path) -> None:
    runs = [[settings_for(pretrained, tmp_path / f"{a}{b}", steps=20) for b in range(2)] for a in range(2)]
    finetune_side_by_side({"first": runs[0], "second": runs[1]})
    finished = {s.run.name: (s.run / "model" / "manifest.json").stat().st_mtime_ns for todo in runs for s in todo}
    assert finished["00"] < finished["01"]
    assert finished["10"] < finished["11"]
    assert [line["step"] for line in read_metrics(tmp_path / "11")] == [20]


def test_an_error_is_told_as_it_was_and_the_other_list_saves_its_state(pretrained: Path, tmp_path: Path) -> None:
    wrong = settings_for(pretrained, tmp_path / "wrong", steps=20, data=tmp_path)
    long = settings_for(pretrained, tmp_path / "long", steps=LONG)
    first = settings_for(pretrained, tmp_path / "first", steps=2000)  # gives the other list the time to start
    with pytest.raises(IsoglossError, match=f"{tmp_path}.*train") as caught:
        finetune_side_by_side({"long": [long], "wrong": [first, wrong]})
    assert caught.value.exit_code == 2
    assert 0 < num_steps_saved(tmp_path / "long") < LONG


# A shell starts what it puts into the background with Ctrl-C ignored, and children inherit that.
CODE = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from isogloss.demo.side_by_side import finetune_side_by_side
from isogloss.errors import IsoglossError
from isogloss.finetune import FinetuneSettings
if __name__ == "__main__":
    lists = {str(n): [FinetuneSettings.model_validate_json(text)] for n, text in enumerate(sys.argv[1:])}
    try:
        finetune_side_by_side(lists)
    except IsoglossError as error:
        print(error)
        sys.exit(error.exit_code)
"""


def children_of(pid: int) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text(encoding="utf-8").rpartition(")")[2].split()
        except OSError:  # it has ended meanwhile
            continue
        if int(fields[1]) == pid and fields[0] != "Z":
            found.append(int(path.parent.name))
    return found


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="finds processes in /proc")
@pytest.mark.parametrize(
    ("number", "exit_code"),
    [
        (signal.SIGTERM, 75),
        pytest.param(signal.SIGINT, 130, marks=pytest.mark.slow),
        pytest.param(signal.SIGKILL, -signal.SIGKILL, marks=pytest.mark.slow),
    ],
)
def test_stopping_the_parent_stops_all(
    pretrained: Path, tmp_path: Path, number: signal.Signals, exit_code: int
) -> None:
    runs = [settings_for(pretrained, tmp_path / name, steps=LONG) for name in ("one", "other")]
    script = tmp_path / "parent.py"
    script.write_text(CODE, encoding="utf-8")
    words = [sys.executable, str(script), *[settings.model_dump_json() for settings in runs]]
    parent = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    end = time.monotonic() + 100
    while not all((settings.run / "metrics.jsonl").exists() for settings in runs):
        assert parent.poll() is None, parent.communicate()
        assert time.monotonic() < end
        time.sleep(0.1)
    children = children_of(parent.pid)
    assert len(children) >= 2
    os.kill(parent.pid, number)
    said, _ = parent.communicate(timeout=60)
    assert parent.returncode == exit_code
    assert ("the same command goes on from there" in said) == (number != signal.SIGKILL)
    while any(is_running(child) for child in children):
        assert time.monotonic() < end
        time.sleep(0.1)
    assert all(0 < num_steps_saved(settings.run) < LONG for settings in runs)
