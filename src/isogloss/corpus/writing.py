"""Phase five of a build: what stays of a language, as parts; what goes is counted, sampled and, on request, kept.

    answer = write_one("sw", slices, settings, output / "sw", work / "writing" / "sw")

Memory: that of :mod:`isogloss.corpus.comparing`, and BUFFER_BYTES of text.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from isogloss.corpus.columns import read_tables
from isogloss.corpus.comparing import REASONS, Decision, decide
from isogloss.corpus.dedup.normalise import num_lines
from isogloss.corpus.drops import Drops
from isogloss.corpus.extras import load_pyarrow
from isogloss.corpus.judging import Slice
from isogloss.corpus.lm.cutoffs import BUCKETS
from isogloss.corpus.parts import PartWriter
from isogloss.corpus.settings import CorpusSettings

__all__ = ["without_room", "write_one"]


def write_one(
    language: str, slices: Sequence[Slice], settings: CorpusSettings, folder: Path, work: Path
) -> dict[str, Any]:
    """Compare and write one language; ``work`` holds what does not fit into memory meanwhile."""
    for old in (folder, work):
        shutil.rmtree(old, ignore_errors=True)
    work.mkdir(parents=True)
    decision = decide(language, slices, settings, work)
    kept_in = work.with_suffix(".dropped.jsonl.zst") if settings.keep_dropped else None
    with Drops(settings.num_samples, kept_in) as drops, PartWriter(folder, settings.part_bytes) as parts:
        writing = _Writing(language, settings, decision, drops, parts)
        for table in read_tables([path for part in slices for path in part.files]):
            writing.batch(table)
    shutil.rmtree(work)
    answer = drops.answer() | {"kept": writing.kept}
    if histogram := decision.histogram():
        answer["perplexity"] = histogram | {"buckets": writing.buckets}
    return answer


def without_room(sizes: Any, left: int) -> Any:
    """For each document, in order, whether it no longer fits into ``left`` bytes beside those before it that do.

    A document too long for what is left is passed over and not the end: a language whose first document is a book would
    have no text otherwise, and one with a book in the middle half of what it was to have.
    """
    over = np.ones(len(sizes), bool)
    places = np.flatnonzero(sizes <= left)
    while len(places):
        num_fitting = int(np.searchsorted(np.cumsum(sizes[places]), left, side="right"))
        fitting, rest = places[:num_fitting], places[num_fitting:]
        over[fitting] = False
        left -= int(sizes[fitting].sum())
        places = rest[sizes[rest] <= left]
    return over


class _Writing:
    def __init__(
        self, language: str, settings: CorpusSettings, decision: Decision, drops: Drops, parts: PartWriter
    ) -> None:
        self._language, self._settings, self._decision = language, settings, decision
        self._drops, self._parts = drops, parts
        self._limit = settings.max_bytes_by_language.get(language, settings.max_bytes)
        self._place = 0
        self.kept = dict.fromkeys(("documents", "lines", "characters", "bytes", "words"), 0)
        self.buckets = {bucket: {"documents": 0, "bytes": 0} for bucket in BUCKETS}

    def batch(self, table: Any) -> None:
        """The next documents of the language."""
        rows = slice(self._place, self._place + len(table))
        self._place = rows.stop
        pa = load_pyarrow()
        decision = self._decision
        table = table.append_column("perplexity", pa.array(decision.perplexity[rows]))
        table = table.append_column("bucket", pa.array(decision.buckets[rows]))
        table = table.append_column("labelled", decision.labelled[rows])
        table = self._drops.judged(self._language, table, decision.goes[rows], REASONS)
        if (labelled := self._settings.decontaminate) is not None and labelled.drop == "line" and len(table):
            table = self._drops.lines(self._language, table, _labelled_lines(table), ("labelled-line",))
        table = self._within_limit(table)
        if len(table):
            self._write(table)

    def _within_limit(self, table: Any) -> Any:
        if self._limit is None:
            return table
        over = without_room(_num_bytes(table), self._limit - self.kept["bytes"])
        return self._drops.judged(self._language, table, over.astype(np.uint8), ("over-limit",))

    def _write(self, table: Any) -> None:
        pa = load_pyarrow()
        texts = table["text"].combine_chunks()
        self._drops.samples.offer(self._language, "kept", "", table["id"], texts)
        sizes = _num_bytes(table)
        self.kept["documents"] += len(table)
        self.kept["lines"] += int(num_lines(texts).sum())
        self.kept["characters"] += int(pa.compute.sum(pa.compute.utf8_length(texts)).as_py())
        self.kept["bytes"] += int(sizes.sum())
        buckets = table["bucket"].to_numpy()
        for place, bucket in enumerate(BUCKETS):
            self.buckets[bucket]["documents"] += int((buckets == place).sum())
            self.buckets[bucket]["bytes"] += int(sizes[buckets == place].sum())
        for row in table.to_pylist():
            self.kept["words"] += len(row["text"].split())
            self._parts.write(_record(row, has_bucket=self._settings.perplexity is not None))


def _record(row: dict[str, Any], *, has_bucket: bool) -> str:
    """A finished line; what the record said of itself is JSON already."""
    said = [("id", json.dumps(row["id"], ensure_ascii=False)), ("text", json.dumps(row["text"], ensure_ascii=False))]
    said += [("file", json.dumps(row["file"], ensure_ascii=False)), ("line", str(row["line"]))]
    if row["source"]:
        said.append(("source", row["source"]))
    scores: dict[str, Any] = {}
    if row["confidence"] is not None:
        scores |= {"confidence": round(row["confidence"], 3), "agreed": row["agreed"]}
    if has_bucket:
        known = not np.isnan(row["perplexity"])
        scores |= {"perplexity": round(row["perplexity"], 2)} if known else {}
        scores["bucket"] = BUCKETS[row["bucket"]]
    if scores:
        said.append(("scores", json.dumps(scores)))
    return "{" + ", ".join(f'"{key}": {value}' for key, value in said) + "}"


def _labelled_lines(table: Any) -> Any:
    """For each line of all texts whether it goes, as numbers."""
    counts = num_lines(table["text"])
    judged = np.zeros(int(counts.sum()), np.uint8)
    for start, places in zip((np.cumsum(counts) - counts).tolist(), table["labelled"].to_pylist(), strict=True):
        judged[[start + place for place in places]] = 1
    return judged


def _num_bytes(table: Any) -> Any:
    return load_pyarrow().compute.binary_length(table["text"]).to_numpy().astype(np.int64)
