"""Tables as records: Parquet, and Arrow as Hugging Face's ``datasets`` saves it, read in batches of a few rows.

Only the columns that are asked for are read.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from isogloss.corpus.blocks import DamagedFileError, Openable
from isogloss.corpus.documents import ReadSettings
from isogloss.corpus.extras import load_pyarrow

__all__ = ["arrow_records", "parquet_records", "wanted_columns"]

BATCH_ROWS = 256
# What an Arrow file begins with; a stream of batches, which `save_to_disk` writes, does not.
ARROW_MAGIC = b"ARROW1"


def parquet_records(path: Openable, settings: ReadSettings) -> Iterator[dict[str, Any]]:
    """The rows of a Parquet file.

    Raises DamagedFileError after the last good batch and for a file without a column of text, OSError if it cannot be
    read.
    """
    pa = load_pyarrow()
    with _damage(pa, "Parquet"), pa.parquet.ParquetFile(_native(path)) as table:
        columns = wanted_columns(table.schema_arrow.names, settings)
        for batch in table.iter_batches(BATCH_ROWS, columns=columns):
            yield from batch.to_pylist()


def arrow_records(path: Openable, settings: ReadSettings) -> Iterator[dict[str, Any]]:
    """The rows of an Arrow file or stream; raises as :func:`parquet_records` does."""
    pa = load_pyarrow()
    with path.open("rb") as stream:
        is_file = stream.read(len(ARROW_MAGIC)) == ARROW_MAGIC
    with _damage(pa, "Arrow"), _opened(pa, path) as stream:
        reader = pa.ipc.open_file(stream) if is_file else pa.ipc.open_stream(stream)
        columns = wanted_columns(reader.schema.names, settings)
        batches = map(reader.get_batch, range(reader.num_record_batches)) if is_file else reader
        for batch in batches:
            chosen = batch.select(columns)
            for start in range(0, chosen.num_rows, BATCH_ROWS):
                yield from chosen.slice(start, BATCH_ROWS).to_pylist()


def wanted_columns(names: Sequence[str], settings: ReadSettings) -> list[str]:
    """Those of the columns that are read; raises DamagedFileError where the one with the text is missing."""
    if settings.text_key not in names:
        raise DamagedFileError(f"no column '{settings.text_key}' (it has {', '.join(names) or 'none'})")
    wanted = (settings.text_key, settings.language_key, settings.script_key, *settings.keep_keys)
    return [name for name in names if name in wanted]


def _native(path: Openable) -> Any:
    """What Arrow opens itself, or a stream where it cannot."""
    return path if isinstance(path, Path) else path.open("rb")


def _opened(pa: Any, path: Openable) -> Any:
    return pa.OSFile(str(path)) if isinstance(path, Path) else pa.PythonFile(path.open("rb"), mode="r")


@contextlib.contextmanager
def _damage(pa: Any, kind: str) -> Iterator[None]:
    try:
        yield
    except pa.ArrowException as error:
        raise DamagedFileError(f"damaged {kind} ({str(error).splitlines()[0]})") from None
    except OSError as error:
        # Of a file that breaks off Arrow says so, without the number that errors of the system have.
        if error.errno is not None:
            raise
        raise DamagedFileError(f"damaged {kind} ({str(error).splitlines()[0]})") from None
