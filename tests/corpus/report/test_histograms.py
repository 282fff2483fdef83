"""Histograms show every document, whatever the bounds are."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isogloss.corpus.report.histograms import (
    confidence_text,
    median_confidence,
    perplexity_figure,
    perplexity_table,
)


@st.composite
def rows(draw: st.DrawFn) -> dict[str, Any]:
    counts = draw(st.lists(st.integers(0, 5), min_size=1, max_size=30))
    first, growth = draw(st.sampled_from([0.0, 1.0, 10.0])), draw(st.sampled_from([1.05, 2.0]))
    bounds = [first, *(max(1.0, first) * growth**place for place in range(1, len(counts) + 1))]
    cut = st.none() | st.floats(0, 2 * bounds[-1])
    return {"counts": counts, "bounds": bounds, "head": draw(cut), "middle": draw(cut)}


@settings(max_examples=40)
@given(rows())
def test_no_document_is_left_out(row: dict[str, Any]) -> None:
    shown = perplexity_table(row).rows
    assert sum(int(str(count)) for _, _, count in shown) == sum(row["counts"])
    assert 0 < len(shown) <= len(row["counts"])
    empty = sum(count == "0" for _, _, count in (shown[0], shown[-1]))
    used = [place for place, count in enumerate(row["counts"]) if count]
    if used and row["head"] is row["middle"] is None:
        assert len(shown) == min(len(row["counts"]), used[-1] + 2) - max(0, used[0] - 1)
    assert empty <= 2
    assert perplexity_figure(row).svg.startswith("<svg")


def test_the_caption_says_the_cuts() -> None:
    row = {"counts": [1, 2], "bounds": [1.0, 10.0, 100.0], "head": 12.5, "middle": 80.25}
    assert perplexity_figure(row).caption == "Head up to 12.50; middle up to 80.25."
    assert perplexity_figure(row | {"head": None, "middle": None}).caption == "No cuts."


@given(st.lists(st.integers(0, 9), min_size=20, max_size=20))
def test_the_middle_document_lies_in_the_step_that_is_named(counts: list[int]) -> None:
    confidences = [place / 20 for place, count in enumerate(counts) for _ in range(count)]
    if confidences:
        middle = confidences[(len(confidences) - 1) // 2]
        assert median_confidence(counts) == f"{middle:.2f}–{middle + 0.05:.2f}"
    else:
        assert median_confidence(counts) == "–"


@pytest.mark.parametrize(("num_steps", "step"), [(20, "0.05"), (10, "0.1")])
def test_the_text_says_every_count(num_steps: int, step: str) -> None:
    said = confidence_text(list(range(1000, 1000 + num_steps)))
    assert f"in steps of {step}: 1,000, 1,001," in said
    assert said.endswith(f"{999 + num_steps:,}.")
