"""Curves through an outcome along an axis of numbers, by least squares, with bootstrap intervals over seeds.

    fit = fit_curve("parabola", [(7, [2.1, 2.2]), (15, [2.0, 2.0]), (30, [2.1, 2.3])])
    fit.parameters["b"], fit.intervals["b"], fit.at(20)

All are in log x. A line has a slope: what a doubling changes. A parabola turns where what languages give each other
(transfer) and what they take from each other (capacity) are in balance. A power law is dilution without a turn.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from isogloss.report import Block, Heading, Table, Text
from isogloss.studies.axes import spoken
from isogloss.studies.outcomes import Outcome, Point, Result, outcomes_of, points_of
from isogloss.studies.recipe import FitSettings, StudySettings

__all__ = ["Fit", "fit_blocks", "fit_curve", "fitted_curves"]

Numbers = npt.NDArray[np.float64]
Observed = Sequence[tuple[float, Sequence[float]]]
DEGREES = {"line": 1, "parabola": 2, "power": 1}
RESAMPLES, BOOTSTRAP_SEED = 1000, 0
INTERVAL = (2.5, 97.5)
# How far from the points a turn is told, in log x: beyond a million times, "at least that".
FARTHEST = math.log(1e6)

CLAIMS = {
    "line": "y = a + b ln x. Per doubling of x the outcome changes by b ln 2.",
    "parabola": "y = a + b ln x + c (ln x)². Where the curve turns within the points, what is gained up to there by "
    "more of x (with languages: positive transfer) is outweighed beyond it (with languages: capacity dilution).",
    "power": "ln y = a + b ln x. At twice the x the outcome is 2^b times what it was.",
}
LIMITS = (
    "What a fit claims: the curve describes the points that were measured, and 95 % of 1,000 fits to seeds that were "
    "drawn again, with replacement, within each point lie in the interval. What it does not claim: a law, or anything "
    "outside of the points. Intervals say how far other seeds of the same cells would move the curve, not what other "
    "text, languages, sizes of model or lengths of training would do; with two or three seeds they are too narrow. A "
    "parabola goes through almost any few points and always turns somewhere, so a turn is a finding only where its "
    "whole interval lies inside of them and a point beyond it was measured to be worse than one before."
)


@dataclass(frozen=True)
class Fit:
    """A fitted curve: parameters with intervals, and what follows from them; ``share`` is the explained variance."""

    curve: str
    parameters: Mapping[str, float]
    intervals: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    share: float = math.nan

    def at(self, x: float) -> float:
        """The curve's value."""
        log_x = math.log(x)
        y = sum(self.parameters[name] * log_x**power for power, name in enumerate("abc") if name in self.parameters)
        return math.exp(y) if self.curve == "power" else y


def fit_curve(curve: str, observed: Observed, *, resamples: int = RESAMPLES) -> Fit:
    """Fit means over seeds; intervals from fits to seeds drawn again within each point, where there are several."""
    parameters = _fitted(curve, observed)
    rng = np.random.default_rng(BOOTSTRAP_SEED)
    again: dict[str, list[float]] = {}
    if any(len(values) > 1 for _, values in observed):
        for _ in range(resamples):
            drawn = [(x, rng.choice(values, size=len(values)).tolist()) for x, values in observed]
            for name, value in _fitted(curve, drawn).items():
                again.setdefault(name, []).append(value)
    intervals = {
        name: (float(low), float(high))
        for name, values in again.items()
        for low, high in [np.percentile(values, INTERVAL)]
    }
    fit = Fit(curve, parameters)
    means = np.array([np.mean(values) for _, values in observed])
    left = means - np.array([fit.at(x) for x, _ in observed])
    spread = float(((means - means.mean()) ** 2).sum())
    return Fit(curve, parameters, intervals, 1 - float((left**2).sum()) / spread if spread else math.nan)


def _fitted(curve: str, observed: Observed) -> dict[str, float]:
    """Parameters by least squares on the means, and where a parabola turns, be it outside of the points."""
    logs = np.log([x for x, _ in observed])
    means = np.array([np.mean(values) for _, values in observed])
    y = np.log(means) if curve == "power" else means
    design: Numbers = np.vander(logs, DEGREES[curve] + 1, increasing=True)
    solution, *_ = np.linalg.lstsq(design, y, rcond=None)
    parameters = dict(zip("abc", solution.tolist(), strict=False))
    if curve == "parabola" and parameters["c"]:
        # Far outside of the points, where the fit is all but a line; without a bound it would overflow.
        turn = np.clip(-parameters["b"] / (2 * parameters["c"]), logs.min() - FARTHEST, logs.max() + FARTHEST)
        parameters["turns at"] = math.exp(turn)
    if curve == "line":
        parameters["a doubling changes"] = parameters["b"] * math.log(2)
    return parameters


def fit_blocks(study: StudySettings, results: Sequence[Result]) -> Iterator[Block]:
    """What the report says of the study's fits, and of what they claim."""
    if not study.fits:
        return
    yield Heading("Fits")
    known = {outcome.name: outcome for outcome in outcomes_of(study, results)}
    for settings in study.fits:
        if settings.outcome in known:
            yield from _one_fit(study, results, settings, known[settings.outcome])
    yield Text(LIMITS)


def _one_fit(
    study: StudySettings, results: Sequence[Result], settings: FitSettings, outcome: Outcome
) -> Iterator[Block]:
    yield Heading(f"{outcome.title}, {settings.group}, along {settings.axis}", level=3)
    if settings.about:
        yield Text(settings.about)
    place = list(study.axes).index(settings.axis)
    series: dict[tuple[str, ...], list[tuple[float, Sequence[float]]]] = {}
    for point in points_of(study, results, settings.outcome, settings.group):
        number = _number(study, settings.axis, point.labels[place])
        if number is not None:
            others = (*point.labels[:place], *point.labels[place + 1 :])
            series.setdefault(others, []).append((number, point.values))
    needed = DEGREES[settings.curve] + 2
    axes = [axis for axis in study.axes if axis != settings.axis]
    rows = []
    for others, observed in series.items():
        if len(observed) < needed:
            who = spoken(axes, others) or "Here"
            yield Text(f"{who}: {len(observed)} points are too few for a {settings.curve} ({needed}).")
            continue
        fit = fit_curve(settings.curve, observed)
        rows += [
            (spoken(axes, others), name, f"{value:.4g}", _interval(fit, name), f"{fit.share:.2f}")
            for name, value in fit.parameters.items()
        ]
    if rows:
        yield Table(("", "parameter", "value", "95 %", "explained"), rows, words=(0, 1))
    yield Text(CLAIMS[settings.curve], soft=True)


def _interval(fit: Fit, name: str) -> str:
    if name not in fit.intervals:
        return "–"
    low, high = fit.intervals[name]
    return f"{low:.4g} to {high:.4g}"


def _number(study: StudySettings, axis: str, label: str) -> float | None:
    value = study.axes[axis].values.get(label)
    return value.number if value is not None else None


def fitted_curves(
    study: StudySettings, outcome: str, axis: str, found: Mapping[str, Sequence[Point]]
) -> dict[str, list[tuple[float, float]]]:
    """Curves for a plot of an outcome by group, where the study fits one."""
    curves: dict[str, list[tuple[float, float]]] = {}
    for settings in study.fits:
        points = found.get(settings.group, ())
        if (settings.outcome, settings.axis) != (outcome, axis):
            continue
        observed = [(x, point.values) for point in points if (x := _number(study, axis, point.labels[0])) is not None]
        if len(observed) >= DEGREES[settings.curve] + 2:
            fit = fit_curve(settings.curve, observed, resamples=0)
            xs = np.geomspace(observed[0][0], observed[-1][0], 40).tolist()
            curves[settings.group] = [(x, fit.at(x)) for x in xs]
    return curves
