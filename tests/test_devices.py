"""Device and type are chosen once, and a wrong wish is one line."""

from __future__ import annotations

import mmap
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

import isogloss.devices as devices
from isogloss.devices import Device, choose, held_bytes, peak_flops, peak_memory
from isogloss.errors import ConfigError


@pytest.mark.parametrize(
    ("device", "precision", "message"),
    [
        ("gpu", "auto", "'gpu' is not a device"),
        ("mps", "auto", "'mps' is not a device"),
        ("cpu:7", "auto", "'cpu:7' is not a device"),
        ("cpu", "fp16", "precision = 'fp16' is not known"),
    ],
)
def test_wrong_wishes(device: str, precision: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        choose(device, precision=precision)  # type: ignore[arg-type]


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_cuda_without_cuda() -> None:
    with pytest.raises(ConfigError, match="no CUDA device is visible"):
        choose("cuda")


@pytest.mark.parametrize("native", [True, False])
def test_auto_computes_in_bf16_only_where_it_is_native(monkeypatch: pytest.MonkeyPatch, native: bool) -> None:
    monkeypatch.setattr(devices, "_cpu_has_bf16", lambda: native)
    assert choose("cpu").dtype == (torch.bfloat16 if native else torch.float32)
    assert choose("cpu", precision="bf16").dtype == torch.bfloat16
    assert choose("cpu", precision="fp32").dtype == torch.float32


@pytest.mark.parametrize(
    ("flags", "native"), [("fpu avx512f avx512_bf16", True), ("fpu avx2 avx512f", False), ("fp asimd bf16 sve", True)]
)
def test_without_torch_s_answer_the_kernel_s_flags_decide(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, flags: str, native: bool
) -> None:
    for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"):
        monkeypatch.delattr(torch.cpu, name, raising=False)
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text(f"processor : 0\nflags : {flags}\n", encoding="utf-8")
    assert devices._cpu_has_bf16(cpuinfo) is native
    assert devices._cpu_has_bf16(tmp_path / "absent") is False


CPU = Device(torch.device("cpu"), torch.float32)


def test_the_peak_is_not_less_than_a_product_takes_and_touches_no_random_numbers() -> None:
    before = torch.get_rng_state()
    peak = peak_flops(CPU)
    assert torch.equal(torch.get_rng_state(), before)
    one = torch.ones(384, 384)
    times = []
    for _ in range(20):
        start = time.perf_counter()
        torch.mm(one, one)
        times.append(time.perf_counter() - start)
    # The fastest of twenty other products: a peak of half as much would say that a run reaches more than all of it.
    assert 2 * 384**3 / min(times) < 2 * peak
    assert peak < 1e14, "no core does a hundred TFLOP/s"


@pytest.fixture
def held() -> int:
    if held_bytes() == 0:
        pytest.skip("the system does not say how much memory a process has")
    return held_bytes()


def test_memory_of_a_process_is_its_own_and_the_highest_stays(held: int) -> None:
    room, block = mmap.mmap(-1, 96 << 20, flags=mmap.MAP_PRIVATE), b"1" * (1 << 20)
    for _ in range(96):
        room.write(block)
    assert held_bytes() >= held + (90 << 20)
    highest = peak_memory(CPU)
    room.close()
    assert held_bytes() < held + (60 << 20)
    assert peak_memory(CPU) >= highest - (8 << 20) > held_bytes()


def test_files_that_are_mapped_are_not_counted(held: int, tmp_path: Path) -> None:
    """The text of a run, of which the system holds what it has room for; in a process that has held nothing else."""
    path = tmp_path / "part.bin"
    path.touch()
    os.truncate(path, 256 << 20)
    program = (
        "import mmap, sys\n"
        "from isogloss.devices import held_bytes\n"
        "before = held_bytes(highest=True)\n"
        "with open(sys.argv[1], 'rb') as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as mapped:\n"
        "    assert not any(mapped[place] for place in range(0, len(mapped), mmap.PAGESIZE))\n"
        "    print(held_bytes() - before, held_bytes(highest=True) - before)\n"
    )
    done = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True)
    assert max(map(int, done.stdout.split())) < 64 << 20
