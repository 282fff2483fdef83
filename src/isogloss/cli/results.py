"""Scores as tables for papers, beside the published ones."""

from __future__ import annotations

import json
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from isogloss.errors import CheckpointError, ConfigError, DataError

if TYPE_CHECKING:
    from isogloss.scores import Score

__all__ = ["Format", "results", "say_comparison", "shape_name"]


class Format(StrEnum):
    """What a table is written as."""

    markdown = "markdown"
    latex = "latex"
    html = "html"


def _schema(asked: bool) -> None:
    from isogloss.scores import shipped_schema

    if asked:
        typer.echo(shipped_schema(), nl=False)
        raise typer.Exit


def results(
    files: Annotated[list[Path], typer.Argument(metavar="RESULTS.json...", help="What `isogloss evaluate` wrote.")],
    form: Annotated[Format, typer.Option("--format", help="What the tables are written as.")] = Format.markdown,
    published: Annotated[bool, typer.Option(help="The published rows of the same tasks above ours.")] = True,
    output: Annotated[Path | None, typer.Option(help="A file to write; stdout if not given.")] = None,
    schema: Annotated[
        bool,
        typer.Option(
            "--schema", help="Print the JSON schema of a results.json and stop.", callback=_schema, is_eager=True
        ),
    ] = False,
) -> None:
    """Scores of several runs as the paper's tables: a line a model, seeds as mean ± deviation, beside published rows.

    Settings are sections, languages columns; F1 and exact match share a cell, and GLUE's tasks one table.

    Every file is checked, score by score, against the form that --schema prints. A score that several files have
    counts once; two values of one score are an error. Models with the same seed are no seeds of one training: those of
    a file are a line.

    \b
    isogloss results runs/*/scores/results.json
    isogloss results runs/a/results.json runs/b/results.json --format latex --output table.tex
    """
    from isogloss.paper_tables import paper_tables
    from isogloss.report import Heading, to_latex, to_markdown, to_page
    from isogloss.scores import join_results, model_origins

    # The same answer for all is in every file.
    scores = join_results(files)
    if not scores:
        names = ", ".join(map(str, files))
        raise DataError(f"no score in {names}: test files without labels have predictions only; give other results")
    blocks = paper_tables(scores, origins=model_origins(files), published=published)
    title = [Heading("Scores", level=1)]
    if form is Format.html:
        text = to_page("Scores", [*title, *blocks])
    else:
        text = to_markdown([*title, *blocks]) if form is Format.markdown else to_latex(blocks)
    if output is None:
        typer.echo(text, nl=False)
    else:
        output.write_text(text, encoding="utf-8")
        typer.echo(f"written: {output}", err=True)


def say_comparison(scores: Sequence[Score], model: str, tolerance: float) -> None:
    """Print how scores compare with the published rows of a model; raises DataError where they are not reproduced."""
    from isogloss.report import to_markdown
    from isogloss.reproduction import compare_with_published, comparison_blocks, decisive

    comparisons = compare_with_published(scores, model, tolerance=tolerance)
    typer.echo(to_markdown(comparison_blocks(comparisons)), nl=False, err=True)
    missed = [compared for compared in decisive(comparisons) if not compared.reproduced]
    if not missed:
        return
    # What differs is worse than what is missing.
    worst = min(missed, key=lambda compared: compared.is_within or not compared.found)
    row = worst.row
    if worst.is_within or not worst.found:
        raise DataError(f"{model}, {row.task}, {row.metric}: {worst.verdict}: {'; '.join(worst.gaps)}")
    language, points = max(worst.differences.items(), key=lambda pair: abs(pair[1]))
    raise DataError(
        f"the published row of {model} is not reproduced within {tolerance:g} points: {row.task}, {row.metric}, "
        f"{language}, differs by {points:+.1f}; the comparison stands above"
    )


def shape_name(folders: Sequence[Path]) -> str:
    """What the published tables call models of the kind and shape that the folders hold; one name for all."""
    from isogloss.run_models import chosen_models

    names = {_shape_name(chosen.folder): chosen.folder for chosen in chosen_models(folders)}
    if len(names) > 1:
        (one, of_one), (two, of_two), *_ = names.items()
        raise ConfigError(
            f"{of_one} is an {one}, {of_two} an {two}; compare them apart, or name one row: --published-model '{one}'"
        )
    return next(iter(names))


def _shape_name(folder: Path) -> str:
    from isogloss.published import published_name

    path = folder / "config.json"
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
        sizes = [int(config[key]) for key in ("num_hidden_layers", "hidden_size", "vocab_size")]
        kind = str(config["model_type"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(f"{path} does not say the model's shape ({error}); name the row yourself") from None
    return published_name(kind, *sizes)
