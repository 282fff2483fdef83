"""Evaluation: fine-tuned models × languages → scores, in `results.json` and as a table.

    settings = load_recipe("recipes/smoke/evaluate-pos.toml", EvaluateSettings, ["models=['runs/pos']", "data=…", …])
    scores = evaluate(settings)
    table(scores, names=model_names(settings.models))          # isogloss.scores

Each score knows where it comes from: task, language, split, metric, number of examples, seed, setting, selection and
the fingerprints of model and data. Beside the models stands what a constant answer reaches ("majority").

A model of the settings each and translate-train is asked in the language that it was trained on, and so is one that was
chosen for a language: a run of them is one line of a table, the paper's #M = N.

With `translated=FOLDER` the setting is translate-test: zero-shot models are asked about test files that were translated
into their source language. With `drop_types` entities of some types count for nothing, in labels and answers alike,
as where a model of PAN-X, which knows no dates, is asked about MasakhaNER.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any, Literal, TypeVar

from pydantic import Field
from rich.console import Console
from rich.progress import track

from isogloss.asked import AskedModel, asked_models, places_of, with_languages
from isogloss.baselines import Tagger, is_tagger, load_tagger
from isogloss.checkpoint import (
    CARD_NAME,
    CardScore,
    load_encoder,
    load_model,
    load_tokenizer,
    name_of,
)
from isogloss.config import Settings
from isogloss.devices import InferencePrecision, choose
from isogloss.errors import ConfigError, DataError
from isogloss.heads import HeadKind, TaskModel
from isogloss.inference import for_inference
from isogloss.interop.model_card import put_scores
from isogloss.labelled import LabelledSet, predict_sets, say
from isogloss.scores import Score, results_file, write_results
from isogloss.tasks import (
    LONGEST_ANSWER,
    Kind,
    TaggedExample,
    Task,
    data_language,
    find_files,
    find_task,
    gold_labels,
    is_labelled,
)
from isogloss.tasks.predicted import SUFFIXES, write_predictions
from isogloss.tasks.schemes import types_of
from isogloss.tasks.task import ONE_LOGIT
from isogloss.transfer import TRANSLATE_TEST, check_translate_test, source_of, translated_tests
from isogloss.vocab import Tokenizer

__all__ = [
    "HEADS",
    "EvaluateSettings",
    "Score",
    "evaluate",
    "load_task_model",
    "majority_scores",
]

Item = TypeVar("Item")

# The head that answers each kind of task.
HEADS: Mapping[Kind, HeadKind] = {
    "classify": "sequence",
    "tag": "token",
    "answer": "question",
    "choose": "sequence",
    "rate": "sequence",
    "retrieve": "mean",
}


class EvaluateSettings(Settings):
    """Which models are asked what, in which languages."""

    models: tuple[Path, ...] = Field(min_length=1, description="fine-tuning runs, or model folders")
    task: str = Field(description="a task of the catalogue, such as xnli, mlqa, panx, or a form: nli, pos, ner, qa")
    data: Path = Field(description="folder with SPLIT.LANGUAGE.tsv or .json, or the set as published, or hf://…")
    output: Path = Field(description="a file NAME.json, or a folder for results.json")
    split: str = Field("dev", description="which files: dev, val, test")
    languages: tuple[str, ...] = Field((), description="languages to score; none given: all that are there")
    max_length: int = Field(512, ge=16, description="longest sequence in tokens, at most the model's")
    longest_answer: int = Field(
        LONGEST_ANSWER, ge=1, description="pieces of the longest answer that is looked for; small pieces take more"
    )
    device: str = Field("auto", description="auto, cpu, cuda, cuda:1")
    precision: InferencePrecision = Field(
        "auto", description="bf16 where the processor has it (auto), bf16, fp32, or int8 (x86 with VNNI)"
    )
    selections: Literal["chosen", "all"] = Field(
        "chosen", description="of each run the model it chose, or those of also_select beside it too"
    )
    predictions: Path | None = Field(
        None, description="a folder for what each model said, MODEL/SPLIT.LANGUAGE, which 'isogloss score' reads"
    )
    cards: bool = Field(False, description="write the scores into the metadata of each model's README.md too")
    translated: Path | None = Field(
        None,
        description="setting translate-test: a folder of test files translated into the models' source language, each "
        "called by the language it came from; the source language's own is that of data",
    )
    drop_types: tuple[str, ...] = Field(
        (), description="types of entities that count for nothing, in labels and answers alike, such as DATE"
    )


def evaluate(settings: EvaluateSettings) -> list[Score]:
    """Score every model in every language, write results.json, and return the scores, constants first.

    A file without labels has no score: its predictions are written, where `predictions` says so.

    Raises ConfigError for a model without the head that the task needs, DataError for data that cannot be used, and
    FolderError for models that are not there and an output that cannot be.
    """
    task = find_task(settings.task).without(settings.drop_types)
    output = results_file(settings.output)
    device = choose(settings.device, precision=settings.precision)
    # All of them first: a name misspelt is said before an hour of scoring.
    models = asked_models(settings.models, selections=settings.selections, translated=settings.translated is not None)
    files, source = _files(settings, task, models)
    models = with_languages(models, tuple(files))
    _check(settings)
    if settings.cards:
        for asked in models:
            _write_card(asked.folder, task, [])
    places = places_of(models)
    reader = _Reader(settings, task, files, source)
    scores: list[Score] = []
    constants: dict[str, list[Score]] = {}
    for asked in models:
        model = for_inference(device.place(load_task_model(asked.folder, task)).eval(), device)
        own = reader.read(asked, model)
        _say_types(asked.folder, model.labels, task, own)
        constants |= {data.language: majority_scores(data) for data in own if data.is_labelled}
        what = f"{task.name}: {asked.folder.parent.name}"
        found = _shown(predict_sets(model, own, device=device), what, total=len(own))
        for data, predicted in zip(own, found, strict=True):
            if settings.predictions is not None:
                name = f"{data.split}.{data.language}{SUFFIXES[task.kind]}"
                write_predictions(
                    settings.predictions / places[asked.folder] / name, task.kind, data.examples, predicted
                )
            if data.is_labelled:
                scores += _scores(data, data.compare(predicted), **_origin(asked, translated=bool(source)))
    scores = [score for language in files for score in constants.get(language, [])] + scores
    output.parent.mkdir(parents=True, exist_ok=True)
    write_results(output, scores)
    if settings.cards:
        for asked in models:
            own_scores = [score for score in scores if score.fingerprints.get("model") == asked.fingerprint]
            _write_card(asked.folder, task, own_scores)
    return scores


class _Reader:
    """Reads the test files that a model is asked, for one after another; those of one vocabulary and label set read the
    same."""

    def __init__(self, settings: EvaluateSettings, task: Task, files: Mapping[str, Path], source: str) -> None:
        self._settings, self._task, self._files, self._source = settings, task, files, source
        self._read_for: tuple[Any, ...] = ()
        self._sets: list[LabelledSet] = []

    def read(self, asked: AskedModel, model: TaskModel | Tagger) -> list[LabelledSet]:
        """The sets as this model takes them."""
        tokenizer, max_length = None, self._settings.max_length
        if isinstance(model, TaskModel):
            tokenizer = load_tokenizer(asked.folder, model.encoder)
            max_length = min(max_length, model.encoder.settings.max_length)
        files = {language: path for language, path in self._files.items() if asked.is_for(language)}
        read_for = (tokenizer and tokenizer.fingerprint, model.labels, max_length, tuple(files))
        if self._read_for != read_for:
            self._sets = [
                self._read(path, language, tokenizer, model.labels, max_length)
                for language, path in _shown(files.items(), f"{self._task.name}: reading")
            ]
            self._read_for = read_for
        return self._sets

    def _read(
        self, path: Path, language: str, tokenizer: Tokenizer | None, labels: tuple[str, ...], max_length: int
    ) -> LabelledSet:
        try:
            return LabelledSet.read(
                self._task,
                path,
                tokenizer,
                language=language,
                split=self._settings.split,
                labels=labels,
                max_length=max_length,
                unlabelled=self._settings.predictions is not None,
                translated_into=self._source,
                longest_answer=self._settings.longest_answer,
            )
        except DataError as error:
            if self._settings.predictions is None and _has_no_labels(self._task, path, language):
                way_out = "nothing in this file has one: predictions=FOLDER writes what the models say"
                raise DataError(f"{error}; {way_out}") from None
            raise


def _has_no_labels(task: Task, path: Path, language: str) -> bool:
    """Whether a file is one without any labels, such as a test set of GLUE."""
    try:
        examples = task.read(path, language=data_language(language), unlabelled=True)
    except DataError:
        return False
    return not is_labelled(examples[0])


def _files(settings: EvaluateSettings, task: Task, models: Sequence[AskedModel]) -> tuple[dict[str, Path], str]:
    """The test files by language, and the language that they were translated into, if they were."""
    if settings.translated is None:
        return find_files(task, settings.data, split=settings.split, languages=settings.languages, tell=say), ""
    check_translate_test(task)
    sources = {source_of(asked.folder, asked.training): asked.folder for asked in models}
    if len(sources) > 1:
        (one, of_one), (two, of_two), *_ = sources.items()
        raise ConfigError(
            f"{of_one} was fine-tuned in {one}, {of_two} in {two}; translated files are in one language, so evaluate "
            "the two apart"
        )
    (source,) = sources
    files = translated_tests(
        task, settings.data, settings.translated, source=source, split=settings.split, languages=settings.languages
    )
    return files, source


def _check(settings: EvaluateSettings) -> None:
    """Raise ConfigError for settings that do not agree."""
    if settings.cards and (settings.translated is not None or settings.drop_types):
        raise ConfigError(
            "a card does not say that test files were translated or types of entities left out; leave out cards=true"
        )


def _say_types(folder: Path, labels: Sequence[str], task: Task, sets: Sequence[LabelledSet]) -> None:
    """Say which types of entities a model finds that the data never has: all of them count as wrong."""
    if not task.has_entities:
        return
    known = {*task.types, *types_of(label for data in sets for label in gold_labels(data.examples)), *task.drop_types}
    if odd := [kind for kind in types_of(labels) if kind not in known]:
        say(
            f"{folder}: predicted entities of type {', '.join(odd)} count as wrong, as {task.name} has none; "
            f"drop_types={json.dumps(odd)} leaves them out"
        )


def majority_scores(data: LabelledSet) -> list[Score]:
    """What one answer for all reaches on these very examples: the most frequent label or answer, the mean rating."""
    (most, _), *_ = Counter(gold_labels(data.examples)).most_common(1)
    constant: list[Any] = [most] * len(data.examples)
    if data.task.kind == "tag":
        constant = [(most,) * len(tags.words) for tags in data.examples if isinstance(tags, TaggedExample)]
    if data.task.kind == "rate":
        mean = fmean(float(rating) for rating in gold_labels(data.examples))
        constant = [mean] * len(data.examples)
    return _scores(data, data.compare(constant), seed=None, setting="majority", selection="", fingerprints={})


def load_task_model(folder: Path, task: Task) -> TaskModel | Tagger:
    """A model with the head a task needs; retrieval takes the encoder of any. Raises ConfigError for another head."""
    if is_tagger(folder):
        if task.kind != "tag":
            raise ConfigError(f"{folder} is a tagger of words, task {task.name} needs a {HEADS[task.kind]} head")
        return load_tagger(folder)
    if HEADS[task.kind] == "mean":
        return TaskModel(load_encoder(folder), "mean")
    model = load_model(folder)
    if isinstance(model, TaskModel) and model.kind == HEADS[task.kind]:
        if task.kind in ONE_LOGIT and len(model.labels) != 1:
            raise ConfigError(f"{folder} tells {len(model.labels)} labels apart, task {task.name} needs one logit")
        return model
    head = f"a {model.kind} head" if isinstance(model, TaskModel) else "a masked-language-model head"
    raise ConfigError(
        f"{folder} has {head}, task {task.name} needs a {HEADS[task.kind]} head; 'isogloss finetune' makes one"
    )


def _origin(asked: AskedModel, *, translated: bool) -> dict[str, Any]:
    """Seed, setting, selection and fingerprint, as the model itself says; a foreign one has its fingerprint alone."""
    training = asked.training
    recipe = {"training": training["recipe"]} if "recipe" in training else {}
    setting = TRANSLATE_TEST if translated else training.get("setting", "")
    return {
        "seed": training.get("seed"),
        "setting": f"{setting}, random weights" if training.get("random_weights") else setting,
        "selection": training.get("selection", ""),
        "fingerprints": {"model": asked.fingerprint, **recipe},
        "restarts": training.get("restarts", 0),
        "architecture": training.get("architecture", ""),
    }


def _write_card(folder: Path, task: Task, scores: Sequence[Score]) -> None:
    """Put scores into the card of a model; none of them: see whether that can be done."""
    of_card = [CardScore(score.task, score.language, score.split, score.metric, score.value) for score in scores]
    put_scores(folder / CARD_NAME, name_of(folder), HEADS[task.kind], of_card)


def _scores(
    data: LabelledSet,
    values: Mapping[str, float],
    *,
    seed: int | None,
    setting: str,
    selection: str,
    fingerprints: Mapping[str, str],
    restarts: int = 0,
    architecture: str = "",
) -> list[Score]:
    return [
        Score(
            task=data.task.name,
            language=data.language,
            split=data.split,
            metric=metric,
            value=values[metric],
            n=len(data.examples),
            direction="higher",
            seed=seed,
            setting=setting,
            selection=selection,
            fingerprints={**fingerprints, "data": data.fingerprint},
            restarts=restarts,
            drop_types=data.task.drop_types,
            architecture=architecture,
        )
        for metric in data.task.metrics
    ]


def _shown(items: Iterable[Item], what: str, *, total: int | None = None) -> Iterable[Item]:
    """A progress bar on stderr, when that is a terminal."""
    console = Console(stderr=True)
    return track(items, what, total=total, console=console, disable=not console.is_terminal, transient=True)
