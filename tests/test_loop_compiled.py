"""Compiled layers compute what the plain ones do, for any mix of lengths with one compilation."""

from __future__ import annotations

import copy

import pytest
import torch
from torch._dynamo.utils import counters

from isogloss.attention import Layout
from isogloss.loop.compiled import compile_layers
from isogloss.model import MaskedLM, ModelSettings, initialise

# One sequence alone is laid out otherwise in memory, so it may be compiled for itself.
LENGTHS = [[5, 4], [7, 2, 4], [6], [1, 1, 9], [16], [3, 9, 2, 1]]


@pytest.mark.slow  # the compiler takes most of a minute
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore:The .grad attribute")  # of torch's compiler
def test_compiled_layers_give_the_same_loss_and_gradients_for_every_layout() -> None:
    settings = ModelSettings(
        vocabulary_size=20, width=8, num_layers=2, num_heads=2, feedforward=16, max_length=16,
        dropout=0.0, attention_dropout=0.0,
    )  # fmt: skip
    plain = MaskedLM(settings)
    initialise(plain, 1, std=0.5)
    compiled = copy.deepcopy(plain)
    compile_layers(compiled)
    assert compiled.state_dict().keys() == plain.state_dict().keys()
    graphs = []
    for lengths in LENGTHS:
        ids_N = torch.randint(4, 19, (sum(lengths),), generator=torch.Generator().manual_seed(len(lengths)))
        rows_M = torch.arange(0, sum(lengths), 2)
        losses = [model(ids_N, Layout.of(lengths), rows_M, ids_N[rows_M]) for model in (plain, compiled)]
        for loss in losses:
            loss.backward()
        torch.testing.assert_close(losses[1], losses[0])
        graphs.append(counters["stats"]["unique_graphs"])
    for (name, one), other in zip(plain.named_parameters(), compiled.parameters(), strict=True):
        torch.testing.assert_close(
            other.grad, one.grad, atol=2e-4, rtol=1e-3, msg=lambda said, name=name: f"{name}: {said}"
        )
    assert graphs[0] > 0, "nothing was compiled"
    assert graphs[-1] == graphs[2], "a new mix of lengths was compiled anew"
