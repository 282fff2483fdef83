"""What a trimmed model says of itself: sizes, what is covered and what no longer is, as data and as a report.

write_outcome(folder, done, choice, name="xlmr-base")    # trim.json, report.md, report.html
done, choice = read_outcome(folder)
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from isogloss.manifest import write_json
from isogloss.report import Block, Code, Fold, Heading, Table, Text, to_markdown, to_page
from isogloss.vocab.trimming import LanguageTrim

__all__ = ["TRIM_NAME", "Size", "Trim", "read_outcome", "write_outcome"]

TRIM_NAME = "trim.json"
NUM_REPORTED = 20


@dataclass(frozen=True)
class Size:
    """``rows`` are more than ``pieces`` where weights are padded; ``bytes`` are of weights, settings and tokenizer."""

    pieces: int
    rows: int
    parameters: int
    bytes: int


@dataclass(frozen=True)
class Trim:
    """What was done: ``scripts`` counts learned pieces before and after; ``languages`` is empty without text.

    ``num_compared`` texts were given to both models, whose hidden states were equal to the bit.
    """

    path: str
    head: str
    before: Size
    after: Size
    languages: Mapping[str, LanguageTrim]
    scripts: Mapping[str, tuple[int, int]]
    num_compared: int

    @property
    def share(self) -> float:
        """Bytes after, as a share of those before."""
        return self.after.bytes / self.before.bytes


def write_outcome(folder: Path, done: Trim, choice: Mapping[str, Any], *, name: str) -> None:
    """Write trim.json, with the ``choice`` of settings that led to it, and the report of the model called ``name``."""
    said = {key: value for key, value in dataclasses.asdict(done).items() if key != "path"}
    write_json(folder / TRIM_NAME, {"settings": dict(choice), **said})
    blocks = list(_report(done, choice, name))
    (folder / "report.md").write_text(to_markdown(blocks), encoding="utf-8")
    (folder / "report.html").write_text(to_page(f"{name}, trimmed", blocks), encoding="utf-8")


def read_outcome(folder: Path) -> tuple[Trim, dict[str, Any]]:
    """What was written."""
    said = json.loads((folder / TRIM_NAME).read_text(encoding="utf-8"))
    choice = said.pop("settings")
    lists = ("dropped", "unknown_characters")
    said["languages"] = {
        code: LanguageTrim(**{**row, **{key: tuple(map(tuple, row[key])) for key in lists}})
        for code, row in said["languages"].items()
    }
    said["scripts"] = {script: tuple(counts) for script, counts in said["scripts"].items()}
    said["before"], said["after"] = Size(**said["before"]), Size(**said["after"])
    return Trim(path=str(folder), **said), choice


def _report(done: Trim, choice: Mapping[str, Any], name: str) -> Iterator[Block]:
    yield Heading(f"{name}, trimmed", level=1)
    yield Text(
        "Of a text that the kept pieces cover, hidden states and task logits are the same to the bit: so they were on "
        f"{done.num_compared} texts that both models were given."
    )
    facts = [(one.name, getattr(done.before, one.name), getattr(done.after, one.name)) for one in _fields()]
    rows = [(fact, f"{old:,}", f"{new:,}", f"{new / old:.1%}") for fact, old, new in facts]
    yield Table(("", "before", "after", "share"), rows)
    yield Heading("Covered")
    if not done.languages:
        yield Text(
            f"Chosen without text, for {', '.join(choice['languages'])}: the pieces without a letter of another script."
        )
    else:
        yield from _covered(done, choice)
        yield Heading("No longer covered")
        for code, row in done.languages.items():
            yield Fold(code, list(_not_covered(row)))
    yield Heading("Pieces by script")
    yield Text(
        "Of the first letter's script; Zyyy: without a letter, Zzzz: of a script without a name here.", soft=True
    )
    counts = [(script, f"{old:,}", f"{new:,}") for script, (old, new) in done.scripts.items()]
    yield Table(("script", "before", "after"), counts)


def _covered(done: Trim, choice: Mapping[str, Any]) -> Iterator[Block]:
    yield Text(
        f"Kept are the most frequent pieces that make up {choice['coverage']:.2%} of the occurrences of each language, "
        "and single characters. A text is a line; it is unchanged when it is divided into the same pieces. New: at "
        "most about this share of occurrences in more text of the same kind is of pieces that were not met in it."
    )
    head = ("language", "texts", "unchanged", "covered", "pieces used", "kept", "per text", "after", "unknown", "after")
    rows = [
        (
            code,
            f"{row.texts:,}",
            f"{row.unchanged / max(row.texts, 1):.2%}",
            f"{row.coverage:.3%}",
            f"{row.distinct:,}",
            f"{row.distinct_kept:,}",
            f"{row.pieces / max(row.texts, 1):.2f}",
            f"{row.pieces_after / max(row.texts, 1):.2f}",
            f"{row.unknown:,}",
            f"{row.unknown_after:,}",
            f"{row.unmet_share:.2%}",
        )
        for code, row in done.languages.items()
    ]
    yield Table((*head, "new"), rows)


def _not_covered(row: LanguageTrim) -> Iterator[Block]:
    gone = row.distinct - row.distinct_kept
    yield Text(f"{gone:,} pieces that were used and are dropped, {row.pieces - row.covered:,} occurrences.")
    if row.dropped:
        shown = [(Code(piece), f"{times:,}") for piece, times in row.dropped[:NUM_REPORTED]]
        yield Table(("piece", "occurrences"), shown)
    if row.unknown_characters:
        yield Text("Characters without a piece, before as after:")
        shown = [
            (Code(f"{character} U+{ord(character):04X}"), f"{times:,}")
            for character, times in row.unknown_characters[:NUM_REPORTED]
        ]
        yield Table(("character", "occurrences"), shown)


def _fields() -> tuple[dataclasses.Field[Any], ...]:
    return dataclasses.fields(Size)
