"""Bare fastwarc: every record of the WET files read, and nothing done with it. A child of benchmarks/corpus.py."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import fastwarc
import measure


def reading(folder: Path) -> measure.Work:
    def work() -> Mapping[str, Any]:
        num_documents = num_bytes = 0
        for path in sorted(folder.iterdir()):
            with path.open("rb") as stream:
                for record in fastwarc.ArchiveIterator(stream, parse_http=False):
                    content = record.reader.read()
                    if record.record_type == fastwarc.WarcRecordType.conversion:
                        num_documents += 1
                        num_bytes += len(content)
        return {"documents": num_documents, "bytes": num_bytes}

    return work


STEPS = {
    "reading": lambda folder: reading(folder / "wet"),
    "reading-plain": lambda folder: reading(folder / "plain"),
}

if __name__ == "__main__":
    measure.main(STEPS)
