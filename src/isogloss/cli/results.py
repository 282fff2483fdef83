"""Scores as tables for papers, beside the published ones."""

from __future__ import annotations

import json
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from isogloss.errors import CheckpointError, DataError

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
    """Scores of several runs as the paper's tables: a line a model, seeds as mean ± deviation, published rows above.

    Every file is checked, score by score, against the form that --schema prints. A score that several files have
    counts once; two values of one score are an error. Models with the same seed are no seeds of one training: those of
    a file are a line.

    \b
    isogloss results runs/*/scores/results.json
    isogloss results runs/a/results.json runs/b/results.json --format latex --output table.tex
    """
    from isogloss.report import Heading, to_latex, to_markdown, to_page
    from isogloss.results import results_blocks
    from isogloss.scores import join_results, model_origins

    # The same answer for all is in every file.
    scores = join_results(files)
    if not scores:
        names = ", ".join(map(str, files))
        raise DataError(f"no score in {names}: test files without labels have predictions only; give other results")
    blocks = results_blocks(scores, origins=model_origins(files), published=published)
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
    from isogloss.results import compare_with_published, comparison_blocks

    comparisons = compare_with_published(scores, model, tolerance=tolerance)
    typer.echo(to_markdown(comparison_blocks(comparisons)), nl=False, err=True)
    if missed := [compared for compared in comparisons if not compared.reproduced]:
        language, points = max(missed[0].differences.items(), key=lambda pair: abs(pair[1]))
        raise DataError(
            f"the published row of {model} is not reproduced within {tolerance:g} points: {missed[0].row.task}, "
            f"{language}, differs by {points:+.1f}; the comparison stands above"
        )


def shape_name(folders: Sequence[Path]) -> str:
    """What the published tables call a model of the shape that the first folder holds."""
    from isogloss.published import published_name
    from isogloss.run_models import model_folder

    path = model_folder(folders[0]) / "config.json"
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
        return published_name(int(config["num_hidden_layers"]), int(config["hidden_size"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(f"{path} does not say the model's shape ({error}); name the row yourself") from None
