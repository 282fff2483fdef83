"""The sub-command that serves models over HTTP."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from isogloss.cli.ask import InPrecision, Precision
from isogloss.cli.stage import DryRun, OfLanguage, OnDevice, print_json

__all__ = ["serve"]


def serve(
    models: Annotated[
        list[str], typer.Argument(metavar="MODEL...", help="Model or run folders: FOLDER, or NAME=FOLDER to name one.")
    ],
    name: Annotated[str | None, typer.Option(help="Name of the model, where there is one.")] = None,
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 for all of this machine's.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on; 0 takes a free one.", min=0, max=65_535)] = 8080,
    api_key_file: Annotated[
        Path | None,
        typer.Option(help="File with the key that requests must bring; else the environment's ISOGLOSS_API_KEY."),
    ] = None,
    token_budget: Annotated[int, typer.Option(help="Tokens that are run together at most.", min=1)] = 4096,
    wait_ms: Annotated[float, typer.Option(help="Milliseconds that a request waits for others.", min=0)] = 3,
    workers: Annotated[int, typer.Option(help="Batches that run at once and share the cores.", min=1, max=64)] = 1,
    queue: Annotated[int, typer.Option(help="Requests that wait or run at once; beyond it 429.", min=1)] = 512,
    queue_tokens: Annotated[int, typer.Option(help="Their tokens; beyond it 429.", min=1)] = 131_072,
    max_body_bytes: Annotated[int, typer.Option(help="Bytes of a request.", min=1024)] = 8 << 20,
    max_texts: Annotated[int, typer.Option(help="Texts of a request.", min=1)] = 2048,
    max_characters: Annotated[int, typer.Option(help="Characters of a text.", min=1)] = 100_000,
    timeout: Annotated[float, typer.Option(help="Seconds to an answer; beyond it 504.", min=0.001)] = 60,
    read_timeout: Annotated[float, typer.Option(help="Seconds for a client to send; beyond it 408.", min=0.001)] = 20,
    shutdown_timeout: Annotated[
        float, typer.Option(help="Seconds for accepted requests to be answered after SIGTERM.", min=0.001)
    ] = 70,
    max_connections: Annotated[int, typer.Option(help="Open connections.", min=1)] = 1024,
    language: OfLanguage = None,
    device: OnDevice = "auto",
    precision: Precision = InPrecision.auto,
    dry_run: DryRun = False,
) -> None:
    """Serve models over HTTP: every head, OpenAI's and text-embeddings-inference's routes, a page to try them at /.

    Runs until SIGTERM or Ctrl-C, then answers what it has accepted. Logs are JSON lines on stderr.

    \b
    isogloss serve runs/ner runs/xnli --port 8080
    isogloss serve ner=runs/demo/ner-pretrained embed=runs/demo/pretrain --host 0.0.0.0 --api-key-file key.txt
    """
    from isogloss.config import make_settings
    from isogloss.errors import ConfigError
    from isogloss.serve import ServeSettings
    from isogloss.serve import serve as serve_models

    if name is not None:
        if len(models) > 1 or "=" in models[0]:
            raise ConfigError("--name is for one model; name each of several as NAME=FOLDER")
        models = [f"{name}={models[0]}"]
    settings = make_settings(
        ServeSettings,
        {
            "models": models,
            "host": host,
            "port": port,
            "device": device,
            "precision": precision.value,
            "language": language,
            "token_budget": token_budget,
            "wait_ms": wait_ms,
            "workers": workers,
            "queue_requests": queue,
            "queue_tokens": queue_tokens,
            "max_body_bytes": max_body_bytes,
            "max_texts": max_texts,
            "max_characters": max_characters,
            "timeout_seconds": timeout,
            "read_seconds": read_timeout,
            "shutdown_seconds": shutdown_timeout,
            "max_connections": max_connections,
            "api_key_file": api_key_file,
        },
        where="serve",
    )
    if dry_run:
        print_json(settings.model_dump(mode="json"))
        return
    sys.exit(serve_models(settings))
