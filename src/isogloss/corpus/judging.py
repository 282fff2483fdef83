"""Phase four of a build: what is known of each document of a language before they are compared: hashes and scores.

    answer = judge_one(files, "sw", settings, work / "judging" / "sw-00000")

A unit is a slice of a language: some neighbouring files of phase three. It writes, a row or a stretch for each
document in their order: the hash of the text (``.texts``), the perplexity and the labelled lines (``.parquet``) and
the MinHash signature (``.signatures``). Memory: a batch's, 60 bytes for each byte of it with signatures or labelled
sets; the language's model; the index of labelled sets, mapped.
"""

from __future__ import annotations

import functools
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import xxhash

from isogloss.corpus.columns import read_tables
from isogloss.corpus.decontaminate import Contaminated, LabelledIndex, count_by_set, find_contaminated, index_sets
from isogloss.corpus.dedup.clusters import SignatureWriter
from isogloss.corpus.dedup.minhash import sign
from isogloss.corpus.dedup.normalise import num_lines
from isogloss.corpus.dedup.paragraphs import HASH_DTYPE
from isogloss.corpus.extras import load_pyarrow
from isogloss.corpus.lm.score import LanguageModel, models_in
from isogloss.corpus.settings import CorpusSettings

__all__ = ["Judged", "Slice", "index_one", "judge_one", "read_judged", "slices_of"]

# Of Parquet, some two and a half times as many bytes of text.
SLICE_BYTES = 1 << 28


class Slice(NamedTuple):
    """Neighbouring files of one language, judged together."""

    language: str
    files: tuple[Path, ...]
    judged: Path


class Judged(NamedTuple):
    """What is known of a slice's documents: perplexity (NaN where nothing scored), and places of labelled lines."""

    perplexity: npt.NDArray[np.float64]
    labelled: list[list[int]]


def slices_of(language: str, files: Sequence[Path], folder: Path) -> list[Slice]:
    """Cut a language's files into slices of some SLICE_BYTES."""
    groups: list[list[Path]] = []
    size = SLICE_BYTES
    for path in files:
        if size >= SLICE_BYTES:
            groups.append([])
            size = 0
        groups[-1].append(path)
        size += path.stat().st_size
    return [Slice(language, tuple(some), folder / f"{language}-{n:05d}") for n, some in enumerate(groups)]


def judge_one(part: Slice, settings: CorpusSettings, index: Path | None) -> dict[str, Any]:
    """Judge one slice; returns the documents or lines found for each labelled set."""
    pa = load_pyarrow()
    model = _model(settings, part.language)
    labelled = _index(index) if index is not None else None
    found: list[Contaminated] = []
    kinds = pa.schema({"perplexity": pa.float64(), "labelled": pa.list_(pa.int32())})
    judged = {name: part.judged.with_suffix(name) for name in (".parquet", ".texts", ".signatures")}
    with (
        judged[".texts"].open("wb") as hashes,
        pa.parquet.ParquetWriter(judged[".parquet"], kinds) as scores,
        SignatureWriter(judged[".signatures"]) as signatures,
    ):
        for table in read_tables(part.files):
            texts = table["text"].combine_chunks()
            hashes.write(_hash_texts(texts).data)
            places: list[list[int]] = [[] for _ in range(len(texts))]
            if labelled is not None and settings.decontaminate is not None:
                found.append(find_contaminated(texts, labelled, settings.decontaminate))
                places = _by_document(found[-1], texts)
            perplexity = np.full(len(texts), np.nan) if model is None else model.perplexities(texts)
            scores.write_table(pa.table([pa.array(perplexity), pa.array(places, kinds.field(1).type)], schema=kinds))
            if settings.near_duplicates is not None:
                signatures.add(sign(texts, language=part.language, settings=settings.near_duplicates))
    if labelled is None or settings.decontaminate is None:
        return {}
    return {"labelled": count_by_set(found, labelled, drop=settings.decontaminate.drop)}


def read_judged(part: Slice) -> Judged:
    """What :func:`judge_one` wrote of a slice, signatures and hashes aside."""
    table = load_pyarrow().parquet.read_table(part.judged.with_suffix(".parquet"))
    return Judged(table["perplexity"].to_numpy(), table["labelled"].to_pylist())


def index_one(language: str, settings: CorpusSettings, target: Path) -> dict[str, Any]:
    """Cut the labelled sets as texts of this language are, once for all languages of its division."""
    assert settings.decontaminate is not None
    shutil.rmtree(target, ignore_errors=True)
    index = index_sets(settings.decontaminate, language=language)
    index.save(target)
    return {"stretches": len(index.hashes)}


def _hash_texts(texts: Any) -> npt.NDArray[np.uint64]:
    digest = xxhash.xxh3_64_intdigest
    return np.fromiter((digest(text.encode()) for text in texts.to_pylist()), HASH_DTYPE, len(texts))


def _by_document(found: Contaminated, texts: Any) -> list[list[int]]:
    """Of each document, which of its lines hold labelled text."""
    places: list[list[int]] = [[] for _ in range(len(texts))]
    starts = np.cumsum(num_lines(texts)) - num_lines(texts)
    for document, line in zip(found.documents.tolist(), found.lines.tolist(), strict=True):
        places[document].append(line - int(starts[document]))
    return places


def _model(settings: CorpusSettings, language: str) -> LanguageModel | None:
    """The language's model, if there is one."""
    if settings.perplexity is None:
        return None
    folders = models_in(settings.perplexity.models)
    return LanguageModel.load(folders[language][0]) if language in folders else None


@functools.lru_cache(maxsize=3)
def _index(folder: Path) -> LabelledIndex:
    return LabelledIndex.load(folder)
