"""Train a vocabulary: a SentencePiece model on raw text, languages sampled by q ∝ p^alpha from a corpus folder.

Text is read once. What is kept of it are its words and how often each comes, languages weighted, so the memory does not
grow with the corpus: words are counted on disk (``counting``), as many are chosen as there is room for (``choosing``),
and SentencePiece is trained on those (``learning``).

    manifest = train_vocabulary(VocabSettings(corpus=Path("corpus"), output=Path("vocab"), size=8000))

The folder holds ``sentencepiece.bpe.model``, the files Hugging Face loads, a report of each language's pieces and a
manifest. The same settings and corpus give the same bytes on any machine with the same version of SentencePiece.
"""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

import sentencepiece
from pydantic import Field
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from isogloss.config import Settings
from isogloss.corpus import Corpus
from isogloss.errors import DataError, VocabularyError
from isogloss.manifest import Manifest, building, finished, room_for, write_manifest
from isogloss.vocab.choosing import KeptWords, choose_alphabet, keep_words
from isogloss.vocab.comparing import measure
from isogloss.vocab.counting import WordCounts
from isogloss.vocab.excerpts import Excerpt
from isogloss.vocab.hub import write_hub_files
from isogloss.vocab.layout import MODEL_NAME, Vocabulary
from isogloss.vocab.learning import NUM_ADDED, Asked, learn_pieces
from isogloss.vocab.measuring import Subject
from isogloss.vocab.report import write_report
from isogloss.vocab.sample import LanguageSample, languages_with_text, plan_sample, sample_text
from isogloss.vocab.words import NORMALISATION, normalised, words_of

__all__ = ["VocabSettings", "train_vocabulary"]

COMMAND = "isogloss vocab train"
WORDS_NAME = "words.tsv"
EXCERPT_SUFFIX = ".lines.json"
# Its report calls it so: where its folder lies, and under which name, is no part of it.
REPORTED_NAME = "vocabulary"
MEBIBYTE = 1 << 20


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
    span: int = Field(
        default=32,
        ge=4,
        le=64,
        description="a word of more characters, as in languages written without spaces, is counted in parts of so many",
    )
    memory_mb: int = Field(
        default=4096,
        ge=16,
        description="most memory to work in, in MiB; where the words take more, the rare ones stand for each other",
    )
    sample_bytes: int | None = Field(
        default=None, ge=1, description="most text to train on, in bytes; none: every line of every language"
    )
    seed: int = Field(default=1, description="of the choice of lines under sample_bytes")


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
        vocabulary, words, measured = _train(corpus, plan, settings, progress)
    with building(settings.output) as folder:
        shutil.rmtree(folder)
        folder.mkdir()
        (folder / MODEL_NAME).write_bytes(vocabulary.content)
        write_hub_files(folder, vocabulary)
        write_report(folder, measured)
        return write_manifest(
            folder,
            kind="vocab",
            command=COMMAND,
            config=config,
            parents=[corpus.manifest],
            statistics={
                "size": vocabulary.size,
                "fingerprint": vocabulary.fingerprint,
                "words": words,
                "languages": {
                    code: {**measured["sample"][code], **row}
                    for code, row in measured["vocabularies"][REPORTED_NAME]["languages"].items()
                },
                "warnings": warnings,
            },
        )


def _train(
    corpus: Corpus, plan: Mapping[str, LanguageSample], settings: VocabSettings, progress: Progress
) -> tuple[Vocabulary, dict[str, Any], dict[str, Any]]:
    """The vocabulary, what is told of the words it was trained on, and what its report is made from."""
    memory = settings.memory_mb * MEBIBYTE
    asked = Asked(settings.size, settings.model_type, settings.max_piece_length, memory)
    work = settings.output.with_name(f"{settings.output.name}.work")
    with WordCounts(work, memory=memory) as counts, room_for(work):
        _count(counts, corpus, plan, settings, work, progress)
        alphabet = choose_alphabet(counts.characters(), coverage=settings.character_coverage)
        if not alphabet:
            raise DataError(f"{settings.corpus}: the sample holds no text; raise sample_bytes")
        room = asked.room(alphabet)
        with _stage(progress, "choosing words"):
            kept = keep_words(counts, work / WORDS_NAME, alphabet, room=room)
        with _stage(progress, f"training {settings.size:,} pieces on {kept.num_words:,} words"):
            try:
                content = learn_pieces(kept, asked, work)
            except RuntimeError as error:
                raise VocabularyError(_explain(str(error), settings, kept)) from None
        vocabulary = Vocabulary.from_bytes(content)
        assert vocabulary.size == settings.size, f"SentencePiece gave {vocabulary.size} ids for {settings.size}"
        measured = _measure(vocabulary, plan, work, progress)
    words = {
        "met": kept.num_met,
        "kept": kept.num_words,
        "characters": kept.num_characters,
        "floor": kept.floor,
        "alphabet": len(alphabet),
    }
    return vocabulary, words, measured


def _count(
    counts: WordCounts,
    corpus: Corpus,
    plan: Mapping[str, LanguageSample],
    settings: VocabSettings,
    work: Path,
    progress: Progress,
) -> None:
    """Read every language once; what the vocabulary will be measured on is put into ``work``."""
    normaliser = sentencepiece.SentencePieceNormalizer(rule_name=NORMALISATION)
    sizes = {code: corpus.statistics[code]["characters"] * min(plan[code].repeats, 1.0) for code in plan}
    task = progress.add_task("counting words", total=sum(sizes.values()))
    for code, of_language in plan.items():
        counts.begin_language(of_language.weight)
        excerpt = Excerpt(of=corpus.statistics[code]["characters"])
        documents = excerpt.passing(corpus.documents(code))
        for block in sample_text(documents, of_language, seed=f"{settings.seed}/{code}"):
            text = normalised(normaliser, block)
            counts.add(text, words_of(text, span=settings.span))
            progress.advance(task, len(block))
        # JSON keeps half of a surrogate pair, which no UTF-8 holds.
        (work / f"{code}{EXCERPT_SUFFIX}").write_text(json.dumps(excerpt.lines), encoding="utf-8")


def _measure(
    vocabulary: Vocabulary, plan: Mapping[str, LanguageSample], work: Path, progress: Progress
) -> dict[str, Any]:
    """What the report is made from: the pieces of every language, in the lines that were put into ``work``."""
    task = progress.add_task("measuring the pieces of each language", total=len(plan))
    texts = ((code, json.loads((work / f"{code}{EXCERPT_SUFFIX}").read_text(encoding="utf-8"))) for code in plan)
    measured = measure({REPORTED_NAME: Subject.of(vocabulary)}, texts, on_language=lambda: progress.advance(task))
    return {**measured, "sample": {code: asdict(of_language) for code, of_language in plan.items()}}


@contextlib.contextmanager
def _stage(progress: Progress, description: str) -> Iterator[None]:
    """A bar for what does not say how far it is."""
    task = progress.add_task(description, total=None)
    yield
    progress.update(task, total=1, completed=1)


def _explain(message: str, settings: VocabSettings, kept: KeptWords) -> str:
    """SentencePiece's reason in our numbers: its sizes are without <pad> and <mask>."""
    if match := re.search(r"Please set it to a value <= (\d+)", message):
        way_out = "give more text" if kept.floor == 1 else f"raise memory_mb ({settings.memory_mb}) or give more text"
        return (
            f"size = {settings.size} is more than {kept.num_words:,} words of {settings.corpus} yield; "
            f"set size={int(match[1]) + NUM_ADDED} or lower, or {way_out}"
        )
    reason = message.removeprefix("INTERNAL: ").strip()
    return f"SentencePiece could not train {settings.size} pieces on {kept.num_words:,} words: {reason}"


def _progress() -> Progress:
    """Bars on stderr, one a stage; silent when stderr is not a terminal."""
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        disable=not sys.stderr.isatty(),
        transient=True,
    )
