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

from isogloss.corpus.dedup.repeats import find_repeats, groups_of
from isogloss.corpus.dedup.shingles import division_of
from isogloss.corpus.drops import Samples
from isogloss.corpus.engine import Unit, run_units
from isogloss.corpus.identifying import identify_one, reading_files
from isogloss.corpus.judging import Slice, index_one, judge_one, slices_of
from isogloss.corpus.labelled import labelled_files
from isogloss.corpus.lm.score import models_in
from isogloss.corpus.reading import read_one
from isogloss.corpus.report import write_report
from isogloss.corpus.settings import CorpusSettings
from isogloss.corpus.sources import Source, find_sources
from isogloss.corpus.tally import UNKNOWN_LANGUAGE, Tally
from isogloss.corpus.writing import write_one
from isogloss.errors import ConfigError, DataError, FolderError
from isogloss.manifest import Manifest, building, finished, hash_file, read_manifest, write_json, write_manifest

__all__ = ["CorpusSettings", "NoDocumentError", "build_corpus"]

COMMAND = "isogloss corpus build"
SAMPLES_NAME = "samples.jsonl"
# The folders of OUTPUT.work that hold what comes after reading.
LATER = ("repeats", "identifying", "labelled", "judging", "writing")


class NoDocumentError(DataError):
    """Nothing is left of the input."""


def build_corpus(settings: CorpusSettings, *, keep_work: bool = False) -> Manifest:
    """Build the corpus, continue an unfinished build of it, or find it done; returns its manifest.

    With ``keep_work`` what the phases left stays in ``OUTPUT.work`` for who wants to see it.

    Raises DataError if there is no text or a file changes while it is read, FolderError if the output folder was made
    from other input or settings, a model is not there, or the disk is full.
    """
    _check_places(settings)
    sources = _sources(settings)
    config = _config(settings)
    work = settings.output.with_name(settings.output.name + ".work")
    if (done := finished(settings.output, "corpus", config, settings=settings)) is not None:
        _check_same_input(settings, done, sources)
        shutil.rmtree(work, ignore_errors=True)
        return done
    with building(settings.output) as folder:
        _prepare(work, folder, config, sources)
        statistics = _Build(settings, sources, work, folder).run()
        if not statistics["languages"]:
            raise NoDocumentError(f"input {settings.input} gives no document; {_why_nothing(statistics)}")
        write_report(folder, statistics, settings)
        manifest = write_manifest(folder, kind="corpus", command=COMMAND, config=config, statistics=statistics)
    if not keep_work:
        shutil.rmtree(work)
    return manifest


def _sources(settings: CorpusSettings) -> list[Source]:
    """The input files; where languages are identified, one whose name says none has an unknown one."""
    sources = find_sources(settings.input)
    if settings.identify is None:
        return sources
    return [replace(source, language=source.language or UNKNOWN_LANGUAGE) for source in sources]


def _config(settings: CorpusSettings) -> dict[str, Any]:
    """The settings that decide what is written, and what they name: models, labelled sets, Unicode's version.

    Where the work is done leaves no trace in what is written.
    """
    config = settings.model_dump(mode="json", exclude={"input", "output", "engine"})
    beside: dict[str, Any] = {}
    if settings.repeats is not None:
        beside["unicode"] = unicodedata.unidata_version
    if settings.rules is not None and (blocked := settings.rules.blocked_urls) is not None:
        beside["blocked_urls"] = _hash_of(blocked, "block list")
    if settings.identify is not None and (romanised := settings.identify.romanised_model) is not None:
        beside["romanised_model"] = read_manifest(romanised, "romanised-model").fingerprint
    if settings.perplexity is not None:
        models = models_in(settings.perplexity.models)
        beside["models"] = {code: manifest.fingerprint for code, (_, manifest) in models.items()}
    if settings.decontaminate is not None:
        sets = {one.name: labelled_files(one.path) for one in settings.decontaminate.sets}
        beside["labelled"] = {
            name: {source.name: _hash_of(source.path, "labelled set") for source in files}
            for name, files in sets.items()
        }
    return config | ({"beside": beside} if beside else {})


def _hash_of(path: Path, what: str) -> str:
    try:
        return hash_file(path)
    except OSError as error:
        raise DataError(f"{what} {path} cannot be read: {error.strerror}") from None


def _check_places(settings: CorpusSettings) -> None:
    source, target = settings.input.resolve(), settings.output.resolve()
    if target == source or source in target.parents:
        raise ConfigError(
            f"output {settings.output} lies inside input {settings.input} and would be read as text; move it out"
        )


def _prepare(work: Path, folder: Path, config: Mapping[str, Any], sources: Sequence[Source]) -> None:
    """Keep what an earlier attempt left if it was made by the same settings from files of the same names."""
    plan = {"config": config, "sources": [source.name for source in sources]}
    plan_file = work / "plan.json"
    if not plan_file.exists() or json.loads(plan_file.read_text(encoding="utf-8")) != json.loads(json.dumps(plan)):
        shutil.rmtree(work, ignore_errors=True)
        shutil.rmtree(folder)
        folder.mkdir()
        (work / "reading").mkdir(parents=True)
        write_json(plan_file, plan)


class _Build:
    """The phases of one build, and what each of them leaves for the next."""

    def __init__(self, settings: CorpusSettings, sources: Sequence[Source], work: Path, folder: Path) -> None:
        self._settings, self._sources, self._work, self._folder = settings, sources, work, folder
        self._tally, self._samples = Tally(), Samples(settings.num_samples)

    def run(self) -> dict[str, Any]:
        """All phases; returns the statistics of the whole."""
        read = self._read()
        identified = self._identify(read) if self._settings.repeats or self._settings.identify else []
        slices = self._slices("identifying" if identified else "reading")
        judged = self._judge(slices)
        written = self._write(slices)
        for answer in (*read, *identified, *written.values()):
            self._tally.add(answer["counts"])
            self._samples.add(answer["samples"])
        self._write_samples()
        kept = {code: answer["kept"] for code, answer in written.items() if answer["kept"]["documents"]}
        statistics = {"languages": kept, **self._tally.counts()}
        if self._settings.identify is not None:
            statistics["identification"] = _sum_by_language([answer["identification"] for answer in identified])
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
        for path in [self._work / name for name in LATER] + list(self._folder.iterdir()):
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)

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
        return run_units(units, self._settings.engine, description=phase)

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
    state = json.loads(unit.done.read_text(encoding="utf-8"))["state"]
    return bool(state == _state_or_none(source))


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


def _sum_by_language(tables: Sequence[Mapping[str, Mapping[str, Any]]]) -> dict[str, dict[str, Any]]:
    """Tables of numbers and of lists of numbers by language, added up."""
    total: dict[str, dict[str, Any]] = {}
    for table in tables:
        for code, entry in table.items():
            have = total.setdefault(code, {})
            for key, value in entry.items():
                before = have.get(key)
                if isinstance(value, list):
                    have[key] = [a + b for a, b in zip(before or [0] * len(value), value, strict=True)]
                else:
                    have[key] = (before or 0) + value
    return dict(sorted(total.items()))


def _check_same_input(settings: CorpusSettings, done: Manifest, sources: Sequence[Source]) -> None:
    """Refuse a finished corpus whose input is another one now; a file older than the corpus is not hashed again."""
    before = {entry["file"]: entry for entry in done.statistics["files"]}
    made = (settings.output / "manifest.json").stat().st_mtime_ns
    for name in sorted(set(before) ^ {source.name for source in sources}):
        _refuse(settings, f"input file {name} {'is gone' if name in before else 'is new'}")
    for source in sources:
        entry, state = before[source.name], _state_or_none(source)
        size, mtime_ns = (state[0], state[1]) if state else (0, 0)
        if size != entry["bytes"]:
            _refuse(settings, f"input file {source.name} has {size} bytes, it had {entry['bytes']}")
        if entry["xxh3_128"] and (mtime_ns >= made or source.remote) and source.digest() != entry["xxh3_128"]:
            _refuse(settings, f"input file {source.name} has other content")


def _refuse(settings: CorpusSettings, change: str) -> None:
    raise FolderError(
        f"{settings.output} was made from other input: {change}; choose another output folder or delete this one"
    )


def _state_or_none(source: Source) -> list[int] | None:
    try:
        return list(source.state())
    except OSError:
        return None


def _why_nothing(statistics: Mapping[str, Any]) -> str:
    problems = [f"{entry['file']}: {entry['problem']}" for entry in statistics["files"] if entry["problem"]]
    drops = [f"{code}: {n} {reason}" for code, table in statistics["dropped"].items() for reason, n in table.items()]
    return "; ".join([*problems[:3], *drops[:3]]) + ("; and more" if len(problems) > 3 or len(drops) > 3 else "")
