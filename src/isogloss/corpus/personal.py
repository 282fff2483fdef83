"""Personal data by its form: e-mail addresses, IP addresses and numbers that look like telephone numbers.

    texts, counts = hide_personal(texts, settings)      # marks in their place; how many of each kind
    gone, counts = lines_with_personal(texts, settings) # for each line of all texts: 1 + the place of its reason

Patterns of Arrow's own engine over whole columns (RE2: time linear in the text, no look-around). They find forms, not
persons: a version number of four parts is an IPv4 address to them, a name is nothing.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field, field_validator

from isogloss.config import Settings
from isogloss.corpus.dedup.normalise import num_lines
from isogloss.corpus.extras import load_pyarrow

__all__ = ["LINE_REASONS", "NOTES", "PersonalSettings", "hide_personal", "lines_with_personal"]

LINE_REASONS = {
    "email-line": "holds an e-mail address",
    "ip-line": "holds an IPv4 or IPv6 address",
    "phone-line": "holds a number that looks like a telephone number",
}
NOTES = {
    "hidden-email": "an e-mail address became a mark",
    "hidden-ip": "an IPv4 or IPv6 address became a mark",
    "hidden-phone": "a number that looks like a telephone number became a mark",
}
Treatment = Literal["keep", "hide", "drop-line"]

_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_GROUP = r"[0-9A-Fa-f]{1,4}"
# Eight groups, or fewer around one "::"; three at least, as "a::b" stands in program text.
_IPV6 = "|".join(
    (
        rf"(?:{_GROUP}:){{7}}{_GROUP}",
        rf"{_GROUP}(?::{_GROUP}){{1,5}}::(?:{_GROUP}:){{0,4}}{_GROUP}",
        rf"{_GROUP}::(?:{_GROUP}:){{1,5}}{_GROUP}",
    )
)
# International; national from 0 with an area code of three digits or more, as a date has two; French pairs.
_SEPARATOR = r"[ \x{00A0}.\-/()]{0,2}"
_PHONE = "|".join(
    (
        rf"\+[1-9](?:{_SEPARATOR}[0-9]){{7,14}}",
        rf"\(?0[0-9]{{2,4}}\)?[ \x{{00A0}}.\-/](?:[0-9]{_SEPARATOR}){{5,9}}[0-9]",
        r"0[1-9](?:[ \x{00A0}.\-][0-9]{2}){4}",
    )
)
# RE2 knows no look-around: what may stand before is matched, kept and put back. Its \b knows ASCII only.
_BEFORE = r"(^|[^\pL\pN_.:+\-/])"
_BEFORE_PHONE = r"(^|[^\pL\pN_.:+\-/ ]|[^\pN] )"  # not in the midst of 1 000 000 000
PATTERNS = {
    # Unbounded repeats: counted ones of such classes take the engine a tenth of a second to compile.
    "email": r"(^|[^\pL\pN._%+\-])[\pL\pN][\pL\pN._%+\-]*@(?:[\pL\pN][\pL\pN\-]*\.)+\pL\pL+",
    "ip": rf"{_BEFORE}(?:(?:{_OCTET}\.){{3}}{_OCTET}|{_IPV6})\b",
    "phone": rf"{_BEFORE_PHONE}(?:{_PHONE})\b",
}
# What must stand in a text that a pattern can match, found by a far quicker search.
HINTS = {"email": r"@", "ip": r"[0-9]\.[0-9]|:[0-9A-Fa-f]{0,4}:", "phone": r"\+[1-9]|0[0-9]"}


class PersonalSettings(Settings):
    """What is done with each kind of personal data, and the marks that stand in its place."""

    email: Treatment = Field("keep", description="e-mail addresses: keep, hide (a mark in their place) or drop-line")
    ip: Treatment = Field("keep", description="IPv4 and IPv6 addresses: the same choices")
    phone: Treatment = Field("keep", description="numbers that look like telephone numbers: the same choices")
    email_mark: str = Field("name@example.com", description="stands for an e-mail address")
    ip_mark: str = Field("192.0.2.1", description="stands for an IP address; this one is reserved for examples")
    phone_mark: str = Field("+00 000 0000", description="stands for a telephone number")

    @field_validator("email_mark", "ip_mark", "phone_mark")
    @classmethod
    def _is_part_of_a_line(cls, mark: str) -> str:
        if not mark.strip() or "\n" in mark or "\0" in mark:
            raise ValueError(
                "a mark may be all that is left of a line: give something that is seen, without line feeds"
            )
        return mark


def hide_personal(texts: Any, settings: PersonalSettings) -> tuple[Any, dict[str, int]]:
    """The Arrow column with marks for what is to be hidden, and how often by note."""
    pa = load_pyarrow()
    counts = {}
    for kind in PATTERNS:
        if getattr(settings, kind) != "hide":
            continue
        hinted = pa.compute.match_substring_regex(texts, HINTS[kind])
        some = texts.filter(hinted)
        found = int(pa.compute.sum(pa.compute.count_substring_regex(some, PATTERNS[kind])).as_py() or 0)
        if found:
            mark = getattr(settings, f"{kind}_mark").replace("\\", r"\\")
            hidden = pa.compute.replace_substring_regex(some, PATTERNS[kind], rf"\1{mark}")
            texts = pa.compute.replace_with_mask(texts, hinted, hidden)
            counts[f"hidden-{kind}"] = found
    return texts, counts


def lines_with_personal(texts: Any, settings: PersonalSettings) -> tuple[npt.NDArray[np.uint8], dict[str, int]]:
    """For each line of all texts 0, or 1 + the place of the first reason why it goes; and the lines by reason."""
    pa = load_pyarrow()
    lines = pa.compute.list_flatten(pa.compute.split_pattern(texts, "\n"))
    assert len(lines) == num_lines(texts).sum()
    judged = np.zeros(len(lines), np.uint8)
    for number, kind in reversed(list(enumerate(PATTERNS, start=1))):
        if getattr(settings, kind) == "drop-line":
            judged[pa.compute.match_substring_regex(lines, PATTERNS[kind]).to_numpy(zero_copy_only=False)] = number
    counts = np.bincount(judged, minlength=4)[1:].tolist()
    return judged, {reason: count for reason, count in zip(LINE_REASONS, counts, strict=True) if count}
