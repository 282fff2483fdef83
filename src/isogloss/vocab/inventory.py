"""A vocabulary as a whole: its pieces by script and length, and how the languages that were measured share them.

usage = Usage(subject)
for code, lines in texts: usage.add(code, count_pieces(subject, lines, code))
usage.values()                    # plain values, as report.json has them
overlap({"ours": subject, "theirs": other})
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from isogloss.corpus.identify.scripts import SCRIPTS, count_scripts
from isogloss.vocab.layout import SPACE
from isogloss.vocab.measuring import Counted, Subject

__all__ = ["Usage", "overlap", "scripts_of"]

NUM_LONGEST, NUM_LONGEST_OF_ONE = 10, 3
# Of how much text it is said how many pieces make it up.
PARTS = (0.5, 0.9, 0.99)
CURVE_POINTS = 40
NOBODY, SEVERAL = -1, -2


class Usage:
    """Adds up what the languages do with the pieces of one vocabulary; takes some tens of bytes a piece."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._lengths = np.array([len(text.removeprefix(SPACE)) for text in subject.texts], np.int64)
        self._learned = np.array([bool(text) for text in subject.texts], np.bool_)
        self._scripts_of = scripts_of(subject.texts)
        self._owner = np.full(len(subject.texts), NOBODY, np.int64)
        self._num_users = np.zeros(len(subject.texts), np.int64)
        # Of all text, every language counted the same.
        self._shares = np.zeros(len(subject.texts), np.float64)
        self._rows: dict[str, dict[str, Any]] = {}
        self._met: Counter[str] = Counter()
        self._unknown: Counter[str] = Counter()

    def add(self, code: str, counted: Counted) -> None:
        """One language more."""
        used = (counted.times > 0) & self._learned
        self._owner[used & (self._num_users > 0)] = SEVERAL
        self._owner[used & (self._num_users == 0)] = len(self._rows)
        self._num_users[used] += 1
        self._shares += counted.times / max(counted.row.pieces, 1)
        self._met.update(counted.met)
        self._unknown.update(counted.unknown)
        # Names of others stand in every language: only what is in its own script.
        own_script = self._scripts_of == _script_of(counted.met)
        longest = self._longest(np.flatnonzero(used & own_script), NUM_LONGEST_OF_ONE)
        self._rows[code] = {**counted.row.values(), "used": int(used.sum()), "longest": longest}

    def values(self) -> dict[str, Any]:
        """Everything as plain values."""
        texts = self._subject.texts
        num_learned = int(self._learned.sum())
        starts = np.array([text.startswith(SPACE) for text in texts], np.bool_)
        owned = np.bincount(self._owner[self._owner >= 0], minlength=len(self._rows))
        for number, row in enumerate(self._rows.values()):
            row |= {"used_share": row["used"] / max(num_learned, 1), "own": int(owned[number])}
        return {
            "size": len(texts),
            "pieces": num_learned,
            "word_starts": int((starts & self._learned).sum()),
            "mean_length": float(self._lengths[self._learned].mean()) if num_learned else 0.0,
            "longest": self._longest(np.flatnonzero(self._learned), NUM_LONGEST),
            "scripts": self._scripts(starts),
            "characters": self._characters(),
            "use": self._use(),
            "languages": self._rows,
        }

    def _longest(self, ids: npt.NDArray[np.int64], number: int) -> list[str]:
        """The longest of these pieces; of equal ones the first by id."""
        order = ids[np.argsort(-self._lengths[ids], kind="stable")[:number]]
        return [self._subject.texts[index] for index in order]

    def _scripts(self, starts: npt.NDArray[np.bool_]) -> dict[str, dict[str, Any]]:
        ids = np.flatnonzero(self._learned)
        scripts = self._scripts_of[ids]
        found: dict[str, dict[str, Any]] = {}
        for number in np.unique(scripts):
            mine = ids[scripts == number]
            found[SCRIPTS[number]] = {
                "pieces": len(mine),
                "word_starts": int(starts[mine].sum()),
                "used": int((self._num_users[mine] > 0).sum()),
                "mean_length": float(self._lengths[mine].mean()),
                "longest": self._longest(mine, NUM_LONGEST_OF_ONE),
            }
        return dict(sorted(found.items(), key=lambda item: (-item[1]["pieces"], item[0])))

    def _characters(self) -> dict[str, dict[str, Any]]:
        """By script, how many different characters were met and how many of them had a piece at least once."""
        met = sorted(self._met)
        found: dict[str, dict[str, Any]] = {}
        for character, script in zip(met, scripts_of(met), strict=True):
            times, lost = self._met[character], self._unknown[character]
            row = found.setdefault(SCRIPTS[script], {"met": 0, "known": 0, "times": 0, "times_known": 0})
            row["met"] += 1
            row["known"] += lost < times
            row["times"] += times
            row["times_known"] += times - lost
        return dict(sorted(found.items(), key=lambda item: (-item[1]["times"], item[0])))

    def _use(self) -> dict[str, Any]:
        users = self._num_users[self._learned]
        shares = np.sort(self._shares)[::-1]
        reached = np.cumsum(shares) / max(float(shares.sum()), 1e-300)
        last = max(1, int(np.count_nonzero(shares)))
        points = sorted({round(last ** (step / (CURVE_POINTS - 1))) for step in range(CURVE_POINTS)})
        return {
            "by_none": int((users == 0).sum()),
            "by_one": int((users == 1).sum()),
            "by_several": int(((users > 1) & (users < len(self._rows))).sum()),
            "by_all": int(((users == len(self._rows)) & (users > 1)).sum()),
            "pieces_for": {f"{part:g}": min(last, 1 + int(np.searchsorted(reached, part))) for part in PARTS},
            "curve": [[point, round(float(reached[point - 1]), 6)] for point in points],
        }


def scripts_of(texts: Sequence[str]) -> npt.NDArray[np.int64]:
    """The place in SCRIPTS of what most letters of each text are of, (texts,); 0, "Zyyy", for no letters."""
    if not texts:
        return np.empty(0, np.int64)
    counts = count_scripts(texts).counts
    places: npt.NDArray[np.int64] = np.argmax(counts, axis=1)
    return places


def _script_of(met: Mapping[str, int]) -> int:
    """The place in SCRIPTS of the script that most letters are of."""
    counts = np.bincount(scripts_of(list(met)), list(met.values()), minlength=len(SCRIPTS))
    counts[0] = 0
    return int(np.argmax(counts))


def overlap(subjects: Mapping[str, Subject]) -> list[dict[str, Any]]:
    """For each two vocabularies, how many pieces they share, and of how many that either has (Jaccard)."""
    pieces = {name: {text for text in subject.texts if text} for name, subject in subjects.items()}
    return [
        {
            "first": first,
            "second": second,
            "shared": (shared := len(pieces[first] & pieces[second])),
            "jaccard": shared / max(len(pieces[first] | pieces[second]), 1),
        }
        for first, second in itertools.combinations(pieces, 2)
    ]
