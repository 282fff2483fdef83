"""Identification of a batch of texts: scripts, two opinions, and the classifiers of our own, joined.

    identifier = Identifier(IdentifySettings())
    identifier.texts(["Habari ya asubuhi, rafiki yangu?"]).language(0)        # 'sw'
    identifier.documents(["First line\\nSecond line"])                         # see documents.py

Nothing is kept between calls, so the answer for a text does not depend on its neighbours in the batch. The models are
shared by all identifiers of a process (12 MB measured); documents are worked on 400,000 characters at a time (15 MB).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from isogloss.corpus.identify.burmese import decide_burmese
from isogloss.corpus.identify.chinese import count_chinese, decide_chinese
from isogloss.corpus.identify.identified import NAMES, Identified, concatenated
from isogloss.corpus.identify.join import Joined, coded, join
from isogloss.corpus.identify.labels import KIN, Codes
from isogloss.corpus.identify.opinions import Cld2, FastText, cld2_opinion, clean, fasttext_opinion
from isogloss.corpus.identify.romanised import ROMANISED, Verdict, words_verdict
from isogloss.corpus.identify.romanised_model import read_model
from isogloss.corpus.identify.scripts import WRITINGS, Letters, count_scripts, writings
from isogloss.corpus.identify.settings import IdentifySettings

__all__ = ["Batch", "Identifier"]

Integers = np.ndarray[Any, np.dtype[np.int64]]
Floats = np.ndarray[Any, np.dtype[np.float64]]
Flags = np.ndarray[Any, np.dtype[np.bool_]]

# Texts looked at together: large enough for whole-array work, small enough to stay in the processor's cache.
CHUNK = 2000
# Of a document, how much is looked at for romanised words as a whole.
DOCUMENT_CHARACTERS = 4000
LATIN, HAN, MYANMAR = (WRITINGS.index(name) for name in ("Latn", "Hani", "Mymr"))
# CLD2 has a label for Kurdish, but knows it in Arabic letters only.
NOT_IN_CLD2 = ("ku",)
_OWN = ("yue", "zh-Hant", "my-Qaag", "mnw", *ROMANISED)


@dataclass(frozen=True)
class Batch:
    """Texts fit to be asked about, the letters of each, and what each is written in."""

    texts: list[str]
    letters: Integers
    han: Integers
    writing: Integers

    def take(self, rows: Integers) -> Batch:
        """Some of the texts."""
        return Batch([self.texts[row] for row in rows], self.letters[rows], self.han[rows], self.writing[rows])


class Identifier:
    """Says the language of texts."""

    def __init__(self, settings: IdentifySettings) -> None:
        self.settings = settings
        self._first: FastText = fasttext_opinion()
        self._second: Cld2 = cld2_opinion()
        self.codes = Codes([*self._first.names, *self._second.names], others=_OWN)
        self.first_rows = np.array([*map(self.codes.place, self._first.names), len(self.codes.labels)])
        self.second_rows = np.array([*map(self.codes.place, self._second.names), len(self.codes.labels)])
        known = np.unique(self.codes.of_label[self.first_rows])
        self._unknown_to_first = ~np.isin(np.arange(len(self.codes.names)), known)
        known = np.setdiff1d(self.codes.of_label[self.second_rows], [self.codes.code(name) for name in NOT_IN_CLD2])
        self._unknown_to_second = ~np.isin(np.arange(len(self.codes.names)), known)
        self._kept = np.array([name in settings.kept for name in self.codes.names])
        self.akin = _akin(self.codes.names)
        self._romanised_places = np.array([self.codes.code(name) for name in ROMANISED])
        self._model = None if settings.romanised_model is None else read_model(settings.romanised_model)

    def texts(self, texts: Sequence[str]) -> Identified:
        """Each text by itself, whatever breaks it holds."""
        parts = [self._texts(texts[start : start + CHUNK]) for start in range(0, len(texts), CHUNK)]
        return concatenated(self.codes.names, parts)

    def _texts(self, texts: Sequence[str]) -> Identified:
        batch = self.look(texts)
        joined = self.ask(batch)
        return self.answer(batch.letters, self.refine(batch, joined))

    def look(self, texts: Sequence[str]) -> Batch:
        """Clean the texts, and count their letters by script."""
        found = count_scripts(texts)
        cleaned = list(texts)
        for row in np.flatnonzero(found.unfit):
            cleaned[row] = clean(cleaned[row])
        return Batch(cleaned, found.total, _han(found), writings(found, min_kana=self.settings.min_kana))

    def ask(self, batch: Batch, prior: tuple[Integers, Floats] | None = None) -> Joined:
        """Both opinions about each text that has letters enough, joined."""
        cut = self.settings.line_characters
        texts = [text[:cut] for text in batch.texts]
        return self.join_answers(
            batch.writing, self.first(texts, batch.writing), self.second(texts, batch.writing), prior
        )

    def first(self, texts: Sequence[str], writing: Integers) -> tuple[Integers, Floats]:
        """What fastText says: codes that the writing allows, and shares."""
        return coded(self.codes, self.first_rows, self._first.ask(texts), writing)

    def second(self, texts: Sequence[str], writing: Integers) -> tuple[Integers, Floats]:
        """What CLD2 says."""
        return coded(self.codes, self.second_rows, self._second.ask(texts), writing)

    def stretches(self, text: str) -> list[tuple[int, int, int]]:
        """Where which language stands in a document, as CLD2 sees it: first byte, bytes, place among its labels."""
        return self._second.ask_stretches(text)

    def join_answers(
        self,
        writing: Integers,
        first: tuple[Integers, Floats],
        second: tuple[Integers, Floats],
        prior: tuple[Integers, Floats] | None = None,
    ) -> Joined:
        """See :func:`isogloss.corpus.identify.join.join`."""
        return join(
            self.codes,
            writing,
            first,
            second,
            second_weight=self.settings.second_weight,
            unknown_to_first=self._unknown_to_first,
            unknown_to_second=self._unknown_to_second,
            prior=prior,
        )

    def refine(self, batch: Batch, joined: Joined, starts: Integers | None = None) -> Joined:
        """Let our own classifiers say what the opinions cannot: which Chinese, which Burmese, which romanisation.

        Texts are lines of documents where ``starts`` (documents + 1,) says where each begins: then a line that says
        too little is as the document.
        """
        codes, confidence, agreed = joined.codes.copy(), joined.confidence.copy(), joined.agreed.copy()
        self._divide(codes, batch, HAN, "zh-Hans", starts)
        self._divide(codes, batch, MYANMAR, "my", starts)
        rows = np.flatnonzero((batch.writing == LATIN) & (batch.letters >= self.settings.min_letters))
        if starts is not None:
            # Both opinions agree on one romanised line in five, but hardly on a document.
            rows = rows[~agreed[rows]]
        if self.settings.romanised and len(rows):
            groups = None if starts is None else np.searchsorted(starts, rows, side="right")
            verdict = self._romanised([batch.texts[row] for row in rows], groups)
            found = verdict.language >= 0
            codes[rows[found]] = self._romanised_places[verdict.language[found]]
            confidence[rows[found]] = verdict.confidence[found]
            agreed[rows[found]] = False
        return replace(joined, codes=codes, confidence=confidence, agreed=agreed)

    def _romanised(self, texts: Sequence[str], groups: Integers | None) -> Verdict:
        """Which of the five each text is; ``groups`` (texts,) are the numbers, in order, of the texts' documents."""
        verdict = self._judge(texts)
        if groups is None:
            return verdict
        _, firsts, inverse = np.unique(groups, return_index=True, return_inverse=True)
        ends = [*firsts[1:].tolist(), len(texts)]
        wholes = [
            " ".join(texts[first:end])[:DOCUMENT_CHARACTERS] for first, end in zip(firsts.tolist(), ends, strict=True)
        ]
        of_document = self._judge(wholes)
        unsaid = verdict.language < 0
        return Verdict(
            np.where(unsaid, of_document.language[inverse], verdict.language),
            np.where(unsaid, of_document.confidence[inverse], verdict.confidence),
        )

    def _judge(self, texts: Sequence[str]) -> Verdict:
        """By function words, and by the model where they say nothing."""
        verdict = words_verdict(texts)
        rows = np.flatnonzero(verdict.language < 0)
        if self._model is not None and len(rows):
            more = self._model.judge([texts[row] for row in rows.tolist()])
            verdict.language[rows], verdict.confidence[rows] = more.language, more.confidence
        return verdict

    def _divide(self, codes: Integers, batch: Batch, writing: int, base: str, starts: Integers | None) -> None:
        """Say which language of a writing each text of code ``base`` is; what says too little is as its document."""
        rows = np.flatnonzero((batch.writing == writing) & (codes == self.codes.code(base)))
        if not len(rows):
            return
        names = self._decide(batch.take(rows), writing)
        if starts is not None:
            groups = np.searchsorted(starts, rows, side="right").tolist()
            said: dict[int, Counter[str]] = {}
            for group, name, letters in zip(groups, names, batch.letters[rows].tolist(), strict=True):
                if name:
                    said.setdefault(group, Counter())[name] += letters
            most = {group: counter.most_common(1)[0][0] for group, counter in said.items()}
            names = [name or most.get(group, base) for group, name in zip(groups, names, strict=True)]
        codes[rows] = [self.codes.code(name or base) for name in names]

    def _decide(self, batch: Batch, writing: int) -> list[str]:
        if writing == HAN:
            return decide_chinese(count_chinese(batch.texts), batch.han, min_cantonese=self.settings.min_cantonese)
        return decide_burmese(batch.texts, min_mon=self.settings.min_mon)

    def answer(self, letters: Integers, joined: Joined) -> Identified:
        """Give each text its reason."""
        settings = self.settings
        differ = (joined.first > 0) & (joined.second > 0) & ~joined.agreed & (joined.first != joined.second)
        conditions = {
            "no letters": letters == 0,
            "short": letters < settings.min_letters,
            "disagree": (joined.confidence < settings.min_confidence) & differ,
            "low confidence": (joined.confidence < settings.min_confidence) | (joined.codes == 0),
            "other language": ~self._kept[joined.codes],
        }
        reasons = np.select(list(conditions.values()), [NAMES.index(name) for name in conditions], 0)
        named = (reasons == 0) | (reasons == NAMES.index("other language"))
        return Identified(
            self.codes.names,
            np.where(named, joined.codes, 0),
            np.where(letters > 0, joined.confidence, 0.0),
            joined.agreed & named,
            reasons,
            joined.first,
            joined.second,
        )


def _han(found: Letters) -> Integers:
    """Han characters of each text."""
    from_scripts: Integers = found.counts[:, HAN + 2]
    return from_scripts


def _akin(names: Sequence[str]) -> Flags:
    """Pairs of codes that are the same language or kin."""
    akin = np.eye(len(names), dtype=np.bool_)
    for kin in KIN:
        places = [names.index(code) for code in kin if code in names]
        akin[np.ix_(places, places)] = True
    return akin
