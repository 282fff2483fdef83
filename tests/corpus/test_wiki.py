"""Dumps of wikis: the articles and no other page, whatever the compression, and every damage noticed."""

from __future__ import annotations

import bz2
import collections
import gzip
import itertools
import lzma
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from xml.sax.saxutils import escape

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from isogloss.corpus import sources, wiki
from isogloss.corpus.documents import Document, ReadSettings, WikiSettings
from isogloss.corpus.readers import read_source
from isogloss.corpus.sources import DamagedFileError, find_sources
from isogloss.corpus.tally import Tally

pytest.importorskip("mwparserfromhell")
HEAD = """<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.10/" version="0.10" xml:lang="sw">
<siteinfo><sitename>W</sitename><namespaces><namespace key="0" case="first-letter" />
<namespace key="6" case="first-letter">Picha</namespace><namespace key="14" case="first-letter">Jamii</namespace>
</namespaces></siteinfo>"""
FOOT = "</mediawiki>"
COMPRESS = {
    "": bytes,
    ".bz2": bz2.compress,
    ".gz": gzip.compress,
    ".xz": lzma.compress,
    ".zst": zstandard.ZstdCompressor().compress,
}


def page(
    text: str, *, title: str = "Oslo", ns: int = 0, number: int = 7, extra: str = "", model: str = "wikitext"
) -> str:
    return (
        f"<page><title>{title}</title><ns>{ns}</ns><id>{number}</id>{extra}<revision><id>99</id>"
        f"<timestamp>2023-11-01T00:00:00Z</timestamp><contributor><username>A</username><id>5</id></contributor>"
        f'<model>{model}</model><text bytes="1">{escape(text)}</text></revision></page>\n'
    )


def read(path: Path, tally: Tally | None = None, languages: tuple[str, ...] = (), **values: object) -> list[Document]:
    return list(reading(path, Tally() if tally is None else tally, languages, **values))


def reading(path: Path, tally: Tally, languages: tuple[str, ...] = (), **values: object) -> Iterator[Document]:
    (source,) = find_sources(path)
    return read_source(source, ReadSettings(**values), tally, languages=languages)


@pytest.mark.parametrize("suffix", COMPRESS)
def test_articles_are_documents_with_title_page_and_date(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"swwiki-20231101-pages-articles.xml{suffix}"
    dump = HEAD + page("'''Oslo''' ni mji.\n\nUko kusini.") + page("Pili.", title="A &amp; B", number=8) + FOOT
    path.write_bytes(COMPRESS[suffix](dump.encode()))
    assert read(path) == [
        Document(
            "sw", "Oslo ni mji.\nUko kusini.", 1, 0, {"title": "Oslo", "page": "7", "date": "2023-11-01T00:00:00Z"}
        ),
        Document("sw", "Pili.", 2, 0, {"title": "A & B", "page": "8", "date": "2023-11-01T00:00:00Z"}),
    ]


def test_streams_behind_each_other_are_one_dump(tmp_path: Path) -> None:
    path = tmp_path / "swwiki-latest-pages-articles-multistream.xml.bz2"
    parts = (HEAD, page("Moja."), page("Mbili."), FOOT)
    path.write_bytes(b"".join(bz2.compress(part.encode()) for part in parts))
    assert [document.text for document in read(path)] == ["Moja.", "Mbili."]


def test_what_is_no_article_is_noted_and_what_cannot_be_read_counted(tmp_path: Path, monkeypatch) -> None:
    path = tmp_path / "swwiki-20231101-pages-articles.xml"
    pages = [
        page("Mjadala.", ns=1),
        page("#REDIRECT [[Oslo]]", extra='<redirect title="Oslo" />'),
        page("#redirect [[Oslo]]"),
        page("local p = {}", model="Scribunto"),
        page("x" * 2001),
        page("ü" * 1001),
        page("{{tupu}}"),
        page("Nzuri."),
    ]
    path.write_text(HEAD + "".join(pages) + FOOT, "utf-8")
    tally = Tally()
    assert [document.line for document in read(path, tally, wiki=WikiSettings(max_page_bytes=2000))] == [8]
    assert tally.counts() == {
        "read": {"sw": {"documents": 4, "lines": 1}},
        "dropped": {"sw": {"empty-document": 1, "long-record": 2}},
        "dropped_lines": {},
        "noted": {"sw": {"other-page": 4}},
    }
    monkeypatch.setattr(wiki.Extractor, "text", lambda self, text: None)
    tally = Tally()
    assert read(path, tally) == []
    assert tally.counts()["dropped"] == {"sw": {"bad-wikitext": 4}}
    tally = Tally()
    assert read(path, tally, languages=("en",)) == []
    assert tally.counts()["dropped"] == {"sw": {"other-language": 4}}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(st.integers(0, 2000), st.sampled_from(sorted(COMPRESS)))
def test_a_dump_that_breaks_off_gives_what_stood_before(tmp_path: Path, cut: int, suffix: str) -> None:
    path = tmp_path / f"swwiki-20231101-pages-articles.xml{suffix}"
    # One stream a page, so that cut streams give whole ones before them.
    texts = [HEAD, *(page(f"Ukurasa {number}.") for number in range(5)), FOOT]
    data = b"".join(COMPRESS[suffix](text.encode()) for text in texts)
    ends = list(itertools.accumulate(len(COMPRESS[suffix](text.encode())) for text in texts))
    cut = cut % (len(data) - len(FOOT.encode()) if not suffix else len(data))
    path.write_bytes(data[:cut])
    tally = Tally()
    found: list[str] = []
    with pytest.raises(DamagedFileError):
        collections.deque((found.append(document.text) for document in reading(path, tally)), maxlen=0)
    whole = sum(end <= cut for end in ends[1:6])
    assert found[:whole] == [f"Ukurasa {number}." for number in range(whole)]
    assert len(found) <= whole + 1
    assert sum(tally.counts()["dropped"].get("sw", {}).values()) <= 1
    path.unlink()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('<!DOCTYPE m [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>' + HEAD + page("Moja.") + FOOT, "document type"),
        ('<!DOCTYPE m [<!ENTITY a SYSTEM "file:///etc/passwd">]>' + HEAD + page("Moja.") + FOOT, "document type"),
        ("<html><body>Moja</body></html>", "begins with <html>"),
        (HEAD + "<a>" * 100, "in each other"),
        (HEAD + "<page " + "a" * 4_000_000, "a tag of more"),
        ("", "no element found"),
    ],
)
def test_what_only_looks_like_a_dump_is_not_read(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "swwiki-20231101-pages-articles.xml"
    path.write_text(content, "utf-8")
    with pytest.raises(DamagedFileError, match=said):
        read(path)


def test_pages_before_an_undeclared_entity_or_a_bad_byte_stay(tmp_path: Path) -> None:
    for bad in (b"&bomb;", b"\xff", b"</text></text>"):
        path = tmp_path / "swwiki-20231101-pages-articles.xml"
        path.write_bytes((HEAD + page("Moja.") + page("Mbili. @")).encode().replace(b"@", bad) + b"more")
        tally = Tally()
        found: list[str] = []
        with pytest.raises(DamagedFileError, match="damaged XML"):
            collections.deque((found.append(document.text) for document in reading(path, tally)), maxlen=0)
        assert found == ["Moja."]
        assert tally.counts()["dropped"] == {"sw": {"cut-off-record": 1}}


def test_memory_is_that_of_a_page(tmp_path: Path, monkeypatch) -> None:
    path = tmp_path / "swwiki-20231101-pages-articles.xml"

    def blocks(source: sources.Source) -> Iterator[bytes]:
        yield HEAD.encode()
        yield from itertools.repeat(page("Neno moja. " * 2000).encode(), 300)
        yield page("@").partition("@")[0].encode()
        yield from itertools.repeat(b"x" * (1 << 20), 60)
        yield page("@").partition("@")[2].encode()
        yield from itertools.repeat(b" " * (1 << 20), 60)
        yield FOOT.encode()

    path.write_text("x")
    monkeypatch.setattr(wiki, "read_blocks", blocks)
    monkeypatch.setattr(wiki.Extractor, "text", lambda self, text: text)
    tally = Tally()
    tracemalloc.start()
    assert sum(1 for _ in reading(path, tally)) == 300
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 16 << 20
    assert tally.counts()["dropped"] == {"sw": {"long-record": 1}}


def test_a_wiki_without_a_language_is_of_the_one_that_is_set(tmp_path: Path) -> None:
    path = tmp_path / "pages.xml"
    path.write_text(HEAD + page("Moja.") + FOOT, "utf-8")
    assert [document.language for document in read(path)] == ["und"]
    assert [document.language for document in read(path, language="sw")] == ["sw"]
