"""Building a corpus: read every source, take the steps of the recipe, write what stays, report.

    manifest = build_corpus(CorpusSettings(input="texts", output="corpus", languages=("en", "sw")))

Five phases, each made of units that are kept when the build is killed: reading (a source, :mod:`reading`), the search
for repeated lines (a group of sources, :mod:`dedup.repeats`), identification (a source, :mod:`identifying`), judging (a
slice of a language, :mod:`judging`) and writing (a language, :mod:`comparing` and :mod:`writing`); the second and the
third only where the recipe asks for them. What is finished lies in ``OUTPUT.tmp`` and ``OUTPUT.work`` until the last
rename; the same command goes on from there, and gives the same bytes whoever did the work. Each of these files says
what memory its phase takes.
"""

from __future__ import annotations

import functools
import json
import shutil
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from isogloss.children import on_termination
from isogloss.corpus.continuing import alone, check_same_input, delete, prepare, put_away, state_or_none
from isogloss.corpus.dedup.repeats import find_repeats, groups_of
from isogloss.corpus.dedup.shingles import division_of
from isogloss.corpus.drops import Samples
from isogloss.corpus.engine import Unit, answer_of, finish_units, preempt
from isogloss.corpus.identifying import identify_one, reading_files
from isogloss.corpus.judging import Slice, index_one, judge_one, slices_of
from isogloss.corpus.labelled import labelled_files
from isogloss.corpus.lm.score import models_in
from isogloss.corpus.reading import UNREADABLE, read_one
from isogloss.corpus.report import write_report
from isogloss.corpus.report.samples import SAMPLES_NAME
from isogloss.corpus.settings import CorpusSettings
from isogloss.corpus.sources import Source, find_sources
from isogloss.corpus.tally import UNKNOWN_LANGUAGE, Tally
from isogloss.corpus.writing import write_one
from isogloss.errors import ConfigError, DataError
from isogloss.manifest import Manifest, building, finished, hash_file, read_manifest, write_manifest

__all__ = ["CorpusSettings", "NoDocumentError", "build_corpus"]

COMMAND = "isogloss corpus build"
# The folders of OUTPUT.work that hold what comes after reading.
LATER = ("repeats", "identifying", "labelled", "judging", "writing")


class NoDocumentError(DataError):
    """Nothing is left of the input."""


def build_corpus(
    settings: CorpusSettings, *, sources: Sequence[Source] | None = None, keep_work: bool = False
) -> Manifest:
    """Build the corpus, continue an unfinished build of it, or find it done; returns its manifest.

    ``sources`` are some of the input's, all if not given; with ``keep_work`` what the phases left stays in
    ``OUTPUT.work`` for who wants to see it.

    Raises DataError if there is no text or a file changes while it is read, FolderError if the output folder was made
    from other input or settings, a model is not there, or the disk is full.
    """
    _check_places(settings)
    sources = _sources(settings, find_sources(settings.input) if sources is None else sources)
    config = _config(settings)
    work = settings.output.with_name(settings.output.name + ".work")
    if (done := finished(settings.output, "corpus", config, settings=settings)) is not None:
        check_same_input(settings, done, sources)
        put_away(work)
        return done
    with on_termination(preempt), alone(work, settings.output):
        with building(settings.output) as folder:
            prepare(work, folder, config, sources)
            statistics = _Build(settings, sources, work, folder).run()
            if not statistics["languages"]:
                raise NoDocumentError(f"input {settings.input} gives no document; {_why_nothing(statistics)}")
            write_report(folder, statistics, settings)
            manifest = write_manifest(folder, kind="corpus", command=COMMAND, config=config, statistics=statistics)
        if not keep_work:
            put_away(work)
    return manifest


def _sources(settings: CorpusSettings, sources: Sequence[Source]) -> list[Source]:
    """The input files; where languages are identified, one whose name says none has an unknown one."""
    if settings.identify is None:
        return list(sources)
    return [replace(source, language=source.language or UNKNOWN_LANGUAGE) for source in sources]


def _config(settings: CorpusSettings) -> dict[str, Any]:
    """The settings that decide what is written, and what they name: models, labelled sets, Unicode's version.

    Where the work is done leaves no trace in what is written.
    """
    config = settings.model_dump(mode="json", exclude={"input", "output", "engine"})
    # Names that an error can say to a user, one for each thing: not a table of all models.
    named: dict[str, str] = {}
    if settings.repeats is not None:
        named["the Unicode of Python"] = unicodedata.unidata_version
    if settings.rules is not None and (blocked := settings.rules.blocked_urls) is not None:
        named["the block list"] = _hash_of(blocked, "block list")
    if settings.identify is not None and (romanised := settings.identify.romanised_model) is not None:
        named["the romanised model"] = read_manifest(romanised, "romanised-model").fingerprint
    if settings.perplexity is not None:
        for code, (_, manifest) in models_in(settings.perplexity.models).items():
            named[f"the language model of {code}"] = manifest.fingerprint
    if settings.decontaminate is not None:
        for one in settings.decontaminate.sets:
            for source in labelled_files(one.path):
                named[f"the labelled set {one.name}, file {source.name}"] = _hash_of(source.path, "labelled set")
    return config | named


def _hash_of(path: Path, what: str) -> str:
    try:
        return hash_file(path)
    except OSError as error:
        raise DataError(f"{what} {path} cannot be read: {error.strerror}") from None


def _check_places(settings: CorpusSettings) -> None:
    if settings.output.exists() and not settings.output.is_dir():
        raise ConfigError(f"output {settings.output} is a file; give the name of a folder that is to be made")
    source, target = settings.input.resolve(), settings.output.resolve()
    if target == source or source in target.parents:
        raise ConfigError(
            f"output {settings.output} lies inside input {settings.input} and would be read as text; move it out"
        )


class _Build:
    """The phases of one build, and what each of them leaves for the next."""

    def __init__(self, settings: CorpusSettings, sources: Sequence[Source], work: Path, folder: Path) -> None:
        self._settings, self._sources, self._work, self._folder = settings, sources, work, folder
        self._tally, self._samples = Tally(), Samples(settings.num_samples)
        self._identification: dict[str, dict[str, Any]] = {}

    def run(self) -> dict[str, Any]:
        """All phases; returns the statistics of the whole."""
        read = self._read()
        identified = self._identify(read) if self._settings.repeats or self._settings.identify else []
        slices = self._slices("identifying" if identified else "reading")
        judged = self._judge(slices)
        written = self._write(slices)
        self._write_samples()
        kept = {code: answer["kept"] for code, answer in written.items() if answer["kept"]["documents"]}
        statistics = {"languages": kept, **self._tally.counts()}
        if self._settings.identify is not None:
            statistics["identification"] = dict(sorted(self._identification.items()))
        if self._settings.perplexity is not None:
            perplexity = {code: answer["perplexity"] for code, answer in written.items() if "perplexity" in answer}
            statistics["perplexity"] = perplexity
        if self._settings.decontaminate is not None:
            statistics["labelled"] = _sums([answer["labelled"] for answer in judged])
        files = [{key: entry[key] for key in ("file", "bytes", "xxh3_128", "problem")} for entry in read]
        return statistics | {"files": files}

    def _read(self) -> list[dict[str, Any]]:
        """Each source into work/reading/NUMBER; what has changed since it was read is read again."""
        units = []
        for index, source in enumerate(self._sources):
            target = self._target("reading", index)
            work = functools.partial(read_one, source, self._settings, target)
            units.append(Unit(source.name, target.with_suffix(".json"), work))
        stale = [unit.done for unit, source in zip(units, self._sources, strict=True) if not _is_read(unit, source)]
        for entry in stale:
            entry.unlink(missing_ok=True)
        if stale:
            self._forget_what_came_later()
        return self._run("reading", units)

    def _forget_what_came_later(self) -> None:
        """What was done after reading may have held an earlier text of a file."""
        for path in (self._folder / "dropped").glob("reading-*"):
            path.rename(self._work / "reading" / f"{path.name[8:13]}.dropped.jsonl.zst")
        for path in [self._work / name for name in LATER] + list(self._folder.iterdir()):
            delete(path)

    def _identify(self, read: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Each source, without the lines that repeat in its group, into work/identifying/NUMBER."""
        groups = self._find_repeats([entry["bytes"] for entry in read]) if self._settings.repeats is not None else {}
        units = []
        for index, source in enumerate(self._sources):
            target = self._target("identifying", index)
            repeats, first = groups.get(index, (None, 0))
            arguments = (self._target("reading", index), self._settings, target, repeats, first)
            units.append(Unit(source.name, target.with_suffix(".json"), functools.partial(identify_one, *arguments)))
        return self._run("identifying", units)

    def _find_repeats(self, sizes: Sequence[int]) -> dict[int, tuple[Path, int]]:
        """Of each source the folder of its group's search, and the number of its first file there."""
        assert self._settings.repeats is not None
        files = [self._target("reading", index) for index in range(len(self._sources))]
        lines = [[path.with_suffix(".lines") for path in reading_files(folder)] for folder in files]
        places: dict[int, tuple[Path, int]] = {}
        units = []
        for number, group in enumerate(groups_of(sizes, self._settings.repeats)):
            target = self._target("repeats", number)
            together: list[Path] = []
            for index in group:
                places[index] = (target, len(together))
                together += lines[index]
            work = functools.partial(_repeats_of, together, target, self._settings)
            units.append(Unit(f"group {number}", target.with_suffix(".json"), work))
        self._run("repeats", units)
        return places

    def _slices(self, phase: str) -> dict[str, list[Slice]]:
        by_language: dict[str, list[Path]] = {}
        for path in sorted((self._work / phase).glob("*/*.parquet")):
            by_language.setdefault(path.stem, []).append(path)
        folder = self._work / "judging"
        return {code: slices_of(code, files, folder) for code, files in sorted(by_language.items())}

    def _judge(self, slices: Mapping[str, Sequence[Slice]]) -> list[dict[str, Any]]:
        indexes = self._index(list(slices)) if self._settings.decontaminate is not None else {}
        units = []
        for code, parts in slices.items():
            for part in parts:
                work = functools.partial(judge_one, part, self._settings, indexes.get(division_of(code)))
                units.append(Unit(part.judged.name, part.judged.with_suffix(".json"), work))
        return self._run("judging", units)

    def _index(self, languages: Sequence[str]) -> dict[str, Path]:
        """The labelled sets, cut in each way that the languages need."""
        first = {division_of(code): code for code in reversed(languages)}
        targets: dict[str, Path] = {}
        units = []
        for division, language in sorted(first.items()):
            targets[division] = target = self._work / "labelled" / division
            work = functools.partial(index_one, language, self._settings, target)
            units.append(Unit(f"labelled sets, {division}", target.with_suffix(".json"), work))
        self._run("labelled", units)
        return targets

    def _write(self, slices: Mapping[str, Sequence[Slice]]) -> dict[str, dict[str, Any]]:
        units = []
        for code, parts in slices.items():
            target = self._work / "writing" / code
            arguments = (code, parts, self._settings, self._folder / code, target)
            units.append(Unit(code, target.with_suffix(".json"), functools.partial(write_one, *arguments)))
        answers = dict(zip(slices, self._run("writing", units), strict=True))
        if self._settings.keep_dropped:
            self._move_dropped()
        return answers

    def _run(self, phase: str, units: Sequence[Unit]) -> list[dict[str, Any]]:
        (self._work / phase).mkdir(exist_ok=True)
        finish_units(units, self._settings.engine, description=phase)
        return [self._added_up(answer_of(unit)) for unit in units]

    def _added_up(self, answer: dict[str, Any]) -> dict[str, Any]:
        """What is left of an answer, whose counts and samples become part of the whole's: a crawl has many files."""
        self._tally.add(answer.pop("counts", {}))
        self._samples.add(answer.pop("samples", []))
        _add_by_language(self._identification, answer.pop("identification", {}))
        return answer

    def _target(self, phase: str, number: int) -> Path:
        return self._work / phase / f"{number:05d}"

    def _write_samples(self) -> None:
        records = [json.dumps(record, ensure_ascii=False) + "\n" for record in self._samples.records()]
        (self._folder / SAMPLES_NAME).write_text("".join(records), encoding="utf-8")

    def _move_dropped(self) -> None:
        """What phases wrote of dropped documents and lines, under OUTPUT/dropped/PHASE-NAME.jsonl.zst."""
        target = self._folder / "dropped"
        target.mkdir(exist_ok=True)
        for path in sorted(self._work.glob("*/*.dropped.jsonl.zst")):
            path.rename(target / f"{path.parent.name}-{path.name.replace('.dropped', '')}")


def _is_read(unit: Unit, source: Source) -> bool:
    """Whether a source was read, and is as it was."""
    if not unit.done.exists():
        return False
    entry = answer_of(unit)
    return bool(entry["state"] == state_or_none(source)) and not entry["problem"].startswith(UNREADABLE)


def _repeats_of(files: Sequence[Path], target: Path, settings: CorpusSettings) -> dict[str, Any]:
    assert settings.repeats is not None
    shutil.rmtree(target, ignore_errors=True)
    found = find_repeats(files, target, settings.repeats)
    return {"lines": sum(found.lines), "gone": sum(found.gone)}


def _sums(tables: Sequence[Mapping[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for table in tables:
        for key, value in table.items():
            total[key] = total.get(key, 0) + value
    return dict(sorted(total.items()))


def _add_by_language(total: dict[str, dict[str, Any]], table: Mapping[str, Mapping[str, Any]]) -> None:
    """Add a table of numbers and of lists of numbers by language."""
    for code, entry in table.items():
        have = total.setdefault(code, {})
        for key, value in entry.items():
            if isinstance(value, list):
                have[key] = [a + b for a, b in zip(have.get(key, [0] * len(value)), value, strict=True)]
            else:
                have[key] = have.get(key, 0) + value


def _why_nothing(statistics: Mapping[str, Any]) -> str:
    problems = [f"{entry['file']}: {entry['problem']}" for entry in statistics["files"] if entry["problem"]]
    drops = [f"{code}: {n} {reason}" for code, table in statistics["dropped"].items() for reason, n in table.items()]
    return "; ".join([*problems[:3], *drops[:3]]) + ("; and more" if len(problems) > 3 or len(drops) > 3 else "")
