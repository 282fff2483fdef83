"""Histograms of confidence and of perplexity: plots for a page, and the same counts as text and tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from isogloss.corpus.report.counted import NOTHING, decimal, number
from isogloss.report import Figure, Table
from isogloss.report.plots import histogram_svg

__all__ = ["confidence_figure", "confidence_text", "median_confidence", "perplexity_figure", "perplexity_table"]

# Bounds further apart than this are shown on a logarithmic axis.
FAR_APART = 20


def confidence_figure(counts: Sequence[int], caption: str) -> Figure:
    """How many documents were identified with which confidence."""
    bounds = [place / len(counts) for place in range(len(counts) + 1)]
    return Figure(histogram_svg(counts, bounds, xlabel="confidence"), caption, small=True)


def confidence_text(counts: Sequence[int]) -> str:
    """The same in words."""
    said = ", ".join(number(count) for count in counts)
    return f"Documents by confidence, from 0 to 1 in steps of {1 / len(counts):g}: {said}."


def median_confidence(counts: Sequence[int]) -> str:
    """The step of confidence that the middle document lies in."""
    passed = 0
    for place, count in enumerate(counts):
        passed += count
        if 2 * passed >= sum(counts) > 0:
            return f"{place / len(counts):.2f}–{(place + 1) / len(counts):.2f}"
    return NOTHING


def perplexity_figure(row: Mapping[str, Any]) -> Figure:
    """How many documents have which perplexity, with the cuts between head, middle and tail."""
    counts, bounds = _without_empty_ends(row)
    log = bounds[-1] > FAR_APART * bounds[1] > 0
    if log and bounds[0] <= 0:
        # Zero is nowhere on such an axis: as far below the next bound as the one after lies above.
        bounds[0] = bounds[1] ** 2 / bounds[2]
    marks = {name: row[name] for name in ("head", "middle") if row[name] is not None}
    shown = {name: value for name, value in marks.items() if bounds[0] <= value <= bounds[-1]}
    drawn = histogram_svg(counts, bounds, xlabel="perplexity", log=log, marks=shown)
    said = "; ".join(f"{name} up to {decimal(value)}" for name, value in marks.items())
    return Figure(drawn, said[:1].upper() + said[1:] + "." if said else "No cuts.", small=True)


def perplexity_table(row: Mapping[str, Any]) -> Table:
    """The same as numbers, without what is empty at both ends."""
    counts, bounds = _without_empty_ends(row)
    rows = [
        (decimal(low), decimal(high), number(count))
        for low, high, count in zip(bounds, bounds[1:], counts, strict=False)
    ]
    return Table(("from", "to", "documents"), rows, words=())


def _without_empty_ends(row: Mapping[str, Any]) -> tuple[list[int], list[float]]:
    """Counts and bounds from one before the first document (or cut) to one after the last."""
    counts, bounds = row["counts"], row["bounds"]
    cuts = [row[name] for name in ("head", "middle") if row[name] is not None]
    used = [
        place
        for place, count in enumerate(counts)
        if count or any(bounds[place] <= cut <= bounds[place + 1] for cut in cuts)
    ]
    first, last = max(0, min(used, default=0) - 1), min(len(counts), max(used, default=len(counts)) + 2)
    return counts[first:last], bounds[first : last + 1]
