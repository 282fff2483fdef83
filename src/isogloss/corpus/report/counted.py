"""The statistics of a corpus with what follows from them: sums, drops in the order of the steps, numbers as text."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from isogloss.corpus.report.reasons import ORDER, Reason, explain
from isogloss.corpus.tally import UNKNOWN_LANGUAGE
from isogloss.languages import is_known, language

__all__ = ["NOTHING", "Counted", "Drop", "Unit", "decimal", "gib", "language_name", "number", "percent", "size"]

# Where a number would say nothing.
NOTHING = "–"
UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB")
Unit = Literal["documents", "lines"]


@dataclass(frozen=True)
class Drop:
    """``count`` is in the reason's own unit, ``lines`` are those that went with it."""

    reason: Reason
    count: int
    lines: int


class Counted:
    """A view of ``manifest.statistics``; tables of steps that were off are empty."""

    def __init__(self, statistics: Mapping[str, Any]) -> None:
        self.kept: Mapping[str, Mapping[str, int]] = statistics["languages"]
        self.read: Mapping[str, Mapping[str, int]] = statistics["read"]
        self.noted: Mapping[str, Mapping[str, int]] = statistics["noted"]
        self.files: list[Mapping[str, Any]] = statistics["files"]
        self.identification: Mapping[str, Mapping[str, Any]] = statistics.get("identification", {})
        self.perplexity: Mapping[str, Mapping[str, Any]] = statistics.get("perplexity", {})
        self.labelled: Mapping[str, int] | None = statistics.get("labelled")
        self.characters_read: Mapping[str, int] = statistics.get("characters_read", {})
        self._dropped: Mapping[str, Mapping[str, int]] = statistics["dropped"]
        self._dropped_lines: Mapping[str, Mapping[str, int]] = statistics["dropped_lines"]

    @property
    def codes(self) -> list[str]:
        """Every language that anything is said of, what was kept or not, sorted."""
        tables: tuple[Mapping[str, Any], ...] = (
            *(self.kept, self.read, self._dropped, self._dropped_lines, self.noted),
            *(self.identification, self.perplexity, self.characters_read),
        )
        return sorted({code for table in tables for code in table})

    def drops(self, codes: Iterable[str] | None = None) -> list[Drop]:
        """The drops of some languages (all if none are named), one for each reason, in the order of the steps."""
        counts: dict[str, int] = {}
        lines: dict[str, int] = {}
        for code in self.codes if codes is None else codes:
            for table, sums in ((self._dropped, counts), (self._dropped_lines, lines)):
                for name, value in table.get(code, {}).items():
                    sums[name] = sums.get(name, 0) + value
        drops = [Drop(explain(name), counts.get(name, 0), lines.get(name, 0)) for name in {**counts, **lines}]
        return sorted(drops, key=lambda drop: (ORDER[drop.reason.step], drop.reason.name))

    def sum(self, key: str) -> int:
        """documents, lines, characters, words or bytes of all languages."""
        return sum(row[key] for row in self.kept.values())

    def gone(self, unit: Unit, codes: Iterable[str] | None = None) -> int:
        """Documents or lines that were dropped for any reason."""
        if unit == "lines":
            return sum(drop.lines for drop in self.drops(codes))
        return sum(drop.count for drop in self.drops(codes) if drop.reason.unit == "documents")

    def met(self, unit: Unit, codes: Iterable[str] | None = None) -> int:
        """Kept and dropped together. For all languages that is what was read; a language may have been found later."""
        chosen = self.codes if codes is None else list(codes)
        return sum(self.kept[code][unit] for code in chosen if code in self.kept) + self.gone(unit, chosen)


def number(value: int) -> str:
    """A whole number with commas."""
    return f"{value:,}"


def decimal(value: float) -> str:
    """Four digits that say something, more before the point."""
    if value == 0:
        return "0"
    if abs(value) < 1e-6 or not math.isfinite(value):
        return f"{value:.2g}"
    return f"{value:,.{max(0, 3 - math.floor(math.log10(abs(value))))}f}"


def gib(num_bytes: float) -> str:
    """Bytes as GiB."""
    return decimal(num_bytes / 2**30)


def size(num_bytes: int) -> str:
    """Bytes with the largest unit of which there is one."""
    unit = min(len(UNITS) - 1, max(0, int(num_bytes).bit_length() - 1) // 10)
    return f"{decimal(num_bytes / 1024**unit) if unit else number(num_bytes)} {UNITS[unit]}"


def percent(part: float, whole: float, *, digits: int = 2) -> str:
    """The share of a whole; nothing where there is no such share."""
    return f"{100 * part / whole:.{digits}f} %" if 0 <= part <= whole and whole else NOTHING


def language_name(code: str) -> str:
    """The English name, where the table of languages has it."""
    if code == UNKNOWN_LANGUAGE:
        return "language unknown"
    return language(code).name if is_known(code) else NOTHING
