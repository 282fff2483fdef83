"""What the sub-commands share: the types of their arguments, and a stage run from its settings."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from isogloss.config import Settings, load_recipe, make_settings
from isogloss.errors import ConfigError

__all__ = [
    "AsJson",
    "DryRun",
    "ModelFolder",
    "OfLanguage",
    "OnDevice",
    "SettingsArguments",
    "checked_settings",
    "listed",
    "num_columns",
    "phrasebook_languages",
    "print_json",
    "run_stage",
]

SettingsArguments = Annotated[
    list[str] | None,
    typer.Argument(metavar="[RECIPE.toml] [KEY=VALUE]...", help="A recipe, then settings that override it."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON on stdout.")]
ModelFolder = Annotated[Path, typer.Argument(metavar="MODEL", help="A model folder, or a run folder that has one.")]
OfLanguage = Annotated[
    str | None, typer.Option("--language", help="Code of the texts' language, for a model that embeds it (XLM).")
]
OnDevice = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Check and print the settings, then stop.")]


def run_stage(
    kind: type[Settings], work: Callable[[Any], Any], arguments: list[str] | None, *, as_json: bool, dry_run: bool
) -> None:
    """Check the settings, do the work, and say what came of it."""
    settings = checked_settings(kind, arguments)
    if dry_run:
        print_json(settings.model_dump(mode="json"))
        return
    result = work(settings)
    if os.environ.get("RANK", "0") != "0":  # of the processes that torchrun started, the first one speaks
        return
    if as_json:
        print_json({"path": str(result)} if isinstance(result, Path) else dataclasses.asdict(result))
    else:
        where = result if isinstance(result, Path) else getattr(settings, "output", "")
        typer.echo(f"done: {where}", err=True)


def checked_settings(kind: type[Settings], arguments: list[str] | None) -> Any:
    """``[RECIPE.toml] [KEY=VALUE]...`` → checked settings."""
    given = list(arguments or [])
    if given and "=" not in given[0]:
        return load_recipe(given[0], kind, given[1:])
    return make_settings(kind, {}, given)


def listed(codes: str) -> list[str]:
    """Codes with commas between them, one by one."""
    return [code.strip() for code in codes.split(",") if code.strip()]


def phrasebook_languages(text: str) -> list[str]:
    """Codes of ``--languages``, English first for 'all'. Raises ConfigError where it names none."""
    from isogloss.phrasebook import LANGUAGES

    if text == "all":
        return ["en", *[code for code in LANGUAGES if code != "en"]]
    codes = listed(text)
    if not codes:
        raise ConfigError(f"--languages {text!r} names no language; give codes with commas between them, or 'all'")
    return codes


def num_columns() -> int:
    """The width of the terminal, or of the environment's COLUMNS; 100 where neither says."""
    return shutil.get_terminal_size((100, 24)).columns


def print_json(value: object) -> None:
    """A result on stdout, indented; what JSON has no word for (a path) becomes its string."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str))
