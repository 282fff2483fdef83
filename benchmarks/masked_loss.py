"""The loss of masked rows, forward and backward: seconds and peak memory beside a matrix of logits and torch's own.

    python benchmarks/masked_loss.py                         # XLM-R Base: 250,002 pieces, width 768, 1,024 masked rows
    python benchmarks/masked_loss.py --rows 4096 --precision fp32

Each way runs in a process of its own, so that its peak memory is its own, and they take turns, so that a busy machine
slows all. Weights are fp32 and, in bf16, cast once a step by every way, as in training. "plain" is a product and
`cross_entropy` over all masked rows at once; "torch" is `linear_cross_entropy` with the options that are exact (torch
2.13 and later). Memory is what the peak adds to weights, gradients and input. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from isogloss.devices import choose
from isogloss.loss import linear_cross_entropy

Loss = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]
MEGABYTE = 1 << 20


def main() -> None:
    options = parse()
    if options.way:
        work(options)
        return
    sides = {way: start(way, options) for way in WAYS}
    seconds: dict[str, list[float]] = {way: [] for way in sides}
    peaks: dict[str, float] = {}
    losses: dict[str, float] = {}
    for number in range(options.rounds + 1):
        for way, process in sides.items():
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write("go\n")
            process.stdin.flush()
            told = json.loads(process.stdout.readline())
            if number:  # the first one pays for kernels and memory
                seconds[way].append(told["seconds"])
            peaks[way], losses[way] = told["megabytes"], told["loss"]
    for process in sides.values():
        process.communicate()
    medians = {way: statistics.median(of_way) for way, of_way in seconds.items()}
    for way in sides:
        print(f"{way:8} {1000 * medians[way]:9.0f} ms {peaks[way]:9.0f} MB   loss {losses[way]:.4f}")
    result = {
        "benchmark": "masked_loss",
        "ratio": round(medians["plain"] / medians["isogloss"], 2),
        "memory_ratio": round(peaks["plain"] / max(1.0, peaks["isogloss"]), 2),
        "seconds": {way: round(median, 4) for way, median in medians.items()},
        "megabytes": {way: round(peak) for way, peak in peaks.items()},
        "losses": losses,
        "rows": options.rows,
        "pieces": options.pieces,
        "width": options.width,
        "precision": options.precision,
        "threads": options.threads or torch.get_num_threads(),
        "torch": torch.__version__,
    }
    print(json.dumps(result))


def plain(h_MD: Tensor, weight_VD: Tensor, bias_V: Tensor, targets_M: Tensor) -> Tensor:
    """A matrix of logits; the softmax in fp32."""
    logits_MV = F.linear(h_MD, weight_VD.to(h_MD.dtype), bias_V.to(h_MD.dtype))
    return F.cross_entropy(logits_MV.float(), targets_M, reduction="sum")


def of_torch(h_MD: Tensor, weight_VD: Tensor, bias_V: Tensor, targets_M: Tensor) -> Tensor:
    """Torch's own way in chunks, with the only policy that is exact in bf16."""
    chunks: Any = torch.nn.LinearCrossEntropyOptions(acc_policy="accurate", batch_chunk_size=128)
    weight_VD, bias_V = weight_VD.to(h_MD.dtype), bias_V.to(h_MD.dtype)
    return F.linear_cross_entropy(h_MD, weight_VD, targets_M, linear_bias=bias_V, reduction="sum", options=chunks)


WAYS: dict[str, Loss] = {"isogloss": linear_cross_entropy, "plain": plain}
if hasattr(F, "linear_cross_entropy"):
    WAYS["torch"] = of_torch


def start(way: str, options: argparse.Namespace) -> subprocess.Popen[str]:
    words = [f"--{name}={value}" for name, value in vars(options).items() if name != "way"]
    return subprocess.Popen(
        [sys.executable, __file__, "--way", way, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def work(options: argparse.Namespace) -> None:
    """One way: a step for each line of stdin, told as a line of JSON."""
    if options.threads:
        torch.set_num_threads(options.threads)
    device = choose(options.device, precision=options.precision)
    place, on_cuda = device.device, device.device.type == "cuda"
    generator = torch.Generator().manual_seed(1)
    weight_VD = (torch.randn(options.pieces, options.width, generator=generator) * 0.05).to(place).requires_grad_()
    bias_V = torch.zeros(options.pieces, device=place, requires_grad=True)
    h_MD = torch.randn(options.rows, options.width, generator=generator).to(place, device.dtype).requires_grad_()
    targets_M = torch.randint(0, options.pieces, (options.rows,), generator=generator).to(place)
    for tensor in (weight_VD, bias_V, h_MD):
        tensor.grad = torch.zeros_like(tensor)
    held = peak_bytes(on_cuda)
    for _ in sys.stdin:
        begun = time.perf_counter()
        loss = WAYS[options.way](h_MD, weight_VD, bias_V, targets_M)
        (loss / options.rows).backward()  # type: ignore[no-untyped-call]
        value = loss.item() / options.rows
        took = time.perf_counter() - begun
        told = {"seconds": took, "loss": round(value, 5), "megabytes": (peak_bytes(on_cuda) - held) / MEGABYTE}
        print(json.dumps(told), flush=True)


def peak_bytes(on_cuda: bool) -> int:
    if on_cuda:
        torch.cuda.synchronize()
        return torch.cuda.max_memory_allocated()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1024, help="masked rows")
    parser.add_argument("--pieces", type=int, default=250_002, help="size of the vocabulary")
    parser.add_argument("--width", type=int, default=768, help="of the hidden states")
    parser.add_argument("--rounds", type=int, default=5, help="steps that are timed, of each way")
    parser.add_argument("--threads", type=int, default=0, help="0: as torch chooses")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--precision", default="auto", help="bf16 where the processor has it (auto), bf16 or fp32")
    parser.add_argument("--way", default="", help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
