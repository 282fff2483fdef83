"""Our own routes: /ask/fill-mask, /ask/classify, /ask/tag, /ask/answer and /ask/embed."""

from __future__ import annotations

import asyncio

from fastapi import FastAPI, Request, Response

from isogloss.serve.answers import answer_json
from isogloss.serve.forms import FORMS, QuestionForm
from isogloss.serve.service import Service

__all__ = ["add_routes"]

# From so many answers on, their JSON is written in a thread.
MANY_ANSWERS = 64


def add_routes(app: FastAPI, service: Service) -> None:
    """A route a question, of Starlette's: FastAPI's own would look for parameters that these have not."""
    for form in FORMS.values():
        app.add_route(f"/ask/{form.question}", _route(form, service), methods=["POST"])


def _route(kind: type[QuestionForm], service: Service):  # type: ignore[no-untyped-def]
    question = kind.question
    names = "questions" if question == "answer" else "texts"

    async def ask(request: Request) -> Response:
        form = await service.form(request, kind)
        model, options = service.models.find(form.model, question), form.options()
        found = await service.ask(request, model, question, form.items(), options, names=names)
        about = {"model": model.name, "tokens": sum(found.tokens)}
        if options.get("long") == "cut":
            cut = [at for at, size in enumerate(found.tokens) if size > model.max_length]
            about |= {"cut": cut} if cut else {}
        if len(found.answers) < MANY_ANSWERS:
            body = answer_json(question, found.answers, about)
        else:
            body = await asyncio.to_thread(answer_json, question, found.answers, about)
        return Response(body, media_type="application/json")

    return ask
