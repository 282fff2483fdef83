"""Plots draw what they are given, also where there is little to draw, and are the same each time."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isogloss.report.plots import bars_svg, curves_svg, dots_svg, histogram_svg

SVG = "{http://www.w3.org/2000/svg}"


def texts(svg: str) -> list[str]:
    return ["".join(element.itertext()).strip() for element in ElementTree.fromstring(svg).iter(f"{SVG}text")]


@settings(max_examples=20)
@given(st.lists(st.integers(0, 10**12), min_size=1, max_size=40), st.booleans())
def test_any_counts_can_be_drawn(counts: list[int], log: bool) -> None:
    bounds = [1.5**place for place in range(len(counts) + 1)]
    drawn = histogram_svg(counts, bounds, xlabel="perplexity", log=log, marks={"head": bounds[0], "middle": bounds[-1]})
    assert {"perplexity", "documents", "head", "middle"} <= set(texts(drawn))


def test_bars_rise_with_the_counts() -> None:
    drawn = histogram_svg([0, 1, 4], [0, 1, 2, 3], xlabel="confidence")
    (path,) = re.findall(r'<path d="([^"]+)" clip-path="[^"]+" style="fill: #1f5fa8', drawn)
    heights = [float(y) for _, y in re.findall(r"[ML] (\S+) (\S+)", path)]
    floor = max(heights)
    assert sorted({round((floor - height) / (floor - min(heights)), 3) for height in heights}) == [0, 0.25, 1]


def test_dots_leave_out_what_is_nothing_and_grow_with_the_number_of_categories() -> None:
    few = dots_svg({"ours": {"en": 2.0, "sw": 0.0}, "theirs": {"en": 300.8}}, ylabel="GiB")
    assert {"en", "sw", "ours", "theirs", "GiB"} <= set(texts(few))
    # A dot of each series in the plot and one in the legend.
    assert len(re.findall(r"<use [^>]*stroke: #(?:1f5fa8|d1762c)", few)) == 4
    many = dots_svg({"ours": {f"c{number}": 1.0 for number in range(120)}}, ylabel="GiB")
    width = [float(re.findall(r'width="([\d.]+)pt"', svg)[0]) for svg in (few, many)]
    assert width[0] < width[1] < 1000


@pytest.mark.parametrize(
    "draw",
    [
        lambda: bars_svg({"a": {"en": 1.0, "sw": 2.0}, "b": {"en": 2.0, "sw": 1.0}}, ylabel="y"),
        lambda: curves_svg({"a": [(0, 1), (1, 2)], "b": [(0, 2), (1, 1)]}, ylabel="y"),
        lambda: dots_svg({"a": {"en": 1.0}}, ylabel="y"),
        lambda: histogram_svg([1, 2], [0, 1, 2], xlabel="x", marks={"head": 1}),
    ],
    ids=["bars", "curves", "dots", "histogram"],
)
def test_the_same_plot_is_the_same_text_and_says_nothing_of_who_drew_it(draw) -> None:
    assert draw() == draw()
    assert draw().startswith("<svg")
    assert "matplotlib.org" not in draw()
    assert "<metadata" not in draw()
    assert "<!--" not in draw()
