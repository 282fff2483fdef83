"""Documents: the language of most of their characters, and the lines that are in another one.

    found = identify_documents(identifier, ["Habari ya leo.\\nThis line is English, as a menu often is.\\n…"])
    found.documents.language(0), found.lines.language(1), found.foreign[1]

With ``ask_lines=doubtful`` CLD2 reads the document once and says where which language stands, and fastText reads a
sample of its lines; both together say a first language. Lines of another writing, lines that CLD2's stretches give
to another language and, where the whole is not ``sure``, all lines are then asked about one by one. With
``ask_lines=every`` each line is asked about. Lines too short to ask about are of their document's language.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from isogloss.corpus.identify.identified import NAMES, IdentifiedDocuments, concatenated
from isogloss.corpus.identify.identifier import Batch, Identifier
from isogloss.corpus.identify.join import Joined

__all__ = ["identify_documents"]

Integers = np.ndarray[Any, np.dtype[np.int64]]
Floats = np.ndarray[Any, np.dtype[np.float64]]
Flags = np.ndarray[Any, np.dtype[np.bool_]]

# Characters looked at together.
CHUNK_CHARACTERS = 400_000
# A line of fewer letters than this is no sample of its document's language if there are longer ones.
SAMPLE_LETTERS = 20
SAMPLE_LINES = 12
# A line in which a second language has more of the letters than this is in doubt.
MIXED = 0.25
# CLD2 overlooks one line among few: of a document of fewer letters each line is asked about.
SMALL = 200


@dataclass(frozen=True)
class _Group:
    """Some documents: their lines, where each document's begin, (documents + 1,), and whose each line is, (lines,)."""

    batch: Batch
    starts: Integers
    owner: Integers

    @property
    def num_documents(self) -> int:
        return len(self.starts) - 1

    def sums(self, values: Floats | Integers) -> Any:
        """Values of lines added up by document."""
        return np.add.reduceat(values, self.starts[:-1])


def identify_documents(identifier: Identifier, texts: Sequence[str]) -> IdentifiedDocuments:
    """The language of each document and of each of its lines, which line feeds divide."""
    parts = []
    group: list[str] = []
    size = 0
    for text in texts:
        group.append(text)
        size += len(text)
        if size >= CHUNK_CHARACTERS:
            parts.append(_identify(identifier, group))
            group, size = [], 0
    if group:
        parts.append(_identify(identifier, group))
    names = identifier.codes.names
    counts = [np.diff(part.starts) for part in parts]
    return IdentifiedDocuments(
        concatenated(names, [part.documents for part in parts]),
        concatenated(names, [part.lines for part in parts]),
        np.concatenate([np.zeros(1, np.int64), *counts]).cumsum(),
        np.concatenate([np.empty(0, np.bool_), *(part.foreign for part in parts)]),
    )


def _identify(identifier: Identifier, texts: Sequence[str]) -> IdentifiedDocuments:
    lines = [text.split("\n") for text in texts]
    counts = np.array([len(some) for some in lines], np.int64)
    starts = np.concatenate([[0], counts.cumsum()])
    owner = np.repeat(np.arange(len(texts)), counts)
    group = _Group(identifier.look([line for some in lines for line in some]), starts, owner)
    whole, joined, asked = _ask(identifier, group)
    joined = identifier.refine(group.batch, joined, starts)
    letters = group.batch.letters
    codes, confidence, agreed = _majority(identifier, group, joined, asked)
    document_letters = group.sums(letters)
    documents = identifier.answer(document_letters, replace(whole, codes=codes, confidence=confidence, agreed=agreed))
    line_answers = identifier.answer(letters, joined)
    settings = identifier.settings
    foreign = (
        ((line_answers.reasons == 0) | (line_answers.reasons == NAMES.index("other language")))
        & (joined.confidence >= settings.foreign_confidence)
        & (letters >= settings.foreign_letters)
        & ~identifier.akin[joined.codes, codes[owner]]
    )
    return IdentifiedDocuments(documents, line_answers, starts, foreign)


def _ask(identifier: Identifier, group: _Group) -> tuple[Joined, Joined, Flags]:
    """The opinions about the wholes, about each line, and which lines were long enough to count."""
    settings, batch = identifier.settings, group.batch
    whole, stretches = _first_look(identifier, group)
    of_document = whole.codes[group.owner]
    long_enough = batch.letters >= settings.min_letters
    if settings.ask_lines == "every":
        doubtful = long_enough
    else:
        small = group.sums(batch.letters) < SMALL
        unsure = (small | (whole.confidence < settings.sure))[group.owner]
        other = ~identifier.akin[stretches, of_document]
        doubtful = long_enough & (unsure | other)
    lines = Joined(
        of_document.copy(),
        whole.confidence[group.owner],
        whole.agreed[group.owner],
        np.zeros(len(group.owner), np.int64),
        np.zeros(len(group.owner), np.int64),
    )
    rows = np.flatnonzero(doubtful)
    if len(rows):
        weight = np.full(len(rows), settings.document_weight)
        answers = identifier.ask(batch.take(rows), (_writable(identifier, group, whole, rows), weight))
        for name in ("codes", "confidence", "agreed", "first", "second"):
            getattr(lines, name)[rows] = getattr(answers, name)
    return whole, lines, long_enough


def _first_look(identifier: Identifier, group: _Group) -> tuple[Joined, Integers]:
    """A joined opinion of each document; of each line the code that CLD2's stretches give it, 0 for none or two."""
    batch = group.batch
    labels = _stretches(identifier, group)
    line_codes = identifier.codes.of_label[identifier.second_rows[labels], batch.writing]
    writing = _most(group.owner, batch.writing, batch.letters, group.num_documents)
    # The share of a document's letters that CLD2 gives to the language that most of them have.
    second = _most(group.owner, line_codes, batch.letters, group.num_documents)
    letters = np.maximum(group.sums(batch.letters), 1)
    share = group.sums(batch.letters * (line_codes == second[group.owner])) / letters
    samples = [_sample(group, place, writing[place], identifier) for place in range(group.num_documents)]
    first = identifier.first(samples, writing)
    whole = identifier.join_answers(writing, first, (second[:, None], share[:, None]))
    return whole, line_codes


def _stretches(identifier: Identifier, group: _Group) -> Integers:
    """CLD2's label of each line; its number of labels for none, and for a line of two languages."""
    none = len(identifier.second_rows) - 1
    labels = np.full(len(group.owner), none, np.int64)
    for place in range(group.num_documents):
        first, last = group.starts[place], group.starts[place + 1]
        lines = group.batch.texts[first:last]
        found = identifier.stretches("\n".join(lines))
        if len(found) == 1:
            labels[first:last] = found[0][2]
        elif len(said := {label for _, _, label in found} - {none}) == 1:
            # What CLD2 has no name for counts for none: it is mostly names, numbers and short pieces.
            labels[first:last] = said.pop()
        elif said:
            sizes = np.array([len(line.encode("utf-8")) + 1 for line in lines])
            labels[first:last] = _labels_of_lines(sizes, np.array(found), none)
    return labels


def _labels_of_lines(sizes: Integers, stretches: Integers, none: int) -> Integers:
    """The label that stands over each line; ``none`` where a second one has over MIXED of it, or there is no label."""
    ends = sizes.cumsum()
    begins = ends - sizes
    names = np.unique(stretches[:, 2])
    names = names[names != none]
    covered = np.zeros((len(names), len(sizes)), np.int64)
    for begin, size, label in stretches:
        if label != none:
            lines = slice(np.searchsorted(ends, begin, side="right"), np.searchsorted(begins, begin + size))
            overlap = np.minimum(ends[lines], begin + size) - np.maximum(begins[lines], begin)
            covered[np.searchsorted(names, label), lines] += overlap
    best, total = covered.argmax(axis=0), covered.sum(axis=0)
    most = covered.max(axis=0)
    return np.where((most > 0) & (total - most <= MIXED * total), names[best], none)


def _sample(group: _Group, place: int, writing: int, identifier: Identifier) -> str:
    """Pieces of lines from all over a document, the longer lines if there are any."""
    first, last = int(group.starts[place]), int(group.starts[place + 1])
    rows = first + np.flatnonzero(group.batch.letters[first:last] >= SAMPLE_LETTERS)
    if not len(rows):
        rows = np.arange(first, last)
    chosen = rows[:: -(-len(rows) // SAMPLE_LINES)]
    # Where the script leaves one language, a third of the sample is proof enough.
    size = identifier.settings.sample_characters // (3 if identifier.codes.of_script[writing] else 1)
    cut = -(-size // len(chosen))
    return " ".join(group.batch.texts[row][:cut] for row in chosen)


def _majority(identifier: Identifier, group: _Group, joined: Joined, counted: Flags) -> tuple[Integers, Floats, Flags]:
    """The code of most letters of each document, and the mean confidence and agreement of the lines that have it."""
    letters = np.where(counted, group.batch.letters, 0)
    # A document of short lines alone is judged by all of them.
    alone = group.sums(letters) == 0
    letters = np.where(alone[group.owner], group.batch.letters, letters)
    codes = _most(group.owner, joined.codes, letters, group.num_documents)
    weight = letters * (joined.codes == codes[group.owner])
    total = np.maximum(group.sums(weight), 1)
    confidence = group.sums(weight * joined.confidence) / total
    agreed = group.sums(weight * joined.agreed) * 2 > total
    return codes, confidence, agreed


def _most(owner: Integers, values: Integers, weights: Integers, num_owners: int) -> Integers:
    """For each owner, the value with the largest sum of weights; the smallest of equals."""
    size = int(values.max(initial=0)) + 1
    found: Integers = np.zeros(num_owners, np.int64)
    pairs, inverse = np.unique(owner * size + values, return_inverse=True)
    sums = np.bincount(inverse, weights=weights, minlength=len(pairs))
    order = np.lexsort((pairs, -sums, pairs // size))
    owners, first = np.unique((pairs // size)[order], return_index=True)
    found[owners] = (pairs % size)[order][first]
    return found


def _writable(identifier: Identifier, group: _Group, whole: Joined, rows: Integers) -> Integers:
    """The document's code for each of some lines, 0 where the line's writing is not the document's."""
    writing = _most(group.owner, group.batch.writing, group.batch.letters, group.num_documents)
    same = group.batch.writing[rows] == writing[group.owner[rows]]
    return np.where(same, whole.codes[group.owner[rows]], 0)
