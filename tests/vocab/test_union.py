"""One vocabulary of several: exact size, every piece of some cluster, probabilities that sum to 1; by train, too."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isogloss.config import make_settings
from isogloss.errors import ConfigError, VocabularyError
from isogloss.manifest import read_manifest
from isogloss.phrasebook import parallel_sentences
from isogloss.vocab import VocabSettings, Vocabulary, train_vocabulary
from isogloss.vocab.check import check_vocabulary
from isogloss.vocab.pieces import learned_pieces
from isogloss.vocab.probes import all_probes
from isogloss.vocab.union import Part, union

SCORES = st.dictionaries(st.text("abcd", min_size=1, max_size=3), st.floats(-15, -0.1), min_size=1, max_size=30)
PARTS = st.lists(st.tuples(SCORES, st.floats(0.01, 1), st.integers(1, 40)), min_size=1, max_size=4)
LANGUAGES = ["bg", "de", "en", "ru", "th"]


def parts_of(rows: list[tuple[dict[str, float], float, int]]) -> list[Part]:
    total = sum(share for _, share, _ in rows)
    return [Part(pieces, share / total, capacity) for pieces, share, capacity in rows]


@given(rows=PARTS, more=st.integers(1, 60))
def test_the_union_is_of_the_size_and_of_the_parts(rows: list[Any], more: int) -> None:
    parts = parts_of(rows)
    everything = {piece for part in parts for piece in part.pieces}
    characters = {piece for piece in everything if len(piece) == 1}
    size = len(characters) + more
    pieces = union(parts, size)
    assert len(pieces) == min(size, len(everything))
    assert characters <= set(pieces) <= everything
    assert math.fsum(map(math.exp, pieces.values())) == pytest.approx(1)
    assert list(pieces.values()) == sorted(pieces.values(), reverse=True)


def test_clusters_bring_pieces_by_their_capacities() -> None:
    first, second = ({f"{letter}{n}": -1.0 - n for n in range(100)} for letter in "ab")
    pieces = union([Part(first, 0.5, 300), Part(second, 0.5, 100)], 80)
    assert sorted(pieces) == sorted([f"a{n}" for n in range(60)] + [f"b{n}" for n in range(20)])


def test_a_piece_of_two_clusters_has_the_probability_of_both() -> None:
    parts = [Part({"aa": math.log(0.5), "ab": math.log(0.5)}, 0.75, 2), Part({"aa": 0.0}, 0.25, 1)]
    assert {piece: math.exp(score) for piece, score in union(parts, 9).items()} == pytest.approx(
        {"aa": 5 / 8, "ab": 3 / 8}
    )


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory, write_corpus: Callable[..., Path]) -> Path:
    """A corpus of the phrasebook in three scripts."""
    rows = list(parallel_sentences(LANGUAGES, 300, seed=1))
    texts = {code: [row[column] for row in rows] for column, code in enumerate(LANGUAGES)}
    return write_corpus(tmp_path_factory.mktemp("book") / "corpus", texts)


def train(corpus: Path, output: Path, **values: object) -> Vocabulary:
    wanted = {"corpus": corpus, "output": output, "size": 800, "clusters": 3, "pieces_a_language": 300, **values}
    train_vocabulary(make_settings(VocabSettings, wanted))
    return Vocabulary.load(output)


@pytest.fixture(scope="module")
def folder(book: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The vocabulary of three clusters."""
    output = tmp_path_factory.mktemp("clustered") / "vocab"
    train(book, output)
    return output


def test_scripts_are_clusters_and_the_manifest_tells_of_them(folder: Path) -> None:
    statistics = read_manifest(folder, "vocab").statistics
    clusters = statistics["clusters"]
    assert [cluster["languages"] for cluster in clusters] == [["bg", "ru"], ["de", "en"], ["th"]]
    assert sum(cluster["share"] for cluster in clusters) == pytest.approx(1)
    # <s>, <pad>, </s>, <unk> and <mask> are of no cluster, every other id of one or several.
    assert sum(cluster["alone"] for cluster in clusters) + statistics["shared"] == statistics["size"] - 5
    assert all(cluster["alone"] <= cluster["pieces"] for cluster in clusters)
    assert set(statistics["languages"]) == set(LANGUAGES)
    report = (folder / "report.md").read_text("utf-8")
    assert re.search(r"Clusters of languages", report)
    assert all(f"{cluster['pieces']:,}" in report for cluster in clusters)


def test_it_is_one_vocabulary_of_exactly_the_size_that_all_programs_read_alike(folder: Path) -> None:
    vocabulary = Vocabulary.load(folder)
    assert vocabulary.size == 800
    assert len(set(vocabulary.pieces)) == 800
    assert math.fsum(map(math.exp, learned_pieces(vocabulary.content).values())) == pytest.approx(1, abs=1e-4)
    probes = [probe for probe in all_probes() if probe.script in ("Latn", "Cyrl", "Thai")]
    assert probes
    assert check_vocabulary(folder, probes=probes).agrees
    assert not list(folder.parent.glob("*.work"))


def test_the_same_seed_gives_the_same_bytes_in_any_memory(book: Path, folder: Path, tmp_path: Path) -> None:
    assert train(book, tmp_path / "again", memory_mb=64).content == Vocabulary.load(folder).content


def test_listed_clusters_are_taken_as_listed(book: Path, tmp_path: Path) -> None:
    listed = [["th", "de", "en"], ["ru", "bg"]]
    train(book, tmp_path / "vocab", clusters=listed)
    clusters = read_manifest(tmp_path / "vocab", "vocab").statistics["clusters"]
    assert [cluster["languages"] for cluster in clusters] == [["bg", "ru"], ["de", "en", "th"]]


def test_one_cluster_is_the_plain_vocabulary(book: Path, tmp_path: Path) -> None:
    plain = {"corpus": book, "size": 800}
    train_vocabulary(make_settings(VocabSettings, {**plain, "output": tmp_path / "plain"}))
    assert train(book, tmp_path / "one", clusters=1).content == Vocabulary.load(tmp_path / "plain").content
    assert "clusters" not in read_manifest(tmp_path / "one", "vocab").statistics


def test_the_size_is_reached_or_the_error_names_the_largest_and_the_smallest(book: Path, tmp_path: Path) -> None:
    two: dict[str, object] = {"languages": ["en", "th"], "clusters": [["en"], ["th"]]}
    with pytest.raises(
        VocabularyError, match=r"size = 90000 is more than 2 clusters .* set size=(\d+) or lower"
    ) as high:
        train(book, tmp_path / "vocab", size=90_000, **two)
    largest = int(re.search(r"set size=(\d+)", str(high.value))[1])  # type: ignore[index]
    with pytest.raises(VocabularyError, match=r"size = 50 is too small .* set size=(\d+) or higher") as low:
        train(book, tmp_path / "vocab", size=50, **two)
    smallest = int(re.search(r"set size=(\d+)", str(low.value))[1])  # type: ignore[index]
    assert list(tmp_path.iterdir()) == []
    for size in (smallest, largest):
        assert train(book, tmp_path / str(size), size=size, **two).size == size


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"clusters": 9}, r"clusters = 9 is more than the 5 languages"),
        ({"clusters": 0}, r"clusters = 0: give a number from 1, or lists of codes"),
        ({"clusters": [["en", "x"]]}, r"'x' is not a language code"),
        ({"clusters": [["en"], []]}, r"a cluster lists no language"),
        ({"clusters": [["en", "de", "th"], ["en", "ru"]]}, r"'en' is listed more than once"),
        ({"model_type": "bpe"}, r"clusters join unigram models; set clusters=1 or model_type=unigram"),
    ],
    ids=["too many", "none", "no code", "empty", "twice", "bpe"],
)
def test_mistakes_are_told_in_one_line(book: Path, tmp_path: Path, values: dict[str, object], told: str) -> None:
    with pytest.raises(ConfigError, match=told) as error:
        train(book, tmp_path / "vocab", **values)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "vocab").exists()
