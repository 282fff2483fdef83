"""Phase one of a build: a source → its documents by language, judged by rules, and the hashes of their lines.

    answer = read_one(source, settings, folder / "00000")      # 00000/LANGUAGE.parquet, 00000/LANGUAGE.lines

What can be said of a document by itself is said here, before any other document is known: CCNet drops short documents
first. Memory: BUFFER_BYTES of text for all languages together, and what the reader holds (``max_record_bytes``).
"""

from __future__ import annotations

import contextlib
import functools
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from isogloss.corpus import personal, rules
from isogloss.corpus.columns import BATCH_BYTES, BATCH_ROWS, BUFFER_BYTES, LanguageFiles, schema
from isogloss.corpus.dedup.paragraphs import append_hashes, hash_lines
from isogloss.corpus.drops import Drops
from isogloss.corpus.extras import load_pyarrow
from isogloss.corpus.readers import Document, read_source
from isogloss.corpus.settings import CorpusSettings
from isogloss.corpus.sources import NOT_ASKED_FOR, DamagedFileError, FileState, Source, file_state
from isogloss.corpus.tally import UNKNOWN_LANGUAGE, Tally
from isogloss.errors import DataError

__all__ = ["UNREADABLE", "read_one"]

# What the problem of a file begins with that may be read another time.
UNREADABLE = "unreadable"


def read_one(source: Source, settings: CorpusSettings, target: Path) -> dict[str, Any]:
    """Read one source whole, or throw away what was read and say why; returns its entry for the report.

    Raises DataError where the file changes meanwhile, OSError where ``target`` cannot be written.
    """
    _remove(target)
    nothing: dict[str, Any] = {"file": source.name, "bytes": 0, "xxh3_128": "", "problem": "", "state": None}
    entry = nothing | {"counts": {}, "samples": []}
    try:
        with _of_the_input():
            before = source.state()
        entry |= {"bytes": before.bytes, "state": list(before)}
        if problem := _reason_to_skip(source, before, settings):
            return entry | {"problem": problem}
        problem, answer = _read_documents(source, settings, target)
        with _of_the_input():
            entry["xxh3_128"], after = source.digest(), source.state()
    except _UnreadableError as error:
        _remove(target)
        return entry | {"problem": f"{UNREADABLE} ({error})"}
    if after != before:
        _remove(target)
        raise DataError(
            f"{source.path} changed while it was read ({before.bytes} bytes, then {after.bytes}); "
            "start again when nothing writes to it, the files read before it are kept"
        )
    return entry | {"problem": problem} | answer


class _UnreadableError(Exception):
    """The input cannot be read; what cannot be written remains an OSError."""


@contextlib.contextmanager
def _of_the_input() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _UnreadableError(error.strerror or str(error)) from None


def _remove(target: Path) -> None:
    """What an earlier attempt left of a source."""
    shutil.rmtree(target, ignore_errors=True)
    _dropped_of(target).unlink(missing_ok=True)


def _dropped_of(target: Path) -> Path:
    return target.with_suffix(".dropped.jsonl.zst")


def _read_documents(source: Source, settings: CorpusSettings, target: Path) -> tuple[str, dict[str, Any]]:
    """Take all documents of a source into ``target``; returns what is damaged in it, and what was dropped."""
    problem = ""
    kept_in = _dropped_of(target) if settings.keep_dropped else None
    with Drops(settings.num_samples, kept_in) as drops, LanguageFiles(target) as files:
        reading = _Reading(source, settings, target, drops, files)
        try:
            for document in _documents(source, settings, drops.tally):
                reading.add(document)
        except DamagedFileError as error:
            problem = f"{error}; what stood before it is kept"
        reading.finish()
    return problem, drops.answer()


def _documents(source: Source, settings: CorpusSettings, tally: Tally) -> Iterator[Document]:
    with _of_the_input():
        yield from read_source(source, settings, tally, languages=_wanted(settings))


class _Reading:
    """Documents of one source, gathered by language until there are enough for a batch."""

    def __init__(
        self, source: Source, settings: CorpusSettings, folder: Path, drops: Drops, files: LanguageFiles
    ) -> None:
        self._name, self._settings, self._folder = source.name, settings, folder
        self._drops, self._files = drops, files
        self._gathered: dict[str, list[Document]] = {}
        self._bytes: dict[str, int] = {}

    def add(self, document: Document) -> None:
        language = document.language
        gathered = self._gathered.setdefault(language, [])
        gathered.append(document)
        self._bytes[language] = self._bytes.get(language, 0) + len(document.text)
        if len(gathered) == BATCH_ROWS or self._bytes[language] > BATCH_BYTES:
            self._batch(language)
        elif sum(self._bytes.values()) > BUFFER_BYTES:
            self._batch(max(self._bytes, key=lambda code: self._bytes[code]))

    def finish(self) -> None:
        for language in sorted(self._gathered):
            self._batch(language)

    def _batch(self, language: str) -> None:
        documents = self._gathered.pop(language)
        del self._bytes[language]
        table = _judged(language, self._table(documents), self._settings, self._drops)
        if not len(table):
            return
        if self._settings.repeats is not None:
            hashes = hash_lines(table["text"].combine_chunks(), self._settings.normalise)
            append_hashes(self._folder / f"{language}.lines", hashes)
        self._files.add(language, table)

    def _table(self, documents: list[Document]) -> Any:
        pa = load_pyarrow()
        columns = {
            "id": [f"{self._name}:{document.place}" for document in documents],
            "text": [document.text for document in documents],
            "file": [self._name] * len(documents),
            "line": [document.line for document in documents],
            "source": [json.dumps(one.source, ensure_ascii=False) if one.source else "" for one in documents],
            "confidence": [None] * len(documents),
            "agreed": [None] * len(documents),
            "signature": [None] * len(documents),
        }
        return pa.table(columns, schema=schema())


def _judged(language: str, table: Any, settings: CorpusSettings, drops: Drops) -> Any:
    """What rules and personal data leave of a batch."""
    if (chosen := settings.rules) is not None:
        if chosen.blocked_urls is not None:
            urls = [json.loads(source).get("url") if source else None for source in table["source"].to_pylist()]
            blocked = _block_list(chosen.blocked_urls, file_state(chosen.blocked_urls)).judge(urls)
            table = drops.judged(language, table, blocked.astype(np.uint8), ["blocked-url"])
        judged = rules.judge_documents(table["text"], chosen, language=language)
        table = drops.judged(language, table, judged, tuple(rules.DOCUMENT_REASONS))
        judged = rules.judge_lines(table["text"], chosen)
        table = drops.lines(language, table, judged, tuple(rules.LINE_REASONS))
    if settings.personal is not None and len(table):
        texts, hidden = personal.hide_personal(table["text"].combine_chunks(), settings.personal)
        for what, times in hidden.items():
            drops.tally.note(language, what, times=times)
        table = table.set_column(table.schema.get_field_index("text"), "text", texts)
        judged, _ = personal.lines_with_personal(texts, settings.personal)
        table = drops.lines(language, table, judged, tuple(personal.LINE_REASONS))
    return table


@functools.lru_cache(maxsize=1)
def _block_list(path: Path, state: FileState) -> rules.BlockList:
    """The list as it is in this state: one process may build several corpora."""
    return rules.BlockList.read(path)


def _wanted(settings: CorpusSettings) -> tuple[str, ...]:
    """The languages that are read: also the unknown one where it will be asked for, and all where names say nothing."""
    if settings.identify is None or not settings.languages:
        return settings.languages
    return (*settings.languages, UNKNOWN_LANGUAGE) if settings.trust_names else ()


def _reason_to_skip(source: Source, state: FileState, settings: CorpusSettings) -> str:
    if not source.format:
        return "not read: no .txt, .jsonl, .parquet, .arrow, .wet, .warc or wiki .xml file"
    if state.bytes == 0:
        return "empty file"
    if source.format == "text" and source.language is None:
        return "not read: no language code in its name"
    language = settings.language if source.format == "crawl" or source.language is None else source.language
    wanted = _wanted(settings)
    if source.format in ("text", "crawl", "wiki") and wanted and language not in wanted:
        return NOT_ASKED_FOR
    return ""
