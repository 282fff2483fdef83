"""The routes of text-embeddings-inference: /embed, /predict, /rerank and /info.

Their requests, answers and errors are those of its version 1.7. Beside its own fields each takes `model`, as more than
one may be served. /rerank is for a sequence head with one label, as it is there.
"""

from __future__ import annotations

import asyncio
import math
from importlib import metadata
from typing import Annotated, Any, Literal

import numpy as np
from fastapi import FastAPI, Request, Response
from pydantic import Field

from isogloss.serve.answers import compact, vector_json
from isogloss.serve.forms import Form
from isogloss.serve.models import Item, ServedModel, check_width
from isogloss.serve.problems import Problem
from isogloss.serve.service import Service
from isogloss.tasks import FloatArray

__all__ = ["EmbedInputsForm", "PredictForm", "RerankForm", "add_routes"]

Text = Annotated[str, Field(min_length=1)]
Pair = Annotated[list[Text], Field(min_length=2, max_length=2)]
Texts = Annotated[list[Annotated[list[Text], Field(min_length=1, max_length=2)]], Field(min_length=1)]


class TeiForm(Form):
    """What its routes have in common."""

    truncate: bool | None = Field(None, description="Cut texts that are too long, which are else refused")
    truncation_direction: Literal["Right", "right"] = Field("Right", description="Texts are cut at their end")


class EmbedInputsForm(TeiForm):
    """A request of /embed."""

    inputs: Text | Annotated[list[Text], Field(min_length=1)] = Field(description="A text, or a list of them")
    normalize: bool = Field(True, description="Vectors of length one")
    dimensions: int | None = Field(None, ge=1, description="Numbers of a vector, at most the model's width")


class PredictForm(TeiForm):
    """A request of /predict."""

    inputs: Text | Pair | Texts = Field(description="A text, a pair as a list of two, or a list of lists of one or two")
    raw_scores: bool = Field(False, description="Logits instead of probabilities")


class RerankForm(TeiForm):
    """A request of /rerank."""

    query: Text
    texts: list[Text] = Field(min_length=1)
    raw_scores: bool = Field(False, description="Logits instead of their sigmoid")
    return_text: bool = Field(False, description="Each text beside its score")


def add_routes(app: FastAPI, service: Service) -> None:
    """All four routes."""

    async def embed(request: Request) -> Response:
        form = await service.form(request, EmbedInputsForm)
        model = service.models.find(form.model, "embed", unfit=424)
        check_width(form.dimensions, model)
        items: list[Item] = [form.inputs] if isinstance(form.inputs, str) else list(form.inputs)
        options = {"normalise": form.normalize, "width": form.dimensions}
        found = await service.ask(request, model, "embed", items, options, names="inputs", whole=not form.truncate)
        body = await asyncio.to_thread(lambda: b"[%s]" % b",".join(map(vector_json, found.answers)))
        return Response(body, media_type="application/json")

    async def predict(request: Request) -> Response:
        form = await service.form(request, PredictForm)
        model = service.models.find(form.model, "classify", unfit=424)
        items, batched = _rows(form.inputs)
        found = await service.ask(request, model, "score", items, {}, names="inputs", whole=not form.truncate)
        rows = [_predictions(logits, model, raw=form.raw_scores) for logits in found.answers]
        return Response(compact(rows if batched else rows[0]), media_type="application/json")

    async def rerank(request: Request) -> Response:
        form = await service.form(request, RerankForm)
        model = service.models.find(form.model, "score", unfit=424)
        if len(model.predictor.labels) != 1:
            message = (
                f"the model '{model.name}' has {len(model.predictor.labels)} labels; reranking needs a head with one"
            )
            raise Problem(424, "model_unfit", message, param="model")
        items: list[Item] = [(form.query, text) for text in form.texts]
        found = await service.ask(request, model, "score", items, {}, whole=not form.truncate)
        scores = [float(logits[0]) for logits in found.answers]
        ranks = [
            {"index": index, "score": scores[index] if form.raw_scores else _sigmoid(scores[index])}
            | ({"text": form.texts[index]} if form.return_text else {})
            for index in sorted(range(len(scores)), key=lambda index: -scores[index])
        ]
        return Response(compact(ranks), media_type="application/json")

    for path, route in {"/embed": embed, "/predict": predict, "/rerank": rerank}.items():
        app.add_route(path, route, methods=["POST"])

    @app.get("/info")
    async def info() -> Response:
        return Response(compact(_info(service)), media_type="application/json")


def _rows(inputs: str | list[str] | list[list[str]]) -> tuple[list[Item], bool]:
    """The items, and whether they came as a batch: a list of two strings is one pair."""
    if isinstance(inputs, str):
        return [inputs], False
    if isinstance(inputs[0], str):
        return [tuple(str(text) for text in inputs)], False
    return [tuple(row) if len(row) == 2 else row[0] for row in inputs], True


def _predictions(logits: FloatArray, model: ServedModel, *, raw: bool) -> list[dict[str, Any]]:
    """Labels with their scores, best first; a head with one label says how much of it there is."""
    if raw:
        scores = logits
    elif len(logits) == 1:
        scores = np.array([_sigmoid(float(logits[0]))])
    else:
        powers = np.exp(logits - logits.max())
        scores = powers / powers.sum()
    pairs = sorted(zip(model.predictor.labels, scores.tolist(), strict=True), key=lambda pair: -pair[1])
    return [{"score": score, "label": label} for label, score in pairs]


def _sigmoid(logit: float) -> float:
    return 1 / (1 + math.exp(-logit)) if logit >= 0 else math.exp(logit) / (1 + math.exp(logit))


def _info(service: Service) -> dict[str, Any]:
    """Of the first model that is served, as the form knows one."""
    model = next(iter(service.models))
    settings = service.settings
    labels = model.predictor.labels
    classifier = {"id2label": dict(enumerate(labels)), "label2id": {label: at for at, label in enumerate(labels)}}
    if model.head == "sequence":
        kind: dict[str, Any] = {"reranker" if len(labels) == 1 else "classifier": classifier}
    else:
        kind = {"embedding": {"pooling": "mean"}}
    return {
        "model_id": model.name,
        "model_sha": None,
        "model_dtype": "bfloat16" if "bf16" in model.predictor.runs_on else "float32",
        "model_type": kind,
        "max_concurrent_requests": settings.queue_requests,
        "max_input_length": model.max_length,
        "max_batch_tokens": settings.token_budget,
        "max_batch_requests": None,
        "max_client_batch_size": settings.max_texts,
        "auto_truncate": False,
        "tokenization_workers": 1,
        "version": metadata.version("isogloss"),
        "sha": None,
        "docker_label": None,
    }
