"""transformers without its progress bars and remarks, for as long as a folder is read."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from isogloss.errors import MissingExtraError

__all__ = ["quiet", "require_transformers"]


def require_transformers(where: str) -> None:
    """Raises MissingExtraError where transformers is not installed."""
    try:
        import transformers  # noqa: F401
    except ImportError:
        raise MissingExtraError("transformers", "hub", f"{where}, an encoder that is no XLM-RoBERTa,") from None


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Errors reach us as exceptions; what else it would print is said by us, in one line, or nobody's business."""
    import transformers

    logging: Any = transformers.utils.logging
    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity(logging.CRITICAL)
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()
