"""The benchmark's input: WET files as CommonCrawl writes them, out of LANG.txt or of the embedded phrasebook.

    folder = make_input(Path("input"), text=Path("texts"), languages=("en", "sw"), num_bytes=2_000_000, num_files=4)

A document of the text becomes a page of some site: the site's menu above it, its small print below, and on some pages
lines of an earlier page, some pages whole once more. All of it is drawn by a seed, so the same text gives the same
files. Of each language the end of the text is left out of the pages: the language models are trained on it, and
some lines of the pages are taken as a labelled set, to be found again.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import random
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

# Of a language's text, what its model is trained on, and at most how many bytes.
TRAINED_SHARE = 0.2
TRAINED_BYTES = 500_000
# A longer document is cut, as books are: pages of a crawl have some thousands.
PAGE_CHARACTERS = 10_000
# Of each language.
FEW = 4
PAGES_OF_A_SITE = 25
MENU_LINES = 6
SMALL_PRINT_LINES = 2
MENU_CHARACTERS = 60
# One page in so many has lines of an earlier one, is an earlier one, gives a line to the labelled set.
QUOTES_EVERY = 5
REPEATS_EVERY = 40
LABELLED_EVERY = 100
QUOTED_LINES = 4
FIRST_DATE = "2026-01-01T00:00:00Z"


@dataclass(frozen=True)
class Page:
    """One web page as its text."""

    language: str
    url: str
    text: str


class Sizes(NamedTuple):
    """Bytes of the text of all pages, and of the few."""

    all: int
    few: int


def make_input(folder: Path, *, text: Path | None, languages: Sequence[str], num_bytes: int, num_files: int) -> Sizes:
    """Write pages, documents, labelled set and training text into the folder; returns their sizes.

    ``few`` inside it is a folder of the same form with a few pages of each language, and no training text.
    """
    (folder / "training").mkdir(parents=True)
    (folder / "few").mkdir()
    # The same models.
    (folder / "few" / "lm").symlink_to("../lm")
    pages: list[Page] = []
    few: list[Page] = []
    labelled: list[str] = []
    for language in languages:
        documents = read_documents(text, language)
        held = min(round(sum(map(_size, documents)) * TRAINED_SHARE), TRAINED_BYTES)
        documents, training = _split(documents, held)
        (folder / "training" / f"{language}.txt").write_text("\n\n".join(training) + "\n", encoding="utf-8")
        of_language = list(make_pages(language, documents, num_bytes // len(languages)))
        labelled += [max(page.text.split("\n"), key=len) for page in of_language[::LABELLED_EVERY]]
        pages += of_language
        few += of_language[1::PAGES_OF_A_SITE][:FEW]
    # A crawl has all languages everywhere.
    random.Random("order").shuffle(pages)
    for target, some, count in ((folder, pages, num_files), (folder / "few", few, 1)):
        (target / "labelled.txt").write_text("\n".join(labelled) + "\n", encoding="utf-8")
        _write_pages(target, some, count)
    return Sizes(*(sum(_size(page.text) for page in some) for some in (pages, few)))


def _write_pages(folder: Path, pages: Sequence[Page], num_files: int) -> None:
    """As documents, and as plain and compressed WET files."""
    with (folder / "documents.jsonl").open("w", encoding="utf-8") as file:
        for page in pages:
            file.write(json.dumps({"language": page.language, "text": page.text}, ensure_ascii=False) + "\n")
    for kind in ("wet", "plain"):
        (folder / kind).mkdir()
    for number in range(num_files):
        members = [_warcinfo(number), *(_record(page) for page in pages[number::num_files])]
        (folder / "plain" / f"{number:05d}.warc.wet").write_bytes(b"".join(members))
        packed = b"".join(gzip.compress(member, 6, mtime=0) for member in members)
        (folder / "wet" / f"{number:05d}.warc.wet.gz").write_bytes(packed)


def read_documents(text: Path | None, language: str) -> list[str]:
    """The documents of LANG.txt, between blank lines, books cut into pages; without a folder the phrasebook's
    sentences, ten a document."""
    if text is not None:
        whole = (text / f"{language}.txt").read_text(encoding="utf-8")
        documents = [document.strip("\n") for document in whole.split("\n\n") if document.strip()]
        return [page for document in documents for page in _cut(document)]
    from isogloss.phrasebook import parallel_sentences

    sentences = [row[0] for row in parallel_sentences([language], 4000, seed=1)]
    return ["\n".join(sentences[start : start + 10]) for start in range(0, len(sentences), 10)]


def make_pages(language: str, documents: Sequence[str], num_bytes: int) -> Iterator[Page]:
    """Pages of the documents in order, until there are so many bytes or no more documents."""
    draw = random.Random(f"pages/{language}")
    lines = [line for document in documents for line in document.split("\n")]
    made: list[Page] = []
    menu: list[str] = []
    for number, document in enumerate(documents):
        if number % PAGES_OF_A_SITE == 0:
            menu = [draw.choice(lines)[:MENU_CHARACTERS] for _ in range(MENU_LINES + SMALL_PRINT_LINES)]
        quoted: list[str] = []
        if made and number % QUOTES_EVERY == 0:
            earlier = draw.choice(made).text.split("\n")
            quoted = draw.sample(earlier, min(QUOTED_LINES, len(earlier)))
        body = [*menu[:MENU_LINES], *document.split("\n"), *quoted, *menu[MENU_LINES:]]
        text = "\n".join(filter(None, map(str.strip, body)))
        if made and number % REPEATS_EVERY == 0:
            text = draw.choice(made).text
        page = Page(language, f"https://{language}-{number // PAGES_OF_A_SITE}.example/{number}", text)
        num_bytes -= _size(text)
        if num_bytes < 0:
            return
        made.append(page)
        yield page


def _cut(document: str) -> Iterator[str]:
    """Whole lines, until they are as long as a page."""
    page: list[str] = []
    size = 0
    for line in document.split("\n"):
        page.append(line)
        size += len(line)
        if size >= PAGE_CHARACTERS:
            yield "\n".join(page)
            page, size = [], 0
    if page:
        yield "\n".join(page)


def _split(documents: Sequence[str], held_bytes: int) -> tuple[list[str], list[str]]:
    """The documents before the last so many bytes, and those."""
    end = len(documents)
    while end > 1 and held_bytes > 0:
        end -= 1
        held_bytes -= _size(documents[end])
    return list(documents[:end]), list(documents[end:])


def _size(text: str) -> int:
    return len(text.encode())


def _warcinfo(number: int) -> bytes:
    block = b"Software-Info: isogloss benchmark\r\n\r\n"
    headers = {
        "WARC-Type": "warcinfo",
        "WARC-Date": FIRST_DATE,
        "WARC-Filename": f"{number:05d}.warc.wet.gz",
        "WARC-Record-ID": f"<urn:uuid:{uuid.UUID(int=number)}>",
        "Content-Type": "application/warc-fields",
    }
    return _with_headers(headers, block)


def _record(page: Page) -> bytes:
    block = page.text.encode() + b"\n"
    digest = hashlib.sha1(block, usedforsecurity=False).digest()
    identity = uuid.UUID(bytes=digest[:16])
    headers = {
        "WARC-Type": "conversion",
        "WARC-Target-URI": page.url,
        "WARC-Date": FIRST_DATE,
        "WARC-Record-ID": f"<urn:uuid:{identity}>",
        "WARC-Refers-To": f"<urn:uuid:{identity}>",
        "WARC-Block-Digest": f"sha1:{base64.b32encode(digest).decode()}",
        "WARC-Identified-Payload-Type": "text/plain",
        "Content-Type": "text/plain",
    }
    return _with_headers(headers, block)


def _with_headers(headers: dict[str, str], block: bytes) -> bytes:
    lines = ["WARC/1.0", *(f"{name}: {value}" for name, value in headers.items()), f"Content-Length: {len(block)}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + block + b"\r\n\r\n"
