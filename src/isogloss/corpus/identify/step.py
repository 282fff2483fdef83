"""Identification as a corpus step: a Daft frame with a column of texts → the same rows with what was found.

    frame = identify_step(daft.read_parquet("documents.parquet"), IdentifySettings())
    frame.where(col("reason") == "").select("language", "text")

The same function runs under Daft's native runner and under Ray: each process loads the models once, when its first
batch comes, and batches are Arrow arrays.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from isogloss.corpus.extras import load_daft, load_pyarrow
from isogloss.corpus.identify.documents import identify_documents
from isogloss.corpus.identify.identified import NAMES, IdentifiedDocuments
from isogloss.corpus.identify.identifier import Identifier
from isogloss.corpus.identify.settings import IdentifySettings

if TYPE_CHECKING:
    from daft import DataFrame

__all__ = ["COLUMNS", "identify_batch", "identify_step"]

# What the step adds, with Arrow's names of the types. ``text`` loses its foreign lines where the settings say so;
# ``languages`` and ``foreign`` have an entry a line of the text as it came in, ``num_foreign`` counts what is marked.
COLUMNS = {
    "language": "string",
    "confidence": "float32",
    "agreed": "bool",
    "reason": "string",
    "opinions": "list<string>",
    "languages": "list<string>",
    "foreign": "list<bool>",
    "num_foreign": "int32",
}
BATCH_ROWS = 256


def identify_step(frame: DataFrame, settings: IdentifySettings, *, column: str = "text") -> DataFrame:
    """Add COLUMNS to a frame of documents; rows stay in their order. A null text is an empty one."""
    daft = load_daft()
    types = daft.DataType
    returned = types.struct(
        {
            "text": types.string(),
            "language": types.string(),
            "confidence": types.float32(),
            "agreed": types.bool(),
            "reason": types.string(),
            "opinions": types.list(types.string()),
            "languages": types.list(types.string()),
            "foreign": types.list(types.bool()),
            "num_foreign": types.int32(),
        }
    )

    def identified(texts: Any) -> Any:
        return identify_batch(texts.to_arrow(), settings)

    step = daft.func.batch(return_dtype=returned, batch_size=BATCH_ROWS)(identified)
    found = frame.with_column("identified", step(daft.col(column)))
    added = {name: daft.col("identified").get(name) for name in COLUMNS}
    return found.with_columns({column: daft.col("identified").get("text"), **added}).exclude("identified")


def identify_batch(texts: Any, settings: IdentifySettings) -> Any:
    """An Arrow array of texts → an Arrow struct array of ``text`` and COLUMNS."""
    arrow = load_pyarrow()
    values = [text or "" for text in texts.to_pylist()]
    found = identify_documents(_identifier(settings), values)
    documents, lines = found.documents, found.lines
    starts = arrow.array(found.starts, arrow.int32())
    names = arrow.array(documents.names)
    opinions = names.take(
        arrow.array(
            [place for pair in zip(documents.first, documents.second, strict=True) for place in pair], arrow.int32()
        )
    )
    counts = [int(found.foreign[first:last].sum()) for first, last in zip(found.starts, found.starts[1:], strict=False)]
    kept = (
        [_without_foreign(text, found, row) for row, text in enumerate(values)]
        if settings.drop_foreign_lines
        else values
    )
    columns = {
        "text": arrow.array(kept, arrow.string()),
        "language": names.take(arrow.array(documents.codes)),
        "confidence": arrow.array(documents.confidence, arrow.float32()),
        "agreed": arrow.array(documents.agreed),
        "reason": arrow.array(NAMES).take(arrow.array(documents.reasons)),
        "opinions": arrow.ListArray.from_arrays(arrow.array(range(0, 2 * len(values) + 1, 2), arrow.int32()), opinions),
        "languages": arrow.ListArray.from_arrays(starts, names.take(arrow.array(lines.codes))),
        "foreign": arrow.ListArray.from_arrays(starts, arrow.array(found.foreign)),
        "num_foreign": arrow.array(counts, arrow.int32()),
    }
    return arrow.StructArray.from_arrays(list(columns.values()), list(columns))


def _without_foreign(text: str, found: IdentifiedDocuments, row: int) -> str:
    foreign = found.foreign[found.starts[row] : found.starts[row + 1]]
    if not foreign.any():
        return text
    return "\n".join(line for line, other in zip(text.split("\n"), foreign, strict=True) if not other)


@functools.lru_cache(maxsize=4)
def _identifier(settings: IdentifySettings) -> Identifier:
    return Identifier(settings)
