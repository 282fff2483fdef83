"""The tokenizer of any transformers folder, as tasks want it: ids and offsets, nothing in a text taken for a special.

    tokenizer = read_tokenizer(Path("bert-base-multilingual-cased"))
    ids, starts, ends = tokenizer.encode_with_offsets("Anna anaishi Oslo.")
    ids = tokenizer.frame.around(ids)                   # [CLS] … [SEP]

What the model's own format is (which special ids stand where, which token types they give) is asked of the tokenizer
once. XLNet's `<cls>`, which comes last there, is put first, where heads look for it; the encoder moves it back.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xxhash

from isogloss.errors import ConfigError, VocabularyError
from isogloss.interop.foreign.align import align
from isogloss.interop.foreign.quiet import quiet, reason_of
from isogloss.interop.foreign.spelling import spell_pieces
from isogloss.vocab.tokenizer import Frame, Ids

__all__ = ["ForeignTokenizer", "SequenceFormat", "read_tokenizer"]


# Pieces that are a space and nothing else.
SPACES = ("▁", "Ġ")


@dataclass(frozen=True)
class SequenceFormat:
    """How a model marks its input. Token types are those of the first text, the second, and the token for the whole."""

    frame: Frame
    pad_id: int
    separator_id: int
    summary_id: int
    summary_is_last: bool
    types: tuple[int, int, int]


class ForeignTokenizer:
    """A transformers tokenizer; made with `read_tokenizer`."""

    def __init__(self, tokenizer: Any, *, where: str, language: str | None = None) -> None:
        self.tokenizer = tokenizer
        # The fast ones have a backend in Rust, which knows offsets; of the others XLM's asks for the language.
        self._backend = getattr(tokenizer, "backend_tokenizer", None)
        self._asks_language = self._backend is None and "lang" in inspect.signature(tokenizer._tokenize).parameters
        # Before the format is looked at: sentence-transformers' files say to pad and to cut.
        if self._backend is not None:
            self._backend.encode_special_tokens = True
            self._backend.no_truncation()
            self._backend.no_padding()
        self.format = _format(tokenizer, where)
        self.frame = self.format.frame
        # Special pieces that were only ever added may have no row in the model; texts and frame do without them.
        added = [index for index, piece in tokenizer.added_tokens_decoder.items() if not piece.special]
        self.size = 1 + max(tokenizer.vocab_size - 1, *self.frame.before, *self.frame.after, *added)
        self.language = language
        self._where = where
        self.unknown_id: int | None = tokenizer.unk_token_id
        self._special_ids = sorted({*tokenizer.all_special_ids} - {self.unknown_id})
        self.fingerprint = _fingerprint(tokenizer)

    @property
    def texts(self) -> list[str]:
        """Its pieces by id in the spelling of `spelling`; special ones are empty."""
        return spell_pieces(self.tokenizer, self.size)

    def for_language(self, language: str | None) -> ForeignTokenizer:
        """Itself, or where texts are divided by the rules of their language, one that does so."""
        if not self._asks_language or language == self.language:
            return self
        return ForeignTokenizer(self.tokenizer, where=self._where, language=language)

    def encode(self, texts: Sequence[str]) -> list[Ids]:
        """The ids of each text, without special ones."""
        if self._backend is None:
            return [self._ids(self._pieces(text)) for text in texts]
        encoded = self._backend.encode_batch([_clean(text) for text in texts], add_special_tokens=False)
        return [self._as_text(one.ids) for one in encoded]

    def encode_with_offsets(self, text: str) -> tuple[Ids, Ids, Ids]:
        """Ids, and where the characters that each stands for begin and end in `text`, spaces around them left out."""
        if self._backend is None:
            pieces = self._pieces(text)
            return (self._ids(pieces), *align(text, pieces))
        encoded = self._backend.encode(_clean(text), add_special_tokens=False)
        said = zip(encoded.tokens, encoded.offsets, strict=True)
        spans = np.array([_trimmed(text, piece, *span) for piece, span in said], np.int32).reshape(-1, 2)
        return self._as_text(encoded.ids), spans[:, 0].copy(), spans[:, 1].copy()

    def _pieces(self, text: str) -> list[str]:
        options = {"lang": self.language.split("-")[0]} if self._asks_language and self.language else {}
        try:
            # Not `tokenize`: it takes special pieces out of the text, and in transformers 5 it loses the language.
            pieces: list[str] = self.tokenizer._tokenize(_clean(text), **options)
        except (ImportError, AttributeError) as error:
            raise ConfigError(
                f"{self._where}: its tokenizer divides {self.language} by a package that is not here "
                f"({reason_of(error)}); install it, or leave the language out"
            ) from None
        return pieces

    def _ids(self, pieces: Sequence[str]) -> Ids:
        return self._as_text(self.tokenizer.convert_tokens_to_ids(pieces))

    def _as_text(self, ids: Sequence[int]) -> Ids:
        """The ids, unknown where a special piece was spelt out in the text: SentencePiece's kin take it for one."""
        array = np.array(ids, np.int32).reshape(-1)
        if self.unknown_id is not None:
            array[np.isin(array, self._special_ids)] = self.unknown_id
        return array


def read_tokenizer(folder: Path) -> ForeignTokenizer:
    """The tokenizer of a folder. Raises VocabularyError where there is none that can be read."""
    from transformers import AutoTokenizer

    try:
        with quiet():
            tokenizer = AutoTokenizer.from_pretrained(str(folder), local_files_only=True, trust_remote_code=False)
    # Each of their tokenizers fails in a way of its own over files that are missing or damaged.
    except Exception as error:
        raise VocabularyError(
            f"{folder}: its tokenizer cannot be read ({reason_of(error)}); copy the whole folder again"
        ) from None
    # Without its files a tokenizer is made all the same, of special pieces alone.
    if set(tokenizer.get_vocab()) <= {*tokenizer.all_special_tokens, *tokenizer.get_added_vocab()}:
        raise VocabularyError(f"{folder} holds no tokenizer; copy the whole folder again")
    try:
        return ForeignTokenizer(tokenizer, where=str(folder))
    except VocabularyError:
        raise
    except Exception as error:
        raise VocabularyError(
            f"{folder}: its tokenizer cannot be used ({reason_of(error)}); copy the whole folder again"
        ) from None


def _format(tokenizer: Any, where: str) -> SequenceFormat:
    """The special ids and token types around one text and two, seen on a text of one letter."""
    ids, texts, types = _pair(tokenizer)
    first, second = texts.index(0), texts.index(1)
    last_of_first = max(place for place, text in enumerate(texts) if text == 0)
    last = max(place for place, text in enumerate(texts) if text == 1)
    frame = Frame(tuple(ids[:first]), tuple(ids[last_of_first + 1 : second]), tuple(ids[last + 1 :]))
    if not frame.before and not frame.after:
        raise VocabularyError(
            f"{where}: its tokenizer puts no special piece around a text, but heads read one; give the tokenizer that "
            "the model was trained with"
        )
    separator_id = tokenizer.sep_token_id if tokenizer.sep_token_id is not None else tokenizer.eos_token_id
    pad_id = tokenizer.pad_token_id
    if separator_id is None or pad_id is None:
        missing = "a separator" if separator_id is None else "padding"
        raise VocabularyError(f"{where}: its tokenizer has no id for {missing}; give an encoder's folder")
    summary_id = tokenizer.cls_token_id if tokenizer.cls_token_id is not None else -1
    summary_is_last = not frame.before and frame.after[-1:] == (summary_id,)
    if summary_is_last:
        frame = Frame((summary_id,), frame.between, frame.after[:-1])
    summary_type = types[ids.index(summary_id)] if summary_id in ids else 0
    return SequenceFormat(
        frame, pad_id, separator_id, summary_id, summary_is_last, (types[first], types[second], summary_type)
    )


def _pair(tokenizer: Any) -> tuple[list[int], list[int | None], list[int]]:
    """The ids of a pair of texts, which text each is of (None for special ones), and their token types."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is not None:
        encoded = backend.encode("a", "a")
        return list(encoded.ids), list(encoded.sequence_ids), list(encoded.type_ids)
    unknown = [tokenizer.unk_token_id]
    ids = list(tokenizer.build_inputs_with_special_tokens(unknown, unknown))
    first, second = (place for place, index in enumerate(ids) if index == tokenizer.unk_token_id)
    texts: list[int | None] = [0 if place == first else 1 if place == second else None for place in range(len(ids))]
    return ids, texts, list(tokenizer.create_token_type_ids_from_sequences(unknown, unknown))


def _fingerprint(tokenizer: Any) -> str:
    backend = getattr(tokenizer, "backend_tokenizer", None)
    said = backend.to_str() if backend is not None else repr(sorted(tokenizer.get_vocab().items()))
    return xxhash.xxh3_128(f"{type(tokenizer).__name__} {said}".encode()).hexdigest()


def _clean(text: str) -> str:
    # Half of a surrogate pair (from broken JSON) has no UTF-8: it becomes "?", one character for one, so offsets hold.
    return text.encode("utf-8", errors="replace").decode("utf-8")


def _trimmed(text: str, piece: str, start: int, end: int) -> tuple[int, int]:
    """The span without spaces at its ends; empty for a mark of space, to which some give the next character."""
    if piece in SPACES:
        return start, start
    while start < end and text[start].isspace():
        start += 1
    while start < end and text[end - 1].isspace():
        end -= 1
    return start, end
