"""Bodies that are no request: what is not JSON, too large or too slow gets a 4xx with its reason, in bounded memory."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isogloss.devices import held_bytes
from isogloss.serve.problems import Problem
from isogloss.serve.reading import parse_json

HEAD = b"POST /ask/tag HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
MEGABYTE = 1 << 20


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "it is empty"),
        (b'{"texts": ["a"]', "Expecting ',' delimiter"),
        (b'{"texts": ["\xff"]}', "byte 13 is not UTF-8"),
        ('{"texts": ["ä"]}'.encode("utf-16"), "not UTF-8"),
        (b'{"texts": ["a"], "x": NaN}', "NaN is no JSON number"),
        (b'{"texts": ["a"], "x": -Infinity}', "-Infinity is no JSON number"),
        (b'{"texts": ["a"], "x": 1e999}', "1e999 is too large"),
        (b'{"texts": ["a"], "x": ' + b"9" * 5000 + b"}", "thousands of digits"),
        (b'{"texts": ["a"], "texts": ["b"]}', "the key 'texts' is there twice"),
        (b'{"texts": ["\\ud800"]}', "half of a surrogate pair"),
        (b'{"\\udfff": 1}', "half of a surrogate pair"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a":' * 100_000, "nested too deeply"),
        (b"[" * 100_000 + b"]" * 100_000, "nested too deeply"),
        (b'{"texts": ["a"]} {}', "Extra data"),
        (b"\xef\xbb\xbf{}", "BOM"),
    ],
)
def test_what_is_not_json_is_told_why(everything: Any, body: bytes, said: str) -> None:
    answer = everything.client.post("/ask/tag", body=body)
    assert (answer.status, answer.json["error"]["code"]) == (400, "invalid_json")
    assert said in answer.json["error"]["message"]
    assert everything.client.get("/health").status == 200


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(JSON, st.booleans())
def test_json_is_read_as_python_reads_it(value: Any, escaped: bool) -> None:
    assert parse_json(json.dumps(value, ensure_ascii=escaped).encode("utf-8")) == value


@given(st.binary(max_size=60))
def test_bytes_are_json_or_a_problem(body: bytes) -> None:
    with contextlib.suppress(Problem):
        assert parse_json(body) == json.loads(body)


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ({"content-type": "text/plain"}, "'text/plain'"),
        ({"content-type": "application/x-www-form-urlencoded"}, "application/json"),
        ({"content-type": "application/json; charset=latin-1"}, "in UTF-8"),
        ({"content-encoding": "gzip"}, "Content-Encoding"),
    ],
)
def test_other_kinds_of_body_are_refused(everything: Any, headers: dict[str, str], said: str) -> None:
    answer = everything.client.post("/ask/tag", body=b'{"texts": ["a"]}', headers=headers)
    assert answer.status == 415
    assert said in answer.json["error"]["message"]


def test_json_with_a_charset_is_json(everything: Any) -> None:
    kind = {"content-type": "application/json; charset=UTF-8"}
    assert everything.client.post("/ask/tag", body=b'{"texts": ["a"]}', headers=kind).status == 200


def chunked(body: bytes, size: int = 65_536) -> bytes:
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


@pytest.fixture(scope="module")
def limited(start: Callable[..., Any]) -> Any:
    """A server of small limits."""
    return start(only=("ner",), max_body_bytes=MEGABYTE, max_texts=100, max_characters=5000, read_seconds=1.0)


def test_a_body_beyond_the_limit_is_413_however_it_comes(limited: Any) -> None:
    body = json.dumps({"texts": ["a" * (10 * MEGABYTE)]}).encode()
    answer = limited.client.post("/ask/tag", body=body)
    assert (answer.status, answer.json["error"]["code"]) == (413, "body_too_large")
    assert answer.headers["connection"] == "close"
    found = limited.client.raw(HEAD + b"transfer-encoding: chunked\r\n\r\n" + chunked(body))
    assert found.startswith(b"HTTP/1.1 413 ")
    assert b"body_too_large" in found
    # A client that asks first does not have to send it.
    found = limited.client.raw(HEAD + b"content-length: 99999999\r\nexpect: 100-continue\r\n\r\n")
    assert found.startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize(
    ("value", "code", "param"),
    [
        ({"texts": ["a"] * 100_000}, "too_many_texts", "texts"),
        ({"texts": ["a"] * 101}, "too_many_texts", "texts"),
        ({"texts": ["a", ["b"] * 101]}, "too_many_texts", "texts[1]"),
        ({"texts": ["a", "b" * 5001]}, "text_too_long", "texts[1]"),
        ({"texts": ["a", ["b" * 3000, "c" * 3000]]}, "text_too_long", "texts[1]"),
    ],
)
def test_too_much_text_is_413(limited: Any, value: Any, code: str, param: str) -> None:
    answer = limited.client.post("/ask/tag", value)
    assert (answer.status, answer.json["error"]["code"], answer.json["error"]["param"]) == (413, code, param)


def test_a_large_request_does_not_hold_up_a_small_one(start: Callable[..., Any]) -> None:
    running = start(only=("mlm",), max_characters=10 * MEGABYTE, max_body_bytes=16 * MEGABYTE, queue_tokens=10**8)
    body = json.dumps({"texts": ["the moon is here and the dog runs " * 250_000]}).encode()
    done: list[Any] = []
    thread = threading.Thread(target=lambda: done.append(running.client.post("/ask/embed", body=body)))
    thread.start()
    longest = 0.0
    while thread.is_alive():
        begun = time.monotonic()
        assert running.client.get("/health").status == 200
        longest = max(longest, time.monotonic() - begun)
    thread.join()
    assert done[0].status == 200
    assert done[0].json["cut"] == [0]
    assert longest < 2


def test_a_slow_body_is_408(limited: Any) -> None:
    begun = time.monotonic()
    found = limited.client.raw(HEAD + b"content-length: 20\r\n\r\n{")
    assert found.startswith(b"HTTP/1.1 408 ")
    assert b"within 1 seconds" in found
    assert time.monotonic() - begun < 20


def test_a_slow_head_is_408_and_a_silent_connection_is_closed(limited: Any) -> None:
    assert limited.client.raw(HEAD).startswith(b"HTTP/1.1 408 ")
    assert limited.client.raw(b"") == b""
    # Also behind an answered request, and drop by drop.
    with socket.create_connection(("127.0.0.1", limited.client.port), timeout=30) as connection:
        connection.sendall(b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n")
        found = b""
        while not found.endswith(b"}"):
            found += connection.recv(65_536)
        assert found.startswith(b"HTTP/1.1 200 ")
        try:
            for byte in b"GET /health HTTP/1.1\r\nhost: " + b"x" * 200:
                connection.sendall(bytes([byte]))
                time.sleep(0.02)
        except OSError:
            pass
        while chunk := connection.recv(65_536):
            found += chunk
    assert b"HTTP/1.1 408 " in found


def test_many_slow_clients_stop_nobody(limited: Any) -> None:
    slow = [socket.create_connection(("127.0.0.1", limited.client.port), timeout=30) for _ in range(100)]
    try:
        for connection in slow:
            connection.sendall(HEAD)
        assert limited.client.post("/ask/tag", {"texts": ["Anna"]}).status == 200
        for connection in slow:
            assert connection.recv(65_536).startswith(b"HTTP/1.1 408 ")
    finally:
        for connection in slow:
            connection.close()


@pytest.mark.parametrize(
    "content", [b"\x16\x03\x01\x02\x00\x01\x00", b"GET / HTTP/9\r\n\r\n", b"G" * 200_000, b"\r\n" * 9]
)
def test_what_is_no_http_is_400_or_closed(limited: Any, content: bytes) -> None:
    try:
        found = limited.client.raw(content)
    except ConnectionError:
        found = b""
    if found:
        status, _, body = found.partition(b"\r\n\r\n")
        assert status[:12] in (b"HTTP/1.1 400", b"HTTP/1.1 408")
        assert json.loads(body)["error"]["code"] in ("invalid_http", "request_timeout")
    assert limited.client.get("/health").status == 200


def test_a_half_closed_connection_and_a_body_that_ends_early_harm_nobody(limited: Any) -> None:
    for content in (HEAD, HEAD + b"content-length: 50\r\n\r\n{", HEAD + b"transfer-encoding: chunked\r\n\r\nzz\r\n"):
        with socket.create_connection(("127.0.0.1", limited.client.port), timeout=30) as connection:
            connection.sendall(content)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(65_536):
                pass
    assert limited.client.post("/ask/tag", {"texts": ["Anna"]}).status == 200


def test_too_many_connections_are_503(start: Callable[..., Any]) -> None:
    running = start(only=("ner",), max_connections=3)
    held = [socket.create_connection(("127.0.0.1", running.client.port), timeout=30) for _ in range(3)]
    time.sleep(0.3)
    with socket.create_connection(("127.0.0.1", running.client.port), timeout=30) as further:
        assert further.recv(65_536).startswith(b"HTTP/1.1 503 ")
    for connection in held:
        connection.close()
    time.sleep(0.3)
    assert running.client.get("/health").status == 200


def test_an_answer_that_nobody_reads_is_given_up(start: Callable[..., Any]) -> None:
    running = start(only=("mlm",), read_seconds=0.5)
    body = json.dumps({"texts": ["a b"] * 2000}).encode()
    request = HEAD.replace(b"/tag", b"/embed") + b"content-length: %d\r\n\r\n" % len(body) + body
    with socket.socket() as silent:
        silent.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        silent.settimeout(30)
        silent.connect(("127.0.0.1", running.client.port))
        silent.sendall(request * 8)
        end = time.monotonic() + 30
        while running.server.server_state.connections or not running.lines[1:]:
            assert time.monotonic() < end, "the connection is still there"
            time.sleep(0.1)


def test_memory_is_bounded_whatever_is_sent(spawn: Any) -> None:
    process, client = spawn("--max-body-bytes", str(4 * MEGABYTE), served=("ner",))

    def held() -> int:
        lines = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8").splitlines()
        return next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmRSS:"))

    if not held_bytes():
        pytest.skip("this system does not say how much memory a process holds")
    client.post("/ask/tag", {"texts": ["Anna"] * 2000})
    before = held()
    large = json.dumps({"texts": ["a" * (30 * MEGABYTE)]}).encode()
    many = json.dumps({"texts": ["a"] * 900_000}).encode()
    bodies = [large, many, b"[" * (3 * MEGABYTE), b'{"texts": [' + b"[]," * MEGABYTE]

    def send() -> None:
        for body in bodies:
            assert client.post("/ask/tag", body=body).status in (400, 413)

    for _ in range(2):
        threads = [threading.Thread(target=send) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert client.post("/ask/tag", {"texts": ["Anna"]}).status == 200
    # Four at once, of which each may hold its body, the text in it and the lists that it becomes.
    assert held() - before < 400 * MEGABYTE
