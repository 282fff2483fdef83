"""Rules judge by thresholds alone, in every script; addresses are blocked with what lies below them."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isogloss.corpus.rules import (
    DOCUMENT_REASONS,
    LINE_REASONS,
    BlockList,
    RuleSettings,
    judge_documents,
    judge_lines,
)
from isogloss.errors import DataError

TEXT = st.text(st.sampled_from("ab१7.।€😀 \n"), max_size=20)
SHARE = st.one_of(st.none(), st.sampled_from([0.0, 0.25, 0.5, 1.0]))


def plain_judgement(text: str, least: int, punctuation: float | None, digits: float | None) -> int:
    characters = [character for character in text if character != "\n"]
    if len(characters) < least:
        return 1
    kinds = [unicodedata.category(character) for character in characters]
    if punctuation is not None and sum(kind[0] in "PS" for kind in kinds) > punctuation * len(kinds):
        return 2
    return 3 if digits is not None and kinds.count("Nd") > digits * len(kinds) else 0


@given(texts=st.lists(TEXT, max_size=6), least=st.integers(0, 9), punctuation=SHARE, digits=SHARE)
def test_judged_as_by_the_plain_loop(
    texts: list[str], least: int, punctuation: float | None, digits: float | None
) -> None:
    settings = RuleSettings(
        min_document_characters=least,
        max_punctuation_share=punctuation,
        max_digit_share=digits,
        min_line_characters=least,
        max_line_punctuation_share=punctuation,
        max_line_digit_share=digits,
    )
    column = pa.array(texts, pa.string())
    expected = [plain_judgement(text, least, punctuation, digits) for text in texts]
    assert judge_documents(column, settings, language="en").tolist() == expected
    lines = [line for text in texts for line in text.split("\n")]
    expected = [plain_judgement(line, least, punctuation, digits) for line in lines]
    assert judge_lines(column, settings).tolist() == expected


def test_defaults_are_ccnets_length_and_no_other_rule() -> None:
    texts = pa.array(["x" * 299, "x" * 300, "猫" * 299 + "。\n。", "." * 400, "7" * 400])
    assert judge_documents(texts, RuleSettings(), language="en").tolist() == [1, 0, 0, 0, 0]
    assert not judge_lines(texts, RuleSettings()).any()
    some = RuleSettings(min_document_characters_by_language={"zh-Hans": 100})
    assert judge_documents(pa.array(["猫" * 100]), some, language="zh-Hans").tolist() == [0]


def test_every_judgement_has_a_reason() -> None:
    assert len(DOCUMENT_REASONS) == 4
    assert list(DOCUMENT_REASONS)[:3] == ["short-document", "much-punctuation", "many-digits"]
    assert list(LINE_REASONS) == ["short-line", "punctuation-line", "digits-line"]


@pytest.mark.parametrize(
    ("url", "blocked"),
    [
        ("https://example.org/", True),
        ("HTTP://WWW.Example.org:80/a?b", True),
        ("https://deep.sub.example.org", True),
        ("https://badexample.org/", False),
        ("https://example.org.net/", False),
        ("https://user@ads.example.net/x", True),
        ("https://example.com/ads/1", True),
        ("https://example.com/adsl", False),
        ("https://example.com/", False),
        ("https://[broken/", False),
        ("", False),
        (None, False),
    ],
)
def test_addresses_are_blocked_with_what_lies_below(tmp_path: Path, url: str | None, blocked: bool) -> None:
    path = tmp_path / "blocked.txt"
    path.write_text("# not wanted\nexample.org\n\nads.example.net # and below\nhttps://example.com/ads/\n")
    assert BlockList.read(path).judge([url]).tolist() == [blocked]


def test_a_block_list_that_cannot_be_one_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "blocked.txt"
    path.write_text("example.org\nnot a host\n")
    with pytest.raises(DataError, match=r"blocked\.txt:2: 'not a host'"):
        BlockList.read(path)
    with pytest.raises(DataError, match="cannot be read"):
        BlockList.read(tmp_path / "none.txt")
