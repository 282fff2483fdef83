"""Factors and used rows in encoders of every family, which stay their own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from isogloss.attention import Layout
from isogloss.checkpoint import load_encoder, load_model
from isogloss.config import Duration
from isogloss.errors import ConfigError
from isogloss.finetune import FinetuneOptim, FinetuneSettings, finetune
from isogloss.heads import TaskModel
from isogloss.lean import LoraSettings, LowRank, UsedRows, add_factors, hold_used_rows, plain
from isogloss.model import initialise
from isogloss.runs import read_metrics

Family = Callable[[str], Path]
# What each calls the products that make queries and values, or all it has; XLNet keeps those in no linear map.
TARGETS = {
    "xlm": ("q_lin", "v_lin"),
    "xlnet": ("layer_1",),
    "mdeberta": ("query_proj", "value_proj"),
    "modernbert": ("Wqkv",),
    "mmbert": ("Wqkv",),
}
# Two sequences, so that one is padded.
IDS, LAYOUT = torch.tensor([5, 6, 7, 8, 9, 5, 9]), Layout.of([5, 2])


def model_of(folder: Path) -> TaskModel:
    model = TaskModel(load_encoder(folder), "token", ["a", "b", "c"])
    initialise(model.head, seed=1)
    return model.eval()


def test_rows_that_are_used_give_the_same(family: Family, tmp_path: Path, name: str) -> None:
    model = model_of(family(name))
    before = {key: tensor.clone() for key, tensor in model.state_dict().items()}
    logits = model(IDS, LAYOUT)
    hold_used_rows(model, IDS.numpy(), folder=tmp_path)
    assert sum(isinstance(module, UsedRows) for module in model.modules()) == 1
    assert torch.equal(model(IDS, LAYOUT), logits)
    # The padding of a batch has its row in training.
    assert torch.isfinite(model.train()(IDS, LAYOUT)).all()
    after = plain(model).state_dict()
    assert after.keys() == before.keys()
    assert all(torch.equal(tensor, after[key]) for key, tensor in before.items())


def test_factors_in_the_weight_give_the_same(family: Family, name: str) -> None:
    model = model_of(family(name))
    before = model(IDS, LAYOUT)
    add_factors(model, LoraSettings(rank=2, targets=TARGETS.get(name, ("query", "value"))), seed=1)
    assert torch.equal(model(IDS, LAYOUT), before)
    factors = [module for module in model.modules() if isinstance(module, LowRank)]
    assert len(factors) >= 2
    for module in factors:
        torch.nn.init.normal_(module.up)
    logits = model(IDS, LAYOUT)
    assert not torch.allclose(logits, before)
    torch.testing.assert_close(plain(model)(IDS, LAYOUT), logits, rtol=1e-4, atol=1e-4)


def test_a_run_with_factors_learns_and_leaves_their_own_files(family: Family, labelled: Path, tmp_path: Path) -> None:
    settings = FinetuneSettings(
        run=tmp_path / "run",
        model=family("bert"),
        task="pos",
        data=labelled,
        steps=60,
        batch_size=8,
        max_length=32,
        precision="fp32",
        device="cpu",
        validate_every=Duration("20 steps"),
        optim=FinetuneOptim(peak_rate=1e-2, schedule="constant", warmup=Duration("0 %")),
        lora=LoraSettings(rank=4, targets=("query", "value", "dense")),
    )
    run = finetune(settings)
    assert max(line["dev_mean"] for line in read_metrics(run) if "dev_mean" in line) >= 90
    model = load_model(run / "model", kind="token")
    assert not any(isinstance(module, LowRank | UsedRows) for module in model.modules())
    assert json.loads((run / "model" / "config.json").read_text(encoding="utf-8"))["model_type"] == "bert"
    adapter = settings.lora.model_copy(update={"adapter": True})
    with pytest.raises(ConfigError, match=r"lora\.adapter: factors alone are written of XLM-RoBERTa only"):
        finetune(settings.model_copy(update={"run": tmp_path / "other", "lora": adapter}))
