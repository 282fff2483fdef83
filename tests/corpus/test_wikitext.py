"""Wikitext: what is read aloud stays, markup goes, and no page stops the reading."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isogloss.corpus.documents import WikiSettings

pytest.importorskip("mwparserfromhell")

from isogloss.corpus.wikitext import Extractor

SILENT = {"file", "image", "media", "category", "picha", "jamii"}


def extracted(text: str, **values: bool) -> str | None:
    return Extractor(WikiSettings(**values), SILENT).text(text)


@pytest.mark.parametrize(
    ("wikitext", "text"),
    [
        ("'''Anna''' anaishi ''[[Oslo|mjini Oslo]]''.", "Anna anaishi mjini Oslo."),
        ("Ni [[mji]] wa [[Norwei]]a.", "Ni mji wa Norweia."),
        ("[[Picha:Oslo.jpg|thumb|Picha ya [[Oslo]]]]Mji.", "Mji."),
        ("[[picha : x.jpg]][[File:x.jpg|thumb]]Mji.", "Mji."),
        ("Mji.\n[[Jamii:Miji]]\n[[en:Oslo]]", "Mji."),
        ("Tazama [[:Jamii:Miji|miji]].", "Tazama miji."),
        ("Mji{{citation needed|date=2020}} ni.<ref name=a>Kitabu {{cite}}</ref><ref name=a />", "Mji ni."),
        ("{{Infobox\n| jina = Oslo\n| picha = [[Picha:a.jpg]]\n}}\nMji.", "Mji."),
        ("{| class=wikitable\n! a\n|-\n| b || c\n|}\nMji.", "Mji."),
        ("{| class=wikitable\n! a | b\n|-\n| c || d\nMji.", "Mji."),
        ("Fomula <math>a_b</math> hapa.", "Fomula hapa."),
        ("<!-- siri -->Mji.<br/>Pili.", "Mji.\nPili."),
        ("Mji &amp; kijiji&nbsp;&#8211; sawa.", "Mji & kijiji – sawa."),
        ("Oslo ({{lang|no|Oslo}}; {{IPA|x}}) ni mji.", "Oslo ni mji."),
        ("Tovuti [http://example.org ya mji] na http://example.org [http://example.org]", "Tovuti ya mji na"),
        ("Mji.__NOTOC__\n__TOC__", "Mji."),
        ("Mji.<gallery>\nPicha:a.jpg|b\n</gallery>", "Mji."),
        ("<nowiki>[sio kiungo]</nowiki>", "[sio kiungo]"),
        ("Mji.\n\nPili.", "Mji.\nPili."),
        ("", ""),
    ],
)
def test_markup_goes_and_words_stay(wikitext: str, text: str) -> None:
    assert extracted(wikitext) == text


def test_lists_and_headings_stay_where_they_are_asked_for() -> None:
    wikitext = "Mji.\n== Historia ==\n* Moja\n** Mbili [[tatu]]\n# Nne\n: Tano\nSita."
    assert extracted(wikitext) == "Mji.\nSita."
    assert extracted(wikitext, headings=True) == "Mji.\nHistoria\nSita."
    assert extracted(wikitext, lists=True) == "Mji.\nMoja\nMbili tatu\nNne\nTano\nSita."


PIECES = [
    "[[",
    "]]",
    "{{",
    "}}",
    "{|",
    "|}",
    "|",
    "'''",
    "''",
    "\n",
    "==",
    "* ",
    "<ref>",
    "</ref>",
    "<b",
    ">",
    "&",
    ";",
]


@given(st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=3)), max_size=30).map("".join))
def test_any_wikitext_is_read(wikitext: str) -> None:
    text = extracted(wikitext)
    assert text is None or all(line.strip() == line != "" for line in text.split("\n") if text)


@given(st.lists(st.text("abc äß中ة.,", min_size=1).map(str.strip).filter(bool), max_size=5))
def test_plain_text_stays_as_it_is(lines: list[str]) -> None:
    assert extracted("\n".join(lines)) == "\n".join(" ".join(line.split(" ")) for line in map(_one_space, lines))


def _one_space(line: str) -> str:
    while "  " in line:
        line = line.replace("  ", " ")
    return line


OPEN_ENDS = ["[[a|", "{{a|b=", "<b>", "<ref>", "<ref ", '<a b="', "<!--", "<nowiki>", "[http://a ", "[//a ", "{|\n|"]


@pytest.mark.parametrize("piece", OPEN_ENDS)
def test_a_page_of_open_ends_takes_no_time(piece: str) -> None:
    """The parser's time is the square of the number of ends that are open."""
    before = time.process_time()
    assert (extracted("Mji. " + piece * 100_000) is None) == (piece != "{|\n|")
    assert extracted("Mji. " + piece * 100) is not None
    assert time.process_time() - before < 10


def test_a_long_page_of_closed_ends_is_read() -> None:
    whole = "Mji<ref name=a>b</ref><ref name=a /> wa [[b]] {{c}} [http://a b] <!-- d --> <br> [//a b]\n<li>e\n" * 2000
    assert extracted(whole) == "\n".join(["Mji wa b b", "b", "e"] * 2000)
