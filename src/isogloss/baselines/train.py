"""A baseline's run: labels → a run folder with the chosen tagger in `RUN/model`, as `finetune` makes one of an encoder.

    settings = load_recipe("recipes/baselines/bilstm-crf.toml", BaselineSettings, ["data=…", "run=…"])
    run = train_baseline(settings)                       # started again it goes on, or finds itself done

Files, settings of transfer, selections, seeds, the loop and its exact continuation are those of fine-tuning. Other than
in the papers: AdamW instead of plain SGD, which needs a hundred epochs to get there; batches of sentences instead of
one at a time; tags as they stand (IOB2, where Lample et al. found IOBES no better).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field

from isogloss.baselines.character_model import model_hash
from isogloss.baselines.folder import save_tagger
from isogloss.baselines.language_models import StringsSettings, train_if_asked
from isogloss.baselines.lexicon import Lexicon, forms_of
from isogloss.baselines.sentences import Sentences
from isogloss.baselines.strings import ContextualStrings
from isogloss.baselines.tagger import Tagger, TaggerSettings, loss_of
from isogloss.baselines.vectors import WordVectors, read_vectors
from isogloss.config import Duration
from isogloss.devices import Device, choose
from isogloss.errors import ConfigError, DataError
from isogloss.labelled import say
from isogloss.learning import LearningSettings, asked_runs, check_learning, chooser_of, finished_run, recipe_of
from isogloss.loop import train
from isogloss.manifest import TAGGER, hash_files
from isogloss.optim import OptimSettings
from isogloss.runs import RunFolder
from isogloss.selection import Selection
from isogloss.tasks import FloatArray, TaggedExample, Task, data_language, find_task, labels_of
from isogloss.tasks.training import ExampleBatches
from isogloss.transfer import training_files

__all__ = ["BaselineOptim", "BaselineSettings", "train_baseline"]

# What may change when a run goes on: where things lie and how it is watched, but nothing that is learned from.
MAY_DIFFER = ("run", "data", "dev_data", "vectors", "strings", "loop", "device")
# What the tagger says about itself and evaluation writes beside its scores.
KEPT = ("task", "setting", "source_languages", "selection", "seed")


class BaselineOptim(OptimSettings):
    """AdamW for a tagger that begins with fresh weights."""

    peak_rate: float = Field(3e-3, gt=0, description="highest learning rate, reached at the end of the warmup")
    warmup: Duration = Field(Duration("0 %"), description="from zero to the peak rate, as '24_000 steps' or '6 %'")
    betas: tuple[float, float] = Field((0.9, 0.999), description="AdamW: decay of the two running means")
    eps: float = Field(1e-8, gt=0, description="AdamW: added to the root of the second mean")
    weight_decay: float = Field(0.0, ge=0, description="AdamW: decay of weights (never of biases and norms)")
    clip: float = Field(5.0, ge=0, description="longest gradient (2-norm of all of it); 0 switches clipping off")


class BaselineSettings(LearningSettings):
    """A BiLSTM-CRF that tags words."""

    epochs: float = Field(10.0, gt=0, description="passes over the training data")
    tagger: TaggerSettings = Field(TaggerSettings(), description="sizes, dropout, and what a word is made of")
    vectors: Path | None = Field(None, description="word vectors to begin with: text of word2vec, fastText or GloVe")
    most_vectors: int = Field(500_000, ge=1, description="so many vectors of the file are read, the first ones")
    strings: StringsSettings = Field(StringsSettings(), description="character language models of contextual-strings")
    optim: BaselineOptim = Field(BaselineOptim(), description="AdamW and its schedule")


def train_baseline(settings: BaselineSettings) -> Path:
    """Train, keep the checkpoint that the selection says, and return the run folder; a finished run stays as it is.

    Raises ConfigError or DataError for settings and data that do not go together, FolderError when the run was made
    with other settings or data, MissingExtraError for contextual strings without flair, and Preempted after a signal.
    """
    check_learning(settings)
    task = find_task(settings.task).without(settings.drop_types)
    if task.kind != "tag":
        raise ConfigError(
            f"task = {task.name} does not tag words; a BiLSTM-CRF does, for example task=panx or task=pos"
        )
    if settings.vectors is not None and "words" not in settings.tagger.embeddings:
        raise ConfigError('vectors are given, but tagger.embeddings has no "words"; add it, or leave vectors out')
    device = choose(settings.device, precision="fp32")
    asked = "contextual-strings" in settings.tagger.embeddings
    strings = train_if_asked(settings.run, settings.strings, asked=asked, device=device)
    settings = settings.model_copy(update={"strings": strings})
    for one in asked_runs(settings, task):
        _train(one, task, device)
    return settings.run


def _train(settings: BaselineSettings, task: Task, device: Device) -> None:
    files = training_files(
        task, settings.data, settings.setting, settings.source_languages, split=settings.train_split, tell=say
    )
    settings = settings.model_copy(update={"source_languages": tuple(files)})
    others = [("vectors", settings.vectors), *((f"strings.{name}", path) for name, path in settings.strings.models)]
    origin = {
        "training_files": {language: hash_files(task.files_read(path)) for language, path in files.items()},
        **{name: model_hash(path) for name, path in others if path is not None},
    }
    config = settings.model_dump(mode="json") | {"origin": origin}
    if finished_run(settings, config, may_differ=MAY_DIFFER, kind=TAGGER):
        return
    recipe = recipe_of(config, but=MAY_DIFFER, setting=settings.setting)
    tagger, training = _read_training(settings, task, files, device)
    chooser = chooser_of(settings, tagger, None, device, _Saver(settings, tagger, recipe))
    batches = ExampleBatches(training, batch_size=settings.batch_size, seed=settings.seed)
    # All that can be wrong has been read by now: a command that is corrected finds no folder of other settings.
    run = RunFolder.open(settings.run, config, settings=settings, may_differ=MAY_DIFFER)
    train(
        tagger,
        run=run,
        batches=batches.batch,
        loss_of=loss_of,
        total_steps=settings.steps or max(1, round(settings.epochs * batches.steps_per_epoch)),
        optim=settings.optim,
        settings=settings.loop,
        seed=settings.seed,
        device=device,
        tokens_per_step=round(settings.batch_size * float(training.lengths.mean())),
        actions=[chooser.action(settings.validate_every)] if chooser.is_needed else [],
    )
    chooser.finish()


def _read_training(
    settings: BaselineSettings, task: Task, files: Mapping[str, Path], device: Device
) -> tuple[Tagger, Sentences]:
    """A fresh tagger that knows the words and labels of the training files, and their sentences as it reads them."""
    examples = [
        example
        for language, path in files.items()
        for example in task.read_part(path, split=settings.train_split, language=language, tell=say)
        if isinstance(example, TaggedExample)
    ]
    labels = labels_of(task, examples)
    if len(labels) < 2:
        raise DataError(
            f"{settings.data}: the training files have one label only, {labels[0]!r}: nothing can be learned"
        )
    sentences = [example.words for example in examples]
    vectors = None
    if settings.vectors is not None:
        vectors = read_vectors(settings.vectors, width=settings.tagger.word_size, most=settings.most_vectors)
    lexicon = Lexicon.of(sentences, more=vectors.words if vectors is not None else ())
    strings = None
    if "contextual-strings" in settings.tagger.embeddings:
        strings = ContextualStrings.read(forward=settings.strings.forward, backward=settings.strings.backward)
    tagger = Tagger(settings.tagger, lexicon, labels, strings=strings)
    tagger.draw_weights(settings.seed, None if vectors is None else _rows(vectors, lexicon))
    numbers = {label: number for number, label in enumerate(labels)}
    training = Sentences.of(
        lexicon,
        sentences,
        labels=[[numbers[tag] for tag in example.tags] for example in examples],
        # They do not change: read once, and kept for all epochs.
        states=None if strings is None else strings.states(sentences, device.device),
    )
    return tagger, training


def _rows(vectors: WordVectors, lexicon: Lexicon) -> FloatArray:
    """The vector of each word of the lexicon, also where the file has it in small letters alone; NaN for none."""
    numbers = {word: number for number, word in enumerate(vectors.words)}
    rows = np.full((len(lexicon.words), vectors.values.shape[1]), np.nan, np.float32)
    for place, word in enumerate(lexicon.words):
        found = next((numbers[form] for form in forms_of(word) if form in numbers), None)
        if found is not None:
            rows[place] = vectors.values[found]
    return rows


@dataclass(frozen=True)
class _Saver:
    """Writes a chosen tagger, with what its scores say of it."""

    settings: BaselineSettings
    tagger: Tagger
    recipe: str

    def __call__(
        self, folder: Path, selection: Selection, chosen: str, scores: Mapping[str, Mapping[str, float]]
    ) -> None:
        training: dict[str, Any] = self.settings.model_dump(mode="json", include=set(KEPT))
        languages: Sequence[str] = sorted(set(map(data_language, self.settings.source_languages)))
        save_tagger(
            folder,
            self.tagger,
            training=training
            | {"selection": selection, "architecture": _architecture(self.settings.tagger), "recipe": self.recipe},
            statistics={"languages": languages, "chosen": chosen, "dev": scores},
        )


def _architecture(settings: TaggerSettings) -> str:
    """What tables call it."""
    strings = "contextual-strings" in settings.embeddings
    return "BiLSTM-CRF, contextual strings" if strings else "BiLSTM-CRF"
