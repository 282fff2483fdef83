"""isogloss, step by step, through the functions over batches that `isogloss corpus build` calls. A child of
benchmarks/corpus.py: documents come as Arrow columns of 256, as between the phases of a build.
"""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import measure
import numpy as np
import pyarrow as pa

from isogloss.config import load_recipe
from isogloss.corpus import CorpusSettings, build_corpus
from isogloss.corpus.decontaminate import DecontaminateSettings, LabelledSet, find_contaminated, index_sets
from isogloss.corpus.dedup.minhash import MinHashSettings, sign
from isogloss.corpus.dedup.paragraphs import append_hashes, hash_lines
from isogloss.corpus.dedup.repeats import RepeatSettings, find_repeats
from isogloss.corpus.identify.settings import IdentifySettings
from isogloss.corpus.identify.step import identify_batch
from isogloss.corpus.lm.score import LanguageModel
from isogloss.corpus.readers import ReadSettings, read_source
from isogloss.corpus.sources import find_sources
from isogloss.corpus.tally import Tally
from isogloss.languages import canonical_code

RECIPES = Path(__file__).resolve().parents[2] / "recipes" / "corpus"
BATCH_ROWS = 256


def batches(texts: Sequence[str]) -> list[Any]:
    """Arrow columns."""
    starts = range(0, len(texts), BATCH_ROWS)
    return [pa.array(texts[start : start + BATCH_ROWS], pa.large_string()) for start in starts]


def by_language(folder: Path) -> dict[str, list[Any]]:
    texts: dict[str, list[str]] = defaultdict(list)
    for document in measure.read_documents(folder):
        texts[document["language"]].append(document["text"])
    return {language: batches(some) for language, some in sorted(texts.items())}


def reading(folder: Path) -> measure.Work:
    # Loads the library, and reads the first records.
    next(documents_of(folder))

    def work() -> Mapping[str, Any]:
        num_documents = num_characters = 0
        for document in documents_of(folder):
            num_documents += 1
            num_characters += len(document.text)
        return {"documents": num_documents, "characters": num_characters}

    return work


def documents_of(folder: Path) -> Iterator[Any]:
    for source in find_sources(folder):
        yield from read_source(source, ReadSettings(), Tally(), languages=frozenset())


def without_repeats(columns: Sequence[Any], folder: Path, settings: RepeatSettings) -> list[str]:
    """Each text without the lines that stand anywhere again."""
    append_to = folder / "hashes"
    for column in columns:
        append_hashes(append_to, hash_lines(column))
    kept: list[str] = []
    with find_repeats([append_to], folder / "repeats", settings).source(0) as verdicts:
        for column in columns:
            for text in column.to_pylist():
                lines = text.split("\n")
                gone = verdicts.take(len(lines))
                if gone.any():
                    text = "\n".join([line for line, goes in zip(lines, gone.tolist(), strict=True) if not goes])
                kept.append(text)
    return kept


def dedup(folder: Path) -> measure.Work:
    columns = batches([document["text"] for document in measure.read_documents(folder)])
    # Makes the table of characters.
    hash_lines(columns[0][:1])

    def work() -> Mapping[str, Any]:
        with tempfile.TemporaryDirectory(dir=folder) as output:
            kept = without_repeats(columns, Path(output), RepeatSettings())
        return {"documents": sum(map(bool, kept)), "characters": sum(map(len, kept))}

    return work


def identification(folder: Path) -> measure.Work:
    documents = measure.read_documents(folder)
    columns, settings = batches([document["text"] for document in documents]), IdentifySettings()
    identify_batch(columns[0][:1], settings)

    def work() -> Mapping[str, Any]:
        found = [code for column in columns for code in identify_batch(column, settings).field("language").to_pylist()]
        right = sum(
            code.partition("-")[0] == document["language"] for code, document in zip(found, documents, strict=True)
        )
        return {"right": right / len(documents)}

    return work


def scoring(folder: Path) -> measure.Work:
    columns = by_language(folder)
    models = {language: LanguageModel.load(folder / "lm" / canonical_code(language)) for language in columns}

    def work() -> Mapping[str, Any]:
        values = [models[language].perplexities(column) for language, some in columns.items() for column in some]
        return {"perplexity": float(np.concatenate(values).mean())}

    return work


def minhash(folder: Path) -> measure.Work:
    columns, settings = by_language(folder), MinHashSettings()
    for language, some in columns.items():
        sign(some[0][:1], language=language, settings=settings)

    def work() -> Mapping[str, Any]:
        signed = [
            sign(column, language=language, settings=settings) for language, some in columns.items() for column in some
        ]
        return {"documents": sum(map(len, signed))}

    return work


def decontamination(folder: Path) -> measure.Work:
    columns = by_language(folder)
    settings = DecontaminateSettings(sets=(LabelledSet(name="labelled", path=folder / "labelled.txt"),))
    indexes = {language: index_sets(settings, language=language) for language in columns}

    def work() -> Mapping[str, Any]:
        found = [
            find_contaminated(column, indexes[language], settings)
            for language, some in columns.items()
            for column in some
        ]
        return {"lines": sum(len(one.lines) for one in found)}

    return work


def chain(folder: Path, recipe: str) -> measure.Work:
    """`isogloss corpus build recipes/corpus/RECIPE` with one worker."""

    def work() -> Mapping[str, Any]:
        with tempfile.TemporaryDirectory(dir=folder) as output:
            changes = {
                "input": folder / "wet",
                "output": f"{output}/corpus",
                "engine.workers": 1,
                "perplexity.models": folder / "lm",
            }
            if recipe == "full.toml":
                changes["decontaminate.sets"] = f'[{{name = "labelled", path = "{folder / "labelled.txt"}"}}]'
            words = [f"{name}={value}" for name, value in changes.items()]
            kept = build_corpus(load_recipe(RECIPES / recipe, CorpusSettings, words)).statistics["languages"]
        return {"documents": sum(of_language["documents"] for of_language in kept.values())}

    return work


STEPS = {
    "reading": lambda folder: reading(folder / "wet"),
    "reading-plain": lambda folder: reading(folder / "plain"),
    "dedup": dedup,
    "identify": identification,
    "perplexity": scoring,
    "minhash": minhash,
    "decontaminate": decontamination,
    "chain": lambda folder: chain(folder, "ccnet.toml"),
    "start": lambda folder: chain(folder / "few", "ccnet.toml"),
    "chain-more": lambda folder: chain(folder, "full.toml"),
    "start-more": lambda folder: chain(folder / "few", "full.toml"),
}

if __name__ == "__main__":
    measure.main(STEPS)
