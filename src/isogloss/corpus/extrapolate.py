"""From what builds of a few files took to what a build of many will take: seconds, memory and disk by phase.

    plan = extrapolate(settings, whole, large, small)       # Samples of, say, six files and of two
    plan.hours, plan.memory_bytes, plan.disk_bytes

Seconds grow with the bytes of input, but for what each start costs: loading models, in a process (reading and
identifying) or in a unit (the other phases). The two samples tell them apart: they are two equations in two unknowns.
A phase ends when its last unit does, so on c cores it takes at most (all - largest) / c + largest, whatever the order
(Graham 1966); of writing, a language is one unit. Memory is the measured peak, and what grows with documents beside it:
DOCUMENT_BYTES and the memory settings, as far as the documents fill them. Disk grows with the bytes of input.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from isogloss.corpus.costs import Cost
from isogloss.corpus.dedup.clusters import BYTES_A_ROW
from isogloss.corpus.dedup.repeats import BYTES_A_LINE, RepeatSettings
from isogloss.corpus.judging import SLICE_BYTES
from isogloss.corpus.settings import CorpusSettings

__all__ = ["CorpusPlan", "MeasuredPhase", "PlannedPhase", "Sample", "Whole", "extrapolate"]

# In the order in which they are done; those of a source each load what they need once a process.
PHASES = ("reading", "repeats", "identifying", "labelled", "judging", "writing")
A_SOURCE_EACH = ("reading", "identifying")
FIRST = "first process"
# Measured: of each document in memory while its language is compared, without and with near-duplicates.
DOCUMENT_BYTES, NEAR_DOCUMENT_BYTES = 27, 39
# Measured: objects of answers that the first process holds, for each byte of their JSON.
ANSWER_BYTES = 1.7
# On disk while a group or a language is searched: sorted runs, and what was found.
RUN_BYTES, PLACE_BYTES, SIGNATURE_BYTES = 16, 8, 4


@dataclass(frozen=True)
class Sample:
    """A build of some files as it was measured; ``units`` and ``work_bytes`` are by phase, the last tables by language.

    Of what comes out, ``shown_bytes`` are reports and samples, which do not grow with the input.
    """

    files: int
    input_bytes: int
    workers: int
    units: Mapping[str, Mapping[str, Cost]]
    work_bytes: Mapping[str, int]
    output_bytes: int
    shown_bytes: int
    first: Cost
    answer_bytes: int
    lines: int
    compared: Mapping[str, int]
    stored_bytes: Mapping[str, int]
    kept: Mapping[str, Mapping[str, int]]


@dataclass(frozen=True)
class Whole:
    """What is planned: the input, and the machine."""

    files: int
    input_bytes: int
    cores: int
    memory_bytes: int | None = None


@dataclass(frozen=True)
class MeasuredPhase:
    """A phase of the sample; ``start_seconds`` of the processor are what a start costs, whatever the bytes."""

    phase: str
    units: int
    processor_seconds: float
    wall_seconds: float
    start_seconds: float
    peak_bytes: int
    disk_bytes: int


@dataclass(frozen=True)
class PlannedPhase:
    """A phase of the whole; ``memory_bytes`` is that of all units at a time, ``worker_bytes`` of the largest."""

    phase: str
    units: int
    processor_hours: float
    hours: float
    worker_bytes: int
    memory_bytes: int
    disk_bytes: int


@dataclass(frozen=True)
class CorpusPlan:
    """What was measured, and what follows from it for the whole; ``languages``: documents and bytes that come out."""

    sample_files: int
    sample_bytes: int
    measured: tuple[MeasuredPhase, ...]
    files: int
    input_bytes: int
    cores: int
    workers: int
    extrapolated: tuple[PlannedPhase, ...]
    processor_hours: float
    hours: float
    memory_bytes: int
    work_bytes: int
    output_bytes: int
    disk_bytes: int
    languages: dict[str, dict[str, int]]
    notes: tuple[str, ...]


def extrapolate(settings: CorpusSettings, whole: Whole, large: Sample, small: Sample | None) -> CorpusPlan:
    """Scale the large sample to the whole; without a small one all seconds are taken to grow with the bytes."""
    scale = _Scale(settings, whole, large, small)
    phases = tuple(scale.planned(phase) for phase in (*scale.phases, FIRST))
    return CorpusPlan(
        sample_files=large.files,
        sample_bytes=large.input_bytes,
        measured=tuple(scale.measured(phase) for phase in (*scale.phases, FIRST)),
        files=whole.files,
        input_bytes=whole.input_bytes,
        cores=whole.cores,
        workers=scale.workers,
        extrapolated=phases,
        processor_hours=sum(phase.processor_hours for phase in phases),
        hours=sum(phase.hours for phase in phases),
        memory_bytes=scale.memory_with(scale.workers),
        work_bytes=sum(phase.disk_bytes for phase in phases),
        output_bytes=scale.output_bytes,
        disk_bytes=scale.peak_disk_bytes,
        languages=scale.languages,
        notes=tuple(scale.notes()),
    )


class _Scale:
    """The whole beside the samples."""

    def __init__(self, settings: CorpusSettings, whole: Whole, large: Sample, small: Sample | None) -> None:
        self._settings, self._whole, self._large, self._small = settings, whole, large, small
        self._ratio = whole.input_bytes / large.input_bytes
        self.phases = [phase for phase in PHASES if large.units.get(phase)]

    def measured(self, phase: str) -> MeasuredPhase:
        costs = _costs(self._large, phase)
        return MeasuredPhase(
            phase=phase,
            units=len(costs),
            processor_seconds=_seconds(self._large, phase),
            wall_seconds=sum(cost.wall_seconds for cost in costs.values()),
            start_seconds=self._start_seconds(phase),
            peak_bytes=max(cost.peak_bytes for cost in costs.values()),
            disk_bytes=self._large.work_bytes.get(phase, 0),
        )

    def planned(self, phase: str) -> PlannedPhase:
        at_a_time = 1 if phase == FIRST else self.workers
        seconds, largest = self._processor_seconds(phase), self._largest_unit(phase)
        units = self._units_memory(phase)
        growth = 1.0 if phase in ("labelled", "writing", FIRST) else self._ratio
        return PlannedPhase(
            phase=phase,
            units=self._num_units(phase),
            processor_hours=seconds / 3600,
            hours=((seconds - largest) / at_a_time + largest) / 3600,
            worker_bytes=units[0],
            memory_bytes=sum(units[:at_a_time]),
            disk_bytes=round(self._large.work_bytes.get(phase, 0) * growth),
        )

    def _num_units(self, phase: str) -> int:
        if phase in A_SOURCE_EACH:
            return self._whole.files
        if phase == "repeats" and self._settings.repeats is not None:
            return -(-self._whole.files // self._files_a_group(self._settings.repeats))
        if phase == "judging":
            stored = self._large.stored_bytes.values()
            return sum(max(1, round(size * self._ratio / SLICE_BYTES)) for size in stored)
        return len(_costs(self._large, phase))

    def _files_a_group(self, settings: RepeatSettings) -> int:
        a_file = self._whole.input_bytes / self._whole.files
        heavy = self._whole.files if settings.group_bytes is None else max(1, int(settings.group_bytes / a_file))
        return min(settings.group_sources, heavy)

    def _start_seconds(self, phase: str) -> float:
        """Of two samples, what does not come from their bytes; 0 where they cannot tell."""
        if self._small is None or phase == "labelled":
            return 0.0
        few, many = (
            (_seconds(one, phase), _num_starts(one, phase), one.input_bytes) for one in (self._small, self._large)
        )
        divisor = few[1] * many[2] - many[1] * few[2]
        if divisor <= 0 or many[0] * few[1] <= few[0] * many[1]:
            return 0.0
        return max(0.0, (few[0] * many[2] - many[0] * few[2]) / divisor)

    def _growing_seconds(self, phase: str) -> float:
        """Of the large sample's seconds, those that grow with its bytes."""
        return _seconds(self._large, phase) - self._start_seconds(phase) * _num_starts(self._large, phase)

    def _processor_seconds(self, phase: str) -> float:
        if phase == "labelled":
            return _seconds(self._large, phase)
        starts = self._num_units(phase)
        if phase in A_SOURCE_EACH:
            starts = min(starts, self.workers)
        return self._start_seconds(phase) * starts + self._growing_seconds(phase) * self._ratio

    def _largest_unit(self, phase: str) -> float:
        """Seconds of the unit that may be waited for when all others are done."""
        units = [cost.processor_seconds for cost in _costs(self._large, phase).values()]
        start = self._start_seconds(phase)
        if phase == "writing":
            return start + max(0.0, max(units) - start) * self._ratio
        if phase == "judging":
            stored = self._large.stored_bytes.values()
            share = min(SLICE_BYTES / self._ratio, max(stored)) / sum(stored)
            return start + self._growing_seconds(phase) * self._ratio * share
        if phase in ("repeats", FIRST):
            return self._processor_seconds(phase) / self._num_units(phase)
        return min(max(units), self._processor_seconds(phase))

    @cached_property
    def workers(self) -> int:
        """As many as there are cores, fewer where memory does not suffice for them, but one."""
        most, limit = self._whole.cores, self._whole.memory_bytes
        if limit is None:
            return most
        return next((number for number in range(most, 1, -1) if self.memory_with(number) <= limit), 1)

    def memory_with(self, workers: int) -> int:
        """Of the phase that takes most with so many units at a time, and of the first process."""
        return max(sum(self._units_memory(phase)[:workers]) for phase in self.phases) + self._units_memory(FIRST)[0]

    def _units_memory(self, phase: str) -> list[int]:
        """Bytes of each unit that may be at work at once, falling."""
        costs = _costs(self._large, phase)
        peak = max(cost.peak_bytes for cost in costs.values())
        if phase == FIRST:
            return [peak + round(ANSWER_BYTES * self._large.answer_bytes * max(0.0, self._ratio - 1))]
        if phase == "writing":
            grown = [peak + self._comparing_growth(number) for number in self._large.compared.values()]
            return sorted(grown, reverse=True) or [peak]
        if phase == "repeats" and self._settings.repeats is not None:
            before = min(self._settings.repeats.memory_bytes, BYTES_A_LINE * self._large.lines / len(costs))
            after = min(self._settings.repeats.memory_bytes, BYTES_A_LINE * self._lines_a_group)
            peak += round(max(0.0, after - before))
        return [peak] * min(self._num_units(phase), self._whole.cores)

    @property
    def _lines_a_group(self) -> float:
        return self._large.lines * self._ratio / self._num_units("repeats")

    def _comparing_growth(self, num_documents: int) -> int:
        """Memory beyond the sample's of comparing a language that has so many documents in the sample."""
        grown = self._comparing(num_documents * self._ratio) - self._comparing(num_documents)
        return round(max(0.0, grown))

    def _comparing(self, num_documents: float) -> float:
        settings, near = self._settings, self._settings.near_duplicates
        held, searches = DOCUMENT_BYTES, [0.0]
        if settings.drop_duplicate_documents:
            searches.append(min(settings.duplicate_memory_bytes, BYTES_A_LINE * num_documents))
        if near is not None:
            held = NEAR_DOCUMENT_BYTES
            searches.append(min(near.memory_bytes, BYTES_A_ROW * near.num_bands * num_documents))
        return held * num_documents + max(searches)

    @cached_property
    def languages(self) -> dict[str, dict[str, int]]:
        """Documents and bytes of text that come out, up to the recipe's limits."""
        found = {}
        for code, kept in self._large.kept.items():
            limit = self._settings.max_bytes_by_language.get(code, self._settings.max_bytes)
            size = kept["bytes"] * self._ratio
            share = 1.0 if limit is None else min(1.0, limit / size)
            found[code] = {"documents": round(kept["documents"] * self._ratio * share), "bytes": round(size * share)}
        return found

    @property
    def output_bytes(self) -> int:
        kept = sum(table["bytes"] for table in self._large.kept.values())
        growth = sum(table["bytes"] for table in self.languages.values()) / kept
        return round(self._large.output_bytes * growth) + self._large.shown_bytes

    @property
    def peak_disk_bytes(self) -> int:
        """What the phases leave stays until the end; while a search is on, its runs lie there too."""
        work = {phase: self.planned(phase).disk_bytes for phase in self.phases}
        near = self._settings.near_duplicates
        a_document = RUN_BYTES * self._settings.drop_duplicate_documents
        if near is not None:
            a_document = max(a_document, SIGNATURE_BYTES * near.num_hashes + RUN_BYTES * near.num_bands)
        documents = sorted(self._large.compared.values(), reverse=True)[: self.workers]
        writing = sum(work.values()) + self.output_bytes + a_document * sum(documents) * self._ratio
        if "repeats" not in work:
            return round(writing)
        groups = min(self.workers, self._num_units("repeats"))
        return round(max(writing, work["reading"] + (RUN_BYTES + PLACE_BYTES) * self._lines_a_group * groups))

    def notes(self) -> Iterator[str]:
        """What the figures leave out, and where the sample is too small for them."""
        settings, large = self._settings, self._large
        if self._small is None:
            yield "one sample cannot tell what a start costs from what a byte does: hours are too many, if anything"
        for phase in self.phases:
            seconds = _seconds(large, phase)
            if seconds > 1 and self._growing_seconds(phase) < seconds / 2:
                yield f"{phase}: most of the sample's time is that of starting; more sample files make its hours surer"
        if settings.repeats is not None and large.files < min(settings.repeats.group_sources, self._whole.files):
            yield (
                f"lines are compared in groups of {settings.repeats.group_sources} files, the sample is {large.files}: "
                "more lines repeat in the whole, so less comes out and the phases after it take less"
            )
        if settings.drop_duplicate_documents or settings.near_duplicates is not None:
            yield "documents are compared within a language: the more there are, the more of them are duplicates"
        yield f"languages that are not in the sample's {large.files} files are in no figure"
        limit = self._whole.memory_bytes
        if limit is not None and self.workers < self._whole.cores:
            fits = self.memory_with(self.workers) <= limit
            yield (
                f"memory suffices for {self.workers} of {self._whole.cores} workers: engine.workers={self.workers}"
                if fits
                else f"{limit / 1e9:.1f} GB of memory do not suffice for one worker"
            )


def _costs(sample: Sample, phase: str) -> Mapping[str, Cost]:
    return {FIRST: sample.first} if phase == FIRST else sample.units.get(phase, {})


def _seconds(sample: Sample, phase: str) -> float:
    return sum(cost.processor_seconds for cost in _costs(sample, phase).values())


def _num_starts(sample: Sample, phase: str) -> int:
    """How often what a start costs was paid."""
    num_units = len(_costs(sample, phase))
    return min(num_units, sample.workers) if phase in A_SOURCE_EACH else num_units
