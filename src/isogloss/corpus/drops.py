"""What one unit of a build's work met and dropped: counts, a sample of each reason, and on request all of it.

    with Drops(num_samples=20, kept_in=work / "reading" / "00000.dropped.jsonl.zst") as drops:
        drops.documents("sw", "short-document", table)              # these go
        table = drops.lines("sw", table, gone, reasons)             # these lines go
    drops.answer()                                                   # {"counts": …, "samples": […]}

A sample is the rows with the least numbers, and a row's number is a hash of where it stands, so samples of parts make
the sample of the whole, in whatever order the parts were done.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt
import zstandard

from isogloss.corpus.columns import Mask, select, without_lines
from isogloss.corpus.dedup.normalise import num_lines
from isogloss.corpus.extras import load_pyarrow
from isogloss.corpus.tally import Tally
from isogloss.randomness import key_of, spread

__all__ = ["SAMPLE_CHARACTERS", "Drops", "Samples"]

# What a sample shows of a text.
SAMPLE_CHARACTERS = 1000


class Samples:
    """At most ``size`` rows of each language, kind ("kept", "document", "line") and reason."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._rows: dict[tuple[str, str, str], list[tuple[int, str, str]]] = {}

    def offer(self, language: str, kind: str, reason: str, ids: Any, texts: Any) -> None:
        """Rows that may be taken, as Arrow columns of strings."""
        if not self._size or not len(ids):
            return
        rows = self._rows.setdefault((language, kind, reason), [])
        keys = spread(key_of(kind, reason, ids[0].as_py(), texts[0].as_py()[:100]), np.arange(len(ids)))
        limit = rows[-1][0] if len(rows) == self._size else 2**64
        order = np.argsort(keys, kind="stable")[: self._size]
        for place in order.tolist():
            if (key := int(keys[place])) >= limit:
                break
            rows.append((key, ids[place].as_py(), texts[place].as_py()[: SAMPLE_CHARACTERS + 1]))
        rows.sort()
        del rows[self._size :]

    def records(self) -> list[dict[str, Any]]:
        """Sorted by language, kind, reason and number; JSON."""
        return [
            {"language": language, "kind": kind, "reason": reason, "key": key, "id": name}
            | {"text": text[:SAMPLE_CHARACTERS], "cut": len(text) > SAMPLE_CHARACTERS}
            for (language, kind, reason), rows in sorted(self._rows.items())
            for key, name, text in rows
        ]

    def add(self, records: Iterable[dict[str, Any]]) -> None:
        """What :meth:`records` of another unit gave."""
        for record in records:
            rows = self._rows.setdefault((record["language"], record["kind"], record["reason"]), [])
            rows.append((record["key"], record["id"], record["text"] + "…" * record["cut"]))
            rows.sort()
            del rows[self._size :]


class Drops:
    """Counts, samples and, if it is asked for, a file of what is dropped."""

    def __init__(self, num_samples: int, kept_in: Path | None = None) -> None:
        self.tally, self.samples = Tally(), Samples(num_samples)
        self._stream: Any = None
        if kept_in is not None:
            self._stream = zstandard.ZstdCompressor().stream_writer(kept_in.open("wb"))

    def __enter__(self) -> Drops:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._stream is not None:
            self._stream.close()

    def answer(self) -> dict[str, Any]:
        """What the report needs to know, as JSON."""
        return {"counts": self.tally.counts(), "samples": self.samples.records()}

    def documents(self, language: str, reason: str, table: Any) -> None:
        """All documents of the table go, with the lines they still have."""
        if not len(table):
            return
        texts = table["text"].combine_chunks()
        has_lines = load_pyarrow().compute.not_equal(texts, "").to_numpy(zero_copy_only=False)
        lines = int(num_lines(texts)[has_lines].sum())
        self.tally.drop_document(language, reason, documents=len(table), lines=lines)
        self.samples.offer(language, "document", reason, table["id"], texts)
        self._keep(language, "document", reason, table["id"], texts, table["source"])

    def judged(self, language: str, table: Any, judged: npt.NDArray[np.uint8], reasons: Sequence[str]) -> Any:
        """Documents whose number is not 0 go for the reason before that place; returns the others."""
        for number in np.unique(judged[judged > 0]).tolist():
            self.documents(language, reasons[number - 1], select(table, judged == number))
        return select(table, judged == 0)

    def lines(self, language: str, table: Any, judged: npt.NDArray[np.uint8], reasons: Sequence[str]) -> Any:
        """Lines (of all texts, in order) whose number is not 0 go for the reason before that place.

        Returns the documents that have a line left, with what is left of them; the others go as ``empty-document``.
        """
        if not judged.any():
            return table
        pa = load_pyarrow()
        texts = table["text"].combine_chunks()
        every = pa.compute.split_pattern(texts, "\n").flatten()
        owners, said_of = np.repeat(np.arange(len(table)), num_lines(texts)), table.select(["id", "source"])
        for number in np.unique(judged[judged > 0]).tolist():
            gone = judged == number
            self.tally.drop_line(language, reasons[number - 1], lines=int(gone.sum()))
            # Not the table itself: each line would take its document's text along.
            lines, said = every.filter(pa.array(gone)), said_of.take(pa.array(owners[gone]))
            self.samples.offer(language, "line", reasons[number - 1], said["id"], lines)
            self._keep(language, "line", reasons[number - 1], said["id"], lines, said["source"])
        left, counts = without_lines(texts, judged > 0)
        table = table.set_column(table.schema.get_field_index("text"), "text", left)
        return self.without_empty(language, table, counts == 0)

    def without_empty(self, language: str, table: Any, empty: Mask) -> Any:
        """Documents of which nothing is left go."""
        if empty.any():
            self.tally.drop_document(language, "empty-document", documents=int(empty.sum()))
        return select(table, ~empty)

    def _keep(self, language: str, kind: str, reason: str, ids: Any, texts: Any, sources: Any) -> None:
        if self._stream is None:
            return
        start = {"language": language, "kind": kind, "reason": reason}
        for line in _json_lines(start, ids, texts, sources):
            self._stream.write(line)


def _json_lines(start: dict[str, Any], ids: Any, texts: Any, sources: Any) -> Iterator[bytes]:
    for name, text, source in zip(ids.to_pylist(), texts.to_pylist(), sources.to_pylist(), strict=True):
        record = {**start, "id": name, "text": text}
        if source:
            record["source"] = json.loads(source)
        yield json.dumps(record, ensure_ascii=False).encode() + b"\n"
