"""Both reports say every number of the statistics, sums that are right, and nothing of steps that were off."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isogloss.corpus.reasons import STEPS
from isogloss.corpus.report import render_page, render_report
from isogloss.corpus.report.counted import Counted, decimal, gib, number, percent, size
from isogloss.corpus.report.reasons import UNKNOWN_STEP, explain
from isogloss.languages import all_languages, language, sampling_shares

CONFIG = {"drop_duplicate_documents": True, "rules": {"max_digit_share": None, "by_language": {"sw": 3}}, "engine": {}}
SECTIONS = {
    "identification": "Identification",
    "perplexity": "Perplexity",
    "labelled": "Labelled sets",
    "characters_read": "characters",
}


def numbers(value: Any) -> Iterator[int]:
    """Every whole number anywhere in the statistics."""
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from numbers(inner)
    elif isinstance(value, int):
        yield value


def said_in(text: str) -> set[str]:
    return set(re.findall(r"\d+(?:,\d{3})*(?:\.\d+)?", text))


def tables(markdown: str) -> dict[str, list[list[list[str]]]]:
    """The tables under each heading, as rows of cells."""
    found: dict[str, list[list[list[str]]]] = {}
    heading = ""
    for block in markdown.split("\n\n"):
        if block.startswith("#"):
            heading = block.lstrip("# ")
        elif block.startswith("|"):
            rows = [[cell.strip().strip("*") for cell in line.strip("|").split(" | ")] for line in block.splitlines()]
            found.setdefault(heading, []).append([rows[0], *rows[2:]])
    return found


def test_every_number_is_said_in_both(statistics: dict[str, Any], shown_text: Callable[[str], str]) -> None:
    wanted = {f"{value:,}" for value in numbers(statistics)}
    assert len(wanted) > 300
    assert wanted <= said_in(render_report(statistics, CONFIG))
    assert wanted <= said_in(shown_text(render_page(statistics, CONFIG)))


@settings(max_examples=25)
@given(
    seed=st.integers(0, 10**6),
    codes=st.lists(st.sampled_from(["und", "qaa", *(row.code for row in all_languages())]), max_size=4, unique=True),
    reasons=st.lists(st.sampled_from(["moon-phase", "odd-line", "short-document", "repeated-line", "near-duplicate"])),
)
def test_every_number_is_said_of_any_languages(
    make_statistics: Callable[..., dict[str, Any]], seed: int, codes: list[str], reasons: list[str]
) -> None:
    statistics = make_statistics(codes, seed=seed, reasons=reasons)
    report = render_report(statistics, CONFIG)
    assert {f"{value:,}" for value in numbers(statistics)} <= said_in(report)
    assert all(reason in report for dropped in statistics["dropped"].values() for reason in dropped)


def test_sums_are_right(statistics: dict[str, Any]) -> None:
    report = tables(render_report(statistics, CONFIG))
    (whole,) = report["Corpus report"]
    steps, reasons = report["Dropped"]
    for row, unit in ((1, "documents"), (2, "lines")):
        read = sum(counts[unit] for counts in statistics["read"].values())
        kept = sum(counts[unit] for counts in statistics["languages"].values())
        assert whole[row] == [unit, f"{read:,}", f"{kept:,}", f"{100 * kept / read:.2f} %", f"{read - kept:,}"]
        column = 2 * row - 1
        assert sum(int(line[column].replace(",", "")) for line in steps[1:-1]) == read - kept
        assert steps[-1][column] == f"{read - kept:,}"
    for name, step, count, unit, *_ in reasons[1:]:
        assert int(count.replace(",", "")) == sum(table.get(name, 0) for table in statistics["dropped"].values())
        assert (step, unit) == explain(name)[1:3]
    (languages,) = report["Languages"]
    for column, key in enumerate(("documents", "lines", "characters", "words"), start=2):
        assert languages[-1][column] == f"{sum(row[key] for row in statistics['languages'].values()):,}"


@pytest.mark.parametrize("column", [7, 8, 9])
def test_the_shares_are_those_of_samples(statistics: dict[str, Any], column: int) -> None:
    ((head, *rows),) = tables(render_report(statistics, CONFIG))["Languages"]
    alpha = float(head[column].removeprefix("alpha "))
    sizes = {code: row["bytes"] for code, row in statistics["languages"].items()}
    assert alpha == {7: 1.0, 8: 0.7, 9: 0.3}[column]
    assert {row[0]: row[column] for row in rows[:-1]} == {
        code: f"{100 * share:.2f} %" for code, share in sampling_shares(sizes, alpha=alpha).items()
    }


def test_the_papers_languages_stand_beside_ours(statistics: dict[str, Any]) -> None:
    ((_, *rows),) = tables(render_report(statistics, CONFIG))["The paper's 100 languages and ours"]
    by_code = {row[0]: row for row in rows}
    assert [row[0] for row in rows] == [*(row.code for row in all_languages()), "yo", "100"]
    assert by_code["en"][2:] == ["55,608", "300.8", "12.228 %", "–", "–", "–", "–"]
    assert by_code["yo"][2:5] == ["–"] * 3
    sizes = {code: row["bytes"] for code, row in statistics["languages"].items()}
    ours = sizes["sw"] / sum(sizes.values())
    theirs = (language("sw").cc100_gib or 0) / sum(row.cc100_gib or 0 for row in all_languages())
    assert float(by_code["sw"][8].replace(",", "")) == pytest.approx(ours / theirs, rel=1e-3)
    assert by_code["sw"][6] == gib(sizes["sw"])


@pytest.mark.parametrize("key", sorted(SECTIONS))
def test_a_step_that_was_off_leaves_its_section_out(
    statistics: dict[str, Any], key: str, shown_text: Callable[[str], str]
) -> None:
    before = render_report(statistics, CONFIG)
    del statistics[key]
    report, page = render_report(statistics, CONFIG), shown_text(render_page(statistics, CONFIG))
    section = f"\n| {SECTIONS[key]} |" if key == "characters_read" else f"## {SECTIONS[key]}"
    assert section in before
    assert section not in report
    for other, name in SECTIONS.items():
        if other not in (key, "characters_read"):
            assert f"## {name}" in report
            assert f"\n{name}\n" in page
    assert key == "characters_read" or f"\n{SECTIONS[key]}\n" not in page


def test_nothing_dropped_and_nothing_kept_is_said(make_statistics: Callable[..., dict[str, Any]]) -> None:
    nothing = make_statistics([])
    for key in ("identification", "perplexity", "labelled", "characters_read"):
        del nothing[key]
    for text in (render_report(nothing, {}), render_page(nothing, {})):
        assert "Nothing." in text
        assert "0 documents in 0 languages, 0 bytes of text" in text


def test_reasons_nobody_knows_are_shown_as_such(statistics: dict[str, Any]) -> None:
    statistics["dropped"]["sw"] |= {"moon-phase": 123457, "odd-line": 765433}
    statistics["dropped_lines"]["sw"] |= {"moon-phase": 999983, "odd-line": 765433}
    _, reasons = tables(render_report(statistics, CONFIG))["Dropped"]
    shown = {row[0]: row[1:] for row in reasons}
    assert shown["moon-phase"][:3] == [UNKNOWN_STEP, "123,457", "documents"]
    assert shown["odd-line"][:3] == [UNKNOWN_STEP, "765,433", "lines"]
    assert shown["moon-phase"][4:] == ["999,983", "not known to this version of isogloss"]


def test_every_reason_of_every_step_is_explained() -> None:
    for step in STEPS.values():
        for unit, reasons in (("documents", step.documents), ("lines", step.lines)):
            for reason, meaning in reasons.items():
                assert explain(reason).unit == unit
                assert explain(reason).meaning == meaning
                assert explain(reason).step in STEPS


def test_settings_are_said_by_their_full_names(statistics: dict[str, Any]) -> None:
    (rows,) = tables(render_report(statistics, CONFIG))["Settings"]
    assert rows[1:] == [
        ["`drop_duplicate_documents`", "`True`"],
        ["`rules.max_digit_share`", "`None`"],
        ["`rules.by_language.sw`", "`3`"],
    ]


def test_a_language_found_later_has_shares_of_what_it_came_to_be() -> None:
    """Crawl files have no language when they are read: what is read as "und" is kept and dropped as another one."""
    statistics = {
        "languages": {"sw": {"documents": 3, "lines": 6, "characters": 60, "bytes": 60, "words": 9}},
        "read": {"und": {"documents": 5, "lines": 10}},
        "dropped": {"und": {"disagree": 1}, "sw": {"near-duplicate": 1}},
        "dropped_lines": {"und": {"disagree": 2}, "sw": {"near-duplicate": 2}},
        "noted": {},
        "files": [],
    }
    counted = Counted(statistics)
    assert counted.met("documents") == 5
    assert counted.met("lines", ["sw"]) == 8
    assert "sw Swahili: 3 documents, 60 bytes; 25.00 % dropped" in render_report(statistics, {})


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (300.8, "300.8"), (12345, "12,345"), (1.6234, "1.623"), (0.0123456, "0.01235"), (7.4e-9, "7.4e-09")],
)
def test_decimals_have_four_digits_that_say_something(value: float, text: str) -> None:
    assert decimal(value) == text


@given(st.integers(0, 10**18))
def test_sizes_and_shares(num_bytes: int) -> None:
    amount, unit = size(num_bytes).split(" ")
    scale = 1024 ** ["bytes", "KiB", "MiB", "GiB", "TiB"].index(unit)
    assert float(amount.replace(",", "")) * scale == pytest.approx(num_bytes, rel=1e-3)
    assert num_bytes >= scale or unit == "bytes"
    assert percent(num_bytes, 0) == percent(num_bytes + 1, num_bytes) == "–"
    assert number(num_bytes).replace(",", "") == str(num_bytes)
