"""Shards are what encoding document by document gives, in parts and pieces of any size and by any number of workers."""

from __future__ import annotations

import itertools
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isogloss.errors import DataError, FolderError, VocabularyError
from isogloss.manifest import Manifest
from isogloss.shards import Shards, build, join, pieces
from isogloss.shards.join import _Part
from isogloss.shards.read import dtype_for
from isogloss.vocab import Vocabulary
from isogloss.vocab.pieces import learned_pieces, with_pieces

from .conftest import all_files, plainly, sentence, token_files

# Words, spaces, characters that normalise to nothing or to several, an unknown one, half of a surrogate pair.
TEXTS = st.text(st.sampled_from("abdк面 \n\u200b½ﷺ☃\ud800"), max_size=30)


@settings(max_examples=25)
@given(
    st.lists(TEXTS, min_size=1, max_size=12),
    st.sampled_from([0, 0.1, 0.5]),
    st.integers(1, 12),
    st.integers(1, 60),
    st.integers(1, 60),
    st.integers(1, 6),
)
def test_the_bytes_are_those_of_each_document_alone(
    tmp_path_factory: pytest.TempPathFactory,
    write_corpus: Callable[..., Path],
    shard: Callable[..., Manifest],
    small_vocabulary: Vocabulary,
    texts: list[str],
    share: float,
    documents_a_part: int,
    batch: int,
    piece_bytes: int,
    piece_rows: int,
) -> None:
    folder = tmp_path_factory.mktemp("any")
    corpus = write_corpus(folder / "corpus", {"en": texts, "ru": ["да"]}, documents_a_part=documents_a_part)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pieces, "BATCH_CHARACTERS", batch)
        patch.setattr(pieces, "PIECE_BYTES", piece_bytes)
        patch.setattr(pieces, "PIECE_ROWS", piece_rows)
        try:
            expected = plainly([(text,) for text in texts], small_vocabulary, share)
        except DataError:
            with pytest.raises(DataError, match=r"holds no text|no document of 'en' is left to train on"):
                shard(corpus, folder / "shards", held_out_share=share, languages=["en"])
        else:
            shard(corpus, folder / "shards", held_out_share=share)
            assert token_files(folder / "shards" / "en") == expected
            assert not (folder / "shards.work").exists()
    shutil.rmtree(folder)


def documents(num_documents: int, num_words: int = 12) -> list[str]:
    chosen = random.Random(num_documents)
    return [sentence(chosen, num_words) for _ in range(num_documents)]


def write_pairs(folder: Path, rows: list[tuple[str, str]]) -> Path:
    for number, own in enumerate((rows[:25], rows[25:])):
        for side, code in enumerate(("en", "ru")):
            folder.mkdir(exist_ok=True)
            file = folder / f"{number}.en-ru.{code}"
            file.write_text("".join(f"{row[side]}\n" for row in own), encoding="utf-8")
    return folder


def test_any_number_of_workers_writes_the_same_bytes(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    write_corpus: Callable[..., Path],
    shard: Callable[..., Manifest],
    small_vocabulary: Vocabulary,
) -> None:
    monkeypatch.setattr(build, "BYTES_A_UNIT", 1)
    monkeypatch.setattr(build, "BYTES_A_PROCESS", 1)
    monkeypatch.setattr(build, "BYTES_A_JOINER", 1)
    texts = {"en": documents(50), "ru": documents(9), "sw": documents(1)}
    rows = list(zip(documents(40), ["", "\u200b", *documents(38)], strict=True))
    corpus = write_corpus(tmp_path / "corpus", texts, documents_a_part=4)
    opus = write_pairs(tmp_path / "opus", rows)
    for workers in (1, 2, 3):
        shard(corpus, tmp_path / str(workers), workers=workers, parallel=opus, held_out_share=0.1)
    assert all_files(tmp_path / "1") == all_files(tmp_path / "2") == all_files(tmp_path / "3")
    for code, own in texts.items():
        assert token_files(tmp_path / "3" / code) == plainly([(text,) for text in own], small_vocabulary, 0.1)
    # One side of the first is empty, and one of the second comes to nothing, so the pairs are.
    assert token_files(tmp_path / "3" / "pairs" / "en-ru") == plainly([("", ""), *rows[1:]], small_vocabulary, 0.1)


@settings(max_examples=8)
@given(st.randoms(use_true_random=False), st.integers(1, 30))
def test_the_same_documents_are_held_out_in_any_order_and_parts(
    tmp_path_factory: pytest.TempPathFactory,
    write_corpus: Callable[..., Path],
    shard: Callable[..., Manifest],
    chosen: random.Random,
    documents_a_part: int,
) -> None:
    folder = tmp_path_factory.mktemp("order")
    texts = documents(30)
    found = []
    for number, own in enumerate((texts, chosen.sample(texts, len(texts)))):
        corpus = write_corpus(folder / f"corpus-{number}", {"en": own}, documents_a_part=documents_a_part)
        shard(corpus, folder / str(number), held_out_share=0.2)
        shards = Shards.open(folder / str(number))
        held_out = split(*shards.held_out("en")[:2])
        training = split(shards.tokens("en"), shards.document_offsets("en"))
        assert not set(held_out) & set(training)
        found.append(sorted(held_out))
    assert found[0] == found[1]
    assert len(found[0]) == 6
    shutil.rmtree(folder)


def split(tokens: np.ndarray, offsets: np.ndarray) -> list[tuple[int, ...]]:
    return [tuple(tokens[start:end].tolist()) for start, end in itertools.pairwise(offsets)]


@pytest.mark.parametrize("moment", range(12))
def test_joining_may_be_cut_off_at_any_piece(
    moment: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    write_corpus: Callable[..., Path],
    shard: Callable[..., Manifest],
) -> None:
    corpus = write_corpus(tmp_path / "corpus", {"en": documents(20), "ru": documents(9)}, documents_a_part=5)
    shard(corpus, tmp_path / "whole", held_out_share=0.2)
    syncs = itertools.count()

    def stops(part: _Part) -> None:
        sync(part)
        if next(syncs) == moment:
            raise KeyboardInterrupt

    sync = _Part.sync
    monkeypatch.setattr(join, "PIECE_BYTES", 1)
    with monkeypatch.context() as patch:
        patch.setattr(_Part, "sync", stops)
        with pytest.raises(KeyboardInterrupt):
            shard(corpus, tmp_path / "shards", held_out_share=0.2)
    with monkeypatch.context() as patch:
        patch.setattr(Vocabulary, "encode_flat", None)  # everything is encoded
        shard(corpus, tmp_path / "shards", held_out_share=0.2)
    assert all_files(tmp_path / "shards") == all_files(tmp_path / "whole")


def test_hardly_more_is_on_the_disk_than_the_tokens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write_corpus: Callable[..., Path], shard: Callable[..., Manifest]
) -> None:
    corpus = write_corpus(tmp_path / "corpus", {"en": documents(80, 400), "ru": documents(40, 400)}, documents_a_part=2)
    peak = 0
    sync = os.fsync

    def measured(stream: int) -> None:
        nonlocal peak
        sync(stream)
        folders = (tmp_path / "shards.work", tmp_path / "shards.tmp")
        files = (file for folder in folders for file in folder.rglob("*") if file.suffix in (".bin", ".rows", ".npy"))
        peak = max(peak, sum(file.stat().st_size for file in files))

    monkeypatch.setattr(join, "PIECE_BYTES", 1)
    monkeypatch.setattr(os, "fsync", measured)
    statistics = shard(corpus, tmp_path / "shards", held_out_share=0.2).statistics["languages"]
    tokens = sum(counts[part]["tokens"] for counts in statistics.values() for part in ("training", "held_out"))
    assert tokens * 2 < peak < 1.1 * tokens * 2


def vocabulary_of(size: int, vocabulary: Vocabulary) -> Vocabulary:
    """Its last learned piece is the only one that has a snowman."""
    own = learned_pieces(vocabulary.content)
    more = {f"▁x{number}": -20.0 for number in range(size - len(own) - 6)}
    made = Vocabulary.from_bytes(with_pieces(vocabulary.content, {**own, **more, "☃": -20.0}))
    assert made.size == size
    return made


@pytest.mark.parametrize(("size", "width"), [(65_535, 2), (65_536, 2), (65_537, 4), (65_538, 4)])
def test_the_last_id_of_a_vocabulary_survives(
    size: int,
    width: int,
    tmp_path: Path,
    write_corpus: Callable[..., Path],
    shard: Callable[..., Manifest],
    small_vocabulary: Vocabulary,
) -> None:
    vocabulary = vocabulary_of(size, small_vocabulary)
    (tmp_path / "large.model").write_bytes(vocabulary.content)
    corpus = write_corpus(tmp_path / "corpus", {"en": ["☃☃ a", "b"]})
    shard(corpus, tmp_path / "shards", vocabulary=tmp_path / "large.model", held_out_share=0)
    shards = Shards.open(tmp_path / "shards", vocabulary=vocabulary)
    tokens = shards.tokens("en")
    assert tokens.max() == size - 2 == shards.mask_id - 1
    assert tokens.itemsize == width == dtype_for(size).itemsize
    assert np.iinfo(dtype_for(size)).max >= shards.mask_id
    expected = plainly([("☃☃ a",), ("b",)], vocabulary, 0)
    assert token_files(tmp_path / "shards" / "en") == expected


@pytest.mark.parametrize("workers", [1, 2])
def test_a_damaged_part_is_one_line(
    workers: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    write_corpus: Callable[..., Path],
    shard: Callable[..., Manifest],
) -> None:
    monkeypatch.setattr(build, "BYTES_A_UNIT", 1)
    monkeypatch.setattr(build, "BYTES_A_PROCESS", 1)
    corpus = write_corpus(tmp_path / "corpus", {"en": documents(20)}, documents_a_part=5)
    part = corpus / "en" / "part-00002.jsonl.zst"
    content = part.read_bytes()
    part.write_bytes(content[:-9] + bytes(9))
    with pytest.raises(FolderError, match=r"part-00002\.jsonl\.zst is not as it was written; make the corpus") as said:
        shard(corpus, tmp_path / "shards", workers=workers)
    assert "\n" not in str(said.value)
    part.write_bytes(content)
    shard(corpus, tmp_path / "shards", workers=workers)
    shard(corpus, tmp_path / "whole")
    assert all_files(tmp_path / "shards") == all_files(tmp_path / "whole")


def test_a_corpus_or_vocabulary_that_changes_meanwhile_is_one_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    write_corpus: Callable[..., Path],
    shard: Callable[..., Manifest],
    small_vocab: Path,
) -> None:
    corpus = write_corpus(tmp_path / "corpus", {"en": documents(20)}, documents_a_part=5)
    (tmp_path / "other").write_bytes((small_vocab / "sentencepiece.bpe.model").read_bytes())
    finish_units = build.finish_units

    def with_change(change: Callable[[], object]) -> None:
        def changed(*arguments: object, **values: object) -> None:
            change()
            finish_units(*arguments, **values)

        monkeypatch.setattr(build, "finish_units", changed)

    with_change((corpus / "en" / "part-00001.jsonl.zst").unlink)
    with pytest.raises(FileNotFoundError, match=r"part-00001\.jsonl\.zst"):
        shard(corpus, tmp_path / "shards")
    vocabulary = Vocabulary.load(small_vocab)
    other = vocabulary_of(100, vocabulary).content
    with_change(lambda: (tmp_path / "other").write_bytes(other))
    pieces._loaded.cache_clear()
    corpus = write_corpus(tmp_path / "again", {"en": documents(20)})
    with pytest.raises(VocabularyError, match="was changed while it was in use"):
        shard(corpus, tmp_path / "vocab", vocabulary=tmp_path / "other")


def test_pieces_that_were_cut_are_found_and_lost_shards_are_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write_corpus: Callable[..., Path], shard: Callable[..., Manifest]
) -> None:
    corpus = write_corpus(tmp_path / "corpus", {"en": documents(20), "ru": documents(9)}, documents_a_part=5)
    shard(corpus, tmp_path / "whole")

    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    for place in ("_join_texts", "write_manifest"):
        with monkeypatch.context() as patch:
            patch.setattr(build, place, stop)
            if place == "write_manifest":
                patch.setattr(build, "put_away", lambda work: None)
            with pytest.raises(KeyboardInterrupt):
                shard(corpus, tmp_path / place)
    piece = next((tmp_path / "_join_texts.work").rglob("*.bin"))
    content = piece.read_bytes()
    piece.write_bytes(content[:-2])
    with pytest.raises(FolderError, match=r"\.bin is not as it was written; delete the work folder"):
        shard(corpus, tmp_path / "_join_texts")
    piece.write_bytes(content)
    shard(corpus, tmp_path / "_join_texts")
    shutil.rmtree(tmp_path / "write_manifest.tmp")
    shard(corpus, tmp_path / "write_manifest")
    assert (
        all_files(tmp_path / "write_manifest") == all_files(tmp_path / "whole") == all_files(tmp_path / "_join_texts")
    )
