"""Zawgyi against Unicode Burmese, and Mon: by orders of code points that only one of them has.

Zawgyi is an encoding of Burmese on the same code points, made for fonts: what stands left of a consonant on the page
stands before it in the text, and it uses several code points for other signs than Unicode does (UTN 11; the Unicode
FAQ on Myanmar scripts). So the two differ in which sequences they can hold at all:

    U+1031 (vowel sign e) is left of its consonant: before it in Zawgyi, after it in Unicode
    U+1039 kills a vowel visibly in Zawgyi, at the end of a syllable; in Unicode it stacks, so a consonant follows
    U+103A is medial ya in Zawgyi, which a vowel sign may follow; in Unicode it kills the vowel
    U+103B is medial ra in Zawgyi, left of its consonant; in Unicode medial ya, after it
    U+1060-1097 are stacked and other forms in Zawgyi, letters of Shan, Karen and others in Unicode
    U+103E is not used in Zawgyi; in Unicode it is medial ha, which is frequent
"""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = ["decide_burmese", "zawgyi_score"]

_CONSONANT = "\u1000-\u1021\u103f"
_MEDIAL = "\u103b-\u103e"
_VOWEL = "\u102b-\u1032\u1036"
# Pattern → what one finding weighs for Zawgyi (above zero) or Unicode. One and a half: impossible in the other; one:
# hardly ever there; half: rare there. Patterns that overlap share what they find.
WEIGHTS: tuple[tuple[str, float], ...] = (
    (f"(?<![{_CONSONANT}{_MEDIAL}])\u1031[{_CONSONANT}\u103b\u107e-\u1084]", 1.5),
    (f"\u1039(?![{_CONSONANT}\u1022-\u1027])", 1.5),
    (f"\u103a[{_VOWEL}\u1039\u103c\u103d]", 1.0),
    (f"(?<![{_CONSONANT}\u1039])\u103b[{_CONSONANT}]", 1.0),
    ("[\u1060-\u1097]", 0.5),
    (f"[{_CONSONANT}{_MEDIAL}]\u1031(?![{_CONSONANT}{_MEDIAL}\u1075-\u1084\u1031])", -1.5),
    (f"[{_CONSONANT}]\u1039[{_CONSONANT}]", -1.0),
    (f"[{_CONSONANT}{_MEDIAL}\u102c\u102b\u1031]\u103a(?![{_VOWEL}\u1039\u103c\u103d])", -0.5),
    ("\u103e", -1.0),
)
_COMPILED = tuple((re.compile(pattern), weight) for pattern, weight in WEIGHTS)
# Letters and signs of Mon that neither Burmese nor Zawgyi uses.
_MON = re.compile("[\u1028\u1035\u105b-\u105f]")


def zawgyi_score(text: str) -> float:
    """The sum of the findings: above zero speaks for Zawgyi, below for Unicode; 0 where nothing speaks."""
    return sum(weight * len(pattern.findall(text)) for pattern, weight in _COMPILED)


def decide_burmese(texts: Sequence[str], *, min_mon: float) -> list[str]:
    """``my``, ``my-Qaag`` or ``mnw`` of each text; "" where nothing speaks for either.

    Mon needs a share of ``min_mon`` of the characters to be its own.
    """
    found = []
    for text in texts:
        score = zawgyi_score(text)
        if len(_MON.findall(text)) >= max(1.0, min_mon * len(text)):
            found.append("mnw")
        else:
            found.append("my-Qaag" if score > 0 else "my" if score < 0 else "")
    return found
