"""The sub-command that asks a question of the whole chain: a study's grid, and its report."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from isogloss.cli.stage import AsJson, DryRun, print_json
from isogloss.errors import IsoglossError

__all__ = ["study"]


def study(
    recipe: Annotated[Path, typer.Argument(metavar="RECIPE.toml", help="A study.")],
    settings: Annotated[
        list[str] | None,
        typer.Argument(metavar="[KEY=VALUE]...", help="Settings over recipe and budget."),
    ] = None,
    as_json: AsJson = False,
    dry_run: DryRun = False,
) -> None:
    """Run the grid of a study, and write report.html, report.md and results.json; the same command again goes on.

    budget=cpu, gpu or full are those of the recipe. text=FOLDER is a folder of LANG.txt files or a corpus, data=FOLDER
    has the folders of labels; without them both come from the phrasebook. The exit code is 2 where a cell has failed.

    \b
    isogloss study recipes/studies/languages.toml budget=cpu output=runs/studies/languages processes=2
    isogloss study recipes/studies/alpha.toml budget=cpu text=TEXTS data=DATA output=runs/studies/alpha seeds='[1]'
    """
    from isogloss.studies import cells_of, load_study, run_study

    given = settings or []
    checked = load_study(recipe, given)
    if dry_run:
        print_json({"cells": [cell.name for cell in cells_of(checked)], **checked.model_dump(mode="json")})
        return
    command = shlex.join(["isogloss", "study", str(recipe), *given])
    run = run_study(checked, command=command, tell=lambda line: typer.echo(line, err=True))
    if as_json:
        print_json({"report": str(run.report), "cells": run.num_cells, "failed": run.failed})
    typer.echo(f"report: {run.report}", err=True)
    if run.failed:
        raise IsoglossError(
            f"{len(run.failed)} of {run.num_cells} cells failed, {next(iter(run.failed))} first; the report says why"
        )
