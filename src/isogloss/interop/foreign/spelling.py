"""The pieces of a transformers tokenizer as text, in one spelling whatever the family: U+2581 begins a word.

    spell_pieces(tokenizer, size)          # ["", "", "▁the", "ing", …] by id; "" for special pieces

WordPiece marks what does not begin a word (##ing), SentencePiece (▁the) and byte-level BPE (Ġthe) what does, XLM's BPE
what ends one (the</w>). Bytes that are no UTF-8 by themselves come out as U+FFFD.
"""

from __future__ import annotations

from typing import Any

__all__ = ["spell_pieces"]

SPACE = "▁"
BYTE_SPACE, INNER, WORD_END = "Ġ", "##", "</w>"


def spell_pieces(tokenizer: Any, size: int) -> list[str]:
    """By id, as many as ``size``; an id without a piece has none."""
    pieces: list[str] = [piece or "" for piece in tokenizer.convert_ids_to_tokens(list(range(size)))]
    special = {*tokenizer.all_special_ids}
    marks = {
        BYTE_SPACE: sum(piece.startswith(BYTE_SPACE) for piece in pieces),
        INNER: sum(piece.startswith(INNER) for piece in pieces),
        WORD_END: sum(piece.endswith(WORD_END) for piece in pieces),
        SPACE: sum(piece.startswith(SPACE) for piece in pieces),
    }
    mark = max(marks, key=marks.__getitem__)
    return ["" if index in special else _spelt(piece, mark) for index, piece in enumerate(pieces)]


def _spelt(piece: str, mark: str) -> str:
    if mark == BYTE_SPACE:
        text = bytes(_BYTES.get(character, ord("?")) for character in piece).decode("utf-8", "replace")
        return SPACE + text[1:] if text.startswith(" ") else text
    if mark == INNER:
        return piece[len(INNER) :] if piece.startswith(INNER) and piece != INNER else SPACE + piece
    if mark == WORD_END:
        return piece.removesuffix(WORD_END)
    return piece


def _byte_characters() -> dict[str, int]:
    """GPT-2's characters for bytes: those to be seen stand for themselves, the others come from 256 on."""
    seen = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = [byte for byte in range(256) if byte not in seen]
    return {**{chr(byte): byte for byte in seen}, **{chr(256 + place): byte for place, byte in enumerate(others)}}


_BYTES = _byte_characters()
