"""Shards: tokens are what the vocabulary says, held-out text stays out, a build goes on where it was stopped."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from isogloss.config import make_settings
from isogloss.errors import ConfigError, DataError, FolderError
from isogloss.manifest import Manifest, read_manifest
from isogloss.shards import Shards, ShardSettings, build_shards
from isogloss.vocab import VocabSettings, Vocabulary, train_vocabulary

COUNTS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
DOCUMENTS = {
    "en": [f"The baker sells {a} loaves.\nThe children eat {b} of them." for a in COUNTS for b in COUNTS],
    "ru": [f"Пекарь продал {n} хлебов." for n in range(40)],
    "zh-Hans": [f"面包师卖了{n}个面包。" for n in range(3)],
}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory, write_corpus: Callable[..., Path]) -> Path:
    return write_corpus(tmp_path_factory.mktemp("shards") / "corpus", DOCUMENTS)


@pytest.fixture(scope="module")
def vocab(corpus: Path) -> Path:
    folder = corpus.parent / "vocab"
    train_vocabulary(VocabSettings(corpus=corpus, output=folder, size=72, character_coverage=1.0))
    return folder


@pytest.fixture(scope="module")
def vocabulary(vocab: Path) -> Vocabulary:
    return Vocabulary.load(vocab)


@pytest.fixture(scope="module")
def build(corpus: Path, vocab: Path) -> Callable[..., Manifest]:
    def run(output: Path, **values: object) -> Manifest:
        wanted = {"corpus": corpus, "vocabulary": vocab, "output": output, "held_out_share": 0.1, **values}
        return build_shards(make_settings(ShardSettings, wanted))

    return run


@pytest.fixture(scope="module")
def folder(corpus: Path, build: Callable[..., Manifest]) -> Path:
    build(corpus.parent / "shards")
    return corpus.parent / "shards"


def split(tokens: np.ndarray, offsets: np.ndarray) -> list[list[int]]:
    return [tokens[start:end].tolist() for start, end in itertools.pairwise(offsets)]


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != "manifest.json"
    }


def test_every_document_is_there_once_as_the_vocabulary_encodes_it(folder: Path, vocabulary: Vocabulary) -> None:
    shards = Shards.open(folder, vocabulary=vocabulary)
    assert shards.languages == tuple(DOCUMENTS)
    assert (shards.vocabulary_size, shards.mask_id) == (vocabulary.size, vocabulary.mask_id)
    for code, texts in DOCUMENTS.items():
        tokens, offsets = shards.tokens(code), shards.document_offsets(code)
        kept, kept_offsets, num_characters = shards.held_out(code)
        assert isinstance(tokens, np.memmap)
        assert tokens.dtype == kept.dtype == np.uint16
        assert offsets.dtype == np.int64
        assert (offsets[0], offsets[-1], kept_offsets[-1]) == (0, len(tokens), len(kept))
        expected = [[*ids.tolist(), vocabulary.eos_id] for ids in vocabulary.encode(texts)]
        training, held_out = split(tokens, offsets), split(kept, kept_offsets)
        assert sorted(training + held_out) == sorted(expected)
        assert training == [ids for ids in expected if ids not in held_out], "documents keep their order"
        assert not [ids for ids in held_out if ids in training]
        assert num_characters == sum(len(text) for text, ids in zip(texts, expected, strict=True) if ids in held_out)


def test_held_out_documents_are_counted_as_asked(folder: Path, build: Callable[..., Manifest], tmp_path: Path) -> None:
    numbers = {code: counts["held_out"]["documents"] for code, counts in Shards.open(folder).statistics.items()}
    assert numbers == {"en": 10, "ru": 4, "zh-Hans": 1}, "a tenth each, and at least one"
    capped = build(tmp_path / "capped", held_out_documents=2).statistics["languages"]
    assert {code: counts["held_out"]["documents"] for code, counts in capped.items()} == {
        "en": 2,
        "ru": 2,
        "zh-Hans": 1,
    }
    none = build(tmp_path / "none", held_out_share=0).statistics
    assert not any(counts["held_out"]["documents"] for counts in none["languages"].values())
    assert none["warnings"] == {}
    tokens, offsets, num_characters = Shards.open(tmp_path / "none").held_out("en")
    assert (len(tokens), offsets.tolist(), num_characters) == (0, [0], 0)


def test_what_is_held_out_does_not_depend_on_order_or_copies(
    folder: Path, vocab: Path, build: Callable[..., Manifest], tmp_path: Path, write_corpus: Callable[..., Path]
) -> None:
    texts = {"en": [*reversed(DOCUMENTS["en"]), *DOCUMENTS["en"]]}
    twice = write_corpus(tmp_path / "corpus", texts)
    build(tmp_path / "shards", corpus=twice, held_out_share=0.05)
    here, there = Shards.open(folder), Shards.open(tmp_path / "shards")
    original = split(*here.held_out("en")[:2])
    again = split(*there.held_out("en")[:2])
    assert len(original) == 10
    assert sorted(again) == sorted(original * 2)
    assert not [ids for ids in split(there.tokens("en"), there.document_offsets("en")) if ids in original]


def test_statistics_add_up(folder: Path, corpus: Path, vocabulary: Vocabulary) -> None:
    shards = Shards.open(folder)
    known = read_manifest(corpus, "corpus").statistics["languages"]
    for code, counts in shards.statistics.items():
        both = [counts["training"], counts["held_out"]]
        assert sum(part["documents"] for part in both) + counts["empty"] == known[code]["documents"]
        assert sum(part["characters"] for part in both) == known[code]["characters"]
        assert counts["training"]["tokens"] == len(shards.tokens(code))
        assert counts["training"]["unknown"] == int((shards.tokens(code) == vocabulary.unk_id).sum())
        assert shards.sizes[code] == known[code]["bytes"]


def test_an_interrupted_build_goes_on_with_what_is_not_encoded(
    folder: Path, build: Callable[..., Manifest], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encode = Vocabulary.encode_flat
    encoded: list[str] = []

    def stops_at_chinese(self: Vocabulary, texts: Sequence[str], **values: int) -> tuple[np.ndarray, np.ndarray]:
        encoded.append(texts[0])
        if "面" in texts[0] and len(encoded) == 3:
            raise KeyboardInterrupt
        return encode(self, texts, **values)

    monkeypatch.setattr("isogloss.shards.build.BYTES_A_UNIT", 1)
    monkeypatch.setattr(Vocabulary, "encode_flat", stops_at_chinese)
    with pytest.raises(KeyboardInterrupt):
        build(tmp_path / "shards", workers=1)
    assert not (tmp_path / "shards").exists()
    build(tmp_path / "shards", workers=1)
    assert [text[:3] for text in encoded] == ["The", "Пек", "面包师", "面包师"], "en and ru were encoded once"
    assert contents(tmp_path / "shards") == contents(folder)
    assert read_manifest(tmp_path / "shards", "shards").fingerprint == read_manifest(folder, "shards").fingerprint
    build(tmp_path / "shards")
    assert len(encoded) == 4, "a finished folder is left alone"


def test_what_other_settings_left_behind_is_not_taken_over(
    folder: Path, build: Callable[..., Manifest], tmp_path: Path
) -> None:
    build(tmp_path / "other", held_out_share=0.3)
    (tmp_path / "other" / "manifest.json").unlink()
    (tmp_path / "other").rename(tmp_path / "shards.tmp")
    build(tmp_path / "shards")
    assert contents(tmp_path / "shards") == contents(folder)


def test_other_settings_are_refused_for_a_finished_folder(folder: Path, build: Callable[..., Manifest]) -> None:
    with pytest.raises(FolderError, match=r"was made with held_out_share = 0\.1, now 0\.2"):
        build(folder, held_out_share=0.2)


def test_shards_of_an_earlier_version_are_done(
    folder: Path, build: Callable[..., Manifest], tmp_path: Path, without_setting: Callable[[Path, str], None]
) -> None:
    made = shutil.copytree(folder, tmp_path / "shards")
    without_setting(made / "manifest.json", "held_out_share")
    default = ShardSettings.model_fields["held_out_share"].default
    assert build(made, held_out_share=default).fingerprint == read_manifest(folder, "shards").fingerprint
    with pytest.raises(FolderError, match=f"was made with held_out_share = {default}, now 0.2"):
        build(made, held_out_share=0.2)


def test_another_vocabulary_or_corpus_is_refused(
    folder: Path,
    corpus: Path,
    vocab: Path,
    build: Callable[..., Manifest],
    tmp_path: Path,
    write_corpus: Callable[..., Path],
) -> None:
    train_vocabulary(VocabSettings(corpus=corpus, output=tmp_path / "vocab", size=70, character_coverage=1.0))
    other = Vocabulary.load(tmp_path / "vocab")
    with pytest.raises(FolderError, match=r"another vocabulary \(72 ids, .*\(70 ids.*isogloss shards") as caught:
        Shards.open(folder, vocabulary=other)
    assert "\n" not in str(caught.value)
    with pytest.raises(FolderError, match="was made from another vocab"):
        build(folder, vocabulary=tmp_path / "vocab")
    elsewhere = write_corpus(tmp_path / "corpus", {"en": ["The baker sells bread."] * 3})
    with pytest.raises(FolderError, match="was made from another corpus than"):
        Shards.open(folder, corpus=elsewhere)
    assert Shards.open(folder, vocabulary=Vocabulary.load(vocab), corpus=corpus).languages == ("en", "ru", "zh-Hans")


def test_a_bare_model_file_serves_as_vocabulary(
    folder: Path, vocab: Path, build: Callable[..., Manifest], tmp_path: Path
) -> None:
    build(tmp_path / "shards", vocabulary=vocab / "sentencepiece.bpe.model")
    shards = Shards.open(tmp_path / "shards", vocabulary=Vocabulary.load(vocab))
    assert shards.tokens("en").tolist() == Shards.open(folder).tokens("en").tolist()


def test_a_cut_file_is_found_on_opening(build: Callable[..., Manifest], tmp_path: Path) -> None:
    build(tmp_path / "shards")
    part = tmp_path / "shards" / "ru" / "part-00000.bin"
    part.write_bytes(part.read_bytes()[:-2])
    with pytest.raises(FolderError, match=r"ru/part-00000\.bin has \d+ bytes"):
        Shards.open(tmp_path / "shards")


def test_a_language_without_text_is_named(
    vocab: Path, build: Callable[..., Manifest], tmp_path: Path, write_corpus: Callable[..., Path]
) -> None:
    texts = {"en": DOCUMENTS["en"], "ru": [DOCUMENTS["ru"][0]], "sw": []}
    corpus = write_corpus(tmp_path / "corpus", texts)
    manifest = build(tmp_path / "shards", corpus=corpus)
    assert list(manifest.statistics["languages"]) == ["en", "ru"]
    assert manifest.statistics["warnings"]["sw"] == "left out: the corpus holds no text of it"
    assert manifest.statistics["warnings"]["ru"].startswith("no document is held out")
    with pytest.raises(DataError, match="holds no text of 'sw'"):
        build(tmp_path / "sw", corpus=corpus, languages=["sw"])
    with pytest.raises(ConfigError, match="has no 'yo'; it has en, ru, sw"):
        build(tmp_path / "yo", corpus=corpus, languages=["yo"])
    with pytest.raises(ConfigError, match="has no language 'sw'; it has en, ru"):
        Shards.open(tmp_path / "shards").tokens("sw")
    blank = write_corpus(tmp_path / "blank", {"en": [" \n ", "\u200b"]})
    with pytest.raises(DataError, match="no document of 'en' is left to train on"):
        build(tmp_path / "none", corpus=blank)


def test_copies_of_one_document_are_not_held_out(
    build: Callable[..., Manifest], tmp_path: Path, write_corpus: Callable[..., Path]
) -> None:
    corpus = write_corpus(tmp_path / "corpus", {"en": DOCUMENTS["en"][:1] * 5})
    statistics = build(tmp_path / "shards", corpus=corpus).statistics
    assert statistics["languages"]["en"]["training"]["documents"] == 5
    assert statistics["warnings"]["en"].startswith("no document is held out: all its documents are the same")


def test_aliases_of_a_language_open_it(folder: Path) -> None:
    shards = Shards.open(folder)
    assert shards.tokens("zh").tolist() == shards.tokens("zh-Hans").tolist()
