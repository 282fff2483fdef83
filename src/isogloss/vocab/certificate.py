"""What a check of a vocabulary found: how much was compared with which program, each difference, and both as text.

certificate.agrees, certificate.differences[0].script, certificate.differences[0].ours
print(certificate.table())
"""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["KINDS", "Certificate", "Difference"]

# How much of a text is shown.
SHOWN_CHARACTERS = 60
KINDS = ("ids", "offsets", "round trip", "frame", "pieces")
# What a terminal does not show, or shows as part of another character.
_HIDDEN = re.compile("[\0-\x1f\x7f-\xa0\xad\u0300-\u036f\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufe0f\ufeff]")


@dataclass(frozen=True)
class Difference:
    """One thing in which two programs differ: of which probe, and what each says around the first difference."""

    against: str
    kind: str
    script: str
    name: str
    text: str
    ours: str
    theirs: str

    def __str__(self) -> str:
        where = f"{self.script} ({self.name}): {self.kind} of '{_HIDDEN.sub(_escaped, self.text)}'"
        return f"{where}\n    isogloss: {self.ours}\n    {self.against}: {self.theirs}"


@dataclass(frozen=True)
class Certificate:
    """What was compared and where it differs; ``compared`` counts by program and kind."""

    vocabulary: str
    fingerprint: str
    size: int
    num_probes: int
    scripts: tuple[str, ...]
    compared: dict[str, dict[str, int]]
    differences: tuple[Difference, ...]
    notes: tuple[str, ...]

    @property
    def agrees(self) -> bool:
        """Whether nothing differs."""
        return not self.differences

    def num_different(self, against: str, kind: str) -> int:
        """How many comparisons of this kind with this program differ."""
        return sum(found.against == against and found.kind == kind for found in self.differences)

    def table(self) -> str:
        """Equal of compared, a program a line."""
        rows = [["equal of compared", *KINDS]]
        for against, counts in self.compared.items():
            cells = (
                f"{counts[kind] - self.num_different(against, kind)}/{counts[kind]}" if kind in counts else "–"
                for kind in KINDS
            )
            rows.append([against, *cells])
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
        head = f"{self.vocabulary}: {self.size:,} ids, {self.num_probes} probes in {len(self.scripts)} scripts"
        return "\n".join([head, "", *lines, "", *(f"note: {note}" for note in self.notes)])


def _escaped(hidden: re.Match[str]) -> str:
    return f"\\u{ord(hidden[0]):04x}"
