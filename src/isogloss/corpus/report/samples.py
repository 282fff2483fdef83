"""samples.jsonl: some documents and lines of each language that were kept and that were dropped, by reason.

samples = read_samples(Path("corpus"))
shown = fitting(samples, max_bytes=8 << 20)     # fewer and shorter ones, as many and as long as go into a report
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from isogloss.errors import FolderError

__all__ = ["SAMPLES_NAME", "Sample", "Shown", "fitting", "read_samples"]

SAMPLES_NAME = "samples.jsonl"
KINDS = ("kept", "document", "line")
TYPES: dict[str, type] = {"str": str, "bool": bool}
# From all to very few, as (most of a kind and language, most characters): texts are clipped before any is left out.
LENGTHS = (1000, 600, 400, 250, 160, 120)
SIZES = (*((None, length) for length in LENGTHS), *((most, LENGTHS[-1]) for most in (10, 5, 3, 1)))
# What a page puts around a name and a text: elements, an attribute, a line feed.
MARKUP_BYTES = 70


@dataclass(frozen=True)
class Sample:
    """A document or a line; ``reason`` is empty for what was kept, ``cut`` says that the text went on."""

    language: str
    kind: str
    reason: str
    id: str
    text: str
    cut: bool


@dataclass(frozen=True)
class Shown:
    """The samples that go into a report, clipped to ``characters``, and how many were left out."""

    samples: tuple[Sample, ...]
    characters: int
    left_out: int


def read_samples(folder: Path) -> list[Sample]:
    """The samples of a corpus folder, none if it has no such file; raises FolderError naming a damaged line."""
    path = folder / SAMPLES_NAME
    if not path.exists():
        return []
    found = []
    with path.open("rb") as lines:
        for place, line in enumerate(lines, start=1):
            try:
                found.append(_sample(json.loads(line)))
            except ValueError as error:
                raise FolderError(
                    f"{path}:{place} is no sample ({error}); make the corpus again with 'isogloss corpus build'"
                ) from None
    return found


def fitting(samples: Sequence[Sample], *, max_bytes: int) -> Shown:
    """As many samples, as long ones, as take no more than ``max_bytes`` of a report, names and markup included."""
    for most, characters in SIZES:
        chosen = _first(samples, most)
        size = sum(len(f"{sample.id}{sample.text[:characters]}".encode(errors="replace")) for sample in chosen)
        if size + MARKUP_BYTES * len(chosen) <= max_bytes:
            break
    else:
        chosen = []
    clipped = tuple(_clipped(sample, characters) for sample in chosen)
    return Shown(clipped, characters, len(samples) - len(clipped))


def _sample(record: Any) -> Sample:
    if not isinstance(record, dict):
        raise ValueError("no JSON object")
    for field in fields(Sample):
        kind = TYPES[str(field.type)]
        if not isinstance(record.get(field.name), kind):
            raise ValueError(f"{field.name!r} is {record.get(field.name)!r:.40}")
    if record["kind"] not in KINDS:
        raise ValueError(f"'kind' is {record['kind']!r:.40}")
    return Sample(**{field.name: record[field.name] for field in fields(Sample)})


def _first(samples: Sequence[Sample], most: int | None) -> list[Sample]:
    """At most so many of each language, kind and reason, in their order."""
    met = Counter[tuple[str, str, str]]()
    chosen = []
    for sample in samples:
        group = (sample.language, sample.kind, sample.reason)
        met[group] += 1
        if most is None or met[group] <= most:
            chosen.append(sample)
    return chosen


def _clipped(sample: Sample, characters: int) -> Sample:
    if len(sample.text) <= characters:
        return sample
    return Sample(sample.language, sample.kind, sample.reason, sample.id, sample.text[:characters], cut=True)
