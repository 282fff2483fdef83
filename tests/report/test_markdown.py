"""Markdown says what the blocks say, whatever stands in them: checked by a CommonMark parser."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from isogloss.report import (
    Cell,
    Code,
    Figure,
    Fold,
    Heading,
    Link,
    Quotation,
    Quotations,
    Table,
    Text,
    drawings_of,
    to_markdown,
)

HOSTILE = st.text(st.one_of(st.sampled_from("\\`*_[]()<>&|~#$!-+.1:\n\r\t\x00\u2028\u202e אا"), st.characters()))


def parsed(text: str) -> list[Token]:
    return MarkdownIt("commonmark").enable("table").parse(text)


def leaves(tokens: Sequence[Token]) -> list[tuple[str, str]]:
    """What each paragraph, heading or cell shows, with the kinds of what it is made of."""
    return [
        ("".join(part.content for part in token.children or ()), " ".join(part.type for part in token.children or ()))
        for token in tokens
        if token.type == "inline"
    ]


def as_shown(text: str) -> str:
    """What cannot be in a line of text becomes a blank."""
    return re.sub("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+", " ", text)


@given(st.lists(st.tuples(HOSTILE, HOSTILE), min_size=1, max_size=4))
def test_a_table_keeps_its_cells(rows: list[tuple[str, str]]) -> None:
    cells: list[tuple[Cell, Cell]] = [(text, Code(code)) for text, code in rows]
    tokens = parsed(to_markdown([Table(("text", "code"), cells)]))
    assert sum(token.type == "tr_open" for token in tokens) == len(rows) + 1
    for (text, code), (shown, kinds), (shown_code, code_kinds) in zip(
        rows, leaves(tokens)[2::2], leaves(tokens)[3::2], strict=True
    ):
        assert shown.strip() == as_shown(text).strip()
        assert set(kinds.split()) <= {"text", "text_special"}
        assert shown_code.strip() == as_shown(code).strip()
        assert set(code_kinds.split()) <= {"code_inline", "text"}


@given(HOSTILE.filter(str.strip), HOSTILE)
def test_a_quotation_is_one_item_of_text(name: str, text: str) -> None:
    tokens = parsed(to_markdown([Quotations([Quotation(name, text)] * 2)]))
    assert sum(token.type == "list_item_open" for token in tokens) == 2
    assert {token.type.removesuffix("_open").removesuffix("_close") for token in tokens} == {
        *("bullet_list", "list_item", "paragraph", "inline")
    }
    shown, kinds = leaves(tokens)[0]
    assert shown.split() == f"{as_shown(name)} \u2068{as_shown(text)}\u2069".split()
    assert set(kinds.split()) <= {"code_inline", "text", "text_special"}


def test_folds_become_headings_that_go_deeper() -> None:
    blocks = [Heading("One", level=1), Fold("Two", [Text("said"), Fold("Three", [Fold("a * b", [])])])]
    assert to_markdown(blocks) == "# One\n\n### Two\n\nsaid\n\n#### Three\n\n##### a \\* b\n"


def test_drawings_are_left_out_and_links_are_their_text() -> None:
    assert to_markdown([Figure("<svg/>", "A drawing."), Table(("a",), [(Link("sw", "anchor"),)])]) == (
        "| a |\n| --- |\n| sw |\n"
    )


def test_drawings_stand_in_files_beside_it_each_once() -> None:
    one, other = Figure("<svg>1</svg>", "One [a]."), Figure("<svg>2</svg>", "Other.")
    blocks = [one, Fold("More", [other, Figure(one.svg, "Once more.")])]
    assert drawings_of(blocks) == [one.svg, other.svg]
    assert to_markdown(blocks, drawings="figures").split("\n\n") == [
        "![One \\[a\\].](figures/1.svg)",
        "### More",
        "![Other.](figures/2.svg)",
        "![Once more.](figures/1.svg)\n",
    ]


def test_numbers_stand_to_the_right_and_a_strong_row_is_bold() -> None:
    table = Table(("a", "b"), [("x", "1"), ("", "2")], strong=1)
    assert to_markdown([table]) == "| a | b |\n| --- | ---: |\n| x | 1 |\n|  | **2** |\n"


@pytest.mark.parametrize("text", ["max_line_bytes", "q ∝ p^alpha, 3.5 %", "a – b (c)"])
def test_plain_text_stays_readable(text: str) -> None:
    assert to_markdown([Text(text)]) == text + "\n"
