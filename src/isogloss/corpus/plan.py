"""What a build of a whole crawl will take, from builds of a few of its files that are made to be measured.

    plan = plan_corpus(CorpusSettings(input="crawl", output="corpus"), PlanSettings(files=56_000, cores=64))
    plan.hours, plan.memory_bytes, plan.disk_bytes

Files spread over the listing are built for real, all of them and then a third of them, into ``OUTPUT.plan``, which is
gone at the end, also after an error. :mod:`extrapolate` says how the whole follows from the two. The disk is taken to
keep up with the processors, and what processes need to start (not what they load) is not counted.
"""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from pydantic import Field

from isogloss.config import Settings
from isogloss.corpus.build import NoDocumentError, build_corpus
from isogloss.corpus.costs import COST_SUFFIX, measured, read_costs
from isogloss.corpus.dedup.paragraphs import HASH_DTYPE
from isogloss.corpus.engine import num_cores
from isogloss.corpus.extrapolate import PHASES, CorpusPlan, Sample, Whole, extrapolate
from isogloss.corpus.settings import CorpusSettings
from isogloss.corpus.sources import Source, find_sources
from isogloss.errors import ConfigError, DataError
from isogloss.manifest import room_for

__all__ = ["PlanSettings", "plan_corpus"]


class PlanSettings(Settings):
    """What is planned, and how much of it is built to know."""

    files: int | None = Field(None, gt=0, description="files of the whole; none: those of the input folder")
    cores: int | None = Field(None, gt=0, description="units at a time; none: the cores of this machine")
    memory_gb: float | None = Field(
        None, gt=0, description="memory of the machine; fewer units at a time if it is little"
    )
    sample_files: int = Field(3, gt=0, description="files that are built to be measured")


def plan_corpus(settings: CorpusSettings, plan: PlanSettings) -> CorpusPlan:
    """Build samples and scale them; nothing is left of them.

    Raises ConfigError for a sample larger than the input or the whole, and what build_corpus raises.
    """
    sources = [source for source in find_sources(settings.input) if source.format and _size_of(source)]
    whole = _whole(settings, plan, sources)
    with _folder_beside(settings.output) as folder:
        chosen = _spread(sources, plan.sample_files)
        few = _spread(chosen, max(1, len(chosen) // 3))
        small = _built(settings, few, folder / "small") if len(few) < len(chosen) else None
        large = _built(settings, chosen, folder / "large")
    if large is None:
        raise DataError(f"{len(chosen)} files of {settings.input} give no document; take more of them: --sample")
    return extrapolate(settings, whole, large, small)


def _whole(settings: CorpusSettings, plan: PlanSettings, sources: Sequence[Source]) -> Whole:
    if not sources:
        raise DataError(f"input {settings.input} holds no file that is read; a sample of the whole has to lie there")
    num_files = plan.files or len(sources)
    for name, number in ((f"input {settings.input} has", len(sources)), ("the whole has", num_files)):
        if plan.sample_files > number:
            raise ConfigError(f"a sample of {plan.sample_files} files was asked for, but {name} {number}; take fewer")
    in_input = sum(map(_size_of, sources))
    return Whole(
        files=num_files,
        input_bytes=round(in_input * num_files / len(sources)),
        cores=plan.cores or num_cores(),
        memory_bytes=None if plan.memory_gb is None else round(plan.memory_gb * 1e9),
    )


def _spread(sources: Sequence[Source], number: int) -> list[Source]:
    """So many of them, from the middles of as many equal stretches."""
    return [sources[(2 * place + 1) * len(sources) // (2 * number)] for place in range(number)]


@contextlib.contextmanager
def _folder_beside(output: Path) -> Iterator[Path]:
    folder = output.with_name(output.name + ".plan")
    # What is there was left by a plan that was killed.
    shutil.rmtree(folder, ignore_errors=True)
    try:
        with room_for(folder):
            folder.mkdir(parents=True)
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _built(settings: CorpusSettings, sources: Sequence[Source], folder: Path) -> Sample | None:
    """Build some of the sources and measure it; None where they give no document."""
    # In processes of their own, units can be measured one by one.
    workers = max(2, settings.engine.workers or num_cores())
    engine = settings.engine.model_copy(update={"workers": workers})
    sample = settings.model_copy(update={"output": folder / "corpus", "engine": engine})
    try:
        manifest, first = measured(lambda: build_corpus(sample, sources=sources, keep_work=True), own_process=False)
    except NoDocumentError:
        return None
    work = folder / "corpus.work"
    phases = [phase for phase in PHASES if (work / phase).exists()]
    # Texts lie in folders; beside them is what is for people: reports, and samples of a bounded number.
    shown = sum(entry["bytes"] for name, entry in manifest.files.items() if "/" not in name)
    before_judging = "identifying" if "identifying" in phases else "reading"
    return Sample(
        files=len(sources),
        input_bytes=sum(map(_size_of, sources)),
        workers=workers,
        units={phase: read_costs(work / phase) for phase in phases},
        work_bytes={phase: _size(work / phase) for phase in phases},
        output_bytes=sum(entry["bytes"] for entry in manifest.files.values()) - shown,
        shown_bytes=shown,
        first=first,
        answer_bytes=sum(map(_held_bytes, _answers(work))),
        lines=sum(json.loads(path.read_text(encoding="utf-8"))["lines"] for path in _answers(work, "repeats")),
        compared=_compared(work / "judging"),
        stored_bytes=_stored_bytes(work / before_judging),
        kept=manifest.statistics["languages"],
    )


def _size_of(source: Source) -> int:
    """Bytes of a source, 0 of one that cannot be read: a build says why."""
    try:
        return source.state().bytes
    except OSError:
        return 0


def _answers(work: Path, phase: str = "*") -> list[Path]:
    return [path for path in work.glob(f"{phase}/*.json") if not path.name.endswith(COST_SUFFIX)]


def _held_bytes(path: Path) -> int:
    """Bytes of an answer but for what the first process adds up as it reads."""
    answer = json.loads(path.read_text(encoding="utf-8"))
    held = {key: value for key, value in answer.items() if key not in ("counts", "samples", "identification")}
    return len(json.dumps(held, indent=2))


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _compared(judging: Path) -> dict[str, int]:
    """Documents by language, from the hash that each one has there."""
    found: dict[str, int] = {}
    for path in judging.glob("*.texts"):
        code = path.stem.rpartition("-")[0]
        found[code] = found.get(code, 0) + path.stat().st_size // HASH_DTYPE.itemsize
    return found


def _stored_bytes(phase: Path) -> dict[str, int]:
    """Bytes of Parquet by language, of which slices are made."""
    found: dict[str, int] = {}
    for path in phase.glob("*/*.parquet"):
        found[path.stem] = found.get(path.stem, 0) + path.stat().st_size
    return found
