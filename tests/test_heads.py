"""Task heads: shapes, which tokens they read, types."""

from __future__ import annotations

import pytest
import torch

from isogloss.attention import Layout
from isogloss.devices import Device
from isogloss.heads import HeadKind, TaskModel
from isogloss.model import Encoder, ModelSettings, initialise


def small_task_model(kind: HeadKind, *, dropout: float | None = None) -> TaskModel:
    settings = ModelSettings(
        vocabulary_size=40, width=16, num_layers=1, num_heads=2, feedforward=32, max_length=12,
        dropout=0.0, attention_dropout=0.0,
    )  # fmt: skip
    model = TaskModel(Encoder(settings), kind, ("a", "b", "c"), dropout=dropout)
    initialise(model, 1)
    return model


IDS = torch.tensor([0, 9, 8, 2, 0, 7, 2])
LAYOUT = Layout.of([4, 3])


@pytest.mark.parametrize(("kind", "shape"), [("sequence", (2, 3)), ("token", (7, 3)), ("question", (7, 2))])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_shapes_and_fp32_logits(kind: HeadKind, shape: tuple[int, int], dtype: torch.dtype) -> None:
    model = Device(torch.device("cpu"), dtype).place(small_task_model(kind))
    logits = model(IDS, LAYOUT)
    assert logits.shape == shape
    assert logits.dtype == torch.float32


def test_the_sequence_head_reads_the_first_token_only() -> None:
    model = small_task_model("sequence")
    x = torch.randn(7, 16)
    other = x.clone()
    other[[1, 2, 3, 5, 6]] += 1
    assert torch.equal(model.head(x, LAYOUT), model.head(other, LAYOUT))
    other[4] += 1
    changed = model.head(other, LAYOUT)
    assert torch.equal(model.head(x, LAYOUT)[0], changed[0])
    assert not torch.equal(model.head(x, LAYOUT)[1], changed[1])


def test_a_sequence_without_tokens_cannot_be_classified() -> None:
    with pytest.raises(AssertionError, match="no first token"):
        small_task_model("sequence")(IDS, Layout.of([4, 0, 3]))


@pytest.mark.parametrize("kind", ["sequence", "token"])
def test_dropout_of_the_head_in_training_only(kind: HeadKind) -> None:
    model = small_task_model(kind, dropout=0.5)
    assert not torch.equal(model(IDS, LAYOUT), model(IDS, LAYOUT))
    model.eval()
    assert torch.equal(model(IDS, LAYOUT), model(IDS, LAYOUT))


def test_labels() -> None:
    assert small_task_model("token").labels == ("a", "b", "c")
    assert small_task_model("question").labels == ()
    with pytest.raises(AssertionError, match="needs labels"):
        TaskModel(small_task_model("token").encoder, "token")
