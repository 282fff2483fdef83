"""Train a vocabulary: a SentencePiece model on raw text, languages sampled by q ∝ p^alpha from a corpus folder.

Text is read once. What is kept of it are its words and how often each comes, languages weighted, so the memory does not
grow with the corpus: words are counted on disk (``counting``), as many are chosen as there is room for (``choosing``),
and SentencePiece is trained on those (``learning``): the stages of ``stages``.

    manifest = train_vocabulary(VocabSettings(corpus=Path("corpus"), output=Path("vocab"), size=8000))

The folder holds ``sentencepiece.bpe.model``, the files Hugging Face loads, a report of each language's pieces and a
manifest. The same settings and corpus give the same bytes on any machine with the same version of SentencePiece.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.progress import Progress

from isogloss.corpus import Corpus
from isogloss.manifest import Manifest, building, finished, write_manifest
from isogloss.vocab.clustered import train_clusters
from isogloss.vocab.comparing import measure
from isogloss.vocab.hub import write_hub_files
from isogloss.vocab.layout import MODEL_NAME, Vocabulary
from isogloss.vocab.learning import Asked
from isogloss.vocab.measuring import Subject
from isogloss.vocab.report import write_report
from isogloss.vocab.sample import LanguageSample, languages_with_text, plan_sample
from isogloss.vocab.settings import VocabSettings
from isogloss.vocab.stages import Learned, bars, excerpt_lines, learn_from_text, working

__all__ = ["VocabSettings", "train_vocabulary"]

COMMAND = "isogloss vocab train"
# Its report calls it so: where its folder lies, and under which name, is no part of it.
REPORTED_NAME = "vocabulary"
MEBIBYTE = 1 << 20


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
    with bars() as progress:
        vocabulary, told, measured = _train(corpus, plan, settings, progress)
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
                **told,
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
    """The vocabulary, what is told of its words and clusters, and what its report is made from."""
    asked = Asked(settings.size, settings.model_type, settings.max_piece_length, settings.memory_mb * MEBIBYTE)
    with working(settings.output) as folder:
        if settings.clusters != 1:
            content, told = train_clusters(corpus, plan, settings, folder, progress)
        else:
            learned = learn_from_text(corpus, plan, asked, settings, folder, progress)
            content, told = learned.content, {"words": _words(learned)}
        vocabulary = Vocabulary.from_bytes(content)
        assert vocabulary.size == settings.size, f"SentencePiece gave {vocabulary.size} ids for {settings.size}"
        measured = _measure(vocabulary, plan, folder, progress)
    clusters = {"clusters": told["clusters"]} if "clusters" in told else {}
    return vocabulary, told, {**measured, **clusters}


def _words(learned: Learned) -> dict[str, Any]:
    return {
        "met": learned.kept.num_met,
        "kept": learned.kept.num_words,
        "characters": learned.kept.num_characters,
        "floor": learned.kept.floor,
        "alphabet": len(learned.alphabet),
    }


def _measure(
    vocabulary: Vocabulary, plan: Mapping[str, LanguageSample], folder: Path, progress: Progress
) -> dict[str, Any]:
    """What the report is made from: the pieces of every language, in the lines that were put into ``folder``."""
    task = progress.add_task("measuring the pieces of each language", total=len(plan))
    texts = ((code, excerpt_lines(folder, code)) for code in plan)
    measured = measure({REPORTED_NAME: Subject.of(vocabulary)}, texts, on_language=lambda: progress.advance(task))
    return {**measured, "sample": {code: asdict(of_language) for code, of_language in plan.items()}}
