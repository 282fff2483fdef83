"""Text of some languages to a SentencePiece model: its words counted, chosen as there is room, and learned from.

    with bars() as progress, working(output) as folder:
        learned = learn_from_text(corpus, plan, asked, settings, folder, progress)
    Vocabulary.from_bytes(learned.content)

Each stage is also there by itself: ``count_words`` reads text once, ``keep_words`` (``choosing``) takes what there is
memory for, ``learn_pieces`` (``learning``) trains.
"""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import sentencepiece
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from isogloss.children import on_termination, removed_at_the_end
from isogloss.corpus import Corpus
from isogloss.errors import DataError, VocabularyError
from isogloss.manifest import room_for
from isogloss.vocab.choosing import KeptWords, choose_alphabet, keep_words
from isogloss.vocab.counting import WordCounts
from isogloss.vocab.excerpts import Excerpt
from isogloss.vocab.learning import NUM_ADDED, Asked, learn_pieces
from isogloss.vocab.sample import LanguageSample, sample_text
from isogloss.vocab.settings import VocabSettings
from isogloss.vocab.words import NORMALISATION, normalised, words_of

__all__ = ["Learned", "bars", "count_words", "excerpt_lines", "learn_from_text", "stage", "working"]

WORDS_NAME = "words.tsv"
EXCERPT_SUFFIX = ".lines.json"
# What a shell says of a process that SIGTERM ended.
TERMINATED = 143


@dataclass(frozen=True)
class Learned:
    """A serialised model, and the words and characters it was trained on."""

    content: bytes
    kept: KeptWords
    alphabet: Mapping[str, int]


def learn_from_text(
    corpus: Corpus,
    plan: Mapping[str, LanguageSample],
    asked: Asked,
    settings: VocabSettings,
    folder: Path,
    progress: Progress,
    *,
    excerpts: Path | None = None,
) -> Learned:
    """A model of the languages of ``plan``; the words it was trained on lie in ``folder``, as do its excerpts.

    Raises VocabularyError when SentencePiece cannot reach exactly the size, saying which size it could.
    """
    words = folder / WORDS_NAME
    with WordCounts(folder / "counts", memory=asked.memory) as counts, room_for(folder):
        count_words(counts, corpus, plan, settings, excerpts or folder, progress)
        alphabet = choose_alphabet(counts.characters(), coverage=settings.character_coverage)
        if not alphabet:
            raise DataError(f"{settings.corpus}: the sample holds no text; raise sample_bytes")
        asked = asked.for_alphabet(alphabet)
        with stage(progress, "choosing words"):
            kept = keep_words(counts, words, alphabet, room=asked.room(alphabet))
    with room_for(folder), stage(progress, f"training {asked.size:,} pieces on {kept.num_words:,} words"):
        try:
            content = learn_pieces(kept, asked, folder)
        except RuntimeError as error:
            raise VocabularyError(_explain(str(error), asked, settings, kept, asked.least(alphabet))) from None
    return Learned(content, kept, alphabet)


def count_words(
    counts: WordCounts,
    corpus: Corpus,
    plan: Mapping[str, LanguageSample],
    settings: VocabSettings,
    excerpts: Path,
    progress: Progress,
) -> None:
    """Read every language of the plan once; what a vocabulary will be measured on is put into ``excerpts``."""
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
        (excerpts / f"{code}{EXCERPT_SUFFIX}").write_text(json.dumps(excerpt.lines), encoding="utf-8")


def excerpt_lines(excerpts: Path, code: str) -> list[str]:
    """Lines of a language that has been read, for its vocabulary to be measured on."""
    lines: list[str] = json.loads((excerpts / f"{code}{EXCERPT_SUFFIX}").read_text(encoding="utf-8"))
    return lines


@contextlib.contextmanager
def working(output: Path) -> Iterator[Path]:
    """A folder beside ``output`` for what is in between, which goes at the end, also of a process that is killed."""
    folder = output.with_name(f"{output.name}.work")
    # What a machine that went down has left says nothing of how far it came.
    shutil.rmtree(folder, ignore_errors=True)
    with on_termination(lambda: sys.exit(TERMINATED)), removed_at_the_end(folder):
        folder.mkdir(parents=True)
        yield folder


@contextlib.contextmanager
def stage(progress: Progress, description: str) -> Iterator[None]:
    """A bar for what does not say how far it is."""
    task = progress.add_task(description, total=None)
    yield
    progress.update(task, total=1, completed=1)


def bars() -> Progress:
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


def _explain(message: str, asked: Asked, settings: VocabSettings, kept: KeptWords, least: int) -> str:
    """SentencePiece's reason in our numbers: its sizes are without <pad> and <mask>; ``least`` holds the alphabet."""
    if match := re.search(r"Please set it to a value <= (\d+)", message):
        way_out = "give more text" if kept.floor == 1 else f"raise memory_mb ({settings.memory_mb}) or give more text"
        said = f"size = {asked.size} is more than {kept.num_words:,} words of {settings.corpus} yield"
        most = int(match[1]) + NUM_ADDED
        if most >= least:
            return f"{said}; set size={most} or lower, or {way_out}"
        longer = " or raise max_piece_length" if asked.max_piece_length == 1 else ""
        return f"{said}, and they have no pieces longer than a character; {way_out}{longer}"
    reason = message.removeprefix("INTERNAL: ").strip()
    return f"SentencePiece could not train {asked.size} pieces on {kept.num_words:,} words: {reason}"
