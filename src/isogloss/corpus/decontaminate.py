"""Decontamination: lines of a corpus that share a long stretch with a labelled set, so that scores stay honest.

    index = index_sets(settings, language="en")                 # once for each kind of language
    found = find_contaminated(texts, index, settings)           # texts: an Arrow column
    found.documents, found.lines, found.sets                    # one entry a line that holds labelled text

As in GPT-3's report (Brown et al. 2020, appendix C), texts are compared by stretches of 13 words, normalised as for
paragraph hashes but for digits; of 20 or 50 characters where words have no spaces between them. A labelled text
shorter than that is found where it is a whole line of the corpus, one shorter than half of that nowhere. Stretches do
not cross line ends. Every labelled set is looked for in every language, in one without spaces only its texts that
hold such a script. The index takes 10 bytes for each distinct stretch and a filter 2 to 4 more.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from pydantic import Field, field_validator

from isogloss.config import Settings
from isogloss.corpus.dedup.normalise import NormaliseSettings, num_lines
from isogloss.corpus.dedup.shingles import Division, division_of, shingle_hashes
from isogloss.corpus.extras import load_pyarrow
from isogloss.corpus.labelled import labelled_files, labelled_texts

__all__ = [
    "DOCUMENT_REASONS",
    "LINE_REASONS",
    "Contaminated",
    "DecontaminateSettings",
    "LabelledIndex",
    "LabelledSet",
    "count_by_set",
    "find_contaminated",
    "index_sets",
]

LINE_REASONS = {"labelled-line": "shares a long stretch with a labelled set"}
DOCUMENT_REASONS = {"labelled-document": "a line of it shares a long stretch with a labelled set"}
Numbers = npt.NDArray[np.uint64]
Places = npt.NDArray[np.int64]
SetNumbers = npt.NDArray[np.uint16]
BATCH_TEXTS = 4096
# Digits as they are: with zeros for them, the dates of two Chinese lives are twenty characters in common.
NORMALISE = NormaliseSettings(zero_digits=False)
# What a labelled text must hold to be cut into characters: stretches of so few letters of an English one say nothing.
WITHOUT_SPACES: dict[Division, re.Pattern[str]] = {
    "words": re.compile(r""),
    "ideographs": re.compile(r"[\u3040-\u30FF\u3400-\u9FFF\uF900-\uFAFF\U00020000-\U0003FFFF]"),
    "letters": re.compile(r"[\u0E00-\u0FFF\u1000-\u109F\u1780-\u17FF]"),
}
# Bits of the filter for each stretch in the index: about one stretch in 16 to 32 passes it by chance.
FILTER_BITS = 16


class LabelledSet(Settings):
    """A labelled set whose texts shall not be in the corpus."""

    name: str = Field(min_length=1, description="what the report calls it")
    path: Path = Field(description="its file or folder: tables, tagged words, SQuAD JSON, JSON lines, plain text")


class DecontaminateSettings(Settings):
    """Which labelled sets are looked for, what counts as found, and what goes then."""

    sets: tuple[LabelledSet, ...] = Field((), description="labelled sets; none looks for nothing")
    drop: Literal["line", "document"] = Field("document", description="what goes: the line, or its whole document")
    words: int = Field(13, gt=0, description="words in a stretch, for languages with spaces")
    ideographs: int = Field(20, gt=0, description="characters in a stretch, for Chinese and Japanese")
    letters: int = Field(50, gt=0, description="characters in a stretch, for other languages without spaces")
    min_share: float = Field(
        0.5, gt=0, le=1, description="share of a stretch below which a whole text is too short to be looked for"
    )
    min_matches: int = Field(1, gt=0, description="stretches a line must share, or all of its own if it has fewer")

    @field_validator("sets")
    @classmethod
    def _names_differ(cls, sets: tuple[LabelledSet, ...]) -> tuple[LabelledSet, ...]:
        names = [one.name for one in sets]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"two labelled sets are called '{twice[0]}'; the report needs a name for each")
        return sets

    def length(self, division: Division) -> int:
        """Words or characters in a stretch of this kind."""
        return {"words": self.words, "ideographs": self.ideographs, "letters": self.letters}[division]


@dataclass(frozen=True)
class LabelledIndex:
    """Distinct stretches, sorted, each with the number of the first set that holds it."""

    division: Division
    names: tuple[str, ...]
    hashes: Numbers
    sets: SetNumbers
    _filter: npt.NDArray[np.uint8]

    @classmethod
    def of(cls, division: Division, names: tuple[str, ...], hashes: Numbers, sets: SetNumbers) -> LabelledIndex:
        """``hashes`` are sorted and distinct."""
        return cls(division, names, hashes, sets, _make_filter(hashes))

    def save(self, folder: Path) -> None:
        """As files that processes of a machine share in memory."""
        folder.mkdir(parents=True)
        for name, values in (("hashes", self.hashes), ("sets", self.sets), ("filter", self._filter)):
            np.save(folder / f"{name}.npy", values)
        facts = {"division": self.division, "names": self.names}
        (folder / "index.json").write_text(json.dumps(facts) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> LabelledIndex:
        """What :meth:`save` wrote, mapped."""
        hashes, sets, bits = (np.load(folder / f"{name}.npy", mmap_mode="r") for name in ("hashes", "sets", "filter"))
        facts = json.loads((folder / "index.json").read_text(encoding="utf-8"))
        return cls(facts["division"], tuple(facts["names"]), hashes, sets, bits)

    def look_up(self, hashes: Numbers) -> tuple[Places, SetNumbers]:
        """Places in ``hashes`` of what the index holds, and the set of each."""
        bits = hashes >> np.uint64(64 - _filter_size(self._filter))
        passed = np.flatnonzero(self._filter[bits >> np.uint64(3)] >> (bits & np.uint64(7)).astype(np.uint8) & 1)
        if not len(self.hashes):
            return passed[:0], self.sets
        near = np.minimum(np.searchsorted(self.hashes, hashes[passed]), len(self.hashes) - 1)
        found = self.hashes[near] == hashes[passed]
        return passed[found], self.sets[near[found]]


class Contaminated(NamedTuple):
    """One entry a line that holds labelled text, rising: its document, its number among all lines, and the set."""

    documents: Places
    lines: Places
    sets: SetNumbers


def index_sets(settings: DecontaminateSettings, *, language: str) -> LabelledIndex:
    """The labelled texts cut as texts of this language are; one index serves all languages of its ``division``.

    Raises DataError for a set that is not there or cannot be read.
    """
    division = division_of(language)
    length = settings.length(division)
    hashes, numbers = [np.empty(0, np.uint64)], [np.empty(0, np.uint16)]
    for number, labelled in enumerate(settings.sets):
        texts = filter(WITHOUT_SPACES[division].search, _texts(labelled.path))
        for found in _stretches(texts, length, settings.min_share, division):
            hashes.append(np.unique(found))
            numbers.append(np.full(len(hashes[-1]), number, np.uint16))
    # The first of equals is of the set named first.
    distinct, first = np.unique(np.concatenate(hashes), return_index=True)
    names = tuple(labelled.name for labelled in settings.sets)
    return LabelledIndex.of(division, names, distinct, np.concatenate(numbers)[first])


def find_contaminated(texts: Any, index: LabelledIndex, settings: DecontaminateSettings) -> Contaminated:
    """The lines of documents (an Arrow column of strings, some thousands at a time) that hold labelled text."""
    shingles = shingle_hashes(
        texts, length=settings.length(index.division), division=index.division, by_line=True, settings=NORMALISE
    )
    places, sets = index.look_up(shingles.hashes)
    lines, first, counts = np.unique(
        np.searchsorted(shingles.starts, places, side="right") - 1, return_index=True, return_counts=True
    )
    least = np.minimum.reduceat(sets, first) if len(first) else sets
    enough = counts >= np.minimum(settings.min_matches, np.diff(shingles.starts)[lines])
    lines = lines[enough]
    ends = np.cumsum(num_lines(texts))
    return Contaminated(np.searchsorted(ends, lines, side="right"), lines, least[enough])


def count_by_set(found: Iterable[Contaminated], index: LabelledIndex, *, drop: str) -> dict[str, int]:
    """Lines or documents found for each set that has any; a document of several sets counts for the first of them."""
    counts = np.zeros(len(index.names), np.int64)
    for part in found:
        sets = part.sets
        if drop == "document" and len(sets):
            starts = np.flatnonzero(np.diff(part.documents, prepend=-1))
            sets = np.minimum.reduceat(sets, starts)
        counts += np.bincount(sets, minlength=len(index.names))
    return {name: count for name, count in zip(index.names, counts.tolist(), strict=True) if count}


def _texts(path: Path) -> Iterator[str]:
    for source in labelled_files(path):
        yield from labelled_texts(source)


def _stretches(texts: Iterator[str], length: int, min_share: float, division: Division) -> Iterator[Numbers]:
    pa = load_pyarrow()
    while batch := list(islice(texts, BATCH_TEXTS)):
        # A text of several lines is looked for line by line, as the corpus is.
        column = pa.array(batch, pa.large_string())
        shingles = shingle_hashes(column, length=length, division=division, by_line=True, settings=NORMALISE)
        long_enough = shingles.tokens >= min_share * length
        yield shingles.hashes[np.repeat(long_enough, np.diff(shingles.starts))]


def _make_filter(hashes: Numbers) -> npt.NDArray[np.uint8]:
    """A bit for each value of the hashes' first bits, set where some hash begins so."""
    size = max(10, (len(hashes) * FILTER_BITS).bit_length())
    bits = np.unique(hashes >> np.uint64(64 - size))
    places, starts = np.unique(bits >> np.uint64(3), return_index=True)
    packed = np.zeros(1 << (size - 3), np.uint8)
    if len(bits):
        values = (np.uint64(1) << (bits & np.uint64(7))).astype(np.uint8)
        packed[places] = np.bitwise_or.reduceat(values, starts)
    return packed


def _filter_size(packed: npt.NDArray[np.uint8]) -> int:
    """How many of a hash's first bits choose a bit of the filter."""
    return (len(packed) * 8).bit_length() - 1
