"""The command line: one short function a sub-command, which imports its room when it is called.

Data goes to stdout, talk to stderr. Exit codes: 0 done, 2 the user's mistake (one line), 75 stopped and saved,
130 stopped by Ctrl-C. ``isogloss --help`` loads no torch.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from isogloss.config import Settings, load_recipe, make_settings
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
vocab_app = typer.Typer(help="SentencePiece vocabularies.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(corpus_app, name="corpus")
app.add_typer(vocab_app, name="vocab")

SettingsArguments = Annotated[
    list[str] | None,
    typer.Argument(metavar="[RECIPE.toml] [KEY=VALUE]...", help="A recipe, then settings that override it."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON on stdout.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Check and print the settings, then stop.")]


def main() -> None:
    """Run the command line; a user's mistake is one line on stderr and its exit code."""
    try:
        app()
    except IsoglossError as error:
        typer.echo(f"isogloss: {error}", err=True)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        typer.echo("isogloss: stopped", err=True)
        sys.exit(130)
    except BrokenPipeError:  # the reader of a pipe (head, less) has left
        sys.stderr.close()
        sys.exit(0)


@app.callback()
def _front(
    version: Annotated[bool, typer.Option("--version", help="Print the version and stop.", is_eager=True)] = False,
) -> None:
    if version:
        from importlib import metadata

        typer.echo(metadata.version("isogloss"))
        raise typer.Exit


@corpus_app.command("build")
def corpus_build(settings: SettingsArguments = None, as_json: AsJson = False, dry_run: DryRun = False) -> None:
    """Text, JSONL or Parquet files → a corpus folder, with a report of every dropped line's reason.

    \b
    isogloss corpus build input=texts/ output=corpus/
    isogloss corpus build recipes/smoke/corpus.toml input=texts/ output=corpus/ languages='["en", "sw"]'
    """
    from isogloss.corpus import CorpusSettings, build_corpus

    _stage(CorpusSettings, build_corpus, settings, as_json=as_json, dry_run=dry_run)


@vocab_app.command("train")
def vocab_train(settings: SettingsArguments = None, as_json: AsJson = False, dry_run: DryRun = False) -> None:
    """A corpus → a vocabulary folder: SentencePiece on languages sampled by q ∝ p^alpha.

    \b
    isogloss vocab train corpus=corpus/ output=vocab/ size=8000
    isogloss vocab train recipes/smoke/vocab.toml corpus=corpus/ output=vocab/ alpha=0.5
    """
    from isogloss.vocab import VocabSettings, train_vocabulary

    _stage(VocabSettings, train_vocabulary, settings, as_json=as_json, dry_run=dry_run)


@app.command("shards")
def shards(settings: SettingsArguments = None, as_json: AsJson = False, dry_run: DryRun = False) -> None:
    """A corpus and a vocabulary → memory-mapped token files.

    \b
    isogloss shards corpus=corpus/ vocabulary=vocab/ output=shards/
    isogloss shards recipes/smoke/shards.toml corpus=corpus/ vocabulary=vocab/ output=shards/
    """
    from isogloss.shards import ShardSettings, build_shards

    _stage(ShardSettings, build_shards, settings, as_json=as_json, dry_run=dry_run)


@app.command("pretrain")
def pretrain(settings: SettingsArguments = None, as_json: AsJson = False, dry_run: DryRun = False) -> None:
    """Masked-LM pretraining; the same command again goes on where it stopped.

    \b
    isogloss pretrain recipes/smoke/pretrain.toml run=runs/smoke shards=shards/ vocabulary=vocab/
    isogloss pretrain recipes/smoke/pretrain.toml run=runs/alpha shards=shards/ vocabulary=vocab/ batches.alpha=0.5
    """
    from isogloss.pretrain import PretrainSettings
    from isogloss.pretrain import pretrain as run_pretraining

    _stage(PretrainSettings, run_pretraining, settings, as_json=as_json, dry_run=dry_run)


@app.command("finetune")
def finetune(settings: SettingsArguments = None, as_json: AsJson = False, dry_run: DryRun = False) -> None:
    """Fine-tune a model on labels of the source languages; selection and seed are settings.

    \b
    isogloss finetune recipes/smoke/finetune-pos.toml model=runs/smoke/model data=pos/ run=runs/smoke-pos
    isogloss finetune recipes/smoke/finetune-pos.toml model=runs/smoke/model data=pos/ run=runs/random \\
        random_weights=true
    """
    from isogloss.finetune import FinetuneSettings
    from isogloss.finetune import finetune as run_finetuning

    _stage(FinetuneSettings, run_finetuning, settings, as_json=as_json, dry_run=dry_run)


@app.command("evaluate")
def evaluate(settings: SettingsArguments = None, as_json: AsJson = False, dry_run: DryRun = False) -> None:
    """Score fine-tuned models on every language there is data for; writes results.json and prints the table.

    \b
    isogloss evaluate models='["runs/smoke-pos"]' task=pos data=pos/ output=runs/smoke-pos/scores
    isogloss evaluate models='["runs/a", "runs/b"]' task=nli data=nli/ split=test output=runs/scores --json
    """
    from isogloss.evaluate import EvaluateSettings, table
    from isogloss.evaluate import evaluate as run_evaluation

    checked = _settings(EvaluateSettings, settings)
    if dry_run:
        _print_json(checked.model_dump(mode="json"))
        return
    scores = run_evaluation(checked)
    if as_json:
        _print_json([dataclasses.asdict(score) for score in scores])
    else:
        typer.echo(table(scores))


@app.command("phrasebook")
def phrasebook(
    languages: Annotated[str, typer.Option(help="Codes separated by commas, or 'all'.")] = "all",
    number: Annotated[int, typer.Option("--number", "-n", help="Sentences to print.", min=1)] = 5,
    seed: Annotated[int, typer.Option(help="Another seed, other sentences.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Print sentences of the embedded phrasebook side by side.

    \b
    isogloss phrasebook --languages en,de,sw,zh -n 3
    isogloss phrasebook --languages all -n 100 --json > parallel.jsonl
    """
    from isogloss.phrasebook import parallel_sentences

    codes = _phrasebook_languages(languages)
    for sentences in parallel_sentences(codes, number, seed=seed):
        said = dict(zip(codes, sentences, strict=True))
        if as_json:
            typer.echo(json.dumps(said, ensure_ascii=False))
        else:
            typer.echo("".join(f"{code:3} {sentence}\n" for code, sentence in said.items()))


@app.command("demo")
def demo(
    settings: SettingsArguments = None,
    languages: Annotated[str, typer.Option(help="Codes separated by commas with en among them, or 'all'.")] = "",
    as_json: AsJson = False,
    dry_run: DryRun = False,
) -> None:
    """The whole chain on the embedded phrasebook: text to zero-shot scores and a report, in minutes on a CPU.

    \b
    isogloss demo
    isogloss demo --languages all output=runs/demo-all
    """
    from isogloss.demo import DemoSettings, run_demo, write_report
    from isogloss.evaluate import table

    chosen = [f"phrasebook.languages={json.dumps(_phrasebook_languages(languages))}"] if languages else []
    checked = _settings(DemoSettings, [*(settings or []), *chosen])
    if dry_run:
        _print_json(checked.model_dump(mode="json"))
        return
    scores, timings = run_demo(checked)
    report = write_report(checked.output, scores, timings)
    if as_json:
        _print_json([dataclasses.asdict(score) for score in scores])
    else:
        typer.echo(table(scores))
    typer.echo(f"report: {report}", err=True)


def _phrasebook_languages(text: str) -> list[str]:
    from isogloss.phrasebook import LANGUAGES

    if text == "all":
        return ["en", *[code for code in LANGUAGES if code != "en"]]
    return [code.strip() for code in text.split(",") if code.strip()]


def _stage(
    kind: type[Settings], work: Callable[[Any], Any], arguments: list[str] | None, *, as_json: bool, dry_run: bool
) -> None:
    """Check the settings, do the work, and say what came of it."""
    settings = _settings(kind, arguments)
    if dry_run:
        _print_json(settings.model_dump(mode="json"))
        return
    result = work(settings)
    if as_json:
        _print_json({"path": str(result)} if isinstance(result, Path) else dataclasses.asdict(result))
    else:
        where = result if isinstance(result, Path) else getattr(settings, "output", "")
        typer.echo(f"done: {where}", err=True)


def _settings(kind: type[Settings], arguments: list[str] | None) -> Any:
    """``[RECIPE.toml] [KEY=VALUE]...`` → checked settings."""
    given = list(arguments or [])
    if given and "=" not in given[0]:
        return load_recipe(given[0], kind, given[1:])
    return make_settings(kind, {}, given)


def _print_json(value: object) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str))
