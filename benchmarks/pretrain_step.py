"""The pretraining step in tokens/s: ours beside transformers' XLMRobertaForMaskedLM of the same shape, in one run.

    python benchmarks/pretrain_step.py                       # the demo's model
    python benchmarks/pretrain_step.py --width 256 --layers 4 --dropout 0.1

The shape is that of the demo's model and batches, options change it; norms sit after the parts, as XLM-R has them.
A step is forward, backward, clipping and AdamW on one batch. Both sides get the same ids, masks and starting weights,
and take turns, so that a busy machine slows both; the medians of the steps are compared. Ours runs as `isogloss
pretrain` runs it: packed, masked rows only, bf16 where the processor has it. Theirs runs as it comes: fp32, logits at
every position, AdamW as torch makes it. Both profit from the allocator's settings that ours makes for the process.
The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.progress import track
from rich.table import Table
from safetensors.torch import save_file
from torch import Tensor, nn

from isogloss.attention import Layout
from isogloss.batches import BatchSettings
from isogloss.config import SettingsType, make_settings
from isogloss.demo import DemoSettings
from isogloss.devices import Device, choose
from isogloss.interop.huggingface import to_hub
from isogloss.manifest import write_json
from isogloss.model import MaskedLM, ModelSettings, initialise
from isogloss.optim import OptimSettings, make_optimizer

NUM_BATCHES = 4

Masked = tuple[Tensor, Tensor]  # ids and which of them are masked, both (sequences, length)


def main() -> None:
    options = parse()
    if options.threads:
        torch.set_num_threads(options.threads)
    device = choose(options.device, precision=options.precision)
    settings, batch = shape(options)
    batches = [make_batch(settings, batch, seed) for seed in range(NUM_BATCHES)]
    sides = {"isogloss": ours(settings, batches, device), "transformers": theirs(settings, batches, device)}
    for step in sides.values():  # first steps pay for kernels and memory
        step(0)
        step(1)
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    losses: dict[str, float] = {}
    for number in track(range(options.rounds), "steps", console=Console(stderr=True), transient=True):
        for name, step in sides.items():
            start = time.perf_counter()
            losses[name] = step(number)
            seconds[name].append(time.perf_counter() - start)
    report(settings, batch.sequence_length * batch.batch_size, seconds, losses, str(device))


def ours(settings: ModelSettings, batches: list[Masked], device: Device) -> Callable[[int], float]:
    """One step of our model: packed ids, loss and gradients at masked rows only."""
    model = MaskedLM(settings)
    initialise(model, 1)
    device.place(model).train()
    optimizer = make_optimizer(model, OptimSettings(peak_rate=1e-4))
    packed = []
    for ids_ST, masked_ST in batches:
        rows_M = masked_ST.flatten().nonzero()[:, 0]
        layout = Layout.of([ids_ST.shape[1]] * ids_ST.shape[0], device.device)
        hidden_N = torch.where(masked_ST, settings.vocabulary_size - 1, ids_ST).flatten()
        tensors = (hidden_N, rows_M, ids_ST.flatten()[rows_M])
        packed.append((layout, *(tensor.to(device.device) for tensor in tensors)))

    def loss_of(number: int) -> Tensor:
        layout, ids_N, rows_M, targets_M = packed[number % NUM_BATCHES]
        return model.masked_loss(ids_N, layout, rows_M, targets_M) / len(targets_M)

    return lambda number: update(model, optimizer, loss_of(number))


def theirs(settings: ModelSettings, batches: list[Masked], device: Device) -> Callable[[int], float]:
    """One step of theirs from the same weights: ids, attention mask and labels, as its data collator gives them."""
    from transformers import AutoModelForMaskedLM, logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    twin = MaskedLM(settings)
    initialise(twin, 1)
    config, tensors = to_hub(twin)
    with tempfile.TemporaryDirectory() as folder:
        write_json(Path(folder) / "config.json", config)
        save_file(tensors, Path(folder) / "model.safetensors", metadata={"format": "pt"})
        model = AutoModelForMaskedLM.from_pretrained(folder).to(device.device).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)
    padded = []
    for ids_ST, masked_ST in batches:
        hidden_ST = torch.where(masked_ST, settings.vocabulary_size - 1, ids_ST)
        labels_ST = torch.where(masked_ST, ids_ST, -100)
        given = {"input_ids": hidden_ST, "attention_mask": torch.ones_like(ids_ST), "labels": labels_ST}
        padded.append({key: value.to(device.device) for key, value in given.items()})
    return lambda number: update(model, optimizer, model(**padded[number % NUM_BATCHES]).loss)


def update(model: nn.Module, optimizer: torch.optim.Optimizer, loss: Tensor) -> float:
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    optimizer.zero_grad()
    return loss.item()  # also waits for a GPU


def make_batch(settings: ModelSettings, batch: BatchSettings, seed: int) -> Masked:
    """Random pieces, opened by <s>, and which of them are masked."""
    generator = torch.Generator().manual_seed(seed)
    shape_ST = (batch.batch_size, batch.sequence_length)
    ids_ST = torch.randint(4, settings.vocabulary_size - 1, shape_ST, generator=generator)
    ids_ST[:, 0] = 0
    return ids_ST, torch.rand(shape_ST, generator=generator) < batch.mask_rate


def shape(options: argparse.Namespace) -> tuple[ModelSettings, BatchSettings]:
    """The demo's model and batch, changed by the options."""
    demo = DemoSettings()
    model = {
        "norm": options.norm, "width": options.width, "num_layers": options.layers, "num_heads": options.heads,
        "vocabulary_size": options.vocabulary or demo.vocabulary_size, "max_length": options.length,
        "feedforward": options.width and 4 * options.width,
        "dropout": options.dropout, "attention_dropout": options.dropout,
    }  # fmt: skip
    batch = {"sequence_length": options.length, "batch_size": options.sequences}
    return changed(demo.model, model), changed(demo.batches, batch)


def changed(settings: SettingsType, values: dict[str, Any]) -> SettingsType:
    """Settings with the values that are not None, checked again."""
    given = {key: value for key, value in values.items() if value is not None}
    return make_settings(type(settings), settings.model_dump() | given, where="benchmark")


def report(
    settings: ModelSettings, num_tokens: int, seconds: dict[str, list[float]], losses: dict[str, float], device: str
) -> None:
    table = Table(title=f"one pretraining step of {num_tokens:,} tokens, {device}, {torch.get_num_threads()} threads")
    for column in ("", "tokens/s", "ms a step", "fastest", "slowest", "last loss"):
        table.add_column(column, justify="left" if not column else "right")
    speeds = {}
    for name, times in seconds.items():
        middle = statistics.median(times)
        speeds[name] = num_tokens / middle
        row = [f"{1000 * value:.0f}" for value in (middle, min(times), max(times))]
        table.add_row(name, f"{speeds[name]:,.0f}", *row, f"{losses[name]:.3f}")
    Console().print(table)
    ratio = speeds["isogloss"] / speeds["transformers"]
    result = {
        "benchmark": "pretrain_step",
        "model": settings.model_dump(mode="json", exclude={"preset"}),
        "tokens_per_step": num_tokens,
        "device": device,
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "tokens_per_second": {name: round(speed) for name, speed in speeds.items()},
        "ratio": round(ratio, 2),
    }
    print(json.dumps(result))


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    for name, text in (
        ("width", "width of the model; the feed-forward part is four times as wide"),
        ("layers", "layers"),
        ("heads", "attention heads"),
        ("vocabulary", "pieces"),
        ("length", "tokens of a sequence"),
        ("sequences", "sequences of a step"),
        ("threads", "threads of torch (as torch finds)"),
    ):
        parser.add_argument(f"--{name}", type=int, help=text)
    parser.add_argument(
        "--norm", default="post", choices=["post", "pre"], help="pre compares with XLMRobertaXLForMaskedLM"
    )
    parser.add_argument("--dropout", type=float, help="dropout of both models")
    parser.add_argument("--rounds", type=int, default=31, help="steps of each side")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--precision", default="auto", choices=["auto", "bf16", "fp32"], help="ours; theirs is fp32")
    return parser.parse_args()


if __name__ == "__main__":
    main()
