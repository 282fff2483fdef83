"""The counts of a build: reasons are of one unit, and tallies add up."""

from __future__ import annotations

from isogloss.corpus.reasons import DOCUMENT_REASONS, LINE_REASONS
from isogloss.corpus.tally import Tally


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
