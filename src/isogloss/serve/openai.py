"""OpenAI's routes: POST /v1/embeddings and GET /v1/models.

Vectors have length one, as OpenAI's have; `dimensions` keeps the first so many numbers and makes the length one again.
Lists of token ids are refused: they would be those of another vocabulary.
"""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Literal

import numpy as np
from fastapi import FastAPI, Request, Response
from pydantic import Field, field_validator

from isogloss.serve.answers import base64_vector, compact, vector_json
from isogloss.serve.forms import Form
from isogloss.serve.models import Item
from isogloss.serve.problems import Problem
from isogloss.serve.service import Service
from isogloss.tasks import FloatArray

__all__ = ["EmbeddingsForm", "add_routes"]

Text = Annotated[str, Field(min_length=1)]


class EmbeddingsForm(Form):
    """A request of OpenAI's API."""

    input: Text | Annotated[list[Text], Field(min_length=1)] = Field(description="A text, or a list of them")
    encoding_format: Literal["float", "base64"] = Field("float", description="Numbers, or base64 of float32")
    dimensions: int | None = Field(None, ge=1, description="Numbers of a vector, at most the model's width")
    user: str | None = Field(None, description="Taken and not looked at")

    @field_validator("input", mode="before")
    @classmethod
    def _no_ids(cls, value: Any) -> Any:
        if isinstance(value, list) and value and isinstance(value[0], int | list):
            raise ValueError(
                "token ids would be of another vocabulary; send texts (in LangChain, check_embedding_ctx_length=False)"
            )
        return value


def add_routes(app: FastAPI, service: Service) -> None:
    """Both routes."""

    @app.post("/v1/embeddings")
    async def embeddings(request: Request) -> Response:
        form = await service.form(request, EmbeddingsForm)
        model = service.models.find(form.model, "embed")
        if form.dimensions is not None and form.dimensions > model.width:
            message = f"dimensions = {form.dimensions} is more than the {model.width} of the model '{model.name}'"
            raise Problem(422, "invalid_request", message, param="dimensions")
        items: list[Item] = [form.input] if isinstance(form.input, str) else list(form.input)
        job = await service.ask(request, model, "embed", items, {"pooling": None, "normalise": True}, names="input")
        about = {"model": model.name, "tokens": sum(job.sizes)}
        body = await asyncio.to_thread(_body, job.answers, form, about)
        return Response(body, media_type="application/json")

    @app.get("/v1/models")
    async def models() -> Response:
        rows = [{"id": model.name, "object": "model", "created": 0, "owned_by": "isogloss"} for model in service.models]
        return Response(compact({"object": "list", "data": rows}), media_type="application/json")


def _body(vectors: list[FloatArray], form: EmbeddingsForm, about: dict[str, Any]) -> bytes:
    rows = []
    for index, vector in enumerate(vectors):
        if form.dimensions is not None:
            vector = vector[: form.dimensions]
            vector = vector / max(float(np.linalg.norm(vector)), 1e-12)
        shown = b'"%s"' % base64_vector(vector).encode() if form.encoding_format == "base64" else vector_json(vector)
        rows.append(b'{"object":"embedding","index":%d,"embedding":%s}' % (index, shown))
    usage = {"prompt_tokens": about["tokens"], "total_tokens": about["tokens"]}
    rest = compact({"model": about["model"], "usage": usage})
    return b'{"object":"list","data":[%s],%s' % (b",".join(rows), rest[1:])
