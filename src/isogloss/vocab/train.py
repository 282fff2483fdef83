"""Train a vocabulary: a SentencePiece model on raw text, languages sampled by q ∝ p^alpha from a corpus folder.

    manifest = train_vocabulary(VocabSettings(corpus=Path("corpus"), output=Path("vocab"), size=8000))

The folder holds ``sentencepiece.bpe.model``, the files Hugging Face loads, a report of each language's pieces and a
manifest. The same settings and corpus give the same bytes on any machine with the same version of SentencePiece.
"""

from __future__ import annotations

import io
import re
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import sentencepiece
from pydantic import Field
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from isogloss.config import Settings
from isogloss.corpus import Corpus
from isogloss.errors import DataError, VocabularyError
from isogloss.manifest import Manifest, building, finished, write_manifest
from isogloss.vocab.hub import write_hub_files
from isogloss.vocab.layout import MODEL_NAME, Vocabulary
from isogloss.vocab.report import measure_pieces, write_report
from isogloss.vocab.sample import LanguageSample, languages_with_text, plan_sample, sample_lines

__all__ = ["VocabSettings", "train_vocabulary"]

COMMAND = "isogloss vocab train"
# SentencePiece adds up its counts thread by thread, so another number of threads gives other last digits: a fixed
# number keeps the model the same on every machine.
NUM_THREADS = 16
# Ids that are not SentencePiece's own: <pad> and <mask>.
NUM_ADDED = 2


class VocabSettings(Settings):
    """Settings of ``isogloss vocab train``."""

    corpus: Path = Field(description="corpus folder to train on")
    output: Path = Field(description="vocab folder to write")
    size: int = Field(ge=8, description="how many ids in all, <s> <pad> </s> <unk> and <mask> included; XLM-R: 250002")
    languages: tuple[str, ...] = Field(default=(), description="languages of the corpus to train on; empty: all")
    alpha: float = Field(default=0.3, ge=0, le=1, description="languages are sampled by q ∝ p^alpha; 1: as they are")
    model_type: Literal["unigram", "bpe"] = Field(default="unigram", description="SentencePiece's model")
    character_coverage: float = Field(
        default=0.9995,
        ge=0.98,
        le=1,
        description="share of the sample's characters that get a piece; the rest is <unk>",
    )
    max_piece_length: int = Field(default=16, ge=1, le=64, description="longest piece, in characters")
    sample_bytes: int = Field(
        default=100_000_000, ge=1, description="most text to train on, in bytes; memory is about twenty times as much"
    )
    seed: int = Field(default=1, description="of the choice of lines")


def train_vocabulary(settings: VocabSettings) -> Manifest:
    """Train the vocabulary and write its folder; a finished folder of the same settings and corpus is returned as is.

    Raises VocabularyError when SentencePiece cannot reach exactly ``size`` ids, saying which size it could.
    """
    corpus = Corpus.open(settings.corpus)
    config = settings.model_dump(mode="json", exclude={"corpus", "output"})
    if (done := finished(settings.output, "vocab", config, [corpus.manifest], settings=settings)) is not None:
        return done
    statistics, warnings = languages_with_text(corpus.manifest, settings.languages, where=settings.corpus)
    plan = plan_sample(
        {code: counts["bytes"] for code, counts in statistics.items()},
        alpha=settings.alpha,
        sample_bytes=settings.sample_bytes,
    )
    with _progress() as progress:
        vocabulary = _train(_sample(corpus, plan, settings, progress), settings, progress)
        progress.add_task("measuring the pieces of each language")
        measured = {
            code: measure_pieces(vocabulary, corpus.documents(code), code, characters=counts["characters"])
            for code, counts in statistics.items()
        }
    with building(settings.output) as folder:
        shutil.rmtree(folder)
        folder.mkdir()
        (folder / MODEL_NAME).write_bytes(vocabulary.content)
        write_hub_files(folder, vocabulary)
        rows = write_report(folder, vocabulary, measured, plan)
        return write_manifest(
            folder,
            kind="vocab",
            command=COMMAND,
            config=config,
            parents=[corpus.manifest],
            statistics={
                "size": vocabulary.size,
                "fingerprint": vocabulary.fingerprint,
                "languages": rows,
                "warnings": warnings,
            },
        )


def _sample(
    corpus: Corpus, plan: Mapping[str, LanguageSample], settings: VocabSettings, progress: Progress
) -> list[bytes]:
    task = progress.add_task("sampling lines", total=len(plan))
    lines: list[bytes] = []
    for code, language_plan in plan.items():
        sampled = sample_lines(corpus.documents(code), language_plan, seed=f"{settings.seed}/{code}")
        # Half a surrogate pair has no UTF-8; it is no text to learn from either.
        lines.extend(line.encode("utf-8", errors="replace") for line in sampled)
        progress.advance(task)
    return lines


def _train(lines: list[bytes], settings: VocabSettings, progress: Progress) -> Vocabulary:
    if not lines:
        raise DataError(
            f"{settings.corpus}: the sample holds no line of text; raise sample_bytes ({settings.sample_bytes})"
        )
    progress.add_task(f"training {settings.size:,} pieces on {len(lines):,} lines")
    model = io.BytesIO()
    try:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(lines),
            model_writer=model,
            model_type=settings.model_type,
            vocab_size=settings.size - NUM_ADDED,
            character_coverage=settings.character_coverage,
            max_sentencepiece_length=settings.max_piece_length,
            num_threads=NUM_THREADS,
            minloglevel=2,
        )
    except RuntimeError as error:
        raise VocabularyError(_explain(str(error), settings, len(lines))) from None
    vocabulary = Vocabulary.from_bytes(model.getvalue())
    assert vocabulary.size == settings.size, f"SentencePiece gave {vocabulary.size} ids for {settings.size}"
    return vocabulary


def _explain(message: str, settings: VocabSettings, num_lines: int) -> str:
    """SentencePiece's reason in our numbers: its sizes are without <pad> and <mask>."""
    if match := re.search(r"Please set it to a value <= (\d+)", message):
        return (
            f"size = {settings.size} is more than {num_lines:,} lines of {settings.corpus} yield; "
            f"set size={int(match[1]) + NUM_ADDED} or lower, or give more text"
        )
    if match := re.search(r"smaller than required_chars\. \d+ vs (\d+)", message):
        return (
            f"size = {settings.size} is too small for the characters of {settings.corpus}; set "
            f"size={int(match[1]) + NUM_ADDED} or higher, or lower character_coverage ({settings.character_coverage})"
        )
    reason = message.removeprefix("INTERNAL: ").strip()
    return f"SentencePiece could not train {settings.size} pieces on {num_lines:,} lines of {settings.corpus}: {reason}"


def _progress() -> Progress:
    """A spinner on stderr with a line a stage; silent when stderr is not a terminal."""
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        disable=not sys.stderr.isatty(),
        transient=True,
    )
