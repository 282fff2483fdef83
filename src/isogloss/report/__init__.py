"""Reports: what is said once as blocks (headings, text, tables, plots, folds) becomes Markdown, LaTeX, or a page.

    blocks = [Heading("Corpus report", level=1), Table(("code", "documents"), [("sw", "656")])]
    (folder / "report.md").write_text(to_markdown(blocks), encoding="utf-8")
    (folder / "report.html").write_text(to_page("Corpus report", blocks), encoding="utf-8")

Plots are in :mod:`isogloss.report.plots`, which loads matplotlib.
"""

from __future__ import annotations

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
from isogloss.report.latex import to_latex
from isogloss.report.markdown import drawings_of, to_markdown
from isogloss.report.page import to_page

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
    "drawings_of",
    "to_latex",
    "to_markdown",
    "to_page",
]
