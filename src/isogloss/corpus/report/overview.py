"""The sections of the report about the whole corpus: what is kept, what is dropped, what the steps found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from isogloss.corpus.report.counted import NOTHING, Counted, Unit, decimal, gib, language_name, number, percent, size
from isogloss.corpus.report.histograms import confidence_figure, median_confidence
from isogloss.corpus.report.reasons import meaning_of_note
from isogloss.corpus.sources import NOT_ASKED_FOR
from isogloss.languages import is_known, sampling_shares
from isogloss.report import Block, Cell, Code, Fold, Heading, Link, Table, Text

__all__ = ["ALPHAS", "anchor_of", "files", "overview", "settings_table"]

ALPHAS = (1.0, 0.7, 0.3)
# Above this many, the list of untroubled files tells nobody anything; troubled ones are always all listed.
MAX_FILES_LISTED = 200
# What each column of the duplicates counts, and of which unit it is a share.
DUPLICATES = {
    "duplicate-document": "exact duplicates",
    "near-duplicate": "near-duplicates",
    "repeated-line": "repeated lines",
}


def overview(counted: Counted, *, drawings: bool) -> Iterator[Block]:
    """Everything before the languages one by one, but for the paper's table."""
    yield from _lead(counted)
    yield from _drops(counted)
    yield from _duplicates(counted)
    yield from _identification(counted, drawings=drawings)
    yield from _perplexity(counted)
    yield from _labelled(counted)
    yield from _notes(counted)
    yield from _languages(counted)


def anchor_of(code: str) -> str:
    """The name of a language's own section, for links."""
    return f"language-{code}"


def _lead(counted: Counted) -> Iterator[Block]:
    documents, lines = counted.sum("documents"), counted.sum("lines")
    yield Text(
        f"{number(documents)} documents in {len(counted.kept)} languages, {size(counted.sum('bytes'))} of text, "
        f"out of {number(counted.met('documents'))} documents of {len(counted.files)} files."
    )
    units: tuple[tuple[Unit, int], ...] = (("documents", documents), ("lines", lines))
    rows: list[Sequence[Cell]] = [
        (unit, number(counted.met(unit)), number(kept), percent(kept, counted.met(unit)), number(counted.gone(unit)))
        for unit, kept in units
    ]
    if counted.characters_read:
        read, kept = sum(counted.characters_read.values()), counted.sum("characters")
        rows.append(("characters", number(read), number(kept), percent(kept, read), number(read - kept)))
    yield Table(("", "read", "kept", "of those read", "dropped"), rows)
    yield Text("Lines are the paragraphs of a document. Those of a dropped document are dropped with it.", soft=True)


def _languages(counted: Counted) -> Iterator[Block]:
    yield Heading("Languages")
    kept = counted.kept
    sizes = {code: row["bytes"] for code, row in kept.items() if row["bytes"]}
    shares = [sampling_shares(sizes, alpha=alpha) if sizes else {} for alpha in ALPHAS]
    keys = ("documents", "lines", "characters", "words")
    rows: list[Sequence[Cell]] = [
        (
            *(Link(code, anchor_of(code)), language_name(code)),
            *(number(row[key]) for key in keys),
            gib(row["bytes"]),
            *(percent(share.get(code, 0), 1) for share in shares),
        )
        for code, row in kept.items()
    ]
    sums = [counted.sum(key) for key in keys]
    rows.append((str(len(kept)), "all", *map(number, sums), gib(counted.sum("bytes")), *("" for _ in ALPHAS)))
    head = ("code", "language", *keys, "GiB", *(f"alpha {alpha:g}" for alpha in ALPHAS))
    yield Table(head, rows, words=(0, 1), strong=len(rows) - 1)
    yield Text(
        "GiB are of UTF-8 text, line ends inside documents included. Words are what stands between white space; "
        "languages written without spaces have far more words than this column says. The last columns are shares of "
        "samples drawn by q ∝ p^alpha, with p the share of the bytes.",
        soft=True,
    )
    if strangers := [code for code in kept if not is_known(code)]:
        yield Text(f"Not among the 100 languages of the table, kept under their own codes: {', '.join(strangers)}.")


def _drops(counted: Counted) -> Iterator[Block]:
    yield Heading("Dropped")
    drops = counted.drops()
    if not drops:
        yield Text("Nothing.")
        return
    documents, lines = counted.met("documents"), counted.met("lines")
    steps = list(dict.fromkeys(drop.reason.step for drop in drops))
    rows: list[Sequence[Cell]] = []
    for step in steps:
        mine = [drop for drop in drops if drop.reason.step == step]
        num_documents = sum(drop.count for drop in mine if drop.reason.unit == "documents")
        num_lines = sum(drop.lines for drop in mine)
        rows.append((step, *_with_share(num_documents, documents), *_with_share(num_lines, lines)))
    whole = (*_with_share(counted.gone("documents"), documents), *_with_share(counted.gone("lines"), lines))
    rows.append(("all", *whole))
    yield Table(("step", "documents", "of those read", "lines", "of those read"), rows, strong=len(rows) - 1)
    yield Table(
        ("reason", "step", "dropped", "unit", "of those read", "lines gone", "meaning"),
        [
            (
                *(drop.reason.name, drop.reason.step, number(drop.count), drop.reason.unit),
                percent(drop.count, counted.met(drop.reason.unit), digits=3),
                *(number(drop.lines), drop.reason.meaning),
            )
            for drop in drops
        ],
        words=(0, 1, 3, 6),
    )


def _duplicates(counted: Counted) -> Iterator[Block]:
    drops = {drop.reason.name: drop for drop in counted.drops()}
    found = {name: drops[name] for name in DUPLICATES if name in drops}
    if not found:
        return
    yield Heading("Duplicates")
    yield Table(
        ("", "found", "unit", "of those read"),
        [
            (DUPLICATES[name], number(drop.count), drop.reason.unit, percent(drop.count, counted.met(drop.reason.unit)))
            for name, drop in found.items()
        ],
        words=(0, 2),
    )
    rows = []
    for code in counted.codes:
        counts = {drop.reason.name: drop.count for drop in counted.drops([code])}
        if any(counts.get(name) for name in found):
            whole = [counted.met(found[name].reason.unit, [code]) for name in found]
            cells = [_with_share(counts.get(name, 0), met) for name, met in zip(found, whole, strict=True)]
            rows.append((code, language_name(code), *(cell for pair in cells for cell in pair)))
    head = [cell for name in found for cell in (DUPLICATES[name], f"of {found[name].reason.unit}")]
    yield Fold("Duplicates by language", [Table(("code", "language", *head), rows, words=(0, 1))])


def _identification(counted: Counted, *, drawings: bool) -> Iterator[Block]:
    table = counted.identification
    if not table:
        return
    yield Heading("Identification")
    keys = ("documents", "agreed", "differed")
    documents, agreed, differed = (sum(row[key] for row in table.values()) for key in keys)
    yield Text(
        f"{number(documents)} documents were identified. The two opinions agreed on {number(agreed)} of them "
        f"({percent(agreed, documents)}) and differed on {number(differed)} ({percent(differed, documents)})."
    )
    if drawings:
        counts = [sum(column) for column in zip(*(row["confidence"] for row in table.values()), strict=True)]
        yield confidence_figure(counts, "All languages.")
    rows = [
        (
            *(code, language_name(code), number(row["documents"]), number(row["agreed"]), number(row["differed"])),
            *(percent(row["differed"], row["documents"]), median_confidence(row["confidence"])),
        )
        for code, row in table.items()
    ]
    head = ("code", "language", "documents", "agreed", "differed", "share that differed", "median confidence")
    yield Fold("Identification by language", [Table(head, rows, words=(0, 1))])


def _perplexity(counted: Counted) -> Iterator[Block]:
    table = counted.perplexity
    if not table:
        return
    yield Heading("Perplexity")
    buckets = list(dict.fromkeys(name for row in table.values() for name in row["buckets"]))
    sums = {name: _bucket_sums(table, name) for name in buckets}
    whole = sum(documents for documents, _ in sums.values())
    yield Table(
        ("bucket", "documents kept", "of those kept", "GiB"),
        [(name, *_with_share(documents, whole), gib(num_bytes)) for name, (documents, num_bytes) in sums.items()],
    )
    rows = [
        (
            *(code, language_name(code), _cut(row["head"]), _cut(row["middle"])),
            *(number(row["buckets"].get(name, {}).get("documents", 0)) for name in buckets),
        )
        for code, row in table.items()
    ]
    head = ("code", "language", "head up to", "middle up to", *(f"kept, {name}" for name in buckets))
    yield Fold("Perplexity by language", [Table(head, rows, words=(0, 1))])


def _bucket_sums(table: Mapping[str, Mapping[str, Any]], name: str) -> tuple[int, int]:
    found = [row["buckets"][name] for row in table.values() if name in row["buckets"]]
    return sum(bucket["documents"] for bucket in found), sum(bucket["bytes"] for bucket in found)


def _cut(perplexity: float | None) -> str:
    return NOTHING if perplexity is None else decimal(perplexity)


def _labelled(counted: Counted) -> Iterator[Block]:
    if counted.labelled is None:
        return
    yield Heading("Labelled sets")
    if not counted.labelled:
        yield Text("Nothing of them was found.")
        return
    yield Table(("set", "found"), [(name, number(count)) for name, count in counted.labelled.items()])
    yield Text(
        "Lines or documents that share a long stretch with it; what several sets have counts for the first of them.",
        soft=True,
    )


def _notes(counted: Counted) -> Iterator[Block]:
    sums: dict[str, int] = {}
    for table in counted.noted.values():
        for what, count in table.items():
            sums[what] = sums.get(what, 0) + count
    if sums:
        yield Heading("Noted")
        rows = [(what, number(count), meaning_of_note(what)) for what, count in sorted(sums.items())]
        yield Table(("what", "times", "meaning"), rows, words=(0, 2))


def files(counted: Counted) -> Iterator[Block]:
    """Every file with a problem, and the first of the others."""
    found = counted.files
    unasked = sum(entry["problem"] == NOT_ASKED_FOR for entry in found)
    troubled = [entry for entry in found if entry["problem"] not in ("", NOT_ASKED_FOR)]
    whole = [entry for entry in found if not entry["problem"]]
    yield Heading("Files")
    yield Text(
        f"{number(len(found))} found: {number(len(whole))} read whole, {number(len(troubled))} with a problem, "
        f"{number(unasked)} of languages not asked for."
    )
    listed = troubled + whole[:MAX_FILES_LISTED]
    rows = [(Code(entry["file"]), number(entry["bytes"]), entry["problem"]) for entry in listed]
    inside: list[Block] = [Table(("file", "bytes", "problem"), rows, words=(0, 2))]
    if len(whole) > MAX_FILES_LISTED:
        left = number(len(whole) - MAX_FILES_LISTED)
        inside.append(Text(f"{left} further files without a problem are in manifest.json."))
    yield Fold("File by file", inside)


def settings_table(settings: Mapping[str, Any]) -> Iterator[Block]:
    """Each setting by its full name, as a recipe would say it."""
    yield Heading("Settings")
    rows = [(Code(name), Code(str(value))) for name, value in _flat(settings)]
    yield Table(("setting", "value"), rows, words=(0, 1))


def _flat(settings: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in settings.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{above}{name}.")
        else:
            yield f"{above}{name}", value


def _with_share(part: int, whole: int) -> tuple[str, str]:
    return number(part), percent(part, whole)
