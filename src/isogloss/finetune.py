"""Fine-tuning: a pretrained model + a task's training files → a run folder with the chosen model in `RUN/model`.

    settings = load_recipe("recipes/smoke/finetune-pos.toml", FinetuneSettings, ["model=…", "data=…", "run=…"])
    run = finetune(settings)                             # started again it goes on, or finds itself done

Which files are trained on is the setting (zero-shot, each, translate-train, translate-train-all, all); which
checkpoint is kept is the selection (`selection.py`), by dev files of `data`, or of `dev_data` and `dev_task`: MLQA's
protocol trains on SQuAD and chooses on MLQA's English dev part. Setting and selection are written beside every score. A
run that learns nothing is begun anew (`collapse.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

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
from isogloss.collapse import (
    Chance,
    CollapsedError,
    Guard,
    GuardSettings,
    begin_anew,
    chance_loss,
    check_step,
    collapsed_attempts,
    learned_nothing,
    next_attempt,
)
from isogloss.devices import Device, Precision, choose
from isogloss.errors import ConfigError, DataError, DivergedError
from isogloss.evaluate import HEADS
from isogloss.heads import AnyEncoder, TaskModel, loss_of
from isogloss.interop.foreign import ForeignEncoder
from isogloss.labelled import say, say_limits
from isogloss.lean import LoraSettings, add_factors, hold_used_rows, plain, write_adapter
from isogloss.learning import (
    LearningSettings,
    asked_runs,
    check_learning,
    chooser_of,
    dev_task_of,
    finished_run,
    recipe_of,
)
from isogloss.loop import train
from isogloss.manifest import Manifest, hash_files
from isogloss.model import initialise
from isogloss.optim import OptimSettings
from isogloss.run_models import model_folder
from isogloss.runs import RunFolder
from isogloss.selection import Selection
from isogloss.tasks import (
    LONGEST_ANSWER,
    Target,
    Task,
    Window,
    data_language,
    find_task,
    labels_of,
    make_targets,
    make_windows,
)
from isogloss.tasks.training import ExampleBatches, TrainingSet
from isogloss.transfer import SETTINGS, Setting, training_files
from isogloss.vocab import Tokenizer

__all__ = ["SETTINGS", "FinetuneOptim", "FinetuneSettings", "Setting", "finetune"]

# What may change when a run goes on: where its folders lie and how it is watched, but nothing that is learned from.
# Checkpoints of versions before `embedding_rows` hold the whole table, and are gone on from with "all".
MAY_DIFFER = ("run", "model", "data", "dev_data", "loop", "device", "embedding_rows")

# What the model says about itself and evaluation writes beside its scores.
KEPT = ("task", "setting", "source_languages", "selection", "random_weights", "seed")


class FinetuneOptim(OptimSettings):
    """AdamW for fine-tuning: as for pretraining, with a lower rate."""

    peak_rate: float = Field(2e-5, gt=0, description="highest learning rate, reached at the end of the warmup")


class FinetuneSettings(LearningSettings):
    """A fine-tuning run."""

    model: Path = Field(description="a pretrained model, or its run; encoder and vocabulary are used")
    random_weights: bool = Field(False, description="fresh weights of the model's shape: what pretraining is worth")
    max_length: int = Field(256, ge=16, description="longest sequence in tokens, at most the model's")
    longest_answer: int = Field(
        LONGEST_ANSWER, ge=1, description="pieces of the longest answer that is looked for in dev files"
    )
    guard: GuardSettings = Field(GuardSettings(), description="what is done where nothing is learned")
    precision: Precision = Field("auto", description="bf16 where the processor has it (auto), bf16 or fp32")
    optim: FinetuneOptim = Field(FinetuneOptim(), description="AdamW, its schedule, what is frozen")
    lora: LoraSettings = Field(LoraSettings(), description="low-rank factors beside frozen weights")
    embedding_rows: Literal["used", "all"] = Field(
        "used",
        description="rows of the piece embeddings that training holds: of pieces in its files, or all; saved are all",
    )


def finetune(settings: FinetuneSettings) -> Path:
    """Train, keep the checkpoint that the selection says, and return the run folder; a finished run stays as it is.

    Raises ConfigError or DataError for settings and data that do not go together, FolderError when the run was made
    with other settings or data, and Preempted after a signal.
    """
    check_learning(settings)
    if not settings.lora.rank and settings.lora != LoraSettings():
        raise ConfigError("lora settings are given and lora.rank is 0, which is no LoRA; set lora.rank=8, say")
    task = find_task(settings.task).without(settings.drop_types)
    if HEADS[task.kind] == "mean":
        raise ConfigError(f"task {task.name} needs no fine-tuning; 'isogloss evaluate' takes the pretrained model")
    for one in asked_runs(settings, task):
        _finetune(one, task)
    return settings.run


def _finetune(settings: FinetuneSettings, task: Task) -> None:
    files = training_files(
        task, settings.data, settings.setting, settings.source_languages, split=settings.train_split, tell=say
    )
    changes = {"source_languages": tuple(files), "model": model_folder(settings.model)}
    settings = settings.model_copy(update=changes)
    data = {language: hash_files(task.files_read(path)) for language, path in files.items()}
    parents = [manifest_of(settings.model)]
    origin = {"model": [parent.fingerprint for parent in parents], "training_files": data}
    config = settings.model_dump(mode="json") | {"origin": origin}
    if finished_run(settings, config, may_differ=MAY_DIFFER, kind="model"):
        return
    device = choose(settings.device, precision=settings.precision)
    while not _attempt(settings, task, files, device, parents, config):
        pass


def _attempt(
    settings: FinetuneSettings,
    task: Task,
    files: Mapping[str, Path],
    device: Device,
    parents: Sequence[Manifest],
    config: Mapping[str, Any],
) -> bool:
    """Train once; False where nothing was learned, and the run is to be begun anew."""
    earlier = collapsed_attempts(settings.run)
    attempt = next_attempt(settings.seed, len(earlier))
    encoder = load_encoder(settings.model)
    tokenizer = load_tokenizer(settings.model, encoder)
    settings = settings.model_copy(update={"max_length": min(settings.max_length, encoder.settings.max_length)})
    labels, training, chance = _read_training(settings, task, files, tokenizer, encoder)
    model = TaskModel(encoder, HEADS[task.kind], labels)
    _draw_weights(model, settings, attempt.seed)
    if settings.lora.rank:
        add_factors(model, settings.lora, seed=attempt.seed)
    batches = ExampleBatches(training, batch_size=settings.batch_size, seed=attempt.seed)
    recipe = recipe_of(config, but=MAY_DIFFER, setting=settings.setting)
    save = _Saver(settings, model, parents, restarts=len(earlier), recipe=recipe)
    chooser = chooser_of(
        settings,
        model,
        tokenizer,
        device,
        save,
        max_length=settings.max_length,
        longest_answer=settings.longest_answer,
    )
    # All that can be wrong has been read by now: a command that is corrected finds no folder of other settings.
    run = RunFolder.open(settings.run, config, settings=settings, may_differ=MAY_DIFFER)
    if settings.embedding_rows == "used":
        hold_used_rows(model, training.ids.values, folder=run.path)
    total_steps = settings.steps or max(1, round(settings.epochs * batches.steps_per_epoch))
    tokens_per_step = round(settings.batch_size * training.mean_length)
    actions = [chooser.action(settings.validate_every)] if chooser.is_needed else []
    step = check_step(
        settings.guard, warmup=settings.optim.warmup, total_steps=total_steps, tokens_per_step=tokens_per_step
    )
    # Fresh weights may take long to learn, and are there to be compared with as they are.
    if step is not None and not settings.random_weights:
        stops = len(earlier) < settings.guard.restarts
        actions.append(Guard(chance, step=step, total_steps=total_steps, run=run.path, stops=stops).action())
    try:
        train(
            model,
            run=run,
            batches=batches.batch,
            loss_of=loss_of,
            total_steps=total_steps,
            optim=settings.optim.model_copy(update={"peak_rate": settings.optim.peak_rate * attempt.rate_share}),
            settings=settings.loop,
            seed=attempt.seed,
            device=device,
            tokens_per_step=tokens_per_step,
            actions=actions,
        )
    except (CollapsedError, DivergedError) as error:
        if len(earlier) >= settings.guard.restarts:
            raise
        _say_collapse(settings, len(earlier), str(error))
        facts = vars(error) if isinstance(error, CollapsedError) else {"loss": None}
        begin_anew(settings.run, [*earlier, {"seed": attempt.seed, "rate_share": attempt.rate_share, **facts}])
        return False
    if learned_nothing(run.path):
        say(
            f"{settings.run}: nothing was learned in any of {len(earlier) + 1} attempts, the loss is that of one "
            "answer for all; try a lower optim.peak_rate, a longer optim.warmup or more steps"
        )
    chooser.finish()
    return True


def _say_collapse(settings: FinetuneSettings, num_earlier: int, problem: str) -> None:
    following = next_attempt(settings.seed, num_earlier + 1)
    rate = f" and {following.rate_share:g} of the rate" if following.rate_share < 1 else ""
    say(
        f"{settings.run}: {problem}; begun anew with seed {following.seed}{rate} ({num_earlier + 1} of "
        f"{settings.guard.restarts} times)"
    )


def _draw_weights(model: TaskModel, settings: FinetuneSettings, seed: int) -> None:
    """Fresh weights for the head; for the encoder as well where pretraining is to be left out."""
    encoder, whole = model.encoder, settings.random_weights
    if whole and isinstance(encoder, ForeignEncoder):
        encoder.initialise(seed)
        whole = False
    initialise(model if whole else model.head, seed, std=encoder.settings.initial_std)


@dataclass(frozen=True)
class _Saver:
    """Writes a chosen model with its card."""

    settings: FinetuneSettings
    model: TaskModel
    parents: Sequence[Manifest]
    restarts: int
    recipe: str

    def __call__(
        self, folder: Path, selection: Selection, chosen: str, scores: Mapping[str, Mapping[str, float]]
    ) -> None:
        settings = self.settings
        lora = f"; {settings.lora}" if settings.lora.rank else ""
        restarted = f"; begun anew {self.restarts} times, as nothing was learned" if self.restarts else ""
        card = Card(
            f"Fine-tuned with isogloss on {settings.task} ({settings.setting} from "
            f"{', '.join(settings.source_languages)}; chosen: {chosen}; seed {settings.seed}{lora}{restarted}).",
            name=settings.run.name,
            languages=sorted({*languages_of(settings.model), *map(data_language, settings.source_languages)}),
            base_model=name_of(settings.model),
            corpus=f"labels of {settings.task} in {', '.join(settings.source_languages)}",
            scores=[
                CardScore(dev_task_of(settings).name, language, settings.dev_split, metric, value)
                for language, of_set in scores.items()
                for metric, value in of_set.items()
            ],
        )
        training = settings.model_dump(mode="json", include=set(KEPT))
        save_model(
            folder,
            plain(self.model),
            vocabulary_folder=settings.model,
            parents=self.parents,
            command=FINETUNE,
            card=card,
            training=training | {"selection": selection, "restarts": self.restarts, "recipe": self.recipe},
            more=self._write_adapter,
        )

    def _write_adapter(self, folder: Path) -> None:
        lora = self.settings.lora
        if lora.rank and lora.adapter:
            write_adapter(folder / "adapter", self.model, lora, base=str(self.settings.model))


def _read_training(
    settings: FinetuneSettings, task: Task, files: Mapping[str, Path], tokenizer: Tokenizer, encoder: AnyEncoder
) -> tuple[tuple[str, ...], TrainingSet, Chance]:
    """The labels, the sequences of all languages with their targets, and the loss of one answer for all."""
    examples = {
        language: task.read_part(path, split=settings.train_split, language=language, tell=say)
        for language, path in files.items()
    }
    labels = labels_of(task, [example for read in examples.values() for example in read])
    if task.kind in ("classify", "tag") and len(labels) < 2:
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
        say_limits(files[language], read, cut, longest_answer=settings.longest_answer)
    training = TrainingSet.of(task.kind, windows, targets, rows)
    if len(training) == 0:
        raise DataError(f"{settings.data}: no word of the training files has a visible character: nothing is learned")
    return labels, training, chance_loss(task.kind, windows, targets)
