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
    turn = fit.parameters.get("turns at", 0.0)
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
        low, high = fit.intervals["b"]
        assert low <= fit.parameters["b"] <= high
        return high - low

    assert 0 < width(0.01) < width(0.1) < width(1.0)


def test_a_curve_without_a_turn_has_none_for_certain() -> None:
    """A straight line with noise bends somewhere; the interval of its turn reaches out of the points."""
    rng = np.random.default_rng(5)
    straight = [(x, (0.3 * math.log(x) + 0.02 * rng.normal(size=3)).tolist()) for x in XS]
    low, high = fit_curve("parabola", straight).intervals["turns at"]
    assert low < XS[0] or high > XS[-1]
    bent = [(x, (math.log(x / 25) ** 2 + 0.02 * rng.normal(size=3)).tolist()) for x in XS]
    low, high = fit_curve("parabola", bent).intervals["turns at"]
    assert XS[0] < low < 25 * 1.1
    assert 25 * 0.9 < high < XS[-1]


def test_single_seeds_have_no_interval() -> None:
    assert fit_curve("line", [(x, [x]) for x in XS]).intervals == {}
    assert fit_curve("line", [(x, [math.log(x)]) for x in XS]).share == pytest.approx(1)
