"""A whole build: what goes in comes out or is counted, the same bytes each time, also after a kill."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import zstandard

from isogloss.config import make_settings
from isogloss.corpus import Corpus, CorpusSettings, build_corpus, read_documents
from isogloss.errors import ConfigError, DataError, FolderError
from isogloss.manifest import hash_file


def folder_hashes(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hash_file(path) for path in sorted(folder.rglob("*")) if path.is_file()
    }


def leftovers(output: Path) -> list[str]:
    return [path.name for path in output.parent.iterdir() if path.name.startswith(output.name + ".")]


def test_eight_scripts_come_back(build, eight: dict[str, str]) -> None:
    folder, manifest = build({f"{code}.txt": text for code, text in eight.items()})
    assert Corpus.open(folder).languages == tuple(sorted(eight))
    for code, text in eight.items():
        assert list(read_documents(folder, code)) == [text]
        statistics = manifest.statistics["languages"][code]
        assert statistics == {
            "documents": 1,
            "lines": 2,
            "characters": len(text),
            "bytes": len(text.encode()),
            "words": len(text.split()),
        }
    assert manifest.statistics["dropped"] == {}
    assert leftovers(folder) == []


def test_output_is_json_lines_in_zstd_with_provenance(build) -> None:
    folder, _ = build(
        {"a/en.jsonl": '\n{"text": "one", "url": "u"}\n', "en.txt": "two\n\n\nthree\nfour"}, keep_keys=("url",)
    )
    data = zstandard.ZstdDecompressor().stream_reader((folder / "en" / "part-00000.jsonl.zst").read_bytes()).read()
    assert [json.loads(line) for line in data.decode().splitlines()] == [
        {"id": "a/en.jsonl:2", "text": "one", "file": "a/en.jsonl", "line": 2, "source": {"url": "u"}},
        {"id": "en.txt:1", "text": "two", "file": "en.txt", "line": 1},
        {"id": "en.txt:4", "text": "three\nfour", "file": "en.txt", "line": 4},
    ]


def test_same_input_same_bytes_and_the_second_time_is_done(tmp_path: Path, build, eight, monkeypatch) -> None:
    files = {f"{code}.txt": text for code, text in eight.items()} | {
        "more.jsonl": '{"text": "x", "language": "en"}\n' * 3
    }
    first, manifest = build(files, repeats={"rule": "first"})
    second, _ = build(files, repeats={"rule": "first"}, output="again")
    assert folder_hashes(first) == folder_hashes(second)

    monkeypatch.setattr("isogloss.corpus.build._Build", lambda *_: pytest.fail("read again"))
    assert build(files, repeats={"rule": "first"})[1] == manifest


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"en.txt": "hello wOrld"}, "input file en.txt has other content"),
        ({"en.txt": "hello"}, "input file en.txt has 5 bytes, it had 11"),
        ({"sw.txt": "habari"}, "input file sw.txt is new"),
    ],
)
def test_a_corpus_of_other_input_is_refused(build, change: dict[str, str], message: str) -> None:
    build({"en.txt": "hello world"})
    with pytest.raises(FolderError, match=message):
        build(change)


def test_a_corpus_of_other_settings_is_refused(build) -> None:
    build({"en.txt": "hello world"})
    with pytest.raises(FolderError, match="drop_duplicate_documents"):
        build({}, drop_duplicate_documents=False)


def test_a_corpus_of_an_earlier_version_is_done(build, without_setting) -> None:
    folder, manifest = build({"en.txt": "hello world"})
    without_setting(folder / "manifest.json", "drop_duplicate_documents")
    assert build({"en.txt": "hello world"})[1].fingerprint == manifest.fingerprint
    with pytest.raises(FolderError, match="drop_duplicate_documents = True, now False"):
        build({}, drop_duplicate_documents=False)


def test_touching_a_file_changes_nothing(tmp_path: Path, build) -> None:
    _, manifest = build({"en.txt": "hello world"})
    assert build({"en.txt": "hello world"})[1] == manifest


def test_duplicates_are_dropped_across_files_and_counted(build) -> None:
    files = {"en/a.txt": "one\ntwo\n\none\ntwo\n\nthree", "en/b.txt": "two\nfour\n\nthree\n\ntwo\none"}
    folder, manifest = build(files)
    assert list(read_documents(folder, "en")) == ["one\ntwo", "three", "two\nfour", "two\none"]
    assert manifest.statistics["dropped"] == {"en": {"duplicate-document": 2}}

    folder, manifest = build(files, repeats={"rule": "first"}, output="lines")
    assert list(read_documents(folder, "en")) == ["one\ntwo", "three", "four"]
    assert manifest.statistics["dropped"] == {"en": {"repeated-line": 6, "empty-document": 3}}

    folder, manifest = build(files, drop_duplicate_documents=False, output="all")
    assert manifest.statistics["languages"]["en"]["documents"] == 6
    assert manifest.statistics["dropped"] == {}


def test_the_same_text_in_two_languages_stays(build) -> None:
    folder, _ = build({"bs.txt": "dobar dan", "hr.txt": "dobar dan"})
    assert list(read_documents(folder, "bs")) == list(read_documents(folder, "hr")) == ["dobar dan"]


def test_limits_keep_what_fits_and_count_the_rest(build) -> None:
    files = {f"{code}.txt": "aaaa\n\nbbbb\n\ncccc\n\nd" for code in ("en", "sw")}
    folder, manifest = build(files, max_bytes=9, max_bytes_by_language={"SW": 4})
    assert list(read_documents(folder, "en")) == ["aaaa", "bbbb", "d"]
    assert list(read_documents(folder, "sw")) == ["aaaa"]
    assert manifest.statistics["dropped"] == {"en": {"over-limit": 1}, "sw": {"over-limit": 3}}


def test_parts_are_cut_at_their_size_and_read_in_order(build) -> None:
    texts = [f"document {number}" for number in range(50)]
    folder, _ = build({"en.txt": "\n\n".join(texts)}, part_bytes=300)
    assert len(list((folder / "en").iterdir())) > 5
    assert list(read_documents(folder, "en")) == texts


def test_languages_choose(build) -> None:
    files = {"en.txt": "hello", "zh.txt": "你好", "all.jsonl": '{"text": "habari", "language": "sw"}'}
    folder, manifest = build(files, languages=("zh_cn",))
    assert Corpus.open(folder).languages == ("zh-Hans",)
    assert manifest.statistics["dropped"] == {"sw": {"other-language": 1}}
    assert (
        "3 found: 2 read whole, 0 with a problem, 1 of languages not asked for." in (folder / "report.md").read_text()
    )
    problems = {entry["file"]: entry["problem"] for entry in manifest.statistics["files"]}
    assert problems == {"all.jsonl": "", "en.txt": "not read: language not asked for", "zh.txt": ""}


def test_every_bad_file_is_named_and_the_good_ones_are_read(tmp_path: Path, build, write_input) -> None:
    folder = write_input({"fr.txt": "", "notes.md": "x", "README.txt": "x", "de.parquet": "x", "ru.txt.gz": "x"})
    (folder / "sw.txt").symlink_to(tmp_path / "nowhere")
    corpus, manifest = build({"en.txt": "hello"})
    assert Corpus.open(corpus).languages == ("en",)
    problems = {entry["file"]: entry["problem"].split(" (")[0] for entry in manifest.statistics["files"]}
    assert problems == {
        "README.txt": "not read: no language code in its name",
        "de.parquet": "damaged Parquet",
        "en.txt": "",
        "fr.txt": "empty file",
        "notes.md": "not read: no .txt, .jsonl, .parquet, .arrow, .wet, .warc or wiki .xml file",
        "ru.txt.gz": "damaged gzip",
        "sw.txt": "unreadable",
    }
    report = (corpus / "report.md").read_text()
    assert all(name in report for name in problems)


def test_a_language_outside_the_table_is_kept_and_said(build) -> None:
    folder, _ = build({"yo.txt": "ẹ káàárọ̀"})
    assert list(read_documents(folder, "yo")) == ["ẹ káàárọ̀"]
    assert (
        "Not among the 100 languages of the table, kept under their own codes: yo."
        in (folder / "report.md").read_text()
    )


def test_nothing_to_keep_is_one_clear_line(tmp_path: Path, build) -> None:
    with pytest.raises(DataError, match=r"gives no document; en\.txt: empty file; fr: 1 bad-utf8-line; fr: 1 empty"):
        build({"en.txt": "", "fr.txt": "\xff".encode("latin-1")})
    assert not (tmp_path / "corpus").exists()


@pytest.mark.parametrize("how", ["grows", "is replaced", "is touched"])
def test_a_file_that_changes_while_it_is_read(build, tmp_path: Path, monkeypatch, how: str) -> None:
    read_source = sys.modules["isogloss.corpus.reading"].read_source

    def disturb(source, *arguments, **options) -> Iterator[object]:
        for document in read_source(source, *arguments, **options):
            yield document
            if source.name == "fr.txt" and how == "grows":
                source.path.write_text("bonjour\n\nencore")
            elif source.name == "fr.txt" and how == "is replaced":
                (tmp_path / "new").write_text("bonsoir")
                (tmp_path / "new").replace(source.path)
            elif source.name == "fr.txt":
                os.utime(source.path, ns=(1, 1))

    with monkeypatch.context() as patch:
        patch.setattr("isogloss.corpus.reading.read_source", disturb)
        with pytest.raises(DataError, match=r"fr\.txt changed while it was read"):
            build({"en.txt": "hello", "fr.txt": "bonjour"})
    assert not (tmp_path / "corpus").exists()
    folder, manifest = build({})
    assert manifest.statistics["languages"]["fr"]["documents"] == (2 if how == "grows" else 1)
    assert list(read_documents(folder, "en")) == ["hello"]


def test_a_file_changed_between_a_kill_and_the_next_start_is_read_again(build, tmp_path: Path, monkeypatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("isogloss.corpus.build.write_report", stop)
        with pytest.raises(KeyboardInterrupt):
            build({"en.txt": "\n\n".join("abcdefgh"), "fr.txt": "bonjour"}, part_bytes=1)
    folder, _ = build({"en.txt": "hello there"}, part_bytes=1)
    assert list(read_documents(folder, "en")) == ["hello there"]


@pytest.mark.parametrize(
    "name",
    [
        *("reading.read_source", "sources.hash_file", "judging.read_tables", "comparing.find_repeats"),
        *("writing.read_tables", "build.write_report", "build.write_manifest"),
    ],
)
@pytest.mark.parametrize("call", [1, 2])
def test_stopped_anywhere_the_next_start_gives_the_same_bytes(build, monkeypatch, eight, name: str, call: int) -> None:
    files = {f"{code}.txt": text for code, text in eight.items()}
    expected, _ = build(files, output="unbroken")
    module, _, function = name.partition(".")
    original = getattr(sys.modules[f"isogloss.corpus.{module}"], function)
    calls = []

    def stop_at_call(*arguments, **options):
        calls.append(arguments)
        return stop() if len(calls) == call else original(*arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(f"isogloss.corpus.{name}", stop_at_call)
        if module == "build" and call == 2:
            build({})
        else:
            with pytest.raises(KeyboardInterrupt):
                build({})
    folder, _ = build({})
    assert folder_hashes(folder) == folder_hashes(expected)
    assert leftovers(folder) == []


def test_killed_it_keeps_what_is_finished(build, tmp_path: Path, write_input, monkeypatch, eight) -> None:
    files = {f"{code}.txt": text for code, text in eight.items()}
    expected, _ = build(files, output="unbroken")
    script = """if True:
        import os, signal, sys
        from isogloss.corpus import CorpusSettings, build, build_corpus
        original, languages = build.write_one, []
        def write_one(language, *arguments):
            languages.append(language)
            answer = original(language, *arguments)
            if len(languages) == 4:
                os.kill(os.getpid(), signal.SIGKILL)
            return answer
        build.write_one = write_one
        build_corpus(CorpusSettings(input=sys.argv[1], output=sys.argv[2]))
    """
    command = [sys.executable, "-c", script, str(tmp_path / "input"), str(tmp_path / "corpus")]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL

    written = []
    original = sys.modules["isogloss.corpus.build"].write_one

    def spy(language, *arguments):
        written.append(language)
        return original(language, *arguments)

    monkeypatch.setattr("isogloss.corpus.build.write_one", spy)
    monkeypatch.setattr("isogloss.corpus.reading.read_source", lambda *_, **__: pytest.fail("read again"))
    folder, _ = build({})
    assert written == sorted(eight)[3:]
    assert folder_hashes(folder) == folder_hashes(expected)


def test_a_full_disk_is_one_line_and_keeps_what_is_finished(build, monkeypatch) -> None:
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("isogloss.corpus.build.write_one", full)
        with pytest.raises(FolderError, match=r"cannot be written .*; make room and give the command again"):
            build({"en.txt": "hello"})
    assert list(read_documents(build({})[0], "en")) == ["hello"]


def test_output_inside_the_input_is_refused(tmp_path: Path, write_input) -> None:
    folder = write_input({"en.txt": "hello"})
    with pytest.raises(ConfigError, match="lies inside input"):
        build_corpus(CorpusSettings(input=folder, output=folder / "corpus"))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"languages": ["klingon"]}, "'klingon' is not a language code"),
        ({"max_bytes_by_language": {"en": 0}}, "leave the language out"),
        ({"part_bytes": 0}, "part_bytes = 0"),
        ({"langauges": ["en"]}, "did you mean 'languages'"),
    ],
)
def test_wrong_settings_are_one_line(values: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make_settings(CorpusSettings, {"input": "a", "output": "b", **values})


def stop(*_, **__):
    raise KeyboardInterrupt
