"""Building a corpus: read every source, find what has to go, write what stays, report.

    manifest = build_corpus(CorpusSettings(input="texts", output="corpus", languages=("en", "sw")))

The work has two phases, each made of units that are kept when the build is killed: reading (one source after another
into Parquet) and writing (one language after another into its parts). What is finished lies in ``OUTPUT.tmp`` and
``OUTPUT.work`` until the last rename; the same command goes on from there, and gives the same bytes. Memory is bounded
by the settings of the readers, plus some 50 bytes for each distinct document (and line, if lines are compared) of the
largest language.
"""

from __future__ import annotations

import errno
import functools
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import Field, field_validator

from isogloss.corpus.engine import EngineSettings, Unit, run_units
from isogloss.corpus.parts import ReadingWriter, write_parts
from isogloss.corpus.readers import ReadSettings, read_source
from isogloss.corpus.report import write_report
from isogloss.corpus.sources import NOT_ASKED_FOR, DamagedFileError, FileState, Source, file_state, find_sources
from isogloss.corpus.steps import find_verdicts
from isogloss.corpus.tally import Tally
from isogloss.errors import ConfigError, DataError, FolderError
from isogloss.languages import canonical_code
from isogloss.manifest import Manifest, building, finished, hash_file, write_json, write_manifest

__all__ = ["CorpusSettings", "build_corpus"]

COMMAND = "isogloss corpus build"


class CorpusSettings(ReadSettings):
    """What goes into a corpus, and where it comes to lie."""

    input: Path = Field(
        description="folder of LANG.txt, .jsonl, .parquet, .wet or .warc files (but for Parquet also .gz, .zst), or one"
    )
    output: Path = Field(description="the corpus folder to write")
    languages: tuple[str, ...] = Field((), description="BCP 47 codes of the languages to keep; none keeps all")
    drop_duplicate_documents: bool = Field(True, description="drop a document whose text stood in an earlier one")
    drop_duplicate_lines: bool = Field(False, description="drop a line that stood earlier in its language")
    max_bytes: int | None = Field(
        None, gt=0, description="most bytes of text kept for each language, from its beginning"
    )
    max_bytes_by_language: dict[str, int] = Field({}, description="other limits for some languages")
    part_bytes: int = Field(
        1 << 28, gt=0, description="bytes of JSON lines in one part of a language, before compression"
    )
    engine: EngineSettings = Field(EngineSettings(workers=1), description="where the work is done, how much at once")

    @field_validator("languages")
    @classmethod
    def _canonical_languages(cls, codes: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(sorted({_canonical(code) for code in codes}))

    @field_validator("max_bytes_by_language")
    @classmethod
    def _canonical_limits(cls, limits: dict[str, int]) -> dict[str, int]:
        for code, limit in limits.items():
            if limit <= 0:
                raise ValueError(
                    f"the limit of '{code}' is {limit}; leave the language out of 'languages' to have none of it"
                )
        return {_canonical(code): limit for code, limit in sorted(limits.items())}


def build_corpus(settings: CorpusSettings) -> Manifest:
    """Build the corpus, continue an unfinished build of it, or find it done; returns its manifest.

    Raises DataError if there is no text or a file changes while it is read, FolderError if the output folder was made
    from other input or settings, or the disk is full.
    """
    _check_places(settings)
    sources = find_sources(settings.input)
    # Where the work is done leaves no trace in what is written.
    config = settings.model_dump(mode="json", exclude={"input", "output", "engine"})
    work = settings.output.with_name(settings.output.name + ".work")
    if (done := finished(settings.output, "corpus", config, settings=settings)) is not None:
        _check_same_input(settings, done, sources)
        shutil.rmtree(work, ignore_errors=True)
        return done
    with building(settings.output) as folder:
        _prepare(work, folder, config, sources)
        files = _read_all(sources, settings, work, folder)
        statistics = _write_all(files, settings, work, folder)
        if not statistics["languages"]:
            raise DataError(f"input {settings.input} gives no document; {_why_nothing(statistics)}")
        write_report(folder, statistics, settings)
        manifest = write_manifest(folder, kind="corpus", command=COMMAND, config=config, statistics=statistics)
    shutil.rmtree(work)
    return manifest


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


def _read_all(sources: Sequence[Source], settings: CorpusSettings, work: Path, folder: Path) -> list[dict[str, Any]]:
    """Phase one: each source into work/reading/NUMBER/LANGUAGE.parquet; returns each source's entry for the report."""
    units = []
    for index, source in enumerate(sources):
        target = work / "reading" / f"{index:05d}"
        entry = target.with_suffix(".json")
        if not entry.exists() or json.loads(entry.read_text(encoding="utf-8"))["state"] != _state_or_none(source):
            entry.unlink(missing_ok=True)
            # What was written so far may have held this file's earlier text.
            shutil.rmtree(work / "writing", ignore_errors=True)
        units.append(Unit(source.name, entry, functools.partial(_read_one, source, index, settings, target)))
    return run_units(units, settings.engine, description="reading")


def _read_one(source: Source, index: int, settings: CorpusSettings, target: Path) -> dict[str, Any]:
    """Read one source whole, or throw away what was read and say why; returns its entry for the report."""
    tally = Tally()
    shutil.rmtree(target, ignore_errors=True)
    entry: dict[str, Any] = {"file": source.name, "bytes": 0, "xxh3_128": "", "problem": "", "state": None}
    try:
        before = file_state(source.path)
        entry |= {"bytes": before.bytes, "state": list(before)}
        if problem := _reason_to_skip(source, before, settings):
            return entry | {"problem": problem, "counts": tally.counts()}
        with ReadingWriter(target, index, source.name) as writer:
            try:
                for document in read_source(source, settings, tally, languages=settings.languages):
                    writer.add(document)
            except DamagedFileError as error:
                entry["problem"] = f"{error}; what stood before it is kept"
        entry["xxh3_128"] = hash_file(source.path)
        after = file_state(source.path)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise
        shutil.rmtree(target, ignore_errors=True)
        return entry | {"problem": f"unreadable ({error.strerror or error})", "counts": Tally().counts()}
    if after != before:
        shutil.rmtree(target)
        raise DataError(
            f"{source.path} changed while it was read ({before.bytes} bytes, then {after.bytes}); "
            "start again when nothing writes to it, the files read before it are kept"
        )
    return entry | {"counts": tally.counts()}


def _reason_to_skip(source: Source, state: FileState, settings: CorpusSettings) -> str:
    if not source.format:
        return "not read: no .txt, .jsonl, .parquet, .wet or .warc file"
    if state.bytes == 0:
        return "empty file"
    if source.format == "text" and source.language is None:
        return "not read: no language code in its name"
    language = settings.language if source.format == "crawl" else source.language
    if source.format in ("text", "crawl") and settings.languages and language not in settings.languages:
        return NOT_ASKED_FOR
    return ""


def _write_all(files: list[dict[str, Any]], settings: CorpusSettings, work: Path, folder: Path) -> dict[str, Any]:
    """Phase two: each language's documents that stay into its parts; returns the statistics of the whole."""
    tally = Tally()
    for entry in files:
        tally.add(entry["counts"])
    reading = sorted((work / "reading").glob("*/*.parquet"))
    by_language: dict[str, list[Path]] = {}
    for path in reading:
        by_language.setdefault(path.stem, []).append(path)
    languages = sorted(by_language)
    units = []
    for language in languages:
        write = functools.partial(_write_one, by_language[language], settings, folder / language)
        units.append(Unit(language, work / "writing" / f"{language}.json", write))
    kept: dict[str, dict[str, int]] = {}
    for language, done in zip(languages, run_units(units, settings.engine, description="writing"), strict=True):
        tally.add(done["counts"])
        if done["kept"]["documents"]:
            kept[language] = done["kept"]
    entries = [{key: entry[key] for key in ("file", "bytes", "xxh3_128", "problem")} for entry in files]
    return {"languages": kept, **tally.counts(), "files": entries}


def _write_one(files: list[Path], settings: CorpusSettings, folder: Path) -> dict[str, Any]:
    tally = Tally()
    shutil.rmtree(folder, ignore_errors=True)
    verdicts = find_verdicts(files, documents=settings.drop_duplicate_documents, lines=settings.drop_duplicate_lines)
    max_bytes = settings.max_bytes_by_language.get(folder.name, settings.max_bytes)
    kept = write_parts(files, folder, verdicts, tally, max_bytes=max_bytes, part_bytes=settings.part_bytes)
    return {"kept": kept, "counts": tally.counts()}


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
        if entry["xxh3_128"] and mtime_ns >= made and hash_file(source.path) != entry["xxh3_128"]:
            _refuse(settings, f"input file {source.name} has other content")


def _refuse(settings: CorpusSettings, change: str) -> None:
    raise FolderError(
        f"{settings.output} was made from other input: {change}; choose another output folder or delete this one"
    )


def _state_or_none(source: Source) -> list[int] | None:
    try:
        return list(file_state(source.path))
    except OSError:
        return None


def _canonical(code: str) -> str:
    try:
        return canonical_code(code)
    except DataError as error:
        raise ValueError(str(error)) from None


def _why_nothing(statistics: Mapping[str, Any]) -> str:
    problems = [f"{entry['file']}: {entry['problem']}" for entry in statistics["files"] if entry["problem"]]
    drops = [f"{code}: {n} {reason}" for code, table in statistics["dropped"].items() for reason, n in table.items()]
    return "; ".join([*problems[:3], *drops[:3]]) + ("; and more" if len(problems) > 3 or len(drops) > 3 else "")
