"""Trimming done: pieces are chosen, rows cut, both models compared, the folder written.

Hidden states and task logits of a text that the kept pieces cover are what they were, to the bit; this is checked on
some of the text before anything is kept. Logits of masked pieces are those of the kept pieces up to the rounding of a
product with fewer columns. ``trim`` goes from folder to folder, ``trim_model`` is its middle for a model in memory.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from pydantic import Field, field_validator

from isogloss.checkpoint import CONFIG_NAME, HUB_NAMES, Card, manifest_of, name_of
from isogloss.config import Settings
from isogloss.corpus.tally import UNKNOWN_LANGUAGE
from isogloss.errors import CheckpointError, ConfigError
from isogloss.interop.model_card import head_of
from isogloss.interop.probes import PROBES
from isogloss.interop.tokenizer_json import TOKENIZER_JSON, added_tokens
from isogloss.interop.weights import weight_files
from isogloss.languages import code_in_settings
from isogloss.manifest import Manifest
from isogloss.model import MaskedLM
from isogloss.resized import OurModel, hidden_states, made_before, our_encoder, read_source, write_resized
from isogloss.rows import Rows, with_rows
from isogloss.run_models import model_folder
from isogloss.trim.outcome import TRIM_NAME, Size, Trim, read_outcome, write_outcome
from isogloss.vocab import MODEL_NAME, Vocabulary
from isogloss.vocab.texts import Texts, open_texts
from isogloss.vocab.tokenizer import Ids
from isogloss.vocab.trimming import (
    LanguageTrim,
    choose_pieces,
    compare,
    count_pieces,
    pieces_by_script,
    require_pieces,
    require_spelling,
    trimmed,
)

__all__ = ["TrimSettings", "num_bytes", "trim", "trim_model"]

COMMAND = "isogloss vocab trim"

Model = TypeVar("Model", bound=OurModel)


class TrimSettings(Settings):
    """Settings of ``isogloss vocab trim``."""

    model: Path = Field(description="model folder, or a run folder that has one")
    output: Path = Field(description="model folder to write")
    corpus: Path | None = Field(
        default=None,
        description="text that must stay covered: a corpus folder, a folder with LANG.txt, or one file; none: go by "
        "the scripts of the languages alone, which keeps many more pieces",
    )
    languages: tuple[str, ...] = Field(default=(), description="languages to keep; empty: all of the text")
    coverage: float = Field(
        default=1.0,
        gt=0,
        le=1,
        description="share of each language's occurrences of pieces that stay pieces; 1: every piece that was met",
    )

    @field_validator("languages")
    @classmethod
    def _codes(cls, codes: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(sorted({code_in_settings(code) for code in codes}))


def trim(settings: TrimSettings, *, say: Callable[[str], None] = lambda _: None) -> Trim:
    """Write the smaller model's folder; a finished one of the same settings, model and text is returned as it is.

    `say` hears each step. Raises ConfigError, DataError, FolderError, VocabularyError or CheckpointError in one line;
    then nothing is left at ``output``.
    """
    source = model_folder(settings.model)
    if settings.corpus is None and not settings.languages:
        raise ConfigError("say what to keep: languages (--languages en,sw), or text that stays covered (--corpus)")
    if settings.corpus is None and settings.coverage < 1:
        raise ConfigError(f"coverage = {settings.coverage} is a share of text: give some (--corpus)")
    texts = None if settings.corpus is None else open_texts(settings.corpus, settings.languages)
    parents = [manifest_of(source), *([texts.origin] if texts else [])]
    done = made_before(
        settings.output,
        read_outcome,
        TRIM_NAME,
        command=COMMAND,
        choice=_choice(settings),
        parents=parents,
        way="model trimmed in this way from this model and text",
    )
    if done is not None:
        return done
    say(f"reading {source}")
    model, vocabulary = read_source(source)
    require_spelling(vocabulary, str(source))
    added = added_tokens(source / TOKENIZER_JSON)
    kept, languages, examples = _choose(vocabulary, settings, texts, {token["id"] for token in added}, say)
    smaller, fewer = trim_model(model, vocabulary, kept, num_added=_num_added(vocabulary, added))
    say("comparing the two models")
    num_compared = _compare(model, smaller, kept, examples)
    draft = Trim(
        path=str(settings.output),
        head=head_of(model),
        before=_size(model, vocabulary, num_bytes(source)),
        after=_size(smaller, fewer, 0),
        languages=languages,
        scripts=pieces_by_script(vocabulary, kept),
        num_compared=num_compared,
    )
    say(f"writing {settings.output}")
    return _write(settings, source, smaller, fewer, _renumbered(added, kept, vocabulary), draft, parents, texts)


def trim_model(
    model: Model, vocabulary: Vocabulary, kept: Sequence[int] | Ids, *, num_added: int = 0
) -> tuple[Model, Vocabulary]:
    """Model and vocabulary with the pieces ``kept`` alone: ids, ascending, the special ones among them.

    ``num_added`` rows after those of the vocabulary stay behind the new ones; rows that pad a table go.
    """
    rows = [int(index) for index in kept] + list(range(vocabulary.size, vocabulary.size + num_added))
    return with_rows(model, Rows.copies(rows)), trimmed(vocabulary, kept)


def _choose(
    vocabulary: Vocabulary,
    settings: TrimSettings,
    texts: Texts | None,
    also: Collection[int],
    say: Callable[[str], None],
) -> tuple[Ids, dict[str, LanguageTrim], list[Ids]]:
    """The ids that stay, what that does to the text of each language, and ids of some texts that are covered."""
    also = {index for index in also if index < vocabulary.size}
    if texts is None:
        require_pieces(vocabulary, {}, languages=settings.languages)
        kept = choose_pieces(vocabulary, {}, languages=settings.languages, also=also)
        return kept, {}, [ids for ids in vocabulary.encode(PROBES) if len(ids) and np.isin(ids, kept).all()]
    used = {}
    for code in texts.languages:
        say(f"counting the pieces of {code}")
        used[code] = count_pieces(vocabulary, texts.blocks(code))
    require_pieces(vocabulary, used, languages=texts.languages)
    kept = choose_pieces(vocabulary, used, languages=texts.languages, coverage=settings.coverage, also=also)
    smaller = trimmed(vocabulary, kept)
    languages, examples = {}, []
    for code in texts.languages:
        say(f"comparing the segmentation of {code}")
        languages[code], few = compare(vocabulary, smaller, kept, used[code], texts.blocks(code))
        examples += few
    return kept, languages, examples


@torch.inference_mode()
def _compare(model: OurModel, smaller: OurModel, kept: Ids, examples: Sequence[Ids]) -> int:
    """How many texts were compared; raises CheckpointError where hidden states or the rows of a head differ."""
    encoder, other = our_encoder(model), our_encoder(smaller)
    same = True
    for ids in examples:
        same &= torch.equal(hidden_states(other, np.searchsorted(kept, ids)), hidden_states(encoder, ids))
    if isinstance(model, MaskedLM) and isinstance(smaller, MaskedLM):
        rows = torch.from_numpy(kept).long()
        same &= torch.equal(smaller.product_VD[: len(kept)], model.product_VD[rows])
        same &= torch.equal(smaller.head.bias[: len(kept)], model.head.bias[rows])
    if not same:
        raise CheckpointError(
            "the model without the other pieces answers otherwise than with them; nothing is written. Please report "
            "this model"
        )
    return len(examples)


def _write(
    settings: TrimSettings,
    source: Path,
    model: OurModel,
    vocabulary: Vocabulary,
    added: Sequence[Mapping[str, Any]],
    draft: Trim,
    parents: Sequence[Manifest],
    texts: Texts | None,
) -> Trim:
    """The folder, with what was done beside the model; returns that with the bytes that were written."""
    done = draft

    def report(folder: Path) -> None:
        nonlocal done
        done = dataclasses.replace(draft, after=dataclasses.replace(draft.after, bytes=num_bytes(folder)))
        write_outcome(folder, done, _choice(settings), name=name_of(source))

    languages = texts.languages if texts else settings.languages
    write_resized(
        settings.output,
        model,
        vocabulary,
        source=source,
        command=COMMAND,
        card=Card(
            f"{name_of(source)} with {draft.after.pieces:,} of its {draft.before.pieces:,} pieces. Of a text that "
            "these cover, hidden states and task logits are the same to the bit; report.md says what they cover.",
            languages=[code for code in languages if code != UNKNOWN_LANGUAGE],
            base_model=name_of(source),
        ),
        parents=parents,
        report=report,
        added=added,
    )
    return done


def _choice(settings: TrimSettings) -> dict[str, Any]:
    """The settings that are not places."""
    return settings.model_dump(mode="json", include={"languages", "coverage"})


def _num_added(vocabulary: Vocabulary, added: Sequence[Mapping[str, Any]]) -> int:
    """Rows of added tokens after those of the vocabulary."""
    return max([0, *(int(token["id"]) + 1 - vocabulary.size for token in added)])


def _renumbered(added: Sequence[Mapping[str, Any]], kept: Ids, vocabulary: Vocabulary) -> list[dict[str, Any]]:
    ids = {int(old): new for new, old in enumerate(kept)}
    return [{**token, "id": ids.get(token["id"], len(kept) + token["id"] - vocabulary.size)} for token in added]


def _size(model: OurModel, vocabulary: Vocabulary, num_bytes: int) -> Size:
    num_parameters = sum(parameter.numel() for parameter in model.parameters())
    return Size(vocabulary.size, our_encoder(model).settings.vocabulary_size, num_parameters, num_bytes)


def num_bytes(folder: Path) -> int:
    """Bytes of what a model is loaded from: weights in one form, settings, tokenizer."""
    weights = weight_files(folder)
    weights = [path for path in weights if path.suffix == ".safetensors"] or weights
    others = [folder / name for name in (CONFIG_NAME, MODEL_NAME, *HUB_NAMES)]
    return sum(path.stat().st_size for path in [*weights, *others] if path.is_file())
