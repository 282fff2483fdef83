"""A SentencePiece model out of a `tokenizer.json`: transformers 5 saves XLM-R's vocabulary in that form only.

    content = sentencepiece_model(Path("somewhere/tokenizer.json"))     # bytes of a sentencepiece.bpe.model

The file holds all that segmentation rests on: pieces and scores of the unigram model, and the normaliser's table. What
SentencePiece is told beside it (one space before the text, runs of spaces made one) is what XLM-R was trained with.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

from sentencepiece import sentencepiece_model_pb2

from isogloss.errors import VocabularyError
from isogloss.vocab.layout import FIRST_PIECES, MASK_PIECE, SENTENCEPIECE_FIRST

__all__ = ["TOKENIZER_JSON", "added_ids", "added_tokens", "sentencepiece_model"]

TOKENIZER_JSON = "tokenizer.json"
# Its classes are made when it is imported, so no type checker sees them.
_messages: Any = sentencepiece_model_pb2


def sentencepiece_model(path: Path) -> bytes:
    """The same vocabulary as the bytes of a SentencePiece model, trained with its default ids.

    Raises VocabularyError for a damaged file, another kind of model than unigram, or ids in another order than XLM-R's.
    """
    content = _read(path)
    try:
        kind = content["model"]["type"]
        pieces = [(str(piece), float(score)) for piece, score in content["model"]["vocab"]] if kind == "Unigram" else []
        charsmap = _charsmap(content.get("normalizer"))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _damaged(path, error) from None
    names = tuple(piece for piece, _ in pieces)
    if kind != "Unigram" or names[: len(FIRST_PIECES)] != FIRST_PIECES or names[-1] != MASK_PIECE:
        raise VocabularyError(
            f"{path} is no vocabulary of XLM-R ({kind} model, opening with {' '.join(names[:4]) or 'no piece'}); "
            "put the model's sentencepiece.bpe.model beside it"
        )
    return _proto(pieces[len(FIRST_PIECES) : -1], charsmap)


def added_tokens(path: Path) -> list[dict[str, Any]]:
    """What a tokenizer.json adds to its model but for the special pieces, with "id"; empty without such a file."""
    if not path.is_file():
        return []
    try:
        tokens = [{**token, "id": int(token["id"])} for token in _read(path).get("added_tokens", [])]
        return [token for token in tokens if token["content"] not in (*FIRST_PIECES, MASK_PIECE)]
    except (KeyError, TypeError, ValueError) as error:
        raise _damaged(path, error) from None


def added_ids(path: Path) -> set[int]:
    """The ids of those."""
    return {token["id"] for token in added_tokens(path)}


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _damaged(path, error) from None
    if not isinstance(content, dict) or "model" not in content:
        raise _damaged(path, TypeError("no model in it"))
    return content


def _damaged(path: Path, error: Exception) -> VocabularyError:
    return VocabularyError(f"{path} cannot be read ({type(error).__name__}: {error}); copy the model folder again")


def _charsmap(normalizer: Any) -> bytes:
    """The compiled table of the normaliser, wherever it stands in a chain of them; empty if there is none."""
    if normalizer is None:
        return b""
    if normalizer["type"] == "Sequence":
        return b"".join(_charsmap(part) for part in normalizer["normalizers"])
    if normalizer["type"] == "Precompiled":
        return base64.b64decode(normalizer["precompiled_charsmap"] or "")
    return b""


def _proto(pieces: list[tuple[str, float]], charsmap: bytes) -> bytes:
    model = _messages.ModelProto()
    types = _messages.ModelProto.SentencePiece
    for piece, kind in zip(SENTENCEPIECE_FIRST, (types.UNKNOWN, types.CONTROL, types.CONTROL), strict=True):
        model.pieces.add(piece=piece, score=0.0, type=kind)
    for piece, score in pieces:
        model.pieces.add(piece=piece, score=score, type=types.NORMAL)
    model.trainer_spec.model_type = _messages.TrainerSpec.UNIGRAM
    model.trainer_spec.vocab_size = len(model.pieces)
    model.trainer_spec.pad_id = -1
    model.normalizer_spec.name = "precompiled"
    model.normalizer_spec.precompiled_charsmap = charsmap
    model.normalizer_spec.add_dummy_prefix = True
    model.normalizer_spec.remove_extra_whitespaces = True
    model.normalizer_spec.escape_whitespaces = True
    return bytes(model.SerializeToString())
