"""The vocabulary and its ids: text to ids and back, in the layout of XLM-R.

SentencePiece numbers its pieces ``<unk>`` 0, ``<s>`` 1, ``</s>`` 2 and the learned pieces from 3. XLM-R, whose first
home was fairseq, puts ``<s>`` 0, ``<pad>`` 1, ``</s>`` 2, ``<unk>`` 3 first, so a learned piece moves up by one, and
appends ``<mask>`` as the very last id. This file is the only place that knows both numberings.

    vocabulary = Vocabulary.load("vocab")                    # a vocab or model folder, or a .model file
    ids = vocabulary.encode(["Habari ya asubuhi"])[0]        # no special ids
    ids, starts, ends = vocabulary.encode_with_offsets(text)  # text[starts[i]:ends[i]] is what piece i stands for
"""

from __future__ import annotations

import functools
import itertools
import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import sentencepiece
import xxhash

from isogloss.errors import VocabularyError
from isogloss.manifest import MANIFEST_NAME
from isogloss.vocab.tokenizer import Frame, Ids

__all__ = ["FIRST_PIECES", "MASK_PIECE", "MODEL_NAME", "SPACE", "Vocabulary"]

# The name is XLM-R's own and says bpe though the model is unigram; Hugging Face looks for exactly this name.
MODEL_NAME = "sentencepiece.bpe.model"
# Texts of fewer characters in all are encoded one by one: the threads of a batch take as long to start.
FEW_CHARACTERS = 1000
SPACE = "▁"
_SPACE_BYTES = SPACE.encode()
FIRST_PIECES = ("<s>", "<pad>", "</s>", "<unk>")
MASK_PIECE = "<mask>"
# What SentencePiece itself calls its first pieces when trained with its default ids.
SENTENCEPIECE_FIRST = ("<unk>", "<s>", "</s>")


class Vocabulary:
    """A SentencePiece model with XLM-R's ids; made with :meth:`load` or :meth:`from_bytes`."""

    bos_id = 0
    pad_id = 1
    eos_id = 2
    unk_id = 3
    frame = Frame((bos_id,), (eos_id, eos_id), (eos_id,))

    def __init__(self, processor: sentencepiece.SentencePieceProcessor, fingerprint: str) -> None:
        self._processor = processor
        self.fingerprint = fingerprint
        # <pad> and <mask> are ours, the other three specials are SentencePiece's too.
        self.size = processor.get_piece_size() + 2
        self.mask_id = self.size - 1
        self.special_ids = (self.bos_id, self.pad_id, self.eos_id, self.unk_id, self.mask_id)
        self._blanks: dict[str, bool] = {}

    @classmethod
    def load(cls, path: Path | str) -> Vocabulary:
        """Read a vocab folder, a model folder or a SentencePiece ``.model`` file.

        Raises VocabularyError for a missing or damaged file, one that differs from the folder's manifest, and a
        SentencePiece model that was not trained with the default ids.
        """
        path = Path(path)
        file = path / MODEL_NAME if path.is_dir() else path
        try:
            content = file.read_bytes()
        except OSError as error:
            raise VocabularyError(
                f"vocabulary {file} cannot be read ({error.strerror}); 'isogloss vocab train' makes one"
            ) from None
        if path.is_dir() and _recorded_hash(path) not in (None, xxhash.xxh3_128(content).hexdigest()):
            raise VocabularyError(
                f"vocabulary {file} differs from what {MANIFEST_NAME} recorded; make or copy it again"
            )
        return cls.from_bytes(content, name=str(file))

    @classmethod
    def from_bytes(cls, content: bytes, *, name: str = "model") -> Vocabulary:
        """A vocabulary from the bytes of a SentencePiece model; ``name`` is what error messages call it."""
        # Its C++ half would print the reason of a failed load on stderr beside the exception.
        sentencepiece.set_min_log_level(2)
        processor = sentencepiece.SentencePieceProcessor()
        try:
            processor.load_from_serialized_proto(content)
        except RuntimeError:
            raise VocabularyError(
                f"vocabulary {name} is not a SentencePiece model or is damaged ({len(content)} bytes); "
                "make or copy it again"
            ) from None
        found = tuple(processor.id_to_piece(index) for index in range(min(3, processor.get_piece_size())))
        if found != SENTENCEPIECE_FIRST or processor.pad_id() != -1:
            raise VocabularyError(
                f"vocabulary {name} opens with the pieces {' '.join(found) or '(none)'}, not with SentencePiece's "
                f"default {' '.join(SENTENCEPIECE_FIRST)} without <pad>; train it with the default ids"
            )
        return cls(processor, xxhash.xxh3_128(content).hexdigest())

    @property
    def content(self) -> bytes:
        """The bytes of the SentencePiece model, as written to ``sentencepiece.bpe.model``."""
        return bytes(self._processor.serialized_model_proto())

    def encode(self, texts: Sequence[str], *, num_threads: int = -1) -> list[Ids]:
        """The ids of each text, without ``<s>`` and ``</s>``; text never yields a special id but ``<unk>``.

        Whatever stands in the text, ``<mask>`` and ``</s>`` included, is ordinary characters. All cores work unless
        ``num_threads`` says less; the result is the same.
        """
        ids, bounds = self.encode_flat(texts, num_threads=num_threads)
        return [ids[start:end] for start, end in itertools.pairwise(bounds.tolist())]

    def for_language(self, language: str | None) -> Vocabulary:
        """Itself: one vocabulary divides the texts of all languages by the same rules."""
        return self

    def encode_flat(self, texts: Sequence[str], *, num_threads: int = -1) -> tuple[Ids, npt.NDArray[np.int64]]:
        """The ids of all texts in one int32 array, and the int64 bounds of each text in it, one more than texts.

        Text ``i`` has ``ids[bounds[i]:bounds[i + 1]]``, equal to :meth:`encode`. All cores work unless ``num_threads``
        says less: this is the quick way for many texts.
        """
        if not texts:
            return np.empty(0, np.int32), np.zeros(1, np.int64)
        threads = _num_cores() if num_threads < 0 else num_threads
        if sum(map(len, texts)) < FEW_CHARACTERS:
            raw = [self._processor.encode(_utf8(text), return_type="numpy") for text in texts]
        else:
            raw = self._encode_many(texts, threads)
        bounds = np.zeros(len(raw) + 1, np.int64)
        np.cumsum(np.fromiter(map(len, raw), np.int64, len(raw)), out=bounds[1:])
        return _to_ours(np.concatenate(raw)), bounds

    def _encode_many(self, texts: Sequence[str], num_threads: int) -> list[Ids]:
        try:
            # SentencePiece reads the UTF-8 that a str holds or makes; copies of our own would cost a tenth more.
            raw = self._processor.encode(list(texts), return_type="numpy", num_threads=num_threads)
        except (TypeError, UnicodeEncodeError):  # half of a surrogate pair somewhere
            raw = self._processor.encode([_utf8(text) for text in texts], return_type="numpy", num_threads=num_threads)
        return list(raw)

    def encode_with_offsets(self, text: str) -> tuple[Ids, Ids, Ids]:
        """Ids and, for each, the characters of the original ``text`` it stands for: ``text[start:end]``.

        Three int32 arrays of one length. Starts and ends never go back, and what lies in no span normalises to space
        or to nothing. A piece has every character that a part of it came from, so the pieces of one character ("½",
        "ﷺ") share it, as the pieces "▁ai" and "j" of "aĳ" share its second. The span is empty only where the piece is
        the space mark alone. Spaces and dropped characters at either end of a span are left out of it.
        """
        content = _utf8(text)
        raw = self._processor.encode(content, return_type="numpy")
        normalized, origins = self._processor.normalize(content, with_offsets=True)
        # Where each piece begins and ends in the normalised bytes, and from which original bytes those came.
        bounds = np.concatenate([[0], np.cumsum(self._piece_bytes(content, raw))])
        assert bounds[-1] == len(normalized), "the pieces are the normalised text"
        origins = np.array(origins, np.int64)
        begins, last = origins[bounds[:-1]], origins[bounds[1:] - 1]
        # The next origin is where the last original character ends, of however many normalised ones it became.
        finishes = origins[np.minimum(np.searchsorted(origins, last, side="right"), len(origins) - 1)]
        if len(raw) and bounds[1] == len(_SPACE_BYTES) and normalized.startswith(_SPACE_BYTES):
            finishes[0] = begins[0]  # the space mark put before every text came from no character
        starts, ends = self._without_blanks(text, *_in_characters(content, begins, finishes))
        return _to_ours(raw), starts, ends

    def _piece_bytes(self, content: bytes, raw: Ids) -> npt.NDArray[np.int64]:
        """How many bytes of the normalised text each piece is; only unknown pieces differ from one to another."""
        lengths = self._known_piece_bytes[raw]
        if (unknown := np.flatnonzero(raw == 0)).size:
            said = self._processor.encode(content, return_type=bytes)
            lengths[unknown] = [len(said[index]) for index in unknown]
        return lengths

    @functools.cached_property
    def _known_piece_bytes(self) -> npt.NDArray[np.int64]:
        learned = self._processor.id_to_piece(list(range(self.size - 2)))
        # A piece of a model with byte fallback, such as <0xE2>, is one byte of the text.
        as_byte = self._processor.is_byte(list(range(self.size - 2)))
        return np.array([1 if byte else len(piece.encode()) for piece, byte in zip(learned, as_byte, strict=True)])

    def _without_blanks(self, text: str, starts: Ids, ends: Ids) -> tuple[Ids, Ids]:
        spans = []
        for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
            while start < end and self._is_blank(text[start]):
                start += 1
            while start < end and self._is_blank(text[end - 1]):
                end -= 1
            spans.append((start, end))
        trimmed = np.array(spans, np.int32).reshape(-1, 2)
        return trimmed[:, 0].copy(), trimmed[:, 1].copy()

    def decode(self, ids: Iterable[int]) -> str:
        """The text of ``ids``: special ids are left out, but ``<unk>`` shows as ``⁇``.

        Equals :meth:`normalize` of the encoded text when no character of it is unknown.
        """
        kept = [int(index) for index in ids if index == self.unk_id or int(index) not in self.special_ids]
        self._check(kept)
        return str(self._processor.decode([0 if index == self.unk_id else index - 1 for index in kept]))

    def normalize(self, text: str) -> str:
        """``text`` as the vocabulary sees it: compatibility forms folded, runs of space made one, ends stripped."""
        return str(self._processor.normalize(_utf8(text)).decode("utf-8")).replace(SPACE, " ").strip(" ")

    def piece(self, index: int) -> str:
        """The piece with this id, such as ``▁the`` or ``<mask>``."""
        self._check([index])
        return self.pieces[index]

    @functools.cached_property
    def pieces(self) -> tuple[str, ...]:
        """All pieces, by id."""
        learned = self._processor.id_to_piece(list(range(3, self.size - 2)))
        return (*FIRST_PIECES, *learned, MASK_PIECE)

    @functools.cached_property
    def scores(self) -> tuple[float, ...]:
        """The score of each piece, by id: its log probability in a unigram model; 0 for specials."""
        learned = self._processor.get_score(list(range(3, self.size - 2)))
        return (*(0.0 for _ in FIRST_PIECES), *learned, 0.0)

    @functools.cached_property
    def word_starts(self) -> npt.NDArray[np.bool_]:
        """Which ids begin a word, that is, whose piece begins with the space mark ``▁``."""
        return np.array([piece.startswith(SPACE) for piece in self.pieces], dtype=np.bool_)

    def __len__(self) -> int:
        return self.size

    def __repr__(self) -> str:
        return f"Vocabulary(size={self.size}, fingerprint='{self.fingerprint[:8]}')"

    def _check(self, ids: Sequence[int]) -> None:
        for index in ids:
            if not 0 <= index < self.size:
                raise VocabularyError(f"id {index} is not in this vocabulary of {self.size} ids (0 to {self.size - 1})")

    def _is_blank(self, character: str) -> bool:
        known = self._blanks.get(character)
        if known is None:
            # Alone, a character normalises to nothing when it is space or when the normaliser drops it.
            known = self._blanks[character] = not self.normalize(character)
        return known


def _recorded_hash(folder: Path) -> str | None:
    """What the folder's manifest says of the model file; None where there is no manifest (a foreign model folder)."""
    manifest = folder / MANIFEST_NAME
    if not manifest.is_file():
        return None
    try:
        return str(json.loads(manifest.read_text(encoding="utf-8"))["files"][MODEL_NAME]["xxh3_128"])
    except (ValueError, KeyError, TypeError):
        raise VocabularyError(f"{manifest} is damaged or does not list {MODEL_NAME}; make the folder again") from None


def _utf8(text: str) -> bytes:
    # Half of a surrogate pair (from broken JSON) has no UTF-8: it becomes "?", one character for one, so offsets hold.
    return text.encode("utf-8", errors="replace")


def _to_ours(raw: Ids) -> Ids:
    # SentencePiece yields 0 for unknown text and learned pieces; its 1 and 2 (<s>, </s>) never come from text.
    ids: Ids = raw + np.int32(1)
    ids[raw == 0] = Vocabulary.unk_id
    return ids


def _in_characters(content: bytes, *positions: npt.NDArray[np.int64]) -> list[Ids]:
    """Positions in UTF-8 bytes as positions in characters."""
    is_first = (np.frombuffer(content, np.uint8) & 0xC0) != 0x80
    before = np.concatenate([[0], np.cumsum(is_first)])
    return [before[position].astype(np.int32) for position in positions]


def _num_cores() -> int:
    """The cores this process may use, which in a container are fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
