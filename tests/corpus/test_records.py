"""WARC records of whole and broken files: each whole one comes, nothing else does, and each break has its reason."""

from __future__ import annotations

import gzip
import random
import tracemalloc
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from isogloss.corpus.careful import CarefulReader, Handover
from isogloss.corpus.records import Broken, Record, read_records

LIMIT = 1 << 20


def record(number: int, body: bytes = b"", *, length: bytes | None = None, kind: bytes = b"conversion") -> bytes:
    body = body or b"Text of page %d.\n" % number * 20
    length = str(len(body)).encode() if length is None else length
    return (
        b"WARC/1.0\r\nWARC-Type: %s\r\nWARC-Record-ID: <urn:uuid:%d>\r\nWARC-Target-URI: https://example.org/%d\r\n"
        b"Content-Length: %s\r\n\r\n%s\r\n\r\n" % (kind, number, number, length, body)
    )


def numbers(found: list[Record | Broken]) -> list[int]:
    return [int(item.header("WARC-Target-URI").rpartition("/")[2]) for item in found if isinstance(item, Record)]


def reasons(found: list[Record | Broken]) -> list[str]:
    return [item.reason for item in found if isinstance(item, Broken)]


def read(path: Path, content: bytes, compression: str, max_bytes: int = LIMIT) -> list[Record | Broken]:
    path.write_bytes(content)
    found = list(read_records(path, compression, max_bytes=max_bytes))
    careful = CarefulReader(path, compression, Handover(0, None), max_bytes).read(None)
    assert found == list(careful), "both readers give the same"
    return found


def in_pairs(records: list[bytes]) -> list[bytes]:
    return [b"".join(records[place : place + 2]) for place in range(0, len(records), 2)]


def zstd_with_dictionary(records: list[bytes]) -> bytes:
    samples = [record(number, random.Random(number).randbytes(40) * 9) for number in range(500)]
    dictionary = zstandard.train_dictionary(4096, samples)
    kept = zstandard.ZstdCompressor().compress(dictionary.as_bytes())
    compress = zstandard.ZstdCompressor(dict_data=dictionary, write_checksum=True).compress
    skipped = b"\x5d\x2a\x4d\x18" + len(kept).to_bytes(4, "little") + kept
    return skipped + b"".join(map(compress, records))


LAYOUTS: dict[str, tuple[str, Callable[[list[bytes]], bytes]]] = {
    "plain": ("", b"".join),
    "a member each": ("gzip", lambda records: b"".join(map(gzip.compress, records))),
    "one member": ("gzip", lambda records: gzip.compress(b"".join(records))),
    "two in a member": ("gzip", lambda records: b"".join(map(gzip.compress, in_pairs(records)))),
    "members anywhere": (
        "gzip",
        lambda records: b"".join(
            gzip.compress(b"".join(records)[place : place + 777]) for place in range(0, len(b"".join(records)), 777)
        ),
    ),
    "empty members between": ("gzip", lambda records: gzip.compress(b"").join(map(gzip.compress, records))),
    "line feeds only": ("", lambda records: b"".join(records).replace(b"\r\n", b"\n")),
    "zstd": ("zstd", lambda records: b"".join(map(zstandard.ZstdCompressor(write_checksum=True).compress, records))),
    "zstd with a dictionary": ("zstd", zstd_with_dictionary),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("num_records", [1, 2, 9])
def test_whole_files_of_every_layout(tmp_path: Path, layout: str, num_records: int) -> None:
    compression, arrange = LAYOUTS[layout]
    bodies = [random.Random(number).randbytes(number * 400) + b"\n\nend" for number in range(num_records)]
    found = read(tmp_path / "x", arrange([record(*pair) for pair in enumerate(bodies)]), compression)
    assert numbers(found) == list(range(num_records))
    assert [item.content for item in found if isinstance(item, Record)] == bodies
    assert reasons(found) == []


@pytest.mark.parametrize("layout", ["plain", "a member each", "zstd"])
def test_offsets_say_where_a_record_can_be_read(tmp_path: Path, layout: str) -> None:
    compression, arrange = LAYOUTS[layout]
    content = arrange([record(number) for number in range(9)])
    for number, item in enumerate(read(tmp_path / "x", content, compression)):
        again = read(tmp_path / "y", content[item.offset :], compression)
        assert numbers(again) == list(range(number, 9))


BREAKS: dict[str, tuple[str, Callable[[bytes, bytes], bytes]]] = {
    # From a record and its member, what stands there instead; and the reason it is counted under.
    "flipped bytes": ("bad-member", lambda plain, member: member[:30] + b"\xff\x00\xff" + member[33:]),
    "checksum": ("bad-member", lambda plain, member: member[:-8] + b"\0\0\0\0" + member[-4:]),
    "cut": ("bad-member", lambda plain, member: member[: len(member) // 2]),
    "cut in the checksum": ("bad-member", lambda plain, member: member[:-2]),
    "garbage": ("bad-member", lambda plain, member: b"garbage" * 20),
    "what looks like members": ("bad-member", lambda plain, member: b"\x1f\x8b\x08" * 200),
    "zeros": ("bad-member", lambda plain, member: bytes(500)),
    "length too great": ("bad-length", lambda plain, member: gzip.compress(relabelled(plain, 5000))),
    "length a little too great": ("bad-length", lambda plain, member: gzip.compress(relabelled(plain, 10, more=True))),
    "length too great by a record": (
        "bad-length",
        lambda plain, member: gzip.compress(relabelled(plain, len(plain), more=True)),
    ),
    "length too small": ("bad-length", lambda plain, member: gzip.compress(relabelled(plain, 5))),
    "length no number": ("bad-length", lambda plain, member: gzip.compress(relabelled(plain, "many"))),
    "length negative": ("bad-length", lambda plain, member: gzip.compress(relabelled(plain, -5))),
    "no length": ("bad-length", lambda plain, member: gzip.compress(plain.replace(b"Content-Length", b"Length"))),
    "no header": ("bad-record-header", lambda plain, member: gzip.compress(b"\xff" * 3000)),
    "another version": (
        "bad-record-header",
        lambda plain, member: gzip.compress(plain.replace(b"WARC/1.0", b"WARC/x")),
    ),
    "no type": ("bad-record-header", lambda plain, member: gzip.compress(plain.replace(b"WARC-Type", b"Type"))),
    "header without end": (
        "bad-record-header",
        lambda plain, member: gzip.compress(b"WARC/1.0\r\n" + b"a: b\r\n" * 20000),
    ),
    "over the limit": ("long-record", lambda plain, member: gzip.compress(record(0, b"x" * (LIMIT + 1)))),
}


def relabelled(plain: bytes, length: int | str, *, more: bool = False) -> bytes:
    """A record that says another length than it has."""
    head, _, rest = plain.partition(b"Content-Length: ")
    said, _, body = rest.partition(b"\r\n")
    return b"%sContent-Length: %s\r\n%s" % (head, str(int(said) + int(length) if more else length).encode(), body)


@pytest.mark.parametrize("what", BREAKS)
@pytest.mark.parametrize("place", [0, 2, 4])
def test_a_break_costs_one_record(tmp_path: Path, what: str, place: int) -> None:
    reason, harm = BREAKS[what]
    records = [record(number) for number in range(5)]
    members = [gzip.compress(plain) for plain in records]
    members[place] = harm(records[place], members[place])
    found = read(tmp_path / "x", b"".join(members), "gzip")
    assert numbers(found) == [number for number in range(5) if number != place]
    # At the end of the file, a length too great and a cut look alike.
    assert reasons(found) == (["cut-off-record"] if place == 4 and "too great" in what else [reason])


@pytest.mark.parametrize(
    "what", ["length too great", "length a little too great", "length too small", "length no number"]
)
@pytest.mark.parametrize("place", [0, 2, 4])
def test_a_wrong_length_in_a_plain_file_costs_one_record(tmp_path: Path, what: str, place: int) -> None:
    records = [record(number) for number in range(5)]
    records[place] = gzip.decompress(BREAKS[what][1](records[place], b""))
    found = read(tmp_path / "x", b"".join(records), "")
    assert numbers(found) == [number for number in range(5) if number != place]
    assert reasons(found) == (["cut-off-record"] if place == 4 and "too great" in what else ["bad-length"])


@pytest.mark.parametrize("compression", ["", "gzip"])
def test_a_file_cut_anywhere_gives_what_stands_before(tmp_path: Path, compression: str) -> None:
    parts = [record(number) for number in range(4)]
    members = [gzip.compress(part) for part in parts] if compression else parts
    content = b"".join(members)
    ends = [sum(map(len, members[: number + 1])) for number in range(4)]
    for cut in range(1, len(content), 7):
        found = read(tmp_path / "x", content[:cut], compression)
        # Of a plain record, the empty lines at its end may be missing.
        whole = sum(end - (0 if compression else 4) <= cut for end in ends)
        assert numbers(found) == list(range(whole))
        assert len(reasons(found)) == (
            0 if whole and ends[whole - 1] - 4 * (not compression) <= cut <= ends[whole - 1] else 1
        )


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_harm_leaves_the_other_records_whole(tmp_path: Path, data: st.DataObject) -> None:
    num_records = data.draw(st.integers(1, 30))
    records = [record(number) for number in range(num_records)]
    members = [gzip.compress(plain) for plain in records]
    # Zeros behind a member cut in its checksum mend it: its last bytes are zeros.
    harms = st.sampled_from(sorted(set(BREAKS) - {"zeros"}))
    harmed = data.draw(st.dictionaries(st.integers(0, num_records - 1), harms))
    for place, what in harmed.items():
        members[place] = BREAKS[what][1](records[place], members[place])
    found = read(tmp_path / "x", b"".join(members), "gzip")
    assert numbers(found) == [number for number in range(num_records) if number not in harmed]
    assert bool(reasons(found)) == bool(harmed)
    assert len(reasons(found)) <= len(harmed)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    noise=st.lists(st.tuples(st.integers(0, 10**6), st.binary(max_size=40)), max_size=5),
    layout=st.sampled_from(sorted(LAYOUTS)),
)
def test_noise_makes_up_no_record(tmp_path: Path, noise: list[tuple[int, bytes]], layout: str) -> None:
    compression, arrange = LAYOUTS[layout]
    records = [record(number) for number in range(12)]
    content = bytearray(arrange(records))
    for place, junk in noise:
        place %= len(content)
        content[place : place + len(junk)] = junk
    (tmp_path / "x").write_bytes(content)
    found = list(read_records(tmp_path / "x", compression, max_bytes=LIMIT))
    assert numbers_of_contents(found) <= Counter(range(12)) or not compression


def numbers_of_contents(found: list[Record | Broken]) -> Counter[int]:
    bodies = {record(number).partition(b"\r\n\r\n")[2].removesuffix(b"\r\n\r\n"): number for number in range(12)}
    bodies |= {body.replace(b"\r\n", b"\n"): number for body, number in bodies.items()}
    return Counter(bodies.get(item.content, -1) for item in found if isinstance(item, Record))


def test_text_about_warc_is_text(tmp_path: Path) -> None:
    """A page may show a WARC header; the length says that it goes on."""
    body = b"As in:\r\n\r\nWARC/1.0\r\nWARC-Type: conversion\r\nContent-Length: 3\r\n\r\nabc\r\n\r\n" * 3
    for compression, arrange in LAYOUTS.values():
        if arrange is not LAYOUTS["line feeds only"][1]:
            found = read(tmp_path / "x", arrange([record(0), record(1, body), record(2)]), compression)
            assert numbers(found) == [0, 1, 2]
            assert reasons(found) == []


def test_a_broken_record_that_shows_another_makes_up_none(tmp_path: Path) -> None:
    shown = record(7, b"made up")
    broken = relabelled(record(1, b"As in:\r\n\r\n" + shown), 5)
    found = read(tmp_path / "x", b"".join(map(gzip.compress, [record(0), broken, record(2)])), "gzip")
    assert numbers(found) == [0, 2]
    assert reasons(found) == ["bad-length"]


@pytest.mark.parametrize("bomb", [b"\0", b"\r\n", b"WARC/1.0\r\n", b"x"])
def test_a_member_of_a_gigabyte_takes_little_memory(tmp_path: Path, bomb: bytes) -> None:
    """Here an eighth of one; it stands where a record has to, and behind one."""
    size = 1 << 27
    large = gzip.compress(record(1)[:-4] + bomb * (size // len(bomb)), 1)
    path = tmp_path / "x"
    path.write_bytes(
        gzip.compress(record(0)) + gzip.compress(bomb * (size // len(bomb)), 1) + large + gzip.compress(record(2))
    )
    tracemalloc.start()
    found = list(read_records(path, "gzip", max_bytes=LIMIT))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8 << 20
    # Empty lines, and what looks like the next record, close the one before.
    assert numbers(found) == ([0, 2] if bomb in (b"\0", b"x") else [0, 1, 2])


def test_a_file_that_is_empty_or_no_warc(tmp_path: Path) -> None:
    assert read(tmp_path / "x", b"", "gzip") == []
    assert read(tmp_path / "x", b"", "") == []
    assert reasons(read(tmp_path / "x", b"<html>" * 1000, "gzip")) == ["bad-member"]
    assert reasons(read(tmp_path / "x", b"<html>" * 1000, "")) == ["bad-record-header"]
