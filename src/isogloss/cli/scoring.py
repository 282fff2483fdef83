"""Sub-command that scores a file of predictions, without a model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from isogloss.cli.stage import AsJson, print_json

__all__ = ["score"]


def score(
    task: Annotated[str, typer.Argument(metavar="TASK", help="A task of the catalogue, such as mlqa, conll, xnli.")],
    predictions: Annotated[
        Path,
        typer.Option(
            help="Questions: JSON, id → answer. Tagging: columns word, gold, predicted. Others: a line an example."
        ),
    ],
    language: Annotated[str, typer.Option(help="Code of the data's language, or context-de-question-en.")],
    data: Annotated[
        Path | None, typer.Option(help="The labelled file; not needed for tagging where the gold stands beside.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Score a file of predictions as the official scorer does; no model is needed.

    \b
    isogloss score mlqa --data dev-context-zh-question-zh.json --predictions zh.json --language zh --json
    isogloss score conll --predictions tagged.txt --language nl
    """
    from isogloss.score import score_file

    scored = score_file(task, data=data, predictions=predictions, language=language)
    if as_json:
        print_json(scored.as_object())
    else:
        typer.echo(scored.table())
    for note in scored.notes:
        typer.echo(note, err=True)
