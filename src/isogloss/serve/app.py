"""The application: every route of the server, around one Service.

app = make_app(Service(models, settings, key=None, log=Log(sys.stderr)))

/ask/…                             the five questions, in our own form
/v1/embeddings /v1/models          as OpenAI's API has them
/embed /predict /rerank /info      as text-embeddings-inference has them
/models /health /ready /metrics    what is served, and how it is
/ /docs /openapi.json              to try and to read
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from importlib import metadata
from typing import Any

from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException

from isogloss.serve import asking, openai, tei
from isogloss.serve.description import describe
from isogloss.serve.front import Front, problem_headers
from isogloss.serve.page import DOCS, PAGE, page_response
from isogloss.serve.problems import Problem, problem_body
from isogloss.serve.reading import ClientLeft
from isogloss.serve.service import Service, seen_of
from isogloss.serve.status import add_status

__all__ = ["make_app"]


def make_app(service: Service) -> Front:
    """An ASGI application; its lifespan runs the queue."""

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        task = asyncio.create_task(service.batcher.run())
        yield
        task.cancel()

    app = FastAPI(
        title="isogloss",
        version=metadata.version("isogloss"),
        lifespan=lifespan,
        redirect_slashes=False,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
    )
    _add_errors(app)
    add_status(app, service)
    asking.add_routes(app, service)
    openai.add_routes(app, service)
    tei.add_routes(app, service)

    description: dict[str, Any] = describe(service)

    @app.get("/openapi.json")
    async def openapi() -> dict[str, Any]:
        return description

    @app.get("/")
    async def page() -> Response:
        return page_response(PAGE)

    @app.get("/docs")
    async def docs() -> Response:
        return page_response(DOCS)

    return Front(app, service, frozenset(getattr(route, "path", "") for route in app.routes))


def _add_errors(app: FastAPI) -> None:
    """Every error in the form of its route, Starlette's own too."""

    def told(request: Request, problem: Problem) -> Response:
        seen_of(request).problem = problem.code
        body = problem_body(problem, request.url.path)
        headers = {**problem_headers(problem), "content-type": "application/json"}
        return Response(body, status_code=problem.status, headers=headers)

    async def of_problem(request: Request, error: Exception) -> Response:
        assert isinstance(error, Problem)
        return told(request, error)

    async def of_starlette(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        if error.status_code == 404:
            return told(request, Problem(404, "not_found", "there is no such route; /docs shows those there are"))
        response = told(request, Problem(error.status_code, "method_not_allowed", "this route is asked in another way"))
        response.headers.update(error.headers or {})
        return response

    async def of_mistake(request: Request, error: Exception) -> Response:
        # The front logs it: Starlette raises it again behind this answer.
        return told(request, Problem(500, "internal_error", "the server made a mistake; its log says which"))

    async def left(request: Request, error: Exception) -> Response:
        seen_of(request).problem = "client_left"
        return Response(status_code=499)

    app.add_exception_handler(Problem, of_problem)
    app.add_exception_handler(HTTPException, of_starlette)
    app.add_exception_handler(ClientLeft, left)
    app.add_exception_handler(Exception, of_mistake)
