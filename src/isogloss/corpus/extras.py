"""The optional packages that building a corpus needs, loaded when first used; reading a finished corpus needs none."""

from __future__ import annotations

import os
from types import ModuleType

from isogloss.errors import MissingExtraError

__all__ = ["load_daft", "load_pyarrow"]


def load_daft() -> ModuleType:
    """The data-frame engine; raises MissingExtraError."""
    # Daft reports each import to its makers over the network unless told not to, and draws its own progress bars.
    os.environ.setdefault("DO_NOT_TRACK", "true")
    os.environ.setdefault("DAFT_PROGRESS_BAR", "0")
    try:
        import daft
    except ImportError:
        raise MissingExtraError("daft", "corpus", "building a corpus") from None
    return daft


def load_pyarrow() -> ModuleType:
    """Arrow, with its ``parquet`` submodule loaded; raises MissingExtraError."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise MissingExtraError("pyarrow", "corpus", "building a corpus") from None
    module: ModuleType = pyarrow
    return module
