"""The words and characters that a tagger knows: those of its training files, and of a file of word vectors.

    lexicon = Lexicon.of(sentences, more=vectors.words)
    lexicon.word_id("Oslo"), lexicon.character_ids("Oslo")

Number 0 is what is not known. A word that is not known as it stands is looked for in small letters, then with zeros
for its digits, as in the published code of Lample et al. Characters of a single training word are not known: so that
there is something to learn for the unknown one, which is all that another script consists of.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

__all__ = ["UNKNOWN", "Lexicon", "forms_of"]

UNKNOWN = 0
# Of a longer word the first and the last characters are read, from which its two directions end.
LONGEST_WORD = 64
_DIGITS = re.compile(r"\d")


@dataclass(frozen=True)
class Lexicon:
    """Words by number, those of the training files first, from 1; `singletons` of them occur there once."""

    words: tuple[str, ...]
    num_learned: int
    singletons: frozenset[str]
    characters: tuple[str, ...]

    @classmethod
    def of(cls, sentences: Iterable[Sequence[str]], *, more: Sequence[str] = ()) -> Lexicon:
        """The words of these sentences, the frequent ones first, and behind them those of `more` that are new."""
        counts = Counter(word for words in sentences for word in words)
        learned = sorted(counts, key=lambda word: (-counts[word], word))
        in_words = Counter(character for word in counts for character in set(word))
        return cls(
            words=(*learned, *dict.fromkeys(word for word in more if word not in counts)),
            num_learned=len(learned),
            singletons=frozenset(word for word in learned if counts[word] == 1),
            characters=tuple(sorted(character for character, number in in_words.items() if number > 1)),
        )

    def word_id(self, word: str) -> int:
        """The number of a word, 0 where it is known in no form."""
        for form in forms_of(word):
            if (number := self._word_numbers.get(form)) is not None:
                return number
        return UNKNOWN

    def character_ids(self, word: str) -> list[int]:
        """The numbers of a word's characters, one unknown one for a word without any."""
        half = LONGEST_WORD // 2
        shown = word if len(word) <= LONGEST_WORD else word[:half] + word[-half:]
        return [self._character_numbers.get(character, UNKNOWN) for character in shown] or [UNKNOWN]

    @cached_property
    def _word_numbers(self) -> dict[str, int]:
        return {word: number for number, word in enumerate(self.words, start=1)}

    @cached_property
    def _character_numbers(self) -> dict[str, int]:
        return {character: number for number, character in enumerate(self.characters, start=1)}


def forms_of(word: str) -> tuple[str, str, str]:
    """What a word is looked for as, one after another."""
    small = word.lower()
    return word, small, _DIGITS.sub("0", small)
