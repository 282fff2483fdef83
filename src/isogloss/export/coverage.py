"""What the smaller vocabulary of an export still knows: of each language's text, or of sentences in its script.

covered = coverage_of(trimmed, before, after, languages=("sw", "th"))
covered["th"].unknown_share
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from isogloss.languages import script_of
from isogloss.trim import Trim
from isogloss.vocab import Vocabulary
from isogloss.vocab.probes import all_probes

__all__ = ["Coverage", "coverage_of"]


@dataclass(frozen=True)
class Coverage:
    """Of `texts` of a language, how many are divided into the same pieces as before, and how much of them is <unk>.

    `of` says which texts: the corpus's, or sentences in the language's script that isogloss has. Shares of unknown
    pieces are before and after; `unchanged_share` is of texts.
    """

    of: str
    texts: int
    unchanged_share: float
    unknown_share_before: float
    unknown_share: float


def coverage_of(
    trimmed: Trim, before: Vocabulary, after: Vocabulary, *, languages: Collection[str]
) -> dict[str, Coverage]:
    """By language: of the text that pieces were chosen by, else of the probes in its script."""
    found = {
        code: Coverage(
            "text",
            row.texts,
            row.unchanged / max(row.texts, 1),
            row.unknown / max(row.pieces, 1),
            row.unknown_after / max(row.pieces_after, 1),
        )
        for code, row in trimmed.languages.items()
    }
    for code in languages if not found else ():
        probes = [probe.text for probe in all_probes() if probe.script == script_of(code) and not probe.special]
        found[code] = _on_probes(before, after, probes)
    return found


def _on_probes(before: Vocabulary, after: Vocabulary, texts: Sequence[str]) -> Coverage:
    old, new = before.encode(texts), after.encode(texts)
    same = [
        [before.piece(index) for index in one] == [after.piece(index) for index in other]
        for one, other in zip(old, new, strict=True)
    ]
    shares = [
        float(np.mean(np.concatenate(ids) == vocabulary.unk_id)) if texts else 0.0
        for vocabulary, ids in ((before, old), (after, new))
    ]
    return Coverage("probes", len(texts), float(np.mean(same)) if texts else 1.0, *shares)
