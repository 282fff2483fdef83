"""GLUE's metrics beside scikit-learn and SciPy, cases worked by hand, and nearest neighbours."""

import math
import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isogloss.tasks.statistics import class_scores, matthews, nearest, pearson, spearman

PAIRS = st.lists(st.tuples(st.sampled_from("01"), st.sampled_from("01")), min_size=1, max_size=40)
MANY = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abcd")), min_size=1, max_size=40)
NUMBERS = st.lists(
    st.tuples(st.integers(0, 50).map(lambda n: n / 10), st.floats(-1e6, 1e6).map(lambda x: round(x, 3))),
    min_size=2,
    max_size=40,
)


def apart(pairs: list[tuple[Any, Any]]) -> tuple[list[Any], list[Any]]:
    gold, predicted = zip(*pairs, strict=True)
    return list(gold), list(predicted)


@given(PAIRS)
def test_f1_precision_and_recall_are_those_of_scikit_learn(pairs: list[tuple[str, str]]) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    gold, predicted = apart(pairs)
    values = {"pos_label": "1", "zero_division": 0.0}
    if "1" not in {*gold, *predicted}:  # scikit-learn refuses a label that stands nowhere
        assert class_scores(gold, predicted, positive="1") == {"precision": 0.0, "recall": 0.0, "f1": 0.0}
        return
    scores = class_scores(gold, predicted, positive="1")
    for name in ("precision", "recall", "f1"):
        assert scores[name] == 100 * getattr(metrics, f"{name}_score")(gold, predicted, **values), "to the last digit"


@given(st.one_of(PAIRS, MANY))
def test_matthews_is_that_of_scikit_learn(pairs: list[tuple[str, str]]) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    gold, predicted = apart(pairs)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it says so where there is one label only
        theirs = metrics.matthews_corrcoef(gold, predicted)
    assert matthews(gold, predicted) == 100 * theirs, "to the last digit"


@given(NUMBERS)
def test_correlations_are_those_of_scipy(pairs: list[tuple[float, float]]) -> None:
    stats = pytest.importorskip("scipy.stats")
    gold, predicted = apart(pairs)
    for ours, theirs in ((pearson, stats.pearsonr), (spearman, stats.spearmanr)):
        if len(set(gold)) == 1 or len(set(predicted)) == 1:
            assert ours(gold, predicted) == 0.0, "undefined there"
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # nearly constant values
            expected = float(theirs(gold, predicted)[0])
        assert ours(gold, predicted) == pytest.approx(100 * expected, abs=1e-7)


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 50)), min_size=2, max_size=60))
def test_pearson_prints_what_scipy_prints(pairs: list[tuple[int, int]]) -> None:
    """Digit by digit, where values are as ratings are: not all but equal."""
    stats = pytest.importorskip("scipy.stats")
    gold, predicted = ([value / 10 for value in values] for values in apart(pairs))
    if len(set(gold)) > 1 and len(set(predicted)) > 1:
        assert pearson(gold, predicted) == 100 * float(stats.pearsonr(gold, predicted)[0])


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=60))
def test_equal_ranks_give_exactly_a_hundred(values: list[float]) -> None:
    if len(set(values)) > 1:
        assert spearman(values, rankings(values)) == 100.0
        assert spearman(values, [-rank for rank in rankings(values)]) == -100.0
        assert spearman(values, values) == 100.0


def rankings(values: list[float]) -> list[int]:
    return [sorted(set(values)).index(value) ** 3 for value in values]


def test_cases_worked_by_hand() -> None:
    gold, predicted = list("1110000000"), list("1100010000")
    # 2 right of 3 that are, and of 3 that were said.
    assert class_scores(gold, predicted, positive="1")["f1"] == pytest.approx(200 / 3)
    # tp 2, tn 6, fp 1, fn 1: (12 - 1) / sqrt(3 · 3 · 7 · 7)
    assert matthews(gold, predicted) == pytest.approx(1100 / 21)
    assert pearson([1, 2, 3], [2, 4, 7]) == pytest.approx(100 * 5 / math.sqrt(2 * 38 / 3))
    assert spearman([1, 2, 3, 4], [10, 10, 20, 5]) == pytest.approx(100 * -1.5 / math.sqrt(5 * 4.5))
    assert matthews(["a", "b"], ["a", "a"]) == 0.0
    assert pearson([1e-200, 2e-200, 4e-200], [1e200, 2e200, 4e200]) == pytest.approx(100)


@given(st.integers(0, 1000), st.integers(1, 30))
def test_the_nearest_is_that_of_a_search_over_all(seed: int, number: int) -> None:
    random = np.random.default_rng(seed)
    sources, targets = random.normal(size=(2, number, 5)).astype(np.float32)
    found = nearest(sources, targets)
    for source, place in zip(sources, found, strict=True):
        cosines = [
            float(np.dot(source, target) / np.linalg.norm(source) / np.linalg.norm(target)) for target in targets
        ]
        assert cosines[place] == pytest.approx(max(cosines), abs=1e-5)
    assert nearest(sources * 7, targets * 0.1) == found, "length does not count"
    assert nearest(sources, sources * 3) == list(range(number))


@pytest.mark.parametrize("odd", [float("nan"), float("inf")])
def test_a_model_that_gives_no_numbers_has_no_correlation(odd: float) -> None:
    """Comparisons with NaN are all false, so that a bound on the correlation would have made it 100."""
    for predicted in ([odd] * 3, [odd, 1.0, 2.0]):
        assert pearson([1.0, 2.0, 3.0], predicted) == 0.0
        assert spearman([1.0, 2.0, 3.0], predicted) == 0.0
