"""OpenAI's routes: POST /v1/embeddings and GET /v1/models.

Vectors have length one, as OpenAI's have; `dimensions` keeps the first so many numbers and makes the length one again.
Lists of token ids are refused: they would be those of another vocabulary.
"""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Literal

from fastapi import FastAPI, Request, Response
from pydantic import Field, field_validator

from isogloss.serve.answers import base64_vector, compact, vector_json
from isogloss.serve.forms import Form
from isogloss.serve.models import Item, check_width
from isogloss.serve.service import Found, Service

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

    async def embeddings(request: Request) -> Response:
        form = await service.form(request, EmbeddingsForm)
        model = service.models.find(form.model, "embed")
        check_width(form.dimensions, model)
        items: list[Item] = [form.input] if isinstance(form.input, str) else list(form.input)
        options = {"normalise": True, "width": form.dimensions}
        found = await service.ask(request, model, "embed", items, options, names="input")
        body = await asyncio.to_thread(_body, found, model.name, base64=form.encoding_format == "base64")
        return Response(body, media_type="application/json")

    app.add_route("/v1/embeddings", embeddings, methods=["POST"])

    @app.get("/v1/models")
    async def models() -> Response:
        rows = [{"id": model.name, "object": "model", "created": 0, "owned_by": "isogloss"} for model in service.models]
        return Response(compact({"object": "list", "data": rows}), media_type="application/json")


def _body(found: Found, model: str, *, base64: bool) -> bytes:
    rows = []
    for index, vector in enumerate(found.answers):
        shown = b'"%s"' % base64_vector(vector).encode() if base64 else vector_json(vector)
        rows.append(b'{"object":"embedding","index":%d,"embedding":%s}' % (index, shown))
    num_tokens = sum(found.tokens)
    rest = compact({"model": model, "usage": {"prompt_tokens": num_tokens, "total_tokens": num_tokens}})
    return b'{"object":"list","data":[%s],%s' % (b",".join(rows), rest[1:])
