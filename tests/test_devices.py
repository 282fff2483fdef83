"""Device and type are chosen once, and a wrong wish is one line."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import isogloss.devices as devices
from isogloss.devices import choose
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
