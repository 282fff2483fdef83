"""Tag schemes of entities: IOB1, IOBES and BILOU are read as IOB2; a stray I-X of an IOB2 file stays as it is.

    scheme_of(sentences)                       # "IOBES"
    to_iob2(["S-PER", "O", "B-LOC", "E-LOC"])  # ["B-PER", "O", "B-LOC", "I-LOC"]

    types_of(["O", "B-LOC", "I-LOC"])          # ("LOC",)
    without_types(["B-DATE", "I-DATE", "O", "B-LOC"], ["DATE"])    # ["O", "O", "O", "B-LOC"]

Both words of a pair of letters mean the same: S and U a word alone, E and L the last of several. An entity begins where
the official scorer sees one begin, so that no conversion changes which words an entity has.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Literal

__all__ = ["TagScheme", "has_endings", "is_tag", "scheme_of", "to_iob2", "types_of", "without_types"]

TagScheme = Literal["IOB2", "IOB1", "IOBES", "BILOU"]

# A space at the end would make a type of its own that looks like another one.
_TAG = re.compile(r"O|[BIESLU]-\S(.*\S)?", re.DOTALL)
_OTHER_LETTERS: dict[str, TagScheme] = {"E": "IOBES", "S": "IOBES", "L": "BILOU", "U": "BILOU"}


def is_tag(tag: str) -> bool:
    """Whether a tag is of one of the schemes: O, or a letter, a dash and a type."""
    return _TAG.fullmatch(tag) is not None


def scheme_of(sentences: Sequence[Sequence[str]]) -> TagScheme:
    """The scheme that these tags are in; IOB1 where most entities open with I-, or B- only parts neighbours."""
    for tags in sentences:
        for tag in tags:
            if (scheme := _OTHER_LETTERS.get(tag.partition("-")[0])) is not None:
                return scheme
    openings = Counter(opening for tags in sentences for opening in _openings(tags))
    return "IOB1" if openings["I"] > openings["B"] or _is_iob1(sentences) else "IOB2"


def _is_iob1(sentences: Sequence[Sequence[str]]) -> bool:
    """Whether B- stands between neighbours of one type alone, however few there are, and entities open with I-."""
    openings = Counter(opening for tags in sentences for opening in _openings(tags))
    return openings["I"] > 0 and openings["B"] == openings["neighbours"]


def has_endings(sentences: Sequence[Sequence[str]]) -> bool:
    """Whether the scheme marks where entities end: official scorers know B- and I- alone, and take them as IOB2."""
    return scheme_of(sentences) in ("IOBES", "BILOU")


def to_iob2(tags: Sequence[str]) -> list[str]:
    """The tags of a sentence of any scheme with every entity's first word B-, the others I-."""
    found: list[str] = []
    kind, over = "", True
    for tag in tags:
        letter, _, now = tag.partition("-")
        opens = letter in "BSU" or now != kind or over
        found.append("O" if tag == "O" else f"{'B' if opens else 'I'}-{now}")
        kind, over = now, letter in "ESLU"
    return found


def types_of(tags: Iterable[str]) -> tuple[str, ...]:
    """The types of entities that stand in tags of any scheme, sorted."""
    return tuple(sorted({tag[2:] for tag in tags if tag != "O"}))


def without_types(tags: Sequence[str], types: Collection[str]) -> list[str]:
    """The tags with O in the place of every entity of these types; no other entity begins or ends elsewhere by it."""
    return ["O" if tag != "O" and tag[2:] in types else tag for tag in tags]


def _openings(tags: Sequence[str]) -> Iterator[str]:
    """The letter of each tag that begins an entity, and "neighbours" for a B- right behind the same type."""
    for tag, before in zip(tags, ["O", *tags], strict=False):
        same = before[2:] == tag[2:] and before != "O"
        if tag.startswith("B-"):
            yield "B"
            if same:
                yield "neighbours"
        elif tag.startswith("I-") and not same:
            yield "I"
