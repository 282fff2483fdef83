"""The parts of deduplication and the rules that look at one document, as functions from Daft frame to Daft frame.

    frame = with_line_hashes(frame, NormaliseSettings())         # + line_hashes, a list of uint64
    frame = with_signatures(frame, MinHashSettings(), "sw")      # + signature, uint32s
    frame = with_judgement(frame, RuleSettings(), "sw")          # + judgement, see rules.py

They run on the native runner and on Ray's alike. What compares documents with each other is not here: Daft's group-by
holds all keys of a group in memory, whose bound could not be stated; :mod:`repeats` and :mod:`clusters` take what
these columns hold as sorted runs instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from isogloss.corpus.dedup.minhash import MinHashSettings, sign
from isogloss.corpus.dedup.normalise import NormaliseSettings
from isogloss.corpus.dedup.paragraphs import hash_lines
from isogloss.corpus.extras import load_daft, load_pyarrow
from isogloss.corpus.rules import RuleSettings, judge_documents

if TYPE_CHECKING:
    from daft import DataFrame

__all__ = ["with_judgement", "with_line_hashes", "with_signatures"]

# Rows of a batch: enough to pay for a call, few enough for long documents.
BATCH_ROWS = 256


def with_line_hashes(documents: DataFrame, settings: NormaliseSettings, *, text: str = "text") -> DataFrame:
    """Adds ``line_hashes``: the hash of each line of the text."""
    daft = load_daft()

    @daft.func.batch(return_dtype=daft.DataType.list(daft.DataType.uint64()), batch_size=BATCH_ROWS)  # type: ignore[untyped-decorator, unused-ignore]
    def line_hashes(texts: Any) -> Any:
        return hash_lines(texts.to_arrow(), settings)

    return documents.with_column("line_hashes", line_hashes(daft.col(text)))


def with_signatures(documents: DataFrame, settings: MinHashSettings, language: str, *, text: str = "text") -> DataFrame:
    """Adds ``signature``: the text's MinHash numbers, all of one language."""
    daft = load_daft()
    numbers = daft.DataType.fixed_size_list(daft.DataType.uint32(), settings.num_hashes)

    @daft.func.batch(return_dtype=numbers, batch_size=BATCH_ROWS)  # type: ignore[untyped-decorator, unused-ignore]
    def signature(texts: Any) -> Any:
        pa = load_pyarrow()
        signatures = np.ascontiguousarray(sign(texts.to_arrow(), language=language, settings=settings))
        return pa.FixedSizeListArray.from_arrays(pa.array(signatures.ravel()), settings.num_hashes)

    return documents.with_column("signature", signature(daft.col(text)))


def with_judgement(documents: DataFrame, settings: RuleSettings, language: str, *, text: str = "text") -> DataFrame:
    """Adds ``judgement``: 0, or 1 + the place of the reason why the document goes."""
    daft = load_daft()

    @daft.func.batch(return_dtype=daft.DataType.uint8(), batch_size=BATCH_ROWS)  # type: ignore[untyped-decorator, unused-ignore]
    def judgement(texts: Any) -> Any:
        return load_pyarrow().array(judge_documents(texts.to_arrow(), settings, language=language))

    return documents.with_column("judgement", judgement(daft.col(text)))
