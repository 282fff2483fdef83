"""The sub-commands that look into models: a study's grid and its report, and what each layer knows of language."""

from __future__ import annotations

import dataclasses
import shlex
from pathlib import Path
from typing import Annotated

import typer

from isogloss.cli.stage import AsJson, DryRun, ModelFolder, checked_settings, print_json
from isogloss.errors import IsoglossError

__all__ = ["probe", "study"]


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
    What it will take is said by isogloss plan, with the same arguments.

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


def probe(
    model: ModelFolder,
    settings: Annotated[
        list[str] | None, typer.Argument(metavar="[KEY=VALUE]...", help="data, split, languages, num_sentences, …")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """What each layer of a model knows of language: whether translations meet, and whether the language can be told.

    data=FOLDER holds SPLIT.LANG-en.tsv, a sentence and its English translation a line; without it the phrasebook.

    \b
    isogloss probe runs/demo/pretrain languages='["sw", "hi"]'
    isogloss probe runs/hundred/model data=retrieval/tatoeba --json
    """
    from isogloss.report import Table, Text, to_markdown
    from isogloss.studies.probes import ProbeSettings
    from isogloss.studies.probes import probe as run_probe

    probed = run_probe(checked_settings(ProbeSettings, [f"model={model}", *(settings or [])]))
    if as_json:
        print_json(dataclasses.asdict(probed))
        return
    codes = list(probed.num_sentences)
    head = ("layer", "language told, %", *(f"{code}: found, %" for code in codes), *(f"{code}: CKA" for code in codes))
    rows = [
        (
            str(layer.layer),
            f"{layer.language_identity:.1f}",
            *(f"{layer.retrieval[code]:.1f}" for code in codes),
            *(f"{layer.similarity[code]:.3f}" for code in codes),
        )
        for layer in probed.layers
    ]
    chance = Text(f"Layer 0 are the embeddings. By chance the language is told in {probed.chance:.1f} %.", soft=True)
    typer.echo(to_markdown([Table(head, rows), chance]), nl=False)
