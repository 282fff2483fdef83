"""Phase three of a build: lines that repeat go, languages are found, and each document goes to its language.

    answer = identify_one(folder / "reading" / "00003", settings, folder / "identifying" / "00003", verdicts)

CCNet identifies languages after deduplication: without the boilerplate that small languages share with large ones
their pages are recognised. MinHash signatures are of the whole texts, though: of two pages that are nearly the same,
what is left without the lines they share is not alike. Memory: BUFFER_BYTES of text for all languages together and
the models of :mod:`isogloss.corpus.identify`; with signatures 60 bytes for each byte of a batch.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from isogloss.corpus.columns import LanguageFiles, Mask, read_tables, select, signature_column
from isogloss.corpus.dedup.minhash import sign
from isogloss.corpus.dedup.normalise import num_lines
from isogloss.corpus.dedup.repeats import Repeats, SourceVerdicts
from isogloss.corpus.drops import Drops
from isogloss.corpus.extras import load_pyarrow
from isogloss.corpus.identify.identified import DOCUMENT_REASONS, LINE_REASONS, REASONS
from isogloss.corpus.identify.settings import IdentifySettings
from isogloss.corpus.identify.step import identify_batch
from isogloss.corpus.settings import CorpusSettings
from isogloss.corpus.tally import UNKNOWN_LANGUAGE

__all__ = ["CONFIDENCE_BINS", "identify_one", "reading_files"]

CONFIDENCE_BINS = 20
# What identification says of a text, as a build counts it; "" where it has found a language.
_COUNTED = dict(zip(REASONS, ("", *DOCUMENT_REASONS), strict=True))


def reading_files(folder: Path) -> list[Path]:
    """The documents that phase one left of a source, in the order in which everything takes them."""
    return sorted(folder.glob("*.parquet"))


def identify_one(
    source: Path, settings: CorpusSettings, target: Path, repeats: Path | None, first: int
) -> dict[str, Any]:
    """Take what phase one left of one source on to its languages; returns the unit's entry for the report.

    ``repeats`` is the search of the source's group, in which the first of its files has the number ``first``.
    """
    shutil.rmtree(target, ignore_errors=True)
    kept_in = target.with_suffix(".dropped.jsonl.zst") if settings.keep_dropped else None
    with Drops(settings.num_samples, kept_in) as drops, LanguageFiles(target) as files, ExitStack() as stack:
        identifying = _Identifying(settings, drops, files)
        for number, path in enumerate(reading_files(source), start=first):
            verdicts = None if repeats is None else stack.enter_context(Repeats(repeats).source(number))
            for table in read_tables([path]):
                identifying.batch(path.stem, table, verdicts)
    return drops.answer() | {"identification": identifying.statistics}


class _Identifying:
    def __init__(self, settings: CorpusSettings, drops: Drops, files: LanguageFiles) -> None:
        self._settings, self._drops, self._files = settings, drops, files
        self._ask = _with_languages(settings)
        self.statistics: dict[str, dict[str, Any]] = {}

    def batch(self, language: str, table: Any, verdicts: SourceVerdicts | None) -> None:
        """One batch of a source's documents in one language, or in none yet."""
        if self._settings.near_duplicates is not None:
            table = table.append_column("whole", table["text"])
        if verdicts is not None:
            gone = verdicts.take(int(num_lines(table["text"]).sum()))
            table = self._drops.lines(language, table, gone.astype(np.uint8), ("repeated-line",))
        asked = self._ask is not None and (language == UNKNOWN_LANGUAGE or not self._settings.trust_names)
        if asked and len(table):
            self._identify(language, table)
        else:
            self._add(language, table)

    def _add(self, language: str, table: Any) -> None:
        """Documents that stay, signed as they were read."""
        chosen = self._settings.near_duplicates
        if chosen is not None and len(table):
            signatures = sign(table["whole"], language=language, settings=chosen)
            table = table.drop_columns("whole")
            place = table.schema.get_field_index("signature")
            table = table.set_column(place, "signature", signature_column(signatures))
        self._files.add(language, table)

    def _identify(self, language: str, table: Any) -> None:
        assert self._ask is not None
        pa = load_pyarrow()
        said = identify_batch(table["text"].combine_chunks(), self._ask)
        for name in ("confidence", "agreed"):
            table = table.set_column(table.schema.get_field_index(name), name, said.field(name))
        found = np.array(said.field("language").to_pylist(), object)
        reasons = np.array([_COUNTED[reason] for reason in said.field("reason").to_pylist()], object)
        self._count(np.where(reasons == "", found, UNKNOWN_LANGUAGE), said)
        for reason in sorted(set(reasons[reasons != ""])):
            self._drops.documents(language, reason, select(table, reasons == reason))
        for code in sorted(set(found[reasons == ""])):
            rows = (reasons == "") & (found == code)
            self._take(language, code, select(table, rows), said.field("foreign").filter(pa.array(rows)))

    def _take(self, language: str, code: str, table: Any, foreign: Any) -> None:
        """Documents of one language, without their lines in other ones."""
        lines = num_lines(table["text"])
        self._drops.tally.move(language, code, documents=len(table), lines=int(lines.sum()))
        assert self._ask is not None
        if self._ask.drop_foreign_lines:
            judged = foreign.flatten().to_numpy(zero_copy_only=False).astype(np.uint8)
            table = self._drops.lines(code, table, judged, tuple(LINE_REASONS))
        self._add(code, table)

    def _count(self, codes: Any, said: Any) -> None:
        confidence = said.field("confidence").to_numpy(zero_copy_only=False)
        agreed = said.field("agreed").to_numpy(zero_copy_only=False).astype(bool)
        bins = np.minimum((confidence * CONFIDENCE_BINS).astype(np.int64), CONFIDENCE_BINS - 1)
        # A general name and one of its members (sh, hr) are not the same, and agree.
        differed = _differed(said.field("opinions").to_pylist()) & ~agreed
        for code in sorted(set(codes)):
            rows = codes == code
            entry = self.statistics.setdefault(
                code, {"documents": 0, "agreed": 0, "differed": 0, "confidence": [0] * CONFIDENCE_BINS}
            )
            entry["documents"] += int(rows.sum())
            entry["agreed"] += int(agreed[rows].sum())
            entry["differed"] += int(differed[rows].sum())
            counts = np.bincount(bins[rows], minlength=CONFIDENCE_BINS)
            entry["confidence"] = (np.array(entry["confidence"]) + counts).tolist()


def _differed(opinions: Sequence[Sequence[str]]) -> Mask:
    """Whether both said something, and not the same."""
    return np.fromiter((bool(one and other and one != other) for one, other in opinions), bool, len(opinions))


def _with_languages(settings: CorpusSettings) -> IdentifySettings | None:
    """The languages of the corpus are those that identification keeps, unless it has some of its own."""
    asked = settings.identify
    if asked is None or asked.languages or not settings.languages:
        return asked
    return asked.model_copy(update={"languages": settings.languages})
