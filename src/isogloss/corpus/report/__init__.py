"""report.md and report.html: what a corpus holds, every reason why something is not in it, and samples of both.

    write_report(folder, statistics, settings)      # as the end of a build
    rewrite_report("corpus")                        # again, from a finished corpus

All is made from the manifest's statistics and settings and from ``samples.jsonl``. The functions here load what they
need when they are called: each process of a build imports this package, and most of them draw no plots.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from isogloss.config import Settings

if TYPE_CHECKING:
    from isogloss.corpus.report.samples import Sample

__all__ = ["render_page", "render_report", "rewrite_report", "write_report"]


def write_report(folder: Path, statistics: Mapping[str, Any], settings: Settings | Mapping[str, Any]) -> None:
    """Write ``report.md`` and ``report.html`` into ``folder``, with samples if ``samples.jsonl`` is there.

    Raises FolderError for samples that cannot be read.
    """
    from isogloss.corpus.report.write import write_both

    write_both(folder, statistics, settings)


def rewrite_report(folder: Path | str) -> tuple[Path, Path]:
    """Write the report of a finished corpus again; returns the paths of report.md and report.html.

    The corpus keeps its fingerprint, so what was made from it stays its child. Raises FolderError if the folder is no
    finished corpus or its samples are not as they were written.
    """
    from isogloss.corpus.report.write import rewrite

    return rewrite(Path(folder))


def render_report(
    statistics: Mapping[str, Any], settings: Settings | Mapping[str, Any], samples: Sequence[Sample] = ()
) -> str:
    """The report as Markdown."""
    from isogloss.corpus.report.write import as_markdown

    return as_markdown(statistics, settings, samples)


def render_page(
    statistics: Mapping[str, Any], settings: Settings | Mapping[str, Any], samples: Sequence[Sample] = ()
) -> str:
    """The report as a self-contained page with plots."""
    from isogloss.corpus.report.write import as_page

    return as_page(statistics, settings, samples)
