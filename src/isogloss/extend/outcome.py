"""What an extended model says of itself: pieces added, what they do to each language, as data and as a report.

write_outcome(folder, done, choice, name="xlmr-base")    # extend.json, report.md, report.html
done, choice = read_outcome(folder)
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from isogloss.manifest import write_json
from isogloss.report import Block, Fold, Heading, Table, Text, to_markdown, to_page
from isogloss.vocab.changes import WordsChanged
from isogloss.vocab.measuring import LanguagePieces

__all__ = ["OUTCOME_NAME", "Extended", "read_outcome", "write_outcome"]

OUTCOME_NAME = "extend.json"
NUM_SHOWN = 60


@dataclass(frozen=True)
class Extended:
    """What was done; ``languages`` are the new ones, ``others`` all else that the corpus has.

    ``rows`` counts how the new rows were begun: ``mean`` of the pieces they were cut into before, of ``similar`` ones,
    or ``drawn`` where the old vocabulary knows no character of a piece. ``num_compared`` texts without a new piece were
    given to both models, whose hidden states were equal to the bit.
    """

    path: str
    head: str
    num_before: int
    num_added: int
    num_new_characters: int
    rows: Mapping[str, int]
    languages: Mapping[str, WordsChanged]
    others: Mapping[str, WordsChanged]
    heaviest: tuple[str, ...]
    num_compared: int


def write_outcome(folder: Path, done: Extended, choice: Mapping[str, Any], *, name: str) -> None:
    """Write extend.json, with the ``choice`` of settings that led to it, and the report of the model ``name``."""
    said = {key: value for key, value in dataclasses.asdict(done).items() if key != "path"}
    write_json(folder / OUTCOME_NAME, {"settings": dict(choice), **said})
    blocks = list(_report(done, choice, name))
    (folder / "report.md").write_text(to_markdown(blocks), encoding="utf-8")
    (folder / "report.html").write_text(to_page(f"{name}, extended", blocks), encoding="utf-8")


def read_outcome(folder: Path) -> tuple[Extended, dict[str, Any]]:
    """What was written."""
    said = json.loads((folder / OUTCOME_NAME).read_text(encoding="utf-8"))
    choice = said.pop("settings")
    for key in ("languages", "others"):
        said[key] = {code: _changed(row) for code, row in said[key].items()}
    said["heaviest"] = tuple(said["heaviest"])
    return Extended(path=str(folder), **said), choice


def _changed(row: Mapping[str, Any]) -> WordsChanged:
    sides = {side: LanguagePieces(**row[side]) for side in ("before", "after")}
    return WordsChanged(**{**row, **sides, "examples": tuple(map(tuple, row["examples"]))})


def _report(done: Extended, choice: Mapping[str, Any], name: str) -> Iterator[Block]:
    yield Heading(f"{name}, extended", level=1)
    yield Text(
        f"{done.num_added:,} pieces more than the {done.num_before:,} there were, {done.num_new_characters:,} of them "
        f"single characters, for {', '.join(choice['languages'])}. Old pieces keep their ids and scores; <mask> is the "
        f"last one again. On {done.num_compared} texts without a new piece both models had the same hidden states, to "
        "the bit."
    )
    yield Heading("Languages")
    yield Text(
        "Before and after. Bits: of the best segmentation, scores made to sum to one. Unknown: characters without a "
        "piece. Changed: words cut otherwise than before.",
        soft=True,
    )
    yield _table(done.languages)
    if done.others:
        yield Heading("Other languages of the corpus")
        yield _table(done.others)
        for code, row in done.others.items():
            if row.examples:
                yield Fold(f"{code}: words cut otherwise", [Table(("word", "before", "after"), row.examples)])
    yield Heading("New rows")
    yield Text("Where the embeddings and biases of new pieces began.")
    yield Table(("from", "pieces"), [(word, f"{count:,}") for word, count in done.rows.items()])
    yield Fold("the heaviest new pieces", [Text(" ".join(done.heaviest))])


def _table(languages: Mapping[str, WordsChanged]) -> Table:
    head = ("language", "pieces a word", "pieces a character", "bits a character", "unknown", "changed")
    return Table(head, [_row(code, row) for code, row in languages.items()])


def _row(code: str, row: WordsChanged) -> tuple[str, ...]:
    sides = (row.before, row.after)

    def both(values: Iterable[float | None], form: str) -> str:
        return " → ".join("–" if value is None else format(value, form) for value in values)

    return (
        code,
        both((side.pieces_per_word for side in sides), ".2f"),
        both((side.pieces_per_character for side in sides), ".3f"),
        both((side.bits_per_character for side in sides), ".2f"),
        both((side.unknown_character_rate for side in sides), ".2%"),
        f"{row.share_changed:.2%}",
    )
