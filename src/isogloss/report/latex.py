"""Blocks as LaTeX to be put into a paper: tables with booktabs' rules, headings, paragraphs; drawings are left out.

    \\usepackage{booktabs}                % what the text asks of the document it stands in
    \\input{results.tex}

Texts in other scripts want XeLaTeX or LuaLaTeX and a font that has them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from isogloss.report.blocks import Block, Cell, Codes, Figure, Fold, Heading, Quotations, Section, Table, Text

__all__ = ["to_latex"]

_SPECIAL = {
    **{character: f"\\{character}" for character in "&%$#_{}"},
    **{"~": "\\textasciitilde{}", "^": "\\textasciicircum{}", "\\": "\\textbackslash{}", "±": "$\\pm$"},
    **{"–": "--", "<": "\\textless{}", ">": "\\textgreater{}", "†": "$\\dagger$"},
}
_BREAKS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
HEADINGS = {1: "section", 2: "subsection", 3: "subsubsection"}


def to_latex(blocks: Sequence[Block]) -> str:
    """The text of a file, with one line feed at its end."""
    return "\n\n".join(_blocks(blocks)) + "\n"


def _blocks(blocks: Sequence[Block]) -> Iterator[str]:
    for block in blocks:
        if isinstance(block, Heading):
            yield f"\\{HEADINGS[block.level]}*{{{_inline(block.text)}}}"
        elif isinstance(block, Text):
            yield _inline(block.text)
        elif isinstance(block, Table):
            yield _table(block)
        elif isinstance(block, Quotations):
            items = [f"\\item \\texttt{{{_inline(item.name)}}} {_inline(item.text)}" for item in block.items]
            yield "\n".join(["\\begin{itemize}", *items, "\\end{itemize}"])
        elif isinstance(block, Fold):
            yield f"\\paragraph{{{_inline(block.title)}}}"
            yield from _blocks(block.blocks)
        else:
            assert isinstance(block, Figure), block


def _table(table: Table) -> str:
    columns = "".join("l" if column in table.words else "r" for column in range(len(table.head)))
    rows = [_row(row, table, strong=number == table.strong) for number, row in enumerate(table.rows)]
    # The first section has its rule already, below the head.
    rows[:1] = [row.removeprefix("\\midrule\n") for row in rows[:1]]
    return "\n".join(
        [
            f"\\begin{{tabular}}{{{columns}}}",
            "\\toprule",
            _line([_inline(cell) for cell in table.head]),
            "\\midrule",
            *rows,
            "\\bottomrule",
            "\\end{tabular}",
        ]
    )


def _row(row: Sequence[Cell] | Section, table: Table, *, strong: bool) -> str:
    if isinstance(row, Section):
        return f"\\midrule\n\\multicolumn{{{len(table.head)}}}{{l}}{{\\emph{{{_inline(row.text)}}}}} \\\\"
    cells = [_cell(cell) for cell in row]
    return _line([f"\\textbf{{{cell}}}" if strong and cell else cell for cell in cells])


def _cell(cell: Cell) -> str:
    if isinstance(cell, Codes):
        return " ".join(f"\\texttt{{{_inline(text)}}}" for text in cell.texts)
    return _inline(cell if isinstance(cell, str) else cell.text)


def _line(cells: Sequence[Cell]) -> str:
    return f"{' & '.join(map(str, cells))} \\\\"


def _inline(text: str) -> str:
    return "".join(_SPECIAL.get(character, character) for character in _BREAKS.sub(" ", text))
