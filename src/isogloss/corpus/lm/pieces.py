"""The pieces of a language model: a SentencePiece model with our normaliser in it, and fast ways through it.

    model = train_pieces(lines, num_pieces=65_536, normalisation=NormalisationSettings())
    pieces = Pieces(model)
    pieces.words                             # '<unk>', '<s>', '</s>', then what can stand in a text
    pieces.encode_ids(pa.array(["a line"]))  # ids into words, every line ended by </s>
    pieces.encode_text(pa.array(["a line"])) # what kenlm reads: pieces between spaces, and how many

No piece reaches across a space, so the pieces of a line are those of its words, and a word that was met before is
looked up (SentencePiece adds up a whole line in single precision; where two divisions of a word are equally likely to
seven digits, it may choose otherwise there). Memory: the model and ``cached_words`` words, some 60 MB for CACHED_WORDS.
"""

from __future__ import annotations

import io
import itertools
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import sentencepiece
from sentencepiece import sentencepiece_model_pb2

from isogloss.corpus.extras import load_pyarrow
from isogloss.corpus.lm.normalise import NormalisationSettings, normaliser_spec
from isogloss.errors import VocabularyError

__all__ = ["BOS", "CACHED_WORDS", "EOS", "UNK", "Pieces", "cut_line", "train_pieces", "with_normaliser"]

UNK = 0
BOS = 1
EOS = 2
SPECIALS = ("<unk>", "<s>", "</s>")
# CCNet's.
CHARACTER_COVERAGE = 0.9995
# SentencePiece adds up its counts thread by thread: a fixed number gives the same model on every machine.
NUM_THREADS = 16
# SentencePiece silently skips longer lines (in bytes) and lines with its own mark for unknown characters.
LONGEST_LINE = 4000
_RESERVED = re.compile("[\0\u2585]")

CACHED_WORDS = 1 << 18
LONGEST_CACHED = 32
MARK = "\u2581"

_messages: Any = sentencepiece_model_pb2


def train_pieces(lines: Iterable[str], *, num_pieces: int, normalisation: NormalisationSettings) -> bytes:
    """A unigram model of at most ``num_pieces`` pieces: fewer where the text does not yield so many.

    Raises VocabularyError where SentencePiece can train none.
    """
    spec = normaliser_spec(normalisation)
    # Written plainly: the trainer marks the spaces itself.
    normaliser = sentencepiece.SentencePieceNormalizer(
        normalizer_spec=spec, escape_whitespaces=False, add_dummy_prefix=False
    )
    normalised = [
        part
        for line in lines
        for part in cut_line(normaliser.normalize(_RESERVED.sub(" ", line)), LONGEST_LINE)
        if part.strip()
    ]
    if not normalised:
        raise VocabularyError("the text for the language model has no line with a character in it; give more text")
    try:
        model = _train(normalised, num_pieces)
    except RuntimeError as error:
        if (match := re.search(r"Please set it to a value <= (\d+)", str(error))) is None:
            if (match := re.search(r"required_chars\. \d+ vs (\d+)", str(error))) is None:
                raise VocabularyError(
                    f"SentencePiece could not train {num_pieces} pieces on {len(normalised):,} lines ({error}); "
                    "give more text, or another num_pieces"
                ) from None
            num_pieces = int(match[1]) + 1
        else:
            num_pieces = int(match[1])
        model = _train(normalised, num_pieces)
    return with_normaliser(model, normalisation)


def with_normaliser(model: bytes, normalisation: NormalisationSettings) -> bytes:
    """The SentencePiece model with the rules of ``normalisation`` in the place of its own."""
    proto = _messages.ModelProto.FromString(model)
    proto.normalizer_spec.ParseFromString(normaliser_spec(normalisation))
    proto.denormalizer_spec.Clear()
    content: bytes = proto.SerializeToString(deterministic=True)
    return content


class Pieces:
    """Lines to pieces; one object a process, as its cache of words is its own."""

    def __init__(self, model: bytes, *, cached_words: int = CACHED_WORDS) -> None:
        """Raises VocabularyError if ``model`` is no SentencePiece model that a language model can stand on."""
        sentencepiece.set_min_log_level(2)
        try:
            self._processor = sentencepiece.SentencePieceProcessor(model_proto=model)
            proto = _messages.ModelProto.FromString(model)
        except Exception as error:  # protobuf and SentencePiece have errors of their own for a damaged file
            raise VocabularyError(f"the SentencePiece model cannot be read ({error}); give another") from None
        kinds = _messages.ModelProto.SentencePiece
        usable = [
            (number, piece.piece)
            for number, piece in enumerate(proto.pieces)
            if piece.type not in (kinds.UNKNOWN, kinds.CONTROL, kinds.UNUSED)
        ]
        for _, piece in usable:
            if len(piece.encode().split()) != 1 or piece in SPECIALS:
                raise VocabularyError(
                    f"the SentencePiece model has the piece {piece!r}, which no language model can hold; take another"
                )
        self.words = (*SPECIALS, *(piece for _, piece in usable))
        self._ids = np.zeros(len(proto.pieces), np.uint32)
        self._ids[[number for number, _ in usable]] = np.arange(len(SPECIALS), len(self.words))
        spec = proto.normalizer_spec
        self._by_words = (
            spec.add_dummy_prefix
            and spec.remove_extra_whitespaces
            and spec.escape_whitespaces
            and not proto.trainer_spec.treat_whitespace_as_suffix
            and not any(MARK in piece[1:] for _, piece in usable)
        )
        self._text = [f"{self.words[number]} ".encode() for number in self._ids.tolist()]
        self._cached_words = cached_words
        self._as_ids: dict[str, bytes] = {}
        self._as_text: dict[str, bytes] = {}

    def encode_ids(self, lines: Any) -> npt.NDArray[np.uint32]:
        """Lines (Arrow strings) as ids into ``words`` in one array, each ended by </s>, unknown pieces left out."""
        pa = load_pyarrow()
        end = np.uint32(EOS).tobytes()
        joined = self._joined(lines, self._as_ids, self._ids_of)
        ended = pa.compute.binary_join_element_wise(
            joined, pa.scalar(end, pa.large_binary()), pa.scalar(b"", pa.large_binary())
        )
        return np.frombuffer(b"".join(ended.to_pylist()), np.uint32)

    def encode_text(self, lines: Any) -> tuple[list[bytes], npt.NDArray[np.int64]]:
        """Each line (Arrow strings) as pieces with spaces between, <unk> for an unknown one; how many each has."""
        compute = load_pyarrow().compute
        joined = self._joined(lines, self._as_text, self._text_of)
        # Every piece ends with a space.
        return joined.to_pylist(), compute.count_substring(joined, b" ").to_numpy().astype(np.int64)

    def _joined(self, lines: Any, cache: dict[str, bytes], encode: Callable[[list[list[int]]], Iterable[bytes]]) -> Any:
        """What the words of each line are, one after another."""
        pa = load_pyarrow()
        words, line_ends, which = self._words_of(lines)
        values = pa.array(self._look_up(words, cache, encode), pa.large_binary()).take(which)
        of_lines = pa.LargeListArray.from_arrays(np.concatenate([[0], line_ends]), values)
        return pa.compute.binary_join(of_lines, pa.scalar(b"", pa.large_binary()))

    def _words_of(self, lines: Any) -> tuple[list[str], npt.NDArray[np.int64], Any]:
        """The distinct words, where each line ends in the sequence of all words, and which stands at each place."""
        pa = load_pyarrow()
        lines = lines.cast(pa.large_string())
        if not self._by_words:
            return lines.to_pylist(), np.arange(1, len(lines) + 1), pa.array(np.arange(len(lines)))
        split = pa.compute.ascii_split_whitespace(lines)
        ends = np.cumsum(pa.compute.list_value_length(split).to_numpy(zero_copy_only=False)).astype(np.int64)
        words = split.flatten().dictionary_encode()
        return words.dictionary.to_pylist(), ends, words.indices

    def _look_up(
        self, words: list[str], cache: dict[str, bytes], encode: Callable[[list[list[int]]], Iterable[bytes]]
    ) -> list[bytes]:
        values: list[Any] = [*map(cache.get, words)]
        places = [place for place, value in enumerate(values) if value is None]
        new = [words[place] for place in places]
        for place, value in zip(places, encode(self._processor.encode(new, num_threads=1)), strict=True):
            values[place] = value
        if len(cache) + len(new) > self._cached_words:
            cache.clear()
            new = new[: self._cached_words]
        cache.update(
            (word, value)
            for word, value in zip(new, map(values.__getitem__, places), strict=False)
            if len(word) <= LONGEST_CACHED
        )
        return values

    def _ids_of(self, encoded: list[list[int]]) -> Iterable[bytes]:
        ids = self._ids[np.fromiter(itertools.chain.from_iterable(encoded), np.int64)]
        known = ids != UNK
        # How many bytes there are before each piece, and so before each word.
        before = np.concatenate([[0], np.cumsum(known)]) * ids.itemsize
        ends = before[np.cumsum([0, *map(len, encoded)])].tolist()
        flat = ids[known].tobytes()
        return (flat[start:end] for start, end in itertools.pairwise(ends))

    def _text_of(self, encoded: list[list[int]]) -> Iterable[bytes]:
        return (b"".join(map(self._text.__getitem__, ids)) for ids in encoded)


def _train(lines: list[str], num_pieces: int) -> bytes:
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines),
        model_writer=model,
        model_type="unigram",
        vocab_size=num_pieces,
        character_coverage=CHARACTER_COVERAGE,
        normalization_rule_name="identity",
        num_threads=NUM_THREADS,
        minloglevel=2,
    )
    return model.getvalue()


def cut_line(line: str, most_bytes: int) -> Iterator[str]:
    """Parts of a line that is too long, cut at spaces where there are any."""
    size = most_bytes // 4
    while len(line.encode()) > most_bytes:
        space = line.rfind(" ", size // 2, size)
        end = space if space > 0 else size
        yield line[:end]
        line = line[end:]
    yield line
