"""Crawl files (WET, WARC) → documents: text as it is in WET's ``conversion`` records, text of HTML in WARC's responses.

Each document keeps ``url``, ``date``, ``digest`` and ``offset`` of its record, and its number in the file. Records of
other types hold no page and are noted; what is broken is counted by its reason, and reading goes on behind it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from isogloss.corpus.careful import Broken, Record
from isogloss.corpus.documents import Document, ReadSettings, assemble, lose, record_lines
from isogloss.corpus.pages import page_text
from isogloss.corpus.records import read_records
from isogloss.corpus.sources import Source
from isogloss.corpus.tally import Tally

__all__ = ["read_crawl"]

# The digests that WARC files use, by the names they have there.
_HASHES = {"sha1": "sha1", "sha-1": "sha1", "md5": "md5", "sha256": "sha256", "sha-256": "sha256", "sha512": "sha512"}


def read_crawl(source: Source, settings: ReadSettings, tally: Tally, languages: Collection[str]) -> Iterator[Document]:
    """The documents of one crawl file; raises OSError if it cannot be read. Damage does not end it."""
    language = settings.language
    records = read_records(source.path, source.compression, max_bytes=settings.max_record_bytes)
    for number, record in enumerate(records, start=1):
        if isinstance(record, Broken):
            lose(language, record.reason, tally)
            continue
        kind = record.headers.get(b"WARC-Type") or record.header("WARC-Type").encode()
        if kind not in (b"conversion", b"response", b"resource"):
            tally.note(language, "other-record")
            continue
        if languages and language not in languages:
            lose(language, "other-language", tally)
            continue
        if settings.crawl.check_digests and not _digests_agree(record):
            lose(language, "bad-digest", tally)
            continue
        if kind == b"conversion":
            text, reason = _plain_text(record.content)
            # Bytes are looked through faster than text.
            num_bytes, has_nul = len(record.content), b"\0" in record.content
        else:
            text, reason = page_text(record, settings.crawl)
            num_bytes, has_nul = 4 * len(text), "\0" in text
        if reason:
            lose(language, reason, tally)
            continue
        lines = None if has_nul else _short_lines(text, num_bytes, settings)
        if lines is None:
            kept = (line for line in record_lines(number, text, settings.max_line_bytes) if not line.is_blank)
            yield from assemble(language, kept, _provenance(record), settings, tally)
            continue
        tally.meet(language, documents=1, lines=len(lines))
        if lines:
            yield Document(language, lines, number, 0, _provenance(record))
        else:
            tally.drop_document(language, "empty-document")


def _short_lines(text: str, max_bytes: int, settings: ReadSettings) -> tuple[str, ...] | None:
    """The lines of a text of which nothing can be over a limit, as of most; None: each has to be looked at.

    ``max_bytes`` is what the text has in UTF-8, or more.
    """
    if max_bytes > settings.max_document_bytes:
        return None
    lines = tuple(filter(None, map(str.strip, text.split("\n"))))
    # A character has four bytes at most.
    fits = max_bytes <= settings.max_line_bytes or 4 * max(map(len, lines), default=0) <= settings.max_line_bytes
    return lines if fits else None


def _plain_text(content: bytes) -> tuple[str, str]:
    try:
        return content.decode(), ""
    except UnicodeDecodeError:
        return "", "bad-utf8-record"


def _provenance(record: Record) -> Mapping[str, Any]:
    headers = record.headers
    digest = headers.get(b"WARC-Payload-Digest") or headers.get(b"WARC-Block-Digest", b"")
    return {
        "url": headers.get(b"WARC-Target-URI", b"").strip(b"<>").decode("utf-8", "replace"),
        "date": headers.get(b"WARC-Date", b"").decode("utf-8", "replace"),
        "digest": digest.decode("utf-8", "replace"),
        "offset": record.offset,
    }


def _digests_agree(record: Record) -> bool:
    """Whether the block, and of a response also the payload, is what its digest says; what has none agrees."""
    payload = record.content
    if record.header("WARC-Type").lower() == "response":
        payload = payload.partition(b"\r\n\r\n")[2]
    return _agrees(record.header("WARC-Block-Digest"), record.content) and _agrees(
        record.header("WARC-Payload-Digest"), payload
    )


def _agrees(digest: str, content: bytes) -> bool:
    name, _, said = digest.partition(":")
    if name.lower() not in _HASHES:
        return True
    found = hashlib.new(_HASHES[name.lower()], content, usedforsecurity=False)
    if len(said) == 2 * found.digest_size:
        return said.lower() == found.hexdigest()
    try:
        return base64.b32decode(said.upper() + "=" * (-len(said) % 8)) == found.digest()
    except binascii.Error:
        return False
