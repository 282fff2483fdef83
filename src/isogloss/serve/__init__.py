"""An HTTP server for models with any head: several of them, one queue, requests put together into batches.

    from isogloss.serve import ServeSettings, serve
    serve(ServeSettings(models=("runs/ner", "nli=runs/xnli"), port=8080))      # until SIGTERM or Ctrl-C

Needs the extra `serve`. `service.py` is the way of a request, `batching.py` the queue, `app.py` the table of routes.
"""

from __future__ import annotations

from importlib.util import find_spec

from isogloss.errors import MissingExtraError
from isogloss.serve.settings import API_KEY_VARIABLE, ServeSettings

__all__ = ["API_KEY_VARIABLE", "ServeSettings", "serve"]

PACKAGES = {"fastapi": "fastapi", "uvicorn": "uvicorn", "prometheus_client": "prometheus-client"}


def serve(settings: ServeSettings) -> int:
    """Serve until asked to stop; the exit code: 0 where all that was accepted was answered, else 1.

    Raises MissingExtraError, ConfigError for an address that cannot be had and a key that cannot be read, and what
    `predict.load` raises.
    """
    for module, package in PACKAGES.items():
        if find_spec(module) is None:
            raise MissingExtraError(package, "serve", "the server")
    from isogloss.serve.running import run_server

    return run_server(settings)
