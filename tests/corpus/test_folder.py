"""Reading a finished corpus needs no engine, and notices damage."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from isogloss.corpus import Corpus, read_documents
from isogloss.errors import DataError, FolderError


def test_documents_by_any_spelling_of_the_language(build) -> None:
    folder, manifest = build({"zh.txt": "你好\n\n再见"})
    corpus = Corpus.open(folder)
    assert list(corpus.documents("zh_hans")) == ["你好", "再见"]
    assert corpus.manifest == manifest
    assert corpus.statistics["zh-Hans"]["documents"] == 2


def test_a_language_it_has_not_names_those_it_has(build) -> None:
    folder, _ = build({"en.txt": "hello", "sw.txt": "habari"})
    with pytest.raises(DataError, match="no text in 'fr'; it has en, sw"):
        read_documents(folder, "fr")


def test_damage_is_noticed(tmp_path: Path, build) -> None:
    folder, _ = build({"en.txt": "hello"})
    part = folder / "en" / "part-00000.jsonl.zst"
    data = bytearray(part.read_bytes())
    data[len(data) // 2] ^= 1
    part.write_bytes(data)
    with pytest.raises(FolderError, match=r"part-00000\.jsonl\.zst is not as it was written"):
        list(read_documents(folder, "en"))
    part.write_bytes(data[:-1])
    with pytest.raises(FolderError, match="manifest says"):
        Corpus.open(folder)
    with pytest.raises(FolderError, match="'isogloss corpus build' makes one"):
        Corpus.open(tmp_path / "nothing")


def test_reading_needs_neither_daft_nor_pyarrow(build) -> None:
    folder, _ = build({"en.txt": "hello"})
    script = """if True:
        import sys
        sys.modules["daft"] = sys.modules["pyarrow"] = None
        from isogloss.corpus import CorpusSettings, build_corpus, read_documents
        from isogloss.errors import MissingExtraError
        assert list(read_documents(sys.argv[1], "en")) == ["hello"]
        assert "torch" not in sys.modules
        try:
            build_corpus(CorpusSettings(input=sys.argv[2], output=sys.argv[1] + "-2"))
        except MissingExtraError as error:
            assert "pip install 'isogloss[corpus]'" in str(error)
        else:
            raise AssertionError("built without pyarrow")
    """
    subprocess.run([sys.executable, "-c", script, str(folder), str(folder.parent / "input")], check=True)
