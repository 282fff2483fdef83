"""Pages → WET and WARC files as Common Crawl lays them out, a gzip member a record, and the listings of their paths.

    entries = write_crawl(pages, settings, folder)    # what is known of each page, with its file and record number

Records have the headers and digests of Common Crawl's: each file begins with a record about itself, and in a WARC file
a request and metadata stand around each response. What is broken stands between whole records, so a break costs one.
"""

from __future__ import annotations

import base64
import datetime
import gzip
import hashlib
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

from clean_pages import Page, draws
from html_pages import http_response
from settings import CrawlOfTextSettings
from truth import BROKEN_KINDS, Entry, KnownLine, line_key

from isogloss.errors import ConfigError

__all__ = ["DAMAGED", "write_crawl"]

# Files that break off are in no listing: a crawl has none, and fetching refuses them. Disks make such files later.
DAMAGED = "damaged"
SEGMENT = "segments/1544376823009.19"
NAME = "CC-MAIN-20181209232026-20181210232026"
BEGIN = datetime.datetime(2018, 12, 9, 23, 20, 26, tzinfo=datetime.UTC)
SPAN_SECONDS = 86_400
ENDINGS = {"wet": "warc.wet.gz", "warc": "warc.gz"}


def write_crawl(pages: Sequence[Page], settings: CrawlOfTextSettings, folder: Path) -> list[Entry]:
    """Write all files below ``folder``; raises ConfigError if too much is broken to have whole records around it."""
    random = draws(settings, "files")
    shuffled = list(pages)
    random.shuffle(shuffled)
    entries: list[Entry] = []
    root = f"crawl-data/{settings.crawl}"
    for form, num_files in (("wet", settings.wet_files), ("warc", settings.warc_files)):
        listed = [page for page in shuffled if page.form == form and page.kind != "cut-member"]
        if cut := [page for page in shuffled if page.form == form and page.kind == "cut-member"]:
            around, listed = listed[: 2 * len(cut)], listed[2 * len(cut) :]
            entries += _write_file(cut + around, f"{DAMAGED}/{NAME}-damaged.{ENDINGS[form]}", folder, random)
        paths = [f"{root}/{SEGMENT}/{form}/{NAME}-{number:05d}.{ENDINGS[form]}" for number in range(num_files)]
        for number, path in enumerate(paths):
            entries += _write_file(listed[number::num_files], path, folder, random)
        listing = "".join(f"{path}\n" for path in paths).encode()
        (folder / root / f"{form}.paths.gz").write_bytes(gzip.compress(listing, mtime=0))
    return entries


def _write_file(pages: Sequence[Page], path: str, folder: Path, random: Random) -> list[Entry]:
    target = folder / path
    target.parent.mkdir(parents=True, exist_ok=True)
    entries, number = [], 1
    with target.open("wb") as file:
        info = f"software: isogloss corpus_truth\r\nformat: WARC File Format 1.0\r\nisPartOf: {path}\r\n".encode()
        headers = {"WARC-Type": "warcinfo", "WARC-Filename": target.name, "Content-Type": "application/warc-fields"}
        file.write(_compressed(_record(headers, info, BEGIN, random)))
        for page in _in_order(pages, random, target.name):
            for member, is_page in _members(page, random):
                number += 1
                file.write(member)
                if is_page:
                    entries.append(_entry(page, target.name, number))
    return entries


def _in_order(pages: Sequence[Page], random: Random, name: str) -> list[Page]:
    """Each broken page before a whole one of its own."""
    broken = [page for page in pages if page.kind in BROKEN_KINDS]
    whole = [page for page in pages if page.kind not in BROKEN_KINDS]
    if len(broken) > len(whole):
        raise ConfigError(
            f"{name} would have {len(broken)} broken pages among {len(whole)} whole ones; "
            "lower the shares of what is broken, or make fewer files of more text"
        )
    before = dict(zip(random.sample(range(len(whole)), len(broken)), broken, strict=True))
    ordered = []
    for place, page in enumerate(whole):
        ordered += [before[place], page] if place in before else [page]
    return ordered


def _entry(page: Page, file: str, number: int) -> Entry:
    reason = BROKEN_KINDS.get(page.kind, "")
    # What is in a page that cannot be read is of no use to anyone.
    lines = () if reason else page.lines
    return Entry(
        url=page.url,
        file=file,
        number=number,
        form=page.form,
        language=page.language,
        script=page.script,
        kind=page.kind,
        reason=reason,
        of=page.of,
        change=page.change,
        similarity=page.similarity,
        secrets=page.secrets,
        lines=tuple(
            KnownLine(line_key(line.text), len(line.text), line.kind, line.language or page.language) for line in lines
        ),
    )


def _members(page: Page, random: Random) -> Iterator[tuple[bytes, bool]]:
    """The gzip members of one page, and which of them is the page."""
    date = BEGIN + datetime.timedelta(seconds=random.randrange(SPAN_SECONDS))
    target = {"WARC-Target-URI": page.url}
    if page.form == "wet":
        block = "\n".join(line.text for line in page.lines).encode() + b"\n"
        if page.kind == "bad-utf8":
            cut = random.randrange(len(block))
            block = block[:cut] + b"\xff\xc3\x28" + block[cut:]
        headers = {"WARC-Type": "conversion", **target, "WARC-Refers-To": _uuid(random), "Content-Type": "text/plain"}
        yield _broken(page, _record(headers, block, date, random), random), True
        return
    place = {"WARC-IP-Address": f"192.0.2.{random.randrange(1, 255)}", **target}
    host = page.url.split("/")[2]
    asked = f"GET /{page.url.split('/', 3)[3]} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: made/1.0\r\n\r\n".encode()
    http = {"Content-Type": "application/http; msgtype=request"}
    yield _compressed(_record({"WARC-Type": "request", **place, **http}, asked, date, random)), False
    block, body, kind = http_response(page, date, random)
    headers = {"WARC-Type": "response", **place, "Content-Type": "application/http; msgtype=response"}
    headers |= {"WARC-Payload-Digest": _digest(body), "WARC-Identified-Payload-Type": kind}
    yield _broken(page, _record(headers, block, date, random), random), True
    notes = f"fetchTimeMs: {random.randrange(40, 900)}\r\n".encode()
    headers = {"WARC-Type": "metadata", **target, "Content-Type": "application/warc-fields"}
    yield _compressed(_record(headers, notes, date, random)), False


def _broken(page: Page, record: bytes, random: Random) -> bytes:
    """The record as a member, with its length or its end broken if the page is of such a kind."""
    if page.kind == "wrong-length":
        head, _, rest = record.partition(b"Content-Length: ")
        said, _, body = rest.partition(b"\r\n")
        length = int(said) + random.choice((-37, 12, 5000)) if int(said) > 37 else int(said) + 12
        return _compressed(b"%sContent-Length: %d\r\n%s" % (head, length, body))
    member = _compressed(record)
    if page.kind == "cut-member":
        return member[: random.randrange(len(member) // 3, 2 * len(member) // 3)]
    return member


def _record(headers: dict[str, str], block: bytes, date: datetime.datetime, random: Random) -> bytes:
    """WARC/1.0 with the headers every record has."""
    named = {
        "WARC-Type": headers["WARC-Type"],
        "WARC-Date": f"{date:%Y-%m-%dT%H:%M:%SZ}",
        "WARC-Record-ID": _uuid(random),
        "Content-Length": str(len(block)),
        **headers,
        "WARC-Block-Digest": _digest(block),
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in named.items())
    return b"WARC/1.0\r\n" + head.encode() + b"\r\n" + block + b"\r\n\r\n"


def _uuid(random: Random) -> str:
    return f"<urn:uuid:{uuid.UUID(int=random.getrandbits(128), version=4)}>"


def _digest(content: bytes) -> str:
    return "sha1:" + base64.b32encode(hashlib.sha1(content, usedforsecurity=False).digest()).decode()


def _compressed(record: bytes) -> bytes:
    return gzip.compress(record, 6, mtime=0)
