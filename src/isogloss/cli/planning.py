"""The sub-command that is called before a run: what pretraining will take."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from isogloss.cli.stage import AsJson, SettingsArguments, checked_settings, print_json

__all__ = ["plan"]


def plan(
    settings: SettingsArguments = None,
    device: Annotated[
        str, typer.Option(help="cpu, cuda or auto: timed on this machine. A name as h100 or a100: from a table.")
    ] = "auto",
    devices: Annotated[int, typer.Option(min=1, help="How many of them; they share a step's sequences.")] = 1,
    price_per_hour: Annotated[
        float | None, typer.Option(min=0, help="What an hour of one device costs, in any currency.")
    ] = None,
    share: Annotated[
        float | None, typer.Option(min=0.001, max=1, help="Share of a table's peak that is reached, if it is known.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """What a pretraining recipe, or a study, takes: parameters, memory, tokens/s, days, device-hours, cost, disk.

    Shards need not be there yet; with them, epochs by language are said too. Where the recipe or a setting names the
    run, its folder keeps the plan, and the run compares itself with it after 50 steps. Of a study it plans every cell.

    \b
    isogloss plan model.preset=base steps=1500000 --device h100 --devices 8 --price-per-hour 2.5
    isogloss plan recipes/studies/languages.toml budget=gpu output=runs/studies/languages --device h100
    """
    from pydantic import Field

    from isogloss.plan import keep_plan, make_plan, report
    from isogloss.pretrain import PretrainSettings
    from isogloss.shards import Shards
    from isogloss.studies import is_study, load_study
    from isogloss.studies.plans import plan_study, plan_text

    if settings and is_study(settings[0]):
        study = load_study(settings[0], settings[1:])
        planned = plan_study(study, device=device, num_devices=devices, share_of_peak=share)
        if as_json:
            print_json([{"cell": one.name, "seeds": one.num_seeds, **one.plan.as_dict()} for one in planned])
        else:
            typer.echo(plan_text(study, planned, price_per_hour=price_per_hour), nl=False)
        return

    class PlannedSettings(PretrainSettings):
        """A pretraining run whose folders need not be there yet."""

        run: Path = Field(Path())
        shards: Path = Field(Path())
        vocabulary: Path = Field(Path())

    checked = checked_settings(PlannedSettings, settings)
    named = checked.model_fields_set
    there = "shards" in named and checked.shards.exists()
    made = make_plan(
        checked,
        device=device,
        num_devices=devices,
        price_per_hour=price_per_hour,
        share_of_peak=share,
        shards=Shards.open(checked.shards) if there else None,
    )
    if "run" in named:
        typer.echo(f"kept: {keep_plan(made, checked, checked.run)}", err=True)
    if as_json:
        print_json(made.as_dict())
    else:
        typer.echo(report(made))
