"""Sub-commands that score and compare files of predictions, without a model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from isogloss.cli.stage import AsJson, print_json

__all__ = ["compare", "score"]


def compare(
    task: Annotated[str, typer.Argument(metavar="TASK", help="A task of the catalogue, such as mlqa, conll, xnli.")],
    data: Annotated[Path, typer.Option(help="The labelled file.")],
    first: Annotated[Path, typer.Option(help="Predictions of one system, as `score` reads them.")],
    second: Annotated[Path, typer.Option(help="Predictions of another.")],
    language: Annotated[str, typer.Option(help="Code of the data's language, or context-de-question-en.")],
    draws: Annotated[int, typer.Option(help="How often the examples are drawn anew.")] = 10_000,
    seed: Annotated[int, typer.Option(help="Of the draws.", min=0)] = 1,
    as_json: AsJson = False,
) -> None:
    """Two systems on the same examples: the difference and its 95 % interval by paired bootstrap.

    \b
    isogloss compare xnli --data xnli.test.sw.tsv --first a/test.sw.txt --second b/test.sw.txt --language sw
    isogloss compare conll --data test.nl.txt --first a.tsv --second b.tsv --language nl --draws 2000 --json
    """
    import dataclasses

    from isogloss.compare import compare_predictions

    compared = compare_predictions(
        task, data=data, first=first, second=second, language=language, num_draws=draws, seed=seed
    )
    if as_json:
        print_json({name: {**dataclasses.asdict(one), "is_sure": one.is_sure} for name, one in compared.items()})
        return
    for name, one in compared.items():
        verdict = "" if one.is_sure else "; zero lies inside"
        typer.echo(
            f"{name}: {one.first:.2f} and {one.second:.2f}, difference {one.difference:+.2f} points, 95 % interval "
            f"{one.low:+.2f} to {one.high:+.2f} ({one.num_draws:,} draws of {one.n:,} examples{verdict})"
        )


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
