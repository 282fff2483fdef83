"""The table of scores that a reader sees: a line a model, a column a language, or the other way round.

table(scores, names=model_names(folders), width=80)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from rich.console import Console
from rich.table import Table

from isogloss.scores.score import Score

__all__ = ["table"]

WIDTH = 100
# Names of models are broken into lines so wide when they stand above columns.
WIDEST_HEADING = 16


def table(
    scores: Sequence[Score],
    *,
    source_languages: Sequence[str] = ("en",),
    names: Mapping[str, str] | None = None,
    width: int = WIDTH,
) -> str:
    """Scores as text: a block a task and metric, a line a setting (mean over seeds), a column a language.

    Where that is wider than `width`, languages are the lines and settings the columns, in several blocks if need be.
    `names` (by fingerprint) tell models apart that have the same setting and seed. "others" is the mean over the
    languages that are not `source_languages`, where there are any.
    """
    console = Console(width=width, color_system=None, force_terminal=False)
    with console.capture() as capture:
        for task, split, metric in dict.fromkeys((score.task, score.split, score.metric) for score in scores):
            block = [score for score in scores if (score.task, score.split, score.metric) == (task, split, metric)]
            languages = list(dict.fromkeys(score.language for score in block))
            lines = _by_model(block, names or {}).items()
            values = {label: _means(of_label, languages, source_languages) for label, of_label in lines}
            for part in _laid_out(values, f"{task}, {metric}, {split}", console):
                console.print(part)
    return "\n".join(line.rstrip() for line in capture.get().rstrip().split("\n"))


def _by_model(scores: Sequence[Score], names: Mapping[str, str]) -> dict[str, list[Score]]:
    """The scores of each line: the seeds of a setting together, models that have a seed in one language in common
    apart."""
    lines: dict[str, list[Score]] = {}
    for setting, architecture in dict.fromkeys((score.shown_setting, score.architecture) for score in scores):
        alike = [score for score in scores if (score.shown_setting, score.architecture) == (setting, architecture)]
        if alike[0].setting and _is_one_training(alike):
            lines[", ".join(word for word in (setting, architecture) if word)] = alike
            continue
        for model in dict.fromkeys(map(_model, alike)):
            label = ", ".join(word for word in (setting, names.get(model, model[:8])) if word) or "?"
            lines.setdefault(label, []).extend(score for score in alike if _model(score) == model)
    return lines


def _is_one_training(scores: Sequence[Score]) -> bool:
    """Whether they are of seeds, or of languages, of one way of training and choosing."""
    of_seeds = {(score.language, score.seed) for score in scores}
    of_models = {(score.language, score.seed, _model(score)) for score in scores}
    ways = {(score.selection, score.fingerprints.get("training")) for score in scores}
    return len(of_seeds) == len(of_models) and len(ways) == 1


def _model(score: Score) -> str:
    return score.fingerprints.get("model", "")


def _means(
    scores: Sequence[Score], languages: Sequence[str], source_languages: Sequence[str]
) -> dict[str, float | None]:
    """The mean over seeds of each language, then over all and over the others, where there are source languages.

    None where there is no score: a mean over fewer languages would stand beside one over more.
    """
    values = {code: _mean([score.value for score in scores if score.language == code]) for code in languages}
    others = [code for code in languages if code not in source_languages]
    means = {"mean": _mean(list(values.values()))}
    if 0 < len(others) < len(languages):
        means["others"] = _mean([values[code] for code in others])
    return values | means


def _laid_out(values: Mapping[str, Mapping[str, float | None]], title: str, console: Console) -> Iterator[Table]:
    """The models as lines if their languages fit beside each other, else as columns, so many that they fit."""
    labels = list(values)
    headings = list(values[labels[0]])

    def as_lines(shown: Sequence[str]) -> Table:
        block = _empty(title, "setting", headings)
        for label in shown:
            block.add_row(label, *(_percent(values[label][heading]) for heading in headings))
        return block

    def as_columns(shown: Sequence[str]) -> Table:
        block = _empty(title, "language", shown)
        for heading in headings:
            if heading == "mean":
                block.add_section()
            block.add_row(heading, *(_percent(values[label][heading]) for label in shown))
        return block

    if _fits(as_lines(labels), console):
        yield as_lines(labels)
        return
    while labels:
        num_shown = _most_that_fit(as_columns, labels, console)
        yield as_columns(labels[:num_shown])
        labels = labels[num_shown:]


def _most_that_fit(block: Callable[[Sequence[str]], Table], labels: Sequence[str], console: Console) -> int:
    """How many of the labels stand beside each other; at least one, however narrow the console."""
    numbers = range(len(labels), 1, -1)
    return next((num for num in numbers if _fits(block(labels[:num]), console)), 1)


def _fits(block: Table, console: Console) -> bool:
    unbounded = console.options.update(width=10_000)  # a measure never says more than it is given
    return console.measure(block, options=unbounded).maximum <= console.width


def _empty(title: str, first: str, headings: Sequence[str]) -> Table:
    block = Table(title=title, title_justify="left")
    block.add_column(first)
    for heading in headings:
        block.add_column(heading, justify="right", max_width=WIDEST_HEADING, overflow="fold")
    return block


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known and len(known) == len(values) else None
