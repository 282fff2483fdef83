"""How well a corpus was built from a made crawl: its records beside the truth, as Markdown and JSON.

    python benchmarks/corpus_truth/score.py corpus=corpus truth=made/truth.jsonl.zst output=score

OUTPUT/score.md is for people, OUTPUT/score.json has every number. Build with keep_dropped=true to have the reasons of
what is gone, and with them the precision of each step. The last line is JSON.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from make import read_settings
from measures import measure
from outcomes import read_outcomes
from pydantic import Field
from truth import read_truth

from isogloss.config import Settings
from isogloss.errors import IsoglossError
from isogloss.manifest import write_json


class ScoreSettings(Settings):
    """Which corpus, and what is known of the crawl it was made from."""

    corpus: Path = Field(description="the corpus folder")
    truth: Path = Field(description="truth.jsonl.zst of the crawl")
    output: Path = Field(description="the folder to write score.md and score.json into")


def score(settings: ScoreSettings) -> dict[str, Any]:
    """Measure, write both files, and return the measures."""
    measured = measure(read_outcomes(settings.corpus, read_truth(settings.truth)))
    settings.output.mkdir(parents=True, exist_ok=True)
    write_json(settings.output / "score.json", measured)
    (settings.output / "score.md").write_text("\n\n".join(render(measured)) + "\n", encoding="utf-8")
    return measured


def render(measured: Mapping[str, Any]) -> Iterator[str]:
    """The measures as Markdown, a paragraph or a table at a time."""
    yield "# A corpus beside the truth"
    yield f"{measured['pages']:,} pages in the files that were read; {measured['strangers']:,} records of other pages."
    if not measured["has_reasons"]:
        yield "The corpus keeps no dropped documents (keep_dropped=true), so there are no reasons, and no precision."
    yield from _summary(measured)
    yield from _languages(measured["identification"])
    yield from _removals(measured)
    yield from _reading(measured["reading"])
    yield from _good_text(measured["good_text"])


def _summary(measured: Mapping[str, Any]) -> Iterator[str]:
    identified, foreign = measured["identification"], measured["foreign_lines"]
    repeated, labelled = measured["repeated_lines"], measured["labelled"]
    duplicates = measured["duplicates"]
    nothing = {"pages": 0, "recall": None}
    exact, near = (duplicates["kinds"].get(f"{kind}-duplicate", nothing) for kind in ("exact", "near"))
    rows = [
        ("language of a document", identified["documents"], identified["accuracy"], None),
        ("  mean over languages", len(identified["languages"]), identified["mean_accuracy"], None),
        ("foreign lines", foreign["lines"], foreign["recall"], foreign["precision"]),
        ("exact duplicates", *_row(exact, "pages"), duplicates["precision"]),
        ("near-duplicates", *_row(near, "pages"), duplicates["precision"]),
        ("copies of boilerplate lines", *_row(repeated["boilerplate"], "copies"), repeated["precision"]),
        ("copies of other repeated lines", *_row(repeated["other"], "copies"), repeated["precision"]),
        ("labelled texts", *_together(labelled["kinds"].values(), "texts"), labelled["precision"]),
        ("short pages", *_row(measured["short"], "pages"), None),
        ("secrets in kept pages", *_row(measured["personal"], "in_kept_pages"), None),
    ]
    yield _table(
        ("what", "number", "found", "precision"),
        [(what, f"{number:,}", _percent(found), _percent(precision)) for what, number, found, precision in rows],
    )
    yield (
        f"Of {measured['good_text']['characters']:,} characters of good text, "
        f"{_percent(measured['good_text']['lost'])} are lost. Duplicates share one precision: that of all removals for "
        "being a duplicate. Text that stood twice before anything was done to it counts against it."
    )


def _languages(identified: Mapping[str, Any]) -> Iterator[str]:
    yield "## Identification"
    if not identified["documents"]:
        yield "No document has a language."
        return
    names = ("documents", "right", "wrong", "undecided")
    for title, key in (("script", "scripts"), ("language", "languages")):
        rows = [
            (
                code,
                *(f"{row[name]:,}" for name in names),
                _percent(row["accuracy"]),
                *((_percent(row["precision"]), _listed(row["confused_with"])) if key == "languages" else ()),
            )
            for code, row in identified[key].items()
        ]
        yield _table((title, *names, "accuracy", *(("precision", "taken for") if key == "languages" else ())), rows)
    yield "Languages outside the table, of which nothing is to be kept:"
    yield _table(
        ("language", "documents", "kept", "kept as"),
        [(code, row["documents"], row["kept"], _listed(row["kept_as"])) for code, row in identified["outside"].items()],
    )


def _removals(measured: Mapping[str, Any]) -> Iterator[str]:
    duplicates, repeated = measured["duplicates"], measured["repeated_lines"]
    yield "## Duplicates"
    yield (
        f"{duplicates['clusters']:,} clusters of pages made from one another, of which {duplicates['clusters_lost']:,} "
        f"are not in the corpus at all; {duplicates['taken_wrongly']:,} other pages were taken for duplicates."
    )
    yield _table(
        ("kind", "pages", "gone", "found", "their text left", "reasons"),
        [
            (
                name,
                row["pages"],
                row["gone"],
                _percent(row["recall"]),
                _percent(row["text_left"]),
                _listed(row["reasons"]),
            )
            for name, row in duplicates["kinds"].items()
        ],
    )
    yield "## Repeated lines"
    yield _table(
        ("kind", "lines", "copies", "copies gone", "none left"),
        [
            (name, row["lines"], row["copies"], _percent(row["recall"]), row["none_left"])
            for name, row in repeated.items()
            if name in ("boilerplate", "other")
        ],
    )
    left = {form: _percent(part) for form, part in repeated["boilerplate_left"].items()}
    yield f"Boilerplate lines left, by form: {_listed(left)}."
    yield "## Foreign lines, labelled texts"
    scripts = measured["foreign_lines"]["by_script"]
    rows = [(f"foreign, {name}", row["lines"], _percent(row["recall"])) for name, row in scripts.items()]
    kinds = measured["labelled"]["kinds"]
    rows += [(f"{name} texts", row["texts"], _percent(row["recall"])) for name, row in kinds.items()]
    yield _table(("kind", "number", "gone"), rows)
    yield (
        f"Lines taken as foreign, by kind: {_listed(measured['foreign_lines']['taken'])}. Taken as labelled: "
        f"{_listed(measured['labelled']['taken'])}. Taken as short: {_listed(measured['short']['taken'])}."
    )


def _reading(reading: Mapping[str, Any]) -> Iterator[str]:
    yield "## Broken records"
    yield _table(
        ("reason", "made", "counted by the build"),
        [(reason, row["made"], row["counted"]) for reason, row in reading["broken"].items()],
    )
    yield f"Readable pages: {_listed(reading['readable'])}. Kept though broken: {reading['kept_though_broken']}."


def _good_text(good: Mapping[str, Any]) -> Iterator[str]:
    yield "## Good text lost"
    yield _table(
        ("reason", "whole pages", "lines", "characters", "of all", "in WET", "in WARC"),
        [
            (reason, row["pages"], row["lines"], row["characters"], _percent(row["share"]), row["wet"], row["warc"])
            for reason, row in good["reasons"].items()
        ],
    )


def _together(rows: Iterable[Mapping[str, Any]], number: str) -> tuple[int, float | None]:
    counted = list(rows)
    total, gone = sum(row[number] for row in counted), sum(row["gone"] for row in counted)
    return total, gone / total if total else None


def _gone(row: Mapping[str, Any]) -> tuple[int, int, str]:
    return row["pages"], row["gone"], _percent(row["recall"])


def _row(row: Mapping[str, Any], number: str) -> tuple[int, float | None]:
    return row[number], row["recall"]


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *([str(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _listed(counts: Mapping[str, object]) -> str:
    return ", ".join(f"{name or 'no reason'} {number}" for name, number in counts.items()) or "none"


def _percent(part: float | None) -> str:
    return "–" if part is None else f"{100 * part:.1f} %"


def main() -> None:
    try:
        settings = read_settings(ScoreSettings, sys.argv[1:])
        assert isinstance(settings, ScoreSettings)
        measured = score(settings)
    except IsoglossError as error:
        sys.exit(f"error: {error}")
    print((settings.output / "score.md").read_text(encoding="utf-8"))
    print(json.dumps({"benchmark": "corpus_truth/score", **measured}))


if __name__ == "__main__":
    main()
