"""Plots as SVG text for a page that needs no other file; series differ by marker and dash, so grey will do."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from statistics import stdev
from typing import Any, Literal

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, FuncFormatter, MaxNLocator, NullLocator

__all__ = ["bars_svg", "curves_svg", "dots_svg", "histogram_svg", "spread_svg"]

COLOURS = ("#1f5fa8", "#d1762c", "#8a8f98", "#3a8f5c", "#7a4fa3", "#b23a48")
HATCHES = ("", "//", "..", "xx", "\\\\", "--")
DASHES = ("-", "--", "-.", ":")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
# Inches; 96 pixels of a page each.
SIZE = (7.6, 3.0)
SMALL_SIZE = (3.6, 2.1)
SMALL_SPREAD = (3.7, 3.0)
# In the names of a small plot's places, side by side.
MOST_LETTERS = 28
DOTS_HEIGHT, INCHES_A_DOT = 3.6, 0.091
# Categories whose names have room side by side.
FEW = 12
# Names of series in one line of a legend.
MOST_SIDE_BY_SIDE = 4
# Any, because matplotlib types each key by name. Text stays text, so that the page can be searched; ids are seeded, so
# that the same plot is the same file.
STYLE: Any = {"svg.fonttype": "none", "svg.hashsalt": "isogloss", "font.family": "sans-serif", "font.size": 9}
# Who drew it and by which standards: addresses that nobody needs.
NO_METADATA = dict.fromkeys(("Date", "Creator", "Format", "Type"))


def bars_svg(series: Mapping[str, Mapping[str, float]], *, ylabel: str) -> str:
    """Grouped bars: ``series[name][category]``; categories are those of the first series."""
    categories = list(next(iter(series.values())))
    width = 0.8 / len(series)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=SIZE, layout="constrained")
        axes = figure.subplots()
        for number, (name, values) in enumerate(series.items()):
            places = [index + (number - (len(series) - 1) / 2) * width for index in range(len(categories))]
            axes.bar(
                places,
                [values[category] for category in categories],
                width,
                label=name,
                color=COLOURS[number % len(COLOURS)],
                hatch=HATCHES[number % len(HATCHES)],
                edgecolor="white",
            )
        _name_categories(axes, categories)
        axes.set_ylabel(ylabel)
        axes.spines[["top", "right"]].set_visible(False)
        if len(series) > 1:
            figure.legend(loc="outside upper center", ncols=min(len(series), MOST_SIDE_BY_SIDE), frameon=False)
        return _svg(figure)


def curves_svg(
    series: Mapping[str, Sequence[tuple[float, float]]], *, ylabel: str, xlabel: str = "step", log: bool = False
) -> str:
    """Lines through ``series[name] = [(x, y), …]``; ``log`` is said of the horizontal axis."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=SIZE, layout="constrained")
        axes = figure.subplots()
        for number, (name, points) in enumerate(series.items()):
            axes.plot(
                [x for x, _ in points],
                [y for _, y in points],
                label=name,
                color=COLOURS[number % len(COLOURS)],
                linestyle=DASHES[number % len(DASHES)],
                marker=MARKERS[number % len(MARKERS)] if len(series) > 1 else "",
                markersize=3,
                linewidth=1.3,
            )
        if log:
            axes.set_xscale("log")
            axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
            axes.xaxis.set_minor_locator(NullLocator())
        axes.set_xlabel(xlabel)
        axes.set_ylabel(ylabel)
        axes.spines[["top", "right"]].set_visible(False)
        if len(series) > 1:
            figure.legend(loc="outside right upper", frameon=False)
        return _svg(figure)


def spread_svg(
    series: Mapping[str, Sequence[tuple[float, Sequence[float]]]],
    *,
    ticks: Mapping[float, str],
    xlabel: str,
    ylabel: str,
    log: bool = False,
    joined: bool = True,
    curves: Mapping[str, Sequence[tuple[float, float]]] = {},
    small: bool = False,
) -> str:
    """Means with their standard deviations over ``series[name] = [(x, values), …]``, and each value as a small dot.

    ``ticks`` name places of the horizontal axis; places that are names alone are not ``joined`` by lines. ``curves`` go
    with the series of the same name, dotted. Two ``small`` ones have room side by side.
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=SMALL_SPREAD if small else SIZE, layout="constrained")
        axes = figure.subplots()
        for number, (name, points) in enumerate(series.items()):
            colour = COLOURS[number % len(COLOURS)]
            means = [sum(values) / len(values) for _, values in points]
            spreads = [stdev(values) if len(values) > 1 else 0.0 for _, values in points]
            axes.errorbar(
                [x for x, _ in points],
                means,
                yerr=spreads if any(spreads) else None,
                label=name,
                color=colour,
                linestyle=DASHES[number % len(DASHES)] if joined else "",
                marker=MARKERS[number % len(MARKERS)],
                markersize=5,
                linewidth=1.3,
                capsize=3,
            )
            several = [(x, value) for x, values in points if len(values) > 1 for value in values]
            axes.plot([x for x, _ in several], [y for _, y in several], linestyle="", marker=".", ms=3, color="#444444")
            curve = curves.get(name, ())
            axes.plot([x for x, _ in curve], [y for _, y in curve], linestyle=":", linewidth=1.0, color=colour)
        if log:
            axes.set_xscale("log")
            axes.xaxis.set_minor_locator(NullLocator())
        crowded = len("".join(ticks.values())) > (MOST_LETTERS if small else 2 * MOST_LETTERS)
        axes.set_xticks(
            list(ticks), list(ticks.values()), rotation=20 if crowded else 0, ha="right" if crowded else "center"
        )
        axes.set_xlabel(xlabel)
        axes.set_ylabel(ylabel)
        axes.spines[["top", "right"]].set_visible(False)
        if len(series) > 1 or small:
            figure.legend(loc="outside upper left" if small else "outside right upper", frameon=False)
        return _svg(figure)


def dots_svg(series: Mapping[str, Mapping[str, float]], *, ylabel: str, log: bool = True) -> str:
    """A dot for each ``series[name][category]`` above zero; wider the more categories there are.

    The axis is logarithmic, or else begins at zero. Categories are those of the first series, in its order. The first
    series is filled, the others are hollow.
    """
    categories = list(next(iter(series.values())))
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(max(SIZE[0], 0.9 + INCHES_A_DOT * len(categories)), DOTS_HEIGHT), layout="constrained")
        axes = figure.subplots()
        for number, (name, values) in enumerate(series.items()):
            shown = [(place, values[code]) for place, code in enumerate(categories) if values.get(code, 0) > 0]
            axes.plot(
                [place for place, _ in shown],
                [value for _, value in shown],
                linestyle="",
                label=name,
                marker=MARKERS[number % len(MARKERS)],
                markersize=4.5,
                color=COLOURS[number % len(COLOURS)],
                markerfacecolor="none" if number else None,
            )
        if log:
            axes.set_yscale("log")
            axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
            axes.yaxis.set_minor_locator(NullLocator())
        else:
            axes.set_ylim(bottom=0)
        _name_categories(axes, categories)
        axes.set_xlim(-1, len(categories))
        axes.grid(color="#e4e8ed", linewidth=0.6)
        axes.set_axisbelow(True)
        axes.set_ylabel(ylabel)
        axes.spines[["top", "right"]].set_visible(False)
        figure.legend(loc="outside upper left", ncols=min(len(series), MOST_SIDE_BY_SIDE), frameon=False)
        return _svg(figure)


def histogram_svg(
    counts: Sequence[int], bounds: Sequence[float], *, xlabel: str, log: bool = False, marks: Mapping[str, float] = {}
) -> str:
    """A small plot of N ``counts`` between N + 1 rising ``bounds``, with an upright line for each of ``marks``."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=SMALL_SIZE)
        # Places by hand: there are two such plots for each of a hundred languages, and a layout doubles their time.
        axes = figure.add_axes((0.16, 0.24, 0.81, 0.62))
        axes.stairs(counts, bounds, fill=True, color=COLOURS[0])
        if log:
            axes.set_xscale("log")
            axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
            axes.xaxis.set_minor_locator(NullLocator())
        for number, (name, value) in enumerate(marks.items()):
            axes.axvline(value, color=COLOURS[1], linestyle=DASHES[(number + 1) % len(DASHES)], linewidth=1.1)
            # The first to the left of its line, the others to the right: two lines may stand close together.
            side: Literal["left", "right"] = "left" if number else "right"
            axes.text(value, 1.02, f" {name} ", transform=axes.get_xaxis_transform(), fontsize=8, ha=side)
        axes.set_xlim(bounds[0], bounds[-1])
        axes.set_ylim(0, 1.05 * max(1, *counts))
        axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
        axes.yaxis.set_major_formatter(EngFormatter(sep=""))
        axes.set_xlabel(xlabel)
        axes.set_ylabel("documents")
        axes.spines[["top", "right"]].set_visible(False)
        return _svg(figure)


def _name_categories(axes: Axes, categories: Sequence[str]) -> None:
    """Side by side where there is room, else each turned."""
    upright = len(categories) <= FEW
    axes.set_xticks(range(len(categories)), categories, rotation=0 if upright else 90, fontsize=9 if upright else 6.5)


def _svg(figure: Figure) -> str:
    text = io.StringIO()
    figure.savefig(text, format="svg", metadata=NO_METADATA)
    drawn = text.getvalue()
    return re.sub(r"\s*<!--.*?-->", "", drawn[drawn.index("<svg") :], flags=re.DOTALL)
