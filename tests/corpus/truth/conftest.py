"""A crawl with known truth, small and of much that is broken; fetched over a bad connection, and built."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from isogloss.corpus import CorpusSettings, build_corpus
from isogloss.corpus.fetch import FetchSettings, fetch_crawl
from isogloss.phrasebook import documents, pairs

PROGRAM = Path(__file__).resolve().parents[3] / "benchmarks" / "corpus_truth"
CRAWL = "CC-MAIN-2018-51"
LANGUAGES = ("en", "ru", "sw", "th", "zh")
# Much of everything, so that a small crawl has some of it.
SHARES = {
    **{"exact_duplicates": 0.2, "near_duplicates": 0.2, "short": 0.1, "mixed": 0.15, "contaminated": 0.15},
    **{"personal": 0.1, "cut_member": 0.02, "wrong_length": 0.03, "bad_utf8": 0.03, "bad_http": 0.02},
    **{"bad_status": 0.02, "not_html": 0.02, "warc": 0.5, "old_encodings": 0.5},
}


@pytest.fixture(scope="session")
def program() -> Path:
    """Where make.py and score.py are."""
    return PROGRAM


@pytest.fixture(scope="session")
def load() -> Iterator[Callable[[str], ModuleType]]:
    """Files of the program by their names, as they find each other; the names are plain, so none stays behind."""
    before = set(sys.modules)

    def find(name: str) -> ModuleType:
        sys.path.insert(0, str(PROGRAM))
        try:
            return importlib.import_module(name)
        finally:
            sys.path.remove(str(PROGRAM))

    yield find
    for name in set(sys.modules) - before:
        if str(PROGRAM) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


@pytest.fixture(scope="session")
def text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Phrasebook documents and labelled pairs."""
    folder = tmp_path_factory.mktemp("text")
    for code in LANGUAGES:
        written = "\n\n".join(documents(code, 200, seed=1))
        (folder / f"{code}.txt").write_text(written + "\n", encoding="utf-8")
    (folder / "nli").mkdir()
    for code in ("en", "zh"):
        said = (f"{pair.premise} {pair.hypothesis} {pair.premise}" for pair in pairs(code, 30, seed=9, held_out=True))
        rows = "".join(f"{text}\t{number}\tneutral\n" for number, text in enumerate(said))
        (folder / "nli" / f"dev.{code}.tsv").write_text(rows, encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def make_crawl(text: Path, load) -> Callable[..., Path]:
    def run(output: Path, *, shares: Mapping[str, float] | None = None, **settings: Any) -> Path:
        defaults = {"wet_files": 2, "warc_files": 2, "page_characters": (600, 1500), "labelled": text / "nli"}
        made = load("settings").CrawlOfTextSettings(
            **{"text": text, "output": output, "shares": SHARES if shares is None else shares, **defaults, **settings}
        )
        load("make").make_crawl(made)
        return output

    return run


@pytest.fixture(scope="session")
def crawl(tmp_path_factory: pytest.TempPathFactory, make_crawl) -> Path:
    return make_crawl(tmp_path_factory.mktemp("crawl") / "made")


@pytest.fixture(scope="session")
def entries(crawl: Path, load) -> list[Any]:
    return list(load("truth").read_truth(crawl / "truth.jsonl.zst"))


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory, crawl: Path, servers: ModuleType) -> Path:
    """What comes over a bad connection, and files that broke later, in a corpus that keeps all that can be read."""
    work = tmp_path_factory.mktemp("built")
    files = {path.relative_to(crawl).as_posix(): path.read_bytes() for path in crawl.rglob("*.gz")}
    with servers.CrawlServer(files) as server:
        for path in files:
            server.mishaps[path] = [
                servers.Mishap(break_after=1000),
                servers.Mishap(503),
                servers.Mishap(break_after=9),
            ]
        for kind in ("wet", "warc"):
            quick = {"pause_seconds": 0, "backoff_seconds": 0.01, "timeout_seconds": 5}
            fetch_crawl(
                FetchSettings(crawl=CRAWL, files=9, kind=kind, base=server.url, output=work / "in" / kind, **quick)
            )
            # Below the input folder itself it would be read as JSON.
            (work / "in" / kind / "manifest.json").unlink()
    (work / "in" / "damaged").mkdir()
    for path in (crawl / "damaged").iterdir():
        (work / "in" / "damaged" / path.name).write_bytes(path.read_bytes())
    keep = {"drop_duplicate_documents": False, "crawl": {"check_digests": True, "main_content": False}}
    build_corpus(CorpusSettings(input=work / "in", output=work / "corpus", **keep))
    return work / "corpus"
