"""Sub-commands from text to token files: corpus, shards, and the embedded phrasebook."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Annotated

import typer

from isogloss.cli.stage import (
    AsJson,
    DryRun,
    SettingsArguments,
    checked_settings,
    phrasebook_languages,
    print_json,
    run_stage,
)

__all__ = [
    "corpus_build",
    "corpus_export",
    "corpus_fetch",
    "corpus_identify",
    "corpus_identify_train",
    "corpus_lm_train",
    "corpus_pairs",
    "corpus_plan",
    "corpus_report",
    "phrasebook",
    "shards",
]


def corpus_build(settings: SettingsArguments = None, as_json: AsJson = False, dry_run: DryRun = False) -> None:
    """Text, JSONL or Parquet files → a corpus folder, with a report of every dropped line's reason.

    \b
    isogloss corpus build input=texts/ output=corpus/
    isogloss corpus build recipes/smoke/corpus.toml input=texts/ output=corpus/ languages='["en", "sw"]'
    """
    from isogloss.corpus import CorpusSettings, build_corpus

    run_stage(CorpusSettings, build_corpus, settings, as_json=as_json, dry_run=dry_run)


def corpus_export(
    corpus: Annotated[Path, typer.Argument(metavar="CORPUS", help="A corpus folder.")],
    settings: SettingsArguments = None,
    as_json: AsJson = False,
    dry_run: DryRun = False,
) -> None:
    """A corpus → LANG.txt of each language, as CC-100 has it: a paragraph a line, an empty line between documents.

    \b
    isogloss corpus export corpus/ output=cc100/ format=cc100
    isogloss corpus export corpus/ output=cc100/ compression=xz engine.workers=8 languages='["en", "sw"]'
    """
    from isogloss.corpus.export import ExportSettings, export_corpus

    given = [*(settings or []), f"corpus={corpus}"]
    run_stage(ExportSettings, export_corpus, given, as_json=as_json, dry_run=dry_run)


def corpus_plan(
    settings: SettingsArguments = None,
    files: Annotated[int | None, typer.Option(help="Files of the whole; those of the input if not given.")] = None,
    cores: Annotated[int | None, typer.Option(help="Units at a time; the cores of this machine if not given.")] = None,
    memory_gb: Annotated[float | None, typer.Option(help="Memory of the machine; little means fewer units.")] = None,
    sample: Annotated[int | None, typer.Option(help="Files that are built to be measured; 3 if not given.")] = None,
    as_json: AsJson = False,
) -> None:
    """Hours, memory and disk of a whole build, from builds of a few files that are measured and thrown away.

    \b
    isogloss corpus plan recipes/corpus/full.toml input=crawl/ output=corpus/ --files 56000 --cores 64
    isogloss corpus plan input=texts/ output=corpus/ --sample 6 --memory-gb 32 --json > plan.json
    """
    from isogloss.config import make_settings
    from isogloss.corpus import CorpusSettings
    from isogloss.corpus.plan import PlanSettings, plan_corpus
    from isogloss.corpus.plan_report import render_plan

    options = {"files": files, "cores": cores, "memory_gb": memory_gb, "sample_files": sample}
    given = {key: value for key, value in options.items() if value is not None}
    asked = make_settings(PlanSettings, given, where="options")
    plan = plan_corpus(checked_settings(CorpusSettings, settings), asked)
    if as_json:
        print_json(dataclasses.asdict(plan))
    else:
        typer.echo(render_plan(plan))


def corpus_fetch(
    settings: SettingsArguments = None,
    crawl: Annotated[str | None, typer.Option(help="Name of the crawl: CC-MAIN-2018-51.")] = None,
    files: Annotated[int | None, typer.Option(help="How many files.", min=1)] = None,
    kind: Annotated[str | None, typer.Option(help="wet (text) or warc (pages); wet if not given.")] = None,
    base: Annotated[str | None, typer.Option(help="Address of a server, or a folder with the same paths.")] = None,
    output: Annotated[Path | None, typer.Option(help="The folder to write.")] = None,
    as_json: AsJson = False,
    dry_run: DryRun = False,
) -> None:
    """Files of Common Crawl → a folder that `corpus build` reads; broken connections and damaged files are mended.

    Exit code 75: what is missing may come later, and the same command goes on; 2: it will not.

    \b
    isogloss corpus fetch --crawl CC-MAIN-2018-51 --files 10 --output crawl/
    isogloss corpus fetch --crawl CC-MAIN-2018-51 --files 10 --output crawl/ choose=sample connections=1
    """
    from isogloss.corpus import FetchSettings, fetch_crawl

    options = {"crawl": crawl, "files": files, "kind": kind, "base": base, "output": output}
    given = [f"{key}={value}" for key, value in options.items() if value is not None]
    run_stage(FetchSettings, fetch_crawl, [*(settings or []), *given], as_json=as_json, dry_run=dry_run)


def corpus_identify(
    settings: SettingsArguments = None,
    documents: Annotated[
        bool, typer.Option("--documents", help='Say the language of each line too; lines are {"text": "…"}.')
    ] = False,
) -> None:
    """Lines on stdin → the language of each as JSON lines, in order: two opinions joined, and the reason for none.

    \b
    echo "Watoto wanacheza bustanini." | isogloss corpus identify
    isogloss corpus identify --documents min_confidence=0.7 < documents.jsonl > languages.jsonl
    """
    import itertools
    import sys

    from isogloss.corpus.identify import Identifier, IdentifySettings, identify_documents
    from isogloss.lines import CHUNK, read_items

    identifier = Identifier(checked_settings(IdentifySettings, settings))
    items = (str(item) for item in read_items("embed", sys.stdin.buffer))
    while chunk := list(itertools.islice(items, 1 if sys.stdin.isatty() else CHUNK)):
        found = identify_documents(identifier, chunk) if documents else identifier.texts(chunk)
        for record in found.records():
            typer.echo(json.dumps(record, ensure_ascii=False))


def corpus_identify_train(settings: SettingsArguments = None, as_json: AsJson = False, dry_run: DryRun = False) -> None:
    """A corpus → a model of romanised Bengali, Hindi, Tamil, Telugu and Urdu, for the setting romanised_model.

    \b
    isogloss corpus identify-train corpus=corpus/ output=romanised/
    isogloss corpus identify-train corpus=corpus/ output=romanised/ lines_a_language=5000 --json
    """
    from isogloss.corpus.identify.train import IdentifyTrainSettings, train_romanised

    run_stage(IdentifyTrainSettings, train_romanised, settings, as_json=as_json, dry_run=dry_run)


def corpus_lm_train(settings: SettingsArguments = None, as_json: AsJson = False, dry_run: DryRun = False) -> None:
    """Clean text → a language model for each language: SentencePiece and 5-grams, for the perplexity of documents.

    \b
    isogloss corpus lm train input=texts/sw.txt languages=sw output=lm/
    isogloss corpus lm train input=corpus/ output=lm/ memory_mb=4096 prune='[0, 0, 1]'
    """
    from isogloss.corpus.lm.train import LanguageModelSettings, TrainedModels, train_models

    def train(checked: LanguageModelSettings) -> TrainedModels:
        trained = train_models(checked)
        for code, manifest in trained.languages.items():
            for warning in manifest.statistics["warnings"]:
                typer.echo(f"{code}: {warning}", err=True)
        return trained

    run_stage(LanguageModelSettings, train, settings, as_json=as_json, dry_run=dry_run)


def corpus_pairs(settings: SettingsArguments = None, as_json: AsJson = False, dry_run: DryRun = False) -> None:
    """Parallel text (OPUS's zips, Moses's files, tables) → pairs of files that `shards parallel=` reads, drops counted.

    \b
    isogloss corpus pairs input=downloads/ output=opus/
    isogloss corpus pairs input=WikiMatrix.en-sw.tsv.gz output=opus/ columns='[2, 3]' max_ratio=3
    """
    from isogloss.corpus.pairs import PairSettings, write_pairs

    run_stage(PairSettings, write_pairs, settings, as_json=as_json, dry_run=dry_run)


def corpus_report(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A finished corpus folder.")],
    as_json: AsJson = False,
) -> None:
    """Write report.md and report.html of a finished corpus again: what it holds, every drop's reason, samples.

    \b
    isogloss corpus report corpus/
    isogloss corpus report corpus/ --json
    """
    from isogloss.corpus.report import rewrite_report

    markdown, page = rewrite_report(folder)
    if as_json:
        print_json({"markdown": markdown, "page": page})
    else:
        typer.echo(f"done: {page}", err=True)


def shards(settings: SettingsArguments = None, as_json: AsJson = False, dry_run: DryRun = False) -> None:
    """A corpus and a vocabulary → memory-mapped token files; sentences with translations may lie beside them.

    \b
    isogloss shards corpus=corpus/ vocabulary=vocab/ output=shards/ workers=8
    isogloss shards recipes/smoke/shards.toml corpus=corpus/ vocabulary=vocab/ output=shards/ parallel=opus/
    """
    from isogloss.shards import ShardSettings, build_shards

    run_stage(ShardSettings, build_shards, settings, as_json=as_json, dry_run=dry_run)


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

    codes = phrasebook_languages(languages)
    for sentences in parallel_sentences(codes, number, seed=seed):
        said = dict(zip(codes, sentences, strict=True))
        if as_json:
            typer.echo(json.dumps(said, ensure_ascii=False))
        else:
            typer.echo("".join(f"{code:3} {sentence}\n" for code, sentence in said.items()))
