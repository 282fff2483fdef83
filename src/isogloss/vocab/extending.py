"""More pieces for a unigram vocabulary: those that other languages need, with scores that fit the old ones.

    with bars() as progress, working(output) as folder:
        done = extend_vocabulary(old, corpus, plan, settings, share=0.1, folder=folder, progress=progress)
    Vocabulary.from_bytes(done.content)        # old ids as they were, then done.added, then <mask>

Candidates are the pieces of a vocabulary trained on the new text alone that the old one does not have. Old and new
together are then a mixture of two unigram models: ``share`` of it is estimated on the new text, by a few rounds of
counting which pieces the best segmentation takes (expectation and maximisation, the most probable segmentation standing
for all), and the candidates that are taken least are left out; the rest of it are the old scores. These stay as they
are to the bit, so a word of the old text is cut in another way only where a new piece is better.
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from rich.progress import Progress

from isogloss.corpus import Corpus
from isogloss.errors import DataError, VocabularyError
from isogloss.manifest import room_for
from isogloss.vocab.choosing import KeptWords, choose_alphabet, keep_words
from isogloss.vocab.counting import WordCounts
from isogloss.vocab.layout import SPACE, Vocabulary
from isogloss.vocab.learning import NUM_ADDED, NUM_SPECIAL, Asked, learn_pieces
from isogloss.vocab.pieces import is_unigram, learned_pieces, with_pieces
from isogloss.vocab.rescoring import cut_words, without_normaliser
from isogloss.vocab.sample import LanguageSample
from isogloss.vocab.settings import VocabSettings
from isogloss.vocab.stages import count_words, stage

__all__ = ["Extension", "extend_vocabulary", "joint_scores", "reading_pieces", "require_unigram"]

WORDS_NAME = "words.tsv"
MEBIBYTE = 1 << 20
# Of counting; candidates are left out after the first.
NUM_ROUNDS = 4
# What a piece counts that no segmentation takes.
UNUSED = 0.5


@dataclass(frozen=True)
class Extension:
    """A serialised model, the pieces that are new in it by id, and the words they were found in."""

    content: bytes
    added: tuple[str, ...]
    kept: KeptWords
    num_new_characters: int


def require_unigram(vocabulary: Vocabulary, where: Path | str) -> None:
    """Raises VocabularyError for a vocabulary whose scores are not probabilities."""
    if not is_unigram(vocabulary.content):
        raise VocabularyError(
            f"{where}: its vocabulary is BPE, whose merges say nothing of probability; only unigram vocabularies are "
            "extended"
        )


def extend_vocabulary(
    old: Vocabulary,
    corpus: Corpus,
    plan: Mapping[str, LanguageSample],
    settings: VocabSettings,
    *,
    share: float,
    folder: Path,
    progress: Progress,
) -> Extension:
    """The vocabulary with ``settings.size`` ids; what is in between lies in ``folder``.

    Raises DataError for a sample without text, VocabularyError where the text yields fewer new pieces than asked for or
    has more new characters, saying how many.
    """
    num_added = settings.size - old.size
    pieces = learned_pieces(old.content)
    memory = settings.memory_mb * MEBIBYTE
    with WordCounts(folder / "counts", memory=memory) as counts, room_for(folder):
        count_words(counts, corpus, plan, settings, folder, progress)
        alphabet = choose_alphabet(counts.characters(), coverage=settings.character_coverage)
        if not alphabet:
            raise DataError(f"{settings.corpus}: the sample holds no text; raise sample_bytes")
        characters = {character for character in alphabet if _is_new(character, old, pieces)}
        if len(characters) > num_added:
            raise VocabularyError(
                f"add = {num_added:,} is less than the {len(characters):,} characters of the text that the vocabulary "
                f"lacks; set add={len(characters)} or higher, or lower character_coverage"
            )
        # Old pieces are among those that are learned, at least the characters.
        size = num_added + len(alphabet) + NUM_SPECIAL + NUM_ADDED + 1
        asked = Asked(size, "unigram", settings.max_piece_length, memory)
        with stage(progress, "choosing words"):
            kept = keep_words(counts, folder / WORDS_NAME, alphabet, room=asked.room(alphabet))
        with stage(progress, f"finding {num_added:,} new pieces in {kept.num_words:,} words"):
            found = _candidates(kept, asked, old, pieces, num_added, folder)
        with stage(progress, "scoring old and new pieces together"):
            scores = joint_scores(old, found, kept, num=num_added, always=characters, share=share)
    content = with_pieces(old.content, {**pieces, **scores})
    return Extension(content, tuple(scores), kept, len(characters))


def _is_new(piece: str, old: Vocabulary, pieces: Mapping[str, float]) -> bool:
    """Whether the old vocabulary lacks it, and lets text through in which it stands."""
    # A vocabulary of another normaliser, for lower case say, never meets some of what stands in the text.
    return piece not in pieces and old.normalize(piece) == piece.replace(SPACE, " ").strip(" ")


def _candidates(
    kept: KeptWords, asked: Asked, old: Vocabulary, pieces: Mapping[str, float], num: int, folder: Path
) -> dict[str, float]:
    """New pieces, at least ``num``, heaviest first, with their scores in a vocabulary of the new text alone."""
    is_last = False
    while True:
        try:
            learned = learned_pieces(learn_pieces(kept, asked, folder))
        except RuntimeError as error:
            if is_last or not (match := re.search(r"<= (\d+)", str(error))):
                reason = str(error).removeprefix("INTERNAL: ").strip()
                raise VocabularyError(f"SentencePiece found no pieces in {kept.num_words:,} words: {reason}") from None
            asked, is_last = dataclasses.replace(asked, size=int(match[1]) + NUM_ADDED), True
            continue
        found = {piece: score for piece, score in learned.items() if _is_new(piece, old, pieces)}
        if len(found) >= num:
            return found
        if is_last:
            way_out = "give more text" if kept.floor == 1 else "raise memory_mb or give more text"
            at_most = f"set add={len(found)} or lower, or {way_out}" if found else f"nothing to add; {way_out}"
            raise VocabularyError(
                f"add = {num:,} is more than the {len(found):,} new pieces that {kept.num_words:,} words yield; "
                f"{at_most}"
            )
        asked = dataclasses.replace(asked, size=asked.size + max(3 * (num - len(found)) // 2, 1))


def joint_scores(
    old: Vocabulary, found: Mapping[str, float], kept: KeptWords, *, num: int, always: set[str], share: float
) -> dict[str, float]:
    """The ``num`` candidates that the words take most, and those of ``always``, with scores beside the old ones.

    ``found`` are the candidates with scores to begin with; the order is kept. A new piece that has the probability p on
    the new text scores log(share / (1 - share) * p), but no less than the lowest old one, from which SentencePiece
    takes what an unknown character costs.
    """
    pieces = learned_pieces(old.content)
    lowest = min(pieces.values())
    odds = math.log(share / (1 - share))
    scores = {piece: max(odds + score, lowest) for piece, score in found.items()}
    for number in range(NUM_ROUNDS):
        uses = _uses(with_pieces(old.content, {**pieces, **scores}), kept)
        total = uses.sum()
        taken = dict(zip(scores, uses[len(pieces) :].tolist(), strict=True))
        if number == 0 and len(taken) > num:
            ranked = sorted(taken, key=lambda piece: (piece not in always, -taken[piece]))
            chosen = set(ranked[:num])
            taken = {piece: count for piece, count in taken.items() if piece in chosen}
        scores = {piece: max(odds + math.log(max(count, UNUSED) / total), lowest) for piece, count in taken.items()}
    return scores


def reading_pieces(content: bytes) -> Vocabulary:
    """A vocabulary that cuts pieces of another one, within words as at their beginning.

    reading_pieces(vocabulary.content).encode(["▁kitabu", "tabu"])
    """
    return Vocabulary.from_bytes(without_normaliser(content))


def _uses(content: bytes, kept: KeptWords) -> npt.NDArray[np.float64]:
    """How often each learned piece stands in the segmentations of the words, which count as often as they do."""
    uses = np.zeros(len(learned_pieces(content)) + NUM_SPECIAL)
    for cut, counts in cut_words(content, kept.lines()):
        uses += np.bincount(cut.pieces, counts[cut.owners], len(uses))
    return uses[NUM_SPECIAL:]
