"""Training a language model from any clean text: SentencePiece, 5-grams, modified Kneser-Ney, cutoffs.

    trained = train_models(LanguageModelSettings(input="texts/sw.txt", languages="sw", output="lm"))

``lm/sw`` then holds the SentencePiece model (its normaliser included), the ARPA file that kenlm reads, the cutoffs of
the held-out documents and a manifest; each further language lies beside. The work of a language is done in stages, each
kept when the training is killed: the same command goes on from there, and gives the same bytes.

Whatever the text, the work takes no more than ``memory_mb`` and, beside it, ``BESIDE_MB``: the rules of the normaliser
while they are compiled, SentencePiece's own model, and one document of the size that readers give. Not among that are
what the program loads before it begins and the cutoffs, which load the finished model, as every use of it will (see
:mod:`isogloss.corpus.lm.score`).
"""

from __future__ import annotations

import itertools
import json
import random
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import xxhash
from pydantic import Field, field_validator
from rich.console import Console
from rich.progress import Progress

from isogloss.config import Settings
from isogloss.corpus.extras import load_kenlm, load_pyarrow
from isogloss.corpus.lm.arpa import has_build_binary, make_binary, write_arpa
from isogloss.corpus.lm.counting import adjust_counts, count_windows
from isogloss.corpus.lm.cutoffs import Cutoffs, CutoffSettings
from isogloss.corpus.lm.kneser_ney import Discounts, estimate, find_discounts, read_probabilities
from isogloss.corpus.lm.normalise import NormalisationSettings
from isogloss.corpus.lm.pieces import CACHED_WORDS, EOS, Pieces, cut_line, train_pieces, with_normaliser
from isogloss.corpus.lm.score import ARPA_NAME, BINARY_NAME, CUTOFFS_NAME, PIECES_NAME, LanguageModel
from isogloss.corpus.lm.sorting import Packing, write_records
from isogloss.corpus.lm.text import TrainingText
from isogloss.errors import ConfigError, DataError
from isogloss.manifest import Manifest, building, finished, write_json, write_manifest

__all__ = ["LanguageModelSettings", "TrainedModels", "train_models"]

COMMAND = "isogloss corpus lm train"
MEBIBYTE = 1 << 20
# Measured: SentencePiece takes up to so many times its text while it trains.
PIECES_MEMORY = 25
# What stands beside memory_mb, in MiB; a test holds the sum.
BESIDE_MB = 64
# A quarter of the memory is for a batch of text, a quarter for the words that are kept: measured where each is new.
CHARACTER_MEMORY = 128
WORD_MEMORY = 256
MAX_BATCH_CHARACTERS = 1 << 20
# In bytes; a longer line counts as several. Whatever the memory, so that the model does not depend on it.
LONGEST_LINE = 1 << 16


class LanguageModelSettings(Settings):
    """Settings of ``isogloss corpus lm train``."""

    input: Path = Field(description="clean text: a corpus folder, a folder of LANG.txt, .jsonl or .parquet, or a file")
    output: Path = Field(description="folder to write, with a sub-folder for each language")
    languages: tuple[str, ...] = Field((), description="BCP 47 codes of the languages to train; none: all of the input")
    order: int = Field(5, ge=2, le=6, description="words in the longest n-gram")
    num_pieces: int = Field(65_536, ge=8, description="most pieces of the SentencePiece model")
    bytes_a_piece: int = Field(200, ge=1, description="a smaller text has one piece for so many bytes of it")
    sentencepiece: Path | None = Field(None, description="a SentencePiece model to take; none: one is trained")
    normalisation: NormalisationSettings = Field(
        NormalisationSettings(), description="what is made alike first, in training and in scoring"
    )
    sample_bytes: int = Field(
        100_000_000, ge=1, description="most text to train SentencePiece on, in bytes; memory_mb bounds it too"
    )
    prune: tuple[int, ...] = Field(
        (),
        description="counts up to which n-grams of 1, 2, … words are left out, the last for longer ones",
    )
    discount_fallback: tuple[float, float, float] | None = Field(
        (0.5, 1.0, 1.5), description="discounts where a text is too small to have its own (lmplz's); none: refuse it"
    )
    held_out_every: int = Field(50, ge=0, description="one in so many documents is held out for the cutoffs; 0: none")
    cutoffs: CutoffSettings = Field(CutoffSettings(), description="percentiles of the held-out documents to cut at")
    memory_mb: int = Field(1024, ge=16, description=f"most memory to work in, in MiB; some {BESIDE_MB} stand beside it")
    binary: Literal["auto", "yes", "no"] = Field(
        "auto", description="kenlm's binary file beside the ARPA; auto: if its program build_binary is on the PATH"
    )
    seed: int = Field(1, description="of the choice of lines for SentencePiece")

    @field_validator("languages", mode="before")
    @classmethod
    def _one_or_more(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

    @field_validator("prune")
    @classmethod
    def _ascending(cls, prune: tuple[int, ...]) -> tuple[int, ...]:
        if prune and (prune[0] != 0 or list(prune) != sorted(prune)):
            raise ValueError("give 0 first, as single words are never pruned, and then no number below the one before")
        return prune

    def thresholds(self) -> list[int]:
        """The threshold of each order."""
        return [self.prune[min(place, len(self.prune) - 1)] if self.prune else 0 for place in range(self.order)]


@dataclass(frozen=True)
class TrainedModels:
    """The manifest of each language's folder."""

    languages: dict[str, Manifest]


def train_models(settings: LanguageModelSettings) -> TrainedModels:
    """Train every language that is not finished yet.

    Raises DataError or VocabularyError for text that gives no model, FolderError for a folder made otherwise or a full
    disk, ConfigError for settings that ask for what is not there.
    """
    if settings.binary == "yes" and not has_build_binary():
        raise ConfigError("binary=yes needs kenlm's program build_binary on the PATH; binary=no does without it")
    if settings.held_out_every:
        load_kenlm()
    text = TrainingText.open(settings.input, settings.languages)
    with Progress(console=Console(stderr=True), disable=not sys.stderr.isatty()) as progress:
        return TrainedModels({code: _Training(text, code, settings, progress).run() for code in text.languages})


class _Training:
    """One language on its way from text to folder."""

    def __init__(self, text: TrainingText, language: str, settings: LanguageModelSettings, progress: Progress) -> None:
        self._text = text
        self._language = language
        self._settings = settings
        self._progress = progress
        self._memory = settings.memory_mb * MEBIBYTE

    def run(self) -> Manifest:
        settings, target = self._settings, self._settings.output / self._language
        outside = {"input", "output", "languages", "memory_mb", "sentencepiece"}
        config = settings.model_dump(mode="json", exclude=outside)
        config |= {"language": self._language, "text": self._text.identity(self._language)}
        if settings.sentencepiece is not None:
            config["sentencepiece"] = _read_model(settings.sentencepiece)[1]
        self._work = target.with_name(f"{target.name}.work")
        if (done := finished(target, "lm", config, self._text.parents())) is not None:
            shutil.rmtree(self._work, ignore_errors=True)
            return done
        with building(target) as folder:
            self._folder = folder
            self._prepare(config)
            chosen = self._stage("pieces", self._choose_pieces)
            read, words = self._read_text()
            self._orders = self._stage("counts", self._count)
            discounts = self._stage("estimates", self._estimate)
            self._stage("arpa", lambda: self._write_arpa(words))
            cutoffs = self._stage("cutoffs", self._find_cutoffs)
            statistics = {**chosen, **read, "orders": self._with_discounts(discounts), "cutoffs": cutoffs}
            statistics["warnings"] = [
                f"{length}-grams have the fallback discounts: {discount['reason']}"
                for length, discount in enumerate(discounts, start=1)
                if discount["reason"]
            ]
            parents = self._text.parents()
            manifest = write_manifest(
                folder, kind="lm", command=COMMAND, config=config, parents=parents, statistics=statistics
            )
        shutil.rmtree(self._work)
        return manifest

    def _prepare(self, config: dict[str, Any]) -> None:
        """Keep what an earlier attempt left if it was made by the same settings from the same text."""
        plan = json.loads(json.dumps({"config": config, "parents": [one.fingerprint for one in self._text.parents()]}))
        plan_file = self._work / "plan.json"
        if not plan_file.exists() or json.loads(plan_file.read_text(encoding="utf-8")) != plan:
            shutil.rmtree(self._work, ignore_errors=True)
            shutil.rmtree(self._folder)
            self._folder.mkdir()
            self._work.mkdir()
            write_json(plan_file, plan)

    def _stage(self, name: str, work: Callable[[], Any]) -> Any:
        """What ``work`` gives, now or in an earlier attempt that was stopped later."""
        done = self._work / f"{name}.json"
        task = self._progress.add_task(f"{self._language}: {name}", total=None)
        if not done.exists():
            write_json(done, work())
        self._progress.update(task, total=1, completed=1)
        return json.loads(done.read_text(encoding="utf-8"))

    def _choose_pieces(self) -> dict[str, Any]:
        settings = self._settings
        if settings.sentencepiece is not None:
            model = with_normaliser(_read_model(settings.sentencepiece)[0], settings.normalisation)
        else:
            num_bytes = self._text.num_bytes(self._language)
            num_pieces = min(settings.num_pieces, max(num_bytes // settings.bytes_a_piece, 8))
            model = train_pieces(self._sample(num_bytes), num_pieces=num_pieces, normalisation=settings.normalisation)
        (self._folder / PIECES_NAME).write_bytes(model)
        return {"pieces": len(Pieces(model).words)}

    def _sample(self, num_bytes: int) -> Iterator[str]:
        most = min(self._settings.sample_bytes, self._memory // PIECES_MEMORY)
        draw = random.Random(f"{self._settings.seed}/{self._language}")
        share = most / max(num_bytes, 1)
        taken = 0
        for line in self._training_lines():
            if share >= 1 or draw.random() < share:
                taken += len(line.encode())
                if taken > most and share < 1:
                    return
                yield line

    def _read_text(self) -> tuple[dict[str, Any], tuple[str, ...]]:
        """The text as ids, and the words that those are; what was needed for it is let go."""
        cached_words = min(self._memory // 4 // WORD_MEMORY, CACHED_WORDS)
        pieces = Pieces((self._folder / PIECES_NAME).read_bytes(), cached_words=cached_words)
        self._packing = Packing(max(len(pieces.words) - 1, 1).bit_length())
        return self._stage("tokens", lambda: self._tokenise(pieces)), pieces.words

    def _tokenise(self, pieces: Pieces) -> dict[str, Any]:
        pa = load_pyarrow()
        lines = tokens = num_bytes = 0
        with (self._work / "tokens.bin").open("wb") as stream:
            for batch in self._batches(self._training_lines()):
                ids = pieces.encode_ids(pa.array(batch, pa.large_string()))
                # A line of which nothing is known says nothing. Every batch begins after the end of a line.
                ids = ids[(ids != EOS) | (np.append(np.uint32(EOS), ids[:-1]) != EOS)]
                write_records(stream, ids)
                lines, tokens = lines + len(batch), tokens + len(ids)
                num_bytes += sum(len(line.encode()) for line in batch)
        if not tokens:
            raise DataError(
                f"{self._text.input} has no text in '{self._language}' that its pieces can write; give more"
            )
        return {"lines": lines, "tokens": tokens, "bytes": num_bytes}

    def _count(self) -> list[dict[str, Any]]:
        settings = self._settings
        windows = count_windows(
            self._work / "tokens.bin",
            self._work / "runs",
            order=settings.order,
            packing=self._packing,
            memory=self._memory // 2,
        )
        thresholds = settings.thresholds()
        return adjust_counts(windows, self._work, order=settings.order, packing=self._packing, thresholds=thresholds)

    def _estimate(self) -> list[dict[str, Any]]:
        fallback = self._settings.discount_fallback
        discounts = [
            find_discounts(facts["counts_of_counts"], length=facts["length"], fallback=fallback)
            for facts in self._orders
        ]
        estimate(self._work, self._orders, discounts, self._packing, memory=self._memory)
        return [asdict(discount) for discount in discounts]

    def _with_discounts(self, discounts: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [
            facts | {"discounts": list(Discounts(**discount).amounts)}
            for facts, discount in zip(self._orders, discounts, strict=True)
        ]

    def _write_arpa(self, words: Sequence[str]) -> dict[str, Any]:
        arpa, binary = self._folder / ARPA_NAME, self._folder / BINARY_NAME
        counts = [facts["kept"] for facts in self._orders]
        memory = self._memory // 4
        write_arpa(
            arpa,
            words,
            counts,
            lambda length: read_probabilities(self._work, self._orders, length, self._packing, memory=memory),
        )
        if self._settings.binary == "yes" or (self._settings.binary == "auto" and has_build_binary()):
            make_binary(arpa, binary)
        return {}

    def _find_cutoffs(self) -> dict[str, Any] | None:
        every = self._settings.held_out_every
        held_out = self._text.held_out(self._language, every)
        first = next(held_out, None)
        cutoffs = None
        if first is not None:
            name = BINARY_NAME if (self._folder / BINARY_NAME).exists() else ARPA_NAME
            model = LanguageModel(self._folder / PIECES_NAME, self._folder / name)
            perplexities: list[float] = []
            for batch in self._batches(itertools.chain([first], held_out)):
                perplexities.extend(model.perplexities(batch).tolist())
            cutoffs = Cutoffs.of(perplexities, self._settings.cutoffs)
        values = None if cutoffs is None else cutoffs.to_json()
        write_json(self._folder / CUTOFFS_NAME, values)
        return values

    def _training_lines(self) -> Iterator[str]:
        for text in self._text.training(self._language, self._settings.held_out_every):
            for line in text.split("\n"):
                yield from filter(str.strip, cut_line(line, LONGEST_LINE))

    def _batches(self, texts: Iterator[str]) -> Iterator[list[str]]:
        """Lists of as much text as the memory has room for."""
        most = min(self._memory // 4 // CHARACTER_MEMORY, MAX_BATCH_CHARACTERS)
        batch: list[str] = []
        size = 0
        for text in texts:
            if batch and size + len(text) > most:
                yield batch
                batch, size = [], 0
            batch.append(text)
            size += len(text)
        if batch:
            yield batch


def _read_model(path: Path) -> tuple[bytes, str]:
    """A SentencePiece file and its hash."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"sentencepiece {path} cannot be read ({error.strerror}); give a .model file") from None
    return content, xxhash.xxh3_128_hexdigest(content)
