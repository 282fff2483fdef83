"""What another vocabulary does to the words of a language: pieces, unknown characters, bits, words cut otherwise.

    change = compare_words(old, new, lines, "sw")
    change.before.pieces_per_word, change.after.bits_per_character, change.share_changed

Bits are those of the best segmentation, with scores made to sum to one, so that unigram vocabularies can be compared.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from isogloss.vocab.layout import FIRST_PIECES, Vocabulary
from isogloss.vocab.measuring import LanguagePieces, Subject, count_pieces

__all__ = ["WordsChanged", "compare_words"]

NUM_EXAMPLES = 5


@dataclass(frozen=True)
class WordsChanged:
    """The same words under two vocabularies: ``words`` between spaces, how many are ``changed``, that is cut otherwise,
    and the most frequent of those with their pieces."""

    before: LanguagePieces
    after: LanguagePieces
    words: int
    changed: int
    examples: tuple[tuple[str, str, str], ...]

    @property
    def share_changed(self) -> float:
        """Of the words, each as often as it stands in the text."""
        return self.changed / self.words if self.words else 0.0


def compare_words(before: Vocabulary, after: Vocabulary, lines: Sequence[str], code: str) -> WordsChanged:
    """Compare two unigram vocabularies on text of a language."""
    counts = Counter(word for line in lines for word in line.split())
    words = list(counts)
    cuts = [[[one.pieces[index] for index in ids.tolist()] for ids in one.encode(words)] for one in (before, after)]
    changed = [place for place, (old, new) in enumerate(zip(*cuts, strict=True)) if old != new]
    often = sorted(changed, key=lambda place: -counts[words[place]])[:NUM_EXAMPLES]
    return WordsChanged(
        before=count_pieces(_summing_to_one(before), lines, code).row,
        after=count_pieces(_summing_to_one(after), lines, code).row,
        words=counts.total(),
        changed=sum(counts[words[place]] for place in changed),
        examples=tuple((words[place], " ".join(cuts[0][place]), " ".join(cuts[1][place])) for place in often),
    )


def _summing_to_one(vocabulary: Vocabulary) -> Subject:
    scores = np.array(vocabulary.scores)
    scores[len(FIRST_PIECES) : -1] -= np.logaddexp.reduce(scores[len(FIRST_PIECES) : -1])
    return dataclasses.replace(Subject.of(vocabulary), scores=scores)
