"""A vocabulary of invented words in three scripts, corpora of several parts, and shards written in the plainest way."""

from __future__ import annotations

import io
import random
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import xxhash

from isogloss.config import make_settings
from isogloss.errors import DataError
from isogloss.manifest import Manifest
from isogloss.shards import ShardSettings, build_shards
from isogloss.vocab import VocabSettings, Vocabulary, train_vocabulary

Documents = Sequence[tuple[str, ...]]


def sentence(chosen: random.Random, num_words: int) -> str:
    """Words of a few letters, of one script each."""
    scripts = ("abdeiklmnorstu", "авеиклмнорст", "面包师卖了个早安")
    return " ".join("".join(chosen.choices(chosen.choice(scripts), k=chosen.randint(1, 5))) for _ in range(num_words))


@pytest.fixture(scope="session")
def small_vocab(tmp_path_factory: pytest.TempPathFactory, write_corpus: Callable[..., Path]) -> Path:
    folder = tmp_path_factory.mktemp("small-vocab")
    chosen = random.Random(1)
    write_corpus(folder / "corpus", {"en": [sentence(chosen, 12) for _ in range(60)]})
    train_vocabulary(VocabSettings(corpus=folder / "corpus", output=folder / "vocab", size=80, character_coverage=1.0))
    return folder / "vocab"


@pytest.fixture(scope="session")
def small_vocabulary(small_vocab: Path) -> Vocabulary:
    return Vocabulary.load(small_vocab)


@pytest.fixture(scope="session")
def shard(small_vocab: Path) -> Callable[..., Manifest]:
    def run(corpus: Path, output: Path, **values: object) -> Manifest:
        wanted = {"corpus": corpus, "vocabulary": small_vocab, "output": output, "workers": 1, **values}
        return build_shards(make_settings(ShardSettings, wanted))

    return run


def plainly(documents: Documents, vocabulary: Vocabulary, share: float, most: int = 1000) -> dict[str, bytes]:
    """The files of one language, or of one pair, a document at a time; raises DataError where nothing is left."""
    hashes = [xxhash.xxh3_64_intdigest("\t".join(texts).encode("utf-8", "replace")) for texts in documents]
    number = min(max(1, round(share * len(documents))), most) if len(documents) > 1 and share else 0
    smallest = sorted(set(hashes))
    chosen = set(smallest[: min(number, len(smallest) - 1)])
    files = {}
    for name, is_held in (("part-00000", False), ("held-out", True)):
        tokens: list[int] = []
        offsets = [0]
        for texts, value in zip(documents, hashes, strict=True):
            encoded = [vocabulary.encode([text])[0].tolist() for text in texts]
            if (value in chosen) == is_held and all(encoded):
                for ids in encoded:
                    tokens += [*ids, vocabulary.eos_id]
                    offsets.append(len(tokens))
        if not is_held and not tokens:
            raise DataError("nothing is left")
        saved = io.BytesIO()
        np.save(saved, np.array(offsets, np.uint64))
        width = np.uint16 if vocabulary.size <= 65_536 else np.uint32
        files |= {f"{name}.bin": np.array(tokens, width).tobytes(), f"{name}.offsets.npy": saved.getvalue()}
    return files


def token_files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "statistics.json"}


def all_files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
