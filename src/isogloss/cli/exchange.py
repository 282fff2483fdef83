"""Sub-commands by which models come in from other tools and go out to them."""

from __future__ import annotations

import dataclasses
import enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from isogloss.cli.stage import AsJson, DryRun, ModelFolder, listed, num_columns, print_json

if TYPE_CHECKING:
    from isogloss.export import Export

__all__ = ["Target", "convert", "export"]


class Target(enum.StrEnum):
    """The formats that a model is written in."""

    hf = "hf"
    fairseq = "fairseq"
    sentence_transformers = "sentence-transformers"


class VectorPooling(enum.StrEnum):
    """How an embedding model makes a text's vector."""

    cls = "cls"
    mean_all = "mean-all"


def convert(
    source: Annotated[Path, typer.Argument(metavar="SRC", help="A fairseq folder with model.pt, or a model folder.")],
    target: Annotated[Path, typer.Argument(metavar="DST", help="A new folder.")],
    to: Annotated[
        Target,
        typer.Option(
            help="hf: a model folder; fairseq: model.pt, dict.txt, SentencePiece model; sentence-transformers: an "
            "embedding model of the encoder."
        ),
    ],
    head: Annotated[
        str | None, typer.Option(help="Of a fairseq checkpoint with several heads: masked, or a classification head.")
    ] = None,
    pooling: Annotated[
        VectorPooling | None,
        typer.Option(help="Of an embedding model: the state of <s>, or the mean of all tokens (if not given)."),
    ] = None,
    normalise: Annotated[
        bool, typer.Option("--normalise", help="Of an embedding model: vectors of length one.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """XLM-R of fairseq → a model folder in Hugging Face layout, or back; a model's encoder → an embedding model.

    Prints how much the logits differ. The target appears once it is whole and compared. Nothing that a checkpoint
    carries is run: one that hides code is refused.

    \b
    isogloss convert xlmr.base runs/xlmr-base --to hf
    isogloss convert runs/demo/pretrain/model demo.vectors --to sentence-transformers --pooling cls --normalise
    """
    from rich.console import Console

    from isogloss.convert import Pooling
    from isogloss.convert import convert as run_conversion

    chosen = None
    if pooling is not None or normalise:
        chosen = Pooling("cls" if pooling is VectorPooling.cls else "mean-all", normalise=normalise)
    # Silent where nobody looks.
    with Console(stderr=True).status("") as status:
        done = run_conversion(source, target, to=to.value, head=head, pooling=chosen, say=status.update)
    if as_json:
        print_json(dataclasses.asdict(done))
        return
    for note in done.notes:
        typer.echo(f"note: {note}", err=True)
    compared = "hidden states" if done.to == "sentence-transformers" else "logits"
    typer.echo(f"largest difference of {compared}: {done.largest_difference:.1e} on {done.num_probes} sentences")
    typer.echo(f"done: {done.path}", err=True)


def export(
    model: ModelFolder,
    target: Annotated[Path, typer.Argument(metavar="DST", help="A new folder.")],
    more: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[CODE]... [KEY=VALUE]...", help="More codes of --languages; settings, as weight_bits=8."
        ),
    ] = None,
    languages: Annotated[
        str, typer.Option(help="Codes, with commas or spaces between: other languages' pieces are left out.")
    ] = "",
    corpus: Annotated[
        Path | None,
        typer.Option(help="Text whose pieces stay: a corpus folder, a folder with LANG.txt, or one file of lines."),
    ] = None,
    int8: Annotated[bool, typer.Option("--int8", help="Weights of one byte, products in integers.")] = False,
    check: Annotated[
        Path | None,
        typer.Option(help="Texts that model and export are both asked about: a file of lines; with --task labelled."),
    ] = None,
    task: Annotated[
        str, typer.Option(help="Of a check's labels, as in evaluate: SPLIT.LANGUAGE.tsv or .json, or a folder of them.")
    ] = "",
    as_json: AsJson = False,
    dry_run: DryRun = False,
) -> None:
    """A model as an ONNX graph, for some languages and in int8 if asked, compared before it is kept.

    DST gets model.onnx, config.json, the tokenizer's files, a README.md that says how to run it, and the report,
    parity.json. Without --corpus every piece stays that has no letter of another script than the languages': many more
    than with text. Batches are padded, of any size and length; needs the extra "onnx". isogloss predict and evaluate
    take DST as they take a model.

    \b
    isogloss export runs/demo/nli-pretrained nli-onnx
    isogloss export xlm-roberta-base xlmr-en-sw --languages en sw --corpus texts/ --int8 --check lines.txt
    """
    from rich.console import Console

    from isogloss.config import make_settings
    from isogloss.errors import ConfigError
    from isogloss.export import ExportSettings
    from isogloss.export import export as run_export

    codes = [word for word in more or [] if "=" not in word]
    if codes and not languages:
        raise ConfigError(f"'{codes[0]}' is no setting KEY=VALUE; codes of languages follow --languages")
    kept = [code for part in (languages, *codes) for code in listed(part)]
    values = {"model": model, "output": target, "corpus": corpus, "int8": int8, "check": check, "task": task}
    checked = make_settings(ExportSettings, {**values, "languages": kept}, [word for word in more or [] if "=" in word])
    if dry_run:
        print_json(checked.model_dump(mode="json"))
        return
    # Silent where nobody looks.
    with Console(stderr=True).status("") as status:
        done = run_export(checked, say=status.update)
    if as_json:
        print_json(dataclasses.asdict(done))
        return
    _show(done)
    typer.echo(f"done: {done.path}", err=True)


def _show(done: Export) -> None:
    from rich.console import Console
    from rich.table import Table

    from isogloss.export.outcome import tables

    console = Console(width=num_columns(), color_system=None, force_terminal=False)
    for title, head, rows in tables(done):
        table = Table(head[0], title=title, title_justify="left")
        for column in head[1:]:
            table.add_column(column, justify="right")
        for row in rows:
            table.add_row(*row)
        console.print(table)
