"""A pretraining step in tokens/s and memory: `isogloss pretrain`'s loop beside transformers' Trainer, in one run.

    python benchmarks/pretrain_step.py                                   # mini, then XLM-R Base with V = 250,002
    python benchmarks/pretrain_step.py --recipes mini --threads 1 --dropout 0

Three sides see the same sequences of an embedded phrasebook's tokens, in the shape of a recipe (XLM-R's norms and
dropout of 0.1 unless asked otherwise), each with a collator of its own at the recipe's mask rate:

    isogloss            the loop and batches of `isogloss pretrain`, as they come: bf16 where the processor has it
    transformers        what run_mlm does: XLMRobertaForMaskedLM under Trainer with its defaults (fp32 on a CPU)
    transformers-bf16   the same with bf16 = True

A side runs in a process of its own, so that its peak memory is its own: what the peak adds to the process before it
makes a model. Rounds take turns, and the medians of their steps are compared. The pieces of Base's table that the
phrasebook has no words for are never drawn, but are multiplied and summed over as all others are. Last, the batches
alone, made from shards on one core, against what our step takes in. The last line is JSON; its ratios are the last
recipe's.
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
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NoReturn

import torch
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from torch import Tensor

from isogloss.batches import MaskedBatch, MaskedBatches
from isogloss.config import Duration, load_recipe
from isogloss.corpus import CorpusSettings, build_corpus
from isogloss.devices import Device, choose, peak_memory
from isogloss.loop import Action, LoopSettings, train
from isogloss.model import MaskedLM, initialise
from isogloss.phrasebook import PhrasebookSettings, write_text
from isogloss.pretrain import PretrainSettings
from isogloss.runs import RunFolder
from isogloss.shards import Shards, ShardSettings, build_shards
from isogloss.vocab import VocabSettings, Vocabulary, train_vocabulary
from isogloss.vocab.hub import write_hub_files

RECIPES = Path(__file__).resolve().parents[1] / "recipes" / "pretrain"
# Of Base, a step of thousands of sequences would take hours; of eight, Trainer's default, it needs more than 24 GB.
MOST_SEQUENCES = {"xlmr-base": 4}
MEGABYTE = 1 << 20
DATA_SECONDS = 2.0


def main() -> None:
    options = parse()
    if options.side:
        work(options)
        return
    with tempfile.TemporaryDirectory() as folder:
        make_shards(Path(folder), options.documents, options.pieces)
        results = {recipe: compare(recipe, folder, options) for recipe in options.recipes}
    result = {
        "benchmark": "pretrain_step",
        "models": results,
        "threads": options.threads or torch.get_num_threads(),
        "device": str(choose(options.device)),
        "machine": platform.machine(),
        "torch": torch.__version__,
        **{name: results[options.recipes[-1]][name] for name in ("ratio", "ratio_bf16", "memory_ratio", "data_ratio")},
    }
    print(json.dumps(result))


def make_shards(folder: Path, num_documents: int, num_pieces: int) -> None:
    """Phrasebook text in the ids of a small vocabulary."""
    write_text(folder / "text", PhrasebookSettings(num_documents=num_documents))
    build_corpus(CorpusSettings(input=folder / "text", output=folder / "corpus"))
    settings = VocabSettings(
        corpus=folder / "corpus", output=folder / "vocab", size=num_pieces, model_type="bpe", character_coverage=1
    )
    train_vocabulary(settings)
    build_shards(ShardSettings(corpus=folder / "corpus", vocabulary=folder / "vocab", output=folder / "shards"))


def compare(recipe: str, folder: str, options: argparse.Namespace) -> dict[str, Any]:
    """Rounds of each side in turns → medians and ratios, and a table for the reader."""
    told: dict[str, list[dict[str, Any]]] = {side: [] for side in SIDES}
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(recipe, total=options.rounds * len(SIDES))
        for _ in range(options.rounds):
            for side, of_side in told.items():
                of_side.append(run(side, recipe, folder, options))
                bar.advance(task)
    table = Table(title=f"{recipe}: a pretraining step of {told['isogloss'][0]['tokens']:,} tokens")
    for column in ("", "tokens/s", "s a step", "fastest", "slowest", "peak, MB", "loss"):
        table.add_column(column, justify="right" if column else "left", no_wrap=True)
    speeds: dict[str, float] = {}
    peaks: dict[str, float] = {}
    for side, of_side in told.items():
        seconds = [second for one in of_side for second in one["seconds"]]
        median = statistics.median(seconds)
        speeds[side] = of_side[0]["tokens"] / median
        peaks[side] = max(one["peak_bytes"] for one in of_side) / MEGABYTE
        times = [f"{value:.3f}" for value in (median, min(seconds), max(seconds))]
        table.add_row(side, f"{speeds[side]:,.0f}", *times, f"{peaks[side]:,.0f}", f"{of_side[-1]['loss']:.3f}")
    Console().print(table)
    ours = speeds.pop("isogloss")
    data = speeds.pop("data")
    of_data = peaks.pop("data")
    return {
        "ratio": round(ours / speeds["transformers"], 2),
        "ratio_bf16": round(ours / speeds["transformers-bf16"], 2),
        "memory_ratio": round(peaks["transformers"] / peaks["isogloss"], 2),
        "data_ratio": round(data / ours, 1),
        "tokens_per_second": {side: round(speed) for side, speed in {"isogloss": ours, **speeds, "data": data}.items()},
        "megabytes": {side: round(peak) for side, peak in {**peaks, "data": of_data}.items()},
        "tokens_per_step": told["isogloss"][0]["tokens"],
        "parameters": told["isogloss"][0]["parameters"],
    }


def run(side: str, recipe: str, folder: str, options: argparse.Namespace) -> dict[str, Any]:
    """One round of one side, in a process of its own."""
    given = {name: value for name, value in vars(options).items() if value is not None}
    words = [
        f"--{name}={value}" for name, value in given.items() if name not in ("recipes", "side", "folder", "rounds")
    ]
    command = [sys.executable, __file__, "--side", side, "--folder", folder, "--recipes", recipe, *words]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"HF_HUB_OFFLINE": "1"})
    if done.returncode:
        raise SystemExit(f"{side} with {recipe} failed:\n{done.stderr}")
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def work(options: argparse.Namespace) -> None:
    """A process of one side: its steps, told as a line of JSON."""
    if options.threads:
        torch.set_num_threads(options.threads)
    settings = settings_of(options)
    shards = Shards.open(settings.shards)
    batches = MaskedBatches(shards, settings.batches, seed=1)
    SIDES[options.side](settings, batches, Clock(options, settings, choose(options.device)))


def settings_of(options: argparse.Namespace) -> PretrainSettings:
    """The recipe, in the shape that was asked for."""
    folder, recipe = Path(options.folder), options.recipes[0]
    changes = {
        "run": folder / "run", "shards": folder / "shards", "vocabulary": folder / "vocab",
        "model.norm": "post", "model.dropout": options.dropout, "model.attention_dropout": options.dropout,
        "model.num_layers": options.layers, "batches.sequence_length": options.length,
        "batches.batch_size": options.sequences or MOST_SEQUENCES.get(recipe),
    }  # fmt: skip
    words = [f"{name}={value}" for name, value in changes.items() if value is not None]
    return load_recipe(RECIPES / f"{recipe}.toml", PretrainSettings, words)


class Clock:
    """Seconds of the steps of one side. It ends the process at the last one: nothing behind it is compared."""

    def __init__(self, options: argparse.Namespace, settings: PretrainSettings, device: Device) -> None:
        self.device = device
        self.steps_to_warm = options.warmup
        self.num_steps = options.warmup + options.steps
        self.num_tokens = settings.batches.batch_size * settings.batches.sequence_length
        self.parameters = 0
        self._held = peak_memory(device)
        self._seconds: list[float] = []
        self._last = time.perf_counter()

    def tick(self, loss: float) -> None:
        """The end of a step. The first steps pay for kernels and memory and are not counted."""
        if self.device.device.type == "cuda":
            torch.cuda.synchronize()
        now = time.perf_counter()
        self._seconds.append(now - self._last)
        if len(self._seconds) == self.num_steps:
            self.tell(self.num_tokens, self._seconds[self.steps_to_warm :], loss)
        self._last = time.perf_counter()

    def tell(self, num_tokens: int, seconds: list[float], loss: float) -> NoReturn:
        told = {"tokens": num_tokens, "seconds": seconds, "loss": loss, "parameters": self.parameters}
        print(json.dumps({**told, "peak_bytes": peak_memory(self.device) - self._held}), flush=True)
        os._exit(0)  # not to write a checkpoint of gigabytes that nobody reads


def ours(settings: PretrainSettings, batches: MaskedBatches, clock: Clock) -> None:
    model = MaskedLM(settings.model)
    initialise(model, 1, std=settings.model.initial_std)
    clock.parameters = sum(parameter.numel() for parameter in model.parameters())
    latest: list[float] = []

    def loss_of(network: Any, batch: MaskedBatch) -> Tensor:
        loss: Tensor = network(batch.ids_N, batch.layout, batch.rows_M, batch.targets_M)
        latest[:] = [loss.item() / batch.num_targets]
        return loss

    def tick(_: object) -> Mapping[str, Any]:
        clock.tick(latest[0])
        return {}

    train(
        model,
        run=RunFolder(settings.run, writes=False),
        batches=batches.batch,
        loss_of=loss_of,
        total_steps=clock.num_steps,
        optim=settings.optim,
        settings=LoopSettings(spike=10.0),
        seed=1,
        device=clock.device,
        actions=[Action("clock", Duration("1 steps"), tick)],
    )


def theirs(settings: PretrainSettings, batches: MaskedBatches, clock: Clock, *, bf16: bool = False) -> None:
    """Trainer and its collator on the sequences of our batches, without their masks."""
    import transformers
    from trainer_side import config_of, train_beside

    model = transformers.XLMRobertaForMaskedLM(config_of(settings.model))
    sequences = [
        {"input_ids": ids_L.tolist()} for step in range(clock.num_steps) for ids_L in unmasked(batches.batch(step))
    ]
    write_hub_files(settings.vocabulary, Vocabulary.load(settings.vocabulary))
    tokenizer = transformers.AutoTokenizer.from_pretrained(settings.vocabulary)
    mask_rate = settings.batches.mask_rate
    train_beside(
        model,
        sequences,
        clock.tick,
        output=settings.run,
        device=clock.device,
        batch_size=settings.batches.batch_size,
        bf16=bf16,
        max_steps=clock.num_steps,
        data_collator=transformers.DataCollatorForLanguageModeling(tokenizer, mlm_probability=mask_rate),
    )


def theirs_in_bf16(settings: PretrainSettings, batches: MaskedBatches, clock: Clock) -> None:
    theirs(settings, batches, clock, bf16=True)


def unmasked(batch: MaskedBatch) -> tuple[Tensor, ...]:
    """The sequences of a batch as they stood in the text."""
    ids_N = batch.ids_N.clone()
    ids_N[batch.rows_M] = batch.targets_M
    return torch.split(ids_N, list(batch.layout.lengths))


def data(settings: PretrainSettings, batches: MaskedBatches, clock: Clock) -> None:
    """Our batches alone, on one core."""
    torch.set_num_threads(1)
    batches.batch(0)
    seconds: list[float] = []
    while sum(seconds) < DATA_SECONDS:
        begun = time.perf_counter()
        batches.batch(1 + len(seconds))
        seconds.append(time.perf_counter() - begun)
    clock.tell(clock.num_tokens, seconds, 0.0)


SIDES: dict[str, Callable[[PretrainSettings, MaskedBatches, Clock], None]] = {
    "isogloss": ours,
    "transformers": theirs,
    "transformers-bf16": theirs_in_bf16,
    "data": data,
}


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipes", nargs="+", default=["mini", "xlmr-base"], help="names in recipes/pretrain")
    parser.add_argument("--dropout", type=float, default=0.1, help="dropout of all models")
    parser.add_argument("--layers", type=int, help="layers (as in the recipe)")
    parser.add_argument("--length", type=int, help="tokens of a sequence (as in the recipe)")
    parser.add_argument("--sequences", type=int, help="sequences of a step (as in the recipe; of Base 4)")
    parser.add_argument("--documents", type=int, default=1500, help="of the phrasebook's text, a language")
    parser.add_argument("--pieces", type=int, default=8000, help="pieces of the vocabulary that the text is cut with")
    parser.add_argument("--rounds", type=int, default=3, help="processes of each side")
    parser.add_argument("--warmup", type=int, default=2, help="steps of each process that are not counted")
    parser.add_argument("--steps", type=int, default=5, help="steps of each process that are")
    parser.add_argument("--threads", type=int, default=0, help="0: as torch chooses")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--side", default="", help=argparse.SUPPRESS)
    parser.add_argument("--folder", default="", help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
