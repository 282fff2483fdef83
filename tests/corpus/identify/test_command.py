"""`isogloss corpus identify`: lines in, JSON lines out, one for one."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

pytest.importorskip("pycld2")
pytest.importorskip("fasttext")


def run(*words: str, stdin: str) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, "-m", "isogloss", "corpus", "identify", *words]
    return subprocess.run(program, input=stdin, capture_output=True, text=True, check=False)


def test_lines_are_answered_in_order() -> None:
    done = run(stdin="Watoto wanacheza bustanini na mama anapika.\n\nДети играют в саду.\n")
    assert done.returncode == 0, done.stderr
    records = [json.loads(line) for line in done.stdout.splitlines()]
    assert [record["language"] for record in records] == ["sw", None, "ru"]
    assert records[1]["reason"] == "no letters"


def test_documents_and_settings() -> None:
    lines = [
        "Дети играют в саду, а мама готовит ужин.",
        "Потом все сидят за столом и едят суп.",
        "The sea was cold today.",
    ]
    done = run("--documents", "foreign_letters=10", stdin=json.dumps({"text": "\n".join(lines)}) + "\n")
    assert done.returncode == 0, done.stderr
    record = json.loads(done.stdout)
    assert (record["language"], record["lines"], record["foreign"]) == ("ru", ["ru", "ru", "en"], [2])


def test_a_setting_that_does_not_exist_is_one_line() -> None:
    done = run("min_confidense=0.7", stdin="")
    assert done.returncode == 2
    assert "min_confidence" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
