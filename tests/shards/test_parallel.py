"""Aligned files are found by their names, read line by line, and become pairs of sentences that stay together."""

from __future__ import annotations

import gzip
import itertools
from collections.abc import Callable
from pathlib import Path

import pytest

from isogloss.config import make_settings
from isogloss.errors import DataError, FolderError
from isogloss.manifest import Manifest
from isogloss.shards import Shards, ShardSettings, build_shards
from isogloss.shards.parallel import find_aligned
from isogloss.vocab import VocabSettings, Vocabulary, train_vocabulary

COUNTS = ("one", "two", "three", "four", "five", "six", "seven", "eight")
SENTENCES = [(f"{a} dogs see {b} cats.", f"мбва {b} и {a} паки.") for a in COUNTS for b in COUNTS]


def write_pair(folder: Path, name: str, first: str, second: str, sentences: list[tuple[str, str]]) -> None:
    folder.mkdir(exist_ok=True)
    for side, code in enumerate((first, second)):
        text = "".join(pair[side] + "\n" for pair in sentences)
        (folder / f"{name}{first}-{second}.{code}").write_text(text, encoding="utf-8")


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory, write_corpus: Callable[..., Path]) -> Path:
    folder = tmp_path_factory.mktemp("parallel")
    texts = {code: [pair[side] for pair in SENTENCES] for side, code in enumerate(("en", "ru"))}
    write_corpus(folder / "corpus", texts)
    train_vocabulary(VocabSettings(corpus=folder / "corpus", output=folder / "vocab", size=34, character_coverage=1.0))
    write_pair(folder / "opus", "Books.", "en", "ru", SENTENCES)
    (folder / "opus" / "README").write_text("Books.en-ru.en", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def build(inputs: Path) -> Callable[..., Manifest]:
    def run(output: Path, **values: object) -> Manifest:
        places = {name: inputs / name for name in ("corpus", "vocab")}
        wanted = {"corpus": places["corpus"], "vocabulary": places["vocab"], "parallel": inputs / "opus"}
        return build_shards(make_settings(ShardSettings, {**wanted, "output": output, "held_out_share": 0.1, **values}))

    return run


def pairs_of(shards: Shards, name: str, *, held_out: bool = False) -> list[tuple[list[int], list[int]]]:
    tokens, offsets = shards.held_out_pair(name) if held_out else shards.pair(name)
    sides = [tokens[start:end].tolist() for start, end in itertools.pairwise(offsets)]
    return list(zip(sides[::2], sides[1::2], strict=True))


def test_names_say_which_files_belong_together(tmp_path: Path) -> None:
    write_pair(tmp_path, "", "en", "zh-Hans", SENTENCES[:2])
    write_pair(tmp_path, "a.b.", "en", "zh_tw", SENTENCES[:2])
    write_pair(tmp_path, "one.", "sw", "en", SENTENCES[:2])
    write_pair(tmp_path, "two.", "sw", "en", SENTENCES[2:4])
    for other in ("README", "LICENSE.txt", "one.sw-en.ids", "notes.en", "pt-br.txt"):
        (tmp_path / other).write_text("x\n", encoding="utf-8")
    found = {text.name: text for text in find_aligned(tmp_path)}
    assert list(found) == ["en-zh-Hans", "en-zh-Hant", "sw-en"]
    assert found["en-zh-Hant"].languages == ("en", "zh-Hant")
    assert list(found["sw-en"].sentences()) == SENTENCES[:4]


def test_compressed_files_are_read_and_an_empty_or_broken_side_empties_the_pair(tmp_path: Path) -> None:
    for code, lines in {"en": b"one\n\n  three\nfour\n", "sw": b"moja\nmbili\ntatu\t\n\xff\n"}.items():
        (tmp_path / f"x.en-sw.{code}.gz").write_bytes(gzip.compress(lines))
    (text,) = find_aligned(tmp_path)
    assert list(text.sentences()) == [("one", "moja"), ("", ""), ("three", "tatu"), ("", "")]


def test_pairs_stay_together_and_held_out_ones_are_in_no_training_text(
    inputs: Path, build: Callable[..., Manifest], tmp_path: Path
) -> None:
    build(tmp_path / "shards")
    vocabulary = Vocabulary.load(inputs / "vocab")
    shards = Shards.open(tmp_path / "shards", vocabulary=vocabulary)
    assert shards.pairs == {"en-ru": ("en", "ru")}
    assert shards.languages == ("en", "ru")
    training, held_out = pairs_of(shards, "en-ru"), pairs_of(shards, "en-ru", held_out=True)
    expected = [
        tuple([*ids.tolist(), vocabulary.eos_id] for ids in vocabulary.encode(sentences)) for sentences in SENTENCES
    ]
    assert len(held_out) == 6
    assert sorted(training + held_out) == sorted(expected)
    assert not [pair for pair in held_out if pair in training]
    assert shards.pair_sizes["en-ru"] == sum(len(text.encode()) for pair in SENTENCES for text in pair)


def test_the_same_command_again_is_done_and_other_pairs_are_refused(
    inputs: Path, build: Callable[..., Manifest], tmp_path: Path
) -> None:
    first = build(tmp_path / "shards")
    assert build(tmp_path / "shards") == first
    write_pair(tmp_path / "opus", "Books.", "en", "ru", SENTENCES[1:])
    with pytest.raises(FolderError, match="was made with parallel = "):
        build(tmp_path / "shards", parallel=tmp_path / "opus")
    assert Shards.open(tmp_path / "shards").pairs
    assert not build(tmp_path / "without", parallel=None).statistics["pairs"]
    assert Shards.open(tmp_path / "without").pairs == {}


def test_files_that_are_no_translations_of_each_other_are_refused(tmp_path: Path) -> None:
    write_pair(tmp_path / "uneven", "x.", "en", "sw", SENTENCES[:4])
    path = tmp_path / "uneven" / "x.en-sw.sw"
    path.write_text("moja\nmbili\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"x\.en-sw\.sw ends at line 2 and .*x\.en-sw\.en goes on"):
        list(find_aligned(tmp_path / "uneven")[0].sentences())
    path.unlink()
    with pytest.raises(DataError, match=r"has no x\.en-sw\.sw beside it"):
        find_aligned(tmp_path / "uneven")
    write_pair(tmp_path / "same", "x.", "zh", "zh-Hans", SENTENCES[:4])
    with pytest.raises(DataError, match="are one language"):
        find_aligned(tmp_path / "same")
    (tmp_path / "none").mkdir()
    with pytest.raises(DataError, match="holds no pair of files"):
        find_aligned(tmp_path / "none")
    with pytest.raises(DataError, match="is no folder"):
        find_aligned(tmp_path / "nowhere")
    (tmp_path / "cut").mkdir()
    for code in ("en", "sw"):
        (tmp_path / "cut" / f"x.en-sw.{code}.gz").write_bytes(gzip.compress(b"a line\n" * 99)[:-12])
    with pytest.raises(DataError, match="damaged gzip"):
        list(find_aligned(tmp_path / "cut")[0].sentences())
