"""Sentences with their translations out of what people have, as ``isogloss shards parallel=FOLDER`` reads them.

    write_pairs(PairSettings(input="downloads", output="opus"))

Read are line-aligned files (:mod:`isogloss.corpus.aligned`), zip archives of them as OPUS has them, and tables
``NAME.en-sw.tsv``. Of each, the pairs that are kept go to ``NAME.en-sw.en`` and ``NAME.en-sw.sw``, the languages in the
order of the alphabet; every other pair is counted by its reason. A text is a unit of work: one that was cut off is
written again, and the others are kept. Memory is that of a line.
"""

from __future__ import annotations

import functools
import itertools
import json
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import Field, field_validator

from isogloss.config import Settings
from isogloss.corpus.bitexts import Bitext, Pair, find_bitexts, read_pairs
from isogloss.corpus.blocks import DamagedFileError
from isogloss.corpus.engine import EngineSettings, Unit, run_units
from isogloss.corpus.sources import file_state
from isogloss.errors import ConfigError, DataError
from isogloss.languages import code_in_settings
from isogloss.manifest import Manifest, building, finished, hash_file, write_json, write_manifest

__all__ = ["PAIR_REASONS", "PairSettings", "write_pairs"]

COMMAND = "isogloss corpus pairs"
PAIR_REASONS = {
    "no-partner": "a line behind the end of the other file, or a row of a table with too few columns",
    "cut-off": "the line at which a damaged file breaks off",
    "bad-utf8": "a side that is not UTF-8",
    "nul": "a side that contains a NUL byte",
    "long": "a side over max_line_bytes",
    "empty": "a side without text",
    "same": "both sides are the same text",
    "ratio": "one side is more than max_ratio times as long as the other",
}


class PairSettings(Settings):
    """Where pairs of sentences come from, and which of them are kept."""

    input: Path = Field(
        description="folder of NAME.en-sw.en beside NAME.en-sw.sw, NAME.en-sw.tsv or .zip files, or one"
    )
    output: Path = Field(description="the folder to write")
    languages: tuple[str, ...] = Field((), description="the two languages of tables whose names do not say them")
    columns: tuple[int, int] = Field((1, 2), description="which columns of a table hold the two sides, from 1")
    max_line_bytes: int = Field(4096, gt=0, description="a pair with a longer side is dropped and counted")
    drop_same: bool = Field(True, description="drop pairs whose sides are the same")
    max_ratio: float | None = Field(
        None, ge=1, description="drop pairs of which one side has more than so many times the characters of the other"
    )
    engine: EngineSettings = Field(EngineSettings(workers=1), description="where the work is done, how much at once")

    @field_validator("languages")
    @classmethod
    def _two_languages(cls, codes: tuple[str, ...]) -> tuple[str, ...]:
        found = tuple(map(code_in_settings, codes))
        if len(set(found)) not in (0, 2) or len(found) > 2:
            raise ValueError("give two languages, in the order of the columns, or none")
        return found

    @field_validator("columns")
    @classmethod
    def _two_columns(cls, columns: tuple[int, int]) -> tuple[int, int]:
        if min(columns) < 1 or columns[0] == columns[1]:
            raise ValueError("columns are counted from 1, and two of them are needed")
        return columns


def write_pairs(settings: PairSettings) -> Manifest:
    """Write the pairs of all texts; an output folder that is finished and made of the same input is returned as it is.

    Its statistics are, by pair of languages, the pairs read, kept and dropped by reason, which add up, and the files
    with what was wrong with them. Raises DataError where there is no text or no pair is left, FolderError for an output
    made otherwise or a full disk.
    """
    source, target = settings.input.resolve(), settings.output.resolve()
    if source == target or source in target.parents:
        raise ConfigError(f"output {settings.output} lies inside input {settings.input}; move it out")
    texts = find_bitexts(settings.input, settings.languages)
    config: dict[str, Any] = settings.model_dump(mode="json", exclude={"input", "output", "engine"})
    config["texts"] = {text.name: _fingerprint(text) for text in texts}
    work = settings.output.with_name(settings.output.name + ".work")
    if (done := finished(settings.output, "pairs", config, settings=settings)) is not None:
        shutil.rmtree(work, ignore_errors=True)
        return done
    with building(settings.output) as folder:
        _prepare(work, folder, config)
        units = []
        for number, (text, title) in enumerate(zip(texts, _titles(texts), strict=True)):
            write = functools.partial(_write_text, text, settings, folder, title)
            units.append(Unit(text.name, work / f"{number:05d}.json", write))
        answers = run_units(units, settings.engine, description="pairing")
        statistics = _statistics(texts, answers)
        if not any(entry["pairs"] for entry in statistics["pairs"].values()):
            raise DataError(f"input {settings.input} gives no pair; {_why_nothing(statistics)}")
        manifest = write_manifest(folder, kind="pairs", command=COMMAND, config=config, statistics=statistics)
    shutil.rmtree(work)
    return manifest


def _fingerprint(text: Bitext) -> list[str]:
    try:
        for path in text.paths:
            file_state(path)
        return [hash_file(path) for path in text.paths]
    except OSError as error:
        raise DataError(f"{text.name} cannot be read ({error.strerror}); leave it out") from None


def _prepare(work: Path, folder: Path, config: Mapping[str, Any]) -> None:
    """Keep what an earlier attempt left if it was made by the same settings from the same files."""
    plan_file = work / "plan.json"
    plan = json.loads(json.dumps(config))
    if not plan_file.exists() or json.loads(plan_file.read_text(encoding="utf-8")) != plan:
        shutil.rmtree(work, ignore_errors=True)
        shutil.rmtree(folder)
        folder.mkdir()
        work.mkdir()
        write_json(plan_file, plan)


def _titles(texts: Sequence[Bitext]) -> list[str]:
    """What each text's files are called, with a number where that would be what another's are."""
    taken: set[tuple[str, tuple[str, ...]]] = set()
    titles = []
    for text in texts:
        numbered = (f"{text.title}.{number}".lstrip(".") for number in itertools.count(2))
        title = next(
            title
            for title in itertools.chain([text.title], numbered)
            if (title, tuple(sorted(text.languages))) not in taken
        )
        taken.add((title, tuple(sorted(text.languages))))
        titles.append(title)
    return titles


def _write_text(text: Bitext, settings: PairSettings, folder: Path, title: str) -> dict[str, Any]:
    """The pairs of one text into its two files; returns what was read, kept and dropped."""
    ordered = tuple(sorted(text.languages))
    order = 1 if ordered == text.languages else -1
    name = ".".join(filter(None, (title, "-".join(ordered))))
    paths = [folder / f"{name}.{code}" for code in ordered]
    dropped: Counter[str] = Counter()
    kept, problem, size = 0, "", 0
    with paths[0].open("wb") as one, paths[1].open("wb") as other:
        pairs = read_pairs(text, settings.columns, settings.max_line_bytes)
        try:
            for sides in pairs:
                if reason := _reason(sides, settings):
                    dropped[reason] += 1
                    continue
                for stream, side in zip((one, other), sides[::order], strict=True):
                    assert side is not None
                    size += stream.write(f"{side.text}\n".encode())
                kept += 1
        except DamagedFileError as error:
            problem = f"{error}; what stood before it is kept"
    if not kept:
        for path in paths:
            path.unlink()
    if dropped["no-partner"] and not problem and len(text.members) == 2:
        problem = f"{dropped['no-partner']} lines of one file are behind the end of the other"
    return {"kept": kept, "bytes": size, "dropped": dict(sorted(dropped.items())), "problem": problem}


def _reason(sides: Pair, settings: PairSettings) -> str:
    """Why a pair is dropped; empty if it is kept."""
    one, other = sides
    if one is None or other is None:
        return "no-partner"
    if reason := one.reason or other.reason:
        return reason
    if not one.text or not other.text:
        return "empty"
    if settings.drop_same and one.text == other.text:
        return "same"
    shorter, longer = sorted((len(one.text), len(other.text)))
    return "ratio" if settings.max_ratio is not None and longer > settings.max_ratio * shorter else ""


def _statistics(texts: Sequence[Bitext], answers: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    pairs: dict[str, dict[str, Any]] = {}
    for text, answer in zip(texts, answers, strict=True):
        entry = pairs.setdefault("-".join(sorted(text.languages)), {"read": 0, "pairs": 0, "bytes": 0, "dropped": {}})
        entry["read"] += answer["kept"] + sum(answer["dropped"].values())
        entry["pairs"] += answer["kept"]
        entry["bytes"] += answer["bytes"]
        for reason, number in answer["dropped"].items():
            entry["dropped"][reason] = entry["dropped"].get(reason, 0) + number
    files = [
        {"file": text.name, "pairs": answer["kept"], "problem": answer["problem"]}
        for text, answer in zip(texts, answers, strict=True)
    ]
    return {"pairs": dict(sorted(pairs.items())), "files": files}


def _why_nothing(statistics: Mapping[str, Any]) -> str:
    problems = [f"{entry['file']}: {entry['problem']}" for entry in statistics["files"] if entry["problem"]]
    drops = _drops(statistics)
    return "; ".join(itertools.islice(itertools.chain(problems, drops), 4)) or "its files are empty"


def _drops(statistics: Mapping[str, Any]) -> Iterator[str]:
    for pair, entry in statistics["pairs"].items():
        for reason, number in entry["dropped"].items():
            yield f"{pair}: {number} {reason}"
