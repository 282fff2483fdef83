"""Stock datatrove, step by step, in a virtual environment of its own. A child of benchmarks/corpus.py.

reading      WarcReader
dedup        sentence dedup as paragraph dedup: n_sentences = 1, a sentence is a line; its three stages, and without the
             limits on words and sentences of a document, which would cost it a tokenizer. The first copy stays
identify     LanguageFilter with its fastText model, threshold 0.5
minhash      MinhashDedupSignature with its defaults: 14 buckets of 8 hashes, 5-grams of English's tokenizer
chain        reading, dedup, identify, JSON lines; no language models, no decontamination, no near-duplicates
chain-more   the same and MinHash with all four stages
start        both chains with a few pages of each language
"""

from __future__ import annotations

import functools
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import measure
from datatrove.data import Document
from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.dedup import (
    MinhashDedupBuckets,
    MinhashDedupCluster,
    MinhashDedupFilter,
    MinhashDedupSignature,
    SentenceDedupFilter,
    SentenceDedupSignature,
    SentenceFindDedups,
)
from datatrove.pipeline.dedup.minhash import MinhashConfig
from datatrove.pipeline.dedup.sentence_dedup import SentDedupConfig
from datatrove.pipeline.filters import LanguageFilter
from datatrove.pipeline.readers import JsonlReader, WarcReader
from datatrove.pipeline.writers import JsonlWriter
from loguru import logger

PARAGRAPHS = SentDedupConfig(n_sentences=1, split_sentences=False, min_doc_words=0, min_num_sentences=0)
THRESHOLD = 0.5
# As ours; its own default, gzip, takes longer.
COMPRESSION = "zstd"


def documents_of(folder: Path) -> list[Document]:
    return [
        Document(text=one["text"], id=str(number), metadata={"truth": one["language"]})
        for number, one in enumerate(measure.read_documents(folder))
    ]


def counted(documents: Iterable[Document]) -> dict[str, int]:
    num_documents = num_characters = 0
    for document in documents:
        num_documents += 1
        num_characters += len(document.text)
    return {"documents": num_documents, "characters": num_characters}


def reading(folder: Path) -> measure.Work:
    # Here and below: what it imports when it begins is there before the clock starts.
    counted(WarcReader(str(folder), limit=1).run())
    return lambda: counted(WarcReader(str(folder)).run())


def dedup(folder: Path) -> measure.Work:
    documents = documents_of(folder)
    without_repeats(documents[:1], folder)
    return lambda: counted(without_repeats(documents, folder))


def without_repeats(documents: list[Document], folder: Path) -> list[Document]:
    """The documents without the lines that stood before."""
    with tempfile.TemporaryDirectory(dir=folder) as output:
        signatures, repeats = f"{output}/signatures", f"{output}/repeats"
        SentenceDedupSignature(signatures, config=PARAGRAPHS).run(documents)
        SentenceFindDedups(signatures, repeats, config=PARAGRAPHS).run()
        return list(SentenceDedupFilter(repeats, config=PARAGRAPHS).run(documents))


def identification(folder: Path) -> measure.Work:
    documents = documents_of(folder)
    step = LanguageFilter(language_threshold=THRESHOLD)
    list(step.run(documents[:1]))

    def work() -> Mapping[str, Any]:
        kept = list(step.run(documents))
        right = sum(one.metadata["language"] == one.metadata["truth"] for one in documents)
        return {"documents": len(kept), "right": right / len(documents)}

    return work


def minhash(folder: Path) -> measure.Work:
    documents = documents_of(folder)
    signed(documents[:1], folder)
    return lambda: signed(documents, folder)


def signed(documents: list[Document], folder: Path) -> dict[str, int]:
    with tempfile.TemporaryDirectory(dir=folder) as output:
        MinhashDedupSignature(output).run(documents)
    return {"documents": len(documents)}


def chain(folder: Path, *, with_minhash: bool = False) -> measure.Work:
    def work() -> Mapping[str, Any]:
        with tempfile.TemporaryDirectory(dir=folder) as output:
            stages, kept = lines_and_languages(folder, output), f"{output}/identified"
            if with_minhash:
                stages += near_duplicates(kept, output)
                kept = f"{output}/kept"
            for number, (tasks, stage) in enumerate(stages):
                LocalPipelineExecutor(stage, tasks=tasks, workers=1, logging_dir=f"{output}/log/{number}").run()
            return {"documents": counted(JsonlReader(kept).run())["documents"]}

    return work


def lines_and_languages(folder: Path, output: str) -> list[tuple[int, list[Any]]]:
    """(tasks, steps) of each stage. The WET files are read twice: that is faster than to write and read JSON lines."""
    return [
        (1, [WarcReader(str(folder / "wet")), SentenceDedupSignature(f"{output}/lines", config=PARAGRAPHS)]),
        (1, [SentenceFindDedups(f"{output}/lines", f"{output}/repeats", config=PARAGRAPHS)]),
        (
            1,
            [
                WarcReader(str(folder / "wet")),
                SentenceDedupFilter(f"{output}/repeats", config=PARAGRAPHS),
                LanguageFilter(language_threshold=THRESHOLD),
                JsonlWriter(f"{output}/identified", compression=COMPRESSION),
            ],
        ),
    ]


def near_duplicates(source: str, output: str) -> list[tuple[int, list[Any]]]:
    """The four stages of MinHash with their defaults; the second has a task for each bucket."""
    return [
        (1, [JsonlReader(source), MinhashDedupSignature(f"{output}/minhash")]),
        (MinhashConfig().num_buckets, [MinhashDedupBuckets(f"{output}/minhash", f"{output}/buckets")]),
        (1, [MinhashDedupCluster(f"{output}/buckets", f"{output}/clusters")]),
        (
            1,
            [
                JsonlReader(source),
                MinhashDedupFilter(f"{output}/clusters"),
                JsonlWriter(f"{output}/kept", compression=COMPRESSION),
            ],
        ),
    ]


STEPS = {
    "reading": lambda folder: reading(folder / "wet"),
    "reading-plain": lambda folder: reading(folder / "plain"),
    "dedup": dedup,
    "identify": identification,
    "minhash": minhash,
    "chain": chain,
    "chain-more": functools.partial(chain, with_minhash=True),
    "start": lambda folder: chain(folder / "few"),
    "start-more": lambda folder: chain(folder / "few", with_minhash=True),
}

if __name__ == "__main__":
    logger.remove()
    logger.add(sys.stderr, level="ERROR")
    measure.main(STEPS)
