"""The text of a web page as a crawl kept it: an HTTP response or bare HTML → text, or the name of what is in the way.

    page_text(record, settings.crawl)     # ("Jina langu ni Anna.", "") or ("", "not-html")

Only HTML counts as a page. Its bytes are UTF-8 if they can be, else of the encoding that HTTP or the page names, else
of the one they look like.
"""

from __future__ import annotations

import codecs
import io
import re
import zlib
from collections.abc import Iterator, Mapping

from isogloss.corpus.careful import Record
from isogloss.corpus.documents import CrawlSettings
from isogloss.corpus.extras import load_fastwarc, load_resiliparse

__all__ = ["page_text"]

# The extraction of main content takes time by the square of the depth: 9 s of one core at 20,000 elements.
MAX_DEPTH = 2000
# Of the characters that an encoding could not read, a page may have this share.
MAX_UNREADABLE_SHARE = 0.01
_STATUS = re.compile(rb"HTTP/[0-9.]+ +([0-9]{3})")
_HEAD_END = re.compile(rb"\r?\n\r?\n")
_CHUNK = re.compile(rb"[0-9a-fA-F]{1,8}[ \t]*(;[^\r\n]*)?\r\n")
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:-]+)", re.IGNORECASE)
_LOOKS_LIKE_HTML = re.compile(rb"<(!doctype\s+html|html|head|body)\b", re.IGNORECASE)
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9-]*)")
# Elements that have no end, or need none.
_ENDLESS = frozenset(
    [
        *(
            "area",
            "base",
            "br",
            "col",
            "embed",
            "hr",
            "img",
            "input",
            "link",
            "meta",
            "param",
            "source",
            "track",
            "wbr",
        ),
        *("p", "li", "dt", "dd", "tr", "td", "th", "thead", "tbody", "tfoot", "option", "optgroup", "colgroup"),
    ]
)
_HTML_TYPES = ("text/html", "application/xhtml+xml")


class _InTheWayError(Exception):
    """Why a page has no text; the argument is the reason's name."""


def page_text(record: Record, settings: CrawlSettings) -> tuple[str, str]:
    """The text of a ``response`` or ``resource`` record and an empty reason, or no text and the reason's name."""
    try:
        kind, content = record.header("Content-Type"), record.content
        if record.header("WARC-Type").lower() == "response":
            headers, content = _http(content)
            kind = headers.get("content-type", "")
            content = _decoded(content, headers, settings.max_html_bytes)
        if not _is_html(record.header("WARC-Identified-Payload-Type") or kind, content):
            raise _InTheWayError("not-html")
        if len(content) > settings.max_html_bytes:
            raise _InTheWayError("long-record")
        html = _text(content, kind)
        if _is_too_deep(html):
            raise _InTheWayError("deep-html")
    except _InTheWayError as error:
        return "", str(error)
    # alt_texts: of pictures, seldom sentences; bullets are no text.
    extract = load_resiliparse().extract.html2text.extract_plain_text
    text: str = extract(
        html, main_content=settings.main_content, preserve_formatting=True, list_bullets=False, alt_texts=False
    )
    return text, ""


def _http(block: bytes) -> tuple[dict[str, str], bytes]:
    """Headers, with names in lower case, and body of a response that succeeded."""
    status, end = _STATUS.match(block), _HEAD_END.search(block)
    if status is None or end is None:
        raise _InTheWayError("bad-http")
    if status[1] != b"200":
        raise _InTheWayError("bad-status")
    headers: dict[str, str] = {}
    for line in block[: end.start()].split(b"\n")[1:]:
        name, _, value = line.decode("latin-1").partition(":")
        headers.setdefault(name.strip().lower(), value.strip())
    return headers, block[end.end() :]


def _decoded(content: bytes, headers: Mapping[str, str], max_bytes: int) -> bytes:
    """The body without chunks and compression; some crawlers take them away and leave the headers that name them."""
    stream_io = load_fastwarc().stream_io
    if "chunked" in headers.get("transfer-encoding", "").lower() and _CHUNK.match(content):
        content = _read(stream_io.ChunkedReader(io.BytesIO(content)), max_bytes)
    coding = headers.get("content-encoding", "").lower().strip()
    if coding in ("gzip", "x-gzip") and content.startswith(b"\x1f\x8b"):
        content = _inflated(content, 31, max_bytes)
    elif coding == "deflate" and not _is_unpacked(content):
        content = _inflated(content, 15 if content[:1] == b"\x78" else -15, max_bytes)
    elif coding == "br" and not _is_unpacked(content):
        content = _read(stream_io.BrotliReader(io.BytesIO(content)), max_bytes)
    return content


def _is_unpacked(content: bytes) -> bool:
    return content.lstrip()[:1] == b"<" and _LOOKS_LIKE_HTML.search(content, 0, 1024) is not None


def _read(stream: io.BytesIO, max_bytes: int) -> bytes:
    """All that a decoder of FastWARC gives, up to a byte over the limit."""
    blocks, left = [], max_bytes + 1
    try:
        while left > 0 and (block := stream.read(min(left, 1 << 18))):
            blocks.append(block)
            left -= len(block)
    except (OSError, ValueError):
        raise _InTheWayError("bad-http") from None
    return b"".join(blocks)


def _inflated(content: bytes, window_bits: int, max_bytes: int) -> bytes:
    stream = zlib.decompressobj(window_bits)
    try:
        inflated = stream.decompress(content, max_bytes + 1)
    except zlib.error:
        raise _InTheWayError("bad-http") from None
    if not stream.eof and len(inflated) <= max_bytes:
        raise _InTheWayError("bad-http")
    return inflated


def _is_html(kind: str, content: bytes) -> bool:
    named = kind.partition(";")[0].strip().lower()
    return named in _HTML_TYPES or (not named and _LOOKS_LIKE_HTML.search(content, 0, 1024) is not None)


def _text(content: bytes, kind: str) -> str:
    """The page decoded; lone bytes that its encoding does not know become U+FFFD as long as they are few."""
    named = _CHARSET.search(kind)
    tried = [*_byte_order_mark(content), *(["iso-2022-jp"] if b"\x1b$" in content else []), "utf-8-sig"]
    tried += [name for name in _guesses(content, named[1] if named else "") if name not in tried]
    for name in tried:
        try:
            return content.decode(name)
        except UnicodeDecodeError:
            continue
    text = content.decode(tried[-1] if len(tried) > 1 else "utf-8", "replace")
    if text.count("\ufffd") > MAX_UNREADABLE_SHARE * len(text):
        raise _InTheWayError("bad-encoding")
    return text


def _byte_order_mark(content: bytes) -> list[str]:
    if content.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return ["utf-32"]
    return ["utf-16"] if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else []


def _guesses(content: bytes, named: str) -> Iterator[str]:
    """What HTTP, the page and its bytes say, as names that Python knows."""
    encoding = load_resiliparse().parse.encoding
    said = [
        encoding.map_encoding_to_html5(named, fallback_utf8=False) if named else None,
        encoding.detect_encoding(content, from_html_meta=True),
        encoding.detect_encoding(content),
    ]
    for name in said:
        try:
            yield codecs.lookup(name or "").name
        except LookupError:
            continue


def _is_too_deep(html: str) -> bool:
    """Whether elements stand in each other beyond ``MAX_DEPTH``; pages that cannot be so deep are not looked at."""
    if html.count("<") <= MAX_DEPTH:
        return False
    depth = 0
    for match in _TAG.finditer(html):
        if match[2].lower() not in _ENDLESS:
            depth = max(0, depth - 1) if match[1] else depth + 1
            if depth > MAX_DEPTH:
                return True
    return False
