"""An epoch of fine-tuning on pairs: `isogloss finetune`'s batches and loop beside transformers' Trainer, in one run.

    python benchmarks/finetune.py                             # mini, then XLM-R Base with V = 250,002
    python benchmarks/finetune.py --shapes base --pairs 96 --threads 2
    python benchmarks/finetune.py --data train.en.tsv         # pairs of your own: premise TAB hypothesis TAB label

Sides train fresh weights of one shape on the same pairs, cut by one vocabulary, in batches of 8 (Trainer's default), at
dropout 0.1:

    isogloss            the loop and batches of `isogloss finetune`, as they come: packed, bf16 where the processor
                        has it, of the piece embeddings the rows that the pairs use
    transformers        XLMRobertaForSequenceClassification under Trainer with its defaults: pairs in random order, each
                        batch padded to its longest, fp32 on a CPU
    transformers-bf16   the same with bf16 = True; left out where the processor has no bf16, and only emulates it

Pairs of the embedded phrasebook are made as long as XNLI's by joining premises: one to eight sentences. A side runs in
a process of its own, for two epochs, of which the second counts: in the first each new length costs kernels. Rounds
take turns; medians of epochs are compared. Peak memory is what the process adds to what it held before it made a model.
Pieces of Base's table that the vocabulary has not are never drawn, but are part of the model that is saved. The last
line is JSON; its ratios are the last shape's.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import torch
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from torch import Tensor

from isogloss.config import Duration
from isogloss.corpus import CorpusSettings, build_corpus
from isogloss.devices import choose, has_native_bf16, peak_memory
from isogloss.finetune import FinetuneOptim
from isogloss.heads import TaskModel, loss_of
from isogloss.lean import hold_used_rows
from isogloss.loop import Action, LoopSettings, train
from isogloss.model import Encoder, ModelSettings, initialise
from isogloss.phrasebook import PhrasebookSettings, pairs, write_text
from isogloss.runs import RunFolder
from isogloss.tasks import find_task, make_targets, make_windows
from isogloss.tasks.training import ExampleBatch, ExampleBatches, TrainingSet
from isogloss.vocab import VocabSettings, Vocabulary, train_vocabulary
from isogloss.vocab.hub import write_hub_files

LABELS = ("entailment", "neutral", "contradiction")
BATCH_SIZE = 8
MAX_LENGTH = 128
MOST_PREMISES = 8
MEGABYTE = 1 << 20
BF16 = "transformers-bf16"


def main() -> None:
    options = parse()
    if options.side:
        SIDES[options.side](Side(options))
        return
    with tempfile.TemporaryDirectory() as folder:
        make_data(Path(folder), options)
        results = {shape: compare(shape, folder, options) for shape in options.shapes}
    result = {
        "benchmark": "finetune",
        "shapes": results,
        "threads": options.threads or torch.get_num_threads(),
        "device": str(choose(options.device)),
        "machine": platform.machine(),
        "torch": torch.__version__,
        **{name: results[options.shapes[-1]][name] for name in ("ratio", "ratio_bf16", "memory_ratio")},
    }
    print(json.dumps(result))


def make_data(folder: Path, options: argparse.Namespace) -> None:
    """A vocabulary, and training pairs in `folder/nli/train.en.tsv`."""
    write_text(folder / "text", PhrasebookSettings(num_documents=options.documents))
    build_corpus(CorpusSettings(input=folder / "text", output=folder / "corpus"))
    train_vocabulary(
        VocabSettings(
            corpus=folder / "corpus",
            output=folder / "vocab",
            size=options.pieces,
            model_type="bpe",
            character_coverage=1,
        )
    )
    write_hub_files(folder / "vocab", Vocabulary.load(folder / "vocab"))
    if options.data:
        lines = Path(options.data).read_text(encoding="utf-8").splitlines()[: options.pairs]
    else:
        lines = ["\t".join(pair) for pair in long_pairs(options.pairs)]
    (folder / "nli").mkdir()
    (folder / "nli" / "train.en.tsv").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def long_pairs(num_pairs: int) -> Iterator[tuple[str, str, str]]:
    """Pairs whose premise is one to eight sentences, the first of which the label is about."""
    random = np.random.default_rng(1)
    drawn = list(pairs("en", MOST_PREMISES * num_pairs, seed=1, held_out=False))
    for pair in drawn[:num_pairs]:
        others = random.integers(len(drawn), size=random.integers(MOST_PREMISES))
        yield " ".join([pair.premise, *(drawn[other].premise for other in others)]), pair.hypothesis, pair.label


def compare(shape: str, folder: str, options: argparse.Namespace) -> dict[str, Any]:
    """Rounds of each side in turns → medians and ratios, and a table for the reader."""
    sides = [side for side in SIDES if side != BF16 or has_native_bf16(choose(options.device).device)]
    told: dict[str, list[dict[str, Any]]] = {side: [] for side in sides}
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(shape, total=options.rounds * len(sides))
        for _ in range(options.rounds):
            for side, of_side in told.items():
                of_side.append(run(side, shape, folder, options))
                bar.advance(task)
    facts = told["isogloss"][0]
    title = f"{shape}: an epoch of {facts['pairs']:,} pairs, {facts['tokens'] / facts['pairs']:.0f} tokens in the mean"
    table = Table(title=title)
    for column in ("", "pairs/s", "s an epoch", "fastest", "slowest", "peak, MB", "loss"):
        table.add_column(column, justify="right" if column else "left", no_wrap=True)
    seconds: dict[str, float] = {}
    peaks: dict[str, float] = {}
    for side, of_side in told.items():
        epochs = [one["seconds"] for one in of_side]
        seconds[side] = statistics.median(epochs)
        peaks[side] = max(one["peak_bytes"] for one in of_side) / MEGABYTE
        times = [f"{value:.2f}" for value in (seconds[side], min(epochs), max(epochs))]
        speed = f"{facts['pairs'] / seconds[side]:.2f}"
        table.add_row(side, speed, *times, f"{peaks[side]:,.0f}", f"{of_side[-1]['loss']:.3f}")
    Console().print(table)
    return {
        "ratio": round(seconds["transformers"] / seconds["isogloss"], 2),
        "ratio_bf16": round(seconds[BF16] / seconds["isogloss"], 2) if BF16 in seconds else None,
        "memory_ratio": round(peaks["transformers"] / peaks["isogloss"], 2),
        "seconds": {side: round(value, 3) for side, value in seconds.items()},
        "megabytes": {side: round(peak) for side, peak in peaks.items()},
        "pairs": facts["pairs"],
        "tokens": facts["tokens"],
        "parameters": facts["parameters"],
    }


def run(side: str, shape: str, folder: str, options: argparse.Namespace) -> dict[str, Any]:
    """One round of one side, in a process of its own."""
    given = {name: value for name, value in vars(options).items() if value is not None}
    words = [f"--{name}={value}" for name, value in given.items() if name not in ("shapes", "side", "folder", "rounds")]
    command = [sys.executable, __file__, "--side", side, "--folder", folder, "--shapes", shape, *words]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"HF_HUB_OFFLINE": "1"})
    if done.returncode:
        raise SystemExit(f"{side} with {shape} failed:\n{done.stderr}")
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


class Side:
    """What all sides are given, and the clock of one: seconds of its second epoch, at whose end the process ends."""

    def __init__(self, options: argparse.Namespace) -> None:
        if options.threads:
            torch.set_num_threads(options.threads)
        self.folder = Path(options.folder)
        self.device = choose(options.device)
        layers = {} if options.layers is None else {"num_layers": options.layers}
        size = {} if options.shapes[0] == "base" else {"vocabulary_size": options.pieces}
        self.shape = ModelSettings(preset=options.shapes[0], max_length=512, **size, **layers)
        task, vocabulary = find_task("nli"), Vocabulary.load(self.folder / "vocab")
        examples = task.read(self.folder / "nli" / "train.en.tsv", language="en")
        self.windows = make_windows(task.kind, examples, vocabulary, language="en", max_length=MAX_LENGTH)
        self.targets = make_targets(task.kind, examples, self.windows, LABELS)
        self.steps_per_epoch = -(-len(self.windows) // BATCH_SIZE)
        self.parameters = 0
        self._held = peak_memory(self.device)
        self._num_steps = 0
        self._begun = 0.0

    def tick(self, loss: float) -> None:
        """The end of a step."""
        self._num_steps += 1
        if self._num_steps % self.steps_per_epoch:
            return
        if self.device.device.type == "cuda":
            torch.cuda.synchronize()
        now = time.perf_counter()
        if self._num_steps == 2 * self.steps_per_epoch:
            self._tell(now - self._begun, loss)
        self._begun = now

    def _tell(self, seconds: float, loss: float) -> NoReturn:
        told = {
            "seconds": seconds,
            "pairs": len(self.windows),
            "tokens": sum(len(window.ids) for window in self.windows),
            "loss": loss,
            "parameters": self.parameters,
            "peak_bytes": peak_memory(self.device) - self._held,
        }
        print(json.dumps(told), flush=True)
        os._exit(0)  # not to write a checkpoint of gigabytes that nobody reads


def ours(side: Side) -> None:
    model = TaskModel(Encoder(side.shape), "sequence", LABELS)
    initialise(model, 1)
    side.parameters = sum(parameter.numel() for parameter in model.parameters())
    training = TrainingSet.of("classify", side.windows, side.targets)
    hold_used_rows(model, training.ids.values, folder=side.folder)
    batches = ExampleBatches(training, batch_size=BATCH_SIZE, seed=1)
    latest: list[float] = []

    def measured(network: Any, batch: ExampleBatch) -> Tensor:
        loss = loss_of(network, batch)
        latest[:] = [loss.item() / batch.num_targets]
        return loss

    def tick(_: object) -> Mapping[str, Any]:
        side.tick(latest[0])
        return {}

    train(
        model,
        run=RunFolder(side.folder / "run", writes=False),
        batches=batches.batch,
        loss_of=measured,
        total_steps=2 * side.steps_per_epoch,
        optim=FinetuneOptim(),
        settings=LoopSettings(),
        seed=1,
        device=side.device,
        actions=[Action("clock", Duration("1 steps"), tick)],
    )


def theirs(side: Side, *, bf16: bool = False) -> None:
    """Trainer on the same sequences and labels."""
    import transformers
    from trainer_side import config_of, train_beside

    model = transformers.XLMRobertaForSequenceClassification(config_of(side.shape, num_labels=len(LABELS)))
    side.parameters = sum(parameter.numel() for parameter in model.parameters())
    rows = [
        {"input_ids": window.ids.tolist(), "labels": int(target.labels[0])}
        for window, target in zip(side.windows, side.targets, strict=True)
    ]
    train_beside(
        model,
        rows,
        side.tick,
        output=side.folder / "run",
        device=side.device,
        batch_size=BATCH_SIZE,
        bf16=bf16,
        num_train_epochs=2,
        processing_class=transformers.AutoTokenizer.from_pretrained(side.folder / "vocab"),
    )


def theirs_in_bf16(side: Side) -> None:
    theirs(side, bf16=True)


SIDES: dict[str, Callable[[Side], None]] = {
    "isogloss": ours,
    "transformers": theirs,
    BF16: theirs_in_bf16,
}


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shapes", nargs="+", default=["mini", "base"], help="presets of isogloss.model")
    parser.add_argument("--pairs", type=int, default=96, help="pairs of an epoch")
    parser.add_argument("--data", help="a file of pairs, instead of the phrasebook's")
    parser.add_argument("--layers", type=int, help="layers (as in the preset)")
    parser.add_argument("--documents", type=int, default=1500, help="of the phrasebook's text, a language")
    parser.add_argument("--pieces", type=int, default=8000, help="pieces of the vocabulary that the pairs are cut with")
    parser.add_argument("--rounds", type=int, default=3, help="processes of each side")
    parser.add_argument("--threads", type=int, default=0, help="0: as torch chooses")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--side", default="", help=argparse.SUPPRESS)
    parser.add_argument("--folder", default="", help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
