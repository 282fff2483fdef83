"""The README keeps its word: commands exist and take their words, paths are there, the map shows the house as it is."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import click
import pytest
from typer.main import get_command

import isogloss
from isogloss.cli import app

REPOSITORY = Path(__file__).resolve().parents[2]
SOURCE = Path(isogloss.__file__).parent
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```sh\n(.*?)^```", README, flags=re.DOTALL | re.MULTILINE)
OPERATORS = {"|", ">", "<", "&&", ";"}


def calls(program: str) -> list[list[str]]:
    """The words after each call of a program in the README's shell blocks, up to the next pipe or redirection."""
    found = []
    for line in "\n".join(BLOCKS).replace("\\\n", " ").splitlines():
        # As a shell divides it: comments dropped, operators apart, quotes removed.
        lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        words = list(lexer)
        starts = [0, *(place + 1 for place, word in enumerate(words) if word in {"|", "&&", ";"})]
        for start in starts:
            rest = words[start:]
            while rest and re.fullmatch(r"[A-Z]+=\S*", rest[0]):
                rest = rest[1:]
            end = next((place for place, word in enumerate(rest) if word in OPERATORS), len(rest))
            if rest[:1] == [program]:
                found.append(rest[1:end])
    return found


def test_the_blocks_are_found() -> None:
    assert len(calls("isogloss")) >= 8
    assert len(calls("make")) >= 4


@pytest.mark.parametrize("words", calls("isogloss"), ids=" ".join)
def test_a_command_exists_and_takes_its_words(words: list[str]) -> None:
    """Parsed by the command line itself, without running: an unknown sub-command or option is an error."""
    command: click.Command = get_command(app)
    context = command.make_context("isogloss", [], resilient_parsing=True)
    while hasattr(command, "commands"):
        assert words[0] in command.commands, f"no sub-command {words[0]}"
        command, words = command.commands[words[0]], words[1:]
    command.make_context(command.name, list(words), parent=context)


@pytest.mark.parametrize("words", calls("make"), ids=" ".join)
def test_a_target_exists(words: list[str]) -> None:
    targets = re.findall(r"^([a-z-]+):", (REPOSITORY / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert set(words) <= set(targets)


# What the commands make, and what a reader brings.
NOT_OURS = re.compile(r"(runs|texts|corpus|vocab|shards|pos)(/|$)|texts\.txt|words\.jsonl|TEXTS|\.venv")


def paths() -> list[str]:
    """Whatever looks like a path in code spans, links and shell blocks."""
    spans = re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", README, flags=re.DOTALL | re.MULTILINE))
    links = [link for link in re.findall(r"\]\(([^)]+)\)", README) if "://" not in link]
    words = [word for block in BLOCKS for word in re.split(r"[\s='\"\[\],]+", block)]
    looks = re.compile(r"[\w.-]+(/[\w.-]*)+|[\w-]+\.(md|toml|txt|py|png|svg)|LICENSE|Makefile")
    return sorted({word for word in [*spans, *links, *words] if looks.fullmatch(word)})


def test_paths_are_found() -> None:
    assert {"recipes/smoke/corpus.toml", "docs/notebook.md", "LICENSE", "constraints.txt", "tests/house/"} <= set(
        paths()
    )


@pytest.mark.parametrize("path", [path for path in paths() if not NOT_OURS.match(path)])
def test_a_path_exists(path: str) -> None:
    assert (REPOSITORY / path).exists()


def test_the_map_shows_exactly_the_rooms() -> None:
    rows = re.findall(r"^\| (\d) \| `(\w+)` \| (.+) \|$", README, flags=re.MULTILINE)
    rooms = {path.stem for path in SOURCE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert sorted(room for _, room, _ in rows) == sorted(rooms - {"__init__"})
    assert all(len(caption) > 15 for _, _, caption in rows)
    assert [floor for floor, _, _ in rows] == sorted((floor for floor, _, _ in rows), reverse=True)


def test_extras_and_python_are_those_of_the_package() -> None:
    project = (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8")
    for extra in re.findall(r"'\.\[(\w+)\]'", README):
        assert re.search(rf"^{extra} = \[", project, flags=re.MULTILINE), extra
    (version,) = re.findall(r'requires-python = ">=([\d.]+)"', project)
    assert f"Python {version} or later" in README


def test_public_names_in_its_python_are_ours() -> None:
    for block in re.findall(r"^```python\n(.*?)^```", README, flags=re.DOTALL | re.MULTILINE):
        compile(block, "README.md", "exec")
        assert set(re.findall(r"isogloss\.(\w+)", block)) <= set(isogloss.__all__)


def test_nothing_is_left_to_fill() -> None:
    found = subprocess.run(
        ["grep", "-rln", "LEAD-FILL", "README.md", "docs", "recipes", "CONTRIBUTING.md", "CHANGELOG.md"],
        cwd=REPOSITORY, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert found.stdout == ""
