"""Pairs of sentences out of aligned files, archives and tables: kept in order, or counted by a reason."""

from __future__ import annotations

import gzip
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from isogloss.config import make_settings
from isogloss.corpus import pairs
from isogloss.corpus.pairs import PAIR_REASONS, PairSettings, write_pairs
from isogloss.errors import ConfigError, DataError, FolderError
from isogloss.manifest import Manifest
from isogloss.shards.parallel import find_aligned


def run(tmp_path: Path, source: Path, **values: object) -> tuple[dict[str, list[tuple[str, str]]], Manifest]:
    """What is written, as the shards read it, and the manifest, whose sums are checked."""
    output = tmp_path / str(values.pop("output", "out"))
    manifest = write_pairs(make_settings(PairSettings, {"input": source, "output": output, **values}))
    found = {text.name: list(text.sentences()) for text in find_aligned(output)}
    for name, entry in manifest.statistics["pairs"].items():
        assert entry["read"] == entry["pairs"] + sum(entry["dropped"].values())
        assert entry["pairs"] == len(found.get(name, []))
        assert entry["bytes"] == sum(len(side.encode()) + 1 for pair in found.get(name, []) for side in pair)
        assert set(entry["dropped"]) <= set(PAIR_REASONS)
    return found, manifest


def moses(folder: Path, name: str, one: str, other: str, sides: tuple[bytes, bytes]) -> None:
    folder.mkdir(exist_ok=True)
    for code, side in zip((one, other), sides, strict=True):
        (folder / f"{name}{one}-{other}.{code}").write_bytes(side)


SENTENCE = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\n\0\ufeff\t"), max_size=8).map(
    str.strip
)
PAIRS = st.lists(st.tuples(SENTENCE, SENTENCE), min_size=1, max_size=8)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(wanted=PAIRS, kind=st.sampled_from(["moses", "zip", "tsv"]))
def test_every_pair_is_kept_in_order_or_counted(tmp_path_factory, wanted: list[tuple[str, str]], kind: str) -> None:
    folder = tmp_path_factory.mktemp("pairs")
    source = folder / "in"
    wanted = [*wanted, ("one", "moja")]
    sides = tuple("".join(pair[side] + "\n" for pair in wanted).encode() for side in (0, 1))
    moses(source, "Books.", "en", "sw", sides)
    if kind != "moses":
        for path in source.iterdir():
            path.unlink()
    if kind == "tsv":
        (source / "Books.en-sw.tsv").write_bytes("".join("\t".join(pair) + "\n" for pair in wanted).encode())
    if kind == "zip":
        with zipfile.ZipFile(source / "en-sw.txt.zip", "w") as archive:
            archive.writestr("README", "x")
            archive.writestr("Books.en-sw.xml", "x")
            for code, side in zip(("en", "sw"), sides, strict=True):
                archive.writestr(f"Books.en-sw.{code}", side)
    found, manifest = run(folder, source)
    assert found["en-sw"] == [pair for pair in wanted if all(pair) and pair[0] != pair[1]]
    assert sorted(manifest.files) == ["Books.en-sw.en", "Books.en-sw.sw"]
    dropped = manifest.statistics["pairs"]["en-sw"]["dropped"]
    assert dropped.get("empty", 0) == sum(not all(pair) for pair in wanted)


def test_each_kind_of_broken_pair_has_its_reason(tmp_path: Path) -> None:
    first = [b"one", b"", b"\xff", b"a\0b", b"x" * 101, b"same", b"abcd", b"two", b"three", b"four"]
    second = [b"moja", b"mbili", b"tatu", b"nne", b"tano", b"same", b"a", b"pili"]
    moses(tmp_path / "in", "x.", "en", "sw", (b"\n".join(first) + b"\n", b"\r\n".join(second) + b"\r\n"))
    found, manifest = run(tmp_path, tmp_path / "in", max_line_bytes=100, max_ratio=3)
    assert found == {"en-sw": [("one", "moja"), ("two", "pili")]}
    assert manifest.statistics["pairs"]["en-sw"]["dropped"] == {
        **{"empty": 1, "bad-utf8": 1, "nul": 1, "long": 1, "same": 1, "ratio": 1, "no-partner": 2}
    }
    assert manifest.statistics["files"][0]["problem"] == "2 lines of one file are behind the end of the other"
    found, manifest = run(tmp_path, tmp_path / "in", output="loose", drop_same=False)
    assert found["en-sw"][1:] == [("x" * 101, "tano"), ("same", "same"), ("abcd", "a"), ("two", "pili")]


def test_languages_stand_in_the_order_of_the_alphabet_and_names_do_not_collide(tmp_path: Path) -> None:
    moses(tmp_path / "in", "A.", "sw", "en", (b"moja\n", b"one\n"))
    moses(tmp_path / "in", "A.", "en", "sw", (b"two\n", b"mbili\n"))
    moses(tmp_path / "in", "", "en", "zh_tw", (b"two\n", b"er\n"))
    moses(tmp_path / "in" / "deep", "A.2.", "en", "sw", (b"three\n", b"tatu\n"))
    found, manifest = run(tmp_path, tmp_path / "in")
    assert sorted(found["en-sw"]) == [("one", "moja"), ("three", "tatu"), ("two", "mbili")]
    assert found["en-zh-Hant"] == [("two", "er")]
    assert len(manifest.files) == 8


def test_tables_say_their_languages_or_are_told(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    row = "1.2\tone\tmoja\nshort\n\tone\tmbili\n"
    (tmp_path / "in" / "W.en-sw.tsv.gz").write_bytes(gzip.compress(row.encode()))
    (tmp_path / "in" / "W.en-zh-Hans.tsv").write_text("1\tone\tyi\n")
    found, manifest = run(tmp_path, tmp_path / "in", columns=[2, 3])
    assert found == {"en-sw": [("one", "moja"), ("one", "mbili")], "en-zh-Hans": [("one", "yi")]}
    assert manifest.statistics["pairs"]["en-sw"]["dropped"] == {"no-partner": 1}
    (tmp_path / "data.tsv").write_text("moja\tone\n")
    with pytest.raises(DataError, match="does not say its languages"):
        run(tmp_path, tmp_path / "data.tsv", output="other")
    found, _ = run(tmp_path, tmp_path / "data.tsv", output="other", languages=["swh", "eng"])
    assert found == {"en-sw": [("one", "moja")]}


def test_damage_is_told_and_what_stood_before_it_kept(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    whole = gzip.compress("".join(f"one {n}\tmoja {n}\n" for n in range(20000)).encode(), mtime=0)
    (tmp_path / "in" / "a.en-sw.tsv.gz").write_bytes(whole[: len(whole) // 2])
    with zipfile.ZipFile(tmp_path / "in" / "b.zip", "w", zipfile.ZIP_STORED) as archive:
        for code in ("en", "sw"):
            archive.writestr(f"b.en-sw.{code}", f"{code} line\n" * 10)
    data = (tmp_path / "in" / "b.zip").read_bytes()
    (tmp_path / "in" / "b.zip").write_bytes(data.replace(b"sw line", b"sw lime", 1))
    found, manifest = run(tmp_path, tmp_path / "in")
    problems = {entry["file"]: entry["problem"] for entry in manifest.statistics["files"]}
    assert "damaged gzip" in problems["a.en-sw.tsv.gz"]
    assert "damaged zip" in problems["b.zip/b.en-sw.en"]
    assert 5000 < len(found["en-sw"]) < 20000
    (tmp_path / "no.zip").write_bytes(b"PK no")
    with pytest.raises(DataError, match="is no zip archive"):
        run(tmp_path, tmp_path / "no.zip", output="other")


def test_a_killed_run_goes_on_and_a_finished_one_is_done(tmp_path: Path, monkeypatch) -> None:
    for name in "abc":
        moses(tmp_path / "in", f"{name}.", "en", "sw", (f"one {name}\n".encode(), b"moja\n"))
    _, first = run(tmp_path, tmp_path / "in")
    written: list[str] = []
    whole = pairs._write_text

    def broken(text, *arguments):
        written.append(text.title)
        if written == ["a", "b"]:
            raise KeyboardInterrupt
        return whole(text, *arguments)

    monkeypatch.setattr(pairs, "_write_text", broken)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, tmp_path / "in", output="two")
    _, again = run(tmp_path, tmp_path / "in", output="two")
    assert written == ["a", "b", "b", "c"]
    assert again.fingerprint == first.fingerprint
    assert run(tmp_path, tmp_path / "in", output="two")[1] == again
    assert len(written) == 4
    (tmp_path / "in" / "a.en-sw.en").write_text("other\n")
    with pytest.raises(FolderError, match="was made with texts"):
        run(tmp_path, tmp_path / "in", output="two")


def test_mistakes_are_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not exist"):
        run(tmp_path, tmp_path / "nowhere")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "README").write_text("x")
    with pytest.raises(DataError, match="holds no text of two languages"):
        run(tmp_path, tmp_path / "in")
    moses(tmp_path / "in", "a.", "en", "sw", (b"\n", b"\n"))
    with pytest.raises(DataError, match="gives no pair; en-sw: 1 empty"):
        run(tmp_path, tmp_path / "in")
    (tmp_path / "in" / "a.en-sw.sw").unlink()
    with pytest.raises(DataError, match=r"has no a\.en-sw\.sw beside it"):
        run(tmp_path, tmp_path / "in")
    with pytest.raises(ConfigError, match="lies inside input"):
        run(tmp_path, tmp_path / "in", output="in/out")
    for wrong in (
        {"languages": ["en", "en"]},
        {"columns": [0, 1]},
        {"max_ratio": 0.5},
        {"languages": ["english", "sw"]},
    ):
        with pytest.raises(ConfigError):
            run(tmp_path, tmp_path / "in", **wrong)


def test_real_tables_become_pairs(tmp_path: Path, shared_data: Path) -> None:
    found, manifest = run(tmp_path, shared_data / "retrieval" / "tatoeba")
    assert "en-sw" in found
    assert sum(entry["pairs"] for entry in manifest.statistics["pairs"].values()) > 1000
    assert not any(entry["problem"] for entry in manifest.statistics["files"])
