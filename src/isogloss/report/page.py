"""Blocks as a page in one file: style and drawings inside, no script, nothing fetched; well-formed as XML too.

Texts of others may run in either direction and hold anything: they are escaped, isolated and freed of what no page may
hold (controls, lone surrogates, noncharacters).
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence

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

__all__ = ["to_page"]

STYLE = """
:root { color-scheme: light; --ink: #1c2430; --soft: #566170; --line: #d9dee5; --accent: #1f5fa8; --ground: #f6f8fa; }
* { box-sizing: border-box; }
body { font: 16px/1.55 system-ui, sans-serif; color: var(--ink); background: #fff; max-width: 72rem;
  margin: 2.5rem auto; padding: 0 1.2rem; }
h1 { font-size: 1.7rem; margin-bottom: .2rem; } h2 { font-size: 1.25rem; margin: 2.6rem 0 .6rem; }
h3 { font-size: 1.05rem; margin: 1.6rem 0 .4rem; }
p { max-width: 52rem; overflow-wrap: anywhere; } p.soft { font-size: .93rem; }
p.soft, figcaption { color: var(--soft); }
a { color: var(--accent); } code { font: .86em/1.4 ui-monospace, monospace; overflow-wrap: anywhere; }
figure { margin: 1rem 0; } svg { display: block; } .scroll { overflow-x: auto; }
figure.small { display: inline-block; width: 22rem; max-width: 100%; margin: .4rem 1rem .4rem 0; vertical-align: top; }
figure.small svg { max-width: 100%; height: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; margin: .8rem 0; font-size: .93rem; }
th, td { padding: .28rem .6rem; border-bottom: 1px solid var(--line); text-align: right; vertical-align: top;
  white-space: nowrap; }
th { color: var(--soft); font-weight: 600; } tr.strong td { font-weight: 600; }
th.section { text-align: left; font-weight: 400; font-style: italic; padding-top: 0.8em; }
th.words, td.words { text-align: left; } th:first-child, td:first-child { padding-left: .2rem; }
td.words:last-child { white-space: normal; min-width: 16rem; max-width: 36rem; }
td code { display: inline-block; min-width: 10rem; max-width: 34rem; white-space: normal; }
td code.short { min-width: 0; background: var(--ground); border-radius: 3px; padding: 0 .25rem; margin-right: .2rem; }
details { border: 1px solid var(--line); border-radius: 6px; margin: .5rem 0; padding: 0 .9rem; background: #fff; }
details > summary { cursor: pointer; padding: .45rem 0; font-weight: 600; overflow-wrap: anywhere; }
details > summary:hover { color: var(--accent); } details[open] { padding-bottom: .6rem; }
details details > summary { font-weight: 500; }
ol.quotations { margin: .3rem 0; padding-left: 2.2rem; } ol.quotations > li { margin: .6rem 0; }
ol.quotations > li::marker { color: var(--soft); } ol.quotations code { color: var(--soft); }
blockquote { margin: .15rem 0 0; padding: .35rem .7rem; background: var(--ground); border-radius: 4px;
  white-space: pre-wrap; overflow-wrap: anywhere; }
"""

# What XML and HTML have no place for.
_FORBIDDEN = re.compile("[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f-\\x9f\\ud800-\\udfff\\ufdd0-\\ufdef\\ufffe\\uffff]")
_IDS = re.compile(r'(\bid="|\burl\(#|\bhref="#)')


def to_page(title: str, blocks: Sequence[Block]) -> str:
    """The text of a file, with one line feed at its end."""
    body = "\n".join(_block(block) for block in blocks)
    numbers = iter(range(body.count("<svg")))
    # Drawings are made one by one, and each of them counts its parts from one.
    body = re.sub(r"<svg.*?</svg>", lambda found: _IDS.sub(rf"\1d{next(numbers)}-", found[0]), body, flags=re.DOTALL)
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"/>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"/>'
        f"<title>{_escaped(title)}</title><style>{STYLE}</style></head>\n<body>\n{body}\n</body></html>\n"
    )


def _escaped(text: str) -> str:
    """Text as it may stand in an element or a quoted attribute; what must not be there becomes U+FFFD."""
    return html.escape(_FORBIDDEN.sub("\ufffd", text))


def _block(block: Block) -> str:
    if isinstance(block, Heading):
        return f"<h{block.level}>{_escaped(block.text)}</h{block.level}>"
    if isinstance(block, Text):
        kind = ' class="soft"' if block.soft else ""
        return f"<p{kind}>{_escaped(block.text)}</p>"
    if isinstance(block, Table):
        return _table(block)
    if isinstance(block, Figure):
        kind = ' class="small"' if block.small else ""
        caption = f"<figcaption>{_escaped(block.caption)}</figcaption>"
        return f'<figure{kind}><div class="scroll">{block.svg}</div>{caption}</figure>'
    if isinstance(block, Quotations):
        language = f' lang="{_escaped(block.language)}"' if block.language else ""
        return f'<ol class="quotations"{language}>{"".join(_quotation(item) for item in block.items)}</ol>'
    assert isinstance(block, Fold), block
    anchor = f' id="{_escaped(block.anchor)}"' if block.anchor else ""
    inside = "\n".join(_block(each) for each in block.blocks)
    return f"<details{anchor}><summary>{_escaped(block.title)}</summary>\n{inside}\n</details>"


def _table(table: Table) -> str:
    kinds = [' class="words"' if column in table.words else "" for column in range(len(table.head))]
    head = "".join(f"<th{kind}>{_escaped(cell)}</th>" for kind, cell in zip(kinds, table.head, strict=True))
    body = "".join(_row(row, kinds, strong=number == table.strong) for number, row in enumerate(table.rows))
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>\n{body}</tbody></table></div>'


def _row(row: Sequence[Cell] | Section, kinds: Sequence[str], *, strong: bool) -> str:
    if isinstance(row, Section):
        return f'<tr><th class="section" colspan="{len(kinds)}" scope="rowgroup">{_escaped(row.text)}</th></tr>\n'
    cells = "".join(f"<td{kind}>{_cell(cell)}</td>" for kind, cell in zip(kinds, row, strict=True))
    kind = ' class="strong"' if strong else ""
    return f"<tr{kind}>{cells}</tr>\n"


def _cell(cell: Cell) -> str:
    if isinstance(cell, Code):
        return f"<code><bdi>{_escaped(cell.text)}</bdi></code>"
    if isinstance(cell, Codes):
        # A space between them, where a line may end.
        return " ".join(f'<code class="short"><bdi>{_escaped(text)}</bdi></code>' for text in cell.texts)
    if isinstance(cell, Link):
        return f'<a href="#{_escaped(cell.anchor)}">{_escaped(cell.text)}</a>'
    return _escaped(cell)


def _quotation(item: Quotation) -> str:
    return f'<li><code>{_escaped(item.name)}</code><blockquote dir="auto">{_escaped(item.text)}</blockquote></li>\n'
