"""A whole study of seconds: stages once, cells resumed after a kill, holes, refusals, and the report of it."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from isogloss.cli import app
from isogloss.errors import ConfigError, FolderError
from isogloss.scores import read_results
from isogloss.studies import StudySettings, check_study, run_study
from isogloss.studies.cell import DONE_NAME
from isogloss.studies.recipe import HeldOutText
from isogloss.studies.run import gpus_of
from isogloss.studies.workers import Job, Pool

from .conftest import TINY

Tiny = Callable[..., StudySettings]
WRONG: dict[str, Any] = {"4": {"number": 4, "set": {"pretrain": {"model": {"max_length": 16}}}}}
PAPER = [{"source": "A paper, figure 9", "axis": "steps", "label": "theirs", "points": {"2": 61.25, "8": 64.5}}]


@pytest.fixture(scope="module")
def done(tiny: Tiny, tmp_path_factory: pytest.TempPathFactory) -> tuple[StudySettings, list[str]]:
    """A study of two values and one that fails, with two seeds."""
    study = tiny(tmp_path_factory.mktemp("study") / "out", axes={"steps": {"values": WRONG}}, seeds=[1, 2], paper=PAPER)
    told: list[str] = []
    run = run_study(study, command="isogloss study tiny.toml", tell=told.append)
    assert (run.num_cells, sorted(run.failed)) == (6, ["steps-4/seed-1", "steps-4/seed-2"])
    return study, told


def test_what_cells_share_is_made_once(done: tuple[StudySettings, list[str]]) -> None:
    study, told = done
    kinds = sorted(path.name.split("-")[0] for path in (study.output / "stages").iterdir())
    assert kinds == ["corpus", "labels", "phrasebook", "shards", "vocab"]
    assert len(told) == len(kinds) + 6


def test_each_cell_is_an_ordinary_run(done: tuple[StudySettings, list[str]]) -> None:
    study, _ = done
    cell = study.output / "cells" / "steps-3" / "seed-2"
    config = json.loads((cell / "pretrain" / "config.json").read_text(encoding="utf-8"))["config"]
    assert (config["steps"], config["seed"]) == (3, 2)
    assert (cell / "pretrain" / "model" / "manifest.json").is_file()
    scores = read_results(cell / "scores" / "retrieval.json")
    assert {(score.task, score.language) for score in scores} == {("tatoeba", "sw")}


def test_a_failed_cell_is_a_hole_with_its_error(done: tuple[StudySettings, list[str]]) -> None:
    report = (done[0].output / "report.md").read_text(encoding="utf-8")
    assert "4 of 6 cells are done" in report
    assert re.search(r"\| steps-4/seed-1 \| .*max.?length", report)
    assert re.search(r"^\| 4 \| – \| – \|$", report, flags=re.MULTILINE)
    assert re.search(r"^\| 3 \| \d\.\d{3} ± \d\.\d{3} \(2\)", report, flags=re.MULTILINE)


def test_the_report_is_one_file_with_the_papers_figures(done: tuple[StudySettings, list[str]]) -> None:
    page = (done[0].output / "report.html").read_text(encoding="utf-8")
    assert not re.search(r"@import|url\((?!#)|<script|<link|(src|href)=\"(?!#)", page)
    # Two outcomes, each with the paper's beside it.
    assert page.count("<svg") == 4
    for said in ("61.25", "A paper, figure 9", "isogloss study tiny.toml", "bits a character", "torch"):
        assert said in page
    markdown = (done[0].output / "report.md").read_text(encoding="utf-8")
    assert "`isogloss study tiny.toml only.steps='[\"3\"]' seeds='[2]' output=one-cell-again`" in markdown
    # The paper's drawing is one file, however often it is shown.
    linked = re.findall(r"\]\((figures/\d\.svg)\)", markdown)
    assert len(linked) == 4
    assert len(set(linked)) == 3
    assert all((done[0].output / one).read_text(encoding="utf-8").startswith("<svg") for one in linked)
    # A row a language, with the mean over seeds.
    assert re.search(r"^\| sw \| \d\.\d{3} \|", markdown, flags=re.MULTILINE)


def test_the_scores_are_a_results_file(done: tuple[StudySettings, list[str]]) -> None:
    results = done[0].output / "results.json"
    assert sorted({score.seed for score in read_results(results)} - {None}) == []
    said = CliRunner().invoke(app, ["results", str(results)], catch_exceptions=False)
    assert said.exit_code == 0
    assert "tatoeba, accuracy, test" in said.stdout


def test_the_same_again_does_nothing_but_try_what_failed(done: tuple[StudySettings, list[str]]) -> None:
    study, _ = done
    before = {path: path.stat().st_mtime_ns for path in study.output.rglob("*") if path.is_file()}
    told: list[str] = []
    run_study(study, command="isogloss study tiny.toml", tell=told.append)
    reports = {study.output, study.output / "figures"}
    changed = {path for path, when in before.items() if path.stat().st_mtime_ns != when}
    assert not {path for path in changed if "steps-4" not in path.parts and path.parent not in reports}
    assert sorted(line.split()[1] for line in told) == ["steps-4/seed-1:", "steps-4/seed-2:"]


def test_what_is_asked_later_is_added_to_what_is_there(tiny: Tiny, tmp_path: Path) -> None:
    first = tiny(tmp_path, only={"steps": ["2"]}, outcomes=["held_out"])
    run_study(first, command="")
    cell = tmp_path / "cells" / "steps-2" / "seed-1"
    before = (cell / "pretrain" / "metrics.jsonl").stat().st_mtime_ns
    assert not (cell / "scores").exists()
    run_study(tiny(tmp_path, only={"steps": ["2"]}), command="")
    assert (cell / "scores" / "retrieval.json").is_file()
    assert (cell / "pretrain" / "metrics.jsonl").stat().st_mtime_ns == before


def test_what_was_asked_before_is_remembered_when_something_else_is_asked(tiny: Tiny, tmp_path: Path) -> None:
    """Its scores lie there still, and would be taken for those of the changed task."""

    def study(outcome: str, **changes: Any) -> StudySettings:
        again = {"task": "tatoeba", "test": "retrieval", "split": "test"}
        tasks = {"retrieval": changes, "retrieval-again": again}
        return tiny(tmp_path, only={"steps": ["2"]}, outcomes=["held_out", outcome], base={"tasks": tasks})

    run_study(study("retrieval"), command="")
    run_study(study("retrieval-again"), command="")
    assert len(check_study(study("retrieval"))) == 1
    with pytest.raises(FolderError, match=r"tasks\.retrieval\.each was false, is true"):
        check_study(study("retrieval", each=True))


def test_a_task_that_failed_is_corrected_and_goes_on(tiny: Tiny, tmp_path: Path) -> None:
    """Of what nothing was made, nothing can have changed."""
    study = tiny(tmp_path / "out", data=str(tmp_path), only={"steps": ["2"]})
    (tmp_path / "retrieval").mkdir()
    assert "has no file test.LANGUAGE-en.tsv" in run_study(study, command="").failed["steps-2/seed-1"]
    asked = "".join(f"sw {number}\ten {number}\n" for number in range(9))
    (tmp_path / "retrieval" / "test.sw-en.tsv").write_text(asked, encoding="utf-8")
    assert run_study(study, command="").failed == {}


def test_a_clusters_machines_need_not_work_in_the_folder_of_the_command(
    tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def elsewhere(jobs: Sequence[Job], pool: Pool, *, tell: Callable[[str, str], object]) -> dict[str, str]:
        monkeypatch.chdir("/")
        for job in jobs:
            job.work()
        return {}

    monkeypatch.setattr("isogloss.studies.run.run_jobs", elsewhere)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "texts").mkdir()
    for code in ("en", "sw"):
        lines = (f"{code} {place % 17} a text of {place % 31} words.\n\n" for place in range(400))
        (tmp_path / "texts" / f"{code}.txt").write_text("".join(lines), encoding="utf-8")
    study = tiny(Path("out"), text="texts", base={"vocab": {"size": 60}}, only={"steps": ["2"]}, outcomes=["held_out"])
    assert run_study(study, command="").failed == {}
    assert (tmp_path / "out" / "cells" / "steps-2" / "seed-1" / DONE_NAME).is_file()


def test_a_cell_that_nobody_sees_is_none(tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("isogloss.studies.run.run_jobs", lambda jobs, pool, tell: {})
    run = run_study(tiny(tmp_path, only={"steps": ["2"]}), command="")
    assert "give an output that all share" in run.failed["steps-2/seed-1"]
    assert run.failed["steps-2/seed-1"] in run.report.with_suffix(".md").read_text(encoding="utf-8")


def test_a_changed_recipe_is_refused_with_the_difference(done: tuple[StudySettings, list[str]], tiny: Tiny) -> None:
    study, _ = done
    changed = tiny(study.output, base={"pretrain": {"steps": 7, "batches": {"batch_size": 5}}}, seeds=[1, 2])
    with pytest.raises(FolderError, match=r"batch_size was 4, is 5; pretrain\.steps was 2, is 7") as caught:
        run_study(changed, command="")
    assert "steps-2/seed-1" in str(caught.value)
    with pytest.raises(FolderError, match=r"from\.phrasebook\.num_documents was 30, is 31"):
        check_study(tiny(study.output, phrasebook={"num_documents": 31}))
    # Neither a task more is a change, nor one less.
    nli = {"task": "nli", "test": "nli", "finetune": {"steps": 1}}
    for outcomes in (["held_out"], ["held_out", "retrieval", "nli"]):
        check_study(tiny(study.output, base={"tasks": {"nli": nli}}, outcomes=outcomes))
    # A value more is no change of the others, and neither is a seed more.
    more = tiny(study.output, axes={"steps": {"values": {"5": {"set": {"pretrain": {"steps": 5}}}}}}, seeds=[1, 2, 3])
    assert {cell.name for cell in check_study(more)} >= {"steps-5/seed-3"}


@pytest.mark.parametrize(
    ("processes", "gpus_per_cell", "expected"),
    [
        (2, 1, ["4", "5"]), (2, 2, ["4,5", "6,GPU-8f"]), (1, 3, ["4,5,6"]), (4, 0.5, ["4", "4", "5", "5"]),
        (3, 0, []), (5, 1, None), (2, 3, None),
    ],
)  # fmt: skip
def test_cells_share_the_gpus_that_are_visible(
    tiny: Tiny,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    processes: int,
    gpus_per_cell: float,
    expected: list[str] | None,
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,5,6,GPU-8f")
    monkeypatch.setattr("torch.cuda.device_count", lambda: 4)
    study = tiny(tmp_path, processes=processes, gpus_per_cell=gpus_per_cell, device="auto")
    if expected is None:
        with pytest.raises(ConfigError, match="need more than the 4 GPUs"):
            gpus_of(study)
    else:
        assert gpus_of(study) == expected
    assert gpus_of(study.model_copy(update={"device": "cpu"})) == []


def test_text_and_labels_of_another_folder_are_no_part_of_the_same_study(tiny: Tiny, tmp_path: Path) -> None:
    """Cells that are done are not mixed with those of other text, other labels or other languages that are asked."""

    def study(text: str, **changes: Any) -> StudySettings:
        return tiny(
            tmp_path / "out", text=str(tmp_path / text), data=str(tmp_path / "labels"), only={"steps": ["2"]},
            held_out={"same": {"source": "text"}}, base={"vocab": {"size": 60}}, **changes,
        )  # fmt: skip

    for folder, number in (("text", 400), ("other", 401)):
        (tmp_path / folder).mkdir()
        for code in ("en", "sw", "fr"):
            lines = (f"{code} {place % 17} a text of {place % 31} words.\n\n" for place in range(number))
            (tmp_path / folder / f"{code}.txt").write_text("".join(lines), encoding="utf-8")
    (tmp_path / "labels" / "retrieval").mkdir(parents=True)
    asked = tmp_path / "labels" / "retrieval" / "test.sw-en.tsv"
    asked.write_text("".join(f"sw {number}\ten {number}\n" for number in range(9)), encoding="utf-8")
    assert run_study(study("text"), command="").failed == {}
    cell = tmp_path / "out" / "cells" / "steps-2" / "seed-1"
    scored = {name: json.loads((cell / "held-out" / f"{name}.json").read_text()) for name in ("held_out", "same")}
    assert [sorted(found) for found in scored.values()] == [["en", "sw"]] * 2
    # Where it lies is no matter, what it is is.
    (tmp_path / "text").rename(tmp_path / "moved")
    check_study(study("moved"))
    with pytest.raises(FolderError, match=r"from\.bytes\.en was \d+, is \d+; .*from\.bytes\.sw was"):
        check_study(study("other"))
    with pytest.raises(FolderError, match=r"held_out\.same\.transform was \"none\", is \"mixed\""):
        check_study(study("moved").model_copy(update={"held_out": {"same": HeldOutText(transform="mixed")}}))
    with pytest.raises(FolderError, match=r"from\.asked was \[\"sw\", \"en\"\], is"):
        check_study(study("moved", groups={"more": ["fr"]}))
    asked.write_text("sw\ten\n", encoding="utf-8")
    with pytest.raises(FolderError, match=r"tasks\.retrieval\.files was \[\"1 files, 90 bytes\"\]"):
        check_study(study("moved"))


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    "where",
    [["gpus_per_cell=1"], ["gpus_per_cell=2"], ["runner=ray"], ["runner=ray", "gpus_per_cell=2"]],
    ids=["a process", "torchrun", "a cluster", "torchrun on a cluster"],
)
@pytest.mark.parametrize(("sent", "exit_code"), [(signal.SIGKILL, -signal.SIGKILL), (signal.SIGTERM, 75)])
def test_what_was_stopped_goes_on_with_the_same_command(
    tmp_path: Path, sent: signal.Signals, exit_code: int, where: list[str]
) -> None:
    """The command is hit in the middle of a cell; what was finished stays, and the rest is made."""
    if "runner=ray" in where:
        pytest.importorskip("ray")
    recipe = tmp_path / "tiny.toml"
    recipe.write_text(_toml(TINY), encoding="utf-8")
    output = tmp_path / "out"
    long = ["base.pretrain.steps=40", 'base.pretrain.loop.checkpoint_every="5 steps"', "only.steps=['2']"]
    command = [
        sys.executable,
        "-m",
        "isogloss",
        "study",
        str(recipe),
        f"output={output}",
        *long,
        *where,
        "seeds=[1, 2]",
    ]
    first, second = (output / "cells" / "steps-2" / f"seed-{seed}" for seed in (1, 2))
    with subprocess.Popen(command, stderr=subprocess.PIPE, start_new_session=True) as process:
        _wait_for(lambda: any((second / "pretrain" / "checkpoints").glob("step-*")), process)
        process.send_signal(sent)
        said = process.stderr.read().decode() if process.stderr else ""
    assert process.returncode == exit_code, said
    assert (first / DONE_NAME).is_file()
    assert not (second / DONE_NAME).is_file()
    before = (first / DONE_NAME).stat().st_mtime_ns
    subprocess.run(command, check=True, capture_output=True)
    assert (first / DONE_NAME).stat().st_mtime_ns == before
    steps = [json.loads(line)["step"] for line in (second / "pretrain" / "metrics.jsonl").read_text().splitlines()]
    assert steps == sorted(steps)
    assert steps[-1] == 40


@pytest.mark.slow
def test_a_cluster_leaves_the_same_cells(done: tuple[StudySettings, list[str]], tiny: Tiny, tmp_path: Path) -> None:
    ray = pytest.importorskip("ray")
    try:
        run = run_study(tiny(tmp_path, runner="ray", processes=2, axes={"steps": {"values": WRONG}}), command="")
    finally:
        ray.shutdown()
    assert sorted(run.failed) == ["steps-4/seed-1"]
    for value in ("2", "3"):
        there, here = (out / "cells" / f"steps-{value}" / "seed-1" for out in (done[0].output, tmp_path))
        for name in ("scores/retrieval.json", "pretrain/model/model.safetensors"):
            assert (here / name).read_bytes() == (there / name).read_bytes()


def _wait_for(there: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 100
    while not there():
        assert time.monotonic() < end, "it never came"
        assert process.poll() is None, process.stderr and process.stderr.read().decode()
        time.sleep(0.02)


def _toml(table: dict[str, Any], key: str = "") -> str:
    """Tables as TOML, with dotted keys; values are written as JSON writes them."""
    lines = ""
    for name, value in table.items():
        full = f"{key}.{json.dumps(name)}".strip(".")
        lines += _toml(value, full) if isinstance(value, dict) and value else f"{full} = {json.dumps(value)}\n"
    return lines
