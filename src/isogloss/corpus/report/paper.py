"""The corpus beside the paper's: Table 6 of "Unsupervised Cross-lingual Representation Learning at Scale".

The paper's sizes stand in ``languages.tsv``, with two misprints of the table put right and noted there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from isogloss.corpus.report.counted import NOTHING, Counted, decimal, gib, language_name, percent
from isogloss.languages import Language, all_languages, is_known
from isogloss.report import Block, Cell, Figure, Fold, Heading, Table, Text
from isogloss.report.plots import dots_svg

__all__ = ["beside_the_paper"]


def beside_the_paper(counted: Counted, *, drawings: bool) -> Iterator[Block]:
    """The plot of sizes and the table of the paper's 100 languages, ours beside them and after them."""
    yield Heading("Beside the paper")
    yield Text(
        "The paper's Table 6: tokens, which are what stands between white space, and GiB of each of its 100 languages. "
        "A share is that of all bytes of the corpus it belongs to; the ratio is ours by the paper's, above 1 where a "
        "language has more room here.",
        soft=True,
    )
    if drawings and counted.kept:
        yield _figure(counted)
    yield Fold("The paper's 100 languages and ours", [_table(counted)])


def _figure(counted: Counted) -> Figure:
    paper = {row.code: row.cc100_gib or 0.0 for row in all_languages()}
    codes = sorted(counted.kept, key=lambda code: (-paper.get(code, 0.0), code))
    ours = {code: counted.kept[code]["bytes"] / 2**30 for code in codes}
    series = {"this corpus": ours, "the paper's": {code: paper[code] for code in codes if paper.get(code)}}
    return Figure(dots_svg(series, ylabel="GiB"), "Size of each language, the largest of the paper first.")


def _table(counted: Counted) -> Table:
    rows: list[Sequence[Cell]] = [_row(row.code, row, counted) for row in all_languages()]
    rows += [_row(code, None, counted) for code in counted.kept if not is_known(code)]
    words = sum(row.cc100_million_words or 0.0 for row in all_languages())
    ours = (decimal(counted.sum("words") / 1e6), gib(counted.sum("bytes")))
    rows.append((str(len(all_languages())), "all", decimal(words), f"{_paper_gib():,.0f}", "", *ours, "", ""))
    head = ("paper: M tokens", "GiB", "share", "here: M words", "GiB", "share", "ratio of shares")
    return Table(("code", "language", *head), rows, words=(0, 1), strong=len(rows) - 1)


def _row(code: str, paper: Language | None, counted: Counted) -> Sequence[Cell]:
    theirs, ours = [NOTHING] * 3, [NOTHING] * 3
    if paper is not None and paper.cc100_gib is not None and paper.cc100_million_words is not None:
        share = percent(paper.cc100_gib, _paper_gib(), digits=3)
        theirs = [f"{paper.cc100_million_words:,g}", f"{paper.cc100_gib:g}", share]
    here = counted.kept.get(code)
    if here is not None:
        share = percent(here["bytes"], counted.sum("bytes"), digits=3)
        ours = [decimal(here["words"] / 1e6), gib(here["bytes"]), share]
    return (code, language_name(code), *theirs, *ours, _ratio(code, paper, counted))


def _ratio(code: str, paper: Language | None, counted: Counted) -> str:
    if paper is None or not paper.cc100_gib or code not in counted.kept or not counted.sum("bytes"):
        return NOTHING
    here = counted.kept[code]["bytes"] / counted.sum("bytes")
    return decimal(here / (paper.cc100_gib / _paper_gib()))


def _paper_gib() -> float:
    return sum(row.cc100_gib or 0.0 for row in all_languages())
