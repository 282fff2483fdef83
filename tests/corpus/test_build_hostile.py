"""A build among hostile input, full disks, files that change and other builds: one line, or the same bytes."""

from __future__ import annotations

import contextlib
import json
import random
import resource
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from isogloss.config import make_settings
from isogloss.corpus import Corpus, CorpusSettings, build_corpus
from isogloss.corpus.continuing import alone
from isogloss.errors import ConfigError, FolderError
from isogloss.manifest import hash_file

from .conftest import check_sums

TWO = {"en.txt": "one two three four\nfive\n\nsix seven", "sw.txt": "moja mbili tatu\nnne\n\ntano sita"}
RULES = {"min_document_characters": 0, "min_line_characters": 5}


def hashes(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): hash_file(path) for path in sorted(folder.rglob("*")) if path.is_file()}


def stop(*_, **__):
    raise KeyboardInterrupt


@contextmanager
def stopped_before_the_report(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setattr("isogloss.corpus.build.write_report", stop)
        with contextlib.suppress(KeyboardInterrupt):
            yield
            pytest.fail("it was not stopped")


@contextmanager
def file_size_limit(num_bytes: int) -> Iterator[None]:
    """Every write past this place of a file fails, as it does where a quota is used up."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (num_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize(
    "steps", [{"rules": {"min_document_characters": 0, "min_line_characters": 99}}, {"repeats": {}}]
)
def test_a_long_document_may_lose_all_its_many_lines(build, steps: dict[str, object]) -> None:
    # With its document's text for each of them they would take 90 GB.
    files = {"en.txt": "ab cd ef\n" * 100_000, "sw.txt": " ".join(["habari"] * 20)}
    _, manifest = build(files, keep_dropped=True, **steps)
    assert manifest.statistics["dropped_lines"] == {
        "en": {next(iter(manifest.statistics["dropped_lines"]["en"])): 100_000}
    }


@pytest.mark.parametrize("kilobytes", [20, 60, 200])
def test_a_full_disk_is_never_taken_for_an_unreadable_file(build, kilobytes: int) -> None:
    chosen = random.Random(0)
    texts = [" ".join(f"{chosen.getrandbits(60):x}" for _ in range(10)) for _ in range(2500)]
    files = {"en.txt": "\n\n".join(texts), "sw.txt": "habari ya asubuhi"}
    steps = {"repeats": {"rule": "first"}, "near_duplicates": {"num_hashes": 8, "num_bands": 4}, "keep_dropped": True}
    expected, _ = build(files, output="unbroken", **steps)
    with file_size_limit(kilobytes << 10), pytest.raises(FolderError, match="make room and give the command again"):
        build({}, **steps)
    assert hashes(build({}, **steps)[0]) == hashes(expected)


def test_a_file_that_could_not_be_read_is_tried_again(build, monkeypatch) -> None:
    original = sys.modules["isogloss.corpus.reading"].read_source

    def broken(source, *arguments, **options):
        if source.name == "sw.txt":
            raise OSError(5, "Input/output error")
        return original(source, *arguments, **options)

    expected, _ = build(TWO, output="unbroken")
    with stopped_before_the_report(monkeypatch), monkeypatch.context() as patch:
        patch.setattr("isogloss.corpus.reading.read_source", broken)
        build({})
    assert hashes(build({})[0]) == hashes(expected)


def test_one_process_may_build_again_with_another_block_list_and_labelled_set(build, tmp_path: Path) -> None:
    text = "the quick brown fox jumps over the lazy dog while all the others sleep in the sun"
    records = [{"text": f"{text} {n}", "url": f"https://{n}.org/"} for n in "ab"]
    blocked, labelled = tmp_path / "blocked.txt", tmp_path / "labelled.txt"
    steps = {
        "rules": {"min_document_characters": 0, "blocked_urls": blocked},
        "decontaminate": {"sets": [{"name": "exam", "path": labelled}]},
    }
    for host, exam, dropped in (("a.org", "none", {"blocked-url": 1}), ("c.org", text, {"labelled-document": 2})):
        blocked.write_text(host)
        labelled.write_text(exam)
        files = {"en.jsonl": "\n".join(map(json.dumps, records)), "sw.txt": "habari ya asubuhi"}
        folder, manifest = build(files, keep_keys=("url",), **steps)
        assert manifest.statistics["dropped"]["en"] == dropped
        shutil.rmtree(folder)


def test_what_was_written_and_then_lost_is_written_again(build, tmp_path: Path, monkeypatch) -> None:
    expected, _ = build(TWO, output="unbroken")
    with stopped_before_the_report(monkeypatch):
        build({})
    shutil.rmtree(tmp_path / "corpus.tmp")
    assert hashes(build({})[0]) == hashes(expected)


def test_half_of_a_work_folder_is_no_unfinished_build(build, tmp_path: Path, monkeypatch) -> None:
    def half(path: Path, **_: object) -> None:
        for one in path.rglob("*.parquet"):
            one.unlink()

    expected, _ = build(TWO, output="unbroken")
    with monkeypatch.context() as patch:
        patch.setattr("isogloss.corpus.continuing.shutil.rmtree", half)
        folder, _ = build({})
    assert (tmp_path / "corpus.work").exists()
    shutil.rmtree(folder)
    assert hashes(build({})[0]) == hashes(expected)


def test_what_was_dropped_is_kept_though_a_file_changes(build, monkeypatch) -> None:
    steps = {"rules": RULES, "keep_dropped": True}
    with stopped_before_the_report(monkeypatch):
        build(TWO, **steps)
    changed = {"en.txt": "eight nine ten\nfive"}
    folder, _ = build(changed, **steps)
    assert hashes(folder) == hashes(build({}, output="unbroken", **steps)[0])


def test_a_file_that_became_empty_has_dropped_nothing(build, monkeypatch) -> None:
    steps = {"rules": RULES, "keep_dropped": True}
    with stopped_before_the_report(monkeypatch):
        build(TWO, **steps)
    folder, _ = build({"en.txt": ""}, **steps)
    assert hashes(folder) == hashes(build({}, output="unbroken", **steps)[0])


def test_a_second_build_of_the_same_folder_is_refused(build, tmp_path: Path) -> None:
    with alone(tmp_path / "corpus.work", tmp_path / "corpus"), pytest.raises(FolderError, match="another process"):
        build(TWO)
    assert Corpus.open(build({})[0]).languages == ("en", "sw")


def test_an_output_that_is_a_file_is_refused(build, tmp_path: Path) -> None:
    (tmp_path / "corpus").write_text("mine")
    with pytest.raises(ConfigError, match="is a file"):
        build(TWO)
    assert (tmp_path / "corpus").read_text() == "mine"


def test_records_of_every_odd_kind_are_counted(build) -> None:
    pa = pytest.importorskip("pyarrow")
    odd = [
        {"text": ""},
        {"text": "\0"},
        {"text": "half \ud800 of a pair\nwhole line", "meta": {"a": [1, {"b": "\ud800"}]}},
        {"text": None},
        {"text": ["a", "b"]},
        {"text": "a" * 2_000_000},
        {"text": "fine", "meta": "x" * 100_000},
    ]
    nulls = pa.BufferOutputStream()
    pa.parquet.write_table(pa.table({"text": [None, "hello", None], "meta": pa.array([1, 2, 3], pa.date32())}), nulls)
    files = {"en.jsonl": "\n".join(map(json.dumps, odd)), "sw.parquet": nulls.getvalue().to_pybytes()}
    steps = {"identify": {}, "repeats": {"group_sources": 1}, "near_duplicates": {}, "personal": {"email": "drop-line"}}
    folder, manifest = build(files, keep_keys=("meta",), num_samples=0, keep_dropped=True, **steps)
    assert [record["text"] for record in Corpus.open(folder).records("en")] == ["whole line", "fine"]
    assert manifest.statistics["dropped"]["sw"] == {"no-text": 2}
    assert (folder / "samples.jsonl").read_text() == ""


def test_an_index_of_nothing_finds_nothing(build, tmp_path: Path) -> None:
    (tmp_path / "exam.txt").write_text("too short")
    exam = {"sets": [{"name": "exam", "path": tmp_path / "exam.txt"}]}
    files = {**TWO, "zh-Hans.txt": "你好世界你好世界", "th.txt": "แมวนอนหลับ"}
    _, manifest = build(files, decontaminate=exam)
    assert manifest.statistics["labelled"] == {}
    assert set(manifest.statistics["languages"]) == {"en", "sw", "th", "zh-Hans"}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"trust_names": False}, "trust_names = false .* give 'identify' too"),
        ({"normalise": {"lower": False}}, "'normalise' is for 'repeats'"),
        ({"languages": ["sw"], "identify": {"languages": ["en", "sw"]}}, "identify.languages has 'en'"),
        ({"languages": ["sw"], "max_bytes_by_language": {"en": 9}}, "max_bytes_by_language has 'en'"),
        ({"engine": {"ray_address": "head:6379"}}, "is for runner = 'ray', not 'native'"),
        ({"personal": {"email": "hide", "email_mark": " "}}, "something that is seen"),
        ({"personal": {"email": "hide", "email_mark": "a\nb"}}, "without line feeds"),
        ({"rules": {"min_document_characters_by_language": {"klingon": 1}}}, "'klingon' is not a language code"),
        ({"rules": {"min_document_characters_by_language": {"en": -1}}}, "the limit of 'en' is -1; 0 keeps all"),
    ],
)
def test_settings_that_would_be_ignored_are_one_line(values: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        make_settings(CorpusSettings, {"input": "a", "output": "b", **values})
    assert "\n" not in str(caught.value)


def test_limits_by_language_know_other_names_of_a_code(tmp_path: Path) -> None:
    (tmp_path / "zh.txt").write_text("你好世界")
    rules = {"min_document_characters": 5, "min_document_characters_by_language": {"zh_CN": 1}}
    manifest = build_corpus(CorpusSettings(input=tmp_path / "zh.txt", output=tmp_path / "corpus", rules=rules))
    check_sums(manifest)
    assert list(manifest.statistics["languages"]) == ["zh-Hans"]
