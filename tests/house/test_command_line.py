"""The command line as a user meets it: help, examples, exit codes, speed of the first answer."""

from __future__ import annotations

import os
import re
import shlex
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.main import get_command
from typer.testing import CliRunner

from isogloss.cli import app

REPOSITORY = Path(__file__).resolve().parents[2]


def commands() -> dict[str, object]:
    """Every sub-command by its full name."""
    found: dict[str, object] = {}

    def walk(command: object, name: str) -> None:
        inner = getattr(command, "commands", None)
        if inner is None:
            found[name] = command
        else:
            for word, sub in inner.items():
                walk(sub, f"{name} {word}".strip())

    walk(get_command(app), "")
    return found


def run(*words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "COLUMNS": "200", "TERM": "dumb"}
    return subprocess.run(
        [sys.executable, "-m", "isogloss", *words], capture_output=True, text=True, check=False, env=environment
    )


EXPECTED = {
    *(
        "corpus build",
        "vocab train",
        "shards",
        "pretrain",
        "finetune",
        "baseline",
        "evaluate",
        "convert",
        "phrasebook",
        "demo",
    ),
    *("score", "serve", "study", "probe"),
    *("export", "plan", "corpus fetch", "corpus report"),
    *("predict fill-mask", "predict classify", "predict tag", "predict answer", "predict embed"),
    *("vocab check", "vocab extend", "vocab report", "vocab trim", "results", "compare"),
    *("corpus identify", "corpus identify-train", "corpus plan"),
    "corpus lm train",
    *("corpus export", "corpus pairs"),
}


def test_the_sub_commands_are_these() -> None:
    assert set(commands()) == EXPECTED


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_help_has_two_examples(name: str) -> None:
    command = commands()[name]
    text = str(getattr(command, "help", ""))
    # An example begins with the command, or with what is piped into it.
    examples = [line for line in text.splitlines() if re.match(rf"(.*\| )?isogloss {name}\b", line.strip())]
    assert len(examples) >= 2, text


def help_pages() -> dict[str, str]:
    """The text of every help page, those of groups too, by the full name of the command."""
    found: dict[str, str] = {}

    def walk(command: object, name: str) -> None:
        found[name] = str(getattr(command, "help", ""))
        for word, sub in getattr(command, "commands", {}).items():
            walk(sub, f"{name} {word}".strip())

    walk(get_command(app), "")
    return found


def recipe_heads() -> dict[str, str]:
    """The comments of every recipe, by its path."""
    lines = {path: path.read_text(encoding="utf-8").splitlines() for path in (REPOSITORY / "recipes").rglob("*.toml")}
    return {
        path.relative_to(REPOSITORY).as_posix(): "\n".join(line[1:] for line in text if line.startswith("#"))
        for path, text in lines.items()
    }


def examples(text: str) -> list[list[str]]:
    """The words after each `isogloss` at the head of a line, behind a pipe or run by torchrun, to the next pipe."""
    found = []
    for line in re.sub(r"\\\n", " ", text).splitlines():
        if re.match(r"\s*((echo|printf) .*\| |torchrun .* -m )?isogloss ", line) is None:
            continue
        lexer = shlex.shlex(line.strip(), posix=True, punctuation_chars="|<>;&")
        lexer.whitespace_split = True
        words = list(lexer)
        words = words[words.index("isogloss") + 1 :]
        found.append(words[: next((place for place, word in enumerate(words) if word in "|<>;&&"), len(words))])
    return found


EXAMPLES = [
    pytest.param(words, id=f"{where}: {' '.join(words)}")
    for where, text in {**help_pages(), **recipe_heads()}.items()
    for words in examples(text)
]


def test_the_examples_are_found() -> None:
    pages = help_pages()
    assert all(len(examples(pages[name])) == 2 for name in EXPECTED)
    assert sum("random_weights=true" in words for words in examples(pages["finetune"])) == 1, (
        "lines that go on are read"
    )
    assert all(examples(head) for head in recipe_heads().values())


@pytest.mark.parametrize("words", EXAMPLES)
def test_an_example_is_taken_as_it_stands(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands that know `--dry-run` check recipe and settings; of the others the words are parsed and nothing runs."""
    monkeypatch.chdir(REPOSITORY)
    command: Any = get_command(app)
    context = command.make_context("isogloss", [], resilient_parsing=True)
    rest = list(words)
    while hasattr(command, "commands"):
        assert rest[0] in command.commands, f"no sub-command {rest[0]}"
        command, rest = command.commands[rest[0]], rest[1:]
    if any("--dry-run" in parameter.opts for parameter in command.params):
        done = CliRunner().invoke(app, [*words, "--dry-run"])
        assert done.exit_code == 0, done.exception
    else:
        command.make_context(command.name, rest, parent=context)


@pytest.mark.parametrize("page", ["src", "docs", "recipes", "benchmarks"])
def test_a_recipe_that_is_named_exists(page: str) -> None:
    named = {
        (path.relative_to(REPOSITORY).as_posix(), recipe)
        for path in (REPOSITORY / page).rglob("*.*")
        if path.suffix in {".py", ".md", ".toml", ".sh"}
        for recipe in re.findall(r"\brecipes/[\w./-]+\.toml\b", path.read_text(encoding="utf-8"))
    }
    assert named or page == "benchmarks"
    assert {(path, recipe) for path, recipe in named if not (REPOSITORY / recipe).is_file()} == set()


@pytest.mark.parametrize("name", ["", "corpus", "vocab", "predict", *sorted(EXPECTED)])
def test_help_page_is_printed(name: str) -> None:
    done = run(*name.split(), "--help")
    assert done.returncode == 0, done.stderr
    assert "Usage" in done.stdout


def test_help_answers_in_half_a_second_of_its_own_time() -> None:
    """Measured in processor time, so that a busy machine does not fail it; no torch is loaded (see test_rules)."""

    def seconds() -> float:
        before = os.times()
        run("--help")
        after = os.times()
        return after.children_user - before.children_user + after.children_system - before.children_system

    start = time.monotonic()
    assert statistics.median(seconds() for _ in range(3)) < 0.5
    assert time.monotonic() - start < 30


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["pretrain", "no/such/recipe.toml"], "no/such/recipe.toml"),
        (["pretrain", "run=x", "stepz=1"], "did you mean 'steps'"),
        (["vocab", "train", "corpus=no/such/corpus", "output=x", "size=100"], "isogloss corpus build"),
        (["corpus", "build", "input=no/such/folder", "output=x"], "no/such/folder"),
        (["demo", "--languages", "en,xx", "--dry-run"], "xx"),
        (["evaluate", "task=nli"], "models"),
        (["phrasebook", "--languages", " ,"], "names no language"),
        (["corpus", "build", "input=texts", "output=afile/corpus"], "Not a directory"),
        (["predict", "tag", "texts"], "is texts a model folder?"),
    ],
)
def test_a_mistake_is_one_line_and_exit_two(words: list[str], said: str, tmp_path: Path) -> None:
    (tmp_path / "afile").touch()
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "de.txt").write_text("Anna schläft.\n", encoding="utf-8")
    environment = {**os.environ, "COLUMNS": "200"}
    done = subprocess.run(
        [sys.executable, "-m", "isogloss", *words],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env=environment,
    )
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    assert said in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr


def test_dry_run_prints_checked_settings() -> None:
    done = run("demo", "--dry-run", "steps_a_language=7")
    assert done.returncode == 0, done.stderr
    assert '"steps_a_language": 7' in done.stdout


def test_typer_is_not_shown_to_users() -> None:
    assert isinstance(app, typer.Typer)
    assert app.pretty_exceptions_enable is False
