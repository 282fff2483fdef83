"""What a report is made of; how it looks is the business of :mod:`markdown` and :mod:`page` beside this file.

All text is plain: what has a meaning in Markdown or HTML is escaped where it is written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

__all__ = [
    "Block",
    "Cell",
    "Code",
    "Codes",
    "Figure",
    "Fold",
    "Heading",
    "Link",
    "Quotation",
    "Quotations",
    "Section",
    "Table",
    "Text",
]


@dataclass(frozen=True)
class Code:
    """Something to be read letter by letter: a setting, a file name."""

    text: str


@dataclass(frozen=True)
class Codes:
    """Several short ones in one cell, in any scripts."""

    texts: Sequence[str]


@dataclass(frozen=True)
class Link:
    """Text that leads to the fold with this ``anchor`` of the same page."""

    text: str
    anchor: str


Cell = str | Code | Codes | Link


@dataclass(frozen=True)
class Heading:
    """1 is the title of the whole."""

    text: str
    level: Literal[1, 2, 3] = 2


@dataclass(frozen=True)
class Text:
    """A paragraph; ``soft`` ones explain and are set back."""

    text: str
    soft: bool = False


@dataclass(frozen=True)
class Section:
    """A row of a table over its whole width: what the rows below have in common."""

    text: str


@dataclass(frozen=True)
class Table:
    """Columns hold numbers but for those in ``words``, which are set from the left; row ``strong`` stands out."""

    head: Sequence[str]
    rows: Sequence[Sequence[Cell] | Section]
    words: Sequence[int] = (0,)
    strong: int | None = None


@dataclass(frozen=True)
class Figure:
    """A drawing as SVG text, which only a page shows; two ``small`` ones have room side by side."""

    svg: str
    caption: str
    small: bool = False


@dataclass(frozen=True)
class Quotation:
    """A text of somebody else, in any language and script, and what names it."""

    name: str
    text: str


@dataclass(frozen=True)
class Quotations:
    """Texts of one language (BCP 47; empty where nobody knows it), one after another."""

    items: Sequence[Quotation]
    language: str = ""


@dataclass(frozen=True)
class Fold:
    """Blocks under a title, closed on a page until they are asked for; ``anchor`` is what a Link leads to."""

    title: str
    blocks: Sequence[Block]
    anchor: str = ""


Block = Heading | Text | Table | Figure | Quotations | Fold
