"""Write a shards folder: encode a corpus with a vocabulary, language by language, and hold documents out.

    build_shards(ShardSettings(corpus=Path("corpus"), vocabulary=Path("vocab"), output=Path("shards")))

The held-out documents are those with the smallest hashes of their text, so they do not depend on the order of the
corpus, and every copy of one is held out with it. ``statistics.json`` marks a language as done: after an interruption
the same command goes on with the next one.

A sentence with its translation is written as two documents, one after the other, and they are held out together.
"""

from __future__ import annotations

import functools
import heapq
import itertools
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt
import xxhash
from pydantic import Field
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from isogloss.config import Settings
from isogloss.corpus import Corpus
from isogloss.errors import DataError
from isogloss.manifest import (
    MANIFEST_NAME,
    Manifest,
    building,
    finished,
    read_manifest,
    write_json,
    write_manifest,
)
from isogloss.shards.parallel import AlignedText, find_aligned
from isogloss.shards.read import COMMAND, HELD_OUT, PAIRS, TRAINING, dtype_for
from isogloss.vocab import Vocabulary
from isogloss.vocab.sample import languages_with_text

__all__ = ["ShardSettings", "build_shards"]

STATISTICS_NAME = "statistics.json"
# Each a text, or a sentence and its translation; asked for again, they are read again.
Documents = Callable[[], Iterable[tuple[str, ...]]]
# Characters encoded at a time: enough to keep many threads busy, little enough to forget about memory.
BATCH_CHARACTERS = 4_000_000


class ShardSettings(Settings):
    """Settings of ``isogloss shards``."""

    corpus: Path = Field(description="corpus folder to read")
    vocabulary: Path = Field(description="vocab folder, model folder or SentencePiece .model file")
    output: Path = Field(description="shards folder to write")
    parallel: Path | None = Field(
        default=None,
        description="folder of sentences with translations: NAME.en-sw.en beside NAME.en-sw.sw, .gz or not",
    )
    languages: tuple[str, ...] = Field(default=(), description="languages of the corpus to take; empty: all with text")
    held_out_share: float = Field(default=0.01, ge=0, le=0.5, description="share of a language's documents to hold out")
    held_out_documents: int = Field(
        default=1000, ge=0, description="most documents a language to hold out; at least one is unless this is 0"
    )
    num_threads: int = Field(default=-1, ge=-1, description="threads that encode; -1: all cores; never changes a byte")


@dataclass
class PartCounts:
    """What one file of tokens holds; ``tokens`` counts the ``</s>`` after each document too."""

    documents: int = 0
    tokens: int = 0
    characters: int = 0
    unknown: int = 0


def build_shards(settings: ShardSettings) -> Manifest:
    """Encode the corpus; a finished folder of the same settings and parents is returned as is.

    A language without text is left out and named in the manifest's ``warnings``; asked for by name, it is a DataError.
    """
    corpus = Corpus.open(settings.corpus)
    vocabulary = Vocabulary.load(settings.vocabulary)
    parallel = {} if settings.parallel is None else {text.name: text for text in find_aligned(settings.parallel)}
    parents = [corpus.manifest, _vocabulary_manifest(settings.vocabulary, vocabulary)]
    config = settings.model_dump(mode="json", exclude={"corpus", "vocabulary", "output", "parallel", "num_threads"})
    if parallel:
        config["parallel"] = {name: text.fingerprint for name, text in parallel.items()}
    if (done := finished(settings.output, "shards", config, parents, settings=settings)) is not None:
        return done
    languages, warnings = languages_with_text(corpus.manifest, settings.languages, where=settings.corpus)
    made_from = {"config": config, "parents": {parent.kind: parent.fingerprint for parent in parents}}
    statistics: dict[str, Any] = {}
    pairs: dict[str, Any] = {}
    with building(settings.output) as folder, _progress() as progress:
        _drop_strangers(folder, {*languages, *([PAIRS] if parallel else [])}, made_from)
        _drop_strangers(folder / PAIRS, parallel, made_from)

        def encode(beside: Path, documents: Documents, counts: Mapping[str, int]) -> dict[str, Any]:
            """Encoded, or known to be from an earlier attempt."""
            task = progress.add_task(beside.name, total=counts["documents"])
            if (known := _done(beside)) is None:
                advance = functools.partial(progress.advance, task)
                with building(beside) as unfinished:
                    known = _encode(unfinished, documents, counts, vocabulary, settings, advance)
                    write_json(unfinished / STATISTICS_NAME, {**known, "made_from": made_from})
            progress.update(task, completed=counts["documents"])
            return known

        for code, counts in languages.items():
            statistics[code] = encode(folder / code, functools.partial(_documents, corpus, code), counts)
            if (
                not statistics[code]["held_out"]["documents"]
                and settings.held_out_documents
                and settings.held_out_share
            ):
                warnings[code] = "no document is held out: all its documents are the same, or there is only one"
        for name, text in parallel.items():
            pairs[name] = encode(folder / PAIRS / name, text.sentences, _counts(text))
            pairs[name]["languages"] = list(text.languages)
        return write_manifest(
            folder,
            kind="shards",
            command=COMMAND,
            config=config,
            parents=parents,
            statistics={
                "vocabulary": {"size": vocabulary.size, "fingerprint": vocabulary.fingerprint},
                "dtype": dtype_for(vocabulary.size).name,
                "languages": statistics,
                "pairs": pairs,
                "warnings": warnings,
            },
        )


def _documents(corpus: Corpus, code: str) -> Iterator[tuple[str]]:
    return ((text,) for text in corpus.documents(code))


def _encode(
    folder: Path,
    documents: Documents,
    counts: Mapping[str, int],
    vocabulary: Vocabulary,
    settings: ShardSettings,
    advance: Callable[[int], None],
) -> dict[str, Any]:
    """Write one language, or one pair of languages, into ``folder``; returns its statistics."""
    hashes = (_hash(*texts) for texts in documents())
    held_out = _smallest(hashes, _num_held_out(counts["documents"], settings))
    empty = 0
    with (
        _PartWriter(folder, TRAINING, vocabulary) as training,
        _PartWriter(folder, HELD_OUT, vocabulary) as kept,
    ):
        for batch in _batches(documents()):
            encoded = vocabulary.encode([text for texts in batch for text in texts], num_threads=settings.num_threads)
            ids = iter(encoded)
            for texts in batch:
                own = list(itertools.islice(ids, len(texts)))
                if all(map(len, own)):
                    part = kept if _hash(*texts) in held_out else training
                    for text, text_ids in zip(texts, own, strict=True):
                        part.add(text, text_ids)
                else:
                    empty += 1
            advance(len(batch))
    if not training.counts.documents:
        raise DataError(
            f"{settings.output}: no document of '{folder.name.removesuffix('.tmp')}' is left to train on "
            f"({empty} have no text); give more text or leave it out"
        )
    return {
        "bytes": counts["bytes"],
        "training": asdict(training.counts),
        "held_out": asdict(kept.counts),
        "empty": empty,
    }


def _counts(text: AlignedText) -> dict[str, int]:
    """Pairs and bytes of a parallel text, the empty ones among the former."""
    documents = size = 0
    for sentences in text.sentences():
        documents += 1
        size += sum(len(sentence.encode()) for sentence in sentences)
    return {"documents": documents, "bytes": size}


def _num_held_out(num_documents: int, settings: ShardSettings) -> int:
    if num_documents < 2 or not settings.held_out_share:
        return 0
    return min(max(1, round(settings.held_out_share * num_documents)), settings.held_out_documents)


class _PartWriter:
    """Appends documents to one .bin file and writes its offsets at the end."""

    def __init__(self, folder: Path, name: str, vocabulary: Vocabulary) -> None:
        self.counts = PartCounts()
        self._folder, self._name, self._vocabulary = folder, name, vocabulary
        self._dtype = dtype_for(vocabulary.size)
        self._end = np.array([vocabulary.eos_id], self._dtype)
        self._offsets = [0]
        self._stream: IO[bytes] = (folder / f"{name}.bin").open("wb")

    def add(self, text: str, ids: npt.NDArray[np.int32]) -> None:
        self._stream.write(ids.astype(self._dtype).tobytes())
        self._stream.write(self._end.tobytes())
        self.counts.documents += 1
        self.counts.tokens += len(ids) + 1
        self.counts.characters += len(text)
        self.counts.unknown += int(np.count_nonzero(ids == self._vocabulary.unk_id))
        self._offsets.append(self.counts.tokens)

    def __enter__(self) -> _PartWriter:
        return self

    def __exit__(self, *error: object) -> None:
        self._stream.flush()
        os.fsync(self._stream.fileno())
        self._stream.close()
        np.save(self._folder / f"{self._name}.offsets.npy", np.array(self._offsets, np.uint64))


def _vocabulary_manifest(path: Path, vocabulary: Vocabulary) -> Manifest:
    """The vocab folder's manifest; a model folder or a bare file is known by its SentencePiece model's fingerprint."""
    if (path / MANIFEST_NAME).is_file() and json.loads((path / MANIFEST_NAME).read_text("utf-8"))["kind"] == "vocab":
        return read_manifest(path, "vocab")
    return Manifest("vocab", "", "", {}, {}, {}, fingerprint=vocabulary.fingerprint)


def _drop_strangers(folder: Path, languages: Iterable[str], made_from: Mapping[str, Any]) -> None:
    """Delete what an earlier attempt left that is unfinished or was made from other settings or parents."""
    for path in folder.iterdir() if folder.is_dir() else ():
        marker = path / STATISTICS_NAME
        same = marker.is_file() and json.loads(marker.read_text("utf-8")).get("made_from") == made_from
        if path.name in languages and (same or path.name == PAIRS):
            continue
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def _done(folder: Path) -> dict[str, Any] | None:
    """The statistics of a language that an earlier attempt finished."""
    marker = folder / STATISTICS_NAME
    if not marker.is_file():
        return None
    statistics: dict[str, Any] = json.loads(marker.read_text("utf-8"))
    del statistics["made_from"]
    return statistics


def _batches(documents: Iterable[tuple[str, ...]]) -> Iterator[list[tuple[str, ...]]]:
    batch: list[tuple[str, ...]] = []
    characters = 0
    for document in documents:
        batch.append(document)
        characters += 1 + sum(map(len, document))
        if characters >= BATCH_CHARACTERS:
            yield batch
            batch, characters = [], 0
    if batch:
        yield batch


def _smallest(hashes: Iterable[int], number: int) -> frozenset[int]:
    """The ``number`` smallest different hashes; fewer when that would leave fewer than half the different documents."""
    if not number:
        return frozenset()
    smallest: list[int] = []  # negated: the largest kept hash is on top
    held: set[int] = set()
    for value in hashes:
        if value in held:
            continue
        if len(smallest) <= number:
            heapq.heappush(smallest, -value)
            held.add(value)
        elif value < -smallest[0]:
            held.add(value)
            held.discard(-heapq.heapreplace(smallest, -value))
    # One more than asked for was kept, so that a language of copies of one document is seen to have no other.
    return frozenset(sorted(held)[: min(number, len(held) - 1)])


def _hash(*texts: str) -> int:
    return xxhash.xxh3_64_intdigest("\t".join(texts).encode("utf-8", errors="replace"))


def _progress() -> Progress:
    """A bar a language on stderr, in documents; silent when stderr is not a terminal."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:,.0f}/{task.total:,.0f} documents"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        disable=not sys.stderr.isatty(),
    )
