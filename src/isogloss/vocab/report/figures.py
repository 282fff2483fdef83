"""The plots of the report: by language, by script, and how few pieces make up most of the text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from isogloss.report import Figure
from isogloss.report.plots import bars_svg, curves_svg, dots_svg

__all__ = ["by_script", "cumulative", "fertility", "premium"]

# Scripts of fewer pieces are drawn together.
SCRIPTS_DRAWN = 14
OTHERS = "others"


def fertility(vocabularies: Mapping[str, Mapping[str, Any]]) -> Figure:
    """A dot a language and vocabulary, the languages in the order of the first one's figures."""
    first = next(iter(vocabularies.values()))["languages"]
    order = sorted(first, key=lambda code: (first[code]["pieces_per_character"], code))
    series = {
        name: {code: values["languages"][code]["pieces_per_character"] for code in order}
        for name, values in vocabularies.items()
    }
    drawn = dots_svg(series, ylabel="pieces per character", log=False)
    return Figure(drawn, "Pieces per character, white space not counted; fewer is better.")


def premium(parallel: Mapping[str, Any]) -> Figure:
    """The same text in every language, as a multiple of the pieces it takes in one of them."""
    first = next(iter(parallel["vocabularies"].values()))
    order = sorted(first, key=lambda code: (first[code]["premium"], code))
    series = {
        name: {code: counted[code]["premium"] for code in order} for name, counted in parallel["vocabularies"].items()
    }
    drawn = dots_svg(series, ylabel=f"pieces, {parallel['reference']} = 1", log=False)
    return Figure(drawn, "The pieces that the same text takes in each language.")


def by_script(vocabularies: Mapping[str, Mapping[str, Any]]) -> Figure:
    """Shares of the pieces, in percent."""
    sums: dict[str, int] = {}
    for values in vocabularies.values():
        for script, row in values["scripts"].items():
            sums[script] = sums.get(script, 0) + row["pieces"]
    order = sorted(sums, key=lambda script: (-sums[script], script))
    drawn, rest = order[:SCRIPTS_DRAWN], order[SCRIPTS_DRAWN:]
    series = {}
    for name, values in vocabularies.items():
        shares = {script: 100 * row["pieces"] / max(values["pieces"], 1) for script, row in values["scripts"].items()}
        series[name] = {script: shares.get(script, 0.0) for script in drawn}
        if rest:
            series[name][OTHERS] = sum(shares.get(script, 0.0) for script in rest)
    return Figure(
        bars_svg(series, ylabel="% of the pieces"),
        "Pieces by the script of most of their letters (ISO 15924; Zyyy: without letters).",
    )


def cumulative(vocabularies: Mapping[str, Mapping[str, Any]]) -> Figure:
    """How much of the text the most frequent pieces make up."""
    series = {
        name: [(number, 100 * share) for number, share in values["use"]["curve"]]
        for name, values in vocabularies.items()
    }
    drawn = curves_svg(series, ylabel="% of the text's pieces", xlabel="most frequent pieces", log=True)
    return Figure(drawn, "How much of the text so many of the most frequent pieces make up, all languages alike.")
