"""Weighted words to a SentencePiece model, in a stated memory.

    asked = Asked(size=250_002, model_type="unigram", max_piece_length=16, memory=4 << 30)
    model = learn_pieces(kept, asked, folder)

SentencePiece is given words as they come out of its normaliser, a count beside each, and for a unigram model the
strings it is found among (``seeds.py``). The model is then given the normaliser that the words went through.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import sentencepiece
from sentencepiece import sentencepiece_model_pb2

from isogloss.children import ended_by_signals
from isogloss.errors import VocabularyError
from isogloss.vocab.choosing import KeptWords
from isogloss.vocab.seeds import BYTES_A_CHARACTER, WordTable, find_seeds
from isogloss.vocab.words import NORMALISATION

__all__ = ["NUM_ADDED", "Asked", "learn_pieces"]

# Its classes are made when it is imported, so no type checker sees them.
_messages: Any = sentencepiece_model_pb2
# Ids that are not SentencePiece's own: <pad> and <mask>.
NUM_ADDED = 2
# Its own, which come before all others.
NUM_SPECIAL = 3
# SentencePiece adds up its counts thread by thread, so another number of threads gives other last digits: a fixed
# number keeps the model the same on every machine.
NUM_THREADS = 16
# What SentencePiece takes for a character of the words, measured with 800,000 of nine characters: 33 bytes, 63 for BPE
# (250,000 words); and for a string that may become a piece 127, more than looking for it does. With some room.
BYTES_OF_WORDS = {"unigram": 48, "bpe": 80}
BYTES_A_SEED = 224
# SentencePiece's own number of strings, which is enough for XLM-R's size, and how many a larger vocabulary asks for.
NUM_SEEDS = 1_000_000
SEEDS_A_PIECE = 4
MEBIBYTE = 1 << 20


@dataclass(frozen=True)
class Asked:
    """What is asked of a model; ``size`` counts <pad> and <mask>, ``memory`` is in bytes.

    Where ``exact`` is false the text may yield fewer ids, and an alphabet may take more.
    """

    size: int
    model_type: Literal["unigram", "bpe"]
    max_piece_length: int
    memory: int
    exact: bool = True

    def for_alphabet(self, alphabet: Mapping[str, int]) -> Asked:
        """The same; where the size is not to be exact, with one that holds the alphabet."""
        return self if self.exact else replace(self, size=max(self.size, self.least(alphabet)))

    @property
    def num_seeds(self) -> int:
        """Among how many strings a unigram model is found, at most."""
        return max(NUM_SEEDS, SEEDS_A_PIECE * self.size) if self.model_type == "unigram" else 0

    def room(self, alphabet: Mapping[str, int]) -> int:
        """How many characters of different words there is memory for.

        Raises VocabularyError where a vocabulary cannot hold the alphabet or the memory cannot hold the words of one.
        """
        least = self.least(alphabet)
        if self.size < least:
            raise VocabularyError(
                f"size = {self.size} is too small for the {len(alphabet):,} characters of the text; set size={least} "
                "or higher, or lower character_coverage"
            )
        of_words = BYTES_OF_WORDS[self.model_type]
        # There are no more such strings than characters, so a small text has few.
        of_seeds = BYTES_A_SEED if self.num_seeds else 0
        room = max(self.memory // (of_words + of_seeds), (self.memory - of_seeds * self.num_seeds) // of_words)
        # A piece that is learned stands in a word, and every character in some.
        if room < self.size:
            needed = -(-self.size * (of_words + of_seeds) // MEBIBYTE)
            raise VocabularyError(
                f"memory_mb = {self.memory // MEBIBYTE} has no room for {self.size:,} pieces and the words of an "
                f"alphabet of {len(alphabet):,} characters; set memory_mb={needed} or higher"
            )
        return room

    @staticmethod
    def least(alphabet: Mapping[str, int]) -> int:
        return len(alphabet) + NUM_SPECIAL + NUM_ADDED + 1


def learn_pieces(kept: KeptWords, asked: Asked, folder: Path) -> bytes:
    """The serialised model; what is in between lies in ``folder``.

    Raises RuntimeError with SentencePiece's reason where it cannot reach a size that is to be exact.
    """
    more: dict[str, Any] = {}
    if asked.model_type == "unigram":
        more["seed_sentencepieces_file"] = str(_write_seeds(kept, asked, folder / "seeds.tsv"))
    if not asked.exact:
        # Saying that it is exact, too, would stand in the model.
        more["hard_vocab_limit"] = False
    written = io.BytesIO()
    # It lets no Python run while it learns, which takes minutes: asked to stop, the process ends as it is.
    with ended_by_signals():
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=kept.lines(),
            model_writer=written,
            input_format="tsv",
            model_type=asked.model_type,
            vocab_size=asked.size - NUM_ADDED,
            # What is not covered is no longer there.
            character_coverage=1.0,
            max_sentencepiece_length=asked.max_piece_length,
            num_threads=NUM_THREADS,
            normalization_rule_name="identity",
            add_dummy_prefix=False,
            remove_extra_whitespaces=False,
            minloglevel=2,
            **more,
        )
    return _with_normaliser(written.getvalue())


def _write_seeds(kept: KeptWords, asked: Asked, path: Path) -> Path:
    words = WordTable(
        kept.lines(),
        num_characters=kept.num_characters,
        num_words=kept.num_words,
        longest=asked.max_piece_length,
    )
    num_seeds = min(asked.num_seeds, kept.num_characters)
    left = asked.memory - BYTES_A_SEED * num_seeds - BYTES_A_CHARACTER * kept.num_characters
    with path.open("wb") as stream:
        for piece, weight in find_seeds(words, most=num_seeds, memory=left):
            stream.write(b"%b\t%d\n" % (piece.encode(), weight))
    return path


def _with_normaliser(content: bytes) -> bytes:
    model = _messages.ModelProto.FromString(content)
    normaliser = sentencepiece.SentencePieceNormalizer(rule_name=NORMALISATION)
    told = _messages.ModelProto.FromString(normaliser.serialized_model_proto())
    model.normalizer_spec.CopyFrom(told.normalizer_spec)
    # Where the strings lay says nothing of the model, and differs from run to run.
    model.trainer_spec.ClearField("seed_sentencepieces_file")
    return bytes(model.SerializeToString(deterministic=True))
