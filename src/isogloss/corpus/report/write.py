"""The report put together, written beside the corpus, and written again from a finished one."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from isogloss.config import Settings
from isogloss.corpus.report.by_language import by_language
from isogloss.corpus.report.counted import Counted
from isogloss.corpus.report.overview import files, overview, settings_table
from isogloss.corpus.report.paper import beside_the_paper
from isogloss.corpus.report.samples import SAMPLES_NAME, Sample, fitting, read_samples
from isogloss.errors import FolderError
from isogloss.manifest import MANIFEST_NAME, hash_file, read_manifest, room_for, write_json
from isogloss.report import Block, Heading, to_markdown, to_page

__all__ = ["as_markdown", "as_page", "rewrite", "write_both"]

TITLE = "Corpus report"
MARKDOWN_NAME, PAGE_NAME = "report.md", "report.html"
# For the samples; with all else over a hundred languages the page stays under 15 MB and opens at once.
PAGE_BYTES, MARKDOWN_BYTES = 11_000_000, 3_000_000
# Where a build takes its text from and puts it says nothing about the corpus.
NOT_SAID = ("input", "output", "engine")


def as_markdown(
    statistics: Mapping[str, Any], settings: Settings | Mapping[str, Any], samples: Sequence[Sample]
) -> str:
    """The report without plots."""
    return to_markdown(_blocks(statistics, settings, samples, max_bytes=MARKDOWN_BYTES, drawings=False))


def as_page(statistics: Mapping[str, Any], settings: Settings | Mapping[str, Any], samples: Sequence[Sample]) -> str:
    """The report with plots, for a browser."""
    return to_page(TITLE, _blocks(statistics, settings, samples, max_bytes=PAGE_BYTES, drawings=True))


def write_both(folder: Path, statistics: Mapping[str, Any], settings: Settings | Mapping[str, Any]) -> None:
    """Write both files; what is there already with the same content is left alone."""
    samples = read_samples(folder)
    for name, text in (
        (MARKDOWN_NAME, as_markdown(statistics, settings, samples)),
        (PAGE_NAME, as_page(statistics, settings, samples)),
    ):
        path, beside = folder / name, folder / f"{name}.tmp"
        if not path.exists() or path.read_bytes() != text.encode():
            beside.write_text(text, encoding="utf-8")
            beside.replace(path)


def rewrite(folder: Path) -> tuple[Path, Path]:
    """Both files and their entries in the manifest, anew."""
    # The report alone may differ from the manifest: this is what mends it.
    manifest = read_manifest(folder, "corpus", check_files=False)
    facts, path = manifest.files.get(SAMPLES_NAME), folder / SAMPLES_NAME
    if facts is not None and (not path.is_file() or hash_file(path) != facts["xxh3_128"]):
        raise FolderError(f"{path} is not as it was written; make the corpus again with 'isogloss corpus build'")
    made = (folder / MARKDOWN_NAME, folder / PAGE_NAME)
    with room_for(folder):
        write_both(folder, manifest.statistics, manifest.config)
        entries = {each.name: {"bytes": each.stat().st_size, "xxh3_128": hash_file(each)} for each in made}
        written = dataclasses.replace(manifest, files=dict(sorted({**manifest.files, **entries}.items())))
        if written != manifest:
            write_json(folder / MANIFEST_NAME, dataclasses.asdict(written))
    return made


def _blocks(
    statistics: Mapping[str, Any],
    settings: Settings | Mapping[str, Any],
    samples: Sequence[Sample],
    *,
    max_bytes: int,
    drawings: bool,
) -> list[Block]:
    counted = Counted(statistics)
    chosen = settings.model_dump(mode="json") if isinstance(settings, Settings) else settings
    said = {name: value for name, value in chosen.items() if name not in NOT_SAID}
    return [
        Heading(TITLE, level=1),
        *overview(counted, drawings=drawings),
        *beside_the_paper(counted, drawings=drawings),
        *by_language(counted, fitting(samples, max_bytes=max_bytes), drawings=drawings),
        *files(counted),
        *settings_table(said),
    ]
