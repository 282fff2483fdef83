"""Groups and schedules."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isogloss.config import make_settings
from isogloss.errors import ConfigError
from isogloss.model import MaskedLM, ModelSettings
from isogloss.optim import OptimSettings, make_optimizer, parameter_groups, rate_at, set_rate

SCHEDULES = st.sampled_from(["linear", "cosine", "wsd", "inverse-sqrt", "constant"])


def model(num_layers: int = 3) -> MaskedLM:
    return MaskedLM(ModelSettings(vocabulary_size=20, width=8, num_layers=num_layers, num_heads=2, feedforward=8))


def rates(total: int, **values: object) -> list[float]:
    settings = make_settings(OptimSettings, {"peak_rate": 1.0, **values})
    return [rate_at(step, settings, total_steps=total) for step in range(total)]


@given(SCHEDULES, st.integers(1, 300), st.integers(0, 400), st.floats(0, 1))
def test_rates_rise_to_the_peak_and_never_rise_again(schedule: str, total: int, warmup: int, final: float) -> None:
    found = rates(total, schedule=schedule, warmup=f"{warmup} steps", final_share=final)
    top = min(max(warmup, 1), total) - 1
    assert all(0 < rate <= 1 + 1e-12 for rate in found)
    assert found[: top + 1] == sorted(found[: top + 1])
    assert found[top:] == sorted(found[top:], reverse=True)
    assert found[top] == pytest.approx(1.0)


def test_schedules_at_known_places() -> None:
    assert rates(10, warmup="5 steps")[:5] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0])
    assert rates(10, warmup="50 %")[5:] == pytest.approx([1.0, 0.8, 0.6, 0.4, 0.2])
    assert rates(100, schedule="cosine", warmup="0 steps")[50] == pytest.approx(0.5)
    held = rates(100, schedule="wsd", warmup="10 steps", decay="20 %", final_share=0.1)
    assert held[9:80] == pytest.approx([1.0] * 71)
    assert held[90] == pytest.approx(0.55)
    assert rates(100, schedule="constant", warmup="0 steps") == [1.0] * 100
    falling = rates(400, schedule="inverse-sqrt", warmup="25 steps")
    assert [falling[step] for step in (24, 99, 399)] == pytest.approx([1.0, 0.5, 0.25])
    settings = OptimSettings(peak_rate=1.0, warmup="1e4 tokens")
    assert rate_at(4, settings, total_steps=100, tokens_per_step=1000) == pytest.approx(0.5)


def test_biases_and_norms_do_not_decay_and_everything_is_in_one_group() -> None:
    network = model()
    groups = parameter_groups(network, OptimSettings())
    names = {id(parameter): name for name, parameter in network.named_parameters()}
    plain = {names[id(p)] for group in groups if group["weight_decay"] == 0 for p in group["params"]}
    assert all(name.endswith("bias") or "norm" in name for name in plain)
    assert "head.bias" in plain
    decayed = {names[id(p)] for group in groups if group["weight_decay"] == 0.01 for p in group["params"]}
    assert plain | decayed == set(names.values())
    assert not any(name.endswith("bias") or "norm" in name for name in decayed)


def test_rate_factors_of_head_and_layers() -> None:
    network = model()
    optimizer = make_optimizer(network, OptimSettings(head_factor=5.0, layer_factor=0.5))
    set_rate(optimizer, 0.1)
    found = {id(p): group["lr"] for group in optimizer.param_groups for p in group["params"]}
    encoder = network.encoder
    assert found[id(network.head.dense.weight)] == pytest.approx(0.5)
    assert [found[id(layer.attention.qkv.weight)] for layer in encoder.layers] == pytest.approx([0.025, 0.05, 0.1])
    assert found[id(encoder.embeddings.pieces.weight)] == pytest.approx(0.0125)


def test_frozen_parts_are_left_out_and_do_not_ask_for_gradients() -> None:
    network = model()
    optimizer = make_optimizer(network, OptimSettings(freeze_embeddings=True, freeze_layers=2))
    learning = {id(p) for group in optimizer.param_groups for p in group["params"]}
    for name, parameter in network.named_parameters():
        frozen = name.startswith(("encoder.embeddings.", "encoder.layers.0.", "encoder.layers.1."))
        assert (id(parameter) not in learning) == frozen == (not parameter.requires_grad), name


def test_mistakes_are_named() -> None:
    with pytest.raises(ConfigError, match="freeze_layers = 4, but the model has 3 layers"):
        parameter_groups(model(), OptimSettings(freeze_layers=4))
    with pytest.raises(ConfigError, match="betas"):
        make_settings(OptimSettings, {"betas": [0.9, 1.0]})
    with pytest.raises(ConfigError, match="did you mean 'peak_rate'"):
        make_settings(OptimSettings, {"peek_rate": 1e-3})
