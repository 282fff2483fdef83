"""Which documents of a language go because of others, or for their scores: an array of reasons, in stated memory.

    decision = decide("sw", slices, settings, work)
    decision.goes                  # 0 where a document stays, else 1 + the place of its reason in REASONS

A document goes as the same as an earlier one, as labelled, for its perplexity, or as a near-duplicate of one that the
first three leave. Memory: what ``duplicate_memory_bytes`` and ``near_duplicates.memory_bytes`` say, one after the
other, and beside them some 15 bytes for each document of the language, 24 more with near-duplicates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from isogloss.corpus.columns import Mask
from isogloss.corpus.dedup.clusters import SIGNATURE_DTYPE, find_clusters
from isogloss.corpus.dedup.minhash import MinHashSettings
from isogloss.corpus.dedup.repeats import RepeatSettings, find_repeats
from isogloss.corpus.judging import Slice, read_judged
from isogloss.corpus.lm.cutoffs import ALL, BUCKETS, Cutoffs
from isogloss.corpus.lm.score import read_cutoffs
from isogloss.corpus.lm.step import PerplexitySettings, corpus_cutoffs
from isogloss.corpus.settings import CorpusSettings

__all__ = ["REASONS", "Decision", "decide"]

REASONS = ("duplicate-document", "labelled-document", *(f"perplexity-{bucket}" for bucket in BUCKETS), "near-duplicate")
_DUPLICATE, _LABELLED, _BUCKETS, _NEAR = 1, 2, 3, len(REASONS)
# Where a histogram of perplexities is divided.
PERPLEXITY_BOUNDS = np.round(np.geomspace(1, 1e6, 61), 2)
SIGNATURES_AT_A_TIME = 1 << 12


@dataclass(frozen=True)
class Decision:
    """For each document of a language: why it ``goes``, its ``perplexity``, its bucket's place in BUCKETS, and which
    of its lines are ``labelled`` (an Arrow list of int32)."""

    goes: npt.NDArray[np.uint8]
    perplexity: npt.NDArray[np.float64]
    buckets: npt.NDArray[np.uint8]
    labelled: Any
    cutoffs: Cutoffs | None

    def histogram(self) -> dict[str, Any]:
        """Perplexities of the language and where they are cut, for the report; empty where nothing was scored."""
        values = np.clip(self.perplexity[np.isfinite(self.perplexity)], PERPLEXITY_BOUNDS[0], PERPLEXITY_BOUNDS[-1])
        if not len(values):
            return {}
        counts, _ = np.histogram(values, PERPLEXITY_BOUNDS)
        head, middle = (self.cutoffs.head, self.cutoffs.middle) if self.cutoffs else (None, None)
        return {"bounds": PERPLEXITY_BOUNDS.tolist(), "counts": counts.tolist(), "head": head, "middle": middle}


def decide(language: str, slices: Sequence[Slice], settings: CorpusSettings, work: Path) -> Decision:
    """Compare the documents of a language; ``work`` is a folder for what does not fit into memory."""
    judged = read_judged(slices)
    perplexity, labelled = judged["perplexity"].to_numpy(), judged["labelled"].combine_chunks()
    goes = np.zeros(len(perplexity), np.uint8)
    buckets, cutoffs = np.full(len(goes), BUCKETS.index(ALL), np.uint8), None
    if settings.perplexity is not None:
        cutoffs = _cutoffs(language, perplexity, settings.perplexity)
        if cutoffs is not None:
            buckets = _places(cutoffs.buckets(perplexity))
        unwanted = ~np.isin(buckets, [BUCKETS.index(bucket) for bucket in settings.perplexity.keep])
        goes[unwanted] = _BUCKETS + buckets[unwanted]
    if settings.decontaminate is not None and settings.decontaminate.drop == "document":
        goes[labelled.value_lengths().to_numpy() > 0] = _LABELLED
    if settings.drop_duplicate_documents:
        goes[_duplicates(slices, settings.duplicate_memory_bytes, work)] = _DUPLICATE
    if settings.near_duplicates is not None:
        goes[_near_duplicates(slices, goes > 0, settings.near_duplicates, work)] = _NEAR
    return Decision(goes, perplexity, buckets, labelled, cutoffs)


def _cutoffs(language: str, perplexity: npt.NDArray[np.float64], settings: PerplexitySettings) -> Cutoffs | None:
    if settings.cutoffs_from == "corpus":
        return corpus_cutoffs({language: perplexity}, settings).get(language)
    return read_cutoffs(settings.models, language)


def _places(names: npt.NDArray[np.str_]) -> npt.NDArray[np.uint8]:
    places = np.zeros(len(names), np.uint8)
    for place, bucket in enumerate(BUCKETS):
        places[names == bucket] = place
    return places


def _duplicates(slices: Sequence[Slice], memory_bytes: int, work: Path) -> Mask:
    """Documents whose text, by a hash of 64 bits, stood in an earlier one of the language."""
    files = [part.judged.with_suffix(".texts") for part in slices]
    found = find_repeats(files, work / "duplicates", RepeatSettings(rule="first", memory_bytes=memory_bytes))
    gone = []
    for number, count in enumerate(found.lines):
        with found.source(number) as verdicts:
            gone.append(verdicts.take(count))
    return np.concatenate(gone)


def _near_duplicates(slices: Sequence[Slice], gone: Mask, settings: MinHashSettings, work: Path) -> Any:
    """Places of documents that resemble an earlier one that is not gone."""
    row = settings.num_hashes * SIGNATURE_DTYPE.itemsize
    start = 0
    with (work / "signatures").open("wb") as together:
        for part in slices:
            with part.judged.with_suffix(".signatures").open("rb") as file:
                while block := file.read(SIGNATURES_AT_A_TIME * row):
                    signatures = np.frombuffer(bytearray(block), SIGNATURE_DTYPE).reshape(-1, settings.num_hashes)
                    # The signature of a text without words, which resembles none.
                    signatures[gone[start : start + len(signatures)]] = 2**32 - 1
                    together.write(signatures.data)
                    start += len(signatures)
    return find_clusters(work / "signatures", settings).gone
