"""SentencePiece's normaliser in the standard parts of the ``tokenizers`` library, for tokenizer.json.

    hub_normalizer(charsmap)      # {"type": "Sequence", "normalizers": [...]} or None

SentencePiece replaces, from left to right, the longest match in a table of characters and sequences. ``Precompiled`` of
``tokenizers`` reads the same table otherwise: it looks a short grapheme cluster up as a whole, takes the shortest match
and forgets the rest of the cluster. Letters whose marks stand apart (e + U+0301, jamo, half-width ガ, Tamil vowel
signs) come out differently. So ``NFKC`` goes first, which composes what the table composes, and ``Precompiled`` then
meets single characters only. NFKC also does what the table does not: it sorts marks, composes a letter with a mark
further on, and composes again what it has just made. At those places a character that the table drops is put in, and
NFKC stops there. All places are derived from the table.

Unequal are 393 of the 225,276 rules of SentencePiece 0.2.3, sequences that begin with a letter newer than the Unicode
of ``tokenizers``, and the noncharacter U+FDD1, which stands in for the full-width tilde while NFKC runs.
"""

from __future__ import annotations

import base64
import functools
import struct
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["hub_normalizer", "table_rules"]

# NFKC neither moves nor composes a mark across it, and the table of nmt_nfkc drops it.
STOP = "\x01"
# nmt_nfkc keeps the full-width tilde, NFKC does not: it is a noncharacter while NFKC runs.
TILDE, HIDDEN_TILDE = "\uff5e", "\ufdd1"
# What tells a table of nmt_nfkc, of whatever version of Unicode, from all others.
OF_NMT_NFKC = {STOP: "", "\t": " ", "e\u0301": "é", "½": "1\u20442", "\uff21": "A", "A": None, TILDE: None}

_HANGUL_SYLLABLES, _FINAL_JAMO = "\uac00-\ud7a3", "\u11a8-\u11c2"
# Jamo that stand alone in other blocks; those that can end a syllable are taken from the table.
_JAMO = (("\u1100", "\u11ff"), ("\u3130", "\u318f"), ("\u3200", "\u321e"), ("\u3260", "\u327e"), ("\uffa0", "\uffdc"))
_BYTES = [bytes([byte]) for byte in range(256)]
_HAS_LEAF, _IS_LEAF = np.uint32(1 << 8), np.uint32(1 << 31)


def hub_normalizer(charsmap: bytes) -> dict[str, Any] | None:
    """The normaliser of tokenizer.json for SentencePiece's compiled table; None for an empty one.

    Equal to SentencePiece for the tables of nmt_nfkc, which it trains with by default and XLM-R has. Any other table
    goes into ``Precompiled`` as it stands.
    """
    if not charsmap:
        return None
    precompiled = {"type": "Precompiled", "precompiled_charsmap": base64.b64encode(charsmap).decode("ascii")}
    rules = table_rules(charsmap)
    if any(rules.get(source) != target for source, target in OF_NMT_NFKC.items()):
        return precompiled
    return {
        "type": "Sequence",
        "normalizers": [
            _replace({"Regex": _stops(rules)}, STOP),
            _replace({"String": TILDE}, HIDDEN_TILDE),
            {"type": "NFKC"},
            _replace({"String": HIDDEN_TILDE}, TILDE),
            precompiled,
        ],
    }


@functools.cache
def table_rules(charsmap: bytes) -> dict[str, str]:
    """What the table replaces by what, without sequences that begin with jamo: of those there are 200,000.

    The table is a size, a trie of that many bytes in the format of Darts-clone, and the targets, ended by zeros.
    """
    (size,) = struct.unpack_from("<I", charsmap)
    units = np.frombuffer(charsmap, "<u4", size // 4, offset=4)
    targets = charsmap[4 + size :]
    rules: dict[str, str] = {}
    nodes, sources = np.zeros(1, np.uint32), [b""]
    while len(nodes):
        # Every child of every node at once, one column a byte; a child that is none carries another byte.
        children = _first_child(nodes, units)[:, None] ^ np.arange(256, dtype=np.uint32)
        children[children >= len(units)] = 0
        parents, bytes_ = np.nonzero(units[children] & (_IS_LEAF | 0xFF) == np.arange(256))
        keep = bytes_ > 0
        nodes = children[parents[keep], bytes_[keep]]
        sources = [sources[parent] + _BYTES[byte] for parent, byte in zip(parents[keep], bytes_[keep], strict=True)]
        # Where a source ends, byte 0 leads to a leaf, which says where the target begins.
        for number in np.flatnonzero(units[nodes] & _HAS_LEAF):
            start = int(units[_first_child(nodes[number], units)] & ~_IS_LEAF)
            rules[sources[number].decode()] = targets[start : targets.index(0, start)].decode()
        goes_on = np.array([not _is_jamo(source) for source in sources], bool)
        nodes, sources = nodes[goes_on], [source for source, on in zip(sources, goes_on, strict=True) if on]
    return rules


def _first_child(nodes: Any, units: npt.NDArray[np.uint32]) -> Any:
    found = units[nodes]
    return nodes ^ (found >> 10 << ((found & 0x200) >> 6))


def _is_jamo(source: bytes) -> bool:
    character = source.decode(errors="replace") if len(source) == 3 else ""
    return len(character) == 1 and any(first <= character <= last for first, last in _JAMO)


def _stops(rules: dict[str, str]) -> str:
    """A regular expression for the empty places in which NFKC has to be stopped."""
    sequences = [source for source in rules if len(source) > 1]
    seconds = {character for source in sequences for character in source[1:]}
    # After these NFKC may sort or compose what follows, or Precompiled look both up together: composed letters and
    # whatever the table replaces.
    before = {target for source, target in rules.items() if len(source) > 1 and len(target) == 1} | {
        c for c in rules if len(c) == 1
    }
    # Except inside of a sequence of the table: there the second to last of it may follow.
    inside: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for source in sequences:
        for cut in range(1, len(source)):
            inside[source[cut]][source[1:cut]].add(source[0])
    free = "".join(
        f"|(?={_any(follower)})(?<!{'|'.join(_any(firsts) + _spelt(rest) for rest, firsts in leads.items())})"
        for follower, leads in sorted(inside.items())
    )
    # What follows is looked at first: in most text no mark does.
    after_marks = (
        f"(?=[\\p{{M}}{_ranges(seconds)}])(?<=[\\p{{M}}{_ranges(before)}])"
        f"(?:(?=[\\p{{M}}&&[^{_ranges(seconds)}]]){free})"
    )
    begins_with_mark = {c for c, target in rules.items() if len(c) == 1 and target[:1] in seconds} - seconds
    finals = {c for c, target in rules.items() if len(c) == 1 and "\u11a8" <= target[:1] <= "\u11c2"}
    syllables = {c for c, target in rules.items() if len(c) == 1 and "\uac00" <= target[-1:] <= "\ud7a3"}
    after_syllable = f"(?=[{_FINAL_JAMO}{_ranges(finals)}])(?<=[{_HANGUL_SYLLABLES}{_ranges(syllables)}])"
    return f"{after_marks}|(?=[{_ranges(begins_with_mark)}])(?!\\A)|{after_syllable}"


def _any(characters: Iterable[str]) -> str:
    return f"[{_ranges(characters)}]"


def _spelt(text: str) -> str:
    return "".join(f"\\x{{{ord(character):x}}}" for character in text)


def _ranges(characters: Iterable[str]) -> str:
    """The inside of a character class, neighbours in one range."""
    points = sorted(map(ord, characters))
    known = set(points)
    firsts = [point for point in points if point - 1 not in known]
    lasts = [point for point in points if point + 1 not in known]
    return "".join(
        _spelt(chr(first)) + (f"-{_spelt(chr(last))}" if last > first else "")
        for first, last in zip(firsts, lasts, strict=True)
    )


def _replace(pattern: dict[str, str], content: str) -> dict[str, Any]:
    return {"type": "Replace", "pattern": pattern, "content": content}
