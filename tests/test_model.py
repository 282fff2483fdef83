"""The encoder and its masked-language-model head: sizes, packing, settings, types, seeds."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from isogloss.attention import Layout
from isogloss.config import make_settings
from isogloss.devices import Device
from isogloss.errors import ConfigError, DataError
from isogloss.model import PRESETS, MaskedLM, ModelSettings, initialise

SMALL: dict[str, Any] = {
    "vocabulary_size": 40, "width": 16, "num_layers": 2, "num_heads": 2, "feedforward": 32, "max_length": 12,
}  # fmt: skip


def small_model(*, seed: int = 1, **settings: Any) -> MaskedLM:
    model = MaskedLM(ModelSettings(**SMALL | {"dropout": 0.0, "attention_dropout": 0.0} | settings))
    initialise(model, seed)
    with torch.no_grad():  # larger than fresh weights, so that a wrong path shows
        for parameter in model.parameters():
            parameter += 0.2 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(parameter.numel()))
    return model


def random_ids(num_tokens: int) -> torch.Tensor:
    return torch.randint(4, 39, (num_tokens,), generator=torch.Generator().manual_seed(num_tokens))


@pytest.mark.parametrize(("preset", "expected"), [("base", 278_294_418), ("large", 560_141_458)])
def test_parameters_of_the_released_shapes(preset: str, expected: int) -> None:
    with torch.device("meta"):
        model = MaskedLM(ModelSettings(preset=preset))
    assert sum(parameter.numel() for parameter in model.parameters()) == expected


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_builds(preset: str) -> None:
    with torch.device("meta"):
        model = MaskedLM(ModelSettings(preset=preset))
    wanted = {"xl": 3.5e9, "xxl": 10.7e9, "ablation": 201e6, "ablation-960": 278e6, "ablation-1152": 366e6}
    if preset in wanted:
        assert sum(parameter.numel() for parameter in model.parameters()) == pytest.approx(wanted[preset], rel=0.02)


def test_a_preset_fills_only_what_is_not_given() -> None:
    settings = ModelSettings(preset="tiny", width=64, vocabulary_size=99)
    assert (settings.width, settings.num_layers, settings.vocabulary_size) == (64, PRESETS["tiny"]["num_layers"], 99)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"preset": "huge"}, "no preset 'huge'; there are tiny"),
        ({"width": 100, "num_heads": 12}, "num_heads = 12 does not divide width = 100"),
        ({"dropout": 1.0}, "dropout = 1.0"),
        ({"depth": 3}, "unknown key 'depth'"),
    ],
)
def test_wrong_settings_are_one_clear_line(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make_settings(ModelSettings, values)


VARIANTS = [{}, {"norm": "pre"}, {"languages": ("en", "sw", "zh"), "num_token_types": 2}]


@pytest.mark.parametrize("variant", VARIANTS)
@settings(max_examples=15, deadline=None)
@given(lengths=st.lists(st.integers(0, 12), min_size=1, max_size=6))
def test_packing_changes_nothing(variant: dict[str, Any], lengths: list[int]) -> None:
    encoder = small_model(**variant).encoder
    layout = Layout.of(lengths)
    ids = random_ids(layout.num_tokens)
    alone = [encoder(part, Layout.of([len(part)])) for part in ids.split(lengths)]
    torch.testing.assert_close(encoder(ids, layout), torch.cat(alone), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("variant", VARIANTS)
def test_states_end_in_what_forward_gives(variant: dict[str, Any]) -> None:
    encoder = small_model(**variant).encoder
    ids, layout = random_ids(9), Layout.of([4, 5])
    states = list(encoder.states(ids, layout))
    assert len(states) == 1 + SMALL["num_layers"]
    assert torch.equal(states[-1], encoder(ids, layout))


def test_languages_and_token_types_are_added() -> None:
    encoder = small_model(languages=("en", "sw", "zh"), num_token_types=2).encoder
    ids, layout = random_ids(9), Layout.of([4, 5])
    plain = encoder(ids, layout)
    spoken = encoder(ids, layout, languages_S=torch.tensor([0, 2]))
    assert torch.equal(plain[:4], spoken[:4])
    assert not torch.allclose(plain[4:], spoken[4:])
    types = torch.tensor([0] * 8 + [1])
    assert not torch.allclose(plain[4:], encoder(ids, layout, token_types_N=types)[4:])


@pytest.mark.parametrize(
    ("rows", "language", "row"),
    [
        (("en", "zh-Hans"), "zh", 1),
        (("en", "zh"), "zh-Hans", 1),
        (("zh-Hant", "zh-Hans"), "zh_cn", 1),
        (("sr", "sr-Latn"), "srp_Latn", 1),
        (("en", "no"), "NB", 1),
        (("en", "simple"), "simple", 1),
    ],
)
def test_a_language_has_its_row_in_every_spelling(rows: tuple[str, ...], language: str, row: int) -> None:
    assert ModelSettings(vocabulary_size=50, languages=rows).row_of(language) == row


def test_another_script_is_not_taken_for_the_usual_one() -> None:
    with pytest.raises(DataError, match="has no row for zh-Hant; it knows zh-Hans"):
        ModelSettings(vocabulary_size=50, languages=("zh-Hans",)).row_of("zh-Hant")


def test_segments_start_positions_again_and_have_languages_of_their_own() -> None:
    encoder = small_model(languages=("en", "sw")).encoder
    ids, layout, segments = random_ids(9), Layout.of([7, 2]), Layout.of([4, 3, 2])
    rows = torch.tensor([1, 0, 1])
    whole = next(encoder.states(ids, layout, languages_S=rows, segments=segments))
    apart = next(encoder.states(ids, segments, languages_S=rows))
    assert torch.equal(whole, apart), "embedded as if each segment were a text of its own"
    states = encoder(ids, layout, languages_S=rows, segments=segments)
    assert not torch.allclose(states[:4], encoder(ids, segments, languages_S=rows)[:4]), "but seen by the other"
    assert torch.equal(states, encoder(ids, layout, languages_S=rows, segments=segments))


def test_masked_loss_is_the_cross_entropy_of_the_logits() -> None:
    model = small_model()
    ids, layout = random_ids(9), Layout.of([4, 5])
    rows, targets = torch.tensor([1, 2, 7]), torch.tensor([5, 39, 0])
    logits = model.logits(ids, layout, rows)
    assert logits.shape == (3, 40)
    expected = F.cross_entropy(logits, targets, reduction="sum")
    torch.testing.assert_close(model.masked_loss(ids, layout, rows, targets), expected, rtol=1e-5, atol=1e-5)


def test_the_head_is_tied_and_every_weight_learns() -> None:
    model = small_model()
    assert not any("decoder" in name for name, _ in model.named_parameters())
    model.masked_loss(random_ids(9), Layout.of([4, 5]), torch.tensor([1, 6]), torch.tensor([5, 6])).backward()
    silent = [
        name for name, parameter in model.named_parameters() if parameter.grad is None or not parameter.grad.any()
    ]
    assert silent == []


def test_a_sequence_longer_than_the_table_is_refused() -> None:
    model = small_model()
    model.encoder(random_ids(12), Layout.of([12]))
    with pytest.raises(DataError, match="a sequence has 13 tokens, the model reads at most 12"):
        model.encoder(random_ids(13), Layout.of([13]))


def test_initial_weights_follow_the_seed_and_the_paper() -> None:
    first, again, other = (MaskedLM(ModelSettings(**SMALL | {"width": 64})) for _ in range(3))
    initialise(first, 5)
    initialise(again, 5)
    initialise(other, 6)
    for one, two in zip(first.parameters(), again.parameters(), strict=True):
        assert torch.equal(one, two)
    weight = first.encoder.layers[0].attention.qkv.weight  # type: ignore[union-attr]
    assert not torch.equal(weight, other.encoder.layers[0].attention.qkv.weight)  # type: ignore[union-attr]
    assert weight.std().item() == pytest.approx(0.02, rel=0.05)
    assert weight.mean().abs() < 0.002
    for name, parameter in first.named_parameters():
        if name.endswith("bias"):
            assert not parameter.any(), name
        elif "norm" in name:
            assert parameter.eq(1).all(), name
    assert not first.encoder.embeddings.pieces.weight[1].any()
    assert not first.encoder.embeddings.positions.weight[1].any()


def test_bf16_computes_near_fp32_with_fp32_weights_and_gradients() -> None:
    model = small_model()
    ids, layout, rows, targets = random_ids(9), Layout.of([4, 5]), torch.tensor([1, 6]), torch.tensor([5, 6])
    exact = model.masked_loss(ids, layout, rows, targets)
    Device(torch.device("cpu"), torch.bfloat16).place(model)
    near = model.masked_loss(ids, layout, rows, targets)
    assert model.encoder(ids, layout).dtype == torch.bfloat16
    assert near.dtype == torch.float32
    assert near.item() == pytest.approx(exact.item(), rel=0.05)
    near.backward()
    assert {parameter.grad.dtype for parameter in model.parameters()} == {torch.float32}


def test_dropout_works_in_training_only() -> None:
    model = small_model(dropout=0.3, attention_dropout=0.3)
    ids, layout = random_ids(9), Layout.of([4, 5])
    model.eval()
    assert torch.equal(model.encoder(ids, layout), model.encoder(ids, layout))
    model.train()
    torch.manual_seed(1)
    first = model.encoder(ids, layout)
    assert not torch.equal(first, model.encoder(ids, layout))
    torch.manual_seed(1)
    assert torch.equal(first, model.encoder(ids, layout))
