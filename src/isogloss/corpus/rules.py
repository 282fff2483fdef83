"""Rules about documents and lines: how long, of what kind of characters, from which address.

    judge_documents(texts, settings, language="en")     # for each text: 0, or 1 + the place of its reason in the table
    judge_lines(texts, settings)                        # for each line of all texts
    blocked = BlockList.read(path); blocked.judge(urls) # for each address: whether it is blocked

CCNet drops documents under 300 characters before anything else (its code's ``min_len``). All else is off unless asked
for: what is a high share of punctuation or a short line differs from language to language, so no rule has a
threshold that was made for English. Characters are code points, line feeds not counted.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import numpy.typing as npt
from pydantic import Field, field_validator

from isogloss.config import Settings
from isogloss.corpus.dedup.normalise import LINE_FEED, NUM_CODE_POINTS, num_lines, text_blocks
from isogloss.errors import DataError
from isogloss.languages import code_in_settings

__all__ = ["DOCUMENT_REASONS", "LINE_REASONS", "BlockList", "RuleSettings", "judge_documents", "judge_lines"]

DOCUMENT_REASONS = {
    "short-document": "fewer characters than min_document_characters",
    "much-punctuation": "a higher share of punctuation and symbols than max_punctuation_share",
    "many-digits": "a higher share of digits than max_digit_share",
    "blocked-url": "its address is on the block list",
}
LINE_REASONS = {
    "short-line": "fewer characters than min_line_characters",
    "punctuation-line": "a higher share of punctuation and symbols than max_line_punctuation_share",
    "digits-line": "a higher share of digits than max_line_digit_share",
}
Judgements = npt.NDArray[np.uint8]
PUNCTUATION, DIGIT = 1, 2


class RuleSettings(Settings):
    """Thresholds; a rule without one is off."""

    min_document_characters: int = Field(300, ge=0, description="a shorter document goes; CCNet has 300, 0 keeps all")
    min_document_characters_by_language: dict[str, int] = Field({}, description="other limits for some languages")
    min_line_characters: int = Field(0, ge=0, description="a shorter line goes")
    max_punctuation_share: float | None = Field(None, ge=0, le=1, description="most punctuation in a document")
    max_digit_share: float | None = Field(None, ge=0, le=1, description="most digits in a document")
    max_line_punctuation_share: float | None = Field(None, ge=0, le=1, description="most punctuation in a line")
    max_line_digit_share: float | None = Field(None, ge=0, le=1, description="most digits in a line")
    blocked_urls: Path | None = Field(
        None, description="file of hosts (their subdomains too) or address beginnings, one a line; # opens a comment"
    )

    @field_validator("min_document_characters_by_language")
    @classmethod
    def _canonical_limits(cls, limits: dict[str, int]) -> dict[str, int]:
        limits = {code_in_settings(code): limit for code, limit in sorted(limits.items())}
        if below := [code for code, limit in limits.items() if limit < 0]:
            raise ValueError(f"the limit of '{below[0]}' is {limits[below[0]]}; 0 keeps all")
        return limits


def judge_documents(texts: Any, settings: RuleSettings, *, language: str) -> Judgements:
    """For each text of an Arrow column: 0 to keep it, or 1 + the place of the first reason that holds."""
    least = settings.min_document_characters_by_language.get(language, settings.min_document_characters)
    counts = _count(texts)
    # The lines of a document, summed; a text has one line at least.
    starts = np.concatenate(([0], np.cumsum(num_lines(texts))))[:-1]
    counts = np.add.reduceat(counts, starts) if len(starts) else counts
    return _judge(counts, least, settings.max_punctuation_share, settings.max_digit_share)


def judge_lines(texts: Any, settings: RuleSettings) -> Judgements:
    """For each line of all texts: 0 to keep it, or 1 + the place of the first reason that holds."""
    shares = settings.max_line_punctuation_share, settings.max_line_digit_share
    return _judge(_count(texts), settings.min_line_characters, *shares)


@dataclass(frozen=True)
class BlockList:
    """Addresses not wanted: ``hosts`` with all below them, and ``beginnings`` of addresses without their scheme."""

    hosts: frozenset[str]
    beginnings: tuple[str, ...]

    @classmethod
    def read(cls, path: Path) -> BlockList:
        """Raises DataError for a file that cannot be read or a line that is neither a host nor an address."""
        try:
            lines = path.read_text(encoding="utf-8").split("\n")
        except (OSError, UnicodeDecodeError) as error:
            raise DataError(f"block list {path} cannot be read: {getattr(error, 'strerror', 'not UTF-8')}") from None
        hosts, beginnings = set(), []
        for number, line in enumerate(lines, start=1):
            entry = _bare(line.partition("#")[0].strip())
            if " " in entry or entry.startswith("/"):
                raise DataError(f"{path}:{number}: '{entry}' is no host or address, as example.org or example.org/ads")
            if "/" in entry.rstrip("/"):
                beginnings.append(entry)
            elif entry:
                hosts.add(entry.rstrip("/"))
        return cls(frozenset(hosts), tuple(beginnings))

    def judge(self, urls: Sequence[str | None]) -> npt.NDArray[np.bool_]:
        """Whether each address is blocked; a document without one is not."""
        return np.fromiter((url is not None and self._blocks(url) for url in urls), bool, len(urls))

    def _blocks(self, url: str) -> bool:
        bare = _bare(url.strip())
        labels = bare.partition("/")[0].split(".")
        return any(".".join(labels[start:]) in self.hosts for start in range(len(labels))) or (
            bool(self.beginnings) and bare.startswith(self.beginnings)
        )


def _bare(url: str) -> str:
    """An address without scheme, user, port and a leading www, its host in lower case."""
    url = re.sub(r"^[a-zA-Z][a-zA-Z0-9+.-]*:", "", url)
    try:
        parts = urlsplit(url if url.startswith("//") else f"//{url}")
        host = (parts.hostname or "").removeprefix("www.").rstrip(".")
    except ValueError:  # a bracket that is not closed
        return ""
    rest = url.removeprefix("//")[len(parts.netloc) :]
    return host + rest


def _judge(
    counts: npt.NDArray[np.int64], least: int, max_punctuation: float | None, max_digits: float | None
) -> Judgements:
    """Rows are characters, punctuation, digits."""
    judged = np.zeros(len(counts), np.uint8)
    rules = (counts[:, 0] < least, _over(counts, 1, max_punctuation), _over(counts, 2, max_digits))
    for number, holds in reversed(list(enumerate(rules, start=1))):
        judged[holds] = number
    return judged


def _over(counts: npt.NDArray[np.int64], column: int, share: float | None) -> npt.NDArray[np.bool_]:
    if share is None:
        return np.zeros(len(counts), bool)
    over: npt.NDArray[np.bool_] = counts[:, column] > share * counts[:, 0]
    return over


def _count(texts: Any) -> npt.NDArray[np.int64]:
    """(lines, 3): characters, punctuation and symbols, digits of each line of all texts."""
    found = [np.empty((0, 3), np.int64)]
    for block in text_blocks(texts):
        codes = np.frombuffer(block.encode("utf-32-le"), np.uint32)
        ends = np.flatnonzero(codes == LINE_FEED)
        kinds = np.take(_kinds(), codes)
        counts = np.empty((len(ends), 3), np.int64)
        counts[:, 0] = np.diff(ends, prepend=-1) - 1
        for column, kind in ((1, PUNCTUATION), (2, DIGIT)):
            counts[:, column] = np.diff(np.searchsorted(np.flatnonzero(kinds == kind), ends), prepend=0)
        found.append(counts)
    return np.concatenate(found)


@functools.cache
def _kinds() -> npt.NDArray[np.uint8]:
    """The kind of each code point that is punctuation, a symbol or a decimal digit; marks and letters have none."""
    kinds = np.zeros(NUM_CODE_POINTS, np.uint8)
    # Beyond these two planes there are ideographs, tags and private use.
    for code in range(0x20000):
        category = unicodedata.category(chr(code))
        kinds[code] = PUNCTUATION if category[0] in "PS" else DIGIT if category == "Nd" else 0
    return kinds
