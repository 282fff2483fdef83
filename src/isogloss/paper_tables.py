"""Scores as the paper's tables, published rows beside ours: by setting, with its columns D, #M and #lg.

    scores = read_results(Path("results.json"))
    to_markdown(paper_tables(scores))                             # or to_latex, or to_page

A line is a model under a setting, its seeds together: mean and standard deviation. Languages are columns, in the
paper's order (tables 1, 2 and 5); answers to questions have F1 / exact match in a cell (table 3); GLUE's tasks are the
columns of one table (table 4), its mean over six of them with MNLI's matched part alone, as the paper's is. A mean is
over the languages of all lines, so that no line is averaged over easier ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from isogloss.published import DECIMALS, MEAN, PublishedRow, published_rows
from isogloss.report import Block, Heading, Section, Table, Text
from isogloss.results import Cell, Key, Line, lines_of, mean_of
from isogloss.scores import Score

__all__ = ["paper_tables"]

# A metric of a task in a language.
Figure = tuple[str, str, str]
# A task and one of its metrics.
Metric = tuple[str, str]
Lines = Mapping[Metric, Sequence[Line]]
Rows = Mapping[Metric, Sequence[PublishedRow]]
# What lines of several tasks and metrics have in common where they are one model, or one way of making them.
Who = tuple[str, str, str]

GLUE = "GLUE"
ENGLISH = "en"
# Columns of GLUE's table, by task and metric; those of the mean first, then what the paper does not report.
GLUE_COLUMNS: Mapping[str, tuple[Metric, ...]] = {
    "MNLI-m/mm": (("mnli", "accuracy"), ("mnli-mm", "accuracy")),
    "QNLI": (("qnli", "accuracy"),),
    "QQP": (("qqp", "accuracy"),),
    "SST-2": (("sst-2", "accuracy"),),
    "MRPC": (("mrpc", "accuracy"),),
    "STS-B": (("sts-b", "pearson"),),
    "CoLA": (("cola", "matthews"),),
    "RTE": (("rte", "accuracy"),),
}
NUM_IN_MEAN = 6
IN_GLUE = [figure for figures in GLUE_COLUMNS.values() for figure in figures]
# Metrics that share a cell.
TOGETHER = ("f1", "exact_match")

# The sections of a table, in their order.
SECTIONS: Mapping[str, str] = {
    "zero-shot": "Zero-shot: fine-tuned on the labels of one language (cross-lingual transfer)",
    "translate-test": "Translate-test: tests translated into the language of fine-tuning",
    "each": "Each: a model a language, fine-tuned on its own labels",
    "translate-train": "Translate-train: a model a language, fine-tuned on labels translated into it",
    "translate-train-all": "Translate-train-all: one model, fine-tuned on labels translated into all languages",
    "all": "All: one model, fine-tuned on the labels of all languages",
    "": "Setting not told",
    "majority": "Not learned",
}
COLUMNS = {
    "D": "D: data of pretraining.",
    "#M": "#M: one model for all languages, or N, one for each.",
    "#lg": "#lg: languages of pretraining.",
}
OURS = {"majority": "one answer for all"}


@dataclass(frozen=True)
class _Form:
    """What a table is of: its columns by heading, and the figures that each of its means is over.

    One of `several_tasks` has no printed mean of ours to quote and no sections, as it is in English alone, where
    zero-shot is no setting of its own.
    """

    title: str
    columns: Mapping[str, tuple[Figure, ...]]
    means: tuple[tuple[Figure, ...], ...]
    decimals: int = 1
    several_tasks: bool = False


@dataclass(frozen=True)
class _Entry:
    """A line as it stands in a table; `cells` by column, the mean last."""

    section: str
    model: str
    data: str
    num_models: str
    num_languages: str
    selection: str
    cells: tuple[str, ...]


def paper_tables(
    scores: Sequence[Score],
    *,
    names: Mapping[str, str] | None = None,
    origins: Mapping[str, str] | None = None,
    published: bool = True,
) -> list[Block]:
    """A table a task and split, or several tasks of GLUE; published rows of the same figures before ours.

    `names` and `origins` of models are those of `lines_of`.
    """
    every = lines_of(scores, names, origins=origins)
    blocks: list[Block] = []
    for split, keys in _tables(every):
        lines = {key: every[*key, split] for key in keys}
        rows = {
            (task, metric): [row for row in published_rows(task=task, metric=metric) if row.is_of(split)]
            for task, metric in (IN_GLUE if keys[0] in IN_GLUE else keys)
            if published
        }
        form = _form(lines, rows, split)
        others = _published(form, rows)
        table = _table(form, [*(entry for entry, _ in others), *_ours(form, lines)])
        notes = _about(form, lines, [row for _, of_entry in others for row in of_entry], table)
        blocks += [Heading(form.title), table, *(Text(note, soft=True) for note in notes)]
    return blocks


def _tables(every: Mapping[Key, object]) -> Iterator[tuple[str, list[Metric]]]:
    """The tasks and metrics of each table, with its split: together what shares cells or columns in the paper."""
    tables: dict[tuple[str, str, str], list[Metric]] = {}
    for task, metric, split in every:
        shares = metric in TOGETHER and all((task, one, split) in every for one in TOGETHER)
        name = (GLUE, "") if (task, metric) in IN_GLUE else (task, TOGETHER[0] if shares else metric)
        tables.setdefault((*name, split), []).append((task, metric))
    for (*_, split), keys in tables.items():
        order = IN_GLUE if keys[0] in IN_GLUE else [(keys[0][0], metric) for metric in TOGETHER]
        yield split, sorted(keys, key=lambda key: order.index(key) if key in order else 0)


def _form(lines: Lines, rows: Rows, split: str) -> _Form:
    keys = list(lines)
    if keys[0] in IN_GLUE:
        columns = {
            heading: tuple((*figure, ENGLISH) for figure in figures)
            for place, (heading, figures) in enumerate(GLUE_COLUMNS.items())
            if place < NUM_IN_MEAN or any(figure in keys for figure in figures)
        }
        mean = tuple(figures[0] for figures in list(columns.values())[:NUM_IN_MEAN])
        return _Form(f"{GLUE}, {split}", columns, (mean,), several_tasks=True)
    found = list(dict.fromkeys(code for of_key in lines.values() for line in of_key for code in line.cells))
    # In the order that readers know from the paper.
    printed = dict.fromkeys(code for of_key in rows.values() for row in of_key for code in row.values if code != MEAN)
    codes = [*(code for code in printed if code in found), *(code for code in found if code not in printed)]
    columns = {code: tuple((*key, code) for key in keys) for code in codes}
    task, metrics = keys[0][0], " / ".join(metric for _, metric in keys)
    means = tuple(tuple((*key, code) for code in codes) for key in keys)
    return _Form(f"{task}, {metrics}, {split}", columns, means, DECIMALS.get(task, 1))


def _table(form: _Form, entries: Sequence[_Entry]) -> Table:
    sections = sorted({"" if form.several_tasks else entry.section for entry in entries}, key=list(SECTIONS).index)
    has_facts = any(entry.data or entry.num_languages for entry in entries)
    facts = ("D", "#M", "#lg") if has_facts else ("#M",)
    cells: list[Sequence[str] | Section] = []
    for section in sections:
        if not form.several_tasks:
            cells.append(Section(SECTIONS[section]))
        for entry in entries:
            if form.several_tasks or entry.section == section:
                own = (entry.data, entry.num_models, entry.num_languages) if has_facts else (entry.num_models,)
                cells.append([entry.model, *own, entry.selection, *entry.cells])
    words = (0, 1, len(facts) + 1) if has_facts else (0, 2)
    return Table(("model", *facts, "selection", *form.columns, MEAN), cells, words=words)


def _published(form: _Form, rows: Rows) -> list[tuple[_Entry, list[PublishedRow]]]:
    """A line for each model of a table that has any figure of these columns, or a mean over just their languages.

    Of two lines of one name the later one says its table too.
    """
    found: dict[tuple[str, ...], dict[Metric, PublishedRow]] = {}
    for key, of_key in rows.items():
        for row in of_key:
            found.setdefault((row.table, row.model, row.setting, row.selection), {})[key] = row
    entries: list[tuple[_Entry, list[PublishedRow]]] = []
    first_tables: dict[tuple[str, str], str] = {}
    for of_model in found.values():
        row = next(iter(of_model.values()))
        cells = [_joined([_figure(of_model, figure, form) for figure in figures]) for figures in form.columns.values()]
        cells.append(_joined(_published_means(of_model, form)))
        if not any(cell.strip("–/ ") for cell in cells):
            continue
        is_first = first_tables.setdefault((row.model, row.setting), row.table) == row.table
        name = row.model if is_first else f"{row.model} ({row.table})"
        entry = _Entry(row.setting, name, row.data, row.num_models, row.num_languages, row.selection, tuple(cells))
        entries.append((entry, list(of_model.values())))
    return entries


def _figure(rows: Mapping[Metric, PublishedRow], figure: Figure, form: _Form) -> str:
    *key, language = figure
    row = rows.get((key[0], key[1]))
    value = row.values.get(language) if row else None
    return "–" if value is None else f"{value:.{form.decimals}f}"


def _published_means(rows: Mapping[Metric, PublishedRow], form: _Form) -> list[str]:
    """As printed, where it is over the languages of the table: beside other means it would say something else."""
    found = []
    for figures in form.means:
        if form.several_tasks:
            values = [rows[task, metric].values[code] for task, metric, code in figures if (task, metric) in rows]
            mean = sum(values) / len(values) if len(values) == len(figures) else None
        else:
            row = rows.get(figures[0][:2])
            mean = row.values.get(MEAN) if row and row.languages == set(form.columns) else None
        found.append("–" if mean is None else f"{mean:.{form.decimals}f}")
    return found


def _ours(form: _Form, lines: Lines) -> Iterator[_Entry]:
    found: dict[Who, dict[Metric, Line]] = {}
    for key, of_key in lines.items():
        for line in of_key:
            found.setdefault((line.model, line.shown_setting, line.selection), {})[key] = line
    for of_model in found.values():
        line = next(iter(of_model.values()))
        setting, _, changed = line.setting.partition(", ")
        without = line.shown_setting.removeprefix(line.setting).strip(", ")
        name = ", ".join(word for word in (line.model or OURS.get(setting, "ours"), changed, without) if word)
        cells = [_joined([_cell(of_model, figure, form) for figure in figures]) for figures in form.columns.values()]
        cells.append(_joined(_means(of_model, form)))
        num_models = "" if setting in OURS else "N" if line.num_models > 1 else "1"
        yield _Entry(setting if setting in SECTIONS else "", name, "", num_models, "", line.selection, tuple(cells))


def _cell(lines: Mapping[Metric, Line], figure: Figure, form: _Form) -> str:
    cell = _found(lines, figure)
    return "–" if cell is None else cell.shown(form.decimals)


def _found(lines: Mapping[Metric, Line], figure: Figure) -> Cell | None:
    task, metric, language = figure
    line = lines.get((task, metric))
    return line.cells.get(language) if line else None


def _means(lines: Mapping[Metric, Line], form: _Form) -> list[str]:
    found = []
    for figures in form.means:
        cells = [_found(lines, figure) for figure in figures]
        there = [cell for cell in cells if cell is not None]
        found.append(mean_of(there).shown(form.decimals) if len(there) == len(cells) else "–")
    return found


def _joined(figures: Sequence[str]) -> str:
    return "–" if set(figures) == {"–"} else " / ".join(figures)


def _about(form: _Form, lines: Lines, rows: Sequence[PublishedRow], table: Table) -> Iterator[str]:
    """What stands below a table."""
    ours = [line for of_key in lines.values() for line in of_key]
    if (seeds := max(line.num_seeds for line in ours)) > 1:
        yield f"Ours: mean ± standard deviation over up to {seeds} seeds."
    for origins in dict.fromkeys(line.origins for line in ours if len(line.origins) > 1 and line.num_seeds > 1):
        yield f"Seeds of these files are taken for those of one training: {', '.join(origins)}."
    if form.several_tasks:
        yield "The mean is table 4's: over its six tasks, of MNLI the matched part; STS-B is Pearson's correlation."
    yield " ".join(text for column, text in COLUMNS.items() if column in table.head)
    if rows:
        sources = dict.fromkeys(f"{row.source} ({row.table})" for row in rows)
        yield f"Published figures as printed: {'; '.join(sources)}."
    told: dict[str, list[str]] = {}
    for row in rows:
        if row.note:
            told.setdefault(row.note, []).append(row.model)
    for note, models in told.items():
        yield f"{', '.join(dict.fromkeys(models))}: {note}."
