"""Metrics of GLUE and of retrieval, all in percent: F1 of one class, Matthews, Pearson, Spearman, nearest neighbours.

    class_scores(gold, predicted, positive="1")        # {"precision": …, "recall": …, "f1": …}
    matthews(gold, predicted)                          # as scikit-learn's matthews_corrcoef, times 100
    pearson([1.0, 2.0], [1.5, 4.0])                    # as SciPy's, times 100

What GLUE computes with scikit-learn and SciPy, by their operations in their order, as the last digit depends on it;
what they leave undefined (no such class, a constant) is 0. Ranks are whole numbers, so equal ones give 100 exactly.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["class_scores", "matthews", "nearest", "pearson", "spearman"]

# Vectors compared at once: a block of this many times all others.
BLOCK = 1024


def class_scores(gold: Sequence[str], predicted: Sequence[str], *, positive: str) -> dict[str, float]:
    """Precision, recall and F1 of the class `positive`, each 0 where it would be a share of nothing."""
    assert len(gold) == len(predicted), f"{len(gold)} gold labels, {len(predicted)} predictions"
    right = sum(a == b == positive for a, b in zip(gold, predicted, strict=True))
    num_predicted, num_gold = sum(one == positive for one in predicted), sum(one == positive for one in gold)
    return {
        "precision": 100.0 * (right / num_predicted) if num_predicted else 0.0,
        "recall": 100.0 * (right / num_gold) if num_gold else 0.0,
        "f1": 100.0 * (2 * right / (num_predicted + num_gold)) if num_predicted + num_gold else 0.0,
    }


def matthews(gold: Sequence[str], predicted: Sequence[str]) -> float:
    """The correlation of two labellings with any number of classes (Gorodkin 2004), in percent; of a constant 0."""
    assert len(gold) == len(predicted), f"{len(gold)} gold labels, {len(predicted)} predictions"
    size = len(gold)
    in_gold, in_predicted = Counter(gold), Counter(predicted)
    right = sum(a == b for a, b in zip(gold, predicted, strict=True))
    covariance = right * size - sum(in_gold[label] * in_predicted[label] for label in in_gold)
    spread = (size**2 - sum(n**2 for n in in_gold.values())) * (size**2 - sum(n**2 for n in in_predicted.values()))
    return 100.0 * (covariance / math.sqrt(spread)) if spread else 0.0


def pearson(gold: Sequence[float], predicted: Sequence[float]) -> float:
    """Linear correlation in percent; of a constant 0, and of a model that gives what is no number."""
    assert len(gold) == len(predicted), f"{len(gold)} ratings, {len(predicted)} predictions"
    if not _all_finite(gold, predicted):
        return 0.0
    deviations = [np.asarray(values, np.float64) - np.mean(values) for values in (gold, predicted)]
    # Of a constant the mean may miss it by a rounding, which is no spread.
    if len(gold) < 2 or any(np.ptp(values) == 0 for values in (gold, predicted)):
        return 0.0
    x, y = (values / _length(values) for values in deviations)
    found = max(-1.0, min(1.0, float(np.dot(x, y))))
    # Two points lie on a line, whatever roundings say.
    return 100.0 * (round(found) if len(gold) == 2 else found)


def spearman(gold: Sequence[float], predicted: Sequence[float]) -> float:
    """Linear correlation of ranks in percent, equal values sharing the mean of theirs; 0 where `pearson` is."""
    assert len(gold) == len(predicted), f"{len(gold)} ratings, {len(predicted)} predictions"
    if not _all_finite(gold, predicted):
        return 0.0
    x, y = (_doubled_ranks(values) for values in (gold, predicted))
    covariance, spread = _dot(x, y), _dot(x, x) * _dot(y, y)
    # Of whole numbers the quotient is rounded once, so that equal ranks give 1.
    return math.copysign(100.0 * math.sqrt(covariance**2 / spread), covariance) if spread else 0.0


def _all_finite(*several: Sequence[float]) -> bool:
    return all(bool(np.isfinite(np.asarray(values, np.float64)).all()) for values in several)


def _length(values: npt.NDArray[np.float64]) -> float:
    """Scaled by the largest value, so that squares of very small or large ones neither vanish nor overflow."""
    largest = np.abs(values).max()
    # Along an axis, as SciPy has it, the squares are added in another order than without one.
    return float(largest * np.linalg.norm(values / largest, axis=0))


def _doubled_ranks(values: Sequence[float]) -> list[int]:
    """Twice what each rank is above the mean of all; a mean of ranks that equal values share may be a half."""
    _, inverse, counts = np.unique(np.asarray(values, np.float64), return_inverse=True, return_counts=True)
    doubled = 2 * np.cumsum(counts) - (counts - 1)
    above: list[int] = (doubled[inverse] - (len(values) + 1)).tolist()
    return above


def _dot(x: Sequence[int], y: Sequence[int]) -> int:
    return sum(a * b for a, b in zip(x, y, strict=True))


def nearest(sources: npt.NDArray[np.float32], targets: npt.NDArray[np.float32]) -> list[int]:
    """For each source vector the place of the target with the highest cosine, the first of several."""
    x, y = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True).clip(min=1e-12) for vectors in (sources, targets))
    found: list[int] = []
    for start in range(0, len(x), BLOCK):
        found += (x[start : start + BLOCK] @ y.T).argmax(axis=1).tolist()
    return found
