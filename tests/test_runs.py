"""Run folders: metrics survive a kill, going on rewinds them, other settings are refused by name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isogloss.config import Settings
from isogloss.errors import FolderError
from isogloss.runs import METRICS_NAME, RunFolder, read_metrics

CONFIG: dict[str, Any] = {"steps": 10, "optim": {"peak_rate": 0.5, "betas": (0.9, 0.98)}, "device": "cpu"}


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    """A run without TensorBoard, whose writer costs a second of imports."""
    run = RunFolder.open(tmp_path / "run", CONFIG)
    lines = [{"step": step, "loss": 1.0 / step} for step in range(1, 6)]
    (run.path / METRICS_NAME).write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return run


def test_what_is_logged_is_read_again_and_mirrored(tmp_path: Path) -> None:
    run = RunFolder.open(tmp_path / "run", CONFIG)
    run.log(0)  # nothing to say: no line
    run.log(1, loss=2.5, held_out={"sw": {"loss": 3.0}}, note="первый")
    run.close()
    run.log(2, loss=2.0)
    run.close()
    assert read_metrics(run.path) == [
        {"step": 1, "loss": 2.5, "held_out": {"sw": {"loss": 3.0}}, "note": "первый"},
        {"step": 2, "loss": 2.0},
    ]
    events = b"".join(path.read_bytes() for path in (run.path / "tensorboard").iterdir())
    assert b"held_out/sw/loss" in events
    assert b"note" not in events


def test_the_folder_says_its_settings_and_versions(run: RunFolder) -> None:
    known = json.loads((run.path / "config.json").read_text(encoding="utf-8"))
    assert known["config"]["optim"] == {"peak_rate": 0.5, "betas": [0.9, 0.98]}
    assert {"python", "isogloss", "torch", "numpy"} <= set(known["versions"])


@pytest.mark.parametrize("content", ["", "{", "[]", '{"versions": {}}', "\u00e9"])
def test_settings_that_cannot_be_read_are_one_line(run: RunFolder, content: str) -> None:
    (run.path / "config.json").write_text(content, encoding="latin-1")
    with pytest.raises(FolderError, match=r"config\.json is damaged, or not the settings of a run"):
        RunFolder.open(run.path, CONFIG)


@given(step=st.integers(0, 7))
def test_rewinding_drops_what_came_after(tmp_path_factory: pytest.TempPathFactory, step: int) -> None:
    run = RunFolder.open(tmp_path_factory.mktemp("runs") / "run", CONFIG)
    lines = [{"step": number, "loss": 1.0} for number in range(1, 6)]
    (run.path / METRICS_NAME).write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    run.rewind(step)
    run.rewind(step)
    assert [line["step"] for line in read_metrics(run.path)] == list(range(1, min(step, 5) + 1))


def test_rewinding_a_run_without_metrics_is_nothing(tmp_path: Path) -> None:
    run = RunFolder.open(tmp_path / "run", CONFIG)
    run.rewind(3)
    assert not (run.path / METRICS_NAME).exists()


@given(cut=st.integers(1, 200))
def test_a_line_torn_by_a_kill_is_left_out_and_gone_after_a_rewind(
    tmp_path_factory: pytest.TempPathFactory, cut: int
) -> None:
    """Whatever byte the kill came at, whole lines stay, and lines after a rewind are whole too."""
    run = RunFolder.open(tmp_path_factory.mktemp("runs") / "run", CONFIG)
    path = run.path / METRICS_NAME
    whole = "".join(json.dumps({"step": number, "note": "три"}, ensure_ascii=False) + "\n" for number in range(1, 6))
    data = whole.encode()
    torn = data[: max(0, len(data) - cut)]
    path.write_bytes(torn)
    # A last line without its line feed may be whole all the same.
    ends = torn.count(b"\n") + (torn.split(b"\n")[-1].endswith(b"}"))
    assert [line["step"] for line in read_metrics(run.path)] == list(range(1, ends + 1))
    run.rewind(100)
    with path.open("a", encoding="utf-8") as stream:
        stream.write('{"step": 99}\n')
    assert [line["step"] for line in read_metrics(run.path)] == [*range(1, ends + 1), 99]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"steps": 11}, "steps = 10, now 11"),
        ({"optim": {"peak_rate": 0.4, "betas": [0.9, 0.98]}}, "optim.peak_rate = 0.5, now 0.4"),
        ({"extra": 1}, "extra = None, now 1"),
    ],
)
def test_other_settings_are_refused_by_name(run: RunFolder, change: dict[str, Any], said: str) -> None:
    with pytest.raises(FolderError, match=f"{said}; choose another run folder"):
        RunFolder.open(run.path, {**CONFIG, **change}, may_differ=("device",))
    assert json.loads((run.path / "config.json").read_text(encoding="utf-8"))["config"]["steps"] == 10


def test_what_may_differ_may(run: RunFolder) -> None:
    again = RunFolder.open(run.path, {**CONFIG, "device": "cuda"}, may_differ=("device",))
    assert json.loads((again.path / "config.json").read_text(encoding="utf-8"))["config"]["device"] == "cuda"
    assert len(read_metrics(again.path)) == 5


class Optim(Settings):
    peak_rate: float = 0.5
    betas: tuple[float, float] = (0.9, 0.98)
    amsgrad: bool = False


class Grown(Settings):
    """What the run was started with, two settings later."""

    steps: int
    optim: Optim = Optim(peak_rate=0.1)
    device: str = "cpu"
    compile: bool = False


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, None),
        ({"compile": True}, "compile = None, now True"),
        ({"optim": Optim(amsgrad=True)}, "optim.amsgrad = False, now True"),
        ({"steps": 11}, "steps = 10, now 11"),
    ],
    ids=str,
)
def test_a_run_outlives_the_settings_that_came_after_it(run: RunFolder, values: dict[str, Any], said: str) -> None:
    settings = Grown(**{"steps": 10, "optim": Optim(), **values})
    config = settings.model_dump(mode="json")
    with pytest.raises(FolderError, match=r"optim\.amsgrad = None|compile = None|steps = 10"):
        RunFolder.open(run.path, config)
    if said is None:
        RunFolder.open(run.path, config, settings=settings)
        assert json.loads((run.path / "config.json").read_text(encoding="utf-8"))["config"] == config
        return
    with pytest.raises(FolderError, match=said.replace("None", "(None|False)")):
        RunFolder.open(run.path, config, settings=settings)


def test_a_setting_that_is_gone_is_refused(run: RunFolder) -> None:
    class Shrunk(Settings):
        steps: int = 10
        device: str = "cpu"

    settings = Shrunk()
    with pytest.raises(FolderError, match=r"optim = \{'peak_rate'.*now None"):
        RunFolder.open(run.path, settings.model_dump(mode="json"), settings=settings)
