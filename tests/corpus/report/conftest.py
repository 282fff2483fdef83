"""Statistics as a build with every step on would write them, with sums that hold, and samples to them."""

from __future__ import annotations

import json
import random
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from isogloss.corpus.reasons import STEPS
from isogloss.corpus.report.reasons import explain

REASONS = [reason for step in STEPS.values() for reason in (*step.documents, *step.lines)]


def _make_statistics(codes: list[str], *, seed: int = 1, reasons: list[str] | None = None) -> dict[str, Any]:
    """Every step on; the numbers are large and random, so that each is found again in a report."""
    draw = random.Random(seed)

    def many() -> int:
        return draw.randrange(10**5, 10**9)

    made: dict[str, Any] = {name: {} for name in ("languages", "read", "dropped", "dropped_lines", "noted")}
    made |= {name: {} for name in ("identification", "perplexity", "characters_read")}
    for code in codes:
        kept = {key: many() for key in ("documents", "lines", "characters", "bytes", "words")}
        chosen = [reason for reason in (REASONS if reasons is None else reasons) if draw.random() < 0.3]
        dropped = {reason: many() for reason in chosen}
        lines = {reason: n if explain(reason).unit == "lines" else many() for reason, n in dropped.items()}
        gone = sum(n for reason, n in dropped.items() if explain(reason).unit == "documents")
        made["languages"][code], made["dropped"][code], made["dropped_lines"][code] = kept, dropped, lines
        made["read"][code] = {"documents": kept["documents"] + gone, "lines": kept["lines"] + sum(lines.values())}
        made["noted"][code] = {"split-document": many(), "odd-note": many()}
        made["characters_read"][code] = kept["characters"] + many()
        agreed, differed = many(), many()
        made["identification"][code] = {
            **{"documents": agreed + differed, "agreed": agreed, "differed": differed},
            "confidence": [many() for _ in range(20)],
        }
        made["perplexity"][code] = {
            "bounds": [10.0 * 1.4**place for place in range(13)],
            "counts": [many() for _ in range(12)],
            **{"head": 55.5, "middle": 177.7},
            "buckets": {name: {"documents": many(), "bytes": many()} for name in ("head", "middle", "tail")},
        }
    files = [{"file": f"{code}.txt", "bytes": many(), "xxh3_128": "", "problem": ""} for code in codes]
    return {**made, "labelled": {"xnli": many(), "mlqa": many()}, "files": files}


@pytest.fixture
def statistics() -> dict[str, Any]:
    return _make_statistics(["ar", "sw", "yo", "zh-Hans"])


def _sample(language: str = "sw", kind: str = "kept", reason: str = "", **other: Any) -> dict[str, Any]:
    """One object of samples.jsonl."""
    base = {"language": language, "kind": kind, "reason": reason, "id": "sw.txt:1", "text": "Habari", "cut": False}
    return {**base, **other}


@pytest.fixture
def write_samples(tmp_path: Path) -> Callable[..., Path]:
    """Write objects, or lines as they are, to samples.jsonl; returns its folder."""

    def write(*lines: dict[str, Any] | str) -> Path:
        text = [line if isinstance(line, str) else json.dumps(line) for line in lines]
        (tmp_path / "samples.jsonl").write_text("".join(f"{line}\n" for line in text), encoding="utf-8")
        return tmp_path

    return write


def _parse_page(page: str) -> ElementTree.Element:
    """A page as XML; raises where it is not well-formed."""
    return ElementTree.fromstring(page.split("\n", 1)[1])


def _shown_text(page: str) -> str:
    """What a reader of a page sees, drawings aside."""
    return "\n".join(_parse_page(re.sub(r"<svg.*?</svg>|<style>.*?</style>", "", page, flags=re.DOTALL)).itertext())


@pytest.fixture(scope="session")
def make_statistics() -> Callable[..., Any]:
    return _make_statistics


@pytest.fixture(scope="session")
def sample() -> Callable[..., Any]:
    return _sample


@pytest.fixture(scope="session")
def parse_page() -> Callable[..., Any]:
    return _parse_page


@pytest.fixture(scope="session")
def shown_text() -> Callable[..., Any]:
    return _shown_text
