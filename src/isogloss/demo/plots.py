"""Plots as SVG text for a page that needs no other file; series differ by marker and dash, so grey will do."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

__all__ = ["bars_svg", "curves_svg"]

COLOURS = ("#1f5fa8", "#d1762c", "#8a8f98", "#3a8f5c", "#7a4fa3", "#b23a48")
HATCHES = ("", "//", "..", "xx", "\\\\", "--")
DASHES = ("-", "--", "-.", ":")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
SIZE = (7.6, 3.0)
# Any, because matplotlib types each key by name. Text stays text, so that the page can be searched; ids are seeded, so
# that the same plot is the same file.
STYLE: Any = {"svg.fonttype": "none", "svg.hashsalt": "isogloss", "font.family": "sans-serif", "font.size": 9}


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
        axes.set_xticks(range(len(categories)), categories)
        axes.set_ylabel(ylabel)
        axes.spines[["top", "right"]].set_visible(False)
        if len(series) > 1:
            figure.legend(loc="outside upper center", ncols=len(series), frameon=False)
        return _svg(figure)


def curves_svg(series: Mapping[str, Sequence[tuple[float, float]]], *, ylabel: str, xlabel: str = "step") -> str:
    """Lines through ``series[name] = [(x, y), …]``."""
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
        axes.set_xlabel(xlabel)
        axes.set_ylabel(ylabel)
        axes.spines[["top", "right"]].set_visible(False)
        if len(series) > 1:
            figure.legend(loc="outside right upper", frameon=False)
        return _svg(figure)


def _svg(figure: Figure) -> str:
    text = io.StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None})
    drawn = text.getvalue()
    return drawn[drawn.index("<svg") :]
