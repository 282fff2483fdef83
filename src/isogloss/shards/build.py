"""Write a shards folder: encode a corpus with a vocabulary on all cores, and hold documents of each language out.

    build_shards(ShardSettings(corpus=Path("corpus"), vocabulary=Path("vocab"), output=Path("shards")))

Each file of the corpus is read and encoded once, by one of several processes, into pieces (:mod:`.pieces`), which are
then joined (:mod:`.join`). Which process did what leaves no trace in the bytes. Pieces lie in ``OUTPUT.work``: after
an interruption the same command goes on with the files that were not finished.

A sentence with its translation is written as two documents, one after the other, and they are held out together.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

from pydantic import Field

from isogloss.children import on_termination
from isogloss.config import Settings
from isogloss.corpus import Corpus
from isogloss.corpus.continuing import PLAN_NAME, alone, delete, put_away
from isogloss.corpus.engine import EngineSettings, Unit, answer_of, finish_units, num_cores, preempt
from isogloss.corpus.folder import CorpusPart
from isogloss.errors import FolderError
from isogloss.manifest import (
    MANIFEST_NAME,
    Manifest,
    building,
    finished,
    read_manifest,
    write_json,
    write_manifest,
)
from isogloss.shards.join import STATISTICS_NAME, Joining, join_texts
from isogloss.shards.parallel import AlignedText, find_aligned
from isogloss.shards.pieces import Reading, encode_parts
from isogloss.shards.read import COMMAND, PAIRS, dtype_for
from isogloss.vocab import Vocabulary
from isogloss.vocab.sample import languages_with_text

__all__ = ["ShardSettings", "build_shards"]

# Small files are one unit of work together.
BYTES_A_UNIT = 1 << 25
# To start a process takes as long as to encode a quarter of this; with less text, threads of one process encode.
BYTES_A_PROCESS = 1 << 26
# Joining is done at the disk's speed and soon done; each process that joins has a piece on the disk twice.
BYTES_A_JOINER = 1 << 29
MOST_JOINERS = 4

SizedType = TypeVar("SizedType", bound="Sized")


class ShardSettings(Settings):
    """Settings of ``isogloss shards``."""

    corpus: Path = Field(description="corpus folder to read")
    vocabulary: Path = Field(description="vocab folder, model folder or SentencePiece .model file")
    output: Path = Field(description="shards folder to write")
    parallel: Path | None = Field(
        default=None,
        description="folder of sentences with translations: NAME.en-sw.en beside NAME.en-sw.sw, .gz or not",
    )
    languages: tuple[str, ...] = Field(default=(), description="languages of the corpus to take; empty: all with text")
    held_out_share: float = Field(default=0.01, ge=0, le=0.5, description="share of a language's documents to hold out")
    held_out_documents: int = Field(
        default=1000, ge=0, description="most documents a language to hold out; at least one is unless this is 0"
    )
    workers: int = Field(default=0, ge=0, description="cores that encode; 0: all there are; never changes a byte")


class Sized(Protocol):
    @property
    def num_bytes(self) -> int: ...


@dataclass(frozen=True)
class Part:
    """A file of a language, or two files of a pair of languages; ``num_bytes`` is about how much text is in it."""

    text: str
    number: int
    read: Reading
    num_bytes: int

    @property
    def name(self) -> str:
        return f"{self.text}/{self.number:05d}"


@dataclass(frozen=True)
class Text:
    """A language, or a pair of languages; ``num_documents`` and ``num_bytes`` are what the corpus says of it."""

    name: str
    width: int
    parts: tuple[Part, ...]
    num_documents: int | None = None
    num_bytes: int = 0


def build_shards(settings: ShardSettings) -> Manifest:
    """Encode the corpus; a finished folder of the same settings and parents is returned as is.

    A language without text is left out and named in the manifest's ``warnings``; asked for by name, it is a DataError.
    Raises Preempted after SIGTERM.
    """
    corpus = Corpus.open(settings.corpus)
    vocabulary = Vocabulary.load(settings.vocabulary)
    parallel = {} if settings.parallel is None else {text.name: text for text in find_aligned(settings.parallel)}
    parents = [corpus.manifest, _vocabulary_manifest(settings.vocabulary, vocabulary)]
    config = settings.model_dump(mode="json", exclude={"corpus", "vocabulary", "output", "parallel", "workers"})
    if parallel:
        config["parallel"] = {name: text.fingerprint for name, text in parallel.items()}
    if (done := finished(settings.output, "shards", config, parents, settings=settings)) is not None:
        return done
    languages, warnings = languages_with_text(corpus.manifest, settings.languages, where=settings.corpus)
    made_from = {"config": config, "parents": {parent.kind: parent.fingerprint for parent in parents}}
    texts = [_of_language(corpus, code, counts) for code, counts in languages.items()]
    texts += [_of_pair(text) for text in parallel.values()]
    work = settings.output.with_name(settings.output.name + ".work")
    with on_termination(preempt), alone(work, settings.output), building(settings.output) as folder:
        _drop_strangers(folder, {*languages, *([PAIRS] if parallel else [])}, made_from)
        _drop_strangers(folder / PAIRS, parallel, made_from)
        _keep_same(work, made_from)
        _write_texts(texts, folder, work, made_from, vocabulary, settings)
        statistics = {code: _statistics(folder / code) for code in languages}
        pairs = {name: _statistics(folder / PAIRS / name) for name in parallel}
        for name, text in parallel.items():
            pairs[name]["languages"] = list(text.languages)
        put_away(work)
        return write_manifest(
            folder,
            kind="shards",
            command=COMMAND,
            config=config,
            parents=parents,
            statistics={
                "vocabulary": {"size": vocabulary.size, "fingerprint": vocabulary.fingerprint},
                "dtype": dtype_for(vocabulary.size).name,
                "languages": statistics,
                "pairs": pairs,
                "warnings": warnings | _not_held_out(statistics, settings),
            },
        )


def _write_texts(
    texts: Sequence[Text],
    folder: Path,
    work: Path,
    made_from: Mapping[str, Any],
    vocabulary: Vocabulary,
    settings: ShardSettings,
) -> None:
    """Make the folder of each text that has none yet."""
    left = [text for text in texts if not (folder / text.name / STATISTICS_NAME).is_file()]
    names = {text.name for text in left}
    # Of all, so that they are the same groups when the command goes on.
    of_all = _grouped([part for text in texts for part in text.parts], BYTES_A_UNIT)
    groups = {number: parts for number, parts in enumerate(of_all) if names & {part.text for part in parts}}
    num_workers = settings.workers or num_cores()
    num_bytes = sum(part.num_bytes for parts in groups.values() for part in parts)
    num_processes = max(1, min(num_workers, len(groups), num_bytes // BYTES_A_PROCESS))
    encode = functools.partial(
        encode_parts,
        vocabulary=settings.vocabulary,
        fingerprint=vocabulary.fingerprint,
        num_threads=num_workers // num_processes,
    )
    units = [
        Unit(
            f"{parts[0].name} to {parts[-1].name}" if len(parts) > 1 else parts[0].name,
            work / "encoded" / f"{number:05d}.json",
            functools.partial(encode, [(part.read, work / part.name) for part in parts]),
            sum(part.num_bytes for part in parts),
        )
        for number, parts in groups.items()
    ]
    for unit, parts in zip(units, groups.values(), strict=True):
        # Joined, and the folder was lost since.
        if any(part.text in names and not (work / part.name).is_dir() for part in parts):
            unit.done.unlink(missing_ok=True)
    # The largest first, so that no process is left with one at the end.
    finish_units(
        sorted(units, key=lambda unit: -unit.num_bytes), EngineSettings(workers=num_processes), description="encoding"
    )
    answers = {
        part.name: answer
        for unit, parts in zip(units, groups.values(), strict=True)
        for part, answer in zip(parts, answer_of(unit)["parts"], strict=True)
    }
    joinings = [_joining(text, answers, folder, work, made_from, vocabulary, settings) for text in left]
    _join_texts(joinings, work, num_processes)


def _join_texts(joinings: Sequence[Joining], work: Path, num_processes: int) -> None:
    delete(work / "joined")
    units = [
        Unit(group[0].name, work / "joined" / f"{number:05d}.json", functools.partial(join_texts, group))
        for number, group in enumerate(_grouped(joinings, BYTES_A_JOINER))
    ]
    num_joiners = min(num_processes, MOST_JOINERS)
    finish_units(units, EngineSettings(workers=max(1, min(num_joiners, len(units)))), description="joining")


def _grouped(items: Sequence[SizedType], num_bytes: int) -> list[list[SizedType]]:
    """The same in the same order, in groups that are not much larger than ``num_bytes``."""
    groups: list[list[SizedType]] = []
    room = 0
    for item in items:
        if room <= 0 or item.num_bytes > room:
            groups.append([])
            room = num_bytes
        groups[-1].append(item)
        room -= item.num_bytes
    return groups


def _joining(
    text: Text,
    answers: Mapping[str, Mapping[str, int]],
    folder: Path,
    work: Path,
    made_from: Mapping[str, Any],
    vocabulary: Vocabulary,
    settings: ShardSettings,
) -> Joining:
    num_documents = sum(answers[part.name]["documents"] for part in text.parts)
    if text.num_documents not in (None, num_documents):
        raise FolderError(
            f"{settings.corpus} has {num_documents} documents of '{text.name}', its manifest says "
            f"{text.num_documents}; make the corpus again with 'isogloss corpus build'"
        )
    num_bytes = text.num_bytes or sum(answers[part.name]["bytes"] for part in text.parts)
    return Joining(
        name=text.name,
        pieces=work / text.name,
        target=folder / text.name,
        output=settings.output,
        width=text.width,
        dtype=dtype_for(vocabulary.size),
        held_out_share=settings.held_out_share,
        held_out_documents=settings.held_out_documents,
        facts={"bytes": num_bytes},
        marks={"made_from": made_from},
    )


def _of_language(corpus: Corpus, code: str, counts: Mapping[str, int]) -> Text:
    found = corpus.parts(code)
    packed = sum(part.num_bytes for part in found)
    parts = ((functools.partial(_documents, part), round(counts["bytes"] * part.num_bytes / packed)) for part in found)
    return Text(code, 1, _numbered(code, parts), counts["documents"], counts["bytes"])


def _documents(part: CorpusPart) -> Iterator[tuple[str]]:
    return ((text,) for text in part.texts())


def _of_pair(text: AlignedText) -> Text:
    parts = (
        (AlignedText(text.name, text.languages, (pair,)).sentences, sum(path.stat().st_size for path in pair))
        for pair in text.files
    )
    return Text(f"{PAIRS}/{text.name}", 2, _numbered(f"{PAIRS}/{text.name}", parts))


def _numbered(text: str, parts: Iterable[tuple[Reading, int]]) -> tuple[Part, ...]:
    return tuple(Part(text, number, read, max(1, size)) for number, (read, size) in enumerate(parts))


def _vocabulary_manifest(path: Path, vocabulary: Vocabulary) -> Manifest:
    """The vocab folder's manifest; a model folder or a bare file is known by its SentencePiece model's fingerprint."""
    if (path / MANIFEST_NAME).is_file() and json.loads((path / MANIFEST_NAME).read_text("utf-8"))["kind"] == "vocab":
        return read_manifest(path, "vocab")
    return Manifest("vocab", "", "", {}, {}, {}, fingerprint=vocabulary.fingerprint)


def _drop_strangers(folder: Path, languages: Iterable[str], made_from: Mapping[str, Any]) -> None:
    """Delete what an earlier attempt left that is unfinished or was made from other settings or parents."""
    for path in folder.iterdir() if folder.is_dir() else ():
        marker = path / STATISTICS_NAME
        same = marker.is_file() and json.loads(marker.read_text("utf-8")).get("made_from") == made_from
        if not (path.name in languages and (same or path.name == PAIRS)):
            delete(path)


def _keep_same(work: Path, made_from: Mapping[str, Any]) -> None:
    """Delete the pieces of other settings or parents."""
    plan = work / PLAN_NAME
    if not plan.is_file() or json.loads(plan.read_text("utf-8")) != json.loads(json.dumps(made_from)):
        plan.unlink(missing_ok=True)
        for path in work.iterdir():
            delete(path)
        write_json(plan, made_from)


def _statistics(folder: Path) -> dict[str, Any]:
    statistics: dict[str, Any] = json.loads((folder / STATISTICS_NAME).read_text("utf-8"))
    del statistics["made_from"]
    return statistics


def _not_held_out(statistics: Mapping[str, Mapping[str, Any]], settings: ShardSettings) -> dict[str, str]:
    if not settings.held_out_documents or not settings.held_out_share:
        return {}
    return {
        code: "no document is held out: all its documents are the same, or there is only one"
        for code, counts in statistics.items()
        if not counts["held_out"]["documents"]
    }
