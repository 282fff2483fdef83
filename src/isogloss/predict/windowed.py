"""Much text in small parts: a stream of items a chunk at a time, and one answer from the windows of a long text.

for vector in in_chunks(predictor.embed, lines): ...

means = RunningMeans((num_texts, width))
means.add(window.example, row)
means.rows                                        # (num_texts, width) fp32
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from isogloss.tasks import FloatArray

__all__ = ["RunningMeans", "in_chunks"]

# Characters that are answered together: a chunk ends behind the item that makes them more.
MOST_CHARACTERS = 1 << 22


def in_chunks(ask: Callable[..., Iterable[Any]], items: Iterable[Any], *, at_once: int) -> Iterator[Any]:
    """What `ask(chunk, first=number)` gives for each item, whose numbers go on from chunk to chunk."""
    chunk: list[Any] = []
    first, num_characters = 1, 0
    for item in items:
        chunk.append(item)
        num_characters += len(item) if isinstance(item, str) else _num_characters(item)
        if len(chunk) >= at_once or num_characters >= MOST_CHARACTERS:
            yield from ask(chunk, first=first)
            first += len(chunk)
            chunk, num_characters = [], 0
    if chunk:
        yield from ask(chunk, first=first)


def _num_characters(item: Any) -> int:
    """Of a pair or a list of words; items of other kinds are refused later."""
    return sum(len(part) for part in item if isinstance(part, str)) if isinstance(item, list | tuple) else 0


class RunningMeans:
    """A mean a text, of its windows, which are all of one length; that of one alone is its row itself, to the bit."""

    def __init__(self, shape: tuple[int, int]) -> None:
        self.rows: FloatArray = np.zeros(shape, np.float32)
        self._num_windows = np.zeros(shape[0], np.int64)

    def add(self, text: int, row: FloatArray) -> None:
        """Take in one window of this text."""
        self._num_windows[text] += 1
        self.rows[text] += (row - self.rows[text]) / np.float32(self._num_windows[text])
