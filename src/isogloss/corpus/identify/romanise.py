"""Romanising Bengali, Hindi, Tamil, Telugu and Urdu by rule: what the trained model of romanised text learns from.

    romanise("मुझे पानी चाहिए", "hi-Latn", style="loose", seed=1)         # 'mujhe pani chahie'

Two styles. ``careful`` keeps what the script tells apart (aa, ii, sh), as transliteration schemes such as ITRANS do;
``loose`` writes as people chat: short vowels for long ones, v or w, doubled letters dropped, each word the same way
throughout a text but not in every text. Deva, Beng, Taml and Telu place the same letters at the same offsets of their
blocks (as ISCII did), so one table serves the four; what a language says differently stands in a table of its own.
Urdu does not write short vowels: an a stands for each that is missing, and frequent words have a table. It is no
transcription, and real chat is freer: figures on text made by it are an upper limit.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

import xxhash

__all__ = ["SCRIPT_CODES", "Style", "romanise"]

Style = Literal["careful", "loose"]

# Romanised language → the language whose text is romanised.
SCRIPT_CODES: Mapping[str, str] = {"bn-Latn": "bn", "hi-Latn": "hi", "ta-Latn": "ta", "te-Latn": "te", "ur-Latn": "ur"}
_BLOCKS = {"hi-Latn": 0x0900, "bn-Latn": 0x0980, "ta-Latn": 0x0B80, "te-Latn": 0x0C00}
# Offsets in a block of the Indic scripts. Vowel letters and, on the right, the signs that follow a consonant.
_VOWELS = {
    0x05: "a", 0x06: "aa", 0x07: "i", 0x08: "ii", 0x09: "u", 0x0A: "uu", 0x0B: "ri", 0x0D: "e", 0x0E: "e", 0x0F: "e",
    0x10: "ai", 0x11: "o", 0x12: "o", 0x13: "o", 0x14: "au",
}  # fmt: skip
_SIGNS = {
    0x3E: "aa", 0x3F: "i", 0x40: "ii", 0x41: "u", 0x42: "uu", 0x43: "ri", 0x45: "e", 0x46: "e", 0x47: "e", 0x48: "ai",
    0x49: "o", 0x4A: "o", 0x4B: "o", 0x4C: "au",
}  # fmt: skip
_CONSONANTS = {
    0x15: "k", 0x16: "kh", 0x17: "g", 0x18: "gh", 0x19: "ng", 0x1A: "ch", 0x1B: "chh", 0x1C: "j", 0x1D: "jh",
    0x1E: "n", 0x1F: "t", 0x20: "th", 0x21: "d", 0x22: "dh", 0x23: "n", 0x24: "t", 0x25: "th", 0x26: "d", 0x27: "dh",
    0x28: "n", 0x29: "n", 0x2A: "p", 0x2B: "ph", 0x2C: "b", 0x2D: "bh", 0x2E: "m", 0x2F: "y", 0x30: "r", 0x31: "r",
    0x32: "l", 0x33: "l", 0x34: "l", 0x35: "v", 0x36: "sh", 0x37: "sh", 0x38: "s", 0x39: "h",
}  # fmt: skip
_MARKS = {0x01: "n", 0x02: "n", 0x03: "h", 0x3D: ""}
_VIRAMA, _NUKTA = 0x4D, 0x3C
_WITH_NUKTA = {"k": "q", "kh": "kh", "g": "gh", "j": "z", "d": "r", "dh": "rh", "ph": "f", "y": "y"}
_OWN: Mapping[str, Mapping[int, str]] = {
    "hi-Latn": {0x5C: "r", 0x5D: "rh", 0x5B: "z", 0x5E: "f", 0x58: "q"},
    "bn-Latn": {0x35: "b", 0x2F: "j", 0x5F: "y", 0x5C: "r", 0x5D: "rh", 0x4E: "t", 0x36: "sh"},
    "ta-Latn": {0x34: "zh", 0x31: "r", 0x29: "n", 0x33: "l", 0x15: "k", 0x1A: "s", 0x24: "th", 0x1F: "t", 0x37: "sh"},
    "te-Latn": {0x31: "r", 0x33: "l", 0x24: "t"},
}
_URDU = {
    "ا": "a", "آ": "aa", "ب": "b", "پ": "p", "ت": "t", "ٹ": "t", "ث": "s", "ج": "j", "چ": "ch", "ح": "h", "خ": "kh",
    "د": "d", "ڈ": "d", "ذ": "z", "ر": "r", "ڑ": "r", "ز": "z", "ژ": "zh", "س": "s", "ش": "sh", "ص": "s", "ض": "z",
    "ط": "t", "ظ": "z", "ع": "a", "غ": "gh", "ف": "f", "ق": "q", "ک": "k", "گ": "g", "ل": "l", "م": "m", "ن": "n",
    "ں": "n", "و": "o", "ہ": "h", "ھ": "h", "ء": "", "ی": "i", "ے": "e", "ئ": "y", "ؤ": "o", "ۂ": "a", "ة": "a",
    "ي": "i", "ك": "k", "َ": "a", "ِ": "i", "ُ": "u", "ّ": "", "ۃ": "a",
}  # fmt: skip
_URDU_WORDS = {
    "کے": "ke", "کی": "ki", "کا": "ka", "کو": "ko", "میں": "mein", "ہے": "hai", "ہیں": "hain", "سے": "se", "نے": "ne",
    "پر": "par", "یہ": "ye", "وہ": "wo", "اور": "aur", "نہیں": "nahi", "ہم": "hum", "تم": "tum", "آپ": "ap",
    "کیا": "kia", "تھا": "tha", "تھی": "thi", "تھے": "thay", "ہو": "ho", "گا": "ga", "گی": "gi", "گے": "gay",
    "کر": "kar", "کرنے": "karne", "کیوں": "kyun", "جو": "jo", "بھی": "bhi", "ایک": "aik", "اس": "is", "ان": "un",
    "مجھے": "mujhe", "لیے": "liye", "لئے": "liye", "گیا": "gaya", "رہا": "raha", "رہی": "rahi", "رہے": "rahe",
    "بہت": "bohat", "اب": "ab", "جب": "jab", "تک": "tak", "ساتھ": "sath", "بعد": "baad", "کچھ": "kuch", "کوئی": "koi",
    "اپنے": "apne", "اپنی": "apni", "اپنا": "apna", "ہوں": "hun", "تو": "to", "لیکن": "lekin", "اگر": "agar",
    "والے": "walay", "ہوا": "hua", "ہوئے": "huay", "دیا": "dia", "کہا": "kaha", "پہلے": "pehlay", "لوگ": "log",
}  # fmt: skip
_WORD = re.compile(r"[^\W\d_]+[\w\u0900-\u0d7f\u064b-\u0652\u200c\u200d]*")
# What chat makes of careful spelling, each change done to some of the words.
_LOOSENED = (("aa", "a"), ("ii", "i"), ("ii", "ee"), ("uu", "u"), ("uu", "oo"), ("v", "w"), ("sh", "s"), ("chh", "ch"),
    ("kh", "k"), ("th", "t"), ("zh", "l"), ("nn", "n"), ("ll", "l"), ("tt", "t"))  # fmt: skip
_ALWAYS = (("aa", "a"), ("ii", "i"), ("uu", "u"))


def romanise(text: str, code: str, *, style: Style, seed: int = 0) -> str:
    """The text with each word of the language's script in Latin letters; what is in other scripts stays as it is.

    ``code`` is one of SCRIPT_CODES. The same seed, style and text give the same answer everywhere.
    """
    word = _urdu_word if code == "ur-Latn" else _indic_word
    block = _BLOCKS.get(code, 0x0600)

    def replaced(match: re.Match[str]) -> str:
        if not any(block <= ord(character) < block + 0x100 for character in match[0]):
            return match[0]
        careful = word(match[0], code)
        return careful if style == "careful" else _loosen(careful, seed)

    return _WORD.sub(replaced, text).translate(
        {0x0964: ".", 0x06D4: ".", 0x060C: ",", 0x061F: "?", 0x200C: None, 0x200D: None}
    )


def _indic_word(word: str, code: str) -> str:
    """A word of one of the four scripts: consonants carry an a until a vowel sign or a virama takes it away."""
    block, own = _BLOCKS[code], _OWN[code]
    inherent = "o" if code == "bn-Latn" else "a"
    parts: list[str] = []
    pending = False  # the last part is a consonant that may yet be followed by its inherent vowel
    for offset in (ord(character) - block for character in word):
        consonant = own.get(offset) or _CONSONANTS.get(offset)
        if offset == _NUKTA and pending:
            parts[-1] = _WITH_NUKTA.get(parts[-1], parts[-1])
            continue
        if pending and offset not in _SIGNS and offset != _VIRAMA:
            parts.append(inherent)
        if consonant:
            parts.append(consonant)
        elif offset != _VIRAMA:
            parts.append(_SIGNS.get(offset) or _VOWELS.get(offset) or _MARKS.get(offset, ""))
        pending = consonant is not None
    # Hindi and Bengali do not say the last inherent vowel, Tamil and Telugu do.
    if pending and code in {"ta-Latn", "te-Latn"}:
        parts.append(inherent)
    joined = "".join(parts)
    return _drop_middle_vowels(joined) if code == "hi-Latn" else joined


def _drop_middle_vowels(word: str) -> str:
    """Hindi drops the inherent vowel between consonants where vowels stand on both sides: karanaa → karnaa."""
    return re.sub(r"(?<=[aeiou][bcdgjklmnprstvyz])a(?=(?:[kgcjtdpb]h|[bdgjklmnprstvyz])[aeiou])", "", word)


def _urdu_word(word: str, code: str) -> str:
    if word in _URDU_WORDS:
        return _URDU_WORDS[word]
    letters = [_URDU.get(character, "") for character in word]
    if word[:1] in {"و", "ی"} and letters:
        letters[0] = {"و": "w", "ی": "y"}[word[0]]
    parts: list[str] = []
    for letter in letters:
        # Two consonants in a row have a vowel between them that is not written; an h may belong to the first of them.
        if parts and letter and letter != "h" and parts[-1][-1:] not in "aeiou" and letter[0] not in "aeiou":
            parts.append("a")
        if letter:
            parts.append(letter)
    return "".join(parts)


def _loosen(word: str, seed: int) -> str:
    """One of the ways in which the word may be typed in a hurry, chosen by the word and the seed."""
    draw = xxhash.xxh3_64_intdigest(word.encode(), seed=seed)
    for place, (careful, loose) in enumerate(_LOOSENED):
        if draw >> place & 1 and careful in word:
            word = word.replace(careful, loose)
    for careful, loose in _ALWAYS:
        word = word.replace(careful, loose)
    return word
