"""The demo at a size of seconds: every stage leaves its folder, the report is whole, and nothing is done twice."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from isogloss.cli import app
from isogloss.config import make_settings
from isogloss.demo import DemoSettings, run_demo, write_report
from isogloss.demo.chain import TASKS
from isogloss.errors import DataError
from isogloss.evaluate import Score
from isogloss.lines import CHUNK
from isogloss.model import ModelSettings
from isogloss.phrasebook import PhrasebookSettings

LANGUAGES = ("en", "sw", "zh")
AMOUNTS: dict[str, Any] = {
    "num_documents": 40, "num_pairs": 12, "num_tagged": 8, "num_questions": 8, "num_test": 6
}  # fmt: skip


def settings_for(output: Path) -> DemoSettings:
    return DemoSettings(
        output=output,
        phrasebook=PhrasebookSettings(languages=LANGUAGES, **AMOUNTS),
        pieces_a_language=150,
        steps_a_language=1,
        device="cpu",
    )


class Page(HTMLParser):
    """What a browser would see: headings, tables, drawings, and everything it would fetch."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.headings: list[str] = []
        self.num_tables = self.num_drawings = 0
        self.fetched: list[str] = []
        self.words = ""
        self._open = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._open = tag
        self.num_tables += tag == "table"
        self.num_drawings += tag == "svg"
        self.fetched += [value or "" for name, value in attrs if name.split(":")[-1] in ("src", "href", "data")]

    def handle_data(self, data: str) -> None:
        if self._open in ("h1", "h2", "h3"):
            self.headings.append(data)
        self.words += data + " "
        self._open = ""


def test_a_preset_is_not_mixed_with_the_small_model() -> None:
    small = DemoSettings().model
    assert make_settings(DemoSettings, {}, ["model.num_layers=2"]).model == small.model_copy(update={"num_layers": 2})
    assert make_settings(DemoSettings, {}, ["model.preset=base"]).model == ModelSettings(preset="base")


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[DemoSettings, list[Score], Page]]:
    settings = settings_for(tmp_path_factory.mktemp("demo") / "run")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("isogloss.demo.chain.TASKS", tuple(dataclasses.replace(task, steps=2) for task in TASKS))
        scores, timings = run_demo(settings)
        report = write_report(settings.output, scores, timings)
        yield settings, scores, Page(report.read_text(encoding="utf-8"))


def test_results_hold_every_task_language_and_setting(demo: tuple[DemoSettings, list[Score], Page]) -> None:
    settings, scores, _ = demo
    written = json.loads((settings.output / "results.json").read_text(encoding="utf-8"))
    assert [(entry["task"], entry["value"]) for entry in written] == [(score.task, score.value) for score in scores]
    found = {(entry["task"], entry["language"], entry["setting"]) for entry in written}
    settings_of_scores = {"zero-shot", "zero-shot, random weights", "majority"}
    for task in TASKS:
        assert {(task.name, language, "zero-shot") for language in LANGUAGES} <= found
        assert {setting for name, _, setting in found if name == task.name} == settings_of_scores
    assert {"nli", "ner", "qa"} == {name for name, _, setting in found if setting == "zero-shot"}
    assert {(task.name, "sw", "majority") for task in TASKS} <= found
    assert all(0 <= entry["value"] <= 100 and entry["n"] == 6 for entry in written)


def test_the_report_holds_every_section(demo: tuple[DemoSettings, list[Score], Page]) -> None:
    _, scores, page = demo
    wanted = ["isogloss demo", "Zero-shot transfer", "What the model saw", "Pretraining", "Time"]
    assert [heading for heading in page.headings if heading in wanted] == wanted
    assert {task.title for task in TASKS} <= set(page.headings)
    # A table a metric, and those of languages and of time; a drawing a task, of shares, and three curves.
    assert page.num_tables == len({(score.task, score.metric) for score in scores}) + 2
    assert page.num_drawings == len(TASKS) + 1 + 3
    for said in ("bits a character", "Swahili", "tokens seen", "most frequent answer", "Fingerprints"):
        assert said in page.words
    for score in scores:
        assert f"{score.value:.1f}" in page.words


def test_the_report_needs_no_other_file(demo: tuple[DemoSettings, list[Score], Page]) -> None:
    settings, _, page = demo
    assert all(value.startswith("#") for value in page.fetched), page.fetched
    text = (settings.output / "report.html").read_text(encoding="utf-8")
    assert not re.search(r"@import|url\((?!#)|<script|<link", text)


def test_the_same_command_again_does_nothing_new(demo: tuple[DemoSettings, list[Score], Page]) -> None:
    settings, scores, _ = demo
    made = {
        path: path.stat().st_mtime_ns
        for path in settings.output.rglob("*")
        if path.is_file() and "scores" not in path.parts and path.parent != settings.output
    }
    assert len(made) > 50
    before = json.loads((settings.output / "timings.json").read_text(encoding="utf-8"))
    again, timings = run_demo(settings)
    assert [timing.stage for timing in timings] == [timing["stage"] for timing in before]
    assert all(timing.seconds >= earlier["seconds"] for timing, earlier in zip(timings, before, strict=True))
    # A run folder notes the settings and versions it was opened with, every time.
    changed = {path.name for path, time in made.items() if path.stat().st_mtime_ns != time}
    assert changed <= {"config.json"}
    assert again == scores


def test_the_command_line_finds_the_demo_done(demo: tuple[DemoSettings, list[Score], Page]) -> None:
    settings, scores, _ = demo
    small = [f"phrasebook.{name}={value}" for name, value in AMOUNTS.items()]
    words = [
        "demo",
        "--json",
        "--languages",
        ",".join(LANGUAGES),
        "pieces_a_language=150",
        "steps_a_language=1",
        "device=cpu",
    ]
    done = CliRunner().invoke(app, [*words, f"output={settings.output}", *small], catch_exceptions=False)
    assert done.exit_code == 0, done.stderr
    said = [dataclasses.asdict(score) for score in scores]
    assert json.loads(done.stdout) == json.loads(json.dumps(said)), "but for tuples, which JSON has not"
    assert str(settings.output / "report.html") in done.stderr.replace("\n", "")


@pytest.mark.parametrize(
    ("words", "lines", "keys"),
    [
        (["fill-mask", "pretrain", "--top-k", "2"], "Anna sees a <mask>.\n<mask> <mask>", {"masks"}),
        (["classify", "nli-pretrained"], 'Anna sleeps.\tNobody sleeps.\n{"text": "a", "text_pair": "b"}', {"label"}),
        (["tag", "ner-pretrained"], "Anna anaishi Oslo.\n\n安娜", {"spans"}),
        (["answer", "qa-pretrained"], "Who sleeps?\tAnna sleeps.", {"start", "end", "text", "score"}),
        (["embed", "pretrain", "--normalise", "--pooling", "cls"], "Anna.\n", {"vector"}),
    ],
)
def test_its_models_answer_from_the_command_line(
    demo: tuple[DemoSettings, list[Score], Page], words: list[str], lines: str, keys: set[str]
) -> None:
    question, run, *options = words
    model = str(demo[0].output / run)
    done = CliRunner().invoke(app, ["predict", question, model, *options, "--device", "cpu"], input=lines)
    assert done.exit_code == 0, done.stderr
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(answers) == len(lines.rstrip("\n").split("\n"))
    assert all(keys <= set(answer) for answer in answers)
    assert done.stderr == ""


def test_answers_before_a_wrong_line_come_out_and_then_its_number(demo: tuple[DemoSettings, list[Score], Page]) -> None:
    lines = b"Anna.\n" * CHUNK + b"Anna.\ncaf\xe9\n"
    words = ["predict", "tag", str(demo[0].output / "ner-pretrained"), "--device", "cpu"]
    done = CliRunner().invoke(app, words, input=lines)
    assert len(done.stdout.splitlines()) == CHUNK
    assert isinstance(done.exception, DataError)
    assert f"line {CHUNK + 2}: byte 4 of the line is not UTF-8" in str(done.exception)
