"""Sub-commands by which models come in from other tools and go out to them."""

from __future__ import annotations

import dataclasses
import enum
from pathlib import Path
from typing import Annotated

import typer

from isogloss.cli.stage import AsJson, ModelFolder, print_json

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
    as_json: AsJson = False,
) -> None:
    """A model as an ONNX graph, compared in onnxruntime before it is kept; prints how much each output differs.

    DST gets model.onnx, config.json, the tokenizer's files and the report, parity.json. Batches are padded, of any size
    and length; needs the extra "onnx".

    \b
    isogloss export runs/demo/nli-pretrained nli-onnx
    isogloss export xlm-roberta-base xlmr-onnx --json
    """
    from rich.console import Console

    from isogloss.export import export as run_export

    # Silent where nobody looks.
    with Console(stderr=True).status("") as status:
        done = run_export(model, target, say=status.update)
    if as_json:
        print_json(dataclasses.asdict(done))
        return
    for output in done.outputs:
        typer.echo(
            f"{output.name}: differs by {output.largest_difference:.1e} at most, {output.relative_difference:.1e} of "
            f"its largest value, on {done.num_probes} sequences of up to {done.longest_probe} tokens"
        )
    typer.echo(f"done: {done.path}", err=True)
