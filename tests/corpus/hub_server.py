"""A Hub on loopback: one repository of files, as much of its interface as listing and reading take."""

from __future__ import annotations

import contextlib
import hashlib
import json
import threading
import urllib.parse
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

SHA = hashlib.sha1(b"commit").hexdigest()


class Hub:
    """Serves ``files`` of the data set ``repository``; ``requests`` are what was asked, ``broken`` paths answer 500."""

    def __init__(self, repository: str, files: Mapping[str, bytes]) -> None:
        self.repository, self.files = repository, dict(files)
        self.requests: list[tuple[str, str, str]] = []
        self.broken: set[str] = set()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"hub": self}))
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.address = f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def entry(self, path: str) -> dict[str, Any]:
        content = self.files[path]
        oid = hashlib.sha1(content).hexdigest()
        return {"type": "file", "path": path, "size": len(content), "oid": oid}

    def below(self, folder: str, *, recursive: bool) -> list[dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        start = f"{folder}/" if folder else ""
        for path in sorted(self.files):
            if path.startswith(start):
                parts = path.removeprefix(start).split("/")
                for depth in range(1, len(parts)):
                    name = start + "/".join(parts[:depth])
                    if recursive or depth == 1:
                        found.setdefault(name, {"type": "directory", "path": name, "size": 0, "oid": SHA})
                if recursive or len(parts) == 1:
                    found[path] = self.entry(path)
        return list(found.values())


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: Hub

    def log_message(self, *words: object) -> None:
        pass

    def answer(self, status: int, content: bytes, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def answer_json(self, value: Any) -> None:
        self.answer(200, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        path = urllib.parse.unquote(path)
        self.hub.requests.append((self.command, path, self.headers.get("Range", "")))
        api = f"/api/datasets/{self.hub.repository}"
        resolve = f"/datasets/{self.hub.repository}/resolve/"
        if path.startswith(resolve):
            self.send_file(path.removeprefix(resolve).partition("/")[2])
        elif path == api or path.startswith(f"{api}/revision/"):
            siblings = [{"rfilename": name} for name in sorted(self.hub.files)]
            self.answer_json(
                {"id": self.hub.repository, "sha": SHA, "siblings": siblings, "tags": [], "private": False}
            )
        elif path.startswith(f"{api}/tree/"):
            folder = path.removeprefix(f"{api}/tree/").partition("/")[2]
            found = self.hub.below(folder, recursive="recursive=true" in query.lower())
            self.answer_json(found) if found else self.answer(404, b"{}", {"X-Error-Code": "EntryNotFound"})
        else:
            self.answer(404, b"", {"X-Error-Code": "RepoNotFound"})

    do_HEAD = do_GET

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        self.hub.requests.append(("POST", self.path, body))
        if "paths-info" not in self.path:
            self.answer(404, b"")
            return
        paths = json.loads(body)["paths"] if body.startswith("{") else urllib.parse.parse_qs(body).get("paths", [])
        folders = {entry["path"]: entry for entry in self.hub.below("", recursive=True)}
        self.answer_json([folders[path] for path in paths if path in folders])

    def send_file(self, path: str) -> None:
        if path not in self.hub.files:
            self.answer(404, b"", {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": SHA})
            return
        if path in self.hub.broken:
            self.answer(403, b"gone")
            return
        content = self.hub.files[path]
        headers = {"X-Repo-Commit": SHA, "ETag": f'"{self.hub.entry(path)["oid"]}"', "Accept-Ranges": "bytes"}
        wanted = self.headers.get("Range", "")
        if wanted.startswith("bytes="):
            first, _, last = wanted.removeprefix("bytes=").partition("-")
            end = min(int(last) + 1 if last else len(content), len(content))
            headers["Content-Range"] = f"bytes {first}-{end - 1}/{len(content)}"
            self.answer(206, content[int(first) : end], headers)
        else:
            self.answer(200, content, headers)


@contextlib.contextmanager
def served(repository: str, files: Mapping[str, bytes], cache: Path) -> Iterator[Hub]:
    """A Hub that `datasets` and `huggingface_hub` take for theirs meanwhile, with an empty cache of its own."""
    import datasets
    import huggingface_hub.constants
    import huggingface_hub.hf_api

    server = Hub(repository, files)
    with pytest.MonkeyPatch.context() as patch:
        # The libraries have read their environment when another test loaded them.
        for owner, name in (
            (datasets.config, "HF_ENDPOINT"),
            (huggingface_hub.constants, "ENDPOINT"),
            (huggingface_hub.hf_api.api, "endpoint"),
        ):
            patch.setattr(owner, name, server.address)
        patch.setenv("HF_ENDPOINT", server.address)
        for owner in (datasets.config, huggingface_hub.constants):
            patch.setattr(owner, "HF_HUB_OFFLINE", False)
        template = "HUGGINGFACE_CO_URL_TEMPLATE"
        patch.setattr(huggingface_hub.constants, template, server.address + "/{repo_id}/resolve/{revision}/{filename}")
        patch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(cache))
        patch.setattr(datasets.config, "HF_DATASETS_CACHE", str(cache))
        patch.setattr(datasets.config, "HF_MODULES_CACHE", str(cache))
        yield server
        huggingface_hub.HfFileSystem.clear_instance_cache()
    server.close()
