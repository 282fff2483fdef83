"""Sub-commands of vocabularies."""

from __future__ import annotations

import dataclasses
import enum
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from isogloss.cli.stage import AsJson, DryRun, ModelFolder, checked_settings, listed, print_json, run_stage

__all__ = ["vocab_check", "vocab_extend", "vocab_report", "vocab_train", "vocab_trim"]


class Beginning(enum.StrEnum):
    """Where a new piece's row begins."""

    mean = "mean"
    similar = "similar"
    random = "random"


def vocab_train(
    settings: Annotated[
        list[str] | None,
        typer.Argument(metavar="[CORPUS | RECIPE.toml] [KEY=VALUE]...", help="A corpus folder or a recipe; settings."),
    ] = None,
    size: Annotated[int | None, typer.Option(help="How many ids in all.")] = None,
    alpha: Annotated[float | None, typer.Option(help="Languages are sampled by q ∝ p^alpha.")] = None,
    output: Annotated[Path | None, typer.Option(help="The folder to write.")] = None,
    as_json: AsJson = False,
    dry_run: DryRun = False,
) -> None:
    """A corpus → a vocabulary folder: SentencePiece on languages sampled by q ∝ p^alpha.

    \b
    isogloss vocab train corpus/ --size 250002 --alpha 0.3 --output vocab/
    isogloss vocab train recipes/smoke/vocab.toml corpus=corpus/ output=vocab/ memory_mb=8192
    """
    from isogloss.vocab import VocabSettings, train_vocabulary

    words = list(settings or [])
    if words and "=" not in words[0] and not words[0].endswith(".toml"):
        words[0] = f"corpus={words[0]}"
    options = {"size": size, "alpha": alpha, "output": output}
    words += [f"{key}={value}" for key, value in options.items() if value is not None]
    run_stage(VocabSettings, train_vocabulary, words, as_json=as_json, dry_run=dry_run)


def vocab_extend(
    model: ModelFolder,
    corpus: Annotated[Path, typer.Argument(metavar="CORPUS", help="A corpus folder with text of the new languages.")],
    languages: Annotated[str, typer.Option(help="Codes of the new languages, commas between them.")],
    add: Annotated[int, typer.Option(help="How many pieces to add.")],
    output: Annotated[Path, typer.Option(help="The model folder to write.")],
    init: Annotated[
        Beginning, typer.Option(help="A new row begins as the mean of the pieces before, of similar ones, or drawn.")
    ] = Beginning.mean,
    settings: Annotated[
        list[str] | None, typer.Argument(metavar="[KEY=VALUE]...", help="More settings, as share or alpha.")
    ] = None,
    as_json: AsJson = False,
    dry_run: DryRun = False,
) -> None:
    """A model with pieces of other languages more, to be pretrained further on them; old ids and scores stay.

    \b
    isogloss vocab extend xlm-roberta-base corpus/ --languages yo,ti --add 20000 --output xlmr-yo-ti
    isogloss vocab extend runs/demo/pretrain corpus/ --languages eu --add 500 --output more --init similar share=0.3
    """
    from rich.console import Console

    from isogloss.extend import ExtendSettings
    from isogloss.extend import extend as run_extension

    codes = listed(languages)
    options = {"model": model, "corpus": corpus, "add": add, "output": output, "init": init.value}
    words = [*(f"{key}={value}" for key, value in options.items()), f"languages={codes}", *(settings or [])]
    checked = checked_settings(ExtendSettings, words)
    if dry_run:
        print_json(checked.model_dump(mode="json"))
        return
    # Silent where nobody looks.
    with Console(stderr=True).status("") as status:
        done = run_extension(checked, say=status.update)
    if as_json:
        print_json(dataclasses.asdict(done))
        return
    for code, change in [*done.languages.items(), *done.others.items()]:
        typer.echo(
            f"{code}: {change.before.pieces_per_character:.3f} → {change.after.pieces_per_character:.3f} pieces a "
            f"character, {change.share_changed:.2%} of the words cut otherwise"
        )
    typer.echo(f"done: {done.path}, {done.num_added:,} pieces more", err=True)


def vocab_check(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A vocab or model folder, or a .model file.")],
    as_json: AsJson = False,
) -> None:
    """The certificate: ids, offsets and round trips beside SentencePiece and tokenizer.json; exit 2 if any differs.

    \b
    isogloss vocab check vocab/
    isogloss vocab check runs/demo/pretrain/model --json > certificate.json
    """
    from isogloss.errors import VocabularyError
    from isogloss.vocab.check import check_vocabulary

    certificate = check_vocabulary(folder)
    if as_json:
        print_json({**dataclasses.asdict(certificate), "agrees": certificate.agrees})
    else:
        typer.echo("\n".join([certificate.table(), *(f"\n{found}" for found in certificate.differences)]))
    if certificate.differences:
        by_program = Counter(found.against for found in certificate.differences)
        said = ", ".join(f"{number} beside {against}" for against, number in by_program.items())
        raise VocabularyError(f"{folder}: differences ({said}); what disagrees and how is on stdout")


def vocab_report(
    vocabularies: Annotated[
        list[Path],
        typer.Argument(metavar="VOCAB...", help="Vocab or model folders, .model files, folders of other tokenizers."),
    ],
    corpus: Annotated[Path, typer.Option(help="The text: a corpus folder, or one of LANG.txt.")],
    output: Annotated[
        Path | None,
        typer.Option(help="The folder for report.md, report.html and report.json; else Markdown on stdout."),
    ] = None,
    languages: Annotated[str, typer.Option(help="Codes separated by commas; all, if none is given.")] = "",
    parallel: Annotated[
        Path | None, typer.Option(help="LANG.txt, line by line translations: what each language costs over English.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """How vocabularies serve each language: pieces, unknown text, scripts; several side by side.

    \b
    isogloss vocab report vocab/ --corpus corpus/ --output report/
    isogloss vocab report vocab/ xlm-roberta-base/ --corpus texts/ --languages en,sw,th --json
    """
    from isogloss.cli.vocabulary_report import measure_vocabularies
    from isogloss.errors import FolderError
    from isogloss.manifest import MANIFEST_NAME
    from isogloss.vocab.report import PAGE_NAME, render_report, write_report

    # A corpus or vocabulary has files of these names that its manifest knows.
    if output is not None and (output / MANIFEST_NAME).exists():
        raise FolderError(
            f"{output} is a finished folder, whose own report would be lost; choose another for the report"
        )
    codes = listed(languages)
    values = measure_vocabularies(vocabularies, corpus, codes, parallel)
    if output is not None:
        output.mkdir(parents=True, exist_ok=True)
        write_report(output, values)
        typer.echo(f"done: {output / PAGE_NAME}", err=True)
    if as_json:
        print_json(values)
    elif output is None:
        typer.echo(render_report(values), nl=False)


def vocab_trim(
    model: ModelFolder,
    output: Annotated[Path, typer.Option(help="The model folder to write.")],
    corpus: Annotated[
        Path | None,
        typer.Option(help="Text to cover: a corpus folder, a folder with LANG.txt, or one file of lines."),
    ] = None,
    languages: Annotated[str, typer.Option(help="Codes, with commas between; if not given: all of the text.")] = "",
    coverage: Annotated[
        float, typer.Option(help="Share of each language's occurrences of pieces whose pieces stay; 1: all met.")
    ] = 1.0,
    as_json: AsJson = False,
    dry_run: DryRun = False,
) -> None:
    """A model → a smaller one of the same answers for some languages, without the pieces that they do not need.

    Special ids stay, and <mask> is last again. What the text does not have is no longer one piece but is read by
    smaller ones; report.md in the output says what. Without --corpus every piece stays that has no letter of another
    script than the languages': many more than with text.

    \b
    isogloss vocab trim xlm-roberta-base --corpus corpus/ --languages en,sw --output xlmr-en-sw
    isogloss vocab trim xlm-roberta-base --languages th --output xlmr-thai-script
    """
    from rich.console import Console

    from isogloss.config import make_settings
    from isogloss.trim import TrimSettings, trim

    codes = listed(languages)
    values = {"model": model, "corpus": corpus, "languages": codes, "coverage": coverage, "output": output}
    settings = make_settings(TrimSettings, values)
    if dry_run:
        print_json(settings.model_dump(mode="json"))
        return
    # Silent where nobody looks.
    with Console(stderr=True).status("") as status:
        done = trim(settings, say=status.update)
    if as_json:
        print_json(dataclasses.asdict(done))
        return
    for name, old in dataclasses.asdict(done.before).items():
        new = getattr(done.after, name)
        typer.echo(f"{name}: {old:,} → {new:,} ({new / old:.1%})")
    for code, row in done.languages.items():
        typer.echo(f"{code}: {row.coverage:.3%} of pieces covered, {row.unchanged:,} of {row.texts:,} lines as before")
    typer.echo(f"done: {done.path}", err=True)
