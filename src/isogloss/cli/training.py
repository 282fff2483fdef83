"""Sub-commands that train and score: pretraining, fine-tuning, evaluation, and the demo of the whole chain."""

from __future__ import annotations

import dataclasses
import json
from typing import Annotated

import typer

from isogloss.cli.results import say_comparison, shape_name
from isogloss.cli.stage import (
    AsJson,
    DryRun,
    SettingsArguments,
    checked_settings,
    num_columns,
    phrasebook_languages,
    print_json,
    run_stage,
)

__all__ = ["baseline", "demo", "evaluate", "finetune", "pretrain"]

# Points that a score may differ from a published one by.
TOLERANCE = 1.0


def pretrain(settings: SettingsArguments = None, as_json: AsJson = False, dry_run: DryRun = False) -> None:
    """Masked-LM pretraining; the same command again goes on where it stopped.

    \b
    isogloss pretrain recipes/smoke/pretrain.toml run=runs/smoke shards=shards/ vocabulary=vocab/
    isogloss pretrain recipes/smoke/pretrain.toml run=runs/alpha shards=shards/ vocabulary=vocab/ batches.alpha=0.5
    """
    from isogloss.pretrain import PretrainSettings
    from isogloss.pretrain import pretrain as run_pretraining

    run_stage(PretrainSettings, run_pretraining, settings, as_json=as_json, dry_run=dry_run)


def finetune(settings: SettingsArguments = None, as_json: AsJson = False, dry_run: DryRun = False) -> None:
    """Fine-tune a model on labels of the source languages; selection and seed are settings.

    \b
    isogloss finetune recipes/smoke/finetune-pos.toml model=runs/smoke/model data=pos/ run=runs/smoke-pos
    isogloss finetune recipes/smoke/finetune-pos.toml model=runs/smoke/model data=pos/ run=runs/random \\
        random_weights=true
    """
    from isogloss.finetune import FinetuneSettings
    from isogloss.finetune import finetune as run_finetuning

    run_stage(FinetuneSettings, run_finetuning, settings, as_json=as_json, dry_run=dry_run)


def baseline(settings: SettingsArguments = None, as_json: AsJson = False, dry_run: DryRun = False) -> None:
    """Train a BiLSTM-CRF tagger on the same labels, to stand beside encoders in the tables of `isogloss evaluate`.

    It knows the words and characters of the training files, or contextual strings, which take isogloss[flair].

    \b
    isogloss baseline recipes/baselines/bilstm-crf.toml data=data/ner/panx run=runs/bilstm
    isogloss baseline recipes/baselines/bilstm-crf.toml data=data/ner/panx run=runs/strings \\
        tagger.embeddings='["words", "contextual-strings"]' strings.forward=fw.pt strings.backward=bw.pt
    """
    from isogloss.baselines import BaselineSettings, train_baseline

    run_stage(BaselineSettings, train_baseline, settings, as_json=as_json, dry_run=dry_run)


def evaluate(
    settings: SettingsArguments = None,
    expect: Annotated[
        str | None, typer.Option(help="'published': compare with the published row of a model of this shape.")
    ] = None,
    published_model: Annotated[str | None, typer.Option(help="Another row to compare with: 'XLM-R large'.")] = None,
    tolerance: Annotated[
        float | None, typer.Option(help="With --expect: points that a language may differ by; 1 if not given.", min=0)
    ] = None,
    as_json: AsJson = False,
    dry_run: DryRun = False,
) -> None:
    """Score fine-tuned models on every language there is data for; writes results.json and prints the table.

    translated=FOLDER is the setting translate-test: zero-shot models are asked about test files of other languages that
    were translated into theirs. drop_types='["DATE"]' leaves entities out that a model does not know.

    With --expect published the exit code is 2 where a score lies further from the published one than the tolerance, or
    a part of the published row was not scored.

    \b
    isogloss evaluate models='["runs/smoke-pos"]' task=pos data=pos/ output=runs/smoke-pos/scores
    isogloss evaluate models='["runs/xnli"]' task=xnli data=xnli/ split=test output=runs/scores --expect published
    """
    from isogloss.asked import source_languages
    from isogloss.errors import ConfigError
    from isogloss.evaluate import EvaluateSettings
    from isogloss.evaluate import evaluate as run_evaluation
    from isogloss.published import check_published, published_row
    from isogloss.run_models import model_names
    from isogloss.scores import results_file, table
    from isogloss.tasks import find_task
    from isogloss.transfer import TRANSLATE_TEST

    if expect not in (None, "published"):
        raise ConfigError(f"--expect {expect} is not known; 'published' is all there is")
    if expect is None and (published_model is not None or tolerance is not None):
        raise ConfigError("--published-model and --tolerance say what to compare with; add --expect published")
    checked = checked_settings(EvaluateSettings, settings)
    if dry_run:
        print_json(checked.model_dump(mode="json"))
        return
    row = (published_model or shape_name(checked.models)) if expect else None
    if row is not None:  # said before an hour of scoring
        metrics = find_task(checked.task).metrics
        check_published(row, task=checked.task, metrics=metrics)
        if checked.translated is not None:
            published_row(row, task=checked.task, metric=metrics[0], setting=TRANSLATE_TEST)
    scores = run_evaluation(checked)
    if as_json:
        print_json([dataclasses.asdict(score) for score in scores])
    else:
        sources = source_languages(checked.models)
        typer.echo(table(scores, source_languages=sources, names=model_names(checked.models), width=num_columns()))
    typer.echo(f"results: {results_file(checked.output)}", err=True)
    if row is not None:
        say_comparison(scores, row, TOLERANCE if tolerance is None else tolerance)


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

    chosen = [f"phrasebook.languages={json.dumps(phrasebook_languages(languages))}"] if languages else []
    checked = checked_settings(DemoSettings, [*(settings or []), *chosen])
    if dry_run:
        print_json(checked.model_dump(mode="json"))
        return
    scores, timings = run_demo(checked)
    report = write_report(checked.output, scores, timings)
    if as_json:
        print_json([dataclasses.asdict(score) for score in scores])
    else:
        typer.echo(table(scores, width=num_columns()))
    typer.echo(f"report: {report}", err=True)
