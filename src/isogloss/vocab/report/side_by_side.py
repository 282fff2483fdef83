"""Several vocabularies on the same text: a row each, then each figure by language, and how many pieces they share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from types import ModuleType
from typing import Any

from isogloss.corpus.report.counted import NOTHING, language_name, number, percent
from isogloss.report import Block, Cell, Heading, Table, Text

__all__ = ["side_by_side"]

Values = Mapping[str, Any]
# Share of a language's characters that the best at it may leave unknown, beyond what the one that knows most does.
UNKNOWN_ALLOWED = 0.01


@dataclass(frozen=True)
class _Compared:
    """A figure of each language: the title of its table, its key, whether less is better, how it is written."""

    title: str
    key: str
    fewer: bool
    digits: int
    is_share: bool = False

    def written(self, value: float | None) -> str:
        if value is None:
            return NOTHING
        return percent(value, 1, digits=self.digits) if self.is_share else f"{value:.{self.digits}f}"


COMPARED = (
    _Compared("Pieces per character", "pieces_per_character", True, 3),
    _Compared("Pieces per word", "pieces_per_word", True, 2),
    _Compared("Unknown characters", "unknown_character_rate", True, 3, is_share=True),
    _Compared("Words whole", "whole_word_rate", False, 1, is_share=True),
    _Compared("Bits per character", "bits_per_character", True, 3),
)


def side_by_side(values: Values, *, draw: ModuleType | None) -> Iterator[Block]:
    """The sections that compare; ``draw`` makes the plots."""
    vocabularies, codes = values["vocabularies"], values["languages"]
    yield Heading("Side by side")
    yield from _summary(vocabularies, codes)
    yield Text(
        "Means are over the languages, each counted the same; those per word are over languages that divide words by "
        "spaces. Best in: how many languages take the fewest pieces, ties counted for each. Unknown text takes few "
        f"pieces: who knows over {UNKNOWN_ALLOWED:.0%} less of a language's characters than another is not called the "
        "best at it. Differences below are from the first vocabulary.",
        soft=True,
    )
    if draw:
        yield draw.fertility(vocabularies)
        yield draw.cumulative(vocabularies)
        yield draw.by_script(vocabularies)
    yield Heading("Pieces in common")
    rows = [
        (pair["first"], pair["second"], number(pair["shared"]), percent(pair["jaccard"], 1))
        for pair in values["overlap"]
    ]
    yield Table(("vocabulary", "and", "pieces in both", "of those in either (Jaccard)"), rows, words=(0, 1))
    if values["parallel"]:
        yield from _premiums(values["parallel"], draw=draw)
    for compared in COMPARED:
        yield from _by_language(vocabularies, codes, compared)


def _summary(vocabularies: Values, codes: Sequence[str]) -> Iterator[Block]:
    best = _best(vocabularies, codes, COMPARED[0])
    rows: list[Sequence[Cell]] = []
    wholes: list[Sequence[Cell]] = []
    for name, one in vocabularies.items():
        languages = one["languages"]
        worst = max(codes, key=lambda code: languages[code]["pieces_per_character"])
        means = []
        for compared in COMPARED:
            known = [languages[code][compared.key] for code in codes if languages[code][compared.key] is not None]
            means.append(compared.written(fmean(known)) if known else NOTHING)
        unused = percent(one["use"]["by_none"], one["pieces"])
        won = sum(name in names for names in best.values())
        rows.append((name, *means, number(won), worst))
        wholes.append((name, number(one["size"]), number(one["word_starts"]), f"{one['mean_length']:.2f}", unused))
    head = ("vocabulary", "ids", "begin a word", "mean piece length", "pieces not used here")
    yield Table(head, wholes)
    titles = [compared.title.lower() for compared in COMPARED]
    yield Table(("vocabulary", *titles, "best in", "worst language"), rows, words=(0, len(titles) + 2))


def _best(vocabularies: Values, codes: Sequence[str], compared: _Compared) -> dict[str, list[str]]:
    """For each language, the names of the best; none where nothing is known of any.

    Text that is unknown takes few pieces: who knows much less of a language than another is not the best at it.
    """
    found: dict[str, list[str]] = {}
    for code in codes:
        values = {name: one["languages"][code][compared.key] for name, one in vocabularies.items()}
        unknown = {name: one["languages"][code]["unknown_character_rate"] for name, one in vocabularies.items()}
        most = min(unknown.values()) + UNKNOWN_ALLOWED
        known = {name: value for name, value in values.items() if value is not None and unknown[name] <= most}
        if known:
            best = min(known.values()) if compared.fewer else max(known.values())
            found[code] = [name for name, value in known.items() if value == best]
    return found


def _by_language(vocabularies: Values, codes: Sequence[str], compared: _Compared) -> Iterator[Block]:
    best = _best(vocabularies, codes, compared)
    if not best:
        return
    first = next(iter(vocabularies))
    rows: list[Sequence[Cell]] = []
    for code in best:
        values = {name: one["languages"][code][compared.key] for name, one in vocabularies.items()}
        cells: list[str] = []
        for name, value in values.items():
            cells.append(compared.written(value))
            if name != first:
                cells.append(_difference(value, values[first], is_share=compared.is_share))
        said = "all alike" if len(best[code]) == len(vocabularies) else ", ".join(best[code])
        rows.append((code, language_name(code), *cells, said))
    titles = [title for name in vocabularies for title in ((name,) if name == first else (name, "difference"))]
    yield Heading(compared.title, level=3)
    yield Table(("code", "language", *titles, "best"), rows, words=(0, 1, len(titles) + 2))


def _difference(value: float | None, first: float | None, *, is_share: bool) -> str:
    """In percent of the first one's, or in points of a share."""
    if value is None or first is None:
        return NOTHING
    if is_share:
        return f"{100 * (value - first):+.2f} points"
    return f"{100 * (value / first - 1):+.1f} %" if first else NOTHING


def _premiums(parallel: Values, *, draw: ModuleType | None) -> Iterator[Block]:
    yield Heading("The same text in every language")
    if draw:
        yield draw.premium(parallel)
    counted = parallel["vocabularies"]
    first = next(iter(counted.values()))
    rows = [
        (code, language_name(code), *(f"{one[code]['premium']:.2f}" for one in counted.values()))
        for code in sorted(first, key=lambda code: (first[code]["premium"], code))
    ]
    yield Table(("code", "language", *counted), rows, words=(0, 1))
    yield Text(
        f"Pieces as multiples of those of {parallel['reference']}, in {number(parallel['lines'])} lines that are "
        "translations of each other.",
        soft=True,
    )
