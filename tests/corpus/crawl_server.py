"""A server on loopback that has a crawl, and what goes wrong with servers: a list of mishaps for each path.

    with CrawlServer({"crawl-data/X/wet.paths.gz": content}) as server:
        server.mishaps["crawl-data/X/wet.paths.gz"] = [Mishap(503, retry_after="1"), Mishap(break_after=100)]
        server.url, server.requests

Each request takes one mishap of its path's list; when none is left, the server answers as it should: Range and If-Range
with a strong ETag, which is the MD5 of the content. Every request is kept, with the time it came.
"""

from __future__ import annotations

import base64
import hashlib
import re
import threading
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any


@dataclass(frozen=True)
class Mishap:
    """What goes wrong with one answer; without anything, it is right."""

    status: int = 0  # answered instead of 200 or 206, without a body
    retry_after: str = ""
    break_after: int | None = None  # bytes of the body, then the connection is closed
    length_off_by: int = 0  # added to Content-Length
    body: bytes | None = None  # sent instead of the content, with its own length
    ignores_range: bool = False  # 200 and the whole content, whatever was asked for
    range_off_by: int = 0  # the part begins elsewhere than asked for
    ignores_if_range: bool = False
    no_validators: bool = False  # neither ETag nor Last-Modified
    content_md5: bytes | None = None  # of which the header tells the MD5
    silent_seconds: float = 0.0  # before the answer
    changes_to: bytes | None = None  # what the file is after this answer


@dataclass(frozen=True)
class Asked:
    """A request that came."""

    path: str
    headers: Mapping[str, str]
    at: float


class CrawlServer:
    """``files`` by path without the first slash; both tables may be changed while it runs."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self.files = dict(files)
        self.mishaps: dict[str, list[Mishap]] = defaultdict(list)
        self.requests: list[Asked] = []
        self.most_at_once = 0
        self._at_once = 0
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> CrawlServer:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def asked(self, path: str) -> list[Asked]:
        return [request for request in self.requests if request.path == path]

    def begin(self, path: str, headers: Mapping[str, str]) -> Mishap:
        with self._lock:
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
            self.requests.append(Asked(path, dict(headers), time.monotonic()))
            return self.mishaps[path].pop(0) if self.mishaps[path] else Mishap()

    def end(self) -> None:
        with self._lock:
            self._at_once -= 1


def _handler(owner: CrawlServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *arguments: Any) -> None:
            pass

        def do_GET(self) -> None:
            path = self.path.lstrip("/")
            mishap = owner.begin(path, self.headers)
            try:
                time.sleep(mishap.silent_seconds)
                self._answer(path, mishap)
            except (BrokenPipeError, ConnectionResetError):
                pass
            finally:
                self.close_connection = True
                owner.end()

        def _answer(self, path: str, mishap: Mishap) -> None:
            if mishap.status or path not in owner.files:
                self.send_response(mishap.status or 404)
                if mishap.retry_after:
                    self.send_header("Retry-After", mishap.retry_after)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            content = owner.files[path]
            etag = f'"{hashlib.md5(content).hexdigest()}"'
            begin = self._begin_of_range(etag, mishap)
            if begin >= len(content) > 0:
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(content)}")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            is_part = begin > 0
            begin = max(0, begin + mishap.range_off_by) if is_part else 0
            body = content[begin:] if mishap.body is None else mishap.body
            self.send_response(206 if is_part else 200)
            if is_part:
                self.send_header("Content-Range", f"bytes {begin}-{len(content) - 1}/{len(content)}")
            if not mishap.no_validators:
                self.send_header("ETag", etag)
            if mishap.content_md5 is not None:
                digest = hashlib.md5(mishap.content_md5).digest()
                self.send_header("Content-MD5", base64.b64encode(digest).decode())
            self.send_header("Content-Length", str(len(body) + mishap.length_off_by))
            self.end_headers()
            if mishap.changes_to is not None:
                owner.files[path] = mishap.changes_to
            self.wfile.write(body if mishap.break_after is None else body[: mishap.break_after])

        def _begin_of_range(self, etag: str, mishap: Mishap) -> int:
            match = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
            condition = self.headers.get("If-Range", etag)
            if match is None or mishap.ignores_range or (condition != etag and not mishap.ignores_if_range):
                return 0
            return int(match[1])

    return Handler
