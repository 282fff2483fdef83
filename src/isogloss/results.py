"""Scores in the form of the paper's tables, beside the published ones, and whether they reproduce a published row.

    scores = [*read_results(Path("a/results.json")), *read_results(Path("b/results.json"))]
    to_markdown(results_blocks(scores))                       # or to_latex, or to_page
    compared = compare_with_published(scores, "XLM-R base", tolerance=1.0)
    compared[0].reproduced                                    # every language and the mean within a point

A line is a model under a setting, its seeds together: mean and standard deviation. A language's column has the same
place in every line, and the mean is over the languages of all lines, so that no line is averaged over easier ones.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from isogloss.errors import ConfigError
from isogloss.published import MEAN, PublishedRow, published_row, published_rows
from isogloss.report import Block, Heading, Table, Text
from isogloss.scores import Score

__all__ = [
    "Cell",
    "Comparison",
    "Line",
    "compare_with_published",
    "comparison_blocks",
    "lines_of",
    "results_blocks",
]

Key = tuple[str, str, str]
# What is no model that could be compared with a published one, and what the tables call it.
OURS = {"majority": "one answer for all"}


@dataclass(frozen=True)
class Cell:
    """The mean over the seeds of a model in one language, percent, and their standard deviation; None with one seed."""

    mean: float
    deviation: float | None

    @classmethod
    def of(cls, values: Sequence[float]) -> Cell:
        return cls(statistics.fmean(values), statistics.stdev(values) if len(values) > 1 else None)

    def __str__(self) -> str:
        return f"{self.mean:.1f}" if self.deviation is None else f"{self.mean:.1f} ± {self.deviation:.1f}"


@dataclass(frozen=True)
class Line:
    """One line of a table: who, under which setting and selection, over how many seeds, percent by language."""

    model: str
    setting: str
    selection: str
    num_seeds: int
    cells: Mapping[str, Cell]
    shown_setting: str = ""

    def mean(self, languages: Sequence[str]) -> Cell | None:
        """Over these languages; None where one of them is missing."""
        if not all(language in self.cells for language in languages):
            return None
        return Cell(statistics.fmean(self.cells[language].mean for language in languages), None)


@dataclass(frozen=True)
class Comparison:
    """What was found beside what was published; ``languages`` in the published order, the mean last."""

    row: PublishedRow
    found: Mapping[str, Cell]
    tolerance: float
    notes: tuple[str, ...]

    @property
    def differences(self) -> dict[str, float]:
        """Found less published, in points."""
        return {language: self.found[language].mean - self.row.values[language] for language in self.found}

    @property
    def reproduced(self) -> bool:
        """Whether every language and the mean lie within the tolerance of the published figures, on either side."""
        # What is printed is rounded to a tenth or a hundredth, which no checkpoint can be blamed for.
        return all(abs(difference) <= self.tolerance + 0.05 for difference in self.differences.values())


def lines_of(
    scores: Iterable[Score], names: Mapping[str, str] | None = None, *, origins: Mapping[str, str] | None = None
) -> dict[Key, list[Line]]:
    """Lines by (task, metric, split): one for each model, setting and selection, its seeds together.

    Scores without some types of entities have lines of their own, and so have models that are no encoders.

    ``names`` call a model by its fingerprint; models that nobody names are together if they differ by seed alone.
    Where two have one seed they are no seeds of one training: then those of one origin are together (``origins`` by
    fingerprint, such as the file of their scores), or each model stands alone, called by its fingerprint.
    """
    tables: dict[Key, dict[tuple[str, str, str], list[Score]]] = {}
    for score in scores:
        unnamed = f"ours, {score.architecture}" if score.architecture else ""
        name = (names or {}).get(_model(score), unnamed)
        lines = tables.setdefault((score.task, score.metric, score.split), {})
        lines.setdefault((name, score.shown_setting, score.selection), []).append(score)
    return {
        key: [line for (name, *_), of_line in lines.items() for line in _lines(name, of_line, origins or {})]
        for key, lines in tables.items()
    }


def _lines(name: str, scores: Sequence[Score], origins: Mapping[str, str]) -> list[Line]:
    """One line if no seed stands twice in a language; else one an origin, or of one with such seeds one a model."""
    if not _seed_twice(scores):
        return [_line(name, scores)]
    lines: list[Line] = []
    for origin, of_origin in _by(scores, lambda score: origins.get(_model(score), "")).items():
        together = {origin: of_origin}
        if not origin or _seed_twice(of_origin):
            together = _by(of_origin, lambda score: _model(score)[:8])
        lines += [_line(", ".join(word for word in (name, called) if word), own) for called, own in together.items()]
    return lines


def _seed_twice(scores: Sequence[Score]) -> bool:
    """Whether two models have a score in one language from one seed."""
    seeds = {(score.language, score.seed): _model(score) for score in scores}
    return any(seeds[score.language, score.seed] != _model(score) for score in scores)


def _by(scores: Sequence[Score], called: Callable[[Score], str]) -> dict[str, list[Score]]:
    found: dict[str, list[Score]] = {}
    for score in scores:
        found.setdefault(called(score), []).append(score)
    return found


def _model(score: Score) -> str:
    return score.fingerprints.get("model", "")


def _line(model: str, scores: Sequence[Score]) -> Line:
    by_language: dict[str, list[float]] = {}
    for score in scores:
        by_language.setdefault(score.language, []).append(score.value)
    cells = {language: Cell.of(values) for language, values in by_language.items()}
    first = scores[0]
    num_seeds = max(map(len, by_language.values()))
    return Line(model, first.setting, first.selection, num_seeds, cells, first.shown_setting)


def results_blocks(
    scores: Sequence[Score],
    *,
    names: Mapping[str, str] | None = None,
    origins: Mapping[str, str] | None = None,
    published: bool = True,
) -> list[Block]:
    """A table for each task, metric and split, published rows of the same task and metric first.

    ``names`` and ``origins`` of models are those of `lines_of`.
    """
    blocks: list[Block] = []
    for (task, metric, split), lines in lines_of(scores, names, origins=origins).items():
        rows = [row for row in published_rows(task=task, metric=metric) if row.split == split] if published else []
        blocks += [Heading(f"{task}, {metric}, {split}"), _table(lines, rows)]
        if lines and (seeds := max(line.num_seeds for line in lines)) > 1:
            blocks.append(Text(f"Ours: mean ± standard deviation over up to {seeds} seeds.", soft=True))
        if rows:
            sources = dict.fromkeys(f"{row.source} ({row.table})" for row in rows)
            blocks.append(Text(f"Published figures as printed: {'; '.join(sources)}.", soft=True))
            blocks += [Text(note, soft=True) for note in _notes(rows)]
    return blocks


def _notes(rows: Sequence[PublishedRow]) -> list[str]:
    told: dict[str, list[str]] = {}
    for row in rows:
        if row.note:
            told.setdefault(row.note, []).append(row.model)
    return [f"{', '.join(dict.fromkeys(models))}: {note}." for note, models in told.items()]


def _table(lines: Sequence[Line], rows: Sequence[PublishedRow]) -> Table:
    languages = list(dict.fromkeys(language for line in lines for language in line.cells))
    # In the order that readers know from the paper.
    printed = list(dict.fromkeys(language for row in rows for language in row.values if language != MEAN))
    columns = [*(code for code in printed if code in languages), *(code for code in languages if code not in printed)]
    shown = [row for row in rows if MEAN in row.values or set(row.values) & set(columns)]
    cells = [
        [row.model, row.setting, row.selection, *_published_cells(row, columns)]
        for row in shown
    ] + [
        [line.model or OURS.get(line.setting, "ours"), line.shown_setting, line.selection, *_cells(line, columns)]
        for line in lines
    ]  # fmt: skip
    return Table(("model", "setting", "selection", *columns, MEAN), cells, words=(0, 1, 2))


def _published_cells(row: PublishedRow, columns: Sequence[str]) -> list[str]:
    own = [row.values.get(code) for code in columns]
    # The printed mean is over the row's own languages: beside others it would say something else.
    same = set(row.values) - {MEAN} in (set(columns), set())
    return [_number(value) for value in (*own, row.values.get(MEAN) if same else None)]


def _cells(line: Line, columns: Sequence[str]) -> list[str]:
    mean = line.mean(columns)
    return [*(str(line.cells[code]) if code in line.cells else "–" for code in columns), str(mean) if mean else "–"]


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"


def comparison_blocks(comparisons: Sequence[Comparison]) -> list[Block]:
    """Each comparison as a table: published, found, and the difference in points, by language."""
    blocks: list[Block] = []
    for compared in comparisons:
        row = compared.row
        verdict = "reproduced" if compared.reproduced else "NOT reproduced"
        blocks.append(Heading(f"{row.model}, {row.task}, {row.metric}, {row.setting}: {verdict}"))
        cells = [
            (language, _number(row.values[language]), str(cell), f"{compared.differences[language]:+.1f}")
            for language, cell in compared.found.items()
        ]
        blocks.append(Table(("language", "published", "found", "difference"), cells))
        blocks.append(Text(f"{row.source}, {row.table}; tolerance {compared.tolerance:g} points.", soft=True))
        blocks += [Text(f"{note[0].upper()}{note[1:]}.", soft=True) for note in compared.notes]
    return blocks


def compare_with_published(scores: Sequence[Score], model: str, *, tolerance: float) -> list[Comparison]:
    """Each published row of ``model`` that the scores have a task, metric and setting of, beside what was found.

    Of several models each is compared. Raises ConfigError where no row belongs to any of the scores.
    """
    asked = [score for score in scores if score.setting and score.setting not in OURS]
    comparisons = []
    problem: ConfigError | None = None
    for (task, metric, split), lines in lines_of(asked).items():
        for line in lines:
            try:
                row = published_row(model, task=task, metric=metric, setting=line.setting)
            except ConfigError as error:
                problem = problem or error
                continue
            comparisons.append(_comparison(line, row, split, tolerance))
    if not comparisons:
        raise problem or ConfigError(f"no score says its setting, so no published row of '{model}' belongs to it")
    return comparisons


def _comparison(line: Line, row: PublishedRow, split: str, tolerance: float) -> Comparison:
    printed = [language for language in row.values if language != MEAN]
    both = [language for language in printed if language in line.cells]
    found = {language: line.cells[language] for language in both}
    whole = printed or list(line.cells)
    if MEAN in row.values and (mean := line.mean(whole)) is not None:
        found[MEAN] = mean
    notes = [row.note] if row.note else []
    if split != row.split:
        notes.append(f"the published figures are of {row.split} files, these of {split}")
    if row.selection and line.selection != row.selection:
        notes.append(f"published with selection = {row.selection}, found with {line.selection or 'none told'}")
    if line.model:
        notes.append(f"found by the model {line.model}")
    if line.shown_setting != line.setting:
        notes.append(f"found with setting = {line.shown_setting}")
    if missing := [language for language in printed if language not in line.cells]:
        notes.append(f"not scored: {', '.join(missing)}")
    if not found:
        raise ConfigError(
            f"none of the published languages ({', '.join(printed)}) is among those scored ({', '.join(line.cells)})"
        )
    return Comparison(row, found, tolerance, tuple(notes))
