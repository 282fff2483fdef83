"""The report and its command: the figures measured, every language and script readable, one line for bad input."""

from __future__ import annotations

import html.parser
import json
import re
import shutil
import subprocess
import sys
import unicodedata
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from isogloss.cli import app
from isogloss.errors import ConfigError, DataError, FolderError, IsoglossError, VocabularyError
from isogloss.phrasebook import parallel_sentences
from isogloss.vocab import VocabSettings, Vocabulary, train_vocabulary
from isogloss.vocab.comparing import measure
from isogloss.vocab.excerpts import read_excerpts
from isogloss.vocab.measuring import Subject
from isogloss.vocab.report import render_page, render_report

SENTENCES = 60


class _Page(html.parser.HTMLParser):
    """Checks that elements close as they open, and keeps what codes hold."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.codes: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: object) -> None:
        pass

    def handle_data(self, data: str) -> None:
        if self.open[-2:] == ["code", "bdi"]:
            self.codes.append(data)


@pytest.fixture(scope="module")
def smaller(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another vocabulary, of three of the languages."""
    folder = tmp_path_factory.mktemp("smaller") / "of-three"
    train_vocabulary(VocabSettings(corpus=corpus, output=folder, size=90, languages=("el", "en", "ru")))
    return folder


@pytest.fixture(scope="module")
def parallel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The phrasebook's sentences in four languages, as files side by side."""
    folder = tmp_path_factory.mktemp("parallel")
    codes = ["el", "en", "ru", "th"]
    for code, lines in zip(codes, zip(*parallel_sentences(codes, SENTENCES, seed=1), strict=True), strict=True):
        (folder / f"{code}.txt").write_text("\n".join(lines) + "\n", "utf-8")
    return folder


@pytest.fixture(scope="module")
def values(corpus: Path, vocab_folder: Path, smaller: Path) -> dict[str, Any]:
    """Both vocabularies on the eight documents."""
    subjects = {"eight": vocab_folder, "three": smaller}
    loaded = {name: Subject.of(Vocabulary.load(folder)) for name, folder in subjects.items()}
    return measure(loaded, read_excerpts(corpus))


def report(*words: object) -> Any:
    done = CliRunner().invoke(app, ["vocab", "report", *map(str, words)])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done


def test_every_language_script_and_figure_is_in_both_forms(vocab_folder: Path) -> None:
    values = json.loads((vocab_folder / "report.json").read_text("utf-8"))
    markdown = (vocab_folder / "report.md").read_text("utf-8")
    page = (vocab_folder / "report.html").read_text("utf-8")
    assert (markdown, page) == (render_report(values), render_page(values))
    (one,) = values["vocabularies"].values()
    for code, row in one["languages"].items():
        for text in (markdown, page):
            assert code in text
            assert f"{row['pieces_per_character']:.3f}" in text
            assert f"{row['bits_per_character']:.3f}" in text
    parsed = _Page()
    parsed.feed(page)
    assert not parsed.open
    for row in one["scripts"].values():
        assert set(row["longest"]) <= set(parsed.codes)
    assert page.count("<svg") == 3
    assert not re.search(r"<script|https?://(?!www\.w3\.org/)", page)


def test_pieces_of_any_script_stand_by_themselves(vocab_folder: Path) -> None:
    markdown = (vocab_folder / "report.md").read_text("utf-8")
    row = next(line for line in markdown.splitlines() if line.startswith("| Arab |") and "`" in line)
    pieces = re.findall("\u2068`([^`]+)`\u2069", row)
    assert len(pieces) == 3
    assert all(unicodedata.bidirectional(piece[-1]) == "AL" for piece in pieces)


def test_side_by_side_says_who_is_best_and_by_how_much(values: dict[str, Any]) -> None:
    markdown = render_report(values)
    section = markdown.partition("### Pieces per character")[2].partition("###")[0]
    rows = {line.split(" | ")[0].lstrip("| "): line for line in section.splitlines() if line.startswith("| ")}
    eight, three = (values["vocabularies"][name]["languages"] for name in ("eight", "three"))
    for code in ("el", "en", "ru"):
        first, second = eight[code]["pieces_per_character"], three[code]["pieces_per_character"]
        best = "all alike" if first == second else "eight" if first < second else "three"
        assert f"| {first:.3f} | {second:.3f} | {100 * (second / first - 1):+.1f} % | {best} |" in rows[code]
    # Text that is one <unk> a word takes few pieces, and is not served the better for it.
    assert three["ar"]["pieces"] < eight["ar"]["pieces"]
    assert rows["ar"].endswith("| eight |")
    page = render_page(values)
    assert page.count("<svg") == 3
    assert page.count("<details") == 2
    (pair,) = values["overlap"]
    assert f"| eight | three | {pair['shared']} | {100 * pair['jaccard']:.2f} % |" in markdown


def test_the_same_input_gives_the_same_report(values: dict[str, Any]) -> None:
    again = json.loads(json.dumps(values))
    assert render_report(again) == render_report(values)
    assert render_page(again) == render_page(values)


def test_the_premium_is_that_of_the_same_text(vocab_folder: Path, corpus: Path, parallel: Path) -> None:
    told = json.loads(report(vocab_folder, "--corpus", corpus, "--parallel", parallel, "--json").stdout)["parallel"]
    vocabulary = Vocabulary.load(vocab_folder)
    texts = {path.stem: path.read_text("utf-8").splitlines() for path in parallel.iterdir()}
    pieces = {code: sum(map(len, vocabulary.encode(lines))) for code, lines in texts.items()}
    assert (told["reference"], told["lines"]) == ("en", SENTENCES)
    assert told["vocabularies"]["vocab"] == {
        code: {"pieces": pieces[code], "premium": pieces[code] / pieces["en"]} for code in sorted(pieces)
    }


def test_the_command_prints_or_writes(
    vocab_folder: Path, smaller: Path, corpus: Path, parallel: Path, tmp_path: Path
) -> None:
    model = vocab_folder / "sentencepiece.bpe.model"
    words = (model, smaller, "--corpus", corpus, "--languages", "ru, en", "--parallel", parallel)
    printed = report(*words).stdout
    written = report(*words, "--output", tmp_path / "new" / "report")
    assert written.stdout == ""
    folder = tmp_path / "new" / "report"
    assert {path.name for path in folder.iterdir()} == {"report.md", "report.html", "report.json"}
    assert (folder / "report.md").read_text("utf-8") == printed
    values = json.loads((folder / "report.json").read_text("utf-8"))
    assert values == json.loads(report(*words, "--json").stdout)
    assert list(values["vocabularies"]) == ["sentencepiece.bpe.model", "of-three"]
    assert values["languages"] == ["en", "ru"]
    assert (folder / "report.html").read_text("utf-8").count("<svg") == 4


def test_folders_of_one_name_are_told_apart(vocab_folder: Path, corpus: Path, tmp_path: Path) -> None:
    copies = [Path(shutil.copytree(vocab_folder, tmp_path / name / "vocab")) for name in ("one", "two")]
    values = json.loads(report(*copies, "--corpus", corpus, "--json").stdout)
    assert list(values["vocabularies"]) == ["one/vocab", "two/vocab"]


def test_the_report_of_a_finished_folder_is_not_written_over(vocab_folder: Path, corpus: Path) -> None:
    before = (vocab_folder / "report.md").read_bytes()
    with pytest.raises(FolderError, match="is a finished folder, whose own report would be lost"):
        report(vocab_folder, "--corpus", corpus, "--output", vocab_folder)
    assert (vocab_folder / "report.md").read_bytes() == before


@pytest.mark.parametrize(
    ("vocabularies", "more", "kind", "said"),
    [
        (["{vocab}", "{vocab}"], [], ConfigError, "is given twice; give each vocabulary once"),
        (["{vocab}", "{vocab}/x/.."], [], ConfigError, "is given twice; give each vocabulary once"),
        (["{tmp}/none"], [], VocabularyError, "cannot be read .*; 'isogloss vocab train' makes one"),
        (["{corpus}"], [], VocabularyError, "cannot be read .*; 'isogloss vocab train' makes one"),
        (["{vocab}"], ["--languages", "yo"], DataError, "no text of 'yo'; it has ar, el, en"),
        (["{vocab}"], ["--languages", "no such"], DataError, "'no such' is not a language code"),
        (["{vocab}"], ["--corpus", "{tmp}"], DataError, "neither a corpus folder .* nor one with text files named"),
        (["{vocab}"], ["--corpus", "{vocab}"], IsoglossError, "is a vocab folder, but a corpus folder is needed"),
        (["{vocab}"], ["--parallel", "{tmp}"], DataError, "neither a corpus folder"),
    ],
)
def test_what_cannot_be_reported_on_is_one_line(
    vocab_folder: Path,
    corpus: Path,
    tmp_path: Path,
    vocabularies: list[str],
    more: list[str],
    kind: type[Exception],
    said: str,
) -> None:
    names = {"vocab": str(vocab_folder), "corpus": str(corpus), "tmp": str(tmp_path)}
    words = [word.format(**names) for word in ("--corpus", "{corpus}", *more)]
    with pytest.raises(kind, match=said) as error:
        report(*(word.format(**names) for word in vocabularies), *words, "--output", tmp_path / "report")
    assert "\n" not in str(error.value)
    assert not (tmp_path / "report").exists()


def test_a_language_without_a_word_of_it_is_left_out(
    write_corpus: Callable[..., Path], vocab_folder: Path, documents: Mapping[str, str], tmp_path: Path
) -> None:
    corpus = write_corpus(tmp_path / "corpus", {"en": [documents["en"]], "sw": []})
    assert json.loads(report(vocab_folder, "--corpus", corpus, "--json").stdout)["languages"] == ["en"]


def test_only_who_draws_loads_matplotlib() -> None:
    code = "import sys, isogloss.vocab.train, isogloss.vocab.report; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0
