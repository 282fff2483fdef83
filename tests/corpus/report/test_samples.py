"""Samples are read as they were written, damaged ones are named, and they never make a report too large."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isogloss.corpus.report import render_page, render_report
from isogloss.corpus.report.samples import Sample, fitting, read_samples
from isogloss.errors import FolderError

KEYS = ("language", "kind", "reason", "id", "text", "cut")


def test_what_was_written_is_read(write_samples: Callable[..., Path], sample: Callable[..., dict[str, Any]]) -> None:
    # Characters that end a line elsewhere, and half of a pair, which JSON can say.
    strange = "one\u2028two\x85three\u0085\ud800\r"
    written = [sample(), sample("ar", "document", "short-document", text=strange, key=7), sample(kind="line", cut=True)]
    read = read_samples(write_samples(*written))
    assert [[getattr(found, key) for key in KEYS] for found in read] == [[one[key] for key in KEYS] for one in written]


def test_no_samples_are_no_mistake(tmp_path: Path, write_samples: Callable[..., Path]) -> None:
    assert read_samples(tmp_path) == []
    assert read_samples(write_samples()) == []


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{"language": "sw", "ki', "Invalid control character"),
        ("", "Expecting value"),
        ("[]", "no JSON object"),
        ('{"language": 3}', "'language' is 3"),
        ('{"language": "sw", "kind": "kept", "reason": "", "id": "a"}', "'text' is None"),
        ('{"language": "sw", "kind": "lost", "reason": "", "id": "", "text": "", "cut": false}', "'kind' is 'lost'"),
        ('{"language": "sw", "kind": "kept", "reason": "", "id": "", "text": "", "cut": 1}', "'cut' is 1"),
    ],
)
def test_a_damaged_line_is_named(
    write_samples: Callable[..., Path], sample: Callable[..., dict[str, Any]], line: str, said: str
) -> None:
    with pytest.raises(FolderError, match=rf"samples\.jsonl:2 is no sample \(.*{re.escape(said)}") as error:
        read_samples(write_samples(sample(), line, sample()))
    assert "\n" not in str(error.value)


def test_bytes_that_are_no_text_are_named(tmp_path: Path) -> None:
    (tmp_path / "samples.jsonl").write_bytes(b'{"language": "\xff"}\n')
    with pytest.raises(FolderError, match=r"samples\.jsonl:1 is no sample"):
        read_samples(tmp_path)


SAMPLES = st.lists(
    st.builds(
        Sample,
        language=st.sampled_from(["ar", "sw"]),
        kind=st.just("document"),
        reason=st.sampled_from(["disagree", "short-document"]),
        id=st.text(max_size=5),
        text=st.integers(0, 1000).map(lambda length: "語" * length),
        cut=st.booleans(),
    ),
    max_size=30,
)


@given(SAMPLES, st.integers(0, 60_000))
def test_samples_fit_and_texts_are_clipped_before_any_is_left_out(samples: list[Sample], max_bytes: int) -> None:
    shown = fitting(samples, max_bytes=max_bytes)
    assert sum(len(f"{one.id}{one.text}".encode()) for one in shown.samples) <= max_bytes
    assert len(shown.samples) + shown.left_out == len(samples)
    by_id = Counter((one.language, one.reason, one.id, one.text[: shown.characters]) for one in samples)
    assert not Counter((one.language, one.reason, one.id, one.text) for one in shown.samples) - by_id
    if shown.left_out:
        # Even the shortest texts would not have fitted.
        assert sum(len(f"{one.id}{one.text[:120]}".encode()) + 100 for one in samples) > max_bytes
    for one in shown.samples:
        assert one.cut or len(one.text) < shown.characters or one.text in {each.text for each in samples}


@given(SAMPLES)
def test_with_room_for_all_nothing_is_changed(samples: list[Sample]) -> None:
    assert fitting(samples, max_bytes=10**6).samples == tuple(samples)


def test_samples_stand_with_their_language_and_reason(
    statistics: dict[str, Any],
    write_samples: Callable[..., Path],
    sample: Callable[..., dict[str, Any]],
    parse_page: Callable[[str], Any],
) -> None:
    folder = write_samples(
        sample("sw", "line", "repeated-line", id="c.txt:3", text="mstari"),
        sample("sw", "document", "moon-phase", id="d.txt:4", text="mwezi", cut=True),
        sample("sw", id="a.txt:1", text="<b>Habari & karibu</b>"),
        sample("und", "document", "disagree", id="b.txt:2", text="שלום"),
    )
    samples = read_samples(folder)
    page = parse_page(render_page(statistics, {}, samples))
    folds = {fold.get("id"): fold for fold in page.iter("details")}
    titles = [title.text for title in folds["language-sw"].iter("summary")][-3:]
    assert titles == [
        *("Kept: 1 documents", "Dropped, repeated-line (repeated lines): 1 lines"),
        "Dropped, moon-phase (unknown): 1 documents",
    ]
    quoted = [(item.text, item.get("dir")) for item in folds["language-sw"].iter("blockquote")]
    assert quoted == [("<b>Habari & karibu</b>", "auto"), ("mstari", "auto"), ("mwezi …", "auto")]
    assert [item.text for item in folds["language-und"].iter("blockquote")] == ["שלום"]
    assert [(texts.get("class"), texts.get("lang")) for texts in folds["language-und"].iter("ol")] == [
        ("quotations", None)
    ]
    report = render_report(statistics, {}, samples)
    assert "- `a.txt:1` \u2068\\<b\\>Habari \\& karibu\\</b\\>\u2069" in report
    assert report.index("Dropped, repeated-line") < report.index("- `c.txt:3`") < report.index("Dropped, moon-phase")


@pytest.mark.slow
def test_a_hundred_languages_stay_under_15_mb(make_statistics: Callable[..., dict[str, Any]]) -> None:
    from isogloss.languages import all_languages

    codes = [row.code for row in all_languages()]
    statistics = make_statistics(codes)
    samples = [
        Sample(code, "document", reason, f"crawl/CC-MAIN-2018-51/00000.warc.wet.gz:{number}", "語" * 1000, True)
        for code in codes
        for reason in statistics["dropped"][code]
        for number in range(20)
    ]
    assert len(samples) > 15_000
    page, report = render_page(statistics, {}, samples), render_report(statistics, {}, samples)
    assert len(page.encode()) < 15_000_000
    assert len(report.encode()) < 5_000_000
    # Ten of each, though all are as large as texts can be.
    assert page.count("<blockquote") >= len(samples) // 2
