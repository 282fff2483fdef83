"""The command line: one short function a sub-command, which imports its room when it is called.

Data goes to stdout, talk to stderr. Exit codes: 0 done, 2 the user's mistake (one line), 75 stopped and saved,
130 stopped by Ctrl-C. ``isogloss --help`` loads no torch.
"""

from __future__ import annotations

import dataclasses
import enum
import functools
import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from isogloss.config import Settings, load_recipe, make_settings
from isogloss.errors import ConfigError, IsoglossError

if TYPE_CHECKING:
    from isogloss.lines import Question

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
predict_app = typer.Typer(
    help="""Ask a model: lines on stdin are questions, JSON lines on stdout their answers, in order.

    \b
    echo "Anna sees a <mask>." | isogloss predict fill-mask runs/demo/pretrain
    isogloss predict tag runs/demo/ner-pretrained < texts.txt > entities.jsonl
    """,
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(predict_app, name="predict")

SettingsArguments = Annotated[
    list[str] | None,
    typer.Argument(metavar="[RECIPE.toml] [KEY=VALUE]...", help="A recipe, then settings that override it."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON on stdout.")]
ModelFolder = Annotated[Path, typer.Argument(metavar="MODEL", help="A model folder, or a run folder that has one.")]
OnDevice = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Check and print the settings, then stop.")]


def main() -> None:
    """Run the command line; a user's mistake is one line on stderr and its exit code."""
    try:
        app()
    except IsoglossError as error:
        typer.echo(f"isogloss: {error}", err=True)
        sys.exit(error.exit_code)
    except OSError as error:  # a full disk, a folder that may not be written; Typer has dealt with broken pipes
        if error.filename is None:
            raise
        typer.echo(f"isogloss: {error.filename}: {error.strerror}", err=True)
        sys.exit(2)


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
    from isogloss.evaluate import EvaluateSettings, model_names, results_file
    from isogloss.evaluate import evaluate as run_evaluation
    from isogloss.scores import table

    checked = _settings(EvaluateSettings, settings)
    if dry_run:
        _print_json(checked.model_dump(mode="json"))
        return
    scores = run_evaluation(checked)
    if as_json:
        _print_json([dataclasses.asdict(score) for score in scores])
    else:
        typer.echo(table(scores, names=model_names(checked.models), width=_columns()))
    typer.echo(f"results: {results_file(checked.output)}", err=True)


@predict_app.command("fill-mask")
def predict_fill_mask(
    model: ModelFolder,
    top_k: Annotated[int, typer.Option(help="Pieces for each <mask>.", min=1)] = 5,
    device: OnDevice = "auto",
) -> None:
    """The most probable pieces at each <mask> of a text; for a pretrained model.

    \b
    echo "Anna sees a <mask>." | isogloss predict fill-mask runs/demo/pretrain
    isogloss predict fill-mask runs/demo/pretrain --top-k 1 < texts.txt
    """
    _answer("fill-mask", model, device, top_k=top_k)


@predict_app.command("classify")
def predict_classify(model: ModelFolder, device: OnDevice = "auto") -> None:
    """The label of a text, or of two texts with a TAB between them, and the probability of each label.

    \b
    printf "Anna sleeps.\\tNobody sleeps.\\n" | isogloss predict classify runs/demo/nli-pretrained
    isogloss predict classify runs/demo/nli-pretrained < pairs.jsonl > labels.jsonl
    """
    _answer("classify", model, device)


@predict_app.command("tag")
def predict_tag(model: ModelFolder, device: OnDevice = "auto") -> None:
    """The entities of a text, or its words with their tags, as characters of the text.

    \b
    echo "Anna anaishi Oslo." | isogloss predict tag runs/demo/ner-pretrained
    isogloss predict tag runs/smoke-pos < texts.txt > words.jsonl
    """
    _answer("tag", model, device)


@predict_app.command("answer")
def predict_answer(model: ModelFolder, device: OnDevice = "auto") -> None:
    """The best answer to a question in its context: question TAB context, or JSON with both.

    \b
    printf "Who sleeps?\\tAnna sleeps in Oslo.\\n" | isogloss predict answer runs/demo/qa-pretrained
    isogloss predict answer runs/demo/qa-pretrained < questions.jsonl > answers.jsonl
    """
    _answer("answer", model, device)


class Pooling(enum.StrEnum):
    """How a text's hidden states become one vector."""

    mean = "mean"
    cls = "cls"


@predict_app.command("embed")
def predict_embed(
    model: ModelFolder,
    pooling: Annotated[Pooling, typer.Option(help="Mean of the pieces, or the state of <s>.")] = Pooling.mean,
    normalise: Annotated[bool, typer.Option("--normalise", help="Vectors of length one.")] = False,
    device: OnDevice = "auto",
) -> None:
    """A vector for each text.

    \b
    echo "Anna sees a dog." | isogloss predict embed runs/demo/pretrain
    isogloss predict embed runs/demo/pretrain --normalise < texts.txt > vectors.jsonl
    """
    _answer("embed", model, device, pooling=pooling.value, normalise=normalise)


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
    from isogloss.scores import table

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
        typer.echo(table(scores, width=_columns()))
    typer.echo(f"report: {report}", err=True)


def _phrasebook_languages(text: str) -> list[str]:
    from isogloss.phrasebook import LANGUAGES

    if text == "all":
        return ["en", *[code for code in LANGUAGES if code != "en"]]
    codes = [code.strip() for code in text.split(",") if code.strip()]
    if not codes:
        raise ConfigError(f"--languages {text!r} names no language; give codes with commas between them, or 'all'")
    return codes


def _answer(question: Question, model: Path, device: str, **options: Any) -> None:
    """Answer stdin line by line; a person at the keyboard is answered after each line."""
    from rich.console import Console
    from rich.progress import Progress, TextColumn, TimeElapsedColumn

    from isogloss.lines import CHUNK, answer_lines
    from isogloss.predict import load

    predictor = load(model, device=device)
    ask = functools.partial(getattr(predictor, question.replace("-", "_")), **options)
    columns = (TextColumn("{task.completed:,.0f} lines"), TimeElapsedColumn())
    # Answers that go to the same terminal would run through the count of lines.
    shown = sys.stderr.isatty() and not sys.stdout.isatty()
    with Progress(*columns, console=Console(stderr=True), disable=not shown) as progress:
        advance = functools.partial(progress.advance, progress.add_task(question))
        at_once = 1 if sys.stdin.isatty() else CHUNK
        for line in answer_lines(question, ask, sys.stdin.buffer, at_once=at_once, advance=advance):
            typer.echo(line)


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


def _columns() -> int:
    """The width of the terminal, or of the environment's COLUMNS; 100 where neither says."""
    return shutil.get_terminal_size((100, 24)).columns


def _print_json(value: object) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str))
