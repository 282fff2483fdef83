"""What every route works with: the models, the queue, and one way to have a request's texts answered in time.

    service = Service(models, settings, key=key, log=log)
    form = await service.form(request, TagForm)
    found = await service.ask(request, model, "tag", items, options)     # found.answers, found.tokens

Whatever stands between a request and its answers happens here: its body is read, its texts are counted, it waits and
runs, its client leaves or its time is up.
"""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import Sequence
from typing import Any, TypeVar

from fastapi import Request

from isogloss.errors import IsoglossError
from isogloss.serve.batching import Batcher, Job
from isogloss.serve.forms import Form, read_form
from isogloss.serve.logs import Log
from isogloss.serve.metrics import Metrics
from isogloss.serve.models import MOST_MASKS, Item, Models, Options, Question, ServedModel, parts_of
from isogloss.serve.problems import Problem
from isogloss.serve.reading import ClientLeft, parse_json, read_body
from isogloss.serve.settings import ApiKey, ServeSettings
from isogloss.vocab.layout import MASK_PIECE

__all__ = ["Found", "Seen", "Service", "seen_of"]

# A body of so many bytes is parsed in a thread.
LARGE_BODY = 1 << 16
# Texts of so many characters together are counted in a thread; fewer take less than the way there.
LARGE_TEXTS = 10_000

FormType = TypeVar("FormType", bound=Form)


@dataclasses.dataclass
class Seen:
    """What the log says of a request, filled in on its way."""

    request_id: str
    route: str
    begun: float = dataclasses.field(default_factory=time.monotonic)
    status: int = 0
    model: str | None = None
    question: str | None = None
    texts: int | None = None
    tokens: int | None = None
    queue_seconds: float | None = None
    run_seconds: float | None = None
    problem: str | None = None


@dataclasses.dataclass(frozen=True)
class Found:
    """The answers to a request's items, and the tokens of each item."""

    answers: list[Any]
    tokens: list[int]


def seen_of(request: Request) -> Seen:
    """The record of a request."""
    seen: Seen = request.scope["isogloss"]
    return seen


class Service:
    """One for each server. `draining` is set when it has been asked to stop: nothing new is accepted."""

    def __init__(self, models: Models, settings: ServeSettings, *, key: ApiKey | None, log: Log) -> None:
        self.models = models
        self.settings = settings
        self.key = key
        self.log = log
        self.metrics = Metrics()
        self.draining = False
        self.num_active = 0
        self.num_connections = 0
        self.batcher = Batcher(
            token_budget=settings.token_budget,
            wait_ms=settings.wait_ms,
            workers=settings.workers,
            queue_requests=settings.queue_requests,
            queue_tokens=settings.queue_tokens,
            observe=self.metrics.batch,
            report=self._report,
        )
        self.metrics.watch(self.batcher, lambda: self.num_connections)

    async def form(self, request: Request, kind: type[FormType]) -> FormType:
        """The body as this form. Raises Problem and ClientLeft."""
        settings, headers = self.settings, request.scope["headers"]
        body = await read_body(
            request.receive, headers, max_bytes=settings.max_body_bytes, seconds=settings.read_seconds
        )
        if len(body) < LARGE_BODY:
            return read_form(kind, parse_json(body), settings)
        return await asyncio.to_thread(lambda: read_form(kind, parse_json(body), settings))

    async def ask(
        self,
        request: Request,
        model: ServedModel,
        question: Question,
        items: Sequence[Item],
        options: Options,
        *,
        names: str = "texts",
        whole: bool = False,
    ) -> Found:
        """The answers. `names` is what the request calls its texts; where `whole`, none may be cut.

        Raises Problem (413, 422, 429, 500, 504) and ClientLeft.
        """
        deadline = time.monotonic() + self.settings.timeout_seconds
        self._check(question, items, names)
        self._check_options(options)
        sizes = await self._sizes(model, items)
        longest = max(range(len(sizes)), key=lambda at: sizes[at])
        if whole and sizes[longest] > model.max_length:
            message = f"{names}[{longest}] has {sizes[longest]:,} tokens, '{model.name}' reads {model.max_length}"
            raise Problem(413, "text_too_long", f"{message}; shorten it or cut it", param=f"{names}[{longest}]")
        seen = seen_of(request)
        seen.model, seen.question, seen.texts, seen.tokens = model.name, question, len(items), sum(sizes)
        job = self.batcher.submit(model, question, items, model.costs(question, items, sizes, options), options)
        try:
            await self._answered(request, job, deadline)
        finally:
            self.batcher.cancel(job)
            seen.queue_seconds, seen.run_seconds = job.queue_seconds, job.run_seconds
        return Found(job.answers, sizes)

    def _check(self, question: Question, items: Sequence[Item], names: str) -> None:
        """Raises Problem (413) for a text beyond the limits."""
        limit = self.settings.max_characters
        for at, item in enumerate(items):
            for text in parts_of(item):
                if len(text) > limit:
                    message = f"{names}[{at}] has {len(text):,} characters, a text may have {limit:,}; divide it"
                    raise Problem(413, "text_too_long", message, param=f"{names}[{at}]")
                if question == "fill-mask" and (number := text.count(MASK_PIECE)) > MOST_MASKS:
                    message = f"{names}[{at}] has {number:,} masks, a text may have {MOST_MASKS}; divide it"
                    raise Problem(413, "too_many_masks", message, param=f"{names}[{at}]")

    def _check_options(self, options: Options) -> None:
        """Raises Problem (413) for a label, a hypothesis or a target as long as no text may be."""
        for name, value in options.items():
            for one in value if isinstance(value, tuple) else (value,):
                if isinstance(one, str) and len(one) > self.settings.max_characters:
                    limit = self.settings.max_characters
                    message = f"{name} has {len(one):,} characters in one, there may be {limit:,}; shorten it"
                    raise Problem(413, "text_too_long", message, param=name)

    async def _sizes(self, model: ServedModel, items: Sequence[Item]) -> list[int]:
        num_characters = sum(len(part) for item in items for part in parts_of(item))
        if num_characters < LARGE_TEXTS:
            return model.sizes(items)
        return await asyncio.to_thread(model.sizes, items)

    async def _answered(self, request: Request, job: Job, deadline: float) -> None:
        # The body has been read: what comes next is that the client leaves.
        left: asyncio.Future[Any] = asyncio.ensure_future(request.receive())
        try:
            seconds = max(0.0, deadline - time.monotonic())
            both: set[asyncio.Future[Any]] = {job.future, left}
            await asyncio.wait(both, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            left.cancel()
        if not job.future.done():
            if left.done() and not left.cancelled():
                self.metrics.cancelled.inc()
                raise ClientLeft
            seconds = self.settings.timeout_seconds
            raise Problem(504, "timeout", f"there was no answer within {seconds:g} seconds; send fewer texts at once")
        try:
            job.future.result()
        except IsoglossError as error:
            raise Problem(422, "unanswerable", str(error)) from None

    def _report(self, error: BaseException) -> None:
        """A batch that failed for no fault of the request."""
        if not isinstance(error, IsoglossError):
            self.log.error(error)
