"""Clusters of near-duplicates: documents whose signatures share a band are compared, and one of each cluster stays.

    with SignatureWriter(path) as writer: writer.add(sign(texts, ...))     # in the order of the documents
    clusters = find_clusters(path, settings)
    clusters.gone, clusters.kept                                           # a document that goes, and what it resembles

In each bucket (documents with an equal band) all are compared with the first; pairs whose estimate reaches the
threshold are edges, and what edges connect is a cluster, of which the first document stays. So the answer depends
on the documents and their order alone. Buckets are sorted runs on disk, 16 bytes a document and band.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from isogloss.corpus.dedup.minhash import MinHashSettings, Signatures, share_equal
from isogloss.corpus.dedup.sorted_runs import Numbers, SortedRuns, even_bounds
from isogloss.errors import DataError
from isogloss.randomness import key_of, spread

__all__ = ["DOCUMENT_REASONS", "Clusters", "SignatureWriter", "find_clusters"]

DOCUMENT_REASONS = {"near-duplicate": "most of its shingles stand in an earlier document of the language"}
Places = npt.NDArray[np.int64]
SIGNATURE_DTYPE = np.dtype("<u4")
# Measured: what sorting a row (a band's hash and its document) takes at its peak, its own 16 bytes among them.
BYTES_A_ROW = 96
# Signatures compared at a time.
PAIRS = 1 << 12
# Documents asked at a time which cluster they are in.
DOCUMENTS = 1 << 18


class Clusters(NamedTuple):
    """``gone``: documents to drop, rising; ``kept``: for each of them the one that stays for its cluster."""

    gone: Places
    kept: Places


class SignatureWriter:
    """Writes signatures of documents, one after the other, beside and renamed at the end."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.with_name(path.name + ".tmp").open("wb")

    def __enter__(self) -> SignatureWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        if kind is None:
            Path(self._file.name).rename(self._path)

    def add(self, signatures: Signatures) -> None:
        """Signatures of the next documents."""
        self._file.write(np.ascontiguousarray(signatures, SIGNATURE_DTYPE).data)


def find_clusters(path: Path, settings: MinHashSettings) -> Clusters:
    """Clusters among the documents whose signatures ``path`` holds; documents without words are in none.

    Raises DataError for a file of other signatures, OSError from the disk.
    """
    row = settings.num_hashes * SIGNATURE_DTYPE.itemsize
    num_documents, rest = divmod(path.stat().st_size, row)
    if rest:
        raise DataError(f"{path} holds no signatures of {settings.num_hashes} hashes; sign its documents again")
    parents = np.arange(num_documents)
    capacity = settings.memory_bytes // BYTES_A_ROW
    # A third full on average, as chance fills some ranges more than others.
    num_ranges = max(1, -(-3 * num_documents * settings.num_bands // capacity))
    work = Path(tempfile.mkdtemp(prefix=path.name + ".", dir=path.parent))
    try:
        with path.open("rb") as file, SortedRuns(work / "bands", even_bounds(num_ranges), num_columns=2) as runs:
            _sort_bands(file.fileno(), num_documents, capacity, settings, runs)
            for number in range(num_ranges):
                for some, others in _pairs(runs, number, capacity // 2):
                    _connect(file.fileno(), some, others, parents, settings)
    finally:
        shutil.rmtree(work)
    return _gone(parents)


def _sort_bands(file: int, num_documents: int, capacity: int, settings: MinHashSettings, runs: SortedRuns) -> None:
    """The hash of each band of each document, with the document, as sorted runs."""
    step = max(1, capacity // (settings.num_bands + settings.num_hashes // 16))
    for start in range(0, num_documents, step):
        count = min(step, num_documents - start)
        signatures = _read(file, np.arange(start, start + count), settings.num_hashes, together=True)
        # A document without words resembles none.
        documents = start + np.flatnonzero((signatures != 2**32 - 1).any(axis=1))
        hashes = _band_hashes(signatures[documents - start], settings).ravel()
        order = np.argsort(hashes, kind="stable")
        runs.add(hashes[order], np.repeat(documents.astype(np.uint64), settings.num_bands)[order])


def _band_hashes(signatures: Signatures, settings: MinHashSettings) -> Numbers:
    """(documents, bands): equal where the band's numbers are, and different between bands."""
    rows = settings.num_hashes // settings.num_bands
    factors = spread(key_of("bands"), np.arange(rows)) | np.uint64(1)
    hashes = np.empty((len(signatures), settings.num_bands), np.uint64)
    for band in range(settings.num_bands):
        numbers = signatures[:, band * rows : (band + 1) * rows].astype(np.uint64)
        # Mixed one by one: sums of products of small numbers meet too often.
        hashes[:, band] = spread(band, (spread(band, numbers) * factors).sum(axis=1, dtype=np.uint64))
    return hashes


def _pairs(runs: SortedRuns, number: int, limit: int) -> Iterator[tuple[Places, Places]]:
    """(first of the bucket, other document) for each bucket of a range; a bucket of any size stays within memory."""
    firsts_of = (np.empty(0, np.uint64), np.empty(0, np.uint64))
    for hashes, documents in runs.pieces(number, limit):
        both = tuple(map(np.concatenate, zip(firsts_of, (hashes, documents), strict=True)))
        order = np.lexsort((both[1], both[0]))
        keys, places = both[0][order], both[1][order]
        is_first = np.concatenate(([True], keys[1:] != keys[:-1]))
        firsts_of = keys[is_first], places[is_first]
    for hashes, documents in runs.pieces(number, limit):
        firsts = firsts_of[1][np.searchsorted(firsts_of[0], hashes)]
        others = firsts != documents
        yield firsts[others].astype(np.int64), documents[others].astype(np.int64)


def _connect(file: int, some: Places, others: Places, parents: Places, settings: MinHashSettings) -> None:
    """Compare pairs that are not connected yet, and connect those that are alike."""
    for start in range(0, len(some), PAIRS):
        one, other = some[start : start + PAIRS], others[start : start + PAIRS]
        apart = _roots(parents, one) != _roots(parents, other)
        one, other = one[apart], other[apart]
        shares = share_equal(_read(file, one, settings.num_hashes), _read(file, other, settings.num_hashes))
        alike = shares >= settings.threshold
        _unite(parents, one[alike], other[alike])


def _read(file: int, documents: Places, num_hashes: int, *, together: bool = False) -> Signatures:
    """Signatures of documents, or of a stretch of neighbours at once."""
    signatures = np.empty((len(documents), num_hashes), SIGNATURE_DTYPE)
    row = num_hashes * SIGNATURE_DTYPE.itemsize
    parts = [signatures] if together and len(documents) else list(signatures)
    for part, document in zip(parts, documents.tolist(), strict=False):
        read = os.preadv(file, [part.data.cast("B")], document * row)
        assert read == part.nbytes, f"signature {document} is cut off"
    return signatures


def _gone(parents: Places) -> Clusters:
    """Every document that is not the first of its cluster."""
    found = []
    for start in range(0, len(parents), DOCUMENTS):
        documents = np.arange(start, min(start + DOCUMENTS, len(parents)))
        roots = _roots(parents, documents)
        found.append((documents[roots != documents], roots[roots != documents]))
    gone, kept = zip(*found, strict=True) if found else ((parents,), (parents,))
    return Clusters(np.concatenate(gone), np.concatenate(kept))


def _roots(parents: Places, documents: Places) -> Places:
    """The first document of each one's cluster; the way to it is shortened for next time."""
    roots = parents[documents]
    while not np.array_equal(further := parents[roots], roots):
        roots = further
    parents[documents] = roots
    return roots


def _unite(parents: Places, some: Places, others: Places) -> None:
    while len(some):
        one, other = _roots(parents, some), _roots(parents, others)
        apart = one != other
        some, others = some[apart], others[apart]
        # Several edges may pull at one root: the least wins now, the others in the next round.
        np.minimum.at(parents, np.maximum(one, other)[apart], np.minimum(one, other)[apart])
