"""What tasks ask of any tokenizer: ids, offsets into the original text, and the special ids around texts.

    pieces, starts, ends = tokenizer.encode_with_offsets(text)
    ids = tokenizer.frame.around(pieces)                     # <s> A </s>
    ids = tokenizer.frame.around(question, pieces)           # <s> A </s></s> B </s>
    row = tokenizer.frame.first_row(question)                # where the pieces of B begin in it

``Vocabulary`` is ours; ``interop.foreign`` has one for the tokenizers of other models.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

__all__ = ["Frame", "Ids", "Tokenizer"]

Ids = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Frame:
    """The special ids before the first text, between two, and after the last."""

    before: tuple[int, ...]
    between: tuple[int, ...]
    after: tuple[int, ...]

    def around(self, *texts: Ids) -> Ids:
        """One sequence of the pieces of one text or two."""
        between = [part for text in texts[1:] for part in (self.between, text)]
        return np.concatenate([self.before, texts[0], *between, self.after]).astype(np.int32)

    def num_added(self, num_texts: int) -> int:
        """How many special ids there are around so many texts."""
        return len(self.before) + (num_texts - 1) * len(self.between) + len(self.after)

    def first_row(self, *earlier: Ids) -> int:
        """The place of the first piece of the text that follows `earlier` ones."""
        return len(self.before) + sum(len(text) + len(self.between) for text in earlier)


class Tokenizer(Protocol):
    """Text to ids. `fingerprint` tells tokenizers apart, `size` is the number of ids."""

    frame: Frame
    fingerprint: str
    size: int

    def for_language(self, language: str | None) -> Tokenizer:
        """The tokenizer as it divides texts of this language; most know no difference."""
        ...

    def encode(self, texts: Sequence[str]) -> list[Ids]:
        """The ids of each text, without special ones: what stands in a text is text."""
        ...

    def encode_with_offsets(self, text: str) -> tuple[Ids, Ids, Ids]:
        """Ids, and where the characters that each stands for begin and end in `text`."""
        ...
