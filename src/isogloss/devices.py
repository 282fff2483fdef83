"""Which device, and in which type to compute: decided once by whoever starts the work, never at import.

    device = choose("auto", precision="auto")
    model = device.place(model)            # moved there, computing in device.dtype; weights stay fp32
    peak_flops(device)                     # operations a second of matrix products there, measured now
    peak_memory(device)                    # bytes that this process has held there at most

bf16 where the processor has it, CPUs too; fp32 elsewhere. A CPU without bf16 instructions computes bf16 many times
slower than fp32, so it is asked, not assumed.
"""

from __future__ import annotations

import ctypes
import os
import re
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar, get_args

import torch
from torch import nn

from isogloss.errors import ConfigError
from isogloss.processes import started

__all__ = [
    "Device",
    "InferencePrecision",
    "Precision",
    "choose",
    "forget_peak_memory",
    "has_native_bf16",
    "has_native_int8",
    "held_bytes",
    "peak_flops",
    "peak_memory",
    "return_freed_memory",
    "visible_gpus",
]

Precision = Literal["auto", "bf16", "fp32"]
InferencePrecision = Literal["auto", "bf16", "fp32", "int8"]
Model = TypeVar("Model", bound=nn.Module)

# glibc's mallopt: give memory back to the system only beyond 2 GB, take it 64 MB at a time, and keep large tensors
# on the heap. By default each step's large tensors are fresh pages that the kernel must zero first.
MALLOC_OPTIONS = {"M_TRIM_THRESHOLD": (-1, 2**31 - 1), "M_TOP_PAD": (-2, 1 << 26), "M_MMAP_THRESHOLD": (-3, 1 << 30)}

# The peak is that of the fastest of some products of square matrices, wide enough to take so many seconds: short ones,
# as on a busy machine a long one is interrupted.
PEAK_SECONDS, PEAK_PRODUCTS, NARROWEST_PRODUCT, WIDEST_PRODUCT = 0.001, 16, 512, 16_384

# What the project runs on and is tested on.
DEVICES = re.compile(r"cpu|cuda(:[0-9]{1,3})?")

# Lines of /proc/self/status: pages of the process's own, of files, of files that lie in memory; and the most of all.
HELD = ("RssAnon:", "RssFile:", "RssShmem:", "VmHWM:")

# Names of bf16 matrix instructions in /proc/cpuinfo: x86 AVX512 and AMX, Arm.
BF16_FLAGS = {"avx512_bf16", "amx_bf16", "bf16"}


@dataclass(frozen=True)
class Device:
    """A device and the type to compute in; with `int8`, a model that only answers multiplies in that (`inference`)."""

    device: torch.device
    dtype: torch.dtype
    int8: bool = False

    def place(self, model: Model) -> Model:
        """Move `model` to the device and let it compute in `dtype`; the weights keep their type."""
        model.to(self.device)
        for module in model.modules():
            if hasattr(module, "compute_dtype"):
                module.compute_dtype = self.dtype  # type: ignore[assignment]
        return model

    def __str__(self) -> str:
        dtype = "int8" if self.int8 else "bf16" if self.dtype == torch.bfloat16 else "fp32"
        return f"{self.device} in {dtype}"


def choose(device: str = "auto", *, precision: InferencePrecision = "auto") -> Device:
    """The device asked for (`auto`: CUDA if there is one, else the CPU) and the type to compute in.

    In int8, which is for inference only, what is not quantised is computed as by `auto`. Raises ConfigError for a
    device that is not there, a precision that is not known, and int8 where it is no faster than what there is.
    """
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if not DEVICES.fullmatch(device):
        raise ConfigError(f"device = '{device}' is not a device: use auto, cpu, cuda or cuda:1")
    chosen = torch.device(device)
    if device == "cuda":  # of several processes on a machine, each has one
        chosen = torch.device("cuda", started().local_rank)
    if chosen.type == "cuda" and not torch.cuda.is_available():
        raise ConfigError(f"device = '{device}': no CUDA device is visible here; use device=cpu or device=auto")
    if chosen.index is not None and chosen.index >= torch.cuda.device_count():
        raise ConfigError(
            f"device = '{device}': there are {torch.cuda.device_count()} CUDA devices here, from cuda:0 on"
        )
    if precision not in get_args(InferencePrecision):
        raise ConfigError(f"precision = '{precision}' is not known: use auto, bf16, fp32 or, to ask a model, int8")
    if precision == "int8" and not has_native_int8(chosen):
        raise ConfigError(
            f"precision = 'int8': {chosen} has no fast int8 products (x86 CPUs with VNNI instructions have); use auto"
        )
    if chosen.type == "cpu":
        _keep_freed_memory()
    bf16 = precision == "bf16" or (precision != "fp32" and has_native_bf16(chosen))
    return Device(chosen, torch.bfloat16 if bf16 else torch.float32, int8=precision == "int8")


def visible_gpus() -> list[str]:
    """The GPUs that this process sees, as CUDA_VISIBLE_DEVICES calls them: numbers or UUIDs; none without CUDA."""
    count, said = torch.cuda.device_count(), os.environ.get("CUDA_VISIBLE_DEVICES", "")
    return said.split(",")[:count] if said else [str(number) for number in range(count)]


def has_native_bf16(device: torch.device) -> bool:
    """Whether matrix products in bf16 have instructions of their own on this device."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    if device.type != "cpu" or not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        return False
    return _cpu_has_bf16()


def has_native_int8(device: torch.device) -> bool:
    """Whether matrix products in int8 have instructions of their own here, and torch the kernels (oneDNN's, on x86)."""
    if device.type != "cpu" or not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        return False
    return bool(torch.cpu._is_vnni_supported())  # torch has the question for x86 only


def peak_flops(device: Device) -> float:
    """Operations a second of dense matrix products on this device, in its type and with the threads in use.

    Measured in a tenth of a second or so, without a word to torch's own random numbers.
    """
    generator = torch.Generator(device.device).manual_seed(0)
    width, fastest = NARROWEST_PRODUCT // 2, 0.0
    while fastest < PEAK_SECONDS and width < WIDEST_PRODUCT:
        width *= 2
        # Random numbers, as in training: a GPU is faster on constants.
        one, other = (
            torch.randn(width, width, generator=generator, dtype=device.dtype, device=device.device) for _ in range(2)
        )
        fastest = min(_seconds_of_product(one, other) for _ in range(PEAK_PRODUCTS))
    del one, other
    forget_peak_memory(device)
    return 2.0 * width**3 / fastest


def _seconds_of_product(one: torch.Tensor, other: torch.Tensor) -> float:
    on_cuda = one.device.type == "cuda"
    if on_cuda:
        torch.cuda.synchronize(one.device)
    start = time.perf_counter()
    torch.mm(one, other)
    if on_cuda:
        torch.cuda.synchronize(one.device)
    return time.perf_counter() - start


def peak_memory(device: Device) -> int:
    """Bytes held at most so far: tensors on CUDA, this process on the CPU; 0 where the system does not say."""
    if device.device.type == "cuda":
        return torch.cuda.max_memory_allocated(device.device)
    return held_bytes(highest=True)


def forget_peak_memory(device: Device) -> None:
    """On CUDA, give back what no tensor takes and count anew; a process on the CPU remembers its highest."""
    if device.device.type == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(device.device)


def held_bytes(*, highest: bool = False) -> int:
    """Memory of this process in RAM that is its own, now or at its highest; 0 where the system does not say.

    Files that are mapped (shards, libraries) are left out: the system reads as much of them ahead as it has room for,
    and takes that back when it has not. Of the highest it tells the sum alone, so the files of now are taken off.
    """
    if not sys.platform.startswith("linux"):
        return 0
    lines = (line.split() for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines())
    found = {words[0]: int(words[1]) << 10 for words in lines if words[0] in HELD}
    if len(found) < len(HELD):
        return 0
    now = found["RssAnon:"]
    return max(now, found["VmHWM:"] - found["RssFile:"] - found["RssShmem:"]) if highest else now


def return_freed_memory() -> None:
    """Give memory that is free in this process back to the system, where `choose` has let it be kept (glibc)."""
    if sys.platform.startswith("linux") and (trim := getattr(ctypes.CDLL(None), "malloc_trim", None)) is not None:
        trim(0)


def _keep_freed_memory() -> bool:
    """Let freed tensors' memory be used again instead of returned: a fifth off a small model's training step."""
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # glibc has it, musl has not
    return mallopt is not None and all(mallopt(name, value) == 1 for name, value in MALLOC_OPTIONS.values())


def _cpu_has_bf16(cpuinfo: Path = Path("/proc/cpuinfo")) -> bool:
    """Ask torch, whose questions are private, differ between versions and know x86 only; else the kernel's flags."""
    questions = [getattr(torch.cpu, name, None) for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported")]
    if any(question() for question in questions if question is not None):
        return True
    if not cpuinfo.exists():
        return False
    return bool(BF16_FLAGS & set(cpuinfo.read_text(encoding="utf-8", errors="replace").split()))
