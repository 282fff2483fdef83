"""uvicorn's HTTP/1.1 protocol with what it leaves open: clients that send or read too slowly, and too many of them.

uvicorn waits for the head of a request, and for an answer to be read, as long as the client likes. Here a head that is
not there in time, and one that is no HTTP, get an answer in JSON and the connection is closed; an answer of which
nothing was read for as long is given up, with its memory.
"""

from __future__ import annotations

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from isogloss.serve.problems import Problem, problem_body

__all__ = ["GuardedProtocol"]

REASONS = {400: "Bad Request", 408: "Request Timeout", 503: "Service Unavailable"}


class GuardedProtocol(H11Protocol):
    """A connection. `seconds` are those for a request's head, and without a byte of an answer read."""

    def __init__(self, *args: Any, seconds: float, max_connections: int, **more: Any) -> None:
        super().__init__(*args, **more)
        self.seconds = seconds
        self.max_connections = max_connections
        self._head_timer: asyncio.TimerHandle | None = None
        self._any_byte = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > self.max_connections:
            self._close_with(Problem(503, "too_many_connections", "too many connections are open; try again"))
            return
        self._await_head()

    def data_received(self, data: bytes) -> None:
        self._any_byte = True
        super().data_received(data)
        self._watch_head()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._watch_head()
        if (unread := self.transport.get_write_buffer_size()) > 0:
            self.loop.call_later(self.seconds, self._give_up_unread, unread)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """What h11 cannot read; a protocol error of the client."""
        self._close_with(Problem(400, "invalid_http", "this is not an HTTP/1.1 request"))

    def _watch_head(self) -> None:
        """The clock runs from the first byte of a head to its last."""
        if self.conn.their_state is h11.IDLE and self.conn.trailing_data[0]:
            self._await_head()
        elif self.conn.their_state is not h11.IDLE:
            self._stop_waiting()

    def _await_head(self) -> None:
        if self._head_timer is None:
            self._head_timer = self.loop.call_later(self.seconds, self._head_is_late)

    def _stop_waiting(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _head_is_late(self) -> None:
        self._head_timer = None
        if self._any_byte:
            message = f"the head of the request did not arrive within {self.seconds:g} seconds"
            self._close_with(Problem(408, "request_timeout", message))
        else:
            self.transport.close()

    def _close_with(self, problem: Problem) -> None:
        """An answer past the application, unless one is on its way."""
        if self.cycle is None or self.cycle.response_complete or not self.cycle.response_started:
            body = problem_body(problem, "")
            head = (
                f"HTTP/1.1 {problem.status} {REASONS[problem.status]}\r\ncontent-type: application/json\r\n"
                f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
            )
            self.transport.write(head.encode("ascii") + body)
        self.transport.close()

    def _give_up_unread(self, before: int) -> None:
        unread = self.transport.get_write_buffer_size()
        if unread and unread >= before:
            self.transport.abort()
        elif unread:
            self.loop.call_later(self.seconds, self._give_up_unread, unread)
