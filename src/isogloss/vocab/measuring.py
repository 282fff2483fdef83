"""How a tokenizer divides the text of a language, in numbers: pieces, unknown text, whole words, bits.

    subject = Subject.of(Vocabulary.load("vocab"))
    counted = count_pieces(subject, lines, "sw")
    counted.row.pieces_per_word, counted.row.unknown_rate, counted.times[17]       # how often piece 17 came

Text is looked at word by word (what stands between white space, as long as it may be where words are not divided by
spaces), each different word once, with a space before it as inside of a text. No tokenizer of the kinds we know makes a
piece across a space, so the counts are those of the running text.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from isogloss.languages import is_known, language
from isogloss.vocab.layout import Vocabulary
from isogloss.vocab.pieces import is_unigram
from isogloss.vocab.tokenizer import Tokenizer

__all__ = ["Counted", "LanguagePieces", "Subject", "characters_of", "count_pieces"]

# What SentencePiece takes an unknown character for: this much less likely than the least likely piece.
UNKNOWN_PENALTY = 10.0
NUM_SHOWN = 8
# Between spaces stand 4 to 9 characters where words are divided by them, and 30 and more where they are not.
LONGEST_MEAN_WORD = 20


@dataclass(frozen=True)
class Subject:
    """A tokenizer to be measured.

    ``texts`` are its pieces by id, U+2581 before those that begin a word, empty for special ones; ``scores`` the
    natural logarithms of their probabilities, of a unigram model; ``normalize`` what it makes of text first, if that
    can be asked.
    """

    tokenizer: Tokenizer
    texts: Sequence[str]
    unk_id: int | None
    scores: npt.NDArray[np.float64] | None = None
    normalize: Callable[[str], str] | None = None

    @classmethod
    def of(cls, vocabulary: Vocabulary) -> Subject:
        """One of our own."""
        special = set(vocabulary.special_ids)
        return cls(
            vocabulary,
            ["" if index in special else piece for index, piece in enumerate(vocabulary.pieces)],
            vocabulary.unk_id,
            np.array(vocabulary.scores) if is_unigram(vocabulary.content) else None,
            vocabulary.normalize,
        )


@dataclass(frozen=True)
class LanguagePieces:
    """Counts over a sample of one language's text; characters are without white space.

    ``words`` and what is said of them is None where words are not divided by spaces. ``unknown`` pieces stand for
    ``unknown_characters``, of which ``unknown_most`` are the most frequent with their counts. ``folded`` characters
    come out of normalisation as others, None where it cannot be asked. ``bits`` is what the text takes by a unigram
    model's own probabilities, None for other models.
    """

    lines: int
    characters: int
    words: int | None
    whole_words: int | None
    pieces: int
    unknown: int
    unknown_characters: int
    distinct: int
    folded: int | None = None
    bits: float | None = None
    unknown_most: Mapping[str, int] = field(default_factory=dict)

    @property
    def pieces_per_word(self) -> float | None:
        """The language's fertility; None where words are not divided by spaces."""
        return self.pieces / self.words if self.words else None

    @property
    def pieces_per_character(self) -> float:
        """Fertility that also compares languages written without spaces; white space is not counted."""
        return self.pieces / self.characters if self.characters else 0.0

    @property
    def characters_per_piece(self) -> float:
        """The mean length of a piece, white space not counted."""
        return self.characters / self.pieces if self.pieces else 0.0

    @property
    def unknown_rate(self) -> float:
        """Share of the pieces that are ``<unk>``; a run of unknown characters is one piece."""
        return self.unknown / self.pieces if self.pieces else 0.0

    @property
    def unknown_character_rate(self) -> float:
        """Share of the characters that ``<unk>`` stands for."""
        return self.unknown_characters / self.characters if self.characters else 0.0

    @property
    def whole_word_rate(self) -> float | None:
        """Share of the words that are one piece; the others are continued."""
        return self.whole_words / self.words if self.words and self.whole_words is not None else None

    @property
    def bits_per_character(self) -> float | None:
        """What the pieces' probabilities say a character takes, white space not counted."""
        return self.bits / self.characters if self.characters and self.bits is not None else None

    @property
    def folded_rate(self) -> float | None:
        """Share of the characters that normalisation writes otherwise."""
        return self.folded / self.characters if self.characters and self.folded is not None else None

    def values(self) -> dict[str, Any]:
        """Counts and what follows from them, as plain values."""
        return {
            **asdict(self),
            "unknown_most": dict(self.unknown_most),
            "pieces_per_word": self.pieces_per_word,
            "pieces_per_character": self.pieces_per_character,
            "characters_per_piece": self.characters_per_piece,
            "unknown_rate": self.unknown_rate,
            "unknown_character_rate": self.unknown_character_rate,
            "whole_word_rate": self.whole_word_rate,
            "bits_per_character": self.bits_per_character,
            "folded_rate": self.folded_rate,
        }


@dataclass(frozen=True)
class Counted:
    """A language's row, how often each id came (ids,), and how often each character was met, and in ``<unk>``."""

    row: LanguagePieces
    times: npt.NDArray[np.int64]
    met: Mapping[str, int]
    unknown: Mapping[str, int]


def count_pieces(subject: Subject, lines: Sequence[str], code: str) -> Counted:
    """Divide the text and count."""
    words = Counter(itertools.chain.from_iterable(line.split() for line in lines))
    times_of_word = np.fromiter(words.values(), np.int64, len(words))
    tokenizer = subject.tokenizer.for_language(code)
    encoded = tokenizer.encode([f" {word}" for word in words])
    lengths = np.fromiter(map(len, encoded), np.int64, len(encoded))
    ids = np.concatenate([np.empty(0, np.int32), *encoded])
    weights = np.repeat(times_of_word, lengths)
    times = np.bincount(ids, weights, minlength=len(subject.texts)).astype(np.int64)
    unknown = _unknown_characters(subject, tokenizer, words, ids, lengths)
    met = characters_of(words)
    is_spaced = _is_spaced(code, met, words)
    # A piece that is <unk> keeps nothing whole, whatever it stands for.
    is_whole = (lengths == 1) & (_first_ids(ids, lengths) != (-1 if subject.unk_id is None else subject.unk_id))
    row = LanguagePieces(
        lines=len(lines),
        characters=sum(met.values()),
        words=int(times_of_word.sum()) if is_spaced else None,
        whole_words=int(times_of_word[is_whole].sum()) if is_spaced else None,
        pieces=int(weights.sum()),
        unknown=0 if subject.unk_id is None else int(times[subject.unk_id]),
        unknown_characters=sum(unknown.values()),
        distinct=int(np.count_nonzero(times)),
        folded=_folded(subject, words, met),
        bits=_bits(subject, times, sum(unknown.values())),
        unknown_most=dict(sorted(unknown.items(), key=lambda item: (-item[1], item[0]))[:NUM_SHOWN]),
    )
    return Counted(row, times, met, unknown)


def characters_of(words: Mapping[str, int]) -> dict[str, int]:
    """How often each character stands in words that come so often."""
    lengths = np.fromiter(map(len, words), np.int64, len(words))
    points = np.frombuffer("".join(words).encode("utf-32-le", "surrogatepass"), "<u4")
    times = np.repeat(np.fromiter(words.values(), np.int64, len(words)), lengths)
    found, places = np.unique(points, return_inverse=True)
    counts = np.bincount(places, times, minlength=len(found)).astype(np.int64)
    return {chr(point): int(count) for point, count in zip(found, counts, strict=True)}


def _is_spaced(code: str, met: Mapping[str, int], words: Mapping[str, int]) -> bool:
    """Whether words are divided by spaces: by our table of languages, of others by the text itself."""
    if is_known(code):
        return language(code).word_division != "none"
    return sum(met.values()) <= LONGEST_MEAN_WORD * max(sum(words.values()), 1)


def _first_ids(ids: npt.NDArray[np.int32], lengths: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The first id of each word; -1 for a word of none."""
    firsts = np.full(len(lengths), -1, np.int64)
    firsts[lengths > 0] = ids[(np.cumsum(lengths) - lengths)[lengths > 0]]
    return firsts


def _unknown_characters(
    subject: Subject,
    tokenizer: Tokenizer,
    words: Mapping[str, int],
    ids: npt.NDArray[np.int32],
    lengths: npt.NDArray[np.int64],
) -> Counter[str]:
    """How often each character is part of an unknown piece: of one alone, or of a word that is one as a whole."""
    counts: Counter[str] = Counter()
    if subject.unk_id is None:
        return counts
    has_unknown = np.zeros(len(lengths), np.bool_)
    has_unknown[np.repeat(np.arange(len(lengths)), lengths)[ids == subject.unk_id]] = True
    for word, times in itertools.compress(words.items(), has_unknown):
        found, starts, ends = tokenizer.encode_with_offsets(word)
        places = {
            place
            for start, end in zip(starts[found == subject.unk_id], ends[found == subject.unk_id], strict=True)
            for place in range(start, end)
        }
        for place in places:
            counts[word[place]] += times
    return counts


def _folded(subject: Subject, words: Mapping[str, int], met: Mapping[str, int]) -> int | None:
    if subject.normalize is None:
        return None
    # Each different word once, many at a time; a word may become several.
    kept: Counter[str] = Counter()
    for times, group in itertools.groupby(sorted(words, key=words.__getitem__), key=words.__getitem__):
        for character, count in Counter(subject.normalize(" ".join(group))).items():
            kept[character] += count * times
    return sum(max(0, count - kept[character]) for character, count in met.items())


def _bits(subject: Subject, times: npt.NDArray[np.int64], num_unknown: int) -> float | None:
    if subject.scores is None:
        return None
    known = times.copy()
    if subject.unk_id is not None:
        known[subject.unk_id] = 0
    learned = [score for score, text in zip(subject.scores, subject.texts, strict=True) if text]
    nats = known @ subject.scores + num_unknown * (min(learned, default=0.0) - UNKNOWN_PENALTY)
    return float(-nats / math.log(2))
