"""The ids that fairseq published for five sentences: they show that a copy of XLM-R's own vocabulary reads right.

    if is_published(vocabulary):
        for script, text, ids in PUBLISHED: ...     # ids with <s> and </s>

Two faults would keep all other comparisons equal: an offset that is wrong on both sides, and another file of this size.
"""

from __future__ import annotations

from isogloss.vocab.layout import SPACE, Vocabulary

__all__ = ["PUBLISHED", "is_published"]

# (script, text, ids), from the README of XLM-R in fairseq.
PUBLISHED = (
    ("Latn", "Hello world!", (0, 35378, 8999, 38, 2)),
    ("Hans", "你好，世界", (0, 6, 124084, 4, 3221, 2)),
    ("Deva", "नमस्ते दुनिया", (0, 68700, 97883, 29405, 2)),
    ("Arab", "مرحبا بالعالم", (0, 665, 193478, 258, 1705, 77796, 2)),
    ("Latn", "Bonjour le monde", (0, 84602, 95, 11146, 2)),
)
SIZE = 250_002
# The most frequent pieces stand first; another vocabulary of this size has others there.
MARKERS = {4: ",", 6: SPACE, 38: "!", 95: SPACE + "le"}


def is_published(vocabulary: Vocabulary) -> bool:
    """Whether this is the vocabulary that was published with XLM-R: by its size and four of its pieces."""
    return vocabulary.size == SIZE and all(vocabulary.pieces[index] == piece for index, piece in MARKERS.items())
