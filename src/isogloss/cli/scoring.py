"""Sub-commands that score and compare files of predictions, without a model."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from isogloss.cli.stage import AsJson, listed, num_columns, print_json
from isogloss.errors import ConfigError

if TYPE_CHECKING:
    from isogloss.compare import Difference

__all__ = ["compare", "score"]

DropTypes = Annotated[
    str, typer.Option("--drop-types", help="Types of entities that count for nothing, as DATE; commas between them.")
]


def compare(
    task: Annotated[str, typer.Argument(metavar="TASK", help="A task of the catalogue, such as mlqa, conll, xnli.")],
    data: Annotated[Path, typer.Option(help="The labelled file, or the folder with those of all languages.")],
    first: Annotated[Path, typer.Option(help="Predictions of one system, as `score` reads them; of folders theirs.")],
    second: Annotated[Path, typer.Option(help="Predictions of another.")],
    language: Annotated[
        str, typer.Option(help="Code of the data's language. Of folders several with commas; none: all they share.")
    ] = "",
    split: Annotated[str, typer.Option(help="Of folders: which files, SPLIT.LANGUAGE.")] = "dev",
    parallel: Annotated[
        bool, typer.Option("--parallel", help="Of folders: draw the same examples in all languages, as XNLI's are.")
    ] = False,
    draws: Annotated[int, typer.Option(help="How often the examples are drawn anew.")] = 10_000,
    seed: Annotated[int, typer.Option(help="Of the draws.", min=0)] = 1,
    drop_types: DropTypes = "",
    as_json: AsJson = False,
) -> None:
    """Two systems on the same examples: the difference and its 95 % interval by paired bootstrap.

    With folders, those that `evaluate predictions=FOLDER` writes for a model, there is a line a language and the mean.

    \b
    isogloss compare xnli --data xnli.test.sw.tsv --first a/test.sw.txt --second b/test.sw.txt --language sw
    isogloss compare xnli --data xnli/ --first said/a --second said/b --split test --parallel --json
    """
    from isogloss.compare import compare_folders, compare_predictions

    def tell(said: str) -> None:
        typer.echo(said, err=True)

    options: dict[str, Any] = {"num_draws": draws, "seed": seed, "drop_types": listed(drop_types), "tell": tell}
    if data.is_dir() or (first.is_dir() and second.is_dir()):
        tables = compare_folders(
            task,
            data=data,
            first=first,
            second=second,
            split=split,
            languages=listed(language),
            parallel=parallel,
            **options,
        )
        if as_json:
            print_json({name: _as_objects(table) for name, table in tables.items()})
        else:
            typer.echo("\n".join(_as_table(f"{task}, {name}, {split}", table) for name, table in tables.items()))
        return
    if not language:
        raise ConfigError("of files the language is needed; give --language CODE")
    if parallel:
        raise ConfigError("--parallel draws alike in several languages; give folders as --data, --first and --second")
    compared = compare_predictions(task, data=data, first=first, second=second, language=language, **options)
    if as_json:
        print_json(_as_objects(compared))
        return
    for name, one in compared.items():
        verdict = "" if one.is_sure else "; zero lies inside"
        typer.echo(
            f"{name}: {one.first:.2f} and {one.second:.2f}, difference {one.difference:+.2f} points, 95 % interval "
            f"{one.low:+.2f} to {one.high:+.2f} ({one.num_draws:,} draws of {one.n:,} examples{verdict})"
        )


def _as_objects(compared: Mapping[str, Difference]) -> dict[str, Any]:
    return {name: {**dataclasses.asdict(one), "is_sure": one.is_sure} for name, one in compared.items()}


def _as_table(title: str, compared: Mapping[str, Difference]) -> str:
    """A line a language: both systems, the difference in points, its interval, and whether that leaves out zero."""
    from rich.console import Console
    from rich.table import Table

    table = Table("language", title=title, title_justify="left")
    for column in ("examples", "first", "second", "difference", "95 % interval", "sure"):
        table.add_column(column, justify="right")
    for language, one in compared.items():
        if language == list(compared)[-1]:
            table.add_section()
        interval = f"{one.low:+.2f} to {one.high:+.2f}"
        numbers = (f"{one.n:,}", f"{one.first:.2f}", f"{one.second:.2f}", f"{one.difference:+.2f}", interval)
        table.add_row(language, *numbers, "yes" if one.is_sure else "no")
    console = Console(width=num_columns(), color_system=None, force_terminal=False)
    with console.capture() as capture:
        console.print(table)
    return "\n".join(line.rstrip() for line in capture.get().rstrip().split("\n"))


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
    drop_types: DropTypes = "",
    as_json: AsJson = False,
) -> None:
    """Score a file of predictions as the official scorer does; no model is needed.

    \b
    isogloss score mlqa --data dev-context-zh-question-zh.json --predictions zh.json --language zh --json
    isogloss score conll --predictions tagged.txt --language nl
    """
    from isogloss.score import score_file

    scored = score_file(task, data=data, predictions=predictions, language=language, drop_types=listed(drop_types))
    if as_json:
        print_json(scored.as_object())
    else:
        typer.echo(scored.table())
    for note in scored.notes:
        typer.echo(note, err=True)
