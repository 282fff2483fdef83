"""CC-100 text: what is written reads back as the same documents, and the same corpus gives the same bytes."""

from __future__ import annotations

import lzma
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from isogloss.config import make_settings
from isogloss.corpus import Corpus, CorpusSettings, build_corpus, export
from isogloss.corpus.export import ExportSettings, export_corpus
from isogloss.corpus.readers import ReadSettings, read_source
from isogloss.corpus.sources import find_sources
from isogloss.corpus.tally import Tally
from isogloss.errors import ConfigError, DataError, FolderError
from isogloss.manifest import write_manifest

LINE = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\n\0"), max_size=8).map(str.strip)
DOCUMENTS = st.lists(st.lists(LINE.filter(bool), min_size=1, max_size=4).map("\n".join), min_size=1, max_size=6)


def texts(folder: Path) -> dict[str, list[str]]:
    """What the readers find in a folder, by language; nothing may be dropped."""
    tally, found = Tally(), {}
    for source in find_sources(folder):
        for document in read_source(source, ReadSettings(), tally, languages=()):
            found.setdefault(document.language, []).append(document.text)
    assert tally.counts()["dropped"] == {}
    return found


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(documents=DOCUMENTS, compression=st.sampled_from(["none", "xz"]))
def test_what_is_written_reads_back_as_the_same_documents(
    tmp_path: Path, monkeypatch, documents: list[str], compression: str
) -> None:
    target = tmp_path / f"sw{export.SUFFIXES[compression]}"

    class Fake:
        @staticmethod
        def open(folder: Path) -> type[Fake]:
            return Fake

        @staticmethod
        def documents(language: str) -> list[str]:
            return documents

    with monkeypatch.context() as patch:
        patch.setattr(export, "Corpus", Fake)
        counts = export._write_language(tmp_path, "sw", target)
    assert texts(target) == {"sw": documents}
    assert counts["documents"] == len(documents)
    assert counts["bytes"] == len(lzma.decompress(target.read_bytes()) if compression == "xz" else target.read_bytes())
    target.unlink()


@pytest.mark.parametrize("compression", ["none", "xz"])
def test_a_corpus_becomes_a_file_a_language_and_a_corpus_again(build, eight, tmp_path, compression: str) -> None:
    folder, _ = build({f"{code}.txt": f"{text}\n\n{text}\nmore" for code, text in eight.items()})
    manifest = export_corpus(ExportSettings(corpus=folder, output=tmp_path / "cc100", compression=compression))
    assert sorted(manifest.files) == sorted(f"{code}.txt{'.xz' if compression == 'xz' else ''}" for code in eight)
    assert set(manifest.parents) == {"corpus"}
    assert manifest.statistics["languages"]["en"]["documents"] == 2
    corpus = Corpus.open(folder)
    assert texts(tmp_path / "cc100") == {code: list(corpus.documents(code)) for code in corpus.languages}
    build_corpus(CorpusSettings(input=tmp_path / "cc100", output=tmp_path / "again"))
    again = Corpus.open(tmp_path / "again")
    assert {code: list(again.documents(code)) for code in again.languages} == texts(tmp_path / "cc100")


def test_the_same_bytes_from_any_number_of_workers_and_after_a_kill(build, eight, tmp_path, monkeypatch) -> None:
    folder, _ = build({f"{code}.txt": text for code, text in eight.items()})
    values = {"corpus": folder, "compression": "xz"}
    first = export_corpus(ExportSettings(output=tmp_path / "one", **values))
    parallel = {"output": tmp_path / "two", "engine": {"workers": 2}}
    assert export_corpus(ExportSettings(**values, **parallel)).fingerprint == first.fingerprint

    written: list[str] = []
    whole = export._write_language

    def broken(source: Path, language: str, target: Path) -> dict[str, int]:
        if language == "ko" and "ko" not in written:
            written.append(language)
            target.write_bytes(b"half")
            raise KeyboardInterrupt
        written.append(language)
        return whole(source, language, target)

    monkeypatch.setattr(export, "_write_language", broken)
    with pytest.raises(KeyboardInterrupt):
        export_corpus(ExportSettings(output=tmp_path / "three", **values))
    assert not (tmp_path / "three").exists()
    assert export_corpus(ExportSettings(output=tmp_path / "three", **values)).fingerprint == first.fingerprint
    assert sorted(written) == sorted([*eight, "ko"]), "what was finished is not written again"
    # Done: nothing is written at all.
    assert export_corpus(ExportSettings(output=tmp_path / "three", **values)) == first
    assert len(written) == len(eight) + 1
    assert not list(tmp_path.glob("*.work"))


def test_what_is_left_of_other_settings_is_not_used(build, tmp_path) -> None:
    folder, _ = build({"en.txt": "a\n\nb", "sw.txt": "c"})
    work, beside = tmp_path / "out.work", tmp_path / "out.tmp"
    for path in (work, beside):
        path.mkdir()
        (path / "en.json").write_text("{}")
    manifest = export_corpus(ExportSettings(corpus=folder, output=tmp_path / "out", languages=("en",)))
    assert list(manifest.files) == ["en.txt"]
    assert (tmp_path / "out" / "en.txt").read_text() == "a\n\nb\n\n"


def test_mistakes_are_said(build, tmp_path) -> None:
    folder, _ = build({"en.txt": "a"})
    with pytest.raises(DataError, match="has no text in 'sw'; it has en"):
        export_corpus(ExportSettings(corpus=folder, output=tmp_path / "out", languages=("sw",)))
    with pytest.raises(FolderError, match="not a finished corpus"):
        export_corpus(ExportSettings(corpus=tmp_path, output=tmp_path / "out"))
    with pytest.raises(ConfigError, match="'cc100'"):
        make_settings(ExportSettings, {"corpus": folder, "output": tmp_path / "out", "format": "tsv"})
    export_corpus(ExportSettings(corpus=folder, output=tmp_path / "out"))
    with pytest.raises(FolderError, match="was made with compression = 'none', now 'xz'"):
        export_corpus(ExportSettings(corpus=folder, output=tmp_path / "out", compression="xz"))
    shutil.rmtree(tmp_path / "out")
    (tmp_path / "out").mkdir()
    write_manifest(tmp_path / "out", kind="corpus", command="", config={})
    with pytest.raises(FolderError, match="is a corpus folder"):
        export_corpus(ExportSettings(corpus=folder, output=tmp_path / "out"))
