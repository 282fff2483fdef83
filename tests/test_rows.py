"""Other rows in a model's tables: copies to the bit, means, and nothing else touched."""

from __future__ import annotations

import pytest
import torch

from isogloss.attention import Layout
from isogloss.heads import TaskModel
from isogloss.model import MaskedLM, ModelSettings, initialise
from isogloss.rows import Rows, with_rows

SETTINGS = ModelSettings(vocabulary_size=40, width=16, num_layers=2, num_heads=2, feedforward=32, max_length=12)
KEPT = [0, 1, 2, 3, 9, 17, 30, 39]


def masked(*, tied: bool = True) -> MaskedLM:
    model = MaskedLM(SETTINGS, tied=tied)
    initialise(model, seed=3)
    torch.nn.init.normal_(model.head.bias)
    return model.eval()


@pytest.mark.parametrize("tied", [True, False])
def test_copied_rows_give_the_same_hidden_states_and_logits(tied: bool) -> None:
    model = masked(tied=tied)
    fewer = with_rows(model, Rows.copies(KEPT))
    new = torch.tensor([0, 4, 6, 5, 2])
    old = torch.tensor(KEPT)[new]
    layout = Layout.of([5])
    assert torch.equal(fewer.encoder(new, layout), model.encoder(old, layout))
    rows = torch.arange(5)
    torch.testing.assert_close(fewer.logits(new, layout, rows), model.logits(old, layout, rows)[:, KEPT])
    assert fewer.settings.vocabulary_size == fewer.encoder.settings.vocabulary_size == len(KEPT)
    assert fewer.encoder.embeddings.pieces.num_embeddings == len(KEPT)


def test_the_model_itself_is_left_alone_and_its_other_weights_are_shared() -> None:
    model = masked()
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    fewer = with_rows(model, Rows.copies(KEPT))
    assert model.settings.vocabulary_size == 40
    assert all(torch.equal(weight, before[name]) for name, weight in model.state_dict().items())
    assert fewer.head.dense.weight is model.head.dense.weight
    assert fewer.product_VD is fewer.encoder.embeddings.pieces.weight


def test_a_new_row_is_the_mean_or_the_weighted_sum_of_old_ones() -> None:
    model = masked()
    more = with_rows(model, Rows.of([*range(39), [5, 6, 9], 39]))
    table = model.product_VD
    torch.testing.assert_close(more.product_VD[39], table[[5, 6, 9]].mean(0))
    torch.testing.assert_close(more.head.bias[39], model.head.bias[[5, 6, 9]].mean())
    assert torch.equal(more.product_VD[40], table[39])
    weighted = Rows.weighted([[(4, 0.25), (8, 0.75)]]).applied(table)
    torch.testing.assert_close(weighted[0], 0.25 * table[4] + 0.75 * table[8])


def test_a_task_model_keeps_its_head_and_labels() -> None:
    model = TaskModel(masked().encoder, "sequence", ("no", "yes")).eval()
    fewer = with_rows(model, Rows.copies(KEPT))
    layout = Layout.of([3])
    new = torch.tensor([0, 5, 2])
    old = torch.tensor(KEPT)[new]
    assert torch.equal(fewer.head(fewer.encoder(new, layout), layout), model.head(model.encoder(old, layout), layout))
    assert fewer.labels == ("no", "yes")
