"""A page is well-formed, needs no other file, and shows what the blocks say, whatever stands in them."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree

from hypothesis import given
from hypothesis import strategies as st

from isogloss.report import Code, Codes, Figure, Fold, Heading, Link, Quotation, Quotations, Table, Text, to_page
from isogloss.report.plots import histogram_svg

HOSTILE = st.text(
    st.one_of(st.sampled_from("<>&\"'\x00\x0b\x85\ud800\ufffe\u202e\n ا"), st.characters(codec=None)), max_size=30
)


def parsed(page: str) -> ElementTree.Element:
    """The page as XML, which is stricter than HTML; raises where it is not well-formed."""
    head, rest = page.split("\n", 1)
    assert head == "<!DOCTYPE html>"
    page.encode()
    return ElementTree.fromstring(rest)


def as_shown(text: str) -> str:
    """What no page may hold becomes a mark; XML reads a carriage return as a line feed."""
    marked = re.sub("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]", "\ufffd", text)
    return marked.replace("\r\n", "\n").replace("\r", "\n")


@given(HOSTILE, HOSTILE, HOSTILE)
def test_texts_of_others_are_texts(one: str, two: str, three: str) -> None:
    page = parsed(
        to_page(
            one,
            [
                Heading(one, level=1),
                Table((one, two), [(Code(two), three)]),
                Fold(three, [Quotations([Quotation(one, two)], "sw"), Text(three, soft=True)], anchor="a"),
            ],
        )
    )
    shown = {element.tag: "".join(element.itertext()) for element in page.iter()}
    assert [shown[tag] for tag in ("title", "h1", "code", "blockquote", "summary", "p")] == [
        as_shown(text) for text in (one, one, one, two, three, three)
    ]
    assert {element.tag for element in page.iter()} == {
        *("html", "head", "meta", "title", "style", "body", "h1", "div", "table", "thead", "tbody", "tr", "th", "td"),
        *("code", "bdi", "details", "summary", "ol", "li", "blockquote", "p"),
    }


@given(st.lists(HOSTILE, max_size=4))
def test_several_codes_stand_by_themselves_in_a_cell(texts: list[str]) -> None:
    page = parsed(to_page("", [Table(("pieces",), [(Codes(texts),)])]))
    assert ["".join(code.itertext()) for code in page.iter("bdi")] == [as_shown(text) for text in texts]


def test_quotations_find_their_direction_and_say_their_language() -> None:
    page = parsed(to_page("", [Quotations([Quotation("a", "שלום"), Quotation("b", "hi")], "he")]))
    assert [item.get("dir") for item in page.iter("blockquote")] == ["auto", "auto"]
    assert [item.get("lang") for item in page.iter("ol")] == ["he"]


def test_drawings_do_not_share_ids_and_fetch_nothing() -> None:
    drawn = histogram_svg([1, 2], [0, 1, 2], xlabel="x")
    text = to_page("two drawings", [Figure(drawn, "one"), Fold("more", [Figure(drawn, "two", small=True)])])
    page = parsed(text)
    ids = [element.get("id") for element in page.iter() if element.get("id")]
    assert len(ids) == len(set(ids)) > 10
    values = [value for element in page.iter() for value in element.attrib.values()]
    used = [name for value in values for name in re.findall(r"^#(.+)|url\(#(.+?)\)", value)]
    assert used
    assert {"".join(name) for name in used} <= set(ids)
    assert "://" not in re.sub(r'xmlns(:xlink)?="[^"]*"', "", text)
    assert not re.search(r"@import|<script|<link|<img|<iframe", text)


def test_a_link_leads_to_its_fold() -> None:
    page = parsed(to_page("", [Table(("a",), [(Link("sw", "sw"),)]), Fold("Swahili", [], anchor="sw")]))
    assert [link.get("href") for link in page.iter("a")] == ["#sw"]
    assert [fold.get("id") for fold in page.iter("details")] == ["sw"]


def test_a_strong_row_and_words_are_marked() -> None:
    page = parsed(to_page("", [Table(("a", "b"), [("x", "1"), ("y", "2")], strong=1)]))
    assert [row.get("class") for row in page.iter("tr")] == [None, None, "strong"]
    assert [cell.get("class") for cell in page.iter("td")] == ["words", None, "words", None]
