"""report.md: what a corpus holds, and every reason why something is not in it.

The tables come from the manifest's statistics alone, so a report can be written again from a finished corpus.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from isogloss.config import Settings
from isogloss.corpus.reasons import DOCUMENT_REASONS, LINE_REASONS, NOTES
from isogloss.corpus.sources import NOT_ASKED_FOR
from isogloss.languages import is_known, language, sampling_shares

__all__ = ["render_report", "write_report"]

ALPHAS = (1.0, 0.7, 0.3)
# Above this many, the list of untroubled files tells nobody anything; troubled ones are always all listed.
MAX_FILES_LISTED = 200


def write_report(folder: Path, statistics: Mapping[str, Any], settings: Settings) -> None:
    """Write ``folder/report.md``."""
    (folder / "report.md").write_text(render_report(statistics, settings), encoding="utf-8")


def render_report(statistics: Mapping[str, Any], settings: Settings) -> str:
    """The report as Markdown."""
    parts = ["# Corpus report", *_languages(statistics), *_drops(statistics), *_notes(statistics), *_files(statistics)]
    chosen = settings.model_dump(mode="json", exclude={"input", "output", "engine"})
    parts += ["## Settings", _table(("setting", "value"), [(key, f"`{value}`") for key, value in chosen.items()])]
    return "\n\n".join(parts) + "\n"


def _languages(statistics: Mapping[str, Any]) -> Iterable[str]:
    kept: Mapping[str, Mapping[str, int]] = statistics["languages"]
    yield "## Languages"
    shares = [sampling_shares({code: row["bytes"] for code, row in kept.items()}, alpha=alpha) for alpha in ALPHAS]
    keys = ("documents", "lines", "characters", "words", "bytes")
    rows = [
        (code, _name(code), *(_number(row[key]) for key in keys), *(f"{100 * share[code]:.2f} %" for share in shares))
        for code, row in kept.items()
    ]
    totals = tuple(_number(sum(row[key] for row in kept.values())) for key in keys)
    rows.append((f"**{len(kept)}**", "**all**", *totals, *("" for _ in ALPHAS)))
    yield _table(("code", "language", *keys, *(f"share, alpha {alpha:g}" for alpha in ALPHAS)), rows)
    yield (
        "Bytes are of UTF-8 text, line ends inside documents included. Words are what stands between white space; "
        "languages written without spaces have far more words than this column says."
    )
    if strangers := [code for code in kept if not is_known(code)]:
        yield f"Not among the 100 languages of the table, kept under their own codes: {', '.join(strangers)}."


def _drops(statistics: Mapping[str, Any]) -> Iterable[str]:
    yield "## Dropped"
    rows = []
    for code, reasons in statistics["dropped"].items():
        for reason, count in reasons.items():
            read = statistics["read"][code]["documents" if reason in DOCUMENT_REASONS else "lines"]
            unit = "documents" if reason in DOCUMENT_REASONS else "lines"
            lines = statistics["dropped_lines"].get(code, {}).get(reason, 0)
            share = f"{100 * count / read:.3f} %"
            rows.append((code, reason, f"{_number(count)} {unit}", share, _number(lines), _meaning(reason)))
    if not rows:
        yield "Nothing."
        return
    yield _table(("code", "reason", "dropped", "of those read", "lines gone", "meaning"), rows)


def _notes(statistics: Mapping[str, Any]) -> Iterable[str]:
    rows = [
        (code, what, _number(n), NOTES[what])
        for code, table in statistics["noted"].items()
        for what, n in table.items()
    ]
    if rows:
        yield "## Noted"
        yield _table(("code", "what", "times", "meaning"), rows)


def _files(statistics: Mapping[str, Any]) -> Iterable[str]:
    files: Sequence[Mapping[str, Any]] = statistics["files"]
    unasked = sum(entry["problem"] == NOT_ASKED_FOR for entry in files)
    troubled = [entry for entry in files if entry["problem"] not in ("", NOT_ASKED_FOR)]
    whole = [entry for entry in files if not entry["problem"]]
    yield "## Files"
    yield (
        f"{_number(len(files))} found: {_number(len(whole))} read whole, {_number(len(troubled))} with a problem, "
        f"{_number(unasked)} of languages not asked for."
    )
    listed = troubled + whole[:MAX_FILES_LISTED]
    rows = [(_cell(entry["file"]), _number(entry["bytes"]), _cell(entry["problem"])) for entry in listed]
    yield _table(("file", "bytes", "problem"), rows)
    if len(whole) > MAX_FILES_LISTED:
        yield f"{_number(len(whole) - MAX_FILES_LISTED)} further files without a problem are in manifest.json."


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _name(code: str) -> str:
    return language(code).name if is_known(code) else "–"


def _meaning(reason: str) -> str:
    return (DOCUMENT_REASONS | LINE_REASONS)[reason]


def _number(value: int) -> str:
    return f"{value:,}"
