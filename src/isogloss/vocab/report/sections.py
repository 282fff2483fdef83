"""The sections of the report: what is said of one vocabulary, and before that, of several side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import ModuleType
from typing import Any

from isogloss.corpus.report.counted import NOTHING, language_name, number, percent
from isogloss.report import Block, Cell, Codes, Fold, Heading, Table, Text
from isogloss.vocab.report.side_by_side import side_by_side

__all__ = ["sections"]

Values = Mapping[str, Any]


def sections(values: Values, *, draw: ModuleType | None = None) -> Iterator[Block]:
    """Everything behind the title; ``draw`` makes the plots (``figures``), without it there are none."""
    vocabularies = values["vocabularies"]
    yield Text(_lead(values))
    if len(vocabularies) > 1:
        yield from side_by_side(values, draw=draw)
        yield Heading("Each vocabulary")
        for name, one in vocabularies.items():
            yield Fold(name, [*_languages(one), *_use(one), *_scripts(one), *_pieces(one)])
        return
    (one,) = vocabularies.values()
    yield from _sample(values)
    yield from _clusters(values)
    yield Heading("Languages")
    if draw:
        yield draw.fertility(vocabularies)
    yield from _languages(one)
    if values["parallel"]:
        yield from _premium(values["parallel"], draw=draw)
    yield Heading("Use")
    if draw:
        yield draw.cumulative(vocabularies)
    yield from _use(one)
    yield Heading("Scripts")
    if draw:
        yield draw.by_script(vocabularies)
    yield from _scripts(one)
    yield Heading("Longest pieces, unknown characters")
    yield from _pieces(one)


def _lead(values: Values) -> str:
    rows = next(iter(values["vocabularies"].values()))["languages"].values()
    measured = (
        f"Measured on {number(sum(row['characters'] for row in rows))} characters of {len(values['languages'])} "
        "languages, white space not counted."
    )
    if len(values["vocabularies"]) > 1:
        return f"{len(values['vocabularies'])} vocabularies. {measured}"
    (one,) = values["vocabularies"].values()
    return (
        f"{number(one['size'])} ids, {number(one['pieces'])} of them pieces of text: {number(one['word_starts'])} "
        f"begin a word, {number(one['pieces'] - one['word_starts'])} stand inside. A piece has "
        f"{one['mean_length']:.2f} characters on average. {measured}"
    )


def _sample(values: Values) -> Iterator[Block]:
    if not (plan := values.get("sample")):
        return
    order = sorted(plan, key=lambda code: (-plan[code]["share"], code))
    rows = [
        (code, language_name(code), percent(plan[code]["share"], 1), f"{plan[code]['repeats']:.2f}") for code in order
    ]
    yield Fold(
        "What it was trained on",
        [
            Table(("code", "language", "share", "repeats"), rows, words=(0, 1)),
            Text(
                "Share: part of the training sample, q ∝ p^alpha. Repeats: how often each line counts, on average.",
                soft=True,
            ),
        ],
    )


def _clusters(values: Values) -> Iterator[Block]:
    if not (clusters := values.get("clusters")):
        return
    rows = [
        (Codes(one["languages"]), percent(one["share"], 1), number(one["pieces"]), number(one["alone"]))
        for one in sorted(clusters, key=lambda one: -one["pieces"])
    ]
    yield Fold(
        "Clusters of languages",
        [
            Table(("languages", "share", "pieces", "its alone"), rows, words=(0,)),
            Text("Pieces: of the cluster's own model. Its alone: those that no other cluster's model has.", soft=True),
        ],
    )


def _languages(one: Values) -> Iterator[Block]:
    rows: list[Sequence[Cell]] = [
        (
            *(code, language_name(code), number(row["characters"]), _figure(row["pieces_per_word"], 2)),
            *(_figure(row["pieces_per_character"], 3), _figure(row["characters_per_piece"], 2)),
            *(_share(row["whole_word_rate"], 1), _figure(row["bits_per_character"], 3)),
        )
        for code, row in one["languages"].items()
    ]
    head = ("pieces per word", "pieces per character", "characters per piece", "words whole", "bits per character")
    yield Table(("code", "language", "characters", *head), rows, words=(0, 1))
    yield Text(
        "Words are what stands between white space; nothing is said of them where spaces do not divide them. Words "
        "whole: one piece each. Bits per character: by the probabilities of a unigram model; where they are fewer, the "
        "same text is better described.",
        soft=True,
    )
    rows = [
        (
            *(code, language_name(code), _share(row["unknown_rate"], 3), _share(row["unknown_character_rate"], 3)),
            *(_share(row["folded_rate"], 2), number(row["used"]), _share(row["used_share"], 1), number(row["own"])),
        )
        for code, row in one["languages"].items()
    ]
    used = ("unknown pieces", "unknown characters", "folded", "pieces used", "of all", "used by it alone")
    yield Table(("code", "language", *used), rows, words=(0, 1))
    yield Text(
        "A run of unknown characters is one unknown piece. Folded: characters that normalisation writes otherwise, as "
        "full-width commas. Used by it alone: of all languages measured here.",
        soft=True,
    )


def _premium(parallel: Values, *, draw: ModuleType | None) -> Iterator[Block]:
    yield Heading("The same text in every language")
    if draw:
        yield draw.premium(parallel)
    (counted,) = parallel["vocabularies"].values()
    rows = [
        (code, language_name(code), number(row["pieces"]), f"{row['premium']:.2f}")
        for code, row in sorted(counted.items(), key=lambda item: (item[1]["premium"], item[0]))
    ]
    head = ("code", "language", "pieces", f"times those of {parallel['reference']}")
    yield Table(head, rows, words=(0, 1))
    yield Text(f"{number(parallel['lines'])} lines that are translations of each other.", soft=True)


def _use(one: Values) -> Iterator[Block]:
    use, num_pieces = one["use"], one["pieces"]
    names = {
        "by_none": "no language",
        "by_one": "one language",
        "by_several": "several languages",
        "by_all": "all languages",
    }
    rows = [(said, number(use[key]), percent(use[key], num_pieces)) for key, said in names.items()]
    yield Table(("pieces used by", "pieces", "of all"), rows)
    said = ", ".join(f"{number(count)} pieces make up {float(part):.0%}" for part, count in use["pieces_for"].items())
    yield Text(f"With every language counted the same, {said} of the text measured.")
    yield Text("A piece that no language used may be used by more text of the same languages.", soft=True)


def _scripts(one: Values) -> Iterator[Block]:
    rows: list[Sequence[Cell]] = [
        (
            *(script, number(row["pieces"]), percent(row["pieces"], one["pieces"]), number(row["word_starts"])),
            *(number(row["pieces"] - row["word_starts"]), percent(row["used"], row["pieces"], digits=1)),
            *(f"{row['mean_length']:.2f}", Codes(row["longest"])),
        )
        for script, row in one["scripts"].items()
    ]
    head = ("script", "pieces", "of all", "begin a word", "inside", "used", "mean length", "longest")
    yield Table(head, rows, words=(0, 7))
    characters: list[Sequence[Cell]] = [
        (
            *(script, number(row["met"]), number(row["known"]), percent(row["known"], row["met"])),
            percent(row["times_known"], row["times"], digits=3),
        )
        for script, row in one["characters"].items()
    ]
    yield Table(("script", "characters met", "with a piece", "share", "share of the text"), characters)
    yield Text(
        "Scripts by their codes in ISO 15924; Zyyy: what is no letter, Zzzz: letters of other scripts. Characters met: "
        "different ones in the text measured; one has a piece if it was not always unknown.",
        soft=True,
    )


def _pieces(one: Values) -> Iterator[Block]:
    yield Table(("the longest of all",), [(Codes(one["longest"]),)])
    rows: list[Sequence[Cell]] = [
        (code, language_name(code), Codes(row["longest"]), Codes(list(row["unknown_most"])))
        for code, row in one["languages"].items()
    ]
    head = ("code", "language", "longest pieces used", "most frequent unknown characters")
    yield Table(head, rows, words=(0, 1, 2, 3))


def _figure(value: float | None, digits: int) -> str:
    return NOTHING if value is None else f"{value:.{digits}f}"


def _share(value: float | None, digits: int) -> str:
    return NOTHING if value is None else percent(value, 1, digits=digits)
