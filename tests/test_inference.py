"""Models ready to answer: the same answers as before, whatever shares the pack; int8 within its bounds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from isogloss.attention import Layout
from isogloss.devices import Device, choose, has_native_int8
from isogloss.errors import ConfigError
from isogloss.heads import TaskModel
from isogloss.inference import PackedInt8, PackedLinear, for_inference
from isogloss.loop.compiled import compile_layers
from isogloss.model import Encoder, Linear, MaskedLM, ModelSettings, initialise
from isogloss.predict import load

CPU = torch.device("cpu")
FP32, BF16 = Device(CPU, torch.float32), Device(CPU, torch.bfloat16)
INT8 = Device(CPU, torch.bfloat16, int8=True)
SHAPE = ModelSettings(preset="tiny", vocabulary_size=100, max_length=64)

needs_int8 = pytest.mark.skipif(not has_native_int8(CPU), reason="no int8 products on this processor")


def random_encoder(**changes: object) -> Encoder:
    encoder = Encoder(SHAPE.model_copy(update=changes))
    initialise(encoder, 1, std=0.08)
    return encoder.eval()


def states_of(encoder: Encoder, lengths: list[int], seed: int = 0) -> Tensor:
    ids_N = torch.randint(4, 90, (sum(lengths),), generator=torch.Generator().manual_seed(seed))
    with torch.inference_mode():
        return encoder(ids_N, Layout.of(lengths)).float()


def relative(found: Tensor, expected: Tensor) -> float:
    return float((found - expected).norm() / expected.norm())


@pytest.mark.parametrize("norm", ["post", "pre"])
@pytest.mark.parametrize(("device", "most"), [(BF16, 0.02), pytest.param(INT8, 0.05, marks=needs_int8)])
def test_hidden_states_are_those_of_fp32_but_for_rounding(norm: str, device: Device, most: float) -> None:
    exact = states_of(random_encoder(norm=norm), [5, 30, 64, 1])
    ready = for_inference(device.place(random_encoder(norm=norm)), device)
    assert 0 < relative(states_of(ready, [5, 30, 64, 1]), exact) < most


def test_in_fp32_nothing_changes() -> None:
    exact = states_of(random_encoder(), [5, 30])
    assert torch.equal(states_of(for_inference(FP32.place(random_encoder()), FP32), [5, 30]), exact)


@pytest.mark.parametrize("device", [BF16, pytest.param(INT8, marks=needs_int8)])
@settings(max_examples=15, deadline=None)
@given(others=st.lists(st.integers(1, 64), max_size=40))
def test_a_text_is_answered_alike_in_any_company(device: Device, others: list[int]) -> None:
    """In int8 a scale that many tokens share would be that of the loudest of them."""
    ready = for_inference(device.place(random_encoder()), device)
    alone = states_of(ready, [20, 64])
    together = states_of(ready, [20, 64, *others])  # the same seed: their ids come first
    assert relative(together[:84], alone) < 0.01


@pytest.mark.parametrize("device", [BF16, pytest.param(INT8, marks=needs_int8)])
def test_a_few_tokens_are_answered_as_in_company_but_for_rounding(device: Device) -> None:
    """Another kernel computes their attention, whose rounding each step of int8 can double."""
    ready = for_inference(device.place(random_encoder()), device)
    assert relative(states_of(ready, [20, 64])[:20], states_of(ready, [20])) < 0.03


@needs_int8
@settings(max_examples=30, deadline=None)
@given(rows=st.integers(1, 40), inputs=st.integers(1, 70), outputs=st.integers(1, 70), seed=st.integers(0, 99))
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_an_int8_map_is_the_map_within_its_steps(
    dtype: torch.dtype, rows: int, inputs: int, outputs: int, seed: int
) -> None:
    """Each factor is off by half a step at most, a step being 1/126 of the row's largest value, and bf16 rounds."""
    generator = torch.Generator().manual_seed(seed)
    linear = nn.Linear(inputs, outputs)
    nn.init.normal_(linear.weight, generator=generator)
    # Rows of very different size: the small ones must not drown beside the large.
    sizes = 10.0 ** torch.randint(-3, 4, (rows, 1), generator=generator)
    x = (torch.randn(rows, inputs, generator=generator) * sizes).to(dtype)
    with torch.inference_mode():
        found, exact = PackedInt8(linear, dtype)(x).float(), linear(x.float())
    assert found.dtype == torch.float32
    row, column = x.float().abs().amax(1, keepdim=True), linear.weight.abs().amax(1)
    steps = inputs * row * column * (1 / 126 + 1 / 127)
    rounding = 2**-7 * (exact.abs() + row * column * inputs)
    assert bool(((found - exact).abs() <= steps + rounding).all())


@needs_int8
def test_rows_of_nothing_but_zeros_give_the_bias() -> None:
    linear = nn.Linear(8, 3)
    found = PackedInt8(linear, torch.float32)(torch.zeros(2, 8))
    torch.testing.assert_close(found, linear.bias.expand(2, 3), rtol=0, atol=1e-6)


@needs_int8
def test_more_rows_than_are_multiplied_at_once_are_each_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    linear, x = nn.Linear(16, 8), torch.randn(50, 16, generator=torch.Generator().manual_seed(0))
    packed = PackedInt8(linear, torch.float32)
    whole = packed(x)
    monkeypatch.setattr("isogloss.inference.ROWS", 7)
    assert torch.equal(packed(x), whole)


@pytest.mark.skipif(not torch.ops.mkldnn._is_mkldnn_bf16_supported(), reason="oneDNN has no bf16 on this processor")
@pytest.mark.parametrize("activation", ["none", "gelu"])
def test_a_packed_map_is_the_map(activation: str) -> None:
    linear = nn.Linear(24, 40)
    x = torch.randn(9, 24, generator=torch.Generator().manual_seed(0)).bfloat16()
    with torch.inference_mode():
        exact = linear(x.float())
        exact = nn.functional.gelu(exact) if activation == "gelu" else exact
        found = PackedLinear(linear, activation=activation)(x)  # type: ignore[arg-type]
    assert found.dtype == torch.bfloat16
    assert relative(found.float(), exact) < 0.01


@pytest.mark.parametrize(
    "make", [lambda: MaskedLM(SHAPE), lambda: TaskModel(random_encoder(), "sequence", ("a", "b"))], ids=["mlm", "head"]
)
def test_no_weight_that_is_multiplied_is_left_in_fp32(make: Callable[[], nn.Module]) -> None:
    """What is cast at each call costs as much as the products of twenty tokens."""
    model = make()
    initialise(model, 1)
    before = sum(parameter.numel() * parameter.element_size() for parameter in model.parameters())
    ready = for_inference(BF16.place(model), BF16)
    wide = [module for module in ready.modules() if isinstance(module, Linear | nn.Embedding) and module.weight.is_cpu]
    assert {module.weight.dtype for module in wide if module.weight.numel() >= 100 * SHAPE.width} == {torch.bfloat16}
    assert not any(parameter.requires_grad for parameter in ready.parameters())
    # Maps in oneDNN's blocks are no parameters; where there are none, norms in fp32 weigh more beside them.
    most = 0.5 if torch.ops.mkldnn._is_mkldnn_bf16_supported() else 0.52
    assert sum(parameter.numel() * parameter.element_size() for parameter in ready.parameters()) < most * before


def test_other_processors_are_told_that_int8_is_not_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("isogloss.devices.has_native_int8", lambda device: False)
    with pytest.raises(ConfigError, match=r"precision = 'int8': cpu has no fast int8 products .*; use auto"):
        choose("cpu", precision="int8")


def test_an_encoder_of_another_family_stays_as_it_is() -> None:
    other = nn.Linear(3, 3)
    assert for_inference(BF16.place(other), BF16).weight.dtype == torch.float32
    with pytest.raises(ConfigError, match="this encoder is run by transformers; use auto, bf16 or fp32"):
        for_inference(other, INT8)


def test_layers_are_compiled_on_cuda_only(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="compiled is for CUDA; on cpu the layers are fastest as they are"):
        load(tmp_path, device="cpu", compiled=True)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_compiled_layers_give_the_same_hidden_states_on_cuda() -> None:
    place = choose("cuda")
    eager = for_inference(place.place(random_encoder()), place)
    compiled = for_inference(place.place(random_encoder()), place)
    compile_layers(compiled)
    for lengths in ([5, 30, 64, 1], [20, 20], [7]):
        layout = Layout.of(lengths, "cuda")
        ids_N = torch.randint(4, 90, (sum(lengths),), device="cuda")
        with torch.inference_mode():
            found, expected = compiled(ids_N, layout).float(), eager(ids_N, layout).float()
        assert relative(found, expected) < 0.02
