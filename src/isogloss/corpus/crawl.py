"""Crawl files (WET, WARC) → documents: text as it is in WET's ``conversion`` records, text of HTML in WARC's responses.

Each document keeps ``url``, ``date``, ``digest`` and ``offset`` of its record, and its number in the file. Records of
other types hold no page and are noted; what is broken is counted by its reason, and reading goes on behind it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from isogloss.corpus.careful import Broken, Record
from isogloss.corpus.documents import Document, ReadSettings, assemble, lose, record_lines
from isogloss.corpus.pages import page_text
from isogloss.corpus.records import read_records
from isogloss.corpus.sources import Source
from isogloss.corpus.tally import Tally

__all__ = ["read_crawl"]

# White space beside a line feed. That comes first: what begins with a letter is found many times faster.
_UNTIDY = re.compile(r"\n(?:(?=\s)|(?<=\s\n))")
# The digests that WARC files use, by the names they have there.
_HASHES = {"sha1": "sha1", "sha-1": "sha1", "md5": "md5", "sha256": "sha256", "sha-256": "sha256", "sha512": "sha512"}


def read_crawl(source: Source, settings: ReadSettings, tally: Tally, languages: Collection[str]) -> Iterator[Document]:
    """The documents of one crawl file; raises OSError if it cannot be read. Damage does not end it."""
    language, check_digests = settings.language, settings.crawl.check_digests
    is_wanted = not languages or language in languages
    records = read_records(source.path, source.compression, max_bytes=settings.max_record_bytes)
    for number, record in enumerate(records, start=1):
        if isinstance(record, Broken):
            lose(language, record.reason, tally)
            continue
        kind = record.headers.get(b"WARC-Type") or record.header("WARC-Type").encode()
        if kind not in (b"conversion", b"response", b"resource"):
            tally.note(language, "other-record")
            continue
        if not is_wanted:
            lose(language, "other-language", tally)
            continue
        if check_digests and not _digests_agree(record):
            lose(language, "bad-digest", tally)
            continue
        text, reason = _plain_text(record.content) if kind == b"conversion" else page_text(record, settings.crawl)
        if reason:
            lose(language, reason, tally)
            continue
        # As many bytes as the text has, or more: those of a page's text are not known, and a character has at most 4.
        num_bytes = len(record.content) if kind == b"conversion" else 4 * len(text)
        short = _short_lines(text, num_bytes, settings)
        if short is None:
            kept = (line for line in record_lines(number, text, settings.max_line_bytes) if not line.is_blank)
            yield from assemble(language, kept, _provenance(record), settings, tally)
        elif short:
            tally.meet(language, documents=1, lines=short.count("\n") + 1)
            yield Document(language, short, number, 0, _provenance(record))
        else:
            lose(language, "empty-document", tally)


def _short_lines(text: str, num_bytes: int, settings: ReadSettings) -> str | None:
    """The lines of a text of which nothing can be over a limit, as of most; None: each has to be looked at."""
    if num_bytes > settings.max_document_bytes or "\0" in text:
        return None
    # White space at the ends of a text is no line. Most have none elsewhere, and need no object for each line.
    text = text.strip()
    if _UNTIDY.search(text):
        text = "\n".join(filter(None, map(str.strip, text.split("\n"))))
    fits = num_bytes <= settings.max_line_bytes or 4 * max(map(len, text.split("\n"))) <= settings.max_line_bytes
    return text if fits else None


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
