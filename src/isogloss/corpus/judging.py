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

from isogloss.corpus.columns import read_tables, signatures_of
from isogloss.corpus.decontaminate import Contaminated, LabelledIndex, count_by_set, find_contaminated, index_sets
from isogloss.corpus.dedup.clusters import SignatureWriter
from isogloss.corpus.dedup.minhash import sign
from isogloss.corpus.dedup.normalise import num_lines
from isogloss.corpus.dedup.paragraphs import HASH_DTYPE
from isogloss.corpus.extras import load_pyarrow
from isogloss.corpus.lm.score import LanguageModel, models_in
from isogloss.corpus.settings import CorpusSettings
from isogloss.corpus.sources import FileState, file_state

__all__ = ["Slice", "index_one", "judge_one", "read_judged", "slices_of"]

# Of Parquet, some two and a half times as many bytes of text.
SLICE_BYTES = 1 << 28


class Slice(NamedTuple):
    """Neighbouring files of one language, judged together."""

    language: str
    files: tuple[Path, ...]
    judged: Path


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
    labelled = _index(index, file_state(index / "index.json")) if index is not None else None
    found: list[Contaminated] = []
    perplexity, places = [np.empty(0)], [pa.array([], pa.list_(pa.int32()))]
    with (
        part.judged.with_suffix(".texts").open("wb") as hashes,
        SignatureWriter(part.judged.with_suffix(".signatures")) as signatures,
    ):
        for table in read_tables(part.files):
            texts = table["text"].combine_chunks()
            hashes.write(_hash_texts(texts).data)
            perplexity.append(np.full(len(texts), np.nan) if model is None else model.perplexities(texts))
            if labelled is not None and settings.decontaminate is not None:
                found.append(find_contaminated(texts, labelled, settings.decontaminate))
            places.append(_by_document(found[-1] if found else None, texts))
            if (chosen := settings.near_duplicates) is not None:
                # Where lines have gone, phase three has signed what the texts were before.
                is_signed = not table["signature"].null_count
                signed = signatures_of(table["signature"]) if is_signed else None
                signatures.add(sign(texts, language=part.language, settings=chosen) if signed is None else signed)
    judged = {"perplexity": pa.array(np.concatenate(perplexity)), "labelled": pa.concat_arrays(places)}
    pa.parquet.write_table(pa.table(judged), part.judged.with_suffix(".parquet"))
    if labelled is None or settings.decontaminate is None:
        return {}
    return {"labelled": count_by_set(found, labelled, drop=settings.decontaminate.drop)}


def read_judged(slices: Sequence[Slice]) -> Any:
    """An Arrow table of what :func:`judge_one` wrote of a language's documents, signatures and hashes aside:
    ``perplexity`` (NaN where nothing scored) and ``labelled``, the places of lines that hold labelled text."""
    pa = load_pyarrow()
    parts = [pa.parquet.read_table(part.judged.with_suffix(".parquet")) for part in slices]
    return pa.concat_tables(parts).combine_chunks()


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


def _by_document(found: Contaminated | None, texts: Any) -> Any:
    """Of each document, which of its lines hold labelled text: an Arrow list of int32."""
    pa = load_pyarrow()
    places, counts = np.empty(0, np.int64), np.zeros(len(texts), np.int64)
    if found is not None and len(found.documents):
        starts = np.concatenate(([0], np.cumsum(num_lines(texts))))
        places = found.lines - starts[found.documents]
        counts = np.bincount(found.documents, minlength=len(texts))
    offsets = pa.array(np.concatenate(([0], np.cumsum(counts))), pa.int32())
    return pa.ListArray.from_arrays(offsets, pa.array(places, pa.int32()))


def _model(settings: CorpusSettings, language: str) -> LanguageModel | None:
    """The language's model, if there is one."""
    if settings.perplexity is None:
        return None
    folders = models_in(settings.perplexity.models)
    return LanguageModel.load(folders[language][0]) if language in folders else None


@functools.lru_cache(maxsize=3)
def _index(folder: Path, state: FileState) -> LabelledIndex:
    """The index that was saved in this state: one process may build several corpora."""
    return LabelledIndex.load(folder)
