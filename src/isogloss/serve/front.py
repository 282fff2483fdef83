"""What each request meets first and last: its id, the API key, the line in the log, and errors as JSON.

The outermost layer of the application, an ASGI application around another. Nothing that goes wrong behind it reaches a
client as anything but JSON, and no traceback reaches anybody.
"""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from isogloss.serve.problems import Problem, problem_body
from isogloss.serve.service import Seen, Service

__all__ = ["OPEN_ROUTES", "Front", "problem_headers"]

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

# Answered without a key: what load balancers ask, and pages that hold nothing of the models.
OPEN_ROUTES = frozenset({"/", "/docs", "/health", "/ready"})
REQUEST_ID = re.compile(rb"[A-Za-z0-9._:-]{1,128}")
# After these the rest of a body may still be on its way.
CLOSING = frozenset({401, 408, 413, 415, 503})


class Front:
    """`app` behind the door; `routes` are the paths that a metric may name."""

    def __init__(self, app: App, service: Service, routes: frozenset[str]) -> None:
        self.app = app
        self.service = service
        self.routes = routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path = scope["path"]
        headers = dict(scope["headers"])
        given = headers.get(b"x-request-id", b"")
        request_id = given.decode("ascii") if REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
        seen = Seen(request_id, path if path in self.routes else "other")
        scope["isogloss"] = seen

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                seen.status = message["status"]
                message["headers"] = [*message.get("headers", ()), (b"x-request-id", request_id.encode("ascii"))]
            await send(message)

        self.service.num_active += 1
        try:
            self._admit(path, scope["method"], headers)
            await self.app(scope, receive, answer)
        except Problem as problem:
            await self._refuse(problem, path, seen, answer)
        except Exception as error:
            self.service.log.error(error, request_id=request_id)
            if not seen.status:
                await self._refuse(Problem(500, "internal_error", "the server made a mistake"), path, seen, answer)
        finally:
            self.service.num_active -= 1
            self._tell(seen, scope["method"])

    def _admit(self, path: str, method: str, headers: dict[bytes, bytes]) -> None:
        """Raises Problem (401, 503)."""
        key = self.service.key
        if key is not None and path not in OPEN_ROUTES and not key.matches(headers.get(b"authorization", b"")):
            raise Problem(401, "invalid_api_key", "this server wants the header 'Authorization: Bearer KEY'")
        if self.service.draining and method == "POST":
            raise Problem(503, "shutting_down", "the server is shutting down; ask another one", retry_after=5)

    @staticmethod
    async def _refuse(problem: Problem, path: str, seen: Seen, send: Send) -> None:
        seen.problem = problem.code
        body = problem_body(problem, path)
        headers = [(name.encode("ascii"), value.encode("ascii")) for name, value in problem_headers(problem).items()]
        headers += [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode("ascii"))]
        await send({"type": "http.response.start", "status": problem.status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def _tell(self, seen: Seen, method: str) -> None:
        seconds = time.monotonic() - seen.begun
        self.service.metrics.request(seen.route, seen.status, seconds, seen.queue_seconds)
        self.service.log.write(
            "request",
            level="error" if seen.status >= 500 else "info",
            request_id=seen.request_id,
            method=method if method.isalpha() and len(method) < 10 else "other",
            route=seen.route,
            status=seen.status,
            problem=seen.problem,
            model=seen.model,
            question=seen.question,
            texts=seen.texts,
            tokens=seen.tokens,
            queue_ms=_milliseconds(seen.queue_seconds),
            run_ms=_milliseconds(seen.run_seconds),
            total_ms=_milliseconds(seconds),
        )


def problem_headers(problem: Problem) -> dict[str, str]:
    """The headers that go with a problem."""
    headers = {}
    if problem.status == 401:
        headers["www-authenticate"] = "Bearer"
    if problem.retry_after is not None:
        headers["retry-after"] = str(problem.retry_after)
    if problem.status in CLOSING:
        headers["connection"] = "close"
    return headers


def _milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else round(1000 * seconds, 2)
