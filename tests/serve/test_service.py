"""What happens to a request between its body and its answer: batches, limits of time, clients that leave, keys."""

from __future__ import annotations

import json
import re
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from isogloss.errors import ConfigError, MissingExtraError
from isogloss.serve import ServeSettings, serve
from isogloss.serve.settings import ApiKey, read_api_key

BODY = json.dumps({"texts": ["Anna"]}).encode()
REQUEST = b"POST /ask/tag HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (
    len(BODY),
    BODY,
)


@pytest.fixture
def held(
    start: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[Any, threading.Event, list[Any]]]:
    """Starts a server whose model waits for an event before it answers, and keeps what it was asked."""

    def begin(**settings: Any) -> tuple[Any, threading.Event, list[Any]]:
        running = start(only=("ner",), **settings)
        may_go, asked = threading.Event(), list[Any]()
        (model,) = running.service.models
        answers = type(model).ask

        def ask(self: Any, question: Any, items: Any, options: Any, *, first: int = 1) -> Any:
            if self is model:
                asked.append(list(items))
                assert may_go.wait(60)
            return answers(self, question, items, options, first=first)

        monkeypatch.setattr(type(model), "ask", ask)
        return running, may_go, asked

    return begin


def until(value: Callable[[], Any]) -> None:
    end = time.monotonic() + 30
    while not value():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_requests_that_come_together_run_together(held: Any) -> None:
    running, may_go, asked = held()
    found: list[Any] = []
    texts = [f"Anna {number}" for number in range(9)]
    threads = [
        threading.Thread(
            target=lambda text=text: found.append((text, running.client.post("/ask/tag", {"texts": [text]})))
        )
        for text in texts
    ]
    threads[0].start()
    until(lambda: asked)
    for thread in threads[1:]:
        thread.start()
    until(lambda: running.service.batcher.num_requests == 9)
    may_go.set()
    for thread in threads:
        thread.join()
    assert [sorted(batch) for batch in asked] == [texts[:1], texts[1:]]
    for text, answer in found:
        assert answer.status == 200
        assert all(text[span["start"] : span["end"]] == span["text"] for span in answer.json["answers"][0]["spans"])


def test_what_a_client_asked_who_left_is_not_run(held: Any) -> None:
    running, may_go, asked = held()
    first = socket.create_connection(("127.0.0.1", running.client.port))
    first.sendall(REQUEST)
    until(lambda: asked)
    with socket.create_connection(("127.0.0.1", running.client.port)) as leaving:
        leaving.sendall(REQUEST.replace(b"Anna", b"Lena"))
        until(lambda: running.service.batcher.num_requests == 2)
    until(lambda: running.service.batcher.num_requests == 1)
    may_go.set()
    assert first.recv(65_536).startswith(b"HTTP/1.1 200 ")
    first.close()
    assert asked == [["Anna"]]
    assert any(line.get("status") == 499 for line in running.lines)
    assert b"isogloss_cancelled_total 1.0" in running.client.get("/metrics").body


def test_an_answer_that_takes_too_long_is_504(held: Any) -> None:
    running, may_go, asked = held(timeout_seconds=0.3)
    answer = running.client.post("/ask/tag", {"texts": ["Anna"]})
    assert (answer.status, answer.json["error"]["code"]) == (504, "timeout")
    assert running.client.post("/ask/tag", {"texts": ["Lena"]}).status == 504
    may_go.set()
    until(lambda: running.service.batcher.num_requests == 0)
    assert running.client.post("/ask/tag", {"texts": ["Juma"]}).status == 200
    assert ["Lena"] not in asked


def test_a_full_queue_is_429_and_says_when_to_come_again(held: Any) -> None:
    running, may_go, asked = held(queue_requests=1)
    thread = threading.Thread(target=lambda: running.client.post("/ask/tag", {"texts": ["Anna"]}))
    thread.start()
    until(lambda: asked)
    answer = running.client.post("/ask/tag", {"texts": ["Lena"]})
    assert (answer.status, answer.json["error"]["code"]) == (429, "queue_full")
    assert int(answer.headers["retry-after"]) >= 1
    tei = running.client.post("/embed", {"inputs": "Lena", "model": "ner"})
    assert (tei.status, tei.json["error_type"]) == (429, "Overloaded")
    may_go.set()
    thread.join()
    assert running.client.post("/ask/tag", {"texts": ["Lena"]}).status == 200


def test_a_mistake_of_ours_is_500_and_logged_without_its_message(
    start: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    running = start(only=("ner",))
    (model,) = running.service.models

    def fail(self: Any, question: Any, items: Any, options: Any, *, first: int = 1) -> Any:
        raise RuntimeError(f"cannot compute {items}")

    monkeypatch.setattr(type(model), "ask", fail)
    for path, body in (("/ask/tag", {"texts": ["Annabella"]}), ("/v1/embeddings", {"input": "Annabella"})):
        answer = running.client.post(path, body)
        assert (answer.status, answer.json["error"]["code"]) == (500, "internal_error")
        assert b"cannot compute" not in answer.body
    said = json.dumps(running.lines)
    assert "RuntimeError" in said
    assert "Annabella" not in said
    assert "Traceback" not in said


def test_a_key_opens_what_is_not_open(start: Callable[..., Any]) -> None:
    client = start(only=("ner",), key="s3cret").client
    for path in ("/health", "/ready", "/", "/docs"):
        assert client.get(path).status == 200
    for path in ("/models", "/metrics", "/openapi.json", "/v1/models", "/info", "/nothing"):
        answer = client.get(path)
        assert answer.status == 401
        assert answer.headers["www-authenticate"] == "Bearer"
    wrong = ["Bearer s3cre", "Bearer s3cret2", "Basic s3cret", "s3cret", "Bearer", "Bearer \xff"]
    for value in wrong:
        assert client.post("/ask/tag", {"texts": ["a"]}, headers={"authorization": value}).status == 401
    for value in ("Bearer s3cret", "bearer s3cret"):
        assert client.post("/ask/tag", {"texts": ["a"]}, headers={"authorization": value}).status == 200


def test_a_key_comes_from_a_file_or_the_environment(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("from-file\n")
    named = ServeSettings(models=("m",), api_key_file=tmp_path / "key")
    assert read_api_key(named, {"ISOGLOSS_API_KEY": "other"}).matches(b"Bearer from-file")  # type: ignore[union-attr]
    unnamed = ServeSettings(models=("m",))
    assert read_api_key(unnamed, {"ISOGLOSS_API_KEY": "k"}).matches(b"Bearer k")  # type: ignore[union-attr]
    assert read_api_key(unnamed, {}) is None
    for problem, content in (("holds no key", " \n"), ("holds no key", "two words")):
        (tmp_path / "key").write_text(content)
        with pytest.raises(ConfigError, match=problem):
            read_api_key(named, {})
    with pytest.raises(ConfigError, match="No such file"):
        read_api_key(ServeSettings(models=("m",), api_key_file=tmp_path / "none"), {})
    assert "s3cret" not in repr(ApiKey("s3cret"))


def test_a_request_keeps_its_id_where_it_is_one(everything: Any) -> None:
    assert everything.client.get("/health", headers={"x-request-id": "abc-1.2"}).headers["x-request-id"] == "abc-1.2"
    for bad in ("a b", "x" * 200, 'a"b'):
        given = everything.client.get("/health", headers={"x-request-id": bad}).headers["x-request-id"]
        assert re.fullmatch(r"[0-9a-f]{32}", given)


def test_metrics_count_texts_tokens_and_requests(start: Callable[..., Any]) -> None:
    running = start(only=("ner",))
    running.client.post("/ask/tag", {"texts": ["Anna", "Lena"]})
    running.client.post("/ask/tag", {"texts": []})
    running.client.get("/wp-login.php")
    text = running.client.get("/metrics").body.decode()
    rows = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    assert rows['isogloss_texts_total{model="ner",question="tag"}'] == "2.0"
    assert float(rows['isogloss_tokens_total{model="ner",question="tag"}']) > 4
    assert rows['isogloss_requests_total{route="/ask/tag",status="200"}'] == "1.0"
    assert rows['isogloss_requests_total{route="/ask/tag",status="422"}'] == "1.0"
    assert rows['isogloss_requests_total{route="other",status="404"}'] == "1.0"
    assert rows["isogloss_queue_requests"] == "0.0"
    assert float(rows["isogloss_connections"]) >= 0
    assert float(rows["process_resident_memory_bytes"]) > 0


def test_without_its_packages_the_server_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("isogloss.serve.find_spec", lambda name: None if name == "uvicorn" else object())
    with pytest.raises(MissingExtraError, match=r"needs the package 'uvicorn': pip install 'isogloss\[serve\]'"):
        serve(ServeSettings(models=("m",)))
