"""flair, loaded when it is asked for, and kept quiet. It is an extra of its own: `hub` needs a newer transformers."""

from __future__ import annotations

import contextlib
import logging
import sys
import warnings
from collections.abc import Iterator
from typing import Any

import torch

from isogloss.errors import MissingExtraError

__all__ = ["flair_on", "require_flair"]


def require_flair() -> Any:
    """The library. Raises MissingExtraError where it is not installed."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import flair
    except ImportError:
        purpose = "contextual-strings (flair 0.15 goes with transformers < 5: use an environment without isogloss[hub])"
        raise MissingExtraError("flair", "flair", purpose) from None
    # It would tell how it trains on stdout, where data goes.
    for handler in logging.getLogger("flair").handlers:
        if isinstance(handler, logging.StreamHandler) and handler.stream is sys.stdout:
            handler.setStream(sys.stderr)
    return flair


@contextlib.contextmanager
def flair_on(device: torch.device) -> Iterator[Any]:
    """The library, which has one device for all, on this one; it says what is wrong and nothing else."""
    flair = require_flair()
    logger = logging.getLogger("flair")
    before, level = flair.device, logger.level
    flair.device = device
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield flair
    finally:
        flair.device = before
        logger.setLevel(level)
