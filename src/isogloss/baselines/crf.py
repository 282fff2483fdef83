"""A linear-chain conditional random field: the score of a whole sequence of labels, and the best one of all.

    crf = CRF(num_labels)
    loss = (crf.log_partition(x_BTK, lengths_B) - crf.gold_score(x_BTK, labels_BT, lengths_B)).sum()
    labels = crf.best_labels(x_BTK, lengths_B)              # Viterbi: a list of label numbers for each sentence

score(labels) = start[first] + Σ x[t, label t] + Σ transition[label t-1, label t] + end[last] (Lample et al. 2016,
section 2.2, whose added start and end labels are these two vectors). Which label may follow which is learned and not
set by hand, as there: an ill-formed sequence is possible, and scored as the official scorer scores it.

Shapes: B sentences, T words of the longest, K labels. What lies behind a sentence's length changes nothing.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["CRF"]


class CRF(nn.Module):
    """Scores between neighbouring labels, and at both ends; `transitions_KK[a, b]` is that of b after a."""

    def __init__(self, num_labels: int) -> None:
        super().__init__()
        self.transitions_KK = nn.Parameter(torch.zeros(num_labels, num_labels))
        self.start_K = nn.Parameter(torch.zeros(num_labels))
        self.end_K = nn.Parameter(torch.zeros(num_labels))

    def log_partition(self, x_BTK: Tensor, lengths_B: Tensor) -> Tensor:
        """The logarithm of the sum over all label sequences of exp(score), (B,). Lengths are one at least."""
        alpha_BK = self.start_K + x_BTK[:, 0]
        for t in range(1, x_BTK.shape[1]):
            # [b, before, now]
            next_BK = torch.logsumexp(alpha_BK[:, :, None] + self.transitions_KK, dim=1) + x_BTK[:, t]
            alpha_BK = torch.where((t < lengths_B)[:, None], next_BK, alpha_BK)
        return torch.logsumexp(alpha_BK + self.end_K, dim=1)

    def gold_score(self, x_BTK: Tensor, labels_BT: Tensor, lengths_B: Tensor) -> Tensor:
        """The score of these label sequences, (B,)."""
        inside_BT = _inside(x_BTK, lengths_B)
        emitted_BT = x_BTK.gather(2, labels_BT[:, :, None])[:, :, 0]
        moved_BT = self.transitions_KK[labels_BT[:, :-1], labels_BT[:, 1:]]
        last_B = labels_BT.gather(1, (lengths_B - 1)[:, None])[:, 0]
        # Chosen and not multiplied: what lies behind a sentence may be anything, also infinite.
        return (
            self.start_K[labels_BT[:, 0]]
            + torch.where(inside_BT, emitted_BT, 0.0).sum(1)
            + torch.where(inside_BT[:, 1:], moved_BT, 0.0).sum(1)
            + self.end_K[last_B]
        )

    def best_labels(self, x_BTK: Tensor, lengths_B: Tensor) -> list[list[int]]:
        """The label sequence with the highest score, for each sentence as long as it is."""
        best_BK = self.start_K + x_BTK[:, 0]
        # Behind the end of a sentence each label comes from itself.
        stay_BK = torch.arange(x_BTK.shape[2], device=x_BTK.device).expand_as(best_BK)
        came_from: list[Tensor] = []
        for t in range(1, x_BTK.shape[1]):
            next_BK, from_BK = (best_BK[:, :, None] + self.transitions_KK).max(dim=1)
            inside_B1 = (t < lengths_B)[:, None]
            best_BK = torch.where(inside_B1, next_BK + x_BTK[:, t], best_BK)
            came_from.append(torch.where(inside_B1, from_BK, stay_BK))
        label_B = (best_BK + self.end_K).argmax(dim=1)
        backwards = [label_B]
        for from_BK in reversed(came_from):
            label_B = from_BK.gather(1, label_B[:, None])[:, 0]
            backwards.append(label_B)
        labels_BT = torch.stack(backwards[::-1], dim=1).tolist()
        return [labels[:length] for labels, length in zip(labels_BT, lengths_B.tolist(), strict=True)]


def _inside(x_BTK: Tensor, lengths_B: Tensor) -> Tensor:
    """Which places lie inside their sentence, (B, T)."""
    places_T = torch.arange(x_BTK.shape[1], device=x_BTK.device)
    inside_BT: Tensor = places_T < lengths_B[:, None]
    return inside_BT
