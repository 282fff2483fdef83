"""Fine-tuning: a pretrained model + a task's training files → a run folder with the chosen model in `RUN/model`.

    settings = load_recipe("recipes/smoke/finetune-pos.toml", FinetuneSettings, ["model=…", "data=…", "run=…"])
    run = finetune(settings)                             # started again it goes on, or finds itself done

Which files are trained on is the setting (zero-shot, each, translate-train, translate-train-all, all); which
checkpoint is kept is the selection (source-dev, joint-dev, last). Both are written beside every score.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch.nn.functional as F
from pydantic import Field
from torch import Tensor

from isogloss.checkpoint import (
    FINETUNE,
    Card,
    CardScore,
    languages_of,
    load_encoder,
    load_tokenizer,
    manifest_of,
    name_of,
    save_model,
)
from isogloss.config import Duration, Settings
from isogloss.devices import Device, Precision, choose
from isogloss.errors import ConfigError, DataError, FolderError
from isogloss.evaluate import HEADS, LabelledSet, model_folder, score_sets
from isogloss.heads import AnyEncoder, TaskModel
from isogloss.interop.foreign import ForeignEncoder
from isogloss.loop import Action, LoopSettings, train
from isogloss.manifest import MANIFEST_NAME, Manifest, hash_file, read_manifest, write_json
from isogloss.model import initialise
from isogloss.optim import OptimSettings
from isogloss.processes import started
from isogloss.runs import CONFIG_NAME, RunFolder
from isogloss.tasks import (
    Target,
    Task,
    Window,
    data_language,
    find_files,
    find_task,
    labels_of,
    make_targets,
    make_windows,
)
from isogloss.tasks.training import ExampleBatch, ExampleBatches, TrainingSet
from isogloss.vocab import Tokenizer

__all__ = ["SETTINGS", "FinetuneOptim", "FinetuneSettings", "Setting", "finetune"]

# What may change when a run goes on: where its folders lie and how it is watched, but nothing that is learned from.
MAY_DIFFER = ("run", "model", "data", "loop", "device")

# What the model says about itself and evaluation writes beside its scores.
KEPT = ("task", "setting", "source_languages", "selection", "random_weights", "seed")

Setting = Literal["zero-shot", "each", "translate-train", "translate-train-all", "all"]
Selection = Literal["source-dev", "joint-dev", "last"]


@dataclass(frozen=True)
class SettingRule:
    """How many languages a setting trains on: any number that is given, one, or many (if none are given, all)."""

    languages: Literal["any", "one", "many"]
    about: str


SETTINGS: Mapping[Setting, SettingRule] = {
    "zero-shot": SettingRule("any", "labels of the source languages only, English unless others are given"),
    "each": SettingRule("one", "labels of the one language that is tested: a model a language"),
    "translate-train": SettingRule("one", "training text translated into the one language that is tested"),
    "translate-train-all": SettingRule("many", "training text translated into all languages, one model"),
    "all": SettingRule("many", "the labels of all languages, one model"),
}


class FinetuneOptim(OptimSettings):
    """AdamW for fine-tuning: as for pretraining, with a lower rate."""

    peak_rate: float = Field(2e-5, gt=0, description="highest learning rate, reached at the end of the warmup")


class FinetuneSettings(Settings):
    """A fine-tuning run."""

    run: Path = Field(description="the run folder, made or gone on with")
    model: Path = Field(description="a pretrained model, or its run; encoder and vocabulary are used")
    random_weights: bool = Field(False, description="fresh weights of the model's shape: what pretraining is worth")
    task: str = Field(description="a task of the catalogue, such as nli, pos, ner, qa")
    data: Path = Field(description="folder with files SPLIT.LANGUAGE.tsv or .json")
    setting: Setting = Field("zero-shot", description="which languages' training files are used, and why")
    source_languages: tuple[str, ...] = Field((), description="languages trained on, where the setting leaves a choice")
    dev_languages: tuple[str, ...] = Field(
        (), description="joint-dev: languages that choose; none given: all there are"
    )
    selection: Selection = Field("source-dev", description="which checkpoint is kept: by which dev files, or the last")
    train_split: str = Field("train", description="split that is trained on")
    dev_split: str = Field("dev", description="split that chooses the checkpoint")
    steps: int | None = Field(None, ge=1, description="optimizer steps; instead of epochs")
    epochs: float = Field(3.0, gt=0, description="passes over the training data")
    batch_size: int = Field(32, ge=1, description="sequences a step")
    max_length: int = Field(256, ge=16, description="longest sequence in tokens, at most the model's")
    validate_every: Duration = Field(Duration("10 %"), description="how often the dev files are scored")
    seed: int = Field(1, ge=0, description="head weights, data order and dropout follow from it")
    device: str = Field("auto", description="auto, cpu, cuda, cuda:1")
    precision: Precision = Field("auto", description="bf16 where the processor has it (auto), bf16 or fp32")
    optim: FinetuneOptim = Field(FinetuneOptim(), description="AdamW, its schedule, what is frozen")
    loop: LoopSettings = Field(LoopSettings(), description="micro-batches, logging, checkpoints")


def finetune(settings: FinetuneSettings) -> Path:
    """Train, keep the checkpoint that the selection says, and return the run folder; a finished run stays as it is.

    Raises ConfigError or DataError for settings and data that do not go together, FolderError when the run was made
    with other settings or data, and Preempted after a signal.
    """
    if started().count > 1:
        raise ConfigError(f"fine-tuning runs in one process, torchrun started {started().count}; start it without")
    task = find_task(settings.task)
    files = _training_files(settings, task)
    changes = {"source_languages": tuple(files), "model": model_folder(settings.model)}
    settings = settings.model_copy(update=changes)
    data = {language: hash_file(path) for language, path in files.items()}
    parents = [manifest_of(settings.model)]
    origin = {"model": [parent.fingerprint for parent in parents], "training_files": data}
    config = settings.model_dump(mode="json") | {"origin": origin}
    target = settings.run / "model"
    if _goes_on(settings.run):  # other settings are refused before anything is read
        RunFolder.open(settings.run, config, settings=settings, may_differ=MAY_DIFFER)
        if (target / MANIFEST_NAME).exists():
            read_manifest(target, "model")
            return settings.run

    device = choose(settings.device, precision=settings.precision)
    encoder = load_encoder(settings.model)
    tokenizer = load_tokenizer(settings.model, encoder)
    settings = settings.model_copy(update={"max_length": min(settings.max_length, encoder.settings.max_length)})
    labels, training = _read_training(settings, task, files, tokenizer, encoder)
    model = TaskModel(encoder, HEADS[task.kind], labels)
    _draw_weights(model, settings)
    batches = ExampleBatches(training, batch_size=settings.batch_size, seed=settings.seed)
    chooser = _Chooser(settings, task, model, tokenizer, device, parents)
    # All that can be wrong has been read by now: a command that is corrected finds no folder of other settings.
    run = RunFolder.open(settings.run, config, settings=settings, may_differ=MAY_DIFFER)

    train(
        model,
        run=run,
        batches=batches.batch,
        loss_of=loss_of,
        total_steps=settings.steps or max(1, round(settings.epochs * batches.steps_per_epoch)),
        optim=settings.optim,
        settings=settings.loop,
        seed=settings.seed,
        device=device,
        tokens_per_step=round(settings.batch_size * training.mean_length),
        actions=[Action("validate", settings.validate_every, chooser.validate)] if chooser.dev_sets else [],
    )
    chooser.finish(target)
    return settings.run


def _draw_weights(model: TaskModel, settings: FinetuneSettings) -> None:
    """Fresh weights for the head; for the encoder as well where pretraining is to be left out."""
    encoder, whole = model.encoder, settings.random_weights
    if whole and isinstance(encoder, ForeignEncoder):
        encoder.initialise(settings.seed)
        whole = False
    initialise(model if whole else model.head, settings.seed, std=encoder.settings.initial_std)


def loss_of(model: TaskModel, batch: ExampleBatch) -> Tensor:
    """Cross-entropy in nats, summed over the labels of a batch, or over its answers (mean of start and end)."""
    logits = model(batch.ids_N, batch.layout, languages_S=batch.languages_S)
    if model.kind == "sequence":
        return F.cross_entropy(logits, batch.labels_M, reduction="sum")
    if model.kind == "token":
        return F.cross_entropy(logits[batch.rows_M], batch.labels_M, reduction="sum")
    # Start and end are each chosen among the tokens of one sequence. Two columns are cheap to pad, unlike the model.
    layout = batch.layout
    padded_ST2 = logits.new_full((layout.num_sequences, layout.max_length, 2), float("-inf"))
    padded_ST2[layout.sequences_N, layout.positions_N] = logits
    log_shares_N2 = padded_ST2.log_softmax(dim=1)[layout.sequences_N, layout.positions_N]
    starts_S, ends_S = batch.rows_M.view(-1, 2).unbind(1)
    total: Tensor = -(log_shares_N2[starts_S, 0].sum() + log_shares_N2[ends_S, 1].sum()) / 2
    return total


class _Chooser:
    """Scores the dev files once in a while and keeps the best model so far beside the run."""

    def __init__(
        self,
        settings: FinetuneSettings,
        task: Task,
        model: TaskModel,
        tokenizer: Tokenizer,
        device: Device,
        parents: Sequence[Manifest],
    ) -> None:
        self._settings, self._task, self._model = settings, task, model
        self._folder, self._device, self._parents = settings.run / "best", device, parents
        self.dev_sets = [] if settings.selection == "last" else self._read_dev_sets(tokenizer)

    def validate(self, step: int) -> Mapping[str, Any]:
        """Score of each dev file and their mean; the model is kept when the mean is higher than ever before."""
        metric = self._task.metrics[0]
        values = list(score_sets(self._model, self.dev_sets, device=self._device))
        scores = {data.language: of_set[metric] for data, of_set in zip(self.dev_sets, values, strict=True)}
        mean = sum(scores.values()) / len(scores)
        best = self._best()
        # A run that goes on repeats to the bit what came after its checkpoint: there an equal score is the same step's.
        if best is None or mean > best["mean"]:
            chosen = f"step {step}, {metric} {mean:.2f} on {self._settings.selection}"
            self._save(self._folder / "model", chosen, values)
            write_json(self._folder / "score.json", {"step": step, "mean": mean})
            best = {"step": step, "mean": mean}
        return {"dev": scores, "dev_mean": mean, "best_step": best["step"]}

    def finish(self, target: Path) -> None:
        """Put the chosen model in its place: the best, or the last one where nothing chooses."""
        if not self.dev_sets:
            self._save(target, "last step")
            return
        if not (self._folder / "model").exists():
            raise FolderError(
                f"{target} was taken away, and no other copy of the chosen model is kept; put it back, "
                f"or delete {self._settings.run} and start again"
            )
        (self._folder / "model").rename(target)

    def _best(self) -> dict[str, Any] | None:
        if not ((self._folder / "model").exists() and (self._folder / "score.json").exists()):
            return None  # nothing yet, or killed while one model took the place of another
        known: dict[str, Any] = json.loads((self._folder / "score.json").read_text(encoding="utf-8"))
        return known

    def _save(self, folder: Path, chosen: str, values: Sequence[Mapping[str, float]] = ()) -> None:
        settings = self._settings
        scored = zip(self.dev_sets, values, strict=True) if values else ()
        card = Card(
            f"Fine-tuned with isogloss on {settings.task} ({settings.setting} from "
            f"{', '.join(settings.source_languages)}; chosen: {chosen}; seed {settings.seed}).",
            name=settings.run.name,
            languages=sorted({*languages_of(settings.model), *map(data_language, settings.source_languages)}),
            base_model=name_of(settings.model),
            corpus=f"labels of {settings.task} in {', '.join(settings.source_languages)}",
            scores=[
                CardScore(settings.task, data.language, data.split, metric, value)
                for data, of_set in scored
                for metric, value in of_set.items()
            ],
        )
        save_model(
            folder,
            self._model,
            vocabulary_folder=settings.model,
            parents=self._parents,
            command=FINETUNE,
            card=card,
            training=settings.model_dump(mode="json", include=set(KEPT)),
        )

    def _read_dev_sets(self, tokenizer: Tokenizer) -> list[LabelledSet]:
        settings = self._settings
        languages = settings.source_languages if settings.selection == "source-dev" else settings.dev_languages
        files = find_files(self._task, settings.data, split=settings.dev_split, languages=languages)
        return [
            LabelledSet.read(
                self._task,
                path,
                tokenizer,
                language=language,
                split=settings.dev_split,
                labels=self._model.labels,
                max_length=settings.max_length,
            )
            for language, path in files.items()
        ]


def _goes_on(run: Path) -> bool:
    """Whether the folder is an earlier start of a run. Raises FolderError for one that something else made."""
    if (run / MANIFEST_NAME).exists():
        raise FolderError(f"run = {run} is a finished folder of another command, not a run; choose another run folder")
    if (run / CONFIG_NAME).exists():
        return True
    if (run / "model").exists():
        raise FolderError(f"run = {run} holds a model but no {CONFIG_NAME} of a run; choose another run folder")
    return False


def _training_files(settings: FinetuneSettings, task: Task) -> dict[str, Path]:
    """The training files that the setting asks for, by language; raises ConfigError for settings that do not agree."""
    given, rule = settings.source_languages, SETTINGS[settings.setting]
    if settings.loop.accumulate > settings.batch_size:
        raise ConfigError(
            f"loop.accumulate = {settings.loop.accumulate} is more than batch_size = {settings.batch_size}: "
            "a micro-batch would be empty"
        )
    if settings.dev_languages and settings.selection != "joint-dev":
        raise ConfigError(f"dev_languages are given, but selection = {settings.selection}; set selection=joint-dev")
    if rule.languages == "one" and len(given) != 1:
        raise ConfigError(
            f"setting = {settings.setting} trains on one language, source_languages has {len(given)}; "
            f'for example source_languages=["sw"]'
        )
    if rule.languages == "any" and not given:
        given = ("en",)
    files = find_files(task, settings.data, split=settings.train_split, languages=given)
    if rule.languages == "many" and len(files) < 2:
        raise ConfigError(
            f"setting = {settings.setting} trains on several languages, {settings.data} has {settings.train_split} in "
            f"{', '.join(files)} only; use setting=zero-shot or setting=each"
        )
    return files


def _read_training(
    settings: FinetuneSettings, task: Task, files: Mapping[str, Path], tokenizer: Tokenizer, encoder: AnyEncoder
) -> tuple[tuple[str, ...], TrainingSet]:
    """The labels, and the sequences of all languages with their targets."""
    examples = {language: task.read(path) for language, path in files.items()}
    labels = labels_of(task, [example for read in examples.values() for example in read])
    if task.kind != "answer" and len(labels) < 2:
        raise DataError(
            f"{settings.data}: the training files have one label only, {labels[0]!r}: nothing can be learned"
        )
    windows: list[Window] = []
    targets: list[Target] = []
    rows: list[int] = []
    for language, read in examples.items():
        code = data_language(language)
        cut = make_windows(task.kind, read, tokenizer, language=code, max_length=settings.max_length)
        windows += cut
        rows += [encoder.settings.row_of(code)] * len(cut)
        targets += make_targets(task.kind, read, cut, labels)
    training = TrainingSet.of(task.kind, windows, targets, rows)
    if len(training) == 0:
        raise DataError(f"{settings.data}: no word of the training files has a visible character: nothing is learned")
    return labels, training
