"""The CRF against every label sequence there is, one by one; padding and infinite neighbours change nothing."""

from __future__ import annotations

import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from isogloss.baselines.crf import CRF


def drawn(seed: int, num_labels: int, lengths: list[int]) -> tuple[CRF, Tensor, Tensor, Tensor]:
    """A CRF, the scores of some sentences, their labels and lengths, in double precision."""
    generator = torch.Generator().manual_seed(seed)
    crf = CRF(num_labels).double()
    with torch.no_grad():
        for parameter in crf.parameters():
            parameter.copy_(2 * torch.randn(parameter.shape, generator=generator))
    shape = (len(lengths), max(lengths))
    x_BTK = 2 * torch.randn((*shape, num_labels), generator=generator, dtype=torch.float64)
    labels_BT = torch.randint(num_labels, shape, generator=generator)
    return crf, x_BTK, labels_BT, torch.tensor(lengths)


@torch.no_grad()
def score_by_hand(crf: CRF, x_TK: Tensor, labels: tuple[int, ...]) -> float:
    total = float(crf.start_K[labels[0]] + crf.end_K[labels[-1]])
    total += sum(float(x_TK[t, label]) for t, label in enumerate(labels))
    return total + sum(float(crf.transitions_KK[a, b]) for a, b in itertools.pairwise(labels))


CASES = {
    "seed": st.integers(0, 10_000),
    "num_labels": st.integers(1, 4),
    "lengths": st.lists(st.integers(1, 5), min_size=1, max_size=3),
}


@settings(max_examples=40)
@given(**CASES)
def test_partition_score_and_best_are_those_of_all_sequences(seed: int, num_labels: int, lengths: list[int]) -> None:
    crf, x_BTK, labels_BT, lengths_B = drawn(seed, num_labels, lengths)
    partition_B = crf.log_partition(x_BTK, lengths_B).tolist()
    gold_B = crf.gold_score(x_BTK, labels_BT, lengths_B).tolist()
    found = crf.best_labels(x_BTK, lengths_B)
    for row, length in enumerate(lengths):
        scores = {
            labels: score_by_hand(crf, x_BTK[row], labels)
            for labels in itertools.product(range(num_labels), repeat=length)
        }
        assert partition_B[row] == pytest.approx(
            torch.tensor([*scores.values()], dtype=torch.float64).logsumexp(0).item()
        )
        assert gold_B[row] == pytest.approx(scores[tuple(labels_BT[row, :length].tolist())])
        assert tuple(found[row]) == max(scores, key=lambda labels: scores[labels])


@settings(max_examples=40)
@given(**CASES)
def test_what_lies_behind_a_sentence_changes_nothing(seed: int, num_labels: int, lengths: list[int]) -> None:
    crf, x_BTK, labels_BT, lengths_B = drawn(seed, num_labels, lengths)
    outside_BT = torch.arange(max(lengths)) >= lengths_B[:, None]
    other_BTK = x_BTK.masked_fill(outside_BT[:, :, None], float("inf"))
    other_BT = (labels_BT + outside_BT) % num_labels
    assert torch.equal(crf.log_partition(other_BTK, lengths_B), crf.log_partition(x_BTK, lengths_B))
    assert torch.equal(crf.gold_score(other_BTK, other_BT, lengths_B), crf.gold_score(x_BTK, labels_BT, lengths_B))
    assert crf.best_labels(other_BTK, lengths_B) == crf.best_labels(x_BTK, lengths_B)
    for row, length in enumerate(lengths):
        alone = (x_BTK[row : row + 1, :length], torch.tensor([length]))
        together = crf.log_partition(x_BTK, lengths_B).tolist()[row]
        assert crf.log_partition(*alone).tolist() == [pytest.approx(together)]
        assert crf.best_labels(*alone) == [crf.best_labels(x_BTK, lengths_B)[row]]


@settings(max_examples=40)
@given(seed=st.integers(0, 10_000))
def test_the_gradient_is_the_gold_less_the_expected_count(seed: int) -> None:
    """Of the loss by the scores of a word: the probability of each label there, less one for the gold one."""
    crf, x_BTK, labels_BT, lengths_B = drawn(seed, 3, [4, 2])
    x_BTK.requires_grad_()
    (crf.log_partition(x_BTK, lengths_B) - crf.gold_score(x_BTK, labels_BT, lengths_B)).sum().backward()
    assert x_BTK.grad is not None
    inside_BT = torch.arange(4) < lengths_B[:, None]
    assert torch.allclose(x_BTK.grad.sum(2), torch.zeros(2, 4, dtype=torch.float64), atol=1e-9)
    gold_BT = x_BTK.grad.gather(2, labels_BT[:, :, None])[:, :, 0]
    assert (gold_BT[inside_BT] < 0).all()
    assert torch.equal(x_BTK.grad[~inside_BT], torch.zeros_like(x_BTK.grad[~inside_BT]))
    for parameter in crf.parameters():
        assert parameter.grad is not None
        assert parameter.grad.abs().sum() > 0
