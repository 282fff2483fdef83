"""The process: models are loaded, an address is listened on, and after SIGTERM what was accepted is answered.

    exit_code = run_server(settings)

A first SIGTERM or Ctrl-C: /ready and new questions get 503, accepted ones are answered, within `shutdown_seconds`, and
the process ends with 0. A second one, or the end of that time, ends it at once with 1.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from types import FrameType
from typing import Any, cast

import uvicorn

from isogloss.errors import ConfigError
from isogloss.serve.app import make_app
from isogloss.serve.logs import Log
from isogloss.serve.models import load_models
from isogloss.serve.protocol import GuardedProtocol
from isogloss.serve.service import Service
from isogloss.serve.settings import ServeSettings, read_api_key

__all__ = ["Server", "listen", "run_server"]

SIGNALS = (signal.SIGINT, signal.SIGTERM)
KEEP_ALIVE_SECONDS = 30
# For connections to close once all is answered.
CLOSING_SECONDS = 2


class Server(uvicorn.Server):
    """uvicorn's server around a service; `gave_up` where something accepted was not answered."""

    def __init__(self, service: Service) -> None:
        settings = service.settings
        protocol = functools.partial(
            GuardedProtocol, seconds=settings.read_seconds, max_connections=settings.max_connections
        )
        super().__init__(
            uvicorn.Config(
                make_app(service),
                http=cast(type[asyncio.Protocol], protocol),
                ws="none",
                loop="auto",
                lifespan="on",
                log_config=None,
                log_level="critical",
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_keep_alive=KEEP_ALIVE_SECONDS,
                timeout_graceful_shutdown=CLOSING_SECONDS,
            )
        )
        self.service = service
        self.gave_up = False
        self._until: float | None = None

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """As uvicorn does, without sending the signals to itself again at the end: it ends with an exit code."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self.handle_exit) for number in SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A first signal begins the end, a second one is the end."""
        if self.service.draining:
            self.gave_up = self.force_exit = self.should_exit = True
        self.service.draining = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Log the address once connections are taken there."""
        await super().startup(sockets)
        host, port = (sockets or self.servers[0].sockets)[0].getsockname()[:2]
        shown = f"[{host}]" if ":" in host else host
        names = [model.name for model in self.service.models]
        self.service.log.write(
            "listening", url=f"http://{shown}:{port}", models=names, needs_key=self.service.key is not None
        )

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second; whether to stop listening."""
        service = self.service
        service.num_connections = len(self.server_state.connections)
        if service.draining and not self.should_exit:
            now = time.monotonic()
            if self._until is None:
                self._until = now + service.settings.shutdown_seconds
                service.log.write("stopping", waiting=service.batcher.num_requests)
            if now > self._until and not self.gave_up:
                self.gave_up = True
                service.log.write("gave_up", level="error", unanswered=service.batcher.num_requests)
                service.batcher.give_up()
            self.should_exit = service.num_active == 0 or now > self._until + CLOSING_SECONDS
        return await super().on_tick(counter)


def listen(settings: ServeSettings) -> socket.socket:
    """A socket at the settings' address, which nobody can connect to yet, as models take a while to load.

    Raises ConfigError for one that cannot be had.
    """
    where = f"{settings.host}:{settings.port}"
    try:
        family, *_, address = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[0]
        with contextlib.ExitStack() as opened:
            listener = opened.enter_context(socket.socket(family))
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(cast(Any, address))
            opened.pop_all()
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConfigError(f"cannot listen on {where}: {reason}; set --host and --port to a free address") from None
    return listener


def run_server(settings: ServeSettings) -> int:
    """Serve until asked to stop; the exit code."""
    # By default a thread that has waited for an operation of torch waits 5 ms more where the event loop is busy.
    sys.setswitchinterval(0.0005)
    key = read_api_key(settings)
    with listen(settings) as listener:
        log = Log(sys.stderr)
        server = Server(Service(load_models(settings), settings, key=key, log=log))
        server.run(sockets=[listener])
    log.write("stopped", gave_up=server.gave_up)
    log.close()
    if server.gave_up:
        # A batch may still be at work in its thread, which Python would wait for.
        os._exit(1)
    return 0
