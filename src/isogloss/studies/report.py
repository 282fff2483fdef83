"""The report of a study: each outcome by axis with its spread, the paper's figures beside it, and how to redo it.

    write_reports(study, results, command="isogloss study …")      # report.html, report.md and figures/1.svg

What is said once becomes both: the page holds its plots, Markdown links to them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import fmean

from isogloss.report import Block, Code, Figure, Fold, Heading, Table, Text, drawings_of, to_markdown, to_page
from isogloss.report.plots import spread_svg
from isogloss.runs import installed_versions
from isogloss.studies.axes import own_places, paper_places, spoken
from isogloss.studies.fits import fit_blocks, fitted_curves
from isogloss.studies.outcomes import (
    Outcome,
    Point,
    Result,
    group_languages,
    majority_of,
    outcomes_of,
    point_labels,
    points_of,
)
from isogloss.studies.recipe import PHRASEBOOK, StudySettings
from isogloss.studies.texts import Source, find_source

__all__ = ["write_reports"]

# Where the command of one cell makes it, beside this study's folder, whose report is of all cells.
AGAIN = "one-cell-again"
ZERO_SHOT = "zero-shot"

HOW_TO_READ = (
    "Bits a character of held-out text: the loss of masked pieces of documents that were not learned from, in bits, "
    "times pieces a character. Less is better. It is no code length, as each piece is guessed with both sides in view, "
    "but it can be compared between vocabularies, since a character stays one however the text is cut.",
    "Scores are percent, of models that were fine-tuned on English labels and asked in other languages (zero-shot), "
    "where the line below a table names no other setting; retrieval is the share of sentences whose nearest neighbour "
    "in English is their translation, by the mean of the last layer's states, without any training. More is better.",
    "± is the standard deviation over seeds: of weights, order of text, masks and fine-tuning. Held-out text and its "
    "masks are the same for all seeds: what other held-out text would say is not in it.",
    "At the smaller budgets the paper's models are far larger and saw far more text: what can be compared then is the "
    "direction of a curve and where it turns, not its height.",
)


def write_reports(study: StudySettings, results: Sequence[Result], *, command: str) -> Path:
    """Write both reports into the study's folder, and the drawings that Markdown links to; returns the page."""
    blocks = list(_blocks(study, results, command))
    drawings = study.output / "figures"
    drawings.mkdir(exist_ok=True)
    for number, svg in enumerate(drawings_of(blocks), 1):
        # By itself it may stand on a dark page.
        on_white = svg.replace("<svg ", '<svg style="background: #fff" ', 1)
        (drawings / f"{number}.svg").write_text(on_white, encoding="utf-8")
    (study.output / "report.md").write_text(to_markdown(blocks, drawings=drawings.name), encoding="utf-8")
    page = study.output / "report.html"
    page.write_text(to_page(study.title, blocks), encoding="utf-8")
    return page


def _blocks(study: StudySettings, results: Sequence[Result], command: str) -> Iterator[Block]:
    yield Heading(study.title, level=1)
    yield Text(study.question)
    if study.caption:
        yield Text(study.caption)
    if left_out := [name for name in study.task_names if not any(name in one.cell.settings.tasks for one in results)]:
        yield Text(f"Left out, as the phrasebook has no such labels: {', '.join(left_out)}.", soft=True)
    yield Text(_lead(study, results))
    yield from _holes(results)
    for outcome in outcomes_of(study, results):
        yield from _outcome(study, results, outcome)
    if study.paper:
        yield Heading("The paper")
        yield from _paper(study)
    yield from fit_blocks(study, results)
    yield Heading("How to read this")
    yield from (Text(text) for text in HOW_TO_READ)
    yield Heading("How to redo it")
    yield from _commands(study, results, command)


def _lead(study: StudySettings, results: Sequence[Result]) -> str:
    num_done = sum(result.is_done for result in results)
    tokens, seconds = sum(result.tokens for result in results), sum(result.seconds for result in results)
    seeds = "1 seed" if len(study.seeds) == 1 else f"{len(study.seeds)} seeds"
    budget = f"Budget {study.budget}: " if study.budget else ""
    sources = dict.fromkeys(result.cell.settings.text.source for result in results)
    texts = dict.fromkeys(_called(find_source(study, name)) for name in sources)
    labels = "the phrasebook" if study.data == PHRASEBOOK else Path(study.data).name
    return (
        f"{budget}{num_done} of {len(results)} cells are done ({seeds} of each combination); {tokens:,} tokens of "
        f"pretraining, {seconds / 60:,.1f} minutes of all cells together. Text: {', '.join(texts)}; labels: {labels}."
    )


def _called(source: Source) -> str:
    return "the phrasebook" if source.kind == PHRASEBOOK else source.path.name


def _holes(results: Sequence[Result]) -> Iterator[Block]:
    failed = [result for result in results if result.error]
    if failed:
        yield Heading("Cells that failed")
        yield Table(("cell", "error"), [(result.cell.name, result.error) for result in failed], words=(0, 1))
        yield Text("Their places below are empty; the same command tries them again.", soft=True)


def _outcome(study: StudySettings, results: Sequence[Result], outcome: Outcome) -> Iterator[Block]:
    yield Heading(f"{outcome.title[0].upper()}{outcome.title[1:]}")
    groups = [group for group in study.groups if group_languages(study, results, outcome.name, group)]
    found = {group: points_of(study, results, outcome.name, group) for group in groups}
    if not any(found.values()):
        yield Text("No cell has come to this yet, or no language of a group has a value in all of them.")
        return
    yield _table(study, results, outcome, found)
    yield Text(_of_which(study, results, outcome, groups), soft=True)
    if len(study.axes) == 1:
        yield _figure(study, outcome, found, outcome.title)
    else:
        yield from (
            _figure(study, outcome, _by_series(study, points), f"{outcome.title}; {group}")
            for group, points in found.items()
        )
    yield from _paper_figures(study)
    yield Fold(f"Every language: {outcome.title}", [_by_language(study, results, outcome)])


def _table(study: StudySettings, results: Sequence[Result], outcome: Outcome, found: dict[str, list[Point]]) -> Table:
    rows: dict[tuple[str, ...], dict[str, str]] = {}
    for result in results:  # a row for every point, also one that nobody has finished
        rows.setdefault(point_labels(study, result), {})
    for group, points in found.items():
        for point in points:
            rows[point.labels][group] = _spread(point, digits=3 if outcome.is_loss else 1)
    cells = [[*labels, *(row.get(group, "–") for group in found)] for labels, row in rows.items()]
    if not outcome.is_loss:
        constant = [
            majority_of(results, outcome, group_languages(study, results, outcome.name, group)) for group in found
        ]
        if any(value is not None for value in constant):
            shown = ["–" if value is None else f"{value:.1f}" for value in constant]
            cells.append(["one answer for all", *[""] * (len(study.axes) - 1), *shown])
    return Table((*study.axes, *found), cells, words=tuple(range(len(study.axes))))


def _spread(point: Point, *, digits: int) -> str:
    mean = f"{point.mean:.{digits}f}"
    return mean if point.deviation is None else f"{mean} ± {point.deviation:.{digits}f} ({len(point.values)})"


def _of_which(study: StudySettings, results: Sequence[Result], outcome: Outcome, groups: Sequence[str]) -> str:
    means = (f"{group}: {', '.join(group_languages(study, results, outcome.name, group))}" for group in groups)
    languages = "; ".join(means)
    labels = _labels(study, results, outcome)
    return (
        f"{outcome.unit}; means over languages that all points have ({languages}); in brackets the number of seeds."
        f"{labels}"
    )


def _labels(study: StudySettings, results: Sequence[Result], outcome: Outcome) -> str:
    """Whose labels were learned from, where it is not English alone."""
    settings: dict[str, dict[str, None]] = {}
    for result in results:
        task = result.cell.settings.tasks.get(outcome.name)
        if task is not None:
            setting = "each" if task.each else task.finetune.get("setting", ZERO_SHOT)
            settings.setdefault(setting, {})[", ".join(point_labels(study, result))] = None
    if {*settings} <= {ZERO_SHOT}:
        return ""
    if len(settings) == 1:
        return f" Setting: {next(iter(settings))}."
    said = (f"{setting} ({', '.join(points)})" for setting, points in settings.items())
    return f" Setting: {'; '.join(said)}."


def _by_series(study: StudySettings, points: Sequence[Point]) -> dict[str, list[Point]]:
    """Of several axes the first lies, and each combination of the others is a line."""
    series: dict[str, list[Point]] = {}
    for point in points:
        series.setdefault(spoken(list(study.axes)[1:], point.labels[1:]), []).append(point)
    return series


def _figure(study: StudySettings, outcome: Outcome, found: dict[str, list[Point]], caption: str) -> Figure:
    axis = next(iter(study.axes))
    settings = study.axes[axis]
    labels = dict.fromkeys(point.labels[0] for points in found.values() for point in points)
    places = own_places(settings, list(labels))
    series = {name: [(places.of[point.labels[0]], point.values) for point in points] for name, points in found.items()}
    drawn = spread_svg(
        series,
        ticks=places.ticks,
        xlabel=settings.label or axis,
        ylabel=outcome.unit,
        log=places.log,
        joined=places.ordered,
        curves=fitted_curves(study, outcome.name, axis, found) if len(study.axes) == 1 else {},
        small=True,
    )
    return Figure(drawn, f"Ours: {caption}. Means and deviations over seeds; small dots are single seeds.", small=True)


def _by_language(study: StudySettings, results: Sequence[Result], outcome: Outcome) -> Table:
    """A row a language, a column a point, whose values are means over seeds."""
    values: dict[str, dict[str, list[float]]] = {}
    points: dict[str, None] = {}
    for result in results:
        labels = [label for _, label in result.cell.labels]
        point = spoken(list(study.axes), labels) if len(labels) > 1 else labels[0]
        points[point] = None
        for code, value in result.values.get(outcome.name, {}).items():
            values.setdefault(code, {}).setdefault(point, []).append(value)
    digits = 3 if outcome.is_loss else 1
    rows = [
        [code, *(f"{fmean(found[point]):.{digits}f}" if point in found else "–" for point in points)]
        for code, found in sorted(values.items())
    ]
    return Table(("language", *points), rows)


def _paper(study: StudySettings) -> Iterator[Block]:
    """The paper's figures as a table; they are drawn beside ours."""
    rows = [
        (curve.source, curve.label, ", ".join(f"{name}: {value:g}" for name, value in curve.points.items()), curve.note)
        for curve in study.paper
    ]
    yield Table(("source", "line", "points", "note"), rows, words=(0, 1, 2, 3))


def _paper_figures(study: StudySettings) -> Iterator[Figure]:
    """A plot for each source, on an axis of its own: what it measures is seldom what we do."""
    for source in dict.fromkeys(curve.source for curve in study.paper):
        curves = [curve for curve in study.paper if curve.source == source]
        settings = study.axes[curves[0].axis]
        places = paper_places(settings, list(dict.fromkeys(name for curve in curves for name in curve.points)))
        series = {curve.label: [(places.of[name], [value]) for name, value in curve.points.items()] for curve in curves}
        drawn = spread_svg(
            series,
            ticks=places.ticks,
            xlabel=settings.label or curves[0].axis,
            ylabel="as printed",
            log=places.log,
            joined=places.ordered,
            small=True,
        )
        yield Figure(drawn, f"{source}.", small=True)


def _commands(study: StudySettings, results: Sequence[Result], command: str) -> Iterator[Block]:
    yield Table(
        ("what", "command"), [(what, Code(line)) for what, line in _redo(study, results, command)], words=(0, 1)
    )
    yield Text(
        "The study's command goes on where it was stopped, and leaves what is done; to make a cell again, delete its "
        "folder. A cell's command makes it once more by itself, in a folder of its own. All its settings are in "
        "config.json of its run folder.",
        soft=True,
    )
    versions = ", ".join(f"{name} {version}" for name, version in installed_versions().items())
    yield Text(f"Versions: {versions}.", soft=True)


def _redo(study: StudySettings, results: Sequence[Result], command: str) -> Iterator[tuple[str, str]]:
    yield "the study", command
    for result in results:
        values = " ".join(f"only.{axis}='{json.dumps([label])}'" for axis, label in result.cell.labels)
        yield result.cell.name, f"{command} {values} seeds='[{result.cell.seed}]' output={AGAIN}"
