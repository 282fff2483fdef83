"""Scoring a corpus (benchmarks/corpus_truth): a perfect one, one of everything, and what is lost between them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import zstandard

from isogloss.corpus import Corpus, CorpusSettings, build_corpus
from isogloss.languages import canonical_code
from isogloss.manifest import write_manifest

# Kinds of pages and lines that a perfect corpus does not have.
BAD_PAGES = {"exact-duplicate", "near-duplicate", "short", "contaminated"}
BAD_LINES = {"boilerplate", "foreign", "labelled", "labelled-inside"}


@pytest.fixture
def corpus_of(tmp_path: Path, load, built: Path, crawl: Path, entries: list[Any]) -> Callable[..., dict[str, Any]]:
    """A corpus made by hand of what can be read, and its score; ``keep`` says of each page why it goes, or "",
    ``keep_line`` the same of its lines."""
    key = load("truth").line_key
    texts = {record["source"]["url"]: record for record in Corpus.open(built).records("und")}
    reading = Corpus.open(built).manifest.statistics

    def run(
        keep: Callable[[Any], str],
        keep_line: Callable[[Any, Any], str],
        language_of: Callable[[Any], str] = lambda entry: canonical_code(entry.language),
        reasons: bool = True,
    ) -> dict[str, Any]:
        folder = tmp_path / "by-hand"
        kept, dropped = defaultdict(list), defaultdict(list)
        for entry in entries:
            if not entry.readable:
                continue
            record, code, gone = texts[entry.url], language_of(entry), keep(entry)
            known = {line.key: line for line in entry.lines}
            left = []
            for line in record["text"].split("\n"):
                why = "" if gone else keep_line(entry, known[key(line)])
                if why:
                    dropped[code].append({**record, "reason": why, "text": line, "language": code})
                else:
                    left.append(line)
            if gone:
                dropped[code].append({**record, "reason": gone, "language": code})
            elif left:
                kept[code].append({**record, "text": "\n".join(left)})
        write(folder, kept, "part-00000.jsonl.zst")
        if reasons:
            write(folder / "dropped", dropped, "")
        statistics = {**reading, "languages": {code: {"documents": len(found)} for code, found in kept.items()}}
        write_manifest(folder, kind="corpus", command="by hand", config={}, statistics=statistics)
        truth, output = crawl / "truth.jsonl.zst", tmp_path / "score"
        program = load("score")
        score: dict[str, Any] = program.score(program.ScoreSettings(corpus=folder, truth=truth, output=output))
        assert json.loads((output / "score.json").read_text()) == score
        assert "## Good text lost" in (output / "score.md").read_text()
        return score

    return run


def write(folder: Path, records: Mapping[str, list[dict[str, Any]]], name: str) -> None:
    for code, found in records.items():
        path = folder / code / name if name else folder / f"{code}.jsonl.zst"
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in found)
        path.write_bytes(zstandard.ZstdCompressor().compress(lines.encode()))


REASONS = {
    **{"exact-duplicate": "duplicate-document", "near-duplicate": "near-duplicate", "short": "short-document"},
    **{"contaminated": "labelled-document", "boilerplate": "repeated-line", "foreign": "foreign-line"},
    **{"labelled": "labelled-line", "labelled-inside": "labelled-line"},
}


def test_a_perfect_corpus_has_a_perfect_score(corpus_of) -> None:
    seen: set[int] = set()

    def keep_line(entry: Any, line: Any) -> str:
        if line.kind in BAD_LINES:
            return REASONS[line.kind]
        again, _ = line.key in seen, seen.add(line.key)
        return "repeated-line" if again else ""

    score = corpus_of(lambda entry: REASONS.get(entry.kind, ""), keep_line)
    assert score["strangers"] == 0
    assert score["identification"]["accuracy"] == score["identification"]["mean_accuracy"] == 1
    assert all(row["accuracy"] == row["precision"] == 1 for row in score["identification"]["languages"].values())
    assert set(score["identification"]["scripts"]) == {"Latn", "Cyrl", "Thai", "Hani"}
    assert (score["foreign_lines"]["recall"], score["foreign_lines"]["precision"]) == (1, 1)
    assert all(row["recall"] == 1 and row["text_left"] == 0 for row in score["duplicates"]["kinds"].values())
    assert (score["duplicates"]["precision"], score["duplicates"]["clusters_lost"]) == (1, 0)
    assert score["repeated_lines"]["boilerplate"]["recall"] == score["repeated_lines"]["other"]["recall"] == 1
    assert score["repeated_lines"]["precision"] == 1
    assert all(row["recall"] == 1 for row in score["labelled"]["kinds"].values())
    assert score["labelled"]["precision"] == score["short"]["recall"] == 1
    assert score["good_text"]["lost"] == 0
    assert all(row["made"] == row["counted"] for row in score["reading"]["broken"].values())


def test_a_corpus_of_everything_has_found_nothing(corpus_of) -> None:
    score = corpus_of(lambda entry: "", lambda entry, line: "", lambda entry: "en", reasons=False)
    assert score["has_reasons"] is False
    assert score["identification"]["languages"]["sw"]["confused_with"]["en"] > 0
    assert {code for code, row in score["identification"]["languages"].items() if row["accuracy"]} == {"en"}
    assert score["foreign_lines"]["recall"] == score["short"]["recall"] == score["personal"]["recall"] == 0
    assert all(row["recall"] == 0 and row["text_left"] == 1 for row in score["duplicates"]["kinds"].values())
    assert all(score["repeated_lines"][name]["recall"] == 0 for name in ("boilerplate", "other"))
    assert all(row["recall"] == 0 for row in score["labelled"]["kinds"].values())
    assert score["good_text"]["lost"] == 0
    assert score["duplicates"]["precision"] is score["foreign_lines"]["precision"] is None


def test_what_is_lost_has_its_reason(corpus_of) -> None:
    """Pages of Swahili go for too low a confidence, every clean Thai page as a duplicate, Russian lines as foreign."""

    def keep(entry: Any) -> str:
        if entry.kind == "clean" and entry.language in ("sw", "th"):
            return {"sw": "low-confidence", "th": "near-duplicate"}[entry.language]
        return ""

    def keep_line(entry: Any, line: Any) -> str:
        return "foreign-line" if entry.language == "ru" and line.kind == "text" else ""

    score = corpus_of(
        keep, keep_line, lambda entry: "und" if keep(entry) == "low-confidence" else canonical_code(entry.language)
    )
    swahili = score["identification"]["languages"]["sw"]
    assert swahili["undecided"] > 0
    assert swahili["right"] + swahili["undecided"] == swahili["documents"]
    assert set(score["good_text"]["reasons"]) == {"low-confidence", "near-duplicate", "foreign-line"}
    assert all(row["wet"] + row["warc"] == row["characters"] for row in score["good_text"]["reasons"].values())
    assert 0 < score["good_text"]["lost"] < 1
    assert score["good_text"]["lost"] == pytest.approx(
        sum(row["share"] for row in score["good_text"]["reasons"].values()), abs=1e-3
    )
    assert score["duplicates"]["precision"] < 1
    assert score["foreign_lines"]["precision"] == 0


def test_a_corpus_of_other_files_is_refused(tmp_path: Path, program: Path, build, crawl: Path) -> None:
    folder, _ = build({"en.txt": "Anna lives in Oslo.\n"})
    command = [sys.executable, str(program / "score.py"), f"corpus={folder}", f"output={tmp_path / 'score'}"]
    done = subprocess.run([*command, f"truth={crawl / 'truth.jsonl.zst'}"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("error: corpus ")
    assert "none of the files" in done.stderr


def test_both_programs_run(tmp_path: Path, program: Path, text: Path) -> None:
    """As its docstring shows, the last line is JSON."""

    def run(name: str, *words: str) -> dict[str, Any]:
        done = subprocess.run(
            [sys.executable, str(program / name), *words], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        told: dict[str, Any] = json.loads(done.stdout.split("\n")[-2])
        return told

    made = run(
        "make.py", f"text={text}", f"output={tmp_path / 'made'}", "wet_files=1", "shares.warc=0", 'languages=["en"]'
    )
    files = tmp_path / "made" / "crawl-data"
    build_corpus(CorpusSettings(input=next(files.rglob("*.wet.gz")), output=tmp_path / "corpus"))
    known = (f"corpus={tmp_path / 'corpus'}", f"truth={tmp_path / 'made' / 'truth.jsonl.zst'}")
    told = run("score.py", *known, f"output={tmp_path / 'score'}")
    assert told["pages"] <= made["pages"]
    assert told["reading"]["readable"].keys() == {"wet"}
