"""The front of the command line: what is asked of it without a sub-command."""

from __future__ import annotations

from importlib import metadata

from typer.testing import CliRunner

from isogloss.cli import app


def test_version_is_answered_without_a_sub_command() -> None:
    done = CliRunner().invoke(app, ["--version"])
    assert done.exit_code == 0, done.output
    assert done.stdout.strip() == metadata.version("isogloss")


def test_the_order_of_the_help_is_that_of_the_work() -> None:
    said = CliRunner().invoke(app, ["--help"]).stdout.partition("Commands:")[2]
    first = [line.split()[0] for line in said.splitlines() if line.startswith("  ") and line[2] != " "]
    work = ["shards", "pretrain", "finetune", "evaluate"]
    assert [name for name in first if name in work] == work
