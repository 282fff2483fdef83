"""The normalisation before a language model, as rules of SentencePiece's own normaliser.

CCNet lower-cases text, takes accents off, writes every digit as 0, writes punctuation of many scripts in ASCII and
drops control characters before its language models see it. Here the same is a table of characters that is compiled into
the SentencePiece model, with NFKC: training and scoring cannot differ, and it costs no pass of its own.

    rules = normalisation_rules(NormalisationSettings())
    rules["É"], rules["٣"], rules["。"]                    # 'e', '0', '.'
    spec = normaliser_spec(NormalisationSettings())        # for the model's proto

Every rule maps one character, or a letter with marks that stand apart, so no rule reaches across a space. Where CCNet's
code has U+FF11 (the full-width digit one) among its quotation marks, a misprint, here it is a digit.
"""

from __future__ import annotations

import functools
import unicodedata

import sentencepiece
from pydantic import Field

from isogloss.config import Settings

__all__ = ["NormalisationSettings", "normalisation_rules", "normaliser_spec"]

# What each ASCII form stands for; full-width forms and the ellipsis are NFKC's.
_PUNCTUATION = {
    ",": "、",
    ".": "。",
    '"': "„“”«»「」《》",
    "'": "´‘’",
    ":": "∶",
    "-": "–━►",
    " - ": "—",
    "<": "〈",
    ">": "〉",
    "[": "【",
    "]": "】",
}
# The planes of Unicode that have characters of their own, without surrogates; no rule can name NUL.
_CHARACTERS = [*range(1, 0xD800), *range(0xE000, 0x40000), *range(0xE0000, 0xE1000)]
_NEW_LINES = "\t\n\v\f\r\x85"


class NormalisationSettings(Settings):
    """What is made alike before the language model; the defaults are CCNet's."""

    lowercase: bool = Field(True, description="write capitals small")
    strip_accents: bool = Field(
        True, description="drop all nonspacing marks: accents, and the vowel signs of some scripts"
    )
    digits_to_zero: bool = Field(True, description="write every decimal digit as 0")
    ascii_punctuation: bool = Field(True, description="write punctuation of many scripts in ASCII")


def normalisation_rules(settings: NormalisationSettings) -> dict[str, str]:
    """What every character, and every canonical sequence, that is not itself afterwards becomes."""
    punctuation = {}
    if settings.ascii_punctuation:
        punctuation = {sign: target for target, signs in _PUNCTUATION.items() for sign in signs}
    rules = {}
    for character in map(chr, _CHARACTERS):
        target = punctuation.get(character) or _target(character, settings)
        if target != character:
            rules[character] = target
    return rules | _sequences(rules)


@functools.cache
def normaliser_spec(settings: NormalisationSettings) -> bytes:
    """A serialised NormalizerSpec: the rules compiled, spaces folded and written as U+2581. Takes some 2 s."""
    sentencepiece.set_min_log_level(2)
    normaliser = sentencepiece.SentencePieceNormalizer(
        norm_map=list(normalisation_rules(settings).items()),
        add_dummy_prefix=True,
        escape_whitespaces=True,
        remove_extra_whitespaces=True,
    )
    spec: bytes = normaliser.serialized_normalizer_spec()
    return spec


def _target(character: str, settings: NormalisationSettings) -> str:
    if character in _NEW_LINES:
        return " "
    kept = []
    for part in _composed(character, settings):
        category = unicodedata.category(part)
        if category in ("Zs", "Zl", "Zp") or part == "\u200b":
            kept.append(" ")
        elif category == "Nd" and settings.digits_to_zero:
            kept.append("0")
        elif category not in ("Cc", "Cf"):
            kept.append(part)
    return "".join(kept)


def _composed(character: str, settings: NormalisationSettings) -> str:
    text = unicodedata.normalize("NFKC", character)
    if settings.lowercase:
        text = text.lower()
    if settings.strip_accents:
        text = "".join(part for part in unicodedata.normalize("NFD", text) if unicodedata.category(part) != "Mn")
    return unicodedata.normalize("NFC", text)


def _sequences(rules: dict[str, str]) -> dict[str, str]:
    """Letters written apart that come out otherwise part by part: jamo, two-part vowels, accents that are kept."""
    sequences = {}
    for character in map(chr, _CHARACTERS):
        apart = unicodedata.normalize("NFD", character)
        if len(apart) > 1:
            whole = rules.get(character, character)
            if "".join(rules.get(part, part) for part in apart) != whole:
                sequences[apart] = whole
    return sequences
