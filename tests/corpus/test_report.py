"""The report says every count of the statistics in words a reader can use."""

from __future__ import annotations

from isogloss.corpus.tally import DOCUMENT_REASONS, LINE_REASONS, Tally


def test_report_shows_shares_and_every_reason(build) -> None:
    folder, _ = build(
        {"en.txt": b"aaaa\n\naaaa\n\nb\0\nbbbb\n\xff", "sw.txt": "aa"}, max_line_bytes=4, max_document_bytes=4
    )
    report = (folder / "report.md").read_text()
    assert "| en | English | 2 | 2 | 8 | 2 | 8 | 80.00 % | 72.52 % | 60.25 % |" in report
    assert "| en | duplicate-document | 1 documents | 33.333 % | 1 |" in report
    assert "| en | nul-line | 1 lines | 20.000 % | 1 |" in report
    assert "| en | bad-utf8-line | 1 lines | 20.000 % | 1 |" in report
    assert "| drop_duplicate_documents | `True` |" in report


def test_file_names_cannot_break_the_table(build) -> None:
    folder, _ = build({"en.txt": "hello", "a|b.md": "x"})
    assert "| a\\|b.md | 1 | not read" in (folder / "report.md").read_text()


def test_no_reason_is_in_both_units() -> None:
    assert not set(DOCUMENT_REASONS) & set(LINE_REASONS)


def test_tallies_add_up() -> None:
    tally, other = Tally(), Tally()
    for each in (tally, other):
        each.meet("en", documents=1, lines=2)
        each.drop_line("en", "nul-line")
        each.drop_document("en", "over-limit", lines=1)
        each.note("en", "split-document")
    tally.add(other.counts())
    assert tally.counts() == {
        "read": {"en": {"documents": 2, "lines": 4}},
        "dropped": {"en": {"nul-line": 2, "over-limit": 2}},
        "dropped_lines": {"en": {"nul-line": 2, "over-limit": 2}},
        "noted": {"en": {"split-document": 2}},
    }
