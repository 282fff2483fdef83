"""What is served and how it is: /models, /health, /ready and /metrics."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Response

from isogloss.serve.answers import compact
from isogloss.serve.metrics import CONTENT_TYPE
from isogloss.serve.models import ServedModel
from isogloss.serve.problems import Problem
from isogloss.serve.service import Service

__all__ = ["about_model", "add_status"]


def add_status(app: FastAPI, service: Service) -> None:
    """Routes that ask no model."""

    @app.get("/models")
    async def models() -> Response:
        return _json({"models": [about_model(model, service) for model in service.models]})

    @app.get("/health")
    async def health() -> Response:
        return _json({"status": "alive"})

    @app.get("/ready")
    async def ready() -> Response:
        if service.draining:
            raise Problem(503, "shutting_down", "the server is shutting down", retry_after=5)
        return _json({"status": "ready"})

    @app.get("/metrics")
    async def metrics() -> Response:
        return Response(service.metrics.text(), headers={"content-type": CONTENT_TYPE})


def about_model(model: ServedModel, service: Service) -> dict[str, Any]:
    """What a client can know of a model."""
    return {
        "name": model.name,
        "head": model.head,
        "questions": [question for question in model.questions if question != "score"],
        "default_for": [question for question in model.questions if service.models.default(question) is model],
        "labels": list(model.predictor.labels),
        "max_length": model.max_length,
        "width": model.width,
        "runs_on": model.predictor.runs_on,
    }


def _json(value: Any) -> Response:
    return Response(compact(value), media_type="application/json")
