"""The command line: one short function a sub-command, which imports its room when it is called.

A file holds the sub-commands of a stage; here they get their names, in the order of the help. Data goes to stdout, talk
to stderr. Exit codes: 0 done, 2 the user's mistake (one line), 75 stopped and saved, 130 stopped by Ctrl-C.
``isogloss --help`` loads no torch.
"""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from isogloss.cli import ask, data, exchange, planning, results, scoring, serving, studying, training, vocabulary
from isogloss.errors import IsoglossError

__all__ = ["app", "main"]

app = typer.Typer(
    help="XLM-R style cross-lingual encoders, end to end: corpus, vocabulary, pretraining, transfer, scores.",
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
    pretty_exceptions_enable=False,
)
corpus_app = typer.Typer(help="From text to a clean corpus.", no_args_is_help=True, rich_markup_mode=None)
lm_app = typer.Typer(
    help="Language models for the perplexity of documents.", no_args_is_help=True, rich_markup_mode=None
)
vocab_app = typer.Typer(help="SentencePiece vocabularies.", no_args_is_help=True, rich_markup_mode=None)
predict_app = typer.Typer(
    help="""Ask a model: lines on stdin are questions, JSON lines on stdout their answers, in order.

    \b
    echo "Anna sees a <mask>." | isogloss predict fill-mask runs/demo/pretrain
    isogloss predict tag runs/demo/ner-pretrained < texts.txt > entities.jsonl
    """,
    no_args_is_help=True,
    rich_markup_mode=None,
)

app.command("shards")(data.shards)
app.command("plan")(planning.plan)
app.command("pretrain")(training.pretrain)
app.command("finetune")(training.finetune)
app.command("baseline")(training.baseline)
app.command("evaluate")(training.evaluate)
app.command("results")(results.results)
app.command("score")(scoring.score)
app.command("compare")(scoring.compare)
app.command("convert")(exchange.convert)
app.command("export")(exchange.export)
app.command("serve")(serving.serve)
app.command("study")(studying.study)
app.command("probe")(studying.probe)
app.command("phrasebook")(data.phrasebook)
app.command("demo")(training.demo)
app.add_typer(corpus_app, name="corpus")
corpus_app.command("fetch")(data.corpus_fetch)
corpus_app.command("build")(data.corpus_build)
corpus_app.command("export")(data.corpus_export)
corpus_app.command("pairs")(data.corpus_pairs)
corpus_app.command("report")(data.corpus_report)
corpus_app.command("plan")(data.corpus_plan)
corpus_app.command("identify")(data.corpus_identify)
corpus_app.command("identify-train")(data.corpus_identify_train)
corpus_app.add_typer(lm_app, name="lm")
lm_app.command("train")(data.corpus_lm_train)
app.add_typer(vocab_app, name="vocab")
vocab_app.command("train")(vocabulary.vocab_train)
vocab_app.command("extend")(vocabulary.vocab_extend)
vocab_app.command("trim")(vocabulary.vocab_trim)
vocab_app.command("check")(vocabulary.vocab_check)
vocab_app.command("report")(vocabulary.vocab_report)
app.add_typer(predict_app, name="predict")
predict_app.command("fill-mask")(ask.predict_fill_mask)
predict_app.command("classify")(ask.predict_classify)
predict_app.command("tag")(ask.predict_tag)
predict_app.command("answer")(ask.predict_answer)
predict_app.command("embed")(ask.predict_embed)


def main() -> None:
    """Run the command line; a user's mistake is one line on stderr and its exit code."""
    try:
        app()
    except IsoglossError as error:
        _say(str(error))
        sys.exit(error.exit_code)
    except OSError as error:  # a full disk, a folder that may not be written; Typer has dealt with broken pipes
        if error.filename is None:
            raise
        _say(f"{error.filename}: {error.strerror}")
        sys.exit(2)


def _say(why: str) -> None:
    """Why the work ends, on stderr; of the processes that torchrun started one says it."""
    if "RANK" not in os.environ:
        typer.echo(f"isogloss: {why}", err=True)
        return
    from isogloss.processes import speaking

    with speaking() as aloud:
        if aloud:
            typer.echo(f"isogloss: {why}", err=True)


def _print_version(asked: bool) -> None:
    if asked:
        from importlib import metadata

        typer.echo(metadata.version("isogloss"))
        raise typer.Exit


@app.callback()
def _front(
    version: Annotated[
        # Answered while the words are parsed: without a sub-command nothing later is reached.
        bool, typer.Option("--version", help="Print the version and stop.", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    pass
