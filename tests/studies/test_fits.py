"""Fits: curves of a known shape come back, intervals hold what seeds do, and a turn outside of the points is none."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isogloss.studies.fits import fit_curve

XS = (7.0, 15.0, 30.0, 60.0, 100.0)
SMALL = st.floats(-3, 3)


@given(SMALL, SMALL, SMALL)
def test_a_parabola_comes_back(a: float, b: float, c: float) -> None:
    fit = fit_curve("parabola", [(x, [a + b * math.log(x) + c * math.log(x) ** 2]) for x in XS])
    assert [fit.parameters[name] for name in "abc"] == pytest.approx([a, b, c], abs=1e-6)
    assert fit.at(20) == pytest.approx(a + b * math.log(20) + c * math.log(20) ** 2, abs=1e-6)
    assert ("lowest at" in fit.parameters) == (fit.parameters["c"] > 0)
    turn = fit.parameters.get("lowest at", fit.parameters.get("highest at", 0.0))
    if XS[0] < turn < XS[-1]:
        # Nothing between the points is on the far side of the turn.
        inside = [fit.at(x) for x in np.geomspace(XS[0], XS[-1], 50)]
        assert fit.at(turn) <= min(inside) + 1e-9 or fit.at(turn) >= max(inside) - 1e-9


@given(st.floats(0.1, 5), st.floats(-2, 2))
def test_a_power_law_comes_back(a: float, b: float) -> None:
    fit = fit_curve("power", [(x, [a * x**b]) for x in XS])
    assert fit.parameters["b"] == pytest.approx(b, abs=1e-6)
    assert fit.at(2 * 7) / fit.at(7) == pytest.approx(2**b, rel=1e-6)


@given(SMALL, SMALL)
def test_a_line_says_what_a_doubling_changes(a: float, b: float) -> None:
    fit = fit_curve("line", [(x, [a + b * math.log(x)]) for x in XS])
    assert fit.at(28) - fit.at(14) == pytest.approx(fit.parameters["a doubling changes"], abs=1e-6)


def test_intervals_widen_with_the_spread_of_seeds() -> None:
    def width(spread: float) -> float:
        rng = np.random.default_rng(3)
        observed = [(x, (math.log(x) + spread * rng.normal(size=4)).tolist()) for x in XS]
        fit = fit_curve("line", observed)
        low, high = fit.by_seeds["b"]
        assert low <= fit.parameters["b"] <= high
        return high - low

    assert 0 < width(0.01) < width(0.1) < width(1.0)


def test_a_curve_without_a_turn_has_none_for_certain() -> None:
    """A straight line with noise bends somewhere; the interval of its turn reaches out of the points."""
    rng = np.random.default_rng(5)
    straight = [(x, (0.3 * math.log(x) + 0.02 * rng.normal(size=3)).tolist()) for x in XS]
    fit = fit_curve("parabola", straight)
    (turn,) = {"lowest at", "highest at"} & fit.parameters.keys()
    for low, high in (fit.by_seeds[turn], fit.by_points[turn]):
        assert low < XS[0] or high > XS[-1]
    bent = [(x, (math.log(x / 25) ** 2 + 0.02 * rng.normal(size=3)).tolist()) for x in XS]
    low, high = fit_curve("parabola", bent).by_seeds["lowest at"]
    assert XS[0] < low < 25 * 1.1
    assert 25 * 0.9 < high < XS[-1]


@pytest.mark.parametrize("num_seeds", [2, 3])
def test_an_interval_holds_the_truth_as_often_as_it_says(num_seeds: int) -> None:
    rng = np.random.default_rng(11)
    held = {"by_seeds": 0, "by_points": 0}
    for _ in range(400):
        fit = fit_curve("line", [(x, (0.3 * math.log(x) + 0.05 * rng.normal(size=num_seeds)).tolist()) for x in XS])
        for kind in held:
            low, high = getattr(fit, kind)["b"]
            held[kind] += low <= 0.3 <= high
    # 95 % of 400, give or take three deviations of a count of 400.
    assert all(367 <= count <= 393 for count in held.values()), held


def test_a_curve_that_is_not_the_true_one_is_wide_by_points_and_narrow_by_seeds() -> None:
    rng = np.random.default_rng(2)
    bent = [(x, (math.log(x / 25) ** 2 + 0.001 * rng.normal(size=3)).tolist()) for x in XS]
    fit = fit_curve("line", bent)
    (low, high), (lowest, highest) = fit.by_seeds["b"], fit.by_points["b"]
    assert highest - lowest > 100 * (high - low)


def test_what_cannot_be_known_is_not_told() -> None:
    single = fit_curve("line", [(x, [x]) for x in XS])
    assert single.by_seeds == {}
    assert single.by_points.keys() == single.parameters.keys()
    assert fit_curve("line", [(x, [x, x + 1]) for x in XS[:2]]).by_points == {}
    assert fit_curve("line", [(x, [math.log(x)]) for x in XS]).share == pytest.approx(1)
