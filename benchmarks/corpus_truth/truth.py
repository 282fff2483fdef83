"""What is known of each page of a made crawl, as JSON lines: a page's language, what was done to it, and its lines.

    write_truth(path, entries)
    for entry in read_truth(path): entry.url, entry.kind, entry.readable, entry.lines

A line is known by the hash of what it says, without case, accents, punctuation, symbols, white space and the values of
digits, so that it is found again where a reader of HTML or a cleaning step has changed nothing else.
"""

from __future__ import annotations

import io
import json
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import xxhash
import zstandard

from isogloss.errors import DataError

__all__ = [
    "BROKEN_KINDS",
    "DOCUMENT_KINDS",
    "LINE_KINDS",
    "Entry",
    "KnownLine",
    "line_key",
    "read_truth",
    "write_truth",
]

DOCUMENT_KINDS = {
    "clean": "as it was in the text",
    "exact-duplicate": "the same lines as the page that `of` names",
    "near-duplicate": "that page with some words changed, added or left out",
    "short": "fewer characters than a page has to have",
    "mixed": "some lines are in another language",
    "contaminated": "holds texts of a labelled set",
    "personal": "holds an e-mail address and a telephone number",
}
# What cannot be read, and the reason that the reader has to count it under.
BROKEN_KINDS = {
    "cut-member": "bad-member",
    "wrong-length": "bad-length",
    "bad-utf8": "bad-utf8-record",
    "bad-http": "bad-http",
    "bad-status": "bad-status",
    "not-html": "not-html",
}
LINE_KINDS = {
    "text": "as it was in the text",
    "copy": "of a duplicate: as it stands in the page it was made from",
    "changed": "of a near-duplicate: with some words changed, added or left out",
    "boilerplate": "stands on many pages of its host",
    "foreign": "in another language than its page",
    "labelled": "a text of a labelled set",
    "labelled-inside": "with a text of a labelled set behind its own",
    "personal": "with an e-mail address and a telephone number behind its own text",
}
_COMBINING_MARKS = ((0x300, 0x370), (0x1AB0, 0x1B00), (0x1DC0, 0x1E00), (0x20D0, 0x2100), (0xFE20, 0xFE30))


class KnownLine(NamedTuple):
    """``key`` as :func:`line_key` gives it; ``language`` is the page's but for a foreign line."""

    key: int
    characters: int
    kind: str
    language: str


@dataclass(frozen=True)
class Entry:
    """One page: ``number`` is that of its record in ``file``, counted from 1 and over records of every type.

    Of a near-duplicate, ``change`` is the share of words changed, ``similarity`` the share of shingles it has in common
    with the page it was made from, boilerplate of both included.
    """

    url: str
    file: str
    number: int
    form: str
    language: str
    script: str
    kind: str
    reason: str = ""
    of: str = ""
    change: float = 0.0
    similarity: float = 0.0
    secrets: tuple[str, ...] = ()
    lines: tuple[KnownLine, ...] = field(default=())

    @property
    def readable(self) -> bool:
        """Whether a reader can give its text."""
        return not self.reason

    @property
    def characters(self) -> int:
        return sum(line.characters for line in self.lines)


class _Levels(dict[int, Any]):
    """For ``str.translate``: filled with each code point as it is met."""

    def __missing__(self, point: int) -> int | str | None:
        category = unicodedata.category(chr(point))
        is_mark = any(first <= point < end for first, end in _COMBINING_MARKS)
        level = "0" if category == "Nd" else None if category[0] in "PSZC" or is_mark else point
        self[point] = level
        return level


_LEVELS = _Levels()


def line_key(text: str) -> int:
    """64 bits of what a line says; of a line of punctuation alone, of the line itself."""
    levelled = unicodedata.normalize("NFKD", text).casefold().translate(_LEVELS)
    return int(xxhash.xxh3_64_intdigest((levelled or text.strip()).encode()))


def write_truth(path: Path, entries: Iterable[Entry]) -> None:
    """One entry a line, zstd; the lines of a page as columns."""
    with path.open("wb") as file, zstandard.ZstdCompressor(level=6).stream_writer(file) as stream:
        for entry in entries:
            record = asdict(entry) | {"readable": entry.readable}
            record["lines"] = {
                name: [getattr(line, name) for line in entry.lines]
                for name in ("key", "characters", "kind", "language")
            }
            stream.write(json.dumps(record, ensure_ascii=False).encode() + b"\n")


def read_truth(path: Path) -> Iterator[Entry]:
    """Raises DataError for a file that is not there or holds something else."""
    try:
        with path.open("rb") as file:
            blocks = zstandard.ZstdDecompressor().stream_reader(file)
            for text in io.TextIOWrapper(blocks, encoding="utf-8", newline="\n"):
                record = json.loads(text)
                del record["readable"]
                columns = record.pop("lines")
                lines = map(KnownLine, *(columns[name] for name in KnownLine._fields))
                yield Entry(**{**record, "secrets": tuple(record["secrets"])}, lines=tuple(lines))
    except OSError as error:
        raise DataError(f"truth {path} cannot be read: {error.strerror}; give the truth.jsonl.zst of a crawl") from None
    except (ValueError, KeyError, TypeError, zstandard.ZstdError) as error:
        raise DataError(f"truth {path} is no table of known pages ({error}); make the crawl again") from None
