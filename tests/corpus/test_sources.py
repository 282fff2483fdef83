"""Finding files and reading them in bounded blocks and lines."""

from __future__ import annotations

import collections
import gzip
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


@pytest.mark.parametrize("compression", ["gz", "zst"])
def test_compressed_members_are_read_through_and_truncation_is_noticed(write_input, compression: str) -> None:
    compress = gzip.compress if compression == "gz" else zstandard.ZstdCompressor().compress
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
        assert len(good) > cut - 200_000


def test_damage_gives_the_unfinished_line_then_the_error() -> None:
    def blocks():
        yield b"one\ntw"
        raise DamagedFileError("broken")

    lines = numbered_lines(blocks(), max_bytes=100)
    assert [next(lines), next(lines)] == [NumberedLine(1, b"one"), NumberedLine(2, None, cut_off=True)]
    with pytest.raises(DamagedFileError):
        next(lines)
