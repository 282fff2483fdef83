"""Data sets by name, from a Hub on loopback through the real library: configurations, commits, streaming, trouble."""

from __future__ import annotations

import gzip
import importlib.util
import io
import json
import os
import pickle
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from isogloss.corpus.documents import Document, ReadSettings
from isogloss.corpus.readers import read_source
from isogloss.corpus.remote import is_remote
from isogloss.corpus.sources import DamagedFileError, Source, find_sources
from isogloss.corpus.tally import Tally
from isogloss.errors import DataError, MissingExtraError

README = """---
configs:
- config_name: swh_Latn
  data_files:
  - split: train
    path: data/swh_Latn/train/*
  - split: test
    path: data/swh_Latn/test/*
- config_name: als_Latn
  data_files: data/als_Latn/*
- config_name: 20231101.he
  data_files: old/*
- config_name: 20241101.he
  data_files: new/*
- config_name: iw
  data_files: multilingual/c4-iw.*.json.gz
- config_name: big
  data_files: big/*
- config_name: text
  data_files: text/*
---
"""


def parquet(rows: list[dict[str, Any]]) -> bytes:
    stream = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), stream, row_group_size=100)
    return stream.getvalue()


def fineweb(language: str, number: int) -> bytes:
    return parquet(
        [
            {"text": f"{language} {number} {row}", "id": "x", "language": language, "language_script": "Latn"}
            for row in range(300)
        ]
    )


FILES = {
    "README.md": README.encode(),
    "data/swh_Latn/train/000_00000.parquet": fineweb("swh", 0),
    "data/swh_Latn/train/001_00000.parquet": fineweb("swh", 1),
    "data/swh_Latn/test/000_00000.parquet": fineweb("swh", 9),
    "data/als_Latn/a.parquet": fineweb("als", 0),
    "old/train-00000-of-00001.parquet": parquet([{"text": "old"}]),
    "new/train-00000-of-00001.parquet": parquet([{"text": "new", "title": "t"}]),
    "multilingual/c4-iw.tfrecord-00000-of-00001.json.gz": gzip.compress(
        b"".join(json.dumps({"text": f"line {n}", "url": "u"}).encode() + b"\n" for n in range(3)) + b"no json\n"
    ),
    "big/en.parquet": parquet([{"text": os.urandom(400).hex(), "other": os.urandom(400).hex()} for _ in range(10_000)]),
    "text/sw.txt": b"moja\n\nmbili\n",
}


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    pytest.importorskip("datasets")
    spec = importlib.util.spec_from_file_location("hub_server", Path(__file__).with_name("hub_server.py"))
    assert spec is not None
    assert spec.loader is not None
    module: ModuleType = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    with module.served("acme/many", FILES, tmp_path_factory.mktemp("hub")) as server:
        yield server


def sources(address: str) -> list[Source]:
    # As settings have it: a Path, of which // is no part.
    return find_sources(Path(address))


def read(source: Source, tally: Tally | None = None, **values: object) -> list[Document]:
    return list(read_source(source, ReadSettings(**values), Tally() if tally is None else tally, languages=()))


def test_a_configuration_becomes_a_source_a_file_pinned_to_its_commit(hub) -> None:
    found = sources("hf://acme/many/swh_Latn")
    sha = sys.modules["hub_server"].SHA
    assert [source.name for source in found] == [
        f"acme/many@{sha}/data/swh_Latn/train/{number:03d}_00000.parquet" for number in (0, 1)
    ]
    for number, source in enumerate(found):
        assert (source.format, source.language) == ("parquet", "sw")
        assert source.state().bytes == len(FILES[f"data/swh_Latn/train/{number:03d}_00000.parquet"])
        documents = read(pickle.loads(pickle.dumps(source)))
        assert [document.text for document in documents] == [f"swh {number} {row}" for row in range(300)]
        assert {document.language for document in documents} == {"sw"}
    assert len({source.digest() for source in found}) == 2
    assert [source.digest() for source in sources("hf://acme/many/swh_Latn")] == [source.digest() for source in found]


@pytest.mark.parametrize(
    ("address", "names", "language"),
    [
        ("hf://acme/many/swh_Latn/test", ["data/swh_Latn/test/000_00000.parquet"], "sw"),
        ("hf://datasets/acme/many@main/als_Latn", ["data/als_Latn/a.parquet"], "sq"),
        ("hf://acme/many/sq", ["data/als_Latn/a.parquet"], "sq"),
        ("hf://acme/many/he", ["multilingual/c4-iw.tfrecord-00000-of-00001.json.gz"], "he"),
        ("hf://acme/many/20231101.he", ["old/train-00000-of-00001.parquet"], "he"),
        ("hf://acme/many/iw", ["multilingual/c4-iw.tfrecord-00000-of-00001.json.gz"], "he"),
        ("hf://acme/many/20241101.he,als_Latn", ["data/als_Latn/a.parquet", "new/train-00000-of-00001.parquet"], None),
        ("hf://acme/many/text", ["text/sw.txt"], "sw"),
    ],
)
def test_names_of_data_sets(hub, address: str, names: list[str], language: str | None) -> None:
    found = sources(address)
    assert [source.name.partition("@")[2].partition("/")[2] for source in found] == names
    if language is not None:
        assert {source.language for source in found} == {language}
        for source in found:
            assert {document.language for document in read(source)} == {language}


def test_what_is_broken_in_a_file_is_counted_as_on_disk(hub) -> None:
    (source,) = sources("hf://acme/many/iw")
    tally = Tally()
    documents = read(source, tally, keep_keys=("url",))
    assert [(document.text, document.source) for document in documents] == [
        (f"line {n}", {"url": "u"}) for n in range(3)
    ]
    assert tally.counts()["dropped"] == {"he": {"bad-json": 1}}
    (source,) = sources("hf://acme/many/20241101.he")
    with pytest.raises(DamagedFileError, match="no column 'body'"):
        read(source, text_key="body")


def test_a_file_is_read_by_ranges(hub) -> None:
    (source,) = sources("hf://acme/many/big")
    hub.requests.clear()
    documents = read_source(source, ReadSettings(), Tally(), languages=())
    assert len(next(documents).text) == 800
    asked = [wanted for method, path, wanted in hub.requests if path.endswith("big/en.parquet")]
    assert all(asked)
    bounds = [[int(number) for number in wanted.removeprefix("bytes=").split("-")] for wanted in asked]
    # Of a file of 17 MB the first document takes a part.
    assert sum(last - first for first, last in bounds) < source.state().bytes * 0.8
    assert sum(1 for _ in documents) == 9_999


def test_trouble_of_the_network_is_an_error_that_says_to_try_again(hub) -> None:
    (source,) = sources("hf://acme/many/20231101.he")
    hub.broken.add("old/train-00000-of-00001.parquet")
    try:
        with pytest.raises(DataError, match=r"cannot be read \(.*403.*give the command again"):
            read(source)
    finally:
        hub.broken.clear()


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("hf://acme/many", "has 7 configurations; name one, as hf://acme/many/"),
        ("hf://acme/many/swa_Latn_x", "has no configuration 'swa_Latn_x'; name one, as hf://acme/many/swh_Latn"),
        ("hf://acme/many/swh_Latn/dev", "has no split 'dev'; it has train, test"),
        ("hf://acme/none/sw", "hf://acme/none cannot be read"),
        ("hf://acme", "is no name of a data set; write hf://OWNER/NAME"),
        ("hf://acme/many/a/b/c", "is no name of a data set"),
    ],
)
def test_mistakes_are_said(hub, address: str, said: str) -> None:
    with pytest.raises(DataError, match=said):
        sources(address)


def test_without_the_library_its_extra_is_named(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(MissingExtraError, match=r"needs the package 'datasets': pip install 'isogloss\[hub\]'"):
        sources("hf://acme/many/sw")


def test_folders_are_no_names() -> None:
    assert not is_remote(Path("hf"))
    assert not is_remote(Path("texts/hf:/x"))
    assert is_remote(Path("hf://a/b"))


def test_folders_that_the_library_saved_are_inputs(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    rows = {"text": [f"a {number}\nb" for number in range(2500)], "url": ["u"] * 2500}
    saved = datasets.DatasetDict(
        train=datasets.Dataset.from_dict(rows), test=datasets.Dataset.from_dict({"text": ["z"]})
    )
    saved.save_to_disk(str(tmp_path / "swh_Latn"), num_shards={"train": 2, "test": 1})
    # Rows in another order, which the library keeps as a table of places and saves as rows.
    saved["train"].select([5, 3]).save_to_disk(str(tmp_path / "en"))
    found = find_sources(tmp_path)
    assert [source.name for source in found] == [
        "en/data-00000-of-00001.arrow",
        "swh_Latn/test/data-00000-of-00001.arrow",
        "swh_Latn/train/data-00000-of-00002.arrow",
        "swh_Latn/train/data-00001-of-00002.arrow",
    ]
    documents = [read(source, keep_keys=("url",)) for source in found]
    assert documents[0] == [Document("en", "a 5\nb", 1, 0, {"url": "u"}), Document("en", "a 3\nb", 2, 0, {"url": "u"})]
    assert {document.language for document in documents[1]} == {"sw"}
    assert [document.text for document in documents[2] + documents[3]] == rows["text"]
