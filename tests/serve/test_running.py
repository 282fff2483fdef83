"""The process: it listens when its models are loaded, logs JSON, and answers what it accepted before it ends."""

from __future__ import annotations

import json
import signal
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from isogloss.errors import ConfigError
from isogloss.serve.running import listen
from isogloss.serve.settings import ServeSettings


def rest_of(process: Any, *, seconds: float = 60) -> tuple[int, list[dict[str, Any]]]:
    """The exit code, and the lines of the log that have not been read."""
    _, said = process.communicate(timeout=seconds)
    return process.returncode, [json.loads(line) for line in said.splitlines()]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_zero_once_all_accepted_is_answered(spawn: Any, number: signal.Signals) -> None:
    process, client = spawn("--wait-ms", "1000")
    found: list[Any] = []
    # All wait for company when the signal comes.
    threads = [
        threading.Thread(target=lambda: found.append(client.post("/ask/tag", {"texts": ["Anna lives in Oslo."]})))
        for _ in range(5)
    ]
    for thread in threads:
        thread.start()
    time.sleep(0.4)
    process.send_signal(number)
    code, lines = rest_of(process)
    for thread in threads:
        thread.join()
    assert code == 0
    assert [answer.status for answer in found] == [200] * 5
    assert [line["event"] for line in lines if line["event"] != "request"] == ["stopping", "stopped"]
    assert sum(line["event"] == "request" for line in lines) == 5


def test_while_it_ends_it_is_not_ready_and_takes_nothing_new(spawn: Any) -> None:
    process, client = spawn("--wait-ms", "1000")
    assert client.get("/ready").status == 200
    waiting: list[Any] = []
    thread = threading.Thread(target=lambda: waiting.append(client.post("/ask/tag", {"texts": ["Anna"]})))
    thread.start()
    time.sleep(0.3)
    process.send_signal(signal.SIGTERM)
    time.sleep(0.2)
    ready, refused, alive = client.get("/ready"), client.post("/ask/tag", {"texts": ["Anna"]}), client.get("/health")
    code, _ = rest_of(process)
    thread.join()
    assert (ready.status, refused.status, alive.status) == (503, 503, 200)
    assert refused.json["error"]["code"] == "shutting_down"
    assert refused.headers["connection"] == "close"
    assert waiting[0].status == 200
    assert code == 0


def test_it_ends_within_its_limit_with_one_where_a_client_is_too_slow(spawn: Any) -> None:
    process, client = spawn("--shutdown-timeout", "0.5", "--read-timeout", "60")
    with socket.create_connection(("127.0.0.1", client.port)) as slow:
        slow.sendall(
            b"POST /ask/tag HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{"
        )
        time.sleep(0.3)
        process.send_signal(signal.SIGTERM)
        code, lines = rest_of(process, seconds=20)
    assert code == 1
    assert "gave_up" in {line["event"] for line in lines}


def test_the_log_has_a_line_a_request_and_never_a_text(spawn: Any) -> None:
    process, client = spawn()
    secret = "Annabella Quartermain"
    client.post("/ask/tag", {"texts": [f"{secret} lives in Oslo."] * 3}, headers={"X-Request-ID": "mine-1"})
    client.post("/ask/fill-mask", {"texts": [secret]}, headers={"X-Request-ID": "mine-2"})
    client.post("/ask/tag", {"texts": [secret], secret: 1}, headers={"X-Request-ID": secret})
    client.get(f"/{secret.split()[0]}")
    process.send_signal(signal.SIGTERM)
    code, lines = rest_of(process)
    assert code == 0
    assert secret.split()[0] not in json.dumps(lines)
    rows = {line["request_id"]: line for line in lines if line["event"] == "request"}
    assert len(rows) == 4
    row = rows["mine-1"]
    assert {key: row[key] for key in ("route", "method", "status", "model", "question", "texts")} == {
        "route": "/ask/tag", "method": "POST", "status": 200, "model": "ner", "question": "tag", "texts": 3,
    }  # fmt: skip
    assert row["tokens"] > 9
    assert 0 <= row["queue_ms"] <= row["total_ms"]
    assert 0 < row["run_ms"] <= row["total_ms"]
    assert (rows["mine-2"]["status"], rows["mine-2"]["problem"]) == (422, "invalid_request")


def test_a_log_that_nobody_reads_stops_nobody(spawn: Any) -> None:
    process, client = spawn()
    for _ in range(600):  # more than a pipe holds
        assert client.get("/health").status == 200
    assert client.post("/ask/tag", {"texts": ["Anna"]}).status == 200
    process.kill()


def test_an_address_that_is_taken_is_one_line(start: Callable[..., Any]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=f"cannot listen on 127.0.0.1:{port}: Address already in use"):
            listen(ServeSettings(models=("here",), port=port))
    with pytest.raises(ConfigError, match="cannot listen on no-such-host"):
        listen(ServeSettings(models=("here",), host="no-such-host.invalid"))


def test_ipv6_is_an_address_too() -> None:
    if not socket.has_ipv6:
        pytest.skip("this machine has no IPv6")
    try:
        with listen(ServeSettings(models=("here",), host="::1", port=0)) as listener:
            assert listener.getsockname()[0] == "::1"
    except ConfigError:
        pytest.skip("this machine has no IPv6 on loopback")


def test_settings_are_checked(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is not NAME=FOLDER"):
        ServeSettings(models=("=folder",))
