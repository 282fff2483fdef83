"""LoRA: what stands still, what factors in the weight give, runs that go on, the adapter alone."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st
from safetensors.torch import load_file
from torch import Tensor
from torch.distributed.checkpoint.filesystem import FileSystemReader

from isogloss.attention import Layout
from isogloss.checkpoint import load_encoder, load_model
from isogloss.errors import ConfigError
from isogloss.heads import TaskModel, loss_of
from isogloss.lean import LoraSettings, LowRank, add_factors, plain
from isogloss.model import Encoder, ModelSettings, initialise
from isogloss.optim import OptimSettings, make_optimizer
from isogloss.runs import read_metrics

TARGETS = ("query", "key", "value", "attention.out", "feedforward.inner", "feedforward.out")
LAYOUT = Layout.of([5, 2])
IDS = torch.tensor([0, 7, 11, 30, 2, 0, 2])


def tiny() -> TaskModel:
    shape = ModelSettings(vocabulary_size=40, width=16, num_layers=2, num_heads=2, feedforward=24, max_length=8)
    model = TaskModel(Encoder(shape), "token", ["a", "b", "c"])
    initialise(model, seed=1, std=0.3)
    return model.eval()


def learned(model: TaskModel) -> TaskModel:
    """As if its factors had learned something."""
    for module in model.modules():
        if isinstance(module, LowRank):
            torch.nn.init.normal_(module.up, std=0.3)
    return model


def test_fresh_factors_change_nothing_and_follow_the_seed() -> None:
    model = tiny()
    before = model(IDS, LAYOUT)
    add_factors(model, LoraSettings(rank=3, targets=TARGETS), seed=1)
    assert torch.equal(model(IDS, LAYOUT), before)
    downs = []
    for seed in (1, 1, 2):
        again = tiny()
        add_factors(again, LoraSettings(rank=3), seed=seed)
        downs.append(torch.cat([p.flatten() for name, p in again.named_parameters() if name.endswith("down")]))
    assert torch.equal(downs[0], downs[1])
    assert not torch.equal(downs[0], downs[2])


def test_factors_and_head_learn_and_nothing_else() -> None:
    model = tiny()
    add_factors(model, LoraSettings(rank=3), seed=1)
    optimizer = make_optimizer(model, OptimSettings())
    model.train()(IDS, LAYOUT).sum().backward()
    moved = {id(p) for group in optimizer.param_groups for p in group["params"]}
    for name, parameter in model.named_parameters():
        learns = name.endswith((".down", ".up")) or name.startswith("head.")
        assert (id(parameter) in moved) == parameter.requires_grad == (parameter.grad is not None) == learns, name
    # Two layers; of query and value A is rank x width, B width x rank; the head has 3 rows of 16 and 3 biases.
    assert sum(p.numel() for p in model.parameters() if p.requires_grad) == 2 * 2 * (3 * 16 + 16 * 3) + 3 * 17


@profile(max_examples=15)
@given(st.lists(st.sampled_from(TARGETS), min_size=1, unique=True), st.integers(1, 4), st.floats(0.5, 32))
def test_factors_in_the_weight_give_the_same(targets: list[str], rank: int, alpha: float) -> None:
    model = tiny()
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    add_factors(model, LoraSettings(rank=rank, alpha=alpha, targets=tuple(targets)), seed=1)
    logits = learned(model)(IDS, LAYOUT)
    merged = plain(model)
    torch.testing.assert_close(merged(IDS, LAYOUT), logits, rtol=1e-4, atol=1e-4)
    after = merged.state_dict()
    assert after.keys() == before.keys()
    qkv = {part: number for number, part in enumerate(("query", "key", "value"))}
    for name, weight in before.items():
        parts = weight.chunk(3) if ".qkv." in name else [weight]
        ours = after[name].chunk(3) if ".qkv." in name else [after[name]]
        for number, (one, other) in enumerate(zip(parts, ours, strict=True)):
            adapted = name.endswith(".weight") and any(
                qkv[target] == number if ".qkv." in name and target in qkv else f"{target}." in name
                for target in targets
            )
            assert torch.equal(one, other) != adapted, (name, number)
    # What was trained is left alone.
    assert torch.equal(model(IDS, LAYOUT), logits)


def test_they_compute_in_the_type_of_their_input_and_drop_in_training_alone() -> None:
    linear = torch.nn.Linear(16, 8).to(torch.bfloat16)
    generator = torch.Generator().manual_seed(1)
    factors = LowRank(linear, LoraSettings(rank=2, dropout=0.5), parts=[0], num_parts=1, generator=generator)
    torch.nn.init.normal_(factors.up)
    x = torch.randn(3, 5, 16)
    assert factors(x.bfloat16()).dtype == torch.bfloat16
    assert not torch.equal(factors.train()(x.bfloat16()), factors(x.bfloat16()))
    assert torch.equal(factors.eval()(x.bfloat16()), factors(x.bfloat16()))


def test_a_target_that_is_not_there_is_named() -> None:
    with pytest.raises(
        ConfigError, match=r"called 'q_lin'; it has attention\.query, attention\.key, .*feedforward\.out"
    ):
        add_factors(tiny(), LoraSettings(rank=2, targets=("value", "q_lin")), seed=1)


def weights(folder: Path) -> dict[str, Tensor]:
    return load_model(folder).state_dict()


def test_a_run_learns_and_leaves_a_plain_model(tuned: Callable[..., Path], pretrained: Path) -> None:
    lora = LoraSettings(rank=4, targets=TARGETS)
    run = tuned("run", steps=80, lora=lora, selection="source-dev", validate_every="20 steps")
    assert max(line["dev_mean"] for line in read_metrics(run) if "dev_mean" in line) >= 90
    base = load_encoder(pretrained).state_dict()
    for name, weight in load_encoder(run / "model").state_dict().items():
        same = "embeddings" in name or "norm" in name or name.endswith("bias")
        assert torch.equal(weight, base[name]) == same, name
    assert "LoRA of rank 4" in (run / "model" / "README.md").read_text(encoding="utf-8")


def test_a_checkpoint_holds_what_learns_and_a_stopped_run_goes_on_to_the_same_bits(
    tuned: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    lora = LoraSettings(rank=4, dropout=0.2)
    whole = tuned("whole", lora=lora)
    calls = 0

    def breaks(model: TaskModel, batch: Any) -> Tensor:
        nonlocal calls
        calls += 1
        if calls > 6:
            raise KeyboardInterrupt
        return loss_of(model, batch)

    with monkeypatch.context() as patched:
        patched.setattr(sys.modules["isogloss.finetune"], "loss_of", breaks)
        with pytest.raises(KeyboardInterrupt):
            tuned("stopped", lora=lora)
    (checkpoint,) = (whole.parent / "stopped" / "checkpoints").glob("step-4")
    kept = FileSystemReader(checkpoint).read_metadata().state_dict_metadata
    of_model = {name for name in kept if name.startswith("model.")}
    assert len(of_model) == 2 + 2, of_model
    assert all(name.endswith((".down", ".up")) or ".head." in name for name in of_model)
    stopped = tuned("stopped", lora=lora)
    ended = weights(stopped / "model")
    assert all(torch.equal(weight, ended[name]) for name, weight in weights(whole / "model").items())


def test_selections_seeds_and_random_weights_go_with_it(tuned: Callable[..., Path], tmp_path: Path) -> None:
    lora = LoraSettings(rank=2)
    selections = ("joint-dev", "per-language-dev", "average")
    run = tuned("run", lora=lora, also_select=selections, validate_every="4 steps", seeds=(1, 2), random_weights=True)
    for seed in ("seed-1", "seed-2"):
        folders = [path.parent for path in (run / seed).rglob("model.safetensors")]
        assert len(folders) == 5
        assert all(isinstance(load_model(folder), TaskModel) for folder in folders)


def test_the_adapter_on_the_base_model_is_the_model(tuned: Callable[..., Path], pretrained: Path) -> None:
    lora = LoraSettings(rank=4, alpha=6, targets=TARGETS, adapter=True)
    run = tuned("run", lora=lora)
    config = json.loads((run / "model" / "adapter" / "adapter_config.json").read_text(encoding="utf-8"))
    adapter = load_file(run / "model" / "adapter" / "adapter_model.safetensors")
    assert config["base_model_name_or_path"] == str(pretrained)
    assert config["modules_to_save"] == ["classifier"]
    base = load_file(pretrained / "model.safetensors")
    tensors = {name.removeprefix("base_model.model."): tensor for name, tensor in adapter.items()}
    for name in config["target_modules"]:
        up, down = tensors.pop(f"{name}.lora_B.weight"), tensors.pop(f"{name}.lora_A.weight")
        assert len(down) == config["r"]
        tensors[f"{name}.weight"] = base[f"{name}.weight"] + config["lora_alpha"] / config["r"] * up @ down
    merged = load_file(run / "model" / "model.safetensors")
    assert len(tensors) == len(TARGETS) + 2
    for name, tensor in tensors.items():
        torch.testing.assert_close(tensor, merged[name], msg=name)
    assert not math.isclose(float(merged["classifier.weight"].sum()), 0)
    assert not (tuned("plain", lora=LoraSettings(rank=4)) / "model" / "adapter").exists()
