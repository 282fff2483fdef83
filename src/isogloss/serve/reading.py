"""The body of a request: read within limits of bytes and time, and taken as JSON of the strict kind.

    value = parse_json(await read_body(receive, headers, max_bytes=…, seconds=…))

JSON is what its standard says: UTF-8, no NaN or Infinity, no key twice, no half of a surrogate pair, no number beyond a
double, and not nested more deeply than a request ever is. All else is a Problem with its reason. A body that is too
large is read to its end without being kept, within bounds, as a client that is still writing does not hear an answer.
"""

from __future__ import annotations

import asyncio
import json
import math
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from isogloss.serve.problems import Problem

__all__ = ["ClientLeft", "parse_json", "read_body"]

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

# A body that is too large is read on for so many times the limit.
READ_ON = 16
HALF_PAIR = re.compile(rb"\\u[dD][89a-fA-F]")


class ClientLeft(Exception):
    """The client closed its connection before it was answered."""


def _check_headers(headers: list[tuple[bytes, bytes]]) -> None:
    given = {name: value.decode("latin-1").strip().lower() for name, value in headers}
    kind, _, more = given.get(b"content-type", "").partition(";")
    if kind.strip() != "application/json" or ("charset" in more and "utf-8" not in more and "utf8" not in more):
        said = given.get(b"content-type", "") or "nothing"
        raise Problem(
            415, "unsupported_media_type", f"Content-Type says {said[:80]!r}; send application/json, in UTF-8"
        )
    if given.get(b"content-encoding", "identity") not in ("identity", ""):
        raise Problem(415, "unsupported_media_type", "Content-Encoding is not read here; send the body as it is")


async def read_body(receive: Receive, headers: list[tuple[bytes, bytes]], *, max_bytes: int, seconds: float) -> bytes:
    """The bytes of a JSON body, at most `max_bytes` and within `seconds`.

    Raises Problem (408, 413, 415), and ClientLeft.
    """
    _check_headers(headers)
    too_large = Problem(413, "body_too_large", f"the body is larger than {max_bytes:,} bytes; send fewer texts at once")
    declared = next((value for name, value in headers if name == b"content-length"), b"0")
    # Digits beyond a terabyte say no more.
    num_declared = int(declared[:13]) if declared.isdigit() else 0
    waits = any(name == b"expect" for name, _ in headers)
    if num_declared > max_bytes * READ_ON or (num_declared > max_bytes and waits):
        raise too_large
    chunks: list[bytes] = []
    num_bytes = 0
    try:
        async with asyncio.timeout(seconds):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise ClientLeft
                num_bytes += len(message.get("body", b""))
                if num_bytes > max_bytes * READ_ON:
                    raise too_large
                if num_bytes <= max_bytes:
                    chunks.append(message.get("body", b""))
                else:
                    chunks.clear()
                if not message.get("more_body"):
                    break
    except TimeoutError:
        raise Problem(408, "request_timeout", f"the body did not arrive within {seconds:g} seconds") from None
    if num_bytes > max_bytes:
        raise too_large
    return b"".join(chunks)


def parse_json(body: bytes) -> Any:
    """Raises Problem (400) for what is not JSON as described above."""
    try:
        value = json.loads(
            body.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_refuse_constant, parse_float=_finite
        )
        if HALF_PAIR.search(body):
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeDecodeError as error:
        raise _not_json(f"byte {error.start + 1} is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise _not_json(f"{error.msg} at character {error.pos + 1}" if body else "it is empty") from None
    except UnicodeEncodeError:
        raise _not_json("it holds half of a surrogate pair, which is no text") from None
    except ValueError:  # digits beyond what Python turns into a number
        raise _not_json("it holds a number of thousands of digits") from None
    except RecursionError:
        raise _not_json("it is nested too deeply") from None
    return value


def _not_json(reason: str) -> Problem:
    return Problem(400, "invalid_json", f"the body is not JSON: {reason}")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise _not_json(f"the key {twice[:60]!r} is there twice")
    return value


def _refuse_constant(name: str) -> Any:
    raise _not_json(f"{name} is no JSON number")


def _finite(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise _not_json(f"the number {digits[:20]} is too large")
    return value
