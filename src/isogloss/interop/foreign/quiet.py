"""transformers without its progress bars and remarks, for as long as a folder is read, and its errors in one line."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from typing import Any

from isogloss.errors import MissingExtraError

__all__ = ["quiet", "reason_of", "require_transformers"]

# Of what it says a line shows this much: some of its errors fill a screen.
LONGEST_REASON = 200


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
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()


def reason_of(error: Exception) -> str:
    """What an error of transformers says, in one line."""
    said = " ".join(str(error).split()) or type(error).__name__
    if "weights_only" in said:  # torch's own message tells how to run the code all the same: not shown
        return "its weights are not weights alone, which may be hidden code; nothing of it was run"
    return said if len(said) <= LONGEST_REASON else said[: LONGEST_REASON - 2] + " …"
