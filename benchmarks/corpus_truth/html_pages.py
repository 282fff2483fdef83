"""A page as a web server sends it: HTTP headers and HTML, with or without marks of what is menu and what is text.

    block, body, kind = http_response(page, date, random)

Old encodings are those that pages of a language had before UTF-8; the header or the page itself names them, and what
an encoding has no place for stands as a numbered reference.
"""

from __future__ import annotations

import datetime
import html
import itertools
from collections.abc import Iterator
from random import Random

from clean_pages import Page

__all__ = ["OLD_ENCODINGS", "http_response"]

# Names as web pages write them.
OLD_ENCODINGS = {
    **dict.fromkeys(("da", "de", "en", "es", "fi", "fr", "is", "it", "nb", "nl", "pt", "sv", "sw"), "iso-8859-1"),
    **dict.fromkeys(("cs", "hr", "hu", "pl", "sk", "sl"), "iso-8859-2"),
    **dict.fromkeys(("be", "bg", "mk", "ru", "sr", "uk"), "windows-1251"),
    **dict.fromkeys(("ar", "fa", "ur"), "windows-1256"),
    **{"el": "iso-8859-7", "he": "windows-1255", "ja": "shift_jis", "ko": "euc-kr", "th": "windows-874"},
    **{"tr": "windows-1254", "zh": "gb18030"},
}
_CODECS = {"windows-874": "cp874"}


def http_response(page: Page, date: datetime.datetime, random: Random) -> tuple[bytes, bytes, str]:
    """The block of a response record, the body in it, and the type of its content."""
    kind = "text/html"
    if page.kind == "not-html":
        kind = "application/pdf"
        body = b"%PDF-1.4\n" + random.randbytes(2000)
    else:
        in_header = random.random() < 0.5
        markup = _html(page, charset="" if in_header else page.encoding)
        body = markup.encode(_CODECS.get(page.encoding, page.encoding), "xmlcharrefreplace")
        kind += f"; charset={page.encoding}" if in_header else ""
    if page.kind == "bad-http":
        # No header, so no payload behind it.
        return b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + body, b"", "text/html"
    status = "404 Not Found" if page.kind == "bad-status" else "200 OK"
    head = (
        f"HTTP/1.1 {status}\r\nDate: {date:%a, %d %b %Y %H:%M:%S} GMT\r\nServer: made\r\nContent-Type: {kind}\r\n"
        f"X-Crawl-Content-Encoding: gzip\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body, body, kind.partition(";")[0]


def _html(page: Page, *, charset: str) -> str:
    declared = f'<meta charset="{charset}">' if charset else ""
    body = "\n".join(_plain(page) if page.is_plain else _marked(page))
    title = page.url.split("/")[2]
    return f"<!DOCTYPE html>\n<html>\n<head>{declared}<title>{title}</title></head>\n<body>\n{body}\n</body>\n</html>\n"


def _plain(page: Page) -> Iterator[str]:
    """Boxes, as pages had them before HTML 5; menu items are links."""
    for line in page.lines:
        text = html.escape(line.text, quote=False)
        is_link = line.kind == "boilerplate" and len(line.text) < 40
        yield f'<div><a href="/">{text}</a></div>' if is_link else f"<div>{text}</div>"


def _marked(page: Page) -> Iterator[str]:
    """The menu, the notice, the text and the footer in elements of these names."""
    texts = [html.escape(line.text, quote=False) for line in page.lines]
    is_own = [line.kind != "boilerplate" for line in page.lines]
    first = is_own.index(True) if True in is_own else len(texts)
    last = len(texts) - len(list(itertools.takewhile(lambda own: not own, reversed(is_own[first:]))))
    if first:
        yield "<header><nav><ul>" + "".join(f'<li><a href="/">{text}</a></li>' for text in texts[: first - 1])
        yield f'</ul></nav></header><div class="cookie-notice" role="dialog"><p>{texts[first - 1]}</p></div>'
    yield "<main><article>"
    yield from (f"<p>{text}</p>" for text in texts[first:last])
    yield "</article></main>"
    if last < len(texts):
        yield "<footer>" + "".join(f"<p>{text}</p>" for text in texts[last:]) + "</footer>"
