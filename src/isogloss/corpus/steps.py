"""Corpus steps: functions from Daft data frame to Daft data frame that say what has to go.

The frame of one language has a row per document: ``document`` (its place in the order of reading), ``text``, ``hash``
(xxh3 of the text) and ``line_hashes``. A step never carries text through a join: it answers with a small frame of
verdicts, which :mod:`isogloss.corpus.parts` applies while it writes, in order and in bounded memory. So the order of
the output does not depend on the engine's, and the engine holds hashes only (64 bit: among a hundred million
distinct lines, the chance that any two are confused is one in 3,700).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from isogloss.corpus.extras import load_daft

if TYPE_CHECKING:
    from daft import DataFrame

__all__ = ["Verdicts", "duplicate_documents", "find_verdicts", "repeated_lines"]


@dataclass(frozen=True)
class Verdicts:
    """What the steps decided for one language, as sorted arrays.

    ``duplicates`` are documents to drop. A line whose hash is among ``repeated`` is kept only in the document that
    ``first`` names at the same place, and there only once.
    """

    duplicates: np.ndarray[Any, np.dtype[np.int64]] = field(default_factory=lambda: np.empty(0, np.int64))
    repeated: np.ndarray[Any, np.dtype[np.uint64]] = field(default_factory=lambda: np.empty(0, np.uint64))
    first: np.ndarray[Any, np.dtype[np.int64]] = field(default_factory=lambda: np.empty(0, np.int64))


def duplicate_documents(documents: DataFrame) -> DataFrame:
    """``document`` of each document whose text stood in an earlier one."""
    col = load_daft().col
    hashes = documents.select("document", "hash")
    repeated = (
        hashes.groupby("hash")
        .agg(col("document").min().alias("first"), col("document").count().alias("count"))
        .where(col("count") > 1)
    )
    return hashes.join(repeated, on="hash").where(col("document") != col("first")).select("document")


def repeated_lines(documents: DataFrame) -> DataFrame:
    """``hash`` of each line that stands more than once, and the ``first`` document it stands in."""
    col = load_daft().col
    lines = documents.select("document", "line_hashes").explode("line_hashes")
    return (
        lines.groupby("line_hashes")
        .agg(col("document").min().alias("first"), col("document").count().alias("count"))
        .where(col("count") > 1)
        .select(col("line_hashes").alias("hash"), "first")
    )


def find_verdicts(files: Sequence[Path], *, documents: bool, lines: bool) -> Verdicts:
    """Run the chosen steps over the Parquet files of one language."""
    if not files or not (documents or lines):
        return Verdicts()
    frame = load_daft().read_parquet([str(path) for path in files])
    found: dict[str, np.ndarray[Any, Any]] = {}
    if documents:
        table = duplicate_documents(frame).sort("document").to_arrow()
        found["duplicates"] = table["document"].to_numpy()
    if lines:
        # A duplicate's lines all stand in an earlier document, so it cannot be the first to hold any of them.
        table = repeated_lines(frame).sort("hash").to_arrow()
        found |= {"repeated": table["hash"].to_numpy(), "first": table["first"].to_numpy()}
    return Verdicts(**found)
