"""Reports are written with a corpus and again from a finished one: the same bytes, and the corpus stays what it was."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from isogloss.cli import app
from isogloss.corpus import Corpus, CorpusSettings, build_corpus
from isogloss.corpus.report import rewrite_report
from isogloss.errors import FolderError
from isogloss.manifest import Manifest

Build = Callable[..., tuple[Path, Manifest]]
FILES = {"en.txt": b"aaaa\n\naaaa\n\nb\0\nbbbb\n\xff", "sw.txt": "aa", "yo.txt": "ẹ káàárọ̀", "a|b.md": "x"}


def content(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_build_writes_both(build: Build, parse_page: Callable[[str], Any]) -> None:
    folder, manifest = build(FILES, max_line_bytes=4, max_document_bytes=4, rules={"min_document_characters": 0})
    assert {"report.md", "report.html"} <= set(manifest.files)
    report = (folder / "report.md").read_text(encoding="utf-8")
    assert "| en | English | 2 | 2 | 8 | 2 | 7.5e-09 |" in report
    assert "| duplicate-document | duplicates | 1 | documents | 20.000 % | 1 |" in report
    assert "| nul-line | reading | 1 | lines |" in report
    assert "| `drop_duplicate_documents` | `True` |" in report
    assert "| `rules.min_document_characters` | `0` |" in report
    assert "| `a\\|b.md` | 1 | not read" in report
    assert str(folder.parent) not in report
    page = parse_page((folder / "report.html").read_text(encoding="utf-8"))
    assert [fold.get("id") for fold in page.iter("details") if fold.get("id")] == [
        f"language-{code}" for code in ("en", "sw", "yo")
    ]


def test_a_page_needs_no_other_file(build: Build, parse_page: Callable[[str], Any]) -> None:
    folder, _ = build(FILES)
    text = (folder / "report.html").read_text(encoding="utf-8")
    page = parse_page(text)
    fetched = [
        value
        for element in page.iter()
        for name, value in element.attrib.items()
        if name.split("}")[-1] in ("src", "href", "data", "srcset", "action")
    ]
    ids = {element.get("id") for element in page.iter()}
    assert fetched
    assert all(value[0] == "#" and value[1:] in ids for value in fetched)
    assert not re.search(r"@import|url\((?!#)", text)
    assert not {"script", "link", "img", "iframe", "object", "base"} & {element.tag for element in page.iter()}


def test_written_again_nothing_changes(build: Build) -> None:
    folder, _ = build(FILES)
    before = content(folder)
    times = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    assert rewrite_report(folder) == (folder / "report.md", folder / "report.html")
    assert content(folder) == before
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == times


@pytest.mark.parametrize("damage", ["gone", "changed", "older"])
def test_a_report_is_mended_and_the_corpus_stays_what_it_was(build: Build, damage: str) -> None:
    folder, manifest = build(FILES)
    whole = (folder / "report.html").read_bytes()
    if damage == "gone":
        (folder / "report.html").unlink()
    else:
        (folder / "report.html").write_text("another", encoding="utf-8")
    if damage == "older":  # of a version that wrote no page
        (folder / "report.html").unlink()
        plain = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        del plain["files"]["report.html"]
        (folder / "manifest.json").write_text(json.dumps(plain), encoding="utf-8")
    rewrite_report(folder)
    assert (folder / "report.html").read_bytes() == whole
    assert Corpus.open(folder).manifest == manifest


def test_what_is_made_from_the_corpus_stays_its_child(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, manifest = build(FILES)
    # As a later version would say it.
    monkeypatch.setattr("isogloss.corpus.report.write.TITLE", "Another title")
    rewrite_report(folder)
    again = Corpus.open(folder).manifest
    assert "Another title" in (folder / "report.md").read_text(encoding="utf-8")
    assert again.fingerprint == manifest.fingerprint
    assert again.files["report.md"] != manifest.files["report.md"]
    assert {name for name in again.files if again.files[name] != manifest.files[name]} == {"report.md", "report.html"}
    done = build_corpus(CorpusSettings(input=folder.parent / "input", output=folder))
    assert done == again


def test_damaged_samples_are_one_line(build: Build) -> None:
    folder, _ = build(FILES)
    with (folder / "samples.jsonl").open("a", encoding="utf-8") as samples:
        samples.write("{}\n")
    with pytest.raises(FolderError, match=r"samples\.jsonl is not as it was written; make the corpus again"):
        rewrite_report(folder)
    (folder / "samples.jsonl").unlink()
    with pytest.raises(FolderError, match=r"samples\.jsonl is not as it was written; make the corpus again"):
        rewrite_report(folder)


def test_the_command(build: Build, tmp_path: Path) -> None:
    folder, _ = build(FILES)
    (folder / "report.md").unlink()
    done = CliRunner().invoke(app, ["corpus", "report", str(folder), "--json"])
    assert done.exit_code == 0
    assert json.loads(done.stdout) == {"markdown": f"{folder}/report.md", "page": f"{folder}/report.html"}
    assert (folder / "report.md").exists()
    said = CliRunner().invoke(app, ["corpus", "report", str(folder)])
    assert (said.stdout, said.stderr) == ("", f"done: {folder}/report.html\n")
    for other, why in ((tmp_path, "no manifest.json"), (tmp_path / "nowhere", "no manifest.json")):
        refused = CliRunner().invoke(app, ["corpus", "report", str(other)])
        assert isinstance(refused.exception, FolderError)
        assert why in str(refused.exception)
        assert "\n" not in str(refused.exception)


def test_processes_that_build_load_no_matplotlib() -> None:
    code = "import sys, isogloss.corpus; sys.exit('matplotlib' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
