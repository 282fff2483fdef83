"""How well a vocabulary serves each language: pieces per word, characters per piece, unknown text.

measured = measure_pieces(vocabulary, corpus.documents("sw"), "sw", characters=1_000_000)
write_report(folder, vocabulary, {"sw": measured}, plan)      # report.md and report.json
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from isogloss.languages import is_known, language
from isogloss.manifest import write_json
from isogloss.vocab.layout import Vocabulary
from isogloss.vocab.sample import LanguageSample

__all__ = ["LanguagePieces", "measure_pieces", "report_rows", "write_report"]

# Enough for three digits of every figure, at a fraction of a second a language.
MEASURED_CHARACTERS = 300_000


@dataclass(frozen=True)
class LanguagePieces:
    """Counts over a sample of one language's text."""

    characters: int
    words: int | None
    pieces: int
    unknown: int
    distinct: int

    @property
    def pieces_per_word(self) -> float | None:
        """The language's fertility; None where words are not divided by spaces."""
        return self.pieces / self.words if self.words else None

    @property
    def pieces_per_character(self) -> float:
        """Fertility that also compares languages written without spaces; white space is not counted."""
        return self.pieces / self.characters if self.characters else 0.0

    @property
    def unknown_rate(self) -> float:
        """Share of the pieces that are ``<unk>``; a run of unknown characters is one piece."""
        return self.unknown / self.pieces if self.pieces else 0.0


def measure_pieces(
    vocabulary: Vocabulary, documents: Iterable[str], code: str, *, characters: int, seed: int = 0
) -> LanguagePieces:
    """Encode a sample of ``documents`` (which hold ``characters`` in all) and count."""
    texts = list(_some_of(documents, MEASURED_CHARACTERS / max(characters, 1), random.Random(f"report/{seed}/{code}")))
    spaced = not is_known(code) or language(code).word_division != "none"
    ids = np.concatenate([np.empty(0, np.int32), *vocabulary.encode(texts, num_threads=-1)])
    words = [word for text in texts for word in text.split()]
    return LanguagePieces(
        characters=sum(len(word) for word in words),
        words=len(words) if spaced else None,
        pieces=len(ids),
        unknown=int(np.count_nonzero(ids == vocabulary.unk_id)),
        distinct=len(np.unique(ids)),
    )


def report_rows(
    measured: Mapping[str, LanguagePieces], plan: Mapping[str, LanguageSample]
) -> dict[str, dict[str, Any]]:
    """What the report says of each language, as plain values."""
    return {
        code: {
            **asdict(plan[code]),
            **asdict(pieces),
            "pieces_per_word": pieces.pieces_per_word,
            "pieces_per_character": pieces.pieces_per_character,
            "unknown_rate": pieces.unknown_rate,
        }
        for code, pieces in measured.items()
    }


def write_report(
    folder: Path, vocabulary: Vocabulary, measured: Mapping[str, LanguagePieces], plan: Mapping[str, LanguageSample]
) -> dict[str, dict[str, Any]]:
    """Write report.json and report.md into ``folder``; returns the rows."""
    rows = report_rows(measured, plan)
    write_json(folder / "report.json", {"size": vocabulary.size, "languages": rows})
    lines = [
        f"# Pieces: {vocabulary.size:,} ids, {len(rows)} languages",
        "",
        "Share: part of the training sample, q ∝ p^alpha. Repeats: how often each line was taken, on average. Unknown:",
        "share of the pieces that are `<unk>`. Distinct: how many different pieces the measured text uses.",
        "",
        "| language | share | repeats | pieces per word | pieces per character | unknown | distinct |",
        "|---|---:|---:|---:|---:|---:|---:|",
        *(_markdown_row(code, row) for code, row in sorted(rows.items(), key=lambda item: -item[1]["share"])),
    ]
    (folder / "report.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return rows


def _markdown_row(code: str, row: Mapping[str, Any]) -> str:
    per_word = "–" if row["pieces_per_word"] is None else f"{row['pieces_per_word']:.2f}"
    return (
        f"| {code} | {row['share']:.2%} | {row['repeats']:.2f} | {per_word} | {row['pieces_per_character']:.3f} "
        f"| {row['unknown_rate']:.3%} | {row['distinct']:,} |"
    )


def _some_of(documents: Iterable[str], share: float, draw: random.Random) -> Iterator[str]:
    """Each document with probability ``share``; the first one always, so that no language goes unmeasured."""
    for index, document in enumerate(documents):
        if draw.random() < share or index == 0:
            yield document
