"""A plan of a corpus as text for people: what was measured, what follows from it for the whole, and what is left out.

print(render_plan(plan))
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from isogloss.corpus.extrapolate import CorpusPlan

__all__ = ["render_plan"]

UNITS = ("B", "kB", "MB", "GB", "TB", "PB")
# Above this many, languages are in the JSON alone.
MAX_LANGUAGES_LISTED = 20


def render_plan(plan: CorpusPlan) -> str:
    """Three tables, a line a phase or language, and notes."""
    return "\n".join([*_measured(plan), "", *_extrapolated(plan), "", *_languages(plan), "", *_notes(plan)])


def _measured(plan: CorpusPlan) -> Iterator[str]:
    yield f"measured: a build of {plan.sample_files:,} files, {_bytes(plan.sample_bytes)}"
    head = ("phase", "units", "processor s", "of which a start", "clock s", "peak of a unit", "disk")
    rows = [
        (
            one.phase,
            f"{one.units:,}",
            f"{one.processor_seconds:,.2f}",
            f"{one.start_seconds:,.2f}",
            f"{one.wall_seconds:,.2f}",
            _bytes(one.peak_bytes),
            _bytes(one.disk_bytes),
        )
        for one in plan.measured
    ]
    yield from _table([head, *rows])


def _extrapolated(plan: CorpusPlan) -> Iterator[str]:
    yield (
        f"extrapolated: {plan.files:,} files, {_bytes(plan.input_bytes)}, on {plan.cores:,} cores, "
        f"{plan.workers:,} units at a time"
    )
    head = ("phase", "units", "core-hours", "hours", "memory of the largest unit", "of all at a time", "disk")
    rows = [
        (
            one.phase,
            f"{one.units:,}",
            _hours(one.processor_hours),
            _hours(one.hours),
            _bytes(one.worker_bytes),
            _bytes(one.memory_bytes),
            _bytes(one.disk_bytes),
        )
        for one in plan.extrapolated
    ]
    total = ("all", "", _hours(plan.processor_hours), _hours(plan.hours), "", _bytes(plan.memory_bytes))
    yield from _table([head, *rows, (*total, _bytes(plan.work_bytes))])
    yield (
        f"disk: {_bytes(plan.disk_bytes)} at most, of which {_bytes(plan.output_bytes)} are the corpus and stay; "
        f"{_bytes(plan.work_bytes)} lie in the work folder until the end"
    )


def _languages(plan: CorpusPlan) -> Iterator[str]:
    by_size = sorted(plan.languages.items(), key=lambda item: -item[1]["bytes"])
    documents = sum(kept["documents"] for kept in plan.languages.values())
    size = sum(kept["bytes"] for kept in plan.languages.values())
    yield f"extrapolated: {documents:,} documents in {len(by_size)} languages come out, {_bytes(size)} of text"
    listed = by_size[:MAX_LANGUAGES_LISTED]
    rows = [(code, f"{kept['documents']:,}", _bytes(kept["bytes"])) for code, kept in listed]
    yield from _table([("language", "documents", "text"), *rows])
    if len(by_size) > len(listed):
        yield f"and {len(by_size) - len(listed)} more: --json has all"


def _notes(plan: CorpusPlan) -> Iterator[str]:
    for note in plan.notes:
        yield f"note: {note}"


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """The first column to the left, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        first, *others = (
            f"{cell:<{width}}" if not place else f"{cell:>{width}}"
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        yield "  ".join([first, *others]).rstrip()


def _hours(hours: float) -> str:
    return f"{hours:,.0f}" if hours >= 100 else f"{hours:.3g}"


def _bytes(number: float) -> str:
    place = 0
    while number >= 1000 and place < len(UNITS) - 1:
        number, place = number / 1000, place + 1
    return f"{number:.3g} {UNITS[place]}"
