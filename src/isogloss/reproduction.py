"""Whether scores reproduce a published row: by language, within a tolerance, and whether all of it was scored.

    compared = compare_with_published(scores, "XLM-R base", tolerance=1.0)
    compared[0].reproduced                        # every language and the mean within a point, and nothing left out
    to_markdown(comparison_blocks(compared))
    decisive(compared)                            # of several selections those that were published, if any

A row is reproduced by its own languages, all of them, on files of its split, with nothing left out. Where a part is
missing, the verdict is about that part and says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from isogloss.errors import ConfigError
from isogloss.published import EXCHANGED, MEAN, PublishedRow, published_row
from isogloss.report import Block, Heading, Table, Text
from isogloss.results import Cell, Line, lines_of
from isogloss.scores import Score

__all__ = ["Comparison", "compare_with_published", "comparison_blocks", "decisive"]

# A setting that is no model's.
MAJORITY = "majority"
# What is printed is rounded, which no checkpoint can be blamed for: half of the last digit, of a tenth.
ROUNDING = 0.05


@dataclass(frozen=True)
class Comparison:
    """What was found beside what was published, languages in the published order, the mean last.

    `gaps` say why it is not the whole row that was compared, `notes` what else differs.
    """

    row: PublishedRow
    found: Mapping[str, Cell]
    tolerance: float
    gaps: tuple[str, ...]
    notes: tuple[str, ...]
    selection: str
    same_selection: bool

    @property
    def differences(self) -> dict[str, float]:
        """Found less published, in points."""
        return {language: self.found[language].mean - self.row.values[language] for language in self.found}

    @property
    def is_within(self) -> bool:
        """Whether what was found lies within the tolerance of the published figures, on either side."""
        return bool(self.found) and all(
            abs(difference) <= self.tolerance + ROUNDING for difference in self.differences.values()
        )

    @property
    def reproduced(self) -> bool:
        """Whether that is so of every language and the mean, with nothing left out."""
        return self.is_within and not self.gaps

    @property
    def verdict(self) -> str:
        """In words."""
        if self.reproduced:
            return "reproduced"
        if not self.found:
            return "NOT compared"
        return "within the tolerance, but NOT the whole row" if self.is_within else "NOT reproduced"


def compare_with_published(scores: Sequence[Score], model: str, *, tolerance: float) -> list[Comparison]:
    """Each published row of `model` that the scores have a task, metric and setting of, beside what was found.

    Of several models each is compared. Raises ConfigError where no row belongs to any of the scores.
    """
    asked = [score for score in scores if score.setting not in ("", MAJORITY)]
    comparisons = []
    problem: ConfigError | None = None
    for (task, metric, split), lines in lines_of(asked).items():
        for line in lines:
            try:
                row = published_row(model, task=task, metric=metric, setting=line.setting, selection=_selection(line))
            except ConfigError as error:
                problem = problem or error
                continue
            comparisons.append(_comparison(line, row, split, tolerance))
    if not comparisons:
        raise problem or ConfigError(f"no score says its setting, so no published row of '{model}' belongs to it")
    return comparisons


def decisive(comparisons: Sequence[Comparison]) -> list[Comparison]:
    """Those of the selection that was published, where there are any; else all."""
    return [compared for compared in comparisons if compared.same_selection] or list(comparisons)


def _selection(line: Line) -> str:
    """What a table calls it: a model a language, each chosen by its own dev file, is per-language-dev."""
    return "per-language-dev" if line.num_models > 1 and line.selection == "source-dev" else line.selection


def _comparison(line: Line, row: PublishedRow, split: str, tolerance: float) -> Comparison:
    printed = [language for language in row.values if language != MEAN]
    found = {language: line.cells[language] for language in printed if language in line.cells}
    mean = line.mean(sorted(row.languages)) if MEAN in row.values and row.languages else None
    # The cells of such a row say one thing, its mean another.
    if mean is not None and EXCHANGED not in row.note:
        found[MEAN] = mean
    same = not row.selection or _selection(line) == row.selection or row.languages == {"en"}
    return Comparison(
        row, found, tolerance, tuple(_gaps(line, row, split)), tuple(_notes(line, row, same)), line.selection, same
    )


def _gaps(line: Line, row: PublishedRow, split: str) -> Iterator[str]:
    if not row.is_of(split):
        yield f"the published figures are of {row.split} files, these of {split}; set split={row.split}"
    if missing := sorted(row.languages - set(line.cells)):
        yield f"not scored: {', '.join(missing)}"
    if not row.languages:
        yield "which languages the published mean is over is not known"
    if line.shown_setting != line.setting:
        yield f"found with setting = {line.shown_setting}"
    if line.model.startswith("ours, "):
        yield f"found by {line.model.removeprefix('ours, ')}"


def _notes(line: Line, row: PublishedRow, same_selection: bool) -> Iterator[str]:
    if row.note:
        yield row.note
    if not same_selection:
        yield f"published with selection = {row.selection}, found with {line.selection or 'none told'}"
    if line.model and not line.model.startswith("ours, "):
        yield f"found by the model {line.model}"
    if len(line.origins) > 1:
        yield f"seeds of {len(line.origins)} files together: {', '.join(line.origins)}"


def comparison_blocks(comparisons: Sequence[Comparison]) -> list[Block]:
    """Each comparison as a table: published, found, and the difference in points, by language."""
    blocks: list[Block] = []
    for compared in comparisons:
        row, decimals = compared.row, compared.row.decimals
        blocks.append(Heading(f"{row.model}, {row.task}, {row.metric}, {row.setting}: {compared.verdict}"))
        cells = [
            (
                language,
                f"{row.values[language]:.{decimals}f}",
                cell.shown(decimals),
                f"{_unsigned_zero(compared.differences[language], decimals):+.{decimals}f}",
            )
            for language, cell in compared.found.items()
        ]
        if cells:
            blocks.append(Table(("language", "published", "found", "difference"), cells))
        blocks.append(Text(f"{row.source}, {row.table}; tolerance {compared.tolerance:g} points.", soft=True))
        blocks += [Text(f"{said[0].upper()}{said[1:]}.", soft=True) for said in (*compared.gaps, *compared.notes)]
    return blocks


def _unsigned_zero(value: float, decimals: int) -> float:
    """Rounded as it will be shown, and never minus zero."""
    return round(value, decimals) + 0.0
