"""The languages one by one: counts, drops, what the steps found, and samples of what was kept and dropped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from isogloss.corpus.report.counted import NOTHING, Counted, language_name, number, percent, size
from isogloss.corpus.report.histograms import (
    confidence_figure,
    confidence_text,
    perplexity_figure,
    perplexity_table,
)
from isogloss.corpus.report.overview import anchor_of
from isogloss.corpus.report.reasons import ORDER, explain
from isogloss.corpus.report.samples import Sample, Shown
from isogloss.corpus.tally import UNKNOWN_LANGUAGE
from isogloss.report import Block, Fold, Heading, Quotation, Quotations, Table, Text

__all__ = ["by_language"]


def by_language(counted: Counted, shown: Shown, *, drawings: bool) -> Iterator[Block]:
    """A fold for each language that anything is said of."""
    yield Heading("Each language")
    if shown.samples:
        left_out = f" {number(shown.left_out)} more are in samples.jsonl." if shown.left_out else ""
        yield Text(
            "With samples of what was kept and of what was dropped for each reason, chosen by a hash of their names. "
            f"Here their texts are clipped to {number(shown.characters)} characters.{left_out}",
            soft=True,
        )
    samples: dict[str, list[Sample]] = {}
    for sample in shown.samples:
        samples.setdefault(sample.language, []).append(sample)
    for code in sorted({*counted.codes, *samples}):
        blocks = [*_counts(counted, code), *_found(counted, code, drawings=drawings), *_samples(samples.get(code, []))]
        yield Fold(_title(counted, code), blocks, anchor=anchor_of(code))


def _title(counted: Counted, code: str) -> str:
    kept = counted.kept.get(code, {"documents": 0, "bytes": 0})
    dropped = percent(counted.gone("documents", [code]), counted.met("documents", [code]))
    name = code if language_name(code) == NOTHING else f"{code} {language_name(code)}"
    return f"{name}: {number(kept['documents'])} documents, {size(kept['bytes'])}; {dropped} dropped"


def _counts(counted: Counted, code: str) -> Iterator[Block]:
    kept, read = counted.kept.get(code, {}), dict(counted.read.get(code, {}))
    if code in counted.characters_read:
        read["characters"] = counted.characters_read[code]
    keys = ("documents", "lines", "characters", "words", "bytes")
    yield Table(
        ("", *keys),
        [
            (title, *(number(counts[key]) if key in counts else "" for key in keys))
            for title, counts in (("read", read), ("kept", kept))
        ],
    )
    if drops := counted.drops([code]):
        rows = [
            (
                *(drop.reason.name, drop.reason.step, number(drop.count), drop.reason.unit),
                percent(drop.count, counted.met(drop.reason.unit, [code]), digits=3),
                number(drop.lines),
            )
            for drop in drops
        ]
        head = ("reason", "step", "dropped", "unit", "of kept and dropped", "lines gone")
        yield Table(head, rows, words=(0, 1, 3))
    if noted := counted.noted.get(code):
        yield Table(("noted", "times"), [(what, number(count)) for what, count in noted.items()])


def _found(counted: Counted, code: str, *, drawings: bool) -> Iterator[Block]:
    identified, scored = counted.identification.get(code), counted.perplexity.get(code)
    if identified is not None:
        yield Text(
            f"Identified as this language: {number(identified['documents'])} documents. The two opinions agreed on "
            f"{number(identified['agreed'])} and differed on {number(identified['differed'])} "
            f"({percent(identified['differed'], identified['documents'])})."
        )
    if scored is not None:
        whole = sum(bucket["documents"] for bucket in scored["buckets"].values())
        rows = [
            (name, number(bucket["documents"]), percent(bucket["documents"], whole), number(bucket["bytes"]))
            for name, bucket in scored["buckets"].items()
        ]
        yield Table(("bucket", "documents kept", "of those kept", "bytes"), rows)
    if drawings:
        if identified is not None:
            yield confidence_figure(identified["confidence"], "Confidence of identification.")
        if scored is not None:
            yield perplexity_figure(scored)
    if identified is not None:
        yield Text(confidence_text(identified["confidence"]), soft=True)
    if scored is not None:
        yield Fold("Documents by perplexity", [perplexity_table(scored)])


def _samples(samples: Sequence[Sample]) -> Iterator[Block]:
    groups: dict[tuple[str, str], list[Sample]] = {}
    for sample in samples:
        groups.setdefault((sample.kind, sample.reason), []).append(sample)
    for kind, reason in sorted(groups, key=_place):
        group = groups[kind, reason]
        unit = "lines" if kind == "line" else "documents"
        why = "Kept" if kind == "kept" else f"Dropped, {reason} ({explain(reason).step})"
        language = group[0].language if group[0].language != UNKNOWN_LANGUAGE else ""
        texts = [Quotation(sample.id, sample.text + " …" * sample.cut) for sample in group]
        yield Fold(f"{why}: {number(len(group))} {unit}", [Quotations(texts, language)])


def _place(group: tuple[str, str]) -> tuple[bool, int, str]:
    """What was kept first, then in the order of the steps."""
    kind, reason = group
    return kind != "kept", ORDER[explain(reason).step], reason
