"""Blocks as Markdown (CommonMark with tables): readable as it is, and the same on any forge.

Drawings are left out, or stand in files beside it: drawings_of(blocks) are their contents, `1.svg` the first of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from isogloss.report.blocks import (
    Block,
    Cell,
    Code,
    Codes,
    Figure,
    Fold,
    Heading,
    Link,
    Quotation,
    Quotations,
    Section,
    Table,
    Text,
)

__all__ = ["drawings_of", "to_markdown"]

# What begins something in CommonMark anywhere in a line; an underscore between letters begins nothing.
_SPECIAL = re.compile(r"([\\`*\[\]<>&|~#$]|(?<![^\W_])_|_(?![^\W_]))")
# What breaks a line or cannot be in a text file: controls, line and paragraph separators, lone surrogates.
_BREAKS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
# Unicode's isolates: a text from right to left does not drag its neighbours along.
_ISOLATE, _END = "\u2068", "\u2069"
DEEPEST = 6


def to_markdown(blocks: Sequence[Block], *, drawings: str = "") -> str:
    """The text of a file, with one line feed at its end; `drawings` is the folder beside it that they are in."""
    places = {svg: f"{drawings}/{number}.svg" for number, svg in enumerate(drawings_of(blocks), 1)} if drawings else {}
    return "\n\n".join(_blocks(blocks, places, depth=0)) + "\n"


def drawings_of(blocks: Sequence[Block]) -> list[str]:
    """Every drawing once, as SVG text."""
    found: dict[str, None] = {}
    for block in blocks:
        if isinstance(block, Figure):
            found[block.svg] = None
        elif isinstance(block, Fold):
            found |= dict.fromkeys(drawings_of(block.blocks))
    return list(found)


def _blocks(blocks: Sequence[Block], places: Mapping[str, str], *, depth: int) -> Iterator[str]:
    for block in blocks:
        if isinstance(block, Heading):
            yield f"{'#' * block.level} {_inline(block.text)}"
        elif isinstance(block, Text):
            yield _inline(block.text)
        elif isinstance(block, Table):
            yield _table(block)
        elif isinstance(block, Quotations):
            yield "\n".join(_quotation(item) for item in block.items)
        elif isinstance(block, Fold):
            yield f"{'#' * min(DEEPEST, 3 + depth)} {_inline(block.title)}"
            yield from _blocks(block.blocks, places, depth=depth + 1)
        else:
            assert isinstance(block, Figure), block
            if block.svg in places:
                yield f"![{_inline(block.caption)}]({places[block.svg]})"


def _table(table: Table) -> str:
    marks = ["---" if column in table.words else "---:" for column in range(len(table.head))]
    rows = [_row(row, table, strong=number == table.strong) for number, row in enumerate(table.rows)]
    lines = [[_inline(cell) for cell in table.head], marks, *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _row(row: Sequence[Cell] | Section, table: Table, *, strong: bool) -> list[str]:
    if isinstance(row, Section):  # CommonMark has no cell over several columns
        return [f"*{_inline(row.text)}*", *[""] * (len(table.head) - 1)]
    cells = [_cell(cell) for cell in row]
    return [f"**{cell}**" if strong and cell else cell for cell in cells]


def _cell(cell: Cell) -> str:
    if isinstance(cell, Code):
        # A bar would end the cell even here.
        return _code(cell.text).replace("|", "\\|")
    if isinstance(cell, Codes):
        return " ".join(f"{_ISOLATE}{_cell(Code(text))}{_END}" for text in cell.texts)
    return _inline(cell.text if isinstance(cell, Link) else cell)


def _quotation(item: Quotation) -> str:
    return f"- {_code(item.name)} {_ISOLATE}{_inline(item.text)}{_END}"


def _inline(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", _BREAKS.sub(" ", text))


def _code(text: str) -> str:
    """A code span: nothing can be escaped in it, so its fence is longer than any inside."""
    text = _BREAKS.sub(" ", text)
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", text)), default=0))
    space = " " if text.startswith("`") or text.endswith("`") or not text.strip() else ""
    return f"{fence}{space}{text}{space}{fence}"
