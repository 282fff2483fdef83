"""Curves through an outcome along an axis of numbers, by least squares, with intervals of two kinds.

    fit = fit_curve("parabola", [(7, [2.1, 2.2]), (15, [2.0, 2.0]), (30, [2.1, 2.3]), (60, [2.2, 2.4])])
    fit.parameters["b"], fit.by_seeds["b"], fit.by_points["b"], fit.at(20)

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
Intervals = Mapping[str, tuple[float, float]]
DEGREES = {"line": 1, "parabola": 2, "power": 1}
DRAWS, DRAWING_SEED = 20_000, 0
INTERVAL = (2.5, 97.5)
# How far from the points a turn is told, in log x: beyond a million times, "at least that".
FARTHEST = math.log(1e6)
LOWEST, HIGHEST = "lowest at", "highest at"

CLAIMS = {
    "line": "y = a + b ln x. Per doubling of x the outcome changes by b ln 2.",
    "parabola": "y = a + b ln x + c (ln x)². Where the best place of the curve, the lowest of bits or the highest of a "
    "score, lies within the points, what is gained up to there by more of x (with languages: positive transfer) is "
    "outweighed beyond it (with languages: capacity dilution). A worst place within the points says nothing of that.",
    "power": "ln y = a + b ln x. At twice the x the outcome is 2^b times what it was.",
}
LIMITS = (
    "What a fit claims: the curve describes the points that were measured, as well as the share says that is "
    "explained. Intervals are of 95 %, by Student's t. By seeds: how far other seeds of the same cells would move the "
    "curve; their variance is taken to be the same in all points. By points: how far the points lie from the curve; "
    "this includes the misfit of the curve, and is wide where there are few more points than parameters. "
    "What a fit does not claim: a law, or anything outside of the points, nor what other text, languages, sizes of "
    "model or lengths of training would do. A parabola always turns somewhere, so a turn is a finding only where its "
    "intervals lie inside of the points and a point beyond it was measured to be worse than one before."
)


@dataclass(frozen=True)
class Fit:
    """A fitted curve: parameters, and what follows from them; ``share`` is R², of a power curve in ln y.

    95 % confidence intervals: ``by_seeds`` from the variance over seeds, where points have several, and ``by_points``
    from the residuals, where there are more points than parameters; empty where they cannot be known.
    """

    curve: str
    parameters: Mapping[str, float]
    by_seeds: Intervals = field(default_factory=dict)
    by_points: Intervals = field(default_factory=dict)
    share: float = math.nan

    def at(self, x: float) -> float:
        """The curve's value."""
        log_x = math.log(x)
        y = sum(self.parameters[name] * log_x**power for power, name in enumerate("abc") if name in self.parameters)
        return math.exp(y) if self.curve == "power" else y


def fit_curve(curve: str, observed: Observed) -> Fit:
    """Fit the means over seeds by least squares, of a power curve those of the logarithms, whose values are above 0.

    Both intervals are those of Student's t: with two seeds a point, their variance is known so badly that the usual
    bootstrap, which draws seeds again, holds the truth in 73 % where it says 95.
    """
    logs = np.log([x for x, _ in observed])
    seeds = [np.log(values) if curve == "power" else np.asarray(values, np.float64) for _, values in observed]
    means = np.array([of_point.mean() for of_point in seeds])
    design: Numbers = np.vander(logs, DEGREES[curve] + 1, increasing=True)
    to_solution = np.linalg.pinv(design)
    solution = to_solution @ means
    left = means - design @ solution
    names = _named(curve, solution[None], logs)

    def intervals(errors: Sequence[Numbers], freedom: int, scale_P: Numbers) -> Intervals:
        if freedom < 1:
            return {}
        variance = sum(float((error**2).sum()) for error in errors) / freedom
        solutions = solution + _student(len(means), freedom) * np.sqrt(variance * scale_P) @ to_solution.T
        # The fit's own row first, for what is lowest to be called so in all.
        found = _named(curve, np.concatenate([solution[None], solutions]), logs)
        return {
            name: (float(low), float(high))
            for name in names
            for low, high in [np.percentile(found[name][1:], INTERVAL)]
        }

    spread = float(((means - means.mean()) ** 2).sum())
    return Fit(
        curve,
        {name: float(values[0]) for name, values in names.items()},
        by_seeds=intervals(
            [of_point - of_point.mean() for of_point in seeds],
            sum(len(of_point) - 1 for of_point in seeds),
            np.array([1 / len(of_point) for of_point in seeds]),
        ),
        by_points=intervals([left], len(means) - design.shape[1], np.ones(len(means))),
        share=1 - float((left**2).sum()) / spread if spread else math.nan,
    )


def _student(num_points: int, freedom: int) -> Numbers:
    """Errors of the means in units of their deviation, which is itself known from ``freedom`` differences; (R, P).

    Each with its opposite, so that intervals of a parameter are even.
    """
    rng = np.random.default_rng(DRAWING_SEED)
    normal = rng.normal(size=(DRAWS, num_points))
    drawn = normal * np.sqrt(freedom / rng.chisquare(freedom, size=(DRAWS, 1)))
    return np.concatenate([drawn, -drawn])


def _named(curve: str, solutions_RC: Numbers, logs: Numbers) -> dict[str, Numbers]:
    """Parameters by name, and where a parabola turns, be it outside of the points; the first row says which way."""
    named = dict(zip("abc", solutions_RC.T, strict=False))
    if curve == "parabola" and named["c"][0]:
        # Far outside of the points, where the fit is all but a line; without a bound it would overflow.
        bounds = logs.min() - FARTHEST, logs.max() + FARTHEST
        with np.errstate(divide="ignore", invalid="ignore"):
            turn = np.nan_to_num(-named["b"] / (2 * named["c"]), nan=bounds[1])
        named[LOWEST if named["c"][0] > 0 else HIGHEST] = np.exp(np.clip(turn, *bounds))
    if curve == "line":
        named["a doubling changes"] = named["b"] * math.log(2)
    return named


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
    axes = [axis for axis in study.axes if axis != settings.axis]
    rows = []
    for others, observed in series.items():
        who = spoken(axes, others)
        if problem := _problem(settings.curve, observed):
            yield Text(f"{who or 'Here'}: {problem}.")
            continue
        fit = fit_curve(settings.curve, observed)
        rows += [
            (
                who,
                name,
                f"{value:.4g}",
                _interval(fit.by_seeds, name),
                _interval(fit.by_points, name),
                f"{fit.share:.2f}",
            )
            for name, value in fit.parameters.items()
        ]
    if rows:
        yield Table(("", "parameter", "value", "95 %, by seeds", "95 %, by points", "explained"), rows, words=(0, 1))
    yield Text(CLAIMS[settings.curve], soft=True)


def _problem(curve: str, observed: Observed) -> str:
    """Why no curve is fitted, if none is."""
    needed = DEGREES[curve] + 2
    if len(observed) < needed:
        return f"{len(observed)} points are too few for a {curve} ({needed})"
    if curve == "power" and any(value <= 0 for _, values in observed for value in values):
        return "a value of 0 is on no power curve"
    return ""


def _interval(intervals: Intervals, name: str) -> str:
    if name not in intervals:
        return "–"
    low, high = intervals[name]
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
        if not _problem(settings.curve, observed):
            fit = fit_curve(settings.curve, observed)
            xs = np.geomspace(observed[0][0], observed[-1][0], 40).tolist()
            curves[settings.group] = [(x, fit.at(x)) for x in xs]
    return curves
