"""Pretraining: a recipe → a run folder with its checkpoints, curves, ledger and the finished model in ``RUN/model``.

    settings = load_recipe("recipes/smoke/pretrain.toml", PretrainSettings, ["run=runs/smoke"])
    run = pretrain(settings)                             # started again it goes on, or finds itself done

The objective is masked-language modelling on text of all languages of the shards, mixed by alpha, and, for a share of
the sequences, on sentences beside their translations (XLM's translation language modelling). Held-out text of each
language, and held-out pairs, are scored once in a while, with masks that never change.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from pydantic import Field
from torch import Tensor, nn

from isogloss.batches import BatchSettings, MaskedBatch, MaskedBatches, held_out_batches
from isogloss.checkpoint import Card, CardScore, languages_of, load_model, manifest_of, name_of, save_model
from isogloss.config import Duration, Settings
from isogloss.devices import Device, Precision, choose
from isogloss.errors import ConfigError
from isogloss.loop import Action, LoopSettings, train
from isogloss.manifest import MANIFEST_NAME, read_manifest
from isogloss.masking import NUM_SPECIAL, UNKNOWN
from isogloss.model import MaskedLM, ModelSettings, initialise
from isogloss.optim import OptimSettings
from isogloss.plan import AFTER_STEPS, Watch, flops_of
from isogloss.processes import Processes, joined, started
from isogloss.runs import METRICS_NAME, RunFolder, read_metrics
from isogloss.shards import Shards
from isogloss.sharing import is_sharded, whole_state
from isogloss.training_state import Progress
from isogloss.vocab import Vocabulary

__all__ = ["PretrainSettings", "ValidationSettings", "bits_per_character", "pretrain"]

COMMAND = "isogloss pretrain"
# What may change when a run goes on: where its folders lie and how it is watched, but nothing that is learned from.
MAY_DIFFER = ("run", "shards", "vocabulary", "init", "loop", "validation", "device")


class ValidationSettings(Settings):
    """How often, and on how much, held-out text is scored."""

    every: Duration = Field(Duration("5 %"), description="how often held-out text of each language is scored")
    sequences: int = Field(64, ge=1, description="most sequences scored a language")


class PretrainSettings(Settings):
    """A pretraining run."""

    run: Path = Field(description="the run folder, made or gone on with")
    shards: Path = Field(description="token files, made by isogloss shards")
    vocabulary: Path = Field(description="the vocabulary the shards were made with")
    steps: int = Field(ge=1, description="optimizer steps, all together")
    seed: int = Field(1, ge=0, description="fresh weights, data order, masks and dropout follow from it")
    init: Path | None = Field(None, description="a model folder to go on from, with a fresh optimizer")
    device: str = Field("auto", description="auto, cpu, cuda, cuda:1")
    precision: Precision = Field("auto", description="bf16 where the processor has it (auto), bf16 or fp32")
    model: ModelSettings = Field(ModelSettings(), description="the model's shape; its vocabulary size is the shards'")
    language_embedding: bool = Field(
        False, description="a row for each language of the shards, as in XLM; model.languages names them one by one"
    )
    batches: BatchSettings = Field(BatchSettings(), description="languages, packing and masking")
    optim: OptimSettings = Field(OptimSettings(), description="AdamW and its schedule")
    loop: LoopSettings = Field(LoopSettings(spike=10.0), description="micro-batches, processes, logging, checkpoints")
    validation: ValidationSettings = Field(ValidationSettings(), description="scoring of held-out text")


def pretrain(settings: PretrainSettings) -> Path:
    """Train to ``settings.steps`` and return the run folder; a finished run is returned as it is.

    Started by torchrun, the processes train one model together, and the first of them writes. Raises FolderError when
    the run was made with other settings or from other shards, and Preempted after a signal.
    """
    vocabulary = Vocabulary.load(settings.vocabulary)
    shards = Shards.open(settings.shards, vocabulary=vocabulary)
    loaded = _loaded(settings)
    settings = settings.model_copy(update={"model": _model_settings(settings, loaded, shards)})
    batches = MaskedBatches(
        shards,
        settings.batches,
        seed=settings.seed,
        total_steps=settings.steps,
        word_starts=vocabulary.word_starts,
        row_of=_row_of(settings.model),
    )
    parents = [shards.manifest]
    if settings.init is not None:
        parents.append(manifest_of(settings.init))
    config = settings.model_dump(mode="json") | {"parents": {parent.kind: parent.fingerprint for parent in parents}}
    target = settings.run / "model"
    device = choose(settings.device, precision=settings.precision)
    with joined(device.device) as processes:
        if processes.is_first:
            RunFolder.open(settings.run, config, settings=settings, may_differ=MAY_DIFFER)
        processes.wait()
        if (target / MANIFEST_NAME).exists():
            read_manifest(target, "model")
            return settings.run
        model = _train(settings, shards, batches, vocabulary, loaded, device, processes)
        if processes.is_first:
            card = _card(settings, shards)
            save_model(
                target, model, vocabulary_folder=settings.vocabulary, parents=parents, command=COMMAND, card=card
            )
        processes.wait()
    return settings.run


def _train(
    settings: PretrainSettings,
    shards: Shards,
    batches: MaskedBatches,
    vocabulary: Vocabulary,
    loaded: MaskedLM | None,
    device: Device,
    processes: Processes,
) -> MaskedLM:
    """Train, and give the model at the end; of a sharded one the first process alone has the weights."""
    validation = Validation(shards, settings, vocabulary.word_starts)
    actions = [Action("validate", settings.validation.every, lambda _: validation.scores(model, device, processes))]
    if processes.is_first:
        watch = Watch(settings, settings.run, device, num_devices=processes.count, shards=shards)
        actions.append(Action("plan", AFTER_STEPS, lambda progress: watch(progress.step)))
    # Where weights come from: 1. the run's newest checkpoint, which the loop reads over these; 2. init; 3. the seed.
    model = loaded or MaskedLM(settings.model)
    if loaded is None:
        initialise(model, settings.seed, std=settings.model.initial_std)

    train(
        model,
        run=RunFolder(settings.run, writes=processes.is_first),
        batches=batches.batch,
        loss_of=_masked_loss,
        total_steps=settings.steps,
        optim=settings.optim,
        settings=settings.loop,
        seed=settings.seed,
        device=device,
        processes=processes,
        tokens_per_step=settings.batches.batch_size * settings.batches.sequence_length,
        actions=actions,
        flops_of=lambda batch: flops_of(settings.model, batch),
        ledger=lambda progress: _ledger(batches, progress),
    )
    if not is_sharded(model):
        return model
    state = whole_state(model)
    with torch.device("meta"):
        whole = MaskedLM(settings.model, tied=model.head.pieces is None)
    if processes.is_first:
        whole.load_state_dict(state, assign=True)
    return whole


class Validation:
    """Held-out text of each language and pair that has some, masked once and for all as in the run's last phase."""

    def __init__(self, shards: Shards, settings: PretrainSettings, word_starts: npt.NDArray[np.bool_]) -> None:
        _, at_the_end = settings.batches.in_phases(settings.steps)[-1]

        def masked(names: Iterable[str]) -> dict[str, list[MaskedBatch]]:
            found = {
                name: held_out_batches(
                    shards,
                    name,
                    at_the_end,
                    num_sequences=settings.validation.sequences,
                    word_starts=word_starts,
                    row_of=_row_of(settings.model),
                )
                for name in names
            }
            # A text of a few pieces may have nothing masked; its loss would be a made-up number.
            kept = {name: [batch for batch in batches if batch.num_targets] for name, batches in found.items()}
            return {name: batches for name, batches in kept.items() if batches}

        self._batches = masked(shards.languages)
        self._of_pairs = masked(shards.pairs if settings.batches.tlm_share else ())
        self._pieces_per_character = {code: _pieces_per_character(shards, code) for code in self._batches}

    def scores(self, model: MaskedLM, device: Device, processes: Processes) -> dict[str, Any]:
        """Masked loss (nats a masked piece) and bits a character of each language, and their means over languages; and
        the masked loss of pairs, where each side is seen by the other.

        Each process scores its part of the batches, and all have the same numbers: those that one process has with
        these weights.
        """
        losses = self._losses(model, device, processes)
        scores = {}
        for code, pieces_per_character in self._pieces_per_character.items():
            bits = bits_per_character(losses[code], pieces_per_character=pieces_per_character)
            scores[code] = {"loss": losses[code], "bits_per_character": bits}
        of_pairs = {"held_out_pairs": {name: {"loss": losses[name]} for name in self._of_pairs}}
        if not scores:
            return of_pairs if self._of_pairs else {}
        mean = {
            name: sum(score[name] for score in scores.values()) / len(scores) for name in next(iter(scores.values()))
        }
        return {"held_out": scores, "held_out_mean": mean} | (of_pairs if self._of_pairs else {})

    @torch.no_grad()
    def _losses(self, model: MaskedLM, device: Device, processes: Processes) -> dict[str, float]:
        """Nats a masked piece, by language and pair."""
        named = self._batches | self._of_pairs
        turns = [(name, batch) for name, batches in named.items() for batch in batches]
        if not turns:
            return {}
        totals = dict.fromkeys(named, 0.0)
        # Processes that share a sharded model call it equally often; who has nothing left takes a batch once more, in
        # vain. Sums of fp32 numbers in double precision are the same in any order, short of 2^29 of a size.
        for first in range(0, len(turns), processes.count):
            own = first + processes.rank
            name, batch = turns[own % len(turns)]
            loss = float(_masked_loss(model, batch.to(device.device)))
            totals[name] += loss if own < len(turns) else 0.0
        sums = processes.sum(*totals.values())
        num_targets = [sum(batch.num_targets for batch in batches) for batches in named.values()]
        return {name: total / num for name, total, num in zip(named, sums, num_targets, strict=True)}


def bits_per_character(loss: float, *, pieces_per_character: float) -> float:
    """Masked loss in nats a masked piece → bits a character of held-out text: loss / ln 2 x pieces / characters.

    A figure in the style of a pseudo-likelihood: what naming every piece would cost if each cost what a masked one does
    with the rest of the noised text in view. It is no code length (each piece sees both sides), but unlike the loss it
    can be compared between vocabularies, since a character stays one however the text is cut.
    """
    return loss / math.log(2) * pieces_per_character


def _masked_loss(network: nn.Module, batch: MaskedBatch) -> Tensor:
    """Nats, summed over the masked rows. `network` is called, so that processes which share it hear of it."""
    parts = {"languages_S": batch.languages_S, "segments": batch.segments}
    loss: Tensor = network(batch.ids_N, batch.layout, batch.rows_M, batch.targets_M, **parts)
    return loss


def _row_of(model: ModelSettings) -> Callable[[str], int] | None:
    return model.row_of if model.languages else None


def _ledger(batches: MaskedBatches, progress: Progress) -> dict[str, Any]:
    """What was drawn of each language, without what was passed over when the run went back; and the sentence pairs
    that are too long to be drawn."""
    ledger = batches.ledger(progress.data_step)
    for begin, end in progress.passed_over:
        before, behind = batches.ledger(begin), batches.ledger(end)
        for code, drawn in ledger.items():
            for name in drawn:
                drawn[name] -= behind[code][name] - before[code][name]
    left_out = batches.too_long(progress.data_step)
    return {"ledger": ledger} | ({"too_long": left_out} if left_out else {})


def _pieces_per_character(shards: Shards, code: str) -> float:
    tokens, _, num_characters = shards.held_out(code)
    tokens = np.asarray(tokens)
    # An unknown piece is never asked; it costs what the others do, or a vocabulary would gain by what it lacks.
    num_pieces = np.count_nonzero(((tokens >= NUM_SPECIAL) & (tokens != shards.mask_id)) | (tokens == UNKNOWN))
    return float(num_pieces / max(1, num_characters))


def _loaded(settings: PretrainSettings) -> MaskedLM | None:
    """The model that ``init`` names, if it does."""
    if settings.init is None:
        return None
    if "model" in settings.model_fields_set:
        raise ConfigError(f"init = {settings.init} brings the model's shape with it; leave the settings model.* out")
    model = load_model(settings.init, kind="masked")
    assert isinstance(model, MaskedLM)
    return model


def _model_settings(settings: PretrainSettings, loaded: MaskedLM | None, shards: Shards) -> ModelSettings:
    """The model's shape, with the shards' vocabulary size; raises ConfigError where settings do not go together."""
    model = settings.model if loaded is None else loaded.settings
    size = shards.vocabulary_size
    if model.vocabulary_size != size and (loaded is not None or "vocabulary_size" in model.model_fields_set):
        way_out = "set model.vocabulary_size to that" if loaded is None else "make shards with that model's vocabulary"
        raise ConfigError(f"the model has {model.vocabulary_size} pieces, the shards have {size}; {way_out}")
    if settings.language_embedding and not model.languages:
        if loaded is not None:
            raise ConfigError(f"language_embedding = true, but init = {settings.init} has no language embedding")
        spoken = {*shards.languages, *(code for pair in shards.pairs.values() for code in pair)}
        model = model.model_copy(update={"languages": tuple(sorted(spoken))})
    length, num_sequences = settings.batches.longest, settings.batches.batch_size
    if length > model.max_length:
        raise ConfigError(
            f"batches.sequence_length = {length} is more than the model's max_length = {model.max_length}; "
            "shorten the sequences or lengthen the model"
        )
    num_processes, accumulate = started().count, settings.loop.accumulate
    if accumulate * num_processes > num_sequences:
        parts = f"loop.accumulate = {accumulate}" + (f" in {num_processes} processes" if num_processes > 1 else "")
        raise ConfigError(
            f"{parts} is more than batches.batch_size = {num_sequences}: a micro-batch would be empty; "
            "take fewer, or a larger batch"
        )
    if not settings.vocabulary.is_dir():
        raise ConfigError(f"vocabulary = {settings.vocabulary} must be a folder: its files go into the finished model")
    return model.model_copy(update={"vocabulary_size": size})


def _card(settings: PretrainSettings, shards: Shards) -> Card:
    """What the finished model's card says: its text, and the last scores of held-out text."""
    languages, base = shards.languages, ""
    if settings.init is not None:
        base = name_of(settings.init)
        languages = tuple(sorted({*languages, *languages_of(settings.init)}))
    objective, corpus = "masked-language modelling", f"{sum(shards.sizes.values()) / 1e6:,.1f} MB of text"
    if settings.batches.tlm_share:
        objective += " and translation language modelling"
        corpus += f" and {sum(shards.pair_sizes.values()) / 1e6:,.1f} MB of sentences with translations"
    rows = read_metrics(settings.run) if (settings.run / METRICS_NAME).exists() else []
    held_out: Mapping[str, Any] = next((row["held_out"] for row in reversed(rows) if "held_out" in row), {})
    return Card(
        f"Pretrained by {objective} with isogloss, {settings.steps:,} steps.",
        name=settings.run.name,
        languages=languages,
        base_model=base,
        corpus=f"{corpus} in {len(shards.languages)} languages",
        scores=tuple(
            CardScore("masked-language-modelling", code, "held-out", "bits_per_character", values["bits_per_character"])
            for code, values in held_out.items()
        ),
    )
