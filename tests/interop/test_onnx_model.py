"""Exported models behind our interface: what is padded together, and that rows come back in their order."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from isogloss.attention import Layout
from isogloss.errors import DataError
from isogloss.interop.onnx_model import PADDING_SHARE, PackedGraph, similar_lengths
from isogloss.model import ModelSettings

SETTINGS = ModelSettings(width=8, num_layers=1, num_heads=2, feedforward=8, vocabulary_size=100, max_length=40)


@given(st.lists(st.integers(1, 40), max_size=40), st.integers(1, 200))
def test_every_sequence_is_in_one_group_with_little_padding(lengths: list[int], budget: int) -> None:
    groups = list(similar_lengths(lengths, token_budget=budget))
    assert sorted(place for group in groups for place in group) == list(range(len(lengths)))
    for group in groups:
        computed = max(lengths[place] for place in group) * len(group)
        assert len(group) == 1 or computed <= budget
        assert sum(lengths[place] for place in group) >= (1 - PADDING_SHARE) * computed


class Echo:
    """In onnxruntime's place: says the ids themselves, and what padding is."""

    def run(self, inputs: dict[str, Any]) -> dict[str, Any]:
        ids_BL = inputs["input_ids"].astype(np.float32)
        assert (inputs["attention_mask"].sum(1) > 0).all()
        return {"logits": ids_BL[:, 0]} if self.a_sequence else {"logits": ids_BL}

    def __init__(self, *, a_sequence: bool) -> None:
        self.a_sequence = a_sequence


@given(st.lists(st.lists(st.integers(5, 99), min_size=1, max_size=40), min_size=1, max_size=20))
def test_rows_come_back_in_order(sequences: list[list[int]]) -> None:
    ids_N = torch.tensor([index for sequence in sequences for index in sequence])
    layout = Layout.of([len(sequence) for sequence in sequences])
    for head in ("token", "sequence"):
        graph: Any = Echo(a_sequence=head == "sequence")
        found = PackedGraph(graph, SETTINGS, head=head)(ids_N, layout)
        expected = ids_N if head == "token" else torch.tensor([sequence[0] for sequence in sequences])
        assert torch.equal(found, expected.float())


def test_a_sequence_that_is_too_long_is_named() -> None:
    graph: Any = Echo(a_sequence=False)
    with pytest.raises(DataError, match="41 tokens, the model reads at most 40"):
        PackedGraph(graph, SETTINGS, head="token")(torch.zeros(41, dtype=torch.long), Layout.of([41]))
