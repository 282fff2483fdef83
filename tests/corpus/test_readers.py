"""Each reader gives back the documents that were written, and counts each kind of broken input by its reason."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from isogloss.config import make_settings
from isogloss.corpus.readers import Document, ReadSettings, read_source
from isogloss.corpus.sources import DamagedFileError, find_sources
from isogloss.corpus.tally import Tally
from isogloss.errors import ConfigError

LINE = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\n\0\ufeff"), max_size=20).map(str.strip)
DOCUMENTS = st.lists(st.lists(LINE.filter(bool), min_size=1, max_size=4).map(tuple), max_size=6)


def read(path: Path, tally: Tally | None = None, languages: tuple[str, ...] = (), **values: object) -> list[Document]:
    (source,) = find_sources(path)
    tally = Tally() if tally is None else tally
    return list(read_source(source, ReadSettings(**values), tally, languages=languages))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(DOCUMENTS, st.sampled_from(["\n", "\r\n"]))
def test_text_round_trip(tmp_path: Path, documents: list[tuple[str, ...]], end: str) -> None:
    path = tmp_path / "en.txt"
    path.write_bytes((end * 2).join(end.join(lines) for lines in documents).encode())
    tally = Tally()
    found = read(path, tally)
    assert [document.lines for document in found] == documents
    assert tally.counts()["dropped"] == {}
    lines = path.read_bytes().split(b"\n")
    for document in found:
        assert lines[document.line - 1].decode().strip() == document.lines[0]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(DOCUMENTS, st.booleans())
def test_json_lines_round_trip(tmp_path: Path, documents: list[tuple[str, ...]], ascii_only: bool) -> None:
    path = tmp_path / "en.jsonl"
    path.write_text(
        "".join(json.dumps({"text": "\n".join(lines)}, ensure_ascii=ascii_only) + "\n" for lines in documents), "utf-8"
    )
    assert [document.lines for document in read(path)] == documents


def test_parquet_gives_language_and_kept_columns(tmp_path: Path) -> None:
    table = pa.table(
        {"text": ["a\nb", None, "c"], "language": ["sw", "sw", None], "url": ["u", "v", None], "n": [1, 2, 3]}
    )
    pq.write_table(table, tmp_path / "en.parquet")
    tally = Tally()
    found = read(tmp_path / "en.parquet", tally, keep_keys=("url", "n"))
    assert found == [Document("sw", "a\nb", 1, 0, {"url": "u", "n": 1}), Document("en", "c", 3, 0, {"n": 3})]
    assert tally.counts()["dropped"] == {"sw": {"no-text": 1}}


def arrow(path: Path, table: pa.Table, *, as_file: bool = False) -> None:
    with (
        pa.OSFile(str(path), "wb") as stream,
        (pa.ipc.new_file if as_file else pa.ipc.new_stream)(stream, table.schema) as writer,
    ):
        writer.write_table(table, max_chunksize=1000)


@pytest.mark.parametrize("as_file", [False, True])
def test_arrow_is_read_as_parquet_is(tmp_path: Path, as_file: bool) -> None:
    table = pa.table({"id": range(3000), "text": [f"a {number}\n\nb" for number in range(3000)], "n": range(3000)})
    arrow(tmp_path / "sw.arrow", table, as_file=as_file)
    pq.write_table(table, tmp_path / "sw.parquet")
    found = read(tmp_path / "sw.arrow", keep_keys=("n",))
    assert found == read(tmp_path / "sw.parquet", keep_keys=("n",))
    assert found[2999] == Document("sw", "a 2999\nb", 3000, 0, {"n": 2999})


@pytest.mark.parametrize("as_file", [False, True])
def test_arrow_that_breaks_off_gives_what_stood_before(tmp_path: Path, as_file: bool) -> None:
    path = tmp_path / "sw.arrow"
    arrow(path, pa.table({"text": [f"a {number}" for number in range(3000)]}), as_file=as_file)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 4 // 5])
    (source,) = find_sources(path)
    found: list[str] = []
    documents = read_source(source, ReadSettings(), Tally(), languages=())
    with pytest.raises(DamagedFileError, match="damaged Arrow"):
        found.extend(found.append(document.text) or "" for document in documents)
    # What an Arrow file holds is said at its end, a stream tells as it goes.
    assert len([text for text in found if text]) == (0 if as_file else 2000)
    arrow(path, pa.table({"body": ["a"]}), as_file=as_file)
    with pytest.raises(DamagedFileError, match="no column 'text'"):
        read(path)


def test_a_script_beside_the_language_is_part_of_it(tmp_path: Path) -> None:
    """FineWeb-2's columns; als in Latin letters is Albanian, though Wikipedia's als is Alemannic."""
    rows = [
        ("swh", "Latn"),
        ("als", "Latn"),
        ("hin", "Latn"),
        ("srp", "Cyrl"),
        ("cmn", "Hani"),
        ("en", None),
        (None, "x"),
    ]
    path = tmp_path / "sw.jsonl"
    path.write_text(
        "".join(json.dumps({"text": "a", "language": one, "language_script": other}) + "\n" for one, other in rows)
    )
    assert [document.language for document in read(path)] == ["sw", "sq", "hi-Latn", "sr", "zh-Hans", "en", "sw"]
    assert [document.language for document in read(path, script_key="")][:3] == ["sw", "als", "hi"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"good\nbad \xff\xfe\ngood", "bad-utf8-line"),
        (b"good\nb\0d\ngood", "nul-line"),
        (b"good\n" + b"x" * 101 + b"\ngood", "long-line"),
        (b"good\n" + "ü".encode() * 51 + b"\ngood", "long-line"),
    ],
)
def test_bad_lines_of_text_go_by_name_and_the_rest_stays(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "en.txt").write_bytes(content)
    tally = Tally()
    assert [document.lines for document in read(tmp_path / "en.txt", tally, max_line_bytes=100)] == [("good", "good")]
    assert tally.counts() == {
        "read": {"en": {"documents": 1, "lines": 3}},
        "dropped": {"en": {reason: 1}},
        "dropped_lines": {"en": {reason: 1}},
        "noted": {},
    }


@pytest.mark.parametrize(
    ("line", "code", "reason"),
    [
        (b'{"text": "a"', "en", "bad-json"),
        (b"[" * 100_000, "en", "bad-json"),
        (b'["text"]', "en", "not-an-object"),
        (b'{"text": "\xff"}', "en", "bad-utf8-record"),
        (b'{"text": "' + b"x" * 300_000 + b'"}', "en", "long-record"),
        (b'{"title": "a"}', "en", "no-text"),
        (b'{"text": 7}', "en", "no-text"),
        (b'{"text": " \\n "}', "en", "empty-document"),
        (b'{"text": "a", "language": "klingon!"}', "und", "bad-language"),
        (b'{"text": "a", "language": 7}', "und", "bad-language"),
        (b'{"text": "a", "language": "sw"}', "sw", "other-language"),
    ],
)
def test_bad_records_go_by_name_and_the_rest_stays(tmp_path: Path, line: bytes, code: str, reason: str) -> None:
    good = b'{"text": "good"}\n'
    (tmp_path / "en.jsonl").write_bytes(good + line + b"\n" + good)
    tally = Tally()
    found = read(tmp_path / "en.jsonl", tally, languages=("en",), max_record_bytes=200_000)
    assert [(document.lines, document.line) for document in found] == [(("good",), 1), (("good",), 3)]
    assert tally.counts()["dropped"] == {code: {reason: 1}}


def test_bad_lines_inside_a_record(tmp_path: Path) -> None:
    text = "good\n\n\x00\n" + "x" * 101 + "\n" + "ü" * 51 + "\n\ud800\ngood"
    (tmp_path / "en.jsonl").write_text(json.dumps({"text": text}))
    tally = Tally()
    assert [document.lines for document in read(tmp_path / "en.jsonl", tally, max_line_bytes=100)] == [("good", "good")]
    assert tally.counts()["dropped"] == {"en": {"bad-utf8-line": 1, "long-line": 2, "nul-line": 1}}


def test_records_of_a_file_without_a_language(tmp_path: Path) -> None:
    (tmp_path / "crawl.jsonl").write_text('{"text": "a", "language": "zh"}\n{"text": "b"}\n')
    tally = Tally()
    assert [document.language for document in read(tmp_path / "crawl.jsonl", tally)] == ["zh-Hans"]
    assert tally.counts()["dropped"] == {"und": {"no-language": 1}}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(LINE.filter(bool), min_size=1, max_size=30))
def test_long_documents_are_split_without_loss(tmp_path: Path, lines: list[str]) -> None:
    (tmp_path / "en.txt").write_text("\n".join(lines), "utf-8", newline="\n")
    tally = Tally()
    found = read(tmp_path / "en.txt", tally, max_line_bytes=100, max_document_bytes=100)
    assert [line for document in found for line in document.lines] == lines
    assert all(len(document.text.encode()) <= 100 for document in found)
    assert tally.counts()["noted"].get("en", {}).get("split-document", 0) == len(found) - 1
    assert len({document.place for document in found}) == len(found)


def test_split_records_keep_places_apart(tmp_path: Path) -> None:
    (tmp_path / "en.jsonl").write_text(json.dumps({"text": "aaaa\nbbbb\ncccc"}))
    found = read(tmp_path / "en.jsonl", max_line_bytes=5, max_document_bytes=5)
    assert [document.place for document in found] == ["1", "1+1", "1+2"]


def test_truncated_gzip_keeps_what_stood_before(tmp_path: Path) -> None:
    lines = [f"sentence {number} {number * 7919 % 10007}" for number in range(20_000)]
    data = gzip.compress("\n".join(lines).encode())
    (tmp_path / "en.txt.gz").write_bytes(data[: len(data) // 2])
    (source,) = find_sources(tmp_path)
    tally = Tally()
    found: list[str] = []

    def collect() -> None:
        for document in read_source(source, ReadSettings(), tally, languages=()):
            found.extend(document.lines)

    with pytest.raises(DamagedFileError, match="damaged gzip"):
        collect()
    assert 1000 < len(found) < len(lines)
    assert found == lines[: len(found)]
    assert tally.counts()["dropped"] == {"en": {"cut-off-line": 1}}


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "no column 'text' .it has body"), (b"PAR1 this is no table PAR1", "damaged Parquet")],
)
def test_unusable_parquet(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "en.parquet"
    if content is None:
        pq.write_table(pa.table({"body": ["a"]}), path)
    else:
        path.write_bytes(content)
    with pytest.raises(DamagedFileError, match=message):
        read(path)


def test_a_byte_order_mark_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "en.txt").write_bytes(b"\xef\xbb\xbfHello")
    assert read(tmp_path / "en.txt")[0].lines == ("Hello",)


def test_a_line_must_fit_into_a_document() -> None:
    with pytest.raises(ConfigError, match="max_line_bytes = 10 is over max_document_bytes = 5"):
        make_settings(ReadSettings, {"max_line_bytes": 10, "max_document_bytes": 5})
