"""Extension done: pieces are chosen, rows begun, both models compared, the folder written.

Hidden states of a text that is cut as before are what they were, to the bit; this is checked before anything is kept.
``extend`` goes from folder to folder, ``extend_model`` is its middle for a model in memory.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np
import torch
from pydantic import Field, field_validator

from isogloss.checkpoint import Card, languages_of, manifest_of, name_of
from isogloss.config import Settings
from isogloss.corpus import Corpus
from isogloss.errors import CheckpointError, VocabularyError
from isogloss.extend.outcome import OUTCOME_NAME, Extended, read_outcome, write_outcome
from isogloss.interop.model_card import head_of
from isogloss.interop.probes import PROBES
from isogloss.interop.tokenizer_json import TOKENIZER_JSON, added_ids
from isogloss.languages import code_in_settings
from isogloss.manifest import Manifest
from isogloss.resized import OurModel, hidden_states, made_before, our_encoder, read_source, write_resized
from isogloss.rows import Rows, with_rows
from isogloss.run_models import model_folder
from isogloss.vocab import VocabSettings, Vocabulary
from isogloss.vocab.changes import WordsChanged, compare_words
from isogloss.vocab.excerpts import read_excerpts
from isogloss.vocab.extending import Extension, extend_vocabulary, reading_pieces, require_unigram
from isogloss.vocab.layout import FIRST_PIECES, SPACE
from isogloss.vocab.resembling import resembling
from isogloss.vocab.sample import LanguageSample, languages_with_text, plan_sample
from isogloss.vocab.stages import bars, working

__all__ = ["ExtendSettings", "extend", "extend_model"]

COMMAND = "isogloss vocab extend"
NUM_SIMILAR = 10
NUM_HEAVIEST = 60
# Three random rows with these weights: they and their squares sum to 1, so mean and covariance of the rows are kept.
DRAWN_WEIGHTS = (2 / 3, 2 / 3, -1 / 3)

Init = Literal["mean", "similar", "random"]
Model = TypeVar("Model", bound=OurModel)


class ExtendSettings(Settings):
    """Settings of ``isogloss vocab extend``."""

    model: Path = Field(description="model folder, or a run folder that has one; its vocabulary is unigram")
    corpus: Path = Field(description="corpus folder with text of the new languages; others in it are compared")
    languages: tuple[str, ...] = Field(min_length=1, description="the new languages")
    add: int = Field(ge=1, description="how many pieces to add; characters that the vocabulary lacks are among them")
    output: Path = Field(description="model folder to write")
    init: Init = Field(
        "mean",
        description="where a new piece's row and bias begin: the mean of the pieces it was cut into before (mean), of "
        "pieces spelt like it (similar), or drawn as the old rows are spread (random)",
    )
    share: float = Field(
        0.1,
        gt=0,
        lt=1,
        description="share of new text that the scores are made for; with a higher one new pieces win more often, "
        "also in old languages",
    )
    alpha: float = Field(0.3, ge=0, le=1, description="new languages are sampled by q ∝ p^alpha; 1: as they are")
    character_coverage: float = Field(
        0.9995, ge=0.98, le=1, description="share of the new text's characters that get a piece"
    )
    max_piece_length: int = Field(16, ge=1, le=64, description="longest new piece, in characters")
    memory_mb: int = Field(4096, ge=16, description="most memory to look for pieces in, in MiB")
    seed: int = Field(1, ge=0, description="of rows that are drawn")

    @field_validator("languages")
    @classmethod
    def _codes(cls, codes: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(sorted({code_in_settings(code) for code in codes}))


def extend(settings: ExtendSettings, *, say: Callable[[str], None] = lambda _: None) -> Extended:
    """Write the larger model's folder; a finished one of the same settings, model and corpus is returned as it is.

    `say` hears each step. Raises ConfigError, DataError, FolderError, VocabularyError or CheckpointError in one line;
    then nothing is left at ``output``.
    """
    source = model_folder(settings.model)
    corpus = Corpus.open(settings.corpus)
    statistics, _ = languages_with_text(corpus.manifest, settings.languages, where=settings.corpus)
    parents = [manifest_of(source), corpus.manifest]
    before = made_before(
        settings.output,
        read_outcome,
        OUTCOME_NAME,
        command=COMMAND,
        choice=_choice(settings),
        parents=parents,
        way="model extended in this way from this model and corpus",
    )
    if before is not None:
        return before
    say(f"reading {source}")
    model, vocabulary = read_source(source)
    require_unigram(vocabulary, source)
    _require_no_more_ids(vocabulary, source)
    plan = plan_sample({code: counts["bytes"] for code, counts in statistics.items()}, alpha=settings.alpha)
    extension = _extension(vocabulary, corpus, plan, settings)
    say(f"adding {len(extension.added):,} rows")
    larger, more, rows = extend_model(model, vocabulary, extension, init=settings.init, seed=settings.seed)
    say("comparing the two models")
    num_compared = _compare(model, larger, vocabulary, more)
    changes = _changes(settings.corpus, vocabulary, more, say)
    done = Extended(
        path=str(settings.output),
        head=head_of(model),
        num_before=vocabulary.size,
        num_added=len(extension.added),
        num_new_characters=extension.num_new_characters,
        rows=rows,
        languages={code: change for code, change in changes.items() if code in settings.languages},
        others={code: change for code, change in changes.items() if code not in settings.languages},
        heaviest=extension.added[:NUM_HEAVIEST],
        num_compared=num_compared,
    )
    say(f"writing {settings.output}")
    _write(settings, source, larger, more, done, parents)
    return done


def extend_model(
    model: Model, vocabulary: Vocabulary, extension: Extension, *, init: Init = "mean", seed: int = 1
) -> tuple[Model, Vocabulary, dict[str, int]]:
    """The model with a row for each new piece, its vocabulary, and how many rows began in which way."""
    begun = _beginnings(vocabulary, extension.added, init, random.Random(f"extend/{seed}"))
    last = vocabulary.mask_id
    # Rows that pad a table go; <mask> comes last again.
    sources = [*([(index, 1.0)] for index in range(last)), *(row for _, row in begun), [(last, 1.0)]]
    larger = with_rows(model, Rows.weighted(sources))
    return larger, Vocabulary.from_bytes(extension.content), dict(Counter(word for word, _ in begun))


def _beginnings(
    vocabulary: Vocabulary, added: Sequence[str], init: Init, draw: random.Random
) -> list[tuple[str, list[tuple[int, float]]]]:
    """Of each new piece the old ids that its row is made of, with weights, and the word for how they were found."""
    learned = range(len(FIRST_PIECES), vocabulary.mask_id)
    similar: list[list[tuple[int, float]]] = [[] for _ in added]
    if init == "similar":
        found = resembling(added, vocabulary.pieces[learned.start : learned.stop], most=NUM_SIMILAR)
        similar = [[(learned.start + place, weight) for place, weight in row] for row in found]
    rows: list[tuple[str, list[tuple[int, float]]]] = []
    for ids, near in zip(reading_pieces(vocabulary.content).encode(added), similar, strict=True):
        parts = [index for index in ids.tolist() if index != vocabulary.unk_id]
        if near:
            rows.append(("similar", near))
        elif init != "random" and any(vocabulary.pieces[index] != SPACE for index in parts):
            rows.append(("mean", [(index, 1 / len(parts)) for index in parts]))
        else:
            rows.append(("drawn", [(draw.choice(learned), weight) for weight in DRAWN_WEIGHTS]))
    return rows


def _extension(
    vocabulary: Vocabulary, corpus: Corpus, plan: Mapping[str, LanguageSample], settings: ExtendSettings
) -> Extension:
    of_words = VocabSettings(
        corpus=settings.corpus,
        output=settings.output,
        size=vocabulary.size + settings.add,
        languages=settings.languages,
        character_coverage=settings.character_coverage,
        max_piece_length=settings.max_piece_length,
        memory_mb=settings.memory_mb,
    )
    with bars() as progress, working(settings.output) as folder:
        return extend_vocabulary(
            vocabulary, corpus, plan, of_words, share=settings.share, folder=folder, progress=progress
        )


def _changes(
    folder: Path, before: Vocabulary, after: Vocabulary, say: Callable[[str], None]
) -> dict[str, WordsChanged]:
    """What happens to the words of each language of the corpus."""
    changes = {}
    for code, lines in read_excerpts(folder):
        say(f"comparing the words of {code}")
        changes[code] = compare_words(before, after, lines, code)
    return changes


@torch.inference_mode()
def _compare(model: OurModel, larger: OurModel, before: Vocabulary, after: Vocabulary) -> int:
    """How many texts were compared; raises CheckpointError where hidden states of one that is cut as before differ."""
    encoder, other = our_encoder(model), our_encoder(larger)
    num_compared = 0
    for old, new in zip(before.encode(PROBES), after.encode(PROBES), strict=True):
        if not np.array_equal(old, new):
            continue
        if not torch.equal(hidden_states(other, old), hidden_states(encoder, old)):
            raise CheckpointError(
                "the model with more pieces answers otherwise than without them on a text that has none; nothing is "
                "written. Please report this model"
            )
        num_compared += 1
    return num_compared


def _write(
    settings: ExtendSettings,
    source: Path,
    model: OurModel,
    vocabulary: Vocabulary,
    done: Extended,
    parents: Sequence[Manifest],
) -> None:
    named = ", ".join(settings.languages)
    write_resized(
        settings.output,
        model,
        vocabulary,
        source=source,
        command=COMMAND,
        card=Card(
            f"{name_of(source)} with {done.num_added:,} pieces more, for {named}. Their rows are a beginning: "
            "pretrain it further on text with these languages. report.md says what changes.",
            languages=sorted({*languages_of(source), *settings.languages}),
            base_model=name_of(source),
            corpus=f"pieces of {named} from corpus `{parents[1].fingerprint[:16]}`",
        ),
        parents=parents,
        report=lambda folder: write_outcome(folder, done, _choice(settings), name=name_of(source)),
    )


def _choice(settings: ExtendSettings) -> dict[str, Any]:
    """The settings that are not places."""
    return settings.model_dump(mode="json", exclude={"model", "corpus", "output"})


def _require_no_more_ids(vocabulary: Vocabulary, source: Path) -> None:
    """Raises VocabularyError where a tokenizer.json has tokens of its own, whose ids new pieces would take."""
    if more := sorted(index for index in added_ids(source / TOKENIZER_JSON) if index >= vocabulary.size):
        raise VocabularyError(
            f"{source / TOKENIZER_JSON} has {len(more)} tokens of its own after <mask> (id {more[0]} on), whose ids "
            "new pieces would take; take the model without them"
        )
