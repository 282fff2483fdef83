"""One file of a server or folder: fetched in as many tries as it takes, read to its end, and only then under its name.

    entry = Download(url, target, notes, settings, pace).fetch()      # {"url", "bytes", "xxh3_128", "checked", …}

Until then it is called NAME.part. What broke off goes on by Range, with If-Range, so that a file that changed meanwhile
begins anew; so it does where the answer is another part than was asked for. Believed whole is what has the length that
the server says and, compressed, can be decompressed to its end, each member's checksum included.
"""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import re
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple, NoReturn
from urllib.parse import unquote, urlsplit

from isogloss.corpus.members import Damage, read_members
from isogloss.corpus.politeness import Pace, PoliteSettings, retry_after
from isogloss.manifest import hash_file, write_json

__all__ = ["PASSING_REASONS", "Download", "GivenUpError"]

BLOCK_BYTES = 1 << 16
# Statuses that time may mend; Common Crawl answers 403 and 503 when it is asked too often.
REFUSALS = (403, 408, 425, 429, 500, 502, 503, 504)
# Why a file is given up for now; every other reason is there to stay.
PASSING_REASONS = ("refused", "broken-connection", "damaged", "wrong-digest", "wrong-range")
COMPRESSIONS = {".gz": "gzip", ".zst": "zstd"}
_CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")
_MD5 = re.compile('"([0-9a-f]{32})"')


class GivenUpError(Exception):
    """A file cannot be had: ``reason`` is counted, ``detail`` is told. Never leaves this room."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason} ({detail})")
        self.reason = reason
        self.detail = detail


class _FailedError(Exception):
    """One try failed: the reason's name, what happened, and how many seconds the server asks to wait."""

    def __init__(self, reason: str, detail: str, asked: float | None = None) -> None:
        super().__init__(detail)
        self.reason = reason
        self.asked = asked


class _Answer(NamedTuple):
    """What a server gives: where in the file its bytes begin, how long the whole file is, and what it says of it."""

    stream: Any
    begin: int
    total: int | None
    notes: dict[str, Any]


class Download:
    """One file on its way to ``target``; the JSON file ``notes`` remembers what the server said, and at the end all."""

    def __init__(
        self,
        url: str,
        target: Path,
        notes: Path,
        settings: PoliteSettings,
        pace: Pace,
        *,
        say: Callable[[str], None] = lambda text: None,
        got: Callable[[int], None] = lambda num_bytes: None,
    ) -> None:
        self._url, self._target, self._notes = url, target, notes
        self._part = target.with_name(target.name + ".part")
        self._settings, self._pace, self._say, self._got = settings, pace, say, got
        self._is_local = urlsplit(url).scheme not in ("http", "https")

    def fetch(self) -> dict[str, Any]:
        """Fetch, check, rename; returns the file's entry, at once if it is there.

        Raises GivenUpError if the tries are used up or there is no such file, OSError if it cannot be written,
        StoppedError.
        """
        notes = self._known()
        if "xxh3_128" in notes and self._target.is_file() and self._target.stat().st_size == notes["bytes"]:
            return notes
        self._target.parent.mkdir(parents=True, exist_ok=True)
        self._notes.parent.mkdir(parents=True, exist_ok=True)
        # A folder says the same however often it is asked.
        tries = 1 if self._is_local else self._settings.tries
        for num_tries in range(1, tries + 1):
            try:
                entry = {"url": self._url, **self._check(self._try()), "tries": num_tries}
            except _FailedError as error:
                if error.reason not in PASSING_REASONS or num_tries == tries:
                    raise GivenUpError(error.reason, f"{error}; tries: {num_tries}") from None
                self._say(f"{self._target.name}: {error}; try {num_tries} of {tries}")
                self._pace.back_off(num_tries, asked=error.asked)
            else:
                write_json(self._notes, entry)
                self._part.replace(self._target)
                return entry
        raise AssertionError("the last try returns or raises")

    def _try(self) -> dict[str, Any]:
        """One request, its bytes put behind those that are there; returns what the server says of the file."""
        known = self._known()
        have = self._part.stat().st_size if known and self._part.exists() else 0
        if have and have == known.get("total"):
            return known
        answer = self._open_file() if self._is_local else self._ask(have, known)
        if answer is None:
            return {**known, "total": have}
        with answer.stream, self._part.open("r+b" if answer.begin else "wb") as part:
            write_json(self._notes, answer.notes)
            place = part.seek(answer.begin)
            while True:
                try:
                    block = answer.stream.read(BLOCK_BYTES)
                except (OSError, http.client.HTTPException) as error:
                    raise _FailedError("broken-connection", _words(error)) from None
                if not block:
                    break
                place += part.write(block)
                self._got(len(block))
                self._pace.check()
        if answer.total is not None and place < answer.total:
            raise _FailedError("broken-connection", f"broken off after {place} of {answer.total} bytes")
        return answer.notes

    def _check(self, notes: Mapping[str, Any]) -> dict[str, Any]:
        """The entry of a file that came to its end; what is not whole is thrown away, to begin anew."""
        num_bytes, checked = self._part.stat().st_size, []
        if notes.get("total") is not None:
            if num_bytes != notes["total"]:
                self._begin_anew("wrong-range", f"{num_bytes} bytes, not the {notes['total']} that the server says")
            checked.append("length")
        if compression := COMPRESSIONS.get(self._target.suffix, ""):
            broken = next((found for found in read_members(self._part, compression) if isinstance(found, Damage)), None)
            if broken or not num_bytes:
                place = f"at byte {broken.offset} of {num_bytes}" if broken else "no byte came"
                self._begin_anew("damaged", f"damaged {compression}: {place}")
            checked.append(compression)
        said, etag = notes.get("content_md5"), _MD5.fullmatch(notes.get("etag", ""))
        if said or etag:
            with self._part.open("rb") as stream:
                found = hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False))
            if said and said != base64.b64encode(found.digest()).decode():
                self._begin_anew("wrong-digest", f"MD5 is {found.hexdigest()}, not what Content-MD5 says")
            # An ETag may look like an MD5 and be something else, so a difference proves nothing.
            checked += ["Content-MD5"] * bool(said) + ["ETag"] * bool(etag and etag[1] == found.hexdigest())
        return {**notes, "bytes": num_bytes, "xxh3_128": hash_file(self._part), "checked": checked}

    def _ask(self, have: int, known: Mapping[str, Any]) -> _Answer | None:
        """One HTTP request for what is behind the first ``have`` bytes; None if nothing is."""
        version = metadata.version("isogloss")
        comment = f"; {self._settings.contact}" if self._settings.contact else ""
        asked = {"User-Agent": f"isogloss/{version} (corpus fetch{comment})", "Accept-Encoding": "identity"}
        validator = known.get("last_modified") if known.get("etag", "W/").startswith("W/") else known["etag"]
        if have:
            asked |= {"Range": f"bytes={have}-"} | ({"If-Range": validator} if validator else {})
        self._pace.wait_turn()
        try:
            stream = urllib.request.urlopen(
                urllib.request.Request(self._url, headers=asked), timeout=self._settings.timeout_seconds
            )
        except urllib.error.HTTPError as error:
            with error:
                if error.code == 416:
                    if have and error.headers.get("Content-Range") == f"bytes */{have}":
                        return None
                    self._begin_anew("wrong-range", "HTTP 416")
                if error.code in REFUSALS:
                    wait = retry_after(error.headers.get("Retry-After"))
                    raise _FailedError("refused", f"HTTP {error.code}", wait) from None
                raise _FailedError(f"http-{error.code}", f"HTTP {error.code} {error.reason}") from None
        except (OSError, http.client.HTTPException) as error:
            cause = getattr(error, "reason", error)
            reason = "certificate" if isinstance(cause, ssl.SSLCertVerificationError) else "broken-connection"
            raise _FailedError(reason, _words(cause)) from None
        return self._answer(stream, have, known)

    def _answer(self, stream: Any, have: int, known: Mapping[str, Any]) -> _Answer:
        headers = stream.headers
        notes = {
            "etag": headers.get("ETag", ""),
            "last_modified": headers.get("Last-Modified", ""),
            "content_md5": headers.get("Content-MD5", ""),
        }
        if stream.status != 206:
            length = headers.get("Content-Length", "")
            return _Answer(stream, 0, *_with_total(notes, int(length) if length.isdecimal() else None))
        match = _CONTENT_RANGE.fullmatch(headers.get("Content-Range", ""))
        total = int(match[2]) if match and match[2] != "*" else None
        is_same = (known.get("etag", "") or notes["etag"]) == notes["etag"] and (known.get("total") or total) == total
        if not match or int(match[1]) != have or not is_same:
            stream.close()
            self._begin_anew("wrong-range", f"another part than from byte {have} on: {headers.get('Content-Range')}")
        # A part's Content-MD5 is the part's.
        return _Answer(stream, have, *_with_total({**notes, "content_md5": known.get("content_md5", "")}, total))

    def _open_file(self) -> _Answer:
        parts = urlsplit(self._url)
        path = Path(unquote(parts.path) if parts.scheme == "file" else self._url)
        try:
            return _Answer(path.open("rb"), 0, *_with_total({}, path.stat().st_size))
        except OSError as error:
            raise _FailedError("no-such-file", _words(error)) from None

    def _known(self) -> dict[str, Any]:
        try:
            known: dict[str, Any] = json.loads(self._notes.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return known

    def _begin_anew(self, reason: str, detail: str) -> NoReturn:
        self._part.unlink(missing_ok=True)
        self._notes.unlink(missing_ok=True)
        raise _FailedError(reason, detail)


def _with_total(notes: dict[str, Any], total: int | None) -> tuple[int | None, dict[str, Any]]:
    return total, {**notes, "total": total}


def _words(error: object) -> str:
    """What an error says, on one line."""
    said = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return " ".join(str(said).split())
