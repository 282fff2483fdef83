"""The demo's stages, one after another, each the room's own function with its own folder under ``runs/demo``.

    text/ nli/ ner/ qa/   the phrasebook as files
    corpus/ vocab/ shards/  pretrain/          → a small XLM-R in pretrain/model
    nli-pretrained/ nli-random/ ner-… qa-…     the same fine-tuning from pretrained and random weights, side by side
    results.json report.html                   zero-shot scores of all languages, and the report

Every stage that is done is left alone, so the same command goes on where it was stopped.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import Field
from rich.console import Console

from isogloss.batches import BatchSettings
from isogloss.config import Duration, Settings
from isogloss.corpus import CorpusSettings, build_corpus
from isogloss.demo.side_by_side import finetune_side_by_side
from isogloss.evaluate import EvaluateSettings, Score, evaluate
from isogloss.finetune import FinetuneOptim, FinetuneSettings
from isogloss.loop import LoopSettings
from isogloss.manifest import write_json
from isogloss.model import ModelSettings
from isogloss.optim import OptimSettings
from isogloss.phrasebook import PhrasebookSettings, write_phrasebook
from isogloss.pretrain import PretrainSettings, ValidationSettings, pretrain
from isogloss.shards import ShardSettings, build_shards
from isogloss.vocab import VocabSettings, train_vocabulary

__all__ = ["TASKS", "DemoSettings", "DemoTask", "Timing", "run_demo"]

WEIGHTS = {"pretrained": False, "random": True}


@dataclass(frozen=True)
class DemoTask:
    """A task of the demo: what it is called in the report, and how long it is fine-tuned."""

    name: str
    title: str
    steps: int
    batch_size: int


TASKS = (
    DemoTask("nli", "Natural language inference", 2000, 64),
    DemoTask("ner", "Entities", 100, 64),
    DemoTask("qa", "Questions", 250, 64),
)


class DemoSettings(Settings):
    """The demo's dials. What each stage is given is read off in the functions below."""

    output: Path = Field(Path("runs/demo"), description="folder for everything the demo writes")
    phrasebook: PhrasebookSettings = Field(PhrasebookSettings(), description="languages and amounts of text and labels")
    pieces_a_language: int = Field(1000, ge=100, description="pieces of the vocabulary, times the languages")
    steps_a_language: int = Field(500, ge=1, description="pretraining steps, times the languages")
    seed: int = Field(1, ge=0, description="weights, order and masks follow from it")
    model: ModelSettings = Field(
        ModelSettings(
            num_layers=3,
            width=128,
            num_heads=4,
            feedforward=512,
            max_length=256,
            dropout=0.0,
            attention_dropout=0.0,
            norm="pre",
            initial_std=0.05,
        ),
        description="a small XLM-R; norms before the parts, as in XLM-R XL, which leaves the unigram plateau earlier",
    )
    batches: BatchSettings = Field(
        BatchSettings(sequence_length=64, batch_size=32, mask_rate=0.3), description="languages, packing and masking"
    )
    peak_rate: float = Field(3e-3, gt=0, description="highest learning rate of pretraining")
    weight_decay: float = Field(0.2, ge=0, description="of pretraining; much of it makes languages share what they can")
    finetune_rate: float = Field(1e-3, gt=0, description="highest learning rate of fine-tuning")
    finetune_weight_decay: float = Field(0.05, ge=0, description="of fine-tuning")
    device: str = Field("auto", description="auto, cpu, cuda, cuda:1")

    @property
    def vocabulary_size(self) -> int:
        return self.pieces_a_language * len(self.phrasebook.languages)

    @property
    def steps(self) -> int:
        """Of pretraining."""
        return self.steps_a_language * len(self.phrasebook.languages)


@dataclass(frozen=True)
class Timing:
    """How long a stage took, over all calls: what is done already takes next to no time again."""

    stage: str
    seconds: float


def run_demo(settings: DemoSettings) -> tuple[list[Score], list[Timing]]:
    """Run all stages and write results.json and timings.json; returns the scores and the timings."""
    out = settings.output
    out.mkdir(parents=True, exist_ok=True)
    scores: list[Score] = []
    stages: list[tuple[str, Callable[[], object]]] = [
        ("writing the phrasebook", lambda: _write_phrasebook(settings)),
        ("corpus", lambda: build_corpus(CorpusSettings(input=out / "text", output=out / "corpus"))),
        ("vocabulary", lambda: train_vocabulary(_vocabulary(settings))),
        ("shards", lambda: build_shards(_shards(settings))),
        ("pretraining", lambda: pretrain(_pretraining(settings))),
        ("fine-tuning", lambda: finetune_side_by_side(_finetunings(settings))),
        ("scoring", lambda: scores.extend(_scores(settings))),
    ]
    spent = _read_timings(out / "timings.json")
    for number, (name, work) in enumerate(stages, 1):
        spent[name] = spent.get(name, 0.0) + _timed(name, work, number, len(stages))
        timings = [Timing(name, seconds) for name, seconds in spent.items()]
        write_json(out / "timings.json", [asdict(timing) for timing in timings])
    write_json(out / "results.json", [asdict(score) for score in scores])
    return scores, timings


def _read_timings(path: Path) -> dict[str, float]:
    """Seconds by stage, in order; empty before the first call."""
    if not path.exists():
        return {}
    return {timing["stage"]: timing["seconds"] for timing in json.loads(path.read_text(encoding="utf-8"))}


def _finetunings(settings: DemoSettings) -> dict[str, list[FinetuneSettings]]:
    return {weights: [_finetuning(settings, task, weights) for task in TASKS] for weights in WEIGHTS}


def _scores(settings: DemoSettings) -> list[Score]:
    return [score for task in TASKS for score in evaluate(_evaluation(settings, task))]


def _timed(name: str, work: Callable[[], object], number: int, total: int) -> float:
    console = Console(stderr=True, highlight=False)
    start = time.monotonic()
    console.print(f"[{number}/{total}] {name}", markup=False)
    work()
    return time.monotonic() - start


def _write_phrasebook(settings: DemoSettings) -> None:
    done = settings.output / "phrasebook.json"
    if done.exists():
        return
    write_phrasebook(settings.output, settings.phrasebook)
    write_json(done, settings.phrasebook.model_dump(mode="json"))


def _vocabulary(settings: DemoSettings) -> VocabSettings:
    out = settings.output
    return VocabSettings(
        corpus=out / "corpus",
        output=out / "vocab",
        size=settings.vocabulary_size,
        character_coverage=1.0,
        max_piece_length=12,
        model_type="bpe",
    )


def _shards(settings: DemoSettings) -> ShardSettings:
    out = settings.output
    return ShardSettings(corpus=out / "corpus", vocabulary=out / "vocab", output=out / "shards")


def _pretraining(settings: DemoSettings) -> PretrainSettings:
    out = settings.output
    return PretrainSettings(
        run=out / "pretrain",
        shards=out / "shards",
        vocabulary=out / "vocab",
        steps=settings.steps,
        seed=settings.seed,
        device=settings.device,
        model=settings.model,
        batches=settings.batches,
        optim=OptimSettings(peak_rate=settings.peak_rate, weight_decay=settings.weight_decay),
        loop=LoopSettings(checkpoint_every=Duration("25 %")),
        validation=ValidationSettings(every=Duration("5 %"), sequences=32),
    )


def _finetuning(settings: DemoSettings, task: DemoTask, weights: str) -> FinetuneSettings:
    out = settings.output
    return FinetuneSettings(
        run=out / f"{task.name}-{weights}",
        model=out / "pretrain" / "model",
        random_weights=WEIGHTS[weights],
        task=task.name,
        data=out / task.name,
        source_languages=(settings.phrasebook.source,),
        selection="last",
        steps=task.steps,
        batch_size=task.batch_size,
        max_length=settings.model.max_length,
        seed=settings.seed,
        device=settings.device,
        # Frozen, the embeddings of English stay where pretraining has put them beside those of the other languages.
        optim=FinetuneOptim(
            peak_rate=settings.finetune_rate, weight_decay=settings.finetune_weight_decay, freeze_embeddings=True
        ),
    )


def _evaluation(settings: DemoSettings, task: DemoTask) -> EvaluateSettings:
    out = settings.output
    return EvaluateSettings(
        models=tuple(out / f"{task.name}-{weights}" for weights in WEIGHTS),
        task=task.name,
        data=out / task.name,
        output=out / "scores" / f"{task.name}.json",
        split="test",
        device=settings.device,
    )
