"""The report of a vocabulary, or of several side by side: Markdown, a page with plots, and the values as JSON.

    values = measure({"ours": subject}, read_excerpts(Path("corpus")))
    write_report(folder, values)                     # report.md, report.html, report.json
    print(render_report(values))

All is made from the values alone. The functions load what they need when they are called, so that only who writes a
page loads what draws plots.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from isogloss.manifest import write_json

__all__ = ["JSON_NAME", "MARKDOWN_NAME", "PAGE_NAME", "render_page", "render_report", "write_report"]

MARKDOWN_NAME = "report.md"
PAGE_NAME = "report.html"
JSON_NAME = "report.json"
TITLE = "Vocabulary report"


def write_report(folder: Path, values: Mapping[str, Any]) -> None:
    """Write the three files into ``folder``; what is there under their names is replaced."""
    for name, text in ((MARKDOWN_NAME, render_report(values)), (PAGE_NAME, render_page(values))):
        beside = folder / f"{name}.tmp"
        beside.write_text(text, encoding="utf-8")
        beside.replace(folder / name)
    write_json(folder / JSON_NAME, values)


def render_report(values: Mapping[str, Any]) -> str:
    """The report as Markdown."""
    from isogloss.report import Heading, to_markdown
    from isogloss.vocab.report.sections import sections

    return to_markdown([Heading(TITLE, level=1), *sections(values)])


def render_page(values: Mapping[str, Any]) -> str:
    """The report as a page in one file, with plots."""
    from isogloss.report import Heading, to_page
    from isogloss.vocab.report import figures
    from isogloss.vocab.report.sections import sections

    return to_page(TITLE, [Heading(TITLE, level=1), *sections(values, draw=figures)])
