"""Forms of personal data are found where they stand and nowhere else; marks leave all other text as it was."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isogloss.corpus.personal import LINE_REASONS, NOTES, PersonalSettings, hide_personal, lines_with_personal

HIDE = PersonalSettings(email="hide", ip="hide", phone="hide", email_mark="<E>", ip_mark="<I>", phone_mark="<P>")
DROP = PersonalSettings(email="drop-line", ip="drop-line", phone="drop-line")
FOUND = {
    "write to a.b+c@mail.example.org, now": "write to <E>, now",
    "почта: имя@пример.рф": "почта: <E>",
    "(x@y.za)": "(<E>)",
    "at 192.168.0.1:80 or 2001:db8::8a2e:370:7334.": "at <I>:80 or <I>.",
    "ring +49 (0)30 123-4567 or 030 1234567!": "ring <P> or <P>!",
    "Tel. (089) 123 456 78": "Tel. <P>",
    "01 23 45 67 89": "<P>",
}
LEFT = [
    *("a@b", "@name", "x@ y.org", "1.2.3", "256.1.1.1", "v1.2.3.4", "a::b std::vector 12:30:45"),
    *("2019-11-21", "05.11.2019 10:30", "01/02/2003", "1 000 000 000", "0.123456789", "ISBN 0-306-40615-2", "+1 000"),
]


@pytest.mark.parametrize("text", FOUND)
def test_what_is_found_becomes_its_mark(text: str) -> None:
    hidden, counts = hide_personal(pa.array([text]), HIDE)
    assert hidden.to_pylist() == [FOUND[text]]
    assert sum(counts.values()) == sum(FOUND[text].count(mark) for mark in ("<E>", "<I>", "<P>"))
    assert set(counts) <= set(NOTES)


@pytest.mark.parametrize("text", LEFT)
def test_what_only_resembles_it_stays(text: str) -> None:
    assert hide_personal(pa.array([text]), HIDE)[0].to_pylist() == [text]
    assert lines_with_personal(pa.array([text]), DROP) == (pytest.approx([0]), {})


@settings(max_examples=15)
@given(parts=st.lists(st.one_of(st.sampled_from([*FOUND, *LEFT]), st.text("ab 1.\n", max_size=9)), max_size=8))
def test_a_column_is_treated_text_by_text(parts: list[str]) -> None:
    hidden, _ = hide_personal(pa.array(parts, pa.large_string()), HIDE)
    assert hidden.to_pylist() == [hide_personal(pa.array([part]), HIDE)[0][0].as_py() for part in parts]


def test_lines_go_for_the_first_kind_that_stands_in_them_and_are_counted() -> None:
    texts = pa.array(["one\nx@y.za 192.168.0.1\n192.168.0.1", "Tel. (089) 123 456 78"])
    judged, counts = lines_with_personal(texts, DROP)
    assert judged.tolist() == [0, 1, 2, 3]
    assert counts == dict.fromkeys(LINE_REASONS, 1)
    assert lines_with_personal(texts, PersonalSettings(ip="drop-line"))[0].tolist() == [0, 2, 2, 0]


def test_marks_may_hold_what_means_something_to_the_engine() -> None:
    marked = PersonalSettings(email="hide", email_mark=r"\1 \\ $0")
    assert hide_personal(pa.array(["a x@y.za b"]), marked)[0].to_pylist() == [r"a \1 \\ $0 b"]


def test_nothing_is_touched_unless_asked() -> None:
    texts = pa.array(list(FOUND))
    hidden, counts = hide_personal(texts, PersonalSettings())
    assert hidden is texts
    assert counts == {}
