"""A folder of tiny models with every head, servers on loopback in a thread or a process, and a client that is bare."""

from __future__ import annotations

import io
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

TEXTS = [
    "Anna lives in Oslo.",
    "the moon is here and the dog runs near the river",
    "安娜住在奥斯陆。",
    "แอนนาอาศัยอยู่ในออสโล",
    "آنا تعيش في أوسلو",
]
LABELS = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")
NLI = ("contradiction", "entailment", "neutral")


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """mlm, nli, ner, qa, rank: a model of random weights for each head, and one vocabulary."""
    import sentencepiece
    import torch

    from isogloss.checkpoint import save_model
    from isogloss.heads import TaskModel
    from isogloss.model import Encoder, MaskedLM, ModelSettings, initialise
    from isogloss.vocab import MODEL_NAME, Vocabulary
    from isogloss.vocab.hub import write_hub_files

    folder = tmp_path_factory.mktemp("served")
    content = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(TEXTS * 5), model_writer=content, vocab_size=160, hard_vocab_limit=False, minloglevel=2
    )
    (folder / "vocab").mkdir()
    (folder / "vocab" / MODEL_NAME).write_bytes(content.getvalue())
    vocabulary = Vocabulary.load(folder / "vocab")
    write_hub_files(folder / "vocab", vocabulary)
    shape = ModelSettings(
        vocabulary_size=vocabulary.size, width=32, num_layers=2, num_heads=2, feedforward=64, max_length=64
    )
    made = {
        "mlm": MaskedLM(shape),
        "nli": TaskModel(Encoder(shape), "sequence", NLI),
        "ner": TaskModel(Encoder(shape), "token", LABELS),
        "qa": TaskModel(Encoder(shape), "question", ()),
        "rank": TaskModel(Encoder(shape), "sequence", ("relevance",)),
    }
    for name, model in made.items():
        initialise(model, seed=6)
        # Random weights of the usual size all but agree with each other: larger ones tell texts apart.
        with torch.no_grad():
            for weight in model.parameters():
                weight.mul_(6 if weight.ndim > 1 else 1)
        save_model(folder / name, model, vocabulary_folder=folder / "vocab", parents=[], command="test", card="Test.")
    return folder


@dataclass
class Answer:
    """A response, read whole."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Client:
    """Requests to one port; each on a connection of its own."""

    port: int
    headers: Mapping[str, str] = field(default_factory=dict)

    def __call__(
        self,
        method: str,
        path: str,
        value: Any = None,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] = {},
        seconds: float = 60,
    ) -> Answer:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=seconds)
        if value is not None:
            body = json.dumps(value).encode()
        kind = {"content-type": "application/json"} if body is not None else {}
        try:
            connection.request(method, path, body, {**kind, **self.headers, **headers})
            response = connection.getresponse()
            return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
        finally:
            connection.close()

    def get(self, path: str, **more: Any) -> Answer:
        return self("GET", path, **more)

    def post(self, path: str, value: Any = None, **more: Any) -> Answer:
        return self("POST", path, value, **more)

    def raw(self, content: bytes, *, seconds: float = 30) -> bytes:
        """Bytes sent as they are; all that comes back until the server closes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=seconds) as connection:
            connection.sendall(content)
            found = b""
            while chunk := connection.recv(65_536):
                found += chunk
            return found


@dataclass
class Running:
    """A server in a thread of this process: the client for it, its service, and the lines it has logged."""

    client: Client
    service: Any
    server: Any
    stream: io.StringIO

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]

    def logged(self, request_id: str) -> dict[str, Any]:
        """The line of a request, which is written a moment after its answer."""
        return wait_for(
            lambda: next((line for line in self.lines if line.get("request_id") == request_id), None), "no such line"
        )


def wait_for(value: Callable[[], Any], problem: str, *, seconds: float = 60) -> Any:
    """What `value` gives once that is true."""
    end = time.monotonic() + seconds
    while not (found := value()):
        assert time.monotonic() < end, problem
        time.sleep(0.01)
    return found


@pytest.fixture(scope="session")
def loaded(models: Path) -> Any:
    """All five models, read once."""
    from isogloss.serve.models import load_models
    from isogloss.serve.settings import ServeSettings

    names = ("mlm", "nli", "ner", "qa", "rank")
    return load_models(
        ServeSettings(models=tuple(f"{models / name}" for name in names), device="cpu", precision="fp32")
    )


@pytest.fixture(scope="session")
def start(loaded: Any) -> Iterator[Callable[..., Running]]:
    """Starts a server of these models with these settings in a thread; at the end all are stopped."""
    from isogloss.serve.logs import Log
    from isogloss.serve.models import Models
    from isogloss.serve.running import Server, listen
    from isogloss.serve.service import Service
    from isogloss.serve.settings import ApiKey, ServeSettings

    started: list[tuple[Server, threading.Thread]] = []

    def begin(*, only: tuple[str, ...] = (), key: str = "", served: Models = loaded, **settings: Any) -> Running:
        chosen = Models([model for model in served if not only or model.name in only])
        given = ServeSettings(models=("here",), port=0, **settings)
        stream = io.StringIO()
        listener = listen(given)
        made: list[Any] = []

        def work() -> None:
            server = Server(Service(chosen, given, key=ApiKey(key) if key else None, log=Log(stream)))
            made.append(server)
            server.run(sockets=[listener])

        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        server = wait_for(lambda: made and made[0].started and made[0], "the server did not start")
        started.append((server, thread))
        return Running(Client(listener.getsockname()[1]), server.service, server, stream)

    yield begin
    for server, thread in started:
        server.should_exit = True
        thread.join(30)
        assert not thread.is_alive()


@pytest.fixture(scope="session")
def everything(start: Callable[..., Running]) -> Running:
    """A server with all five models and the settings as they come."""
    return start()


@pytest.fixture
def spawn(models: Path) -> Iterator[Callable[..., tuple[subprocess.Popen[str], Client]]]:
    """Starts `isogloss serve` as a process of its own; gives it and a client, its stderr read up to `listening`."""
    processes: list[subprocess.Popen[str]] = []

    def begin(
        *words: str,
        served: tuple[str, ...] = ("mlm", "ner"),
        environment: Mapping[str, str] = {},
    ) -> tuple[subprocess.Popen[str], Client]:
        folders = [str(models / name) for name in served]
        command = [sys.executable, "-m", "isogloss", "serve", *folders, "--port", "0", "--device", "cpu", *words]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env={**os.environ, **environment})
        processes.append(process)
        assert process.stderr is not None
        line = process.stderr.readline()
        try:
            first = json.loads(line)
        except ValueError:
            raise AssertionError(line + process.stderr.read()) from None
        assert first["event"] == "listening"
        return process, Client(int(first["url"].rpartition(":")[2]))

    yield begin
    for process in processes:
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
        process.wait()
        assert process.stderr is not None
        process.stderr.close()
