"""A corpus → text in the format of CC-100: LANG.txt, a paragraph a line, an empty line behind each document.

    export_corpus(ExportSettings(corpus="corpus", output="cc100", compression="xz"))

`corpus build` reads such a folder back to the same documents. A language is a unit of work: one that was cut off is
written again, and the others are kept. Memory is that of a document, and some 100 MiB a worker where xz compresses.
"""

from __future__ import annotations

import contextlib
import functools
import json
import lzma
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Literal

from pydantic import Field, field_validator

from isogloss.config import Settings
from isogloss.corpus.engine import EngineSettings, Unit, run_units
from isogloss.corpus.folder import Corpus
from isogloss.errors import DataError
from isogloss.languages import code_in_settings
from isogloss.manifest import Manifest, building, finished, write_json, write_manifest

__all__ = ["ExportSettings", "export_corpus"]

COMMAND = "isogloss corpus export"
SUFFIXES = {"none": ".txt", "xz": ".txt.xz"}


class ExportSettings(Settings):
    """Which corpus is written as text, and how."""

    corpus: Path = Field(description="corpus folder to read")
    output: Path = Field(description="the folder of LANG.txt or LANG.txt.xz to write")
    format: Literal["cc100"] = Field("cc100", description="cc100: a paragraph a line, an empty line after a document")
    compression: Literal["none", "xz"] = Field("none", description="xz, as CC-100 is distributed, or none")
    languages: tuple[str, ...] = Field((), description="BCP 47 codes of the languages to write; none writes all")
    engine: EngineSettings = Field(EngineSettings(workers=1), description="where the work is done, how much at once")

    @field_validator("languages")
    @classmethod
    def _canonical_languages(cls, codes: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(sorted({code_in_settings(code) for code in codes}))


def export_corpus(settings: ExportSettings) -> Manifest:
    """Write each language of a corpus as text; an output folder that is finished is returned as it is.

    Its statistics are the documents, lines and bytes of each language, before compression. Raises FolderError for what
    is no corpus, an output made otherwise or a full disk, and DataError for a language that the corpus has not.
    """
    corpus = Corpus.open(settings.corpus)
    if missing := sorted(set(settings.languages) - set(corpus.languages)):
        raise DataError(
            f"corpus {settings.corpus} has no text in '{missing[0]}'; it has {', '.join(corpus.languages) or 'none'}"
        )
    config = settings.model_dump(mode="json", exclude={"corpus", "output", "engine"})
    work = settings.output.with_name(settings.output.name + ".work")
    if (done := finished(settings.output, "cc100", config, [corpus.manifest], settings=settings)) is not None:
        shutil.rmtree(work, ignore_errors=True)
        return done
    with building(settings.output) as folder:
        _prepare(work, folder, {"config": config, "corpus": corpus.manifest.fingerprint})
        units = []
        for code in settings.languages or corpus.languages:
            target = folder / f"{code}{SUFFIXES[settings.compression]}"
            write = functools.partial(_write_language, settings.corpus, code, target)
            units.append(Unit(code, work / f"{code}.json", write))
        counts = run_units(units, settings.engine, description="exporting")
        statistics = {"languages": {unit.name: count for unit, count in zip(units, counts, strict=True)}}
        manifest = write_manifest(
            folder, kind="cc100", command=COMMAND, config=config, parents=[corpus.manifest], statistics=statistics
        )
    shutil.rmtree(work)
    return manifest


def _prepare(work: Path, folder: Path, plan: dict[str, Any]) -> None:
    """Keep what an earlier attempt left if it was made by the same settings from the same corpus."""
    plan_file = work / "plan.json"
    if not plan_file.exists() or json.loads(plan_file.read_text(encoding="utf-8")) != plan:
        shutil.rmtree(work, ignore_errors=True)
        shutil.rmtree(folder)
        folder.mkdir()
        work.mkdir()
        write_json(plan_file, plan)


def _write_language(folder: Path, language: str, target: Path) -> dict[str, int]:
    counts = {"documents": 0, "lines": 0, "bytes": 0}
    with _opened(target) as stream:
        for text in Corpus.open(folder).documents(language):
            # Blank lines would be borders of documents; the readers give none.
            lines = [line for line in map(str.strip, text.split("\n")) if line]
            if not lines:
                continue
            # A reader takes the mark at the head of a file for one of its encoding: there are two, it leaves one.
            mark = "\ufeff" if not counts["documents"] and lines[0].startswith("\ufeff") else ""
            data = "".join([mark, *(f"{line}\n" for line in lines), "\n"]).encode()
            stream.write(data)
            counts["documents"] += 1
            counts["lines"] += len(lines)
            counts["bytes"] += len(data)
    return counts


@contextlib.contextmanager
def _opened(target: Path) -> Iterator[IO[bytes]]:
    with target.open("wb") as stream:
        if target.suffix == ".xz":
            # No time and no name is written into the file, so the same text gives the same bytes.
            with lzma.open(stream, "wb", format=lzma.FORMAT_XZ, preset=6) as packed:
                yield packed
        else:
            yield stream
