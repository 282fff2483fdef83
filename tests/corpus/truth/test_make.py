"""Making a crawl (benchmarks/corpus_truth): it is what its truth says, whoever reads it."""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isogloss.corpus import Corpus
from isogloss.errors import ConfigError, DataError, FolderError


def test_the_same_settings_give_the_same_bytes(tmp_path: Path, make_crawl, crawl: Path) -> None:
    def contents(folder: Path) -> dict[str, bytes]:
        paths = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "about.json")
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}

    assert contents(make_crawl(tmp_path / "again")) == contents(crawl)
    other = contents(make_crawl(tmp_path / "other", seed=2))
    assert other["truth.jsonl.zst"] != contents(crawl)["truth.jsonl.zst"]


def test_what_can_be_read_is_what_the_truth_says(load, built: Path, entries: list[Any]) -> None:
    """Addresses, dates, digests, file and record number, and every line; what is broken has its reason, and no text."""
    key = load("truth").line_key
    corpus = Corpus.open(built)
    records = {record["source"]["url"]: record for record in corpus.records("und")}
    readable = {entry.url: entry for entry in entries if entry.readable}
    assert set(records) == set(readable)
    for url, entry in readable.items():
        record = records[url]
        assert [key(line) for line in record["text"].split("\n")] == [line.key for line in entry.lines], entry
        assert record["id"].endswith(f"{entry.file}:{entry.number}")
        assert record["source"]["date"].startswith("2018-12-")
        assert record["source"]["digest"].startswith("sha1:")
    broken = Counter(entry.reason for entry in entries if not entry.readable)
    assert corpus.manifest.statistics["dropped"] == {"und": dict(broken)}
    assert set(broken) == set(load("truth").BROKEN_KINDS.values())


def test_every_kind_is_what_it_says(load, entries: list[Any], text: Path) -> None:
    key = load("truth").line_key
    assert {entry.kind for entry in entries} == {*load("truth").DOCUMENT_KINDS, *load("truth").BROKEN_KINDS}
    by_url = {entry.url: entry for entry in entries}
    assert len(by_url) == len(entries)
    own = {path.stem: set(map(key, path.read_text(encoding="utf-8").split("\n"))) for path in text.glob("*.txt")}
    for entry in entries:
        kinds = Counter(line.kind for line in entry.lines)
        for line in entry.lines:
            if line.kind in ("text", "copy") and entry.kind != "short":
                assert line.key in own[entry.language]
            if line.kind == "foreign":
                assert line.language != entry.language
                assert line.key in own[line.language]
        assert (kinds["foreign"] > 0) == (entry.kind == "mixed")
        assert (kinds["labelled"] + kinds["labelled-inside"] > 0) == (entry.kind == "contaminated")
        assert bool(entry.secrets) == (entry.kind == "personal")
        assert (entry.characters < 300) == (entry.kind == "short" or not entry.readable)
        if entry.kind == "exact-duplicate":
            assert [line.key for line in entry.lines] == [line.key for line in by_url[entry.of].lines]
        if entry.kind == "near-duplicate":
            original = {line.key for line in by_url[entry.of].lines}
            own_lines = [line for line in entry.lines if line.kind in ("copy", "changed")]
            assert all((line.key in original) == (line.kind == "copy") for line in own_lines)
            assert 0 < entry.similarity <= 1
    changed = [entry for entry in entries if entry.kind == "near-duplicate" and entry.change == 0.2]
    assert all(any(line.kind == "changed" for line in entry.lines) for entry in changed)
    little = [entry.similarity for entry in entries if entry.kind == "near-duplicate" and entry.change == 0.02]
    assert max(little) > max(entry.similarity for entry in changed)


def test_boilerplate_stands_on_every_page_of_its_host(entries: list[Any]) -> None:
    by_host = defaultdict(list)
    for entry in entries:
        if entry.readable and entry.kind not in ("short", "exact-duplicate"):
            by_host[entry.url.split("/")[2]].append({line.key for line in entry.lines if line.kind == "boilerplate"})
    for of_host in by_host.values():
        # The number of the page may have one digit or two.
        assert all(len(keys - of_host[0]) <= 1 and len(keys) == len(of_host[0]) for keys in of_host)
    assert {bool(of_host[0]) for of_host in by_host.values()} == {True, False}


def test_without_shares_all_pages_are_clean(tmp_path: Path, load, make_crawl) -> None:
    shares = dict.fromkeys(load("settings").ShareSettings.model_fields, 0.0)
    made = make_crawl(tmp_path / "clean", shares=shares)
    found = list(load("truth").read_truth(made / "truth.jsonl.zst"))
    assert {entry.kind for entry in found} == {"clean"}
    assert {line.kind for entry in found for line in entry.lines} == {"text"}
    assert {entry.form for entry in found} == {"wet"}
    assert not (made / "damaged").exists()


@settings(max_examples=50, deadline=None)
@given(
    line=st.text(st.characters(codec="utf-8"), min_size=1),
    noise=st.lists(st.sampled_from(" \t.,;:!?«»„“—()"), max_size=5),
)
def test_the_key_of_a_line_knows_words_alone(load, line: str, noise: list[str]) -> None:
    key = load("truth").line_key
    noisy = "".join(noise) + line + "".join(noise)
    if any(character.isalpha() for character in line):
        assert key(noisy) == key(line)
    assert key("Kurasa 12") == key("kurasa, 34") != key("Kurasa 5")


@pytest.mark.parametrize(
    ("kind", "words", "match"),
    [
        (DataError, {"languages": ("en", "xx")}, r"has no xx\.txt; it has en, ru, sw, th, zh"),
        (DataError, {"page_characters": (10**6, 10**7)}, "gives no page"),
        (ConfigError, {"shares": {"wrong_length": 0.9}}, "lower the shares"),
    ],
)
def test_mistakes_are_told(
    tmp_path: Path, make_crawl, kind: type[Exception], words: dict[str, Any], match: str
) -> None:
    with pytest.raises(kind, match=match):
        make_crawl(tmp_path / "made", **words)
    assert not (tmp_path / "made").exists()


def test_nothing_is_written_over(make_crawl, crawl: Path) -> None:
    with pytest.raises(FolderError, match="is there already"):
        make_crawl(crawl)
