"""Text as it was cut before BPE, by rules of each script, in place of what SentencePiece does to raw text.

    words("Hello, world!")          # "hello , world !"
    plain("Orléans")                # "orleans": a word that is divided already

XLM cuts with Moses's tokenizer, segmenters for Chinese and Thai, and lower case without accents. Those programs are not
here: punctuation and symbols are set apart, and so is each character of scripts that are written without spaces, as
mBERT does with Chinese. What stands between spaces afterwards is what BPE may not cross.
"""

from __future__ import annotations

import re
import unicodedata

__all__ = ["plain", "words"]

# Han, kana, and the scripts of Thai, Lao, Khmer and Burmese.
_UNSPACED = re.compile(
    r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u3040-\u30ff\U00020000-\U0002fa1f"
    r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]"
)
_SPACES = re.compile(r"\s+")


def words(text: str) -> str:
    """One text, cut; lines stay lines."""
    return "\n".join(_line(line) for line in text.split("\n"))


def plain(text: str) -> str:
    """Lower case without accents, as in XLM; marks of other scripts are vowels and stay with their letter."""
    decomposed = unicodedata.normalize("NFD", text.lower())
    return unicodedata.normalize("NFC", "".join(c for c in decomposed if not "\u0300" <= c <= "\u036f"))


def _line(line: str) -> str:
    apart: list[str] = []
    after_unspaced = False
    for character in plain(line):
        kind = unicodedata.category(character)[0]
        if kind in "PS":
            apart.append(f" {character} ")
        elif kind == "M":
            apart.append(character)
        else:
            is_unspaced = _UNSPACED.match(character) is not None
            apart.append(f" {character}" if is_unspaced or after_unspaced else character)
            after_unspaced = is_unspaced
    return _SPACES.sub(" ", "".join(apart)).strip()
