"""Documents out of crawl files: text of WET, text of HTML, provenance, and every reason why there is none."""

from __future__ import annotations

import base64
import gzip
import hashlib
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import brotli
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isogloss.corpus import read_documents
from isogloss.corpus.documents import Document, ReadSettings
from isogloss.corpus.readers import read_source
from isogloss.corpus.sources import find_sources
from isogloss.corpus.tally import Tally
from isogloss.errors import DataError

CAPTURES = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "commoncrawl"
PARAGRAPH = "Anna anaishi Oslo pamoja na dada yake, na kila siku anatembea kando ya mto."
DATE = "2018-12-10T00:00:00Z"


def sha1(content: bytes) -> str:
    return "sha1:" + base64.b32encode(hashlib.sha1(content).digest()).decode()


def member(kind: str, content: bytes, uri: str = "https://example.org/", **headers: str) -> bytes:
    """A record as a gzip member; its block digest is right unless given."""
    named = {
        **{"WARC-Type": kind, "WARC-Record-ID": "<urn:uuid:0>", "WARC-Target-URI": uri, "WARC-Date": DATE},
        **{"WARC-Block-Digest": sha1(content), "Content-Type": "text/plain", "Content-Length": str(len(content))},
        **headers,
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in named.items() if value)
    return gzip.compress(b"WARC/1.0\r\n" + head.encode() + b"\r\n" + content + b"\r\n\r\n")


def wet(*texts: str | bytes, **headers: str) -> bytes:
    """A WET file: a record of the crawl, then one a text."""
    contents = [text.encode() if isinstance(text, str) else text for text in texts]
    records = [
        member("conversion", content, f"https://example.org/{number}", **headers)
        for number, content in enumerate(contents)
    ]
    return b"".join([member("warcinfo", b"software: tests\r\n"), *records])


def warc(body: bytes, *, status: str = "200 OK", kind: str | None = "text/html", **headers: str) -> bytes:
    """A WARC file: a request and its response, whose HTTP headers are given with underscores."""
    named = ({"Content-Type": kind} if kind else {}) | {name.replace("_", "-"): said for name, said in headers.items()}
    head = f"HTTP/1.1 {status}\r\n" + "".join(f"{name}: {said}\r\n" for name, said in named.items()) + "\r\n"
    http = {"Content-Type": "application/http", "WARC-Payload-Digest": sha1(body)}
    return member("request", b"GET / HTTP/1.1\r\n\r\n") + member("response", head.encode() + body, **http)


def page(text: str, encoding: str = "utf-8", head: str = "") -> bytes:
    menu = "<nav><a href='/a'>Home</a> <a href='/b'>About</a></nav>"
    return f"<html><head>{head}</head><body>{menu}<article><p>{text}</p></article></body></html>".encode(encoding)


@pytest.fixture
def read(write_input) -> Callable[..., tuple[list[Document], dict[str, Any]]]:
    """Documents and counts of one crawl file; what was read is what was given and what was dropped."""

    def run(content: bytes, name: str = "x.warc.gz", languages: tuple[str, ...] = (), **settings: Any) -> Any:
        (source,) = find_sources(write_input({name: content}))
        tally = Tally()
        documents = list(read_source(source, ReadSettings(**settings), tally, languages=languages))
        counts = tally.counts()
        for code, table in counts["read"].items():
            given = sum(document.language == code for document in documents)
            assert table["documents"] == given + sum(
                number for reason, number in counts["dropped"].get(code, {}).items() if not reason.endswith("-line")
            )
        return documents, counts

    return run


def test_wet_gives_text_and_where_it_comes_from(read) -> None:
    text = "  The cat sleeps. \n\n\tIt dreams.\r\n"
    (document, other), counts = read(wet(text, "Кошка спит."), "x.warc.wet.gz")
    assert document.lines == ("The cat sleeps.", "It dreams.")
    assert other.text == "Кошка спит."
    assert document.language == "und"
    expected = {"url": "https://example.org/0", "date": DATE, "digest": sha1(text.encode())}
    assert {key: document.source[key] for key in expected} == expected
    assert [document.place, other.place] == ["2", "3"]
    assert counts["noted"] == {"und": {"other-record": 1}}
    assert counts["dropped"] == {}


SPACES = [character for character in map(chr, range(0x10000)) if character.isspace()]
EDGES = st.one_of(st.just(""), st.just(""), st.sampled_from(SPACES))
WORDS = st.sampled_from(["a", "猫", "б в", "😀", "", "a\0"])
LINES = st.builds("".join, st.tuples(EDGES, WORDS, EDGES))


@settings(max_examples=80)
@given(texts=st.lists(st.builds("\n".join, st.lists(LINES, min_size=1, max_size=4)), max_size=6))
def test_lines_of_any_text_are_those_of_the_plain_loop(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str]
) -> None:
    path = tmp_path_factory.mktemp("crawl") / "x.wet.gz"
    path.write_bytes(wet(*texts))
    (source,) = find_sources(path)
    tally = Tally()
    found = list(read_source(source, ReadSettings(), tally, languages=()))
    lines = [[line.strip() for line in text.split("\n") if "\0" not in line] for text in texts]
    plain = {str(number): tuple(filter(None, kept)) for number, kept in enumerate(lines, start=2)}
    assert {document.place: document.lines for document in found} == {key: kept for key, kept in plain.items() if kept}
    assert all(document.num_lines == len(document.lines) for document in found)
    num_nul = sum("\0" in line for text in texts for line in text.split("\n"))
    assert tally.counts()["read"].get("und", {}).get("lines", 0) == sum(map(len, plain.values())) + num_nul


def test_offsets_are_of_the_records_members(read) -> None:
    content = wet("one", "two", "three")
    for document in read(content, "x.wet.gz")[0]:
        (again, *_), _ = read(content[document.source["offset"] :], "x.wet.gz")
        assert again.text == document.text


def test_a_crawl_has_the_language_that_is_said_and_no_other(read) -> None:
    (document,), _ = read(wet(PARAGRAPH), "wet/en/x.wet.gz", language="SW")
    assert document.language == "sw"
    none, counts = read(wet(PARAGRAPH), "wet/en/x.wet.gz", languages=("en",))
    assert none == []
    assert counts["dropped"] == {"und": {"other-language": 1}}
    with pytest.raises(ValueError, match="'klingon language'"):
        ReadSettings(language="klingon language")


@pytest.mark.parametrize(
    ("text", "reason"), [(b"caf\xe9", "bad-utf8-record"), ("", "empty-document"), (" \n\r\n\t", "empty-document")]
)
def test_text_that_is_none_is_counted(read, text: bytes | str, reason: str) -> None:
    documents, counts = read(wet("before", text, "after"), "x.wet.gz")
    assert [document.text for document in documents] == ["before", "after"]
    assert counts["dropped"] == {"und": {reason: 1}}


def test_limits_hold_for_crawls_as_for_other_files(read) -> None:
    limits = {"max_line_bytes": 60, "max_document_bytes": 100, "max_record_bytes": 400}
    texts = ["x" * 61 + "\nshort", "nul\0\nshort", "\n".join(["ab" * 5] * 20), "y\n" * 300]
    documents, counts = read(wet(*texts), "x.wet.gz", **limits)
    assert [document.text for document in documents[:2]] == ["short", "short"]
    assert sum(len(document.lines) for document in documents[2:]) == 20
    assert all(len(document.text) <= 100 for document in documents)
    assert counts["dropped"] == {"und": {"long-line": 1, "nul-line": 1, "long-record": 1}}
    assert counts["noted"]["und"]["split-document"] == len(documents) - 3


def test_pages_give_their_main_content(read) -> None:
    (document,), counts = read(warc(page(PARAGRAPH)))
    assert document.text == PARAGRAPH
    assert document.source["url"] == "https://example.org/"
    (whole,), _ = read(warc(page(PARAGRAPH)), crawl={"main_content": False})
    assert "About" in whole.text
    assert PARAGRAPH in whole.text
    assert counts["noted"] == {"und": {"other-record": 1}}


ENCODED = {
    "utf-8": "Ей снится рыба — и ещё одна.",
    "windows-1251": "Ей снится большая рыба, и ещё одна рыба.",
    "koi8-r": "Ей снится большая рыба, и ещё одна рыба.",
    "shift_jis": "猫は魚の夢を見ている。",
    "euc-kr": "고양이가 물고기 꿈을 꾼다.",
    "gb18030": "猫在睡觉，它梦见了鱼。",
    "windows-1254": "Kedi uyuyor, balık düşünde görüyor.",
    "iso-2022-jp": "猫は魚の夢を見ている。",
    "windows-874": "แมวนอนหลับ มันฝันถึงปลา",
}


@pytest.mark.parametrize("encoding", ENCODED)
@pytest.mark.parametrize("said", ["by HTTP", "by the page"])
def test_pages_of_every_encoding(read, encoding: str, said: str) -> None:
    text = ENCODED[encoding] * 5
    head = f'<meta charset="{encoding}">' if said == "by the page" else ""
    python = {"windows-874": "cp874"}.get(encoding, encoding)
    kind = f"text/html; charset={encoding}" if said == "by HTTP" else "text/html"
    (document,), _ = read(warc(page(text, python, head), kind=kind))
    assert document.text == text


def test_what_is_utf8_is_read_as_that_whatever_it_says(read) -> None:
    (document,), _ = read(warc(page(PARAGRAPH + " Bjørg"), kind="text/html; charset=iso-8859-1"))
    assert document.text.endswith("Bjørg")
    (document,), _ = read(warc(page(PARAGRAPH).decode().encode("utf-16")))
    assert document.text == PARAGRAPH


def chunked(content: bytes) -> bytes:
    parts = [content[place : place + 50] for place in range(0, len(content), 50)]
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


@pytest.mark.parametrize(
    ("pack", "headers"),
    [
        (gzip.compress, {"Content_Encoding": "gzip"}),
        (zlib.compress, {"Content_Encoding": "deflate"}),
        (lambda body: zlib.compress(body)[2:-4], {"Content_Encoding": "deflate"}),
        (brotli.compress, {"Content_Encoding": "br"}),
        (chunked, {"Transfer_Encoding": "chunked"}),
        (lambda body: chunked(gzip.compress(body)), {"Transfer_Encoding": "chunked", "Content_Encoding": "gzip"}),
        # Crawlers unpack and leave the headers.
        (bytes, {"Transfer_Encoding": "chunked", "Content_Encoding": "gzip"}),
        (bytes, {"Content_Encoding": "br"}),
        (bytes, {"Content_Encoding": "deflate"}),
    ],
)
def test_bodies_are_unpacked(read, pack: Callable[[bytes], bytes], headers: dict[str, str]) -> None:
    (document,), _ = read(warc(pack(page(PARAGRAPH)), **headers))
    assert document.text == PARAGRAPH


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (warc(page(PARAGRAPH), status="404 Not Found"), "bad-status"),
        (warc(b"%PDF-1.4", kind="application/pdf"), "not-html"),
        (warc(b"\x89PNG\r\n", kind=None), "not-html"),
        (warc(gzip.compress(page(PARAGRAPH))[:-20], Content_Encoding="gzip"), "bad-http"),
        (warc(b"nonsense" * 9, Content_Encoding="br"), "bad-http"),
        (warc(page(PARAGRAPH * 20)), "long-record"),
        (warc(gzip.compress(bytes(1 << 24)), Content_Encoding="gzip"), "long-record"),
        (warc(b""), "empty-document"),
        (warc(b"<html><img src=x></html>"), "empty-document"),
        (member("response", b"no HTTP at all"), "bad-http"),
        (member("resource", page(PARAGRAPH)), "not-html"),
        (member("resource", page(PARAGRAPH), **{"Content-Type": "text/html"}), ""),
        (warc(page(PARAGRAPH), kind=None), ""),
    ],
)
def test_a_response_that_gives_no_text_is_counted(read, content: bytes, reason: str) -> None:
    documents, counts = read(content, crawl={"max_html_bytes": 1000})
    assert len(documents) == (not reason)
    assert counts["dropped"] == ({"und": {reason: 1}} if reason else {})


def test_bytes_of_no_encoding_are_counted(read) -> None:
    noise = bytes(range(0x80, 0xA0)) * 20
    documents, counts = read(warc(page(PARAGRAPH).replace(b"Anna", noise), kind="text/html; charset=shift_jis"))
    assert documents == [] or counts["dropped"] == {}
    broken = "猫は魚の夢を見ている。".encode("shift_jis") * 30
    (document,), _ = read(warc(page("@").replace(b"@", broken + b"\xff"), kind="text/html; charset=shift_jis"))
    assert "魚の夢" in document.text


def test_a_page_that_is_nested_without_end_takes_no_time(read) -> None:
    documents, counts = read(warc(b"<html>" + b"<div>" * 50_000 + b"x"))
    assert documents == []
    assert counts["dropped"] == {"und": {"deep-html": 1}}
    flat = b"<html><body>" + b"<p>Hello.<br>" * 3000 + b"<div>x</div>" * 3000
    (document,), _ = read(warc(flat), crawl={"main_content": False})
    assert document.text.count("Hello.") == 3000


@pytest.mark.parametrize(
    "digest",
    ["sha1:" + "A" * 32, "sha1:" + "0" * 40, "md5:" + "0" * 32, "sha256:" + "0" * 64, "sha1:tooshort", "sha1:"],
)
def test_digests_are_compared_if_asked_for(read, digest: str) -> None:
    for content, is_right in (
        (wet("text"), True),
        (wet("text", **{"WARC-Block-Digest": digest}), False),
        (warc(page(PARAGRAPH)), True),
    ):
        documents, counts = read(content, crawl={"check_digests": True})
        assert len(documents) == is_right
        assert counts["dropped"] == ({} if is_right else {"und": {"bad-digest": 1}})
        assert len(read(content)[0]) == 1
    assert len(read(wet("text", **{"WARC-Block-Digest": "unknown:abc"}), crawl={"check_digests": True})[0]) == 1


def test_a_corpus_of_a_crawl(build) -> None:
    """Broken files among whole ones: everything whole is there, every break is counted, nothing stops."""
    whole = wet("The cat sleeps.", "It dreams.", "The cat sleeps.")
    files = {"a.warc.wet.gz": whole, "b.warc.wet.gz": whole[: len(whole) - 30], "c.warc.wet.gz": b"junk" * 100}
    output, manifest = build({**files, "d.warc.gz": warc(page(PARAGRAPH)), "en.txt": "Good morning."})
    assert list(read_documents(output, "und")) == ["The cat sleeps.", "It dreams.", PARAGRAPH]
    assert list(read_documents(output, "en")) == ["Good morning."]
    assert manifest.statistics["dropped"]["und"] == {"bad-member": 2, "duplicate-document": 3}
    output, manifest = build(files, language="sw", output="other")
    assert set(manifest.statistics["languages"]) == {"en", "sw"}
    with pytest.raises(DataError, match="language not asked for"):
        build({"a.warc.wet.gz": whole}, languages=("fi",), output="none")


@pytest.mark.skipif(not CAPTURES.is_dir(), reason="no real captures in ../shared/data/commoncrawl")
@pytest.mark.parametrize(
    ("name", "num_documents", "dropped"),
    [
        ("whirlwind.warc", 1, {}),
        ("whirlwind.warc.gz", 1, {}),
        ("whirlwind.warc.wet", 1, {}),
        ("whirlwind.warc.wet.gz", 1, {}),
        ("whirlwind.warc.wat.gz", 0, {}),
        # Edited by hand: no record has the length it says.
        ("cc_net.sample.warc.txt", 0, {"bad-length": 4}),
    ],
)
def test_real_captures(read, name: str, num_documents: int, dropped: dict[str, int]) -> None:
    content = (CAPTURES / name).read_bytes()
    documents, counts = read(content, name.removesuffix(".txt").replace(".wat", ""), crawl={"check_digests": True})
    assert len(documents) == num_documents
    assert counts["dropped"].get("und", {}) == dropped
    for document in documents:
        assert document.source["url"] == "https://an.wikipedia.org/wiki/Escopete"
        assert "Escopete" in document.text
