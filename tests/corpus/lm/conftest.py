"""What the tests of language models share: a pure-Python Kneser-Ney from the formulas, and a reader of ARPA files."""

from __future__ import annotations

import gzip
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from isogloss.corpus.lm.arpa import write_arpa
from isogloss.corpus.lm.counting import adjust_counts, count_windows
from isogloss.corpus.lm.kneser_ney import estimate, find_discounts, read_probabilities
from isogloss.corpus.lm.sorting import Packing
from isogloss.corpus.lm.train import LanguageModelSettings, train_models

Gram = tuple[str, ...]
Entries = dict[Gram, tuple[float, float]]
FALLBACK = (0.5, 1.0, 1.5)


def reference(lines: Sequence[Sequence[str]], order: int, thresholds: Sequence[int]) -> Entries:
    """Every kept n-gram with its probability and backoff weight in log10, by the formulas and nothing else."""
    raw: dict[int, Counter[Gram]] = {n: Counter() for n in range(1, order + 1)}
    for line in lines:
        words = ("<s>", *line, "</s>")
        for n in range(1, order + 1):
            raw[n].update(words[i : i + n] for i in range(len(words) - n + 1))
    del raw[1][("<s>",)]
    adjusted: dict[int, dict[Gram, int]] = {order: dict(raw[order])}
    for n in range(1, order):
        before: defaultdict[Gram, set[str]] = defaultdict(set)
        for gram in raw[n + 1]:
            before[gram[1:]].add(gram[0])
        adjusted[n] = {gram: raw[n][gram] if gram[0] == "<s>" else len(before[gram]) for gram in raw[n]}
    num_words = len(raw[1]) + 1  # </s> is counted, <unk> is not
    probability: dict[Gram, float] = {}
    backoff: dict[Gram, float] = {}
    for n in range(1, order + 1):
        have = Counter(adjusted[n].values())
        discounts = find_discounts([have[count] for count in (1, 2, 3, 4)], length=n, fallback=FALLBACK).amounts
        total: Counter[Gram] = Counter()
        taken: defaultdict[Gram, float] = defaultdict(float)
        for gram, count in adjusted[n].items():
            total[gram[:-1]] += count
            pruned = n > 1 and raw[n][gram] <= thresholds[n - 1]
            taken[gram[:-1]] += count if pruned else discounts[min(count, 3) - 1]
        for gram, count in adjusted[n].items():
            lower = probability[gram[1:]] if n > 1 else 1 / num_words
            pruned = n > 1 and raw[n][gram] <= thresholds[n - 1]
            own = 0.0 if pruned else (count - discounts[min(count, 3) - 1]) / total[gram[:-1]]
            probability[gram] = own + taken[gram[:-1]] / total[gram[:-1]] * lower
        if n == 1:
            probability[("<unk>",)] = taken[()] / total[()] / num_words
            probability[("<s>",)] = 1.0
        for context in total:
            backoff[context] = taken[context] / total[context]
    return {
        gram: (math.log10(min(p, 1.0)), math.log10(backoff.get(gram, 1.0)))
        for gram, p in probability.items()
        if len(gram) == 1 or raw[len(gram)][gram] > thresholds[len(gram) - 1]
    }


def read_arpa(path: Path) -> Entries:
    """The n-grams of a gzipped ARPA file, after checking that its head counts them."""
    entries: Entries = {}
    said: dict[int, int] = {}
    for line in gzip.decompress(path.read_bytes()).decode().split("\n"):
        if line.startswith("ngram "):
            length, count = line.removeprefix("ngram ").split("=")
            said[int(length)] = int(count)
        elif "\t" in line:
            probability, words, *backoff = line.split("\t")
            entries[tuple(words.split(" "))] = float(probability), float(backoff[0]) if backoff else 0.0
    assert Counter(said) == Counter(len(gram) for gram in entries)
    return entries


def log_probability(entries: Entries, context: Gram, word: str) -> float:
    """log10 p(word | context) by backing off, as every reader of ARPA files does."""
    if (*context, word) in entries:
        return entries[(*context, word)][0]
    if not context:
        return entries[("<unk>",)][0]
    return (entries[context][1] if context in entries else 0.0) + log_probability(entries, context[1:], word)


@pytest.fixture
def estimate_arpa() -> Callable[..., Path]:
    """Lines of words → an ARPA file by the trainer's own stages."""

    def run(
        folder: Path, lines: Sequence[Sequence[str]], *, order: int, thresholds: Sequence[int], memory: int
    ) -> Path:
        words = ["<unk>", "<s>", "</s>", *sorted({word for line in lines for word in line})]
        ids = {word: number for number, word in enumerate(words)}
        tokens = np.array([ids[word] for line in lines for word in (*line, "</s>")], np.uint32)
        (folder / "tokens.bin").write_bytes(tokens.tobytes())
        packing = Packing(max(len(words) - 1, 1).bit_length())
        windows = count_windows(folder / "tokens.bin", folder / "runs", order=order, packing=packing, memory=memory)
        facts = adjust_counts(windows, folder, order=order, packing=packing, thresholds=thresholds)
        discounts = [find_discounts(one["counts_of_counts"], length=one["length"], fallback=FALLBACK) for one in facts]
        estimate(folder, facts, discounts, packing, memory=memory)
        write_arpa(
            folder / "lm.arpa.gz",
            words,
            [one["kept"] for one in facts],
            lambda length: read_probabilities(folder, facts, length, packing, memory=memory),
        )
        return folder / "lm.arpa.gz"

    return run


def sentences(number: int, *, seed: int, num_words: int = 300) -> list[str]:
    """Lines of invented words, some of them far more frequent than others."""
    rng = np.random.default_rng(seed)
    words = ["".join(rng.choice(list("abdefgiklmnoprstu"), size=rng.integers(2, 8))) for _ in range(num_words)]
    return [
        " ".join(words[min(int(rank), num_words - 1)] for rank in rng.zipf(1.3, size=rng.integers(3, 14)))
        for _ in range(number)
    ]


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model of one invented language, xx."""
    folder = tmp_path_factory.mktemp("models")
    (folder / "xx.txt").write_text("\n\n".join(sentences(400, seed=7)), encoding="utf-8")
    train_models(
        LanguageModelSettings(
            input=folder / "xx.txt", output=folder / "lm", num_pieces=150, bytes_a_piece=50, order=3, held_out_every=10
        )
    )
    return folder / "lm"


def arrow(texts: Sequence[str]) -> Any:
    return pa.array(list(texts), pa.large_string())
