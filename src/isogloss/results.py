"""Scores as lines of a table: one for each model under a setting and selection, its seeds together.

    scores = [*read_results(Path("a/results.json")), *read_results(Path("b/results.json"))]
    for (task, metric, split), lines in lines_of(scores).items():
        print([f"{line.model or 'ours'}: {line.cells['sw']}" for line in lines])
    mean_of([line.cells[code] for code in ("en", "sw")])          # the mean over languages, and its spread over seeds

`paper_tables` puts them beside the published ones, `reproduction` says whether they reproduce one.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from isogloss.scores import Score

__all__ = ["Cell", "Key", "Line", "lines_of", "mean_of"]

# Task, metric and split.
Key = tuple[str, str, str]


@dataclass(frozen=True)
class Cell:
    """Percent by seed, of a model in one language or of a mean over several."""

    by_seed: Mapping[int | None, float]

    @property
    def mean(self) -> float:
        """Over the seeds."""
        return statistics.fmean(self.by_seed.values())

    @property
    def deviation(self) -> float | None:
        """The standard deviation over seeds; None with one seed."""
        return statistics.stdev(self.by_seed.values()) if len(self.by_seed) > 1 else None

    def shown(self, decimals: int = 1) -> str:
        """The mean, and the deviation where there is one."""
        spread = "" if self.deviation is None else f" ± {self.deviation:.{decimals}f}"
        return f"{self.mean:.{decimals}f}{spread}"

    def __str__(self) -> str:
        return self.shown()


def mean_of(cells: Sequence[Cell]) -> Cell:
    """The mean over languages, seed by seed where all of them have the same seeds, else that of their means."""
    seeds = set(cells[0].by_seed)
    if any(set(cell.by_seed) != seeds for cell in cells):
        return Cell({None: statistics.fmean(cell.mean for cell in cells)})
    return Cell({seed: statistics.fmean(cell.by_seed[seed] for cell in cells) for seed in cells[0].by_seed})


@dataclass(frozen=True)
class Line:
    """One line of a table: who, under which setting and selection, over how many seeds, percent by language.

    `num_models` are those of a seed: one, or one a language. `origins` are the files that the models' scores lie in.
    """

    model: str
    setting: str
    selection: str
    num_seeds: int
    cells: Mapping[str, Cell]
    num_models: int = 1
    origins: tuple[str, ...] = ()
    shown_setting: str = ""

    def mean(self, languages: Iterable[str]) -> Cell | None:
        """Over these languages; None where one of them is missing."""
        cells = [self.cells.get(language) for language in languages]
        found = [cell for cell in cells if cell is not None]
        return mean_of(found) if found and len(found) == len(cells) else None


def lines_of(
    scores: Iterable[Score], names: Mapping[str, str] | None = None, *, origins: Mapping[str, str] | None = None
) -> dict[Key, list[Line]]:
    """Lines by (task, metric, split): one for each model, setting and selection, its seeds together.

    Scores without some types of entities have lines of their own, and so have models that are no encoders.

    ``names`` call a model by its fingerprint; models that nobody names are together if they differ by seed alone.
    Where two have one seed or were trained otherwise they are no seeds of one training: then those of one origin are
    together (``origins`` by fingerprint, such as the file of their scores), or each model stands alone, called by its
    fingerprint.
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
    """One line if no seed stands twice in a language and all were trained alike; else one an origin, or a model."""
    if _is_one_training(scores):
        return [_line(name, scores, origins)]
    lines: list[Line] = []
    for origin, of_origin in _by(scores, lambda score: origins.get(_model(score), "")).items():
        together = {origin: of_origin}
        if not origin or not _is_one_training(of_origin):
            together = _by(of_origin, lambda score: _model(score)[:8])
        lines += [
            _line(", ".join(word for word in (name, called) if word), own, origins) for called, own in together.items()
        ]
    return lines


def _is_one_training(scores: Sequence[Score]) -> bool:
    """Whether models differ by seed alone: trained alike, and no two with a score in one language from one seed.

    Models that do not say how they were trained are taken at their seed's word.
    """
    seeds = {(score.language, score.seed): _model(score) for score in scores}
    trainings = {score.fingerprints["training"] for score in scores if "training" in score.fingerprints}
    return len(trainings) < 2 and all(seeds[score.language, score.seed] == _model(score) for score in scores)


def _by(scores: Sequence[Score], called: Callable[[Score], str]) -> dict[str, list[Score]]:
    found: dict[str, list[Score]] = {}
    for score in scores:
        found.setdefault(called(score), []).append(score)
    return found


def _model(score: Score) -> str:
    return score.fingerprints.get("model", "")


def _line(model: str, scores: Sequence[Score], origins: Mapping[str, str]) -> Line:
    by_language: dict[str, dict[int | None, float]] = {}
    for score in scores:
        by_language.setdefault(score.language, {})[score.seed] = score.value
    first = scores[0]
    models = [len(set(map(_model, of_seed))) for of_seed in _by(scores, lambda score: str(score.seed)).values()]
    return Line(
        model,
        first.setting,
        first.selection,
        num_seeds=max(map(len, by_language.values())),
        cells={language: Cell(values) for language, values in by_language.items()},
        num_models=max(models),
        origins=tuple(dict.fromkeys(origins[name] for name in map(_model, scores) if name in origins)),
        shown_setting=first.shown_setting,
    )
