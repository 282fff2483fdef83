"""Finding files and reading them in bounded blocks and lines."""

from __future__ import annotations

import bz2
import collections
import gzip
import lzma
import os
import tracemalloc
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from isogloss.corpus.sources import (
    DamagedFileError,
    NumberedLine,
    file_state,
    find_sources,
    numbered_lines,
    read_blocks,
)
from isogloss.errors import DataError


@pytest.mark.parametrize(
    ("name", "kind", "language"),
    [
        ("en.txt", "text", "en"),
        ("zh_TW.txt.gz", "text", "zh-Hant"),
        ("yo.jsonl.zst", "jsonl", "yo"),
        ("sw/part-00000.parquet", "parquet", "sw"),
        ("sw/all.txt", "text", "sw"),
        ("raw/en.txt", "text", "en"),
        ("en.web.txt", "text", "en"),
        ("corpus.jsonl", "jsonl", None),
        ("README.md", "", None),
        ("wet/CC-MAIN-00000.warc.wet.gz", "crawl", None),
        ("en/a.warc.gz", "crawl", None),
        ("a.warc.zst", "crawl", None),
        ("sw.wet", "crawl", None),
        ("en.parquet.gz", "", "en"),
        ("en", "", "en"),
        ("en/a.warc.xz", "", "en"),
        # As CC-100, C4, CCNet, `datasets`, FineWeb-2 and Wikimedia name their files.
        ("zh-Hans.txt.xz", "text", "zh-Hans"),
        ("multilingual/c4-iw.tfrecord-00000-of-00001.json.gz", "jsonl", "he"),
        ("sw_head_0000.json.gz", "jsonl", "sw"),
        ("sw/train/data-00000-of-00002.arrow", "arrow", "sw"),
        ("data/swh_Latn/train/000_00000.parquet", "parquet", "sw"),
        ("20231101.simple/train-00000-of-00001.parquet", "parquet", "en"),
        ("swwiki-20231101-pages-articles.xml.bz2", "wiki", "sw"),
        ("enwiki-20231101-pages-articles1.xml-p1p41242.bz2", "wiki", "en"),
        ("dumps/no/nnwiki-latest-pages-articles.xml", "wiki", "nn"),
    ],
)
def test_names_say_format_and_language(write_input, name: str, kind: str, language: str | None) -> None:
    (source,) = find_sources(write_input({name: "x"}))
    assert (source.name, source.format, source.language) == (name, kind, language)


def test_sources_are_sorted_and_hidden_files_left_alone(write_input) -> None:
    folder = write_input(
        {"sw.txt": "a", "en/b.txt": "b", ".DS_Store": "c", ".git/en.txt": "d", "ar.txt": "e", "manifest.json": "{}"}
    )
    assert [source.name for source in find_sources(folder)] == ["ar.txt", "en/b.txt", "sw.txt"]


def test_a_file_is_an_input_too_and_nothing_is_an_error(tmp_path: Path, write_input) -> None:
    folder = write_input({"en.txt": "a"})
    assert [source.name for source in find_sources(folder / "en.txt")] == ["en.txt"]
    with pytest.raises(DataError, match="does not exist"):
        find_sources(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="holds no file"):
        find_sources(tmp_path / "empty")


def test_a_pipe_is_not_waited_on(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "en.txt")
    with pytest.raises(OSError, match="not a regular file"):
        file_state(tmp_path / "en.txt")


@given(st.lists(st.binary(max_size=12)), st.integers(1, 8))
def test_lines_do_not_depend_on_the_blocks(blocks: list[bytes], max_bytes: int) -> None:
    lines = list(numbered_lines(blocks, max_bytes=max_bytes))
    whole = b"".join(blocks).split(b"\n")
    if not whole[-1]:
        whole.pop()
    expected = [line if len(line) <= max_bytes else None for line in whole]
    assert lines == [NumberedLine(number, line) for number, line in enumerate(expected, start=1)]


def test_a_huge_line_takes_little_memory() -> None:
    block = b"x" * (1 << 20)
    tracemalloc.start()
    lines = list(numbered_lines((block for _ in range(50)), max_bytes=1 << 21))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert lines == [NumberedLine(1, None)]
    assert peak < 8 << 20


def test_what_datasets_says_of_its_folder_is_no_input(write_input) -> None:
    folder = write_input(
        {"sw/state.json": "{}", "sw/dataset_info.json": "{}", "dataset_dict.json": "{}", "sw/a.json": ""}
    )
    assert [source.name for source in find_sources(folder)] == ["sw/a.json"]


COMPRESS = {
    "gz": gzip.compress,
    "zst": zstandard.ZstdCompressor().compress,
    "xz": lzma.compress,
    "bz2": bz2.compress,
}


@pytest.mark.parametrize("compression", COMPRESS)
def test_compressed_members_are_read_through_and_truncation_is_noticed(write_input, compression: str) -> None:
    compress = COMPRESS[compression]
    content = os.urandom(3_000_000)
    data = compress(content) + compress(b"second")
    (source,) = find_sources(write_input({f"en.txt.{compression}": data}))
    assert b"".join(read_blocks(source)) == content + b"second"

    for cut in (len(data) // 2, len(data) - 1):
        source.path.write_bytes(data[:cut])
        good = bytearray()
        blocks = read_blocks(source)
        with pytest.raises(DamagedFileError, match="damaged"):
            collections.deque(map(good.extend, blocks), maxlen=0)
        assert (content + b"second").startswith(good)
        # bzip2 gives whole blocks of 900 kB.
        assert len(good) > cut - (1_000_000 if compression == "bz2" else 200_000)


@pytest.mark.parametrize("compression", ["gz", "xz", "bz2"])
def test_what_unpacks_to_much_is_read_in_small_blocks(write_input, compression: str) -> None:
    (source,) = find_sources(write_input({f"en.txt.{compression}": COMPRESS[compression](bytes(50 << 20))}))
    tracemalloc.start()
    assert sum(map(len, read_blocks(source))) == 50 << 20
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 16 << 20


def test_xz_may_have_zeros_between_its_streams_and_nothing_else(write_input) -> None:
    data = lzma.compress(b"one") + bytes(8) + lzma.compress(b"two") + bytes(4)
    (source,) = find_sources(write_input({"en.txt.xz": data}))
    assert b"".join(read_blocks(source)) == b"onetwo"
    (source,) = find_sources(write_input({"en.txt.xz": data + b"junk"}))
    blocks = read_blocks(source)
    assert [next(blocks), next(blocks)] == [b"one", b"two"]
    with pytest.raises(DamagedFileError, match="damaged xz"):
        next(blocks)


def test_damage_gives_the_unfinished_line_then_the_error() -> None:
    def blocks():
        yield b"one\ntw"
        raise DamagedFileError("broken")

    lines = numbered_lines(blocks(), max_bytes=100)
    assert [next(lines), next(lines)] == [NumberedLine(1, b"one"), NumberedLine(2, None, cut_off=True)]
    with pytest.raises(DamagedFileError):
        next(lines)
