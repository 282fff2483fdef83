"""Where a study's text comes from, and what it has text of: a folder, a corpus, or the phrasebook.

source = find_source(study, "text")
check_languages(study, cells)            # DataError naming the first language that has no text
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from isogloss.corpus import Corpus
from isogloss.corpus.sources import find_sources
from isogloss.errors import ConfigError, DataError
from isogloss.languages import canonical_code
from isogloss.manifest import MANIFEST_NAME
from isogloss.phrasebook import LANGUAGES
from isogloss.studies.grid import Cell
from isogloss.studies.recipe import PHRASEBOOK, StudySettings

__all__ = ["Source", "check_languages", "find_source"]

MAIN = "text"


@dataclass(frozen=True)
class Source:
    """A text of the study: ``path`` is empty for the phrasebook; no ``languages``: nobody knows before it is read.

    ``sizes`` are bytes by language, in a folder of files; under "" those of files that name none.
    """

    name: str
    kind: Literal["folder", "corpus", "phrasebook"]
    path: Path
    languages: frozenset[str]
    sizes: Mapping[str, int] = field(default_factory=dict)


def find_source(study: StudySettings, name: str) -> Source:
    """The text of this name. Raises ConfigError where the study was given none, DataError where it is not there."""
    where = study.text if name == MAIN else study.texts.get(name, "")
    if not where:
        raise ConfigError(f"a cell of this study reads the text '{name}'; give it as texts.{name}=FOLDER")
    if where == PHRASEBOOK:
        return Source(name, "phrasebook", Path(), frozenset(map(canonical_code, LANGUAGES)))
    path = Path(where)
    if (path / MANIFEST_NAME).is_file():
        statistics = Corpus.open(path).statistics
        return Source(name, "corpus", path, frozenset(code for code, counts in statistics.items() if counts["bytes"]))
    sizes: Counter[str] = Counter()
    for source in find_sources(path):
        sizes[canonical_code(source.language) if source.language else ""] += source.state().bytes
    # A crawl's files are of no language that their names would say.
    known = frozenset() if "" in sizes else frozenset(code for code, num_bytes in sizes.items() if num_bytes)
    return Source(name, "folder", path, known, sizes)


def check_languages(study: StudySettings, cells: Sequence[Cell]) -> None:
    """Raise DataError for a language of a cell that its text does not have, ConfigError for a text nobody gave."""
    for name in dict.fromkeys(cell.settings.text.source for cell in cells):
        source = find_source(study, name)
        wanted = _in_order(
            code for cell in cells if cell.settings.text.source == name for code in cell.settings.languages
        )
        missing = [code for code in wanted if source.languages and code not in source.languages]
        if missing:
            reading = (cell for cell in cells if cell.settings.text.source == name)
            first = next(cell for cell in reading if missing[0] in cell.settings.languages)
            values = ", ".join(f"{axis} {label}" for axis, label in first.labels)
            more = f" (and of {len(missing) - 1} more: {', '.join(missing[1:9])})" if len(missing) > 1 else ""
            where = "the phrasebook" if source.kind == PHRASEBOOK else source.path
            raise DataError(
                f"{where} has no text of '{missing[0]}'{more}, "
                f"which {values} is pretrained on; add text, or leave values out with only.AXIS='[…]'"
            )
    for name, held_out in study.held_out.items():
        try:
            find_source(study, held_out.source)
        except ConfigError as error:
            raise ConfigError(f"held_out.{name}: {error}") from None


def _in_order(codes: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(codes))
