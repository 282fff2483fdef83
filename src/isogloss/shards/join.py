"""Pieces → the files of a language: which documents are held out, and all tokens in the order of the corpus.

    join_texts([Joining("sw", pieces=Path("work/sw"), target=Path("shards.tmp/sw"), ...)])

The held-out documents are those with the smallest hashes of their text, so they do not depend on the order of the
corpus, and every copy of one is held out with it.

A piece is deleted once its tokens are in the files, so that hardly more is on the disk than in the end. Where each
piece's tokens belong is known from the rows, which stay until the end: joining can be cut off at any moment, and goes
on with the first piece that is left.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from isogloss.errors import DataError, FolderError
from isogloss.manifest import write_json
from isogloss.shards.pieces import PIECE_BYTES, ROWS_SUFFIX, TOKENS_SUFFIX, row_type
from isogloss.shards.read import HELD_OUT, TRAINING

__all__ = ["STATISTICS_NAME", "Joining", "join_texts"]

STATISTICS_NAME = "statistics.json"
JOINED = "joined"

Hashes = npt.NDArray[np.uint64]


@dataclass(frozen=True)
class Joining:
    """A language's pieces, the folder to make of them, and what one has to know for that.

    ``width`` is the texts of a document, ``output`` what errors call the whole; ``facts`` and ``marks`` are written
    into the statistics, before and behind what is counted here.
    """

    name: str
    pieces: Path
    target: Path
    output: Path
    width: int
    dtype: np.dtype[Any]
    held_out_share: float
    held_out_documents: int
    facts: Mapping[str, Any]
    marks: Mapping[str, Any]

    @property
    def num_bytes(self) -> int:
        """Of text."""
        return int(self.facts["bytes"])


@dataclass
class PartCounts:
    """What one file of tokens holds; ``tokens`` counts the ``</s>`` after each text too."""

    documents: int = 0
    tokens: int = 0
    characters: int = 0
    unknown: int = 0


def join_texts(joinings: Sequence[Joining]) -> dict[str, int]:
    """Make the folder of each language of its pieces, which are deleted meanwhile.

    Raises DataError if nothing is left to train on, and FolderError if pieces are missing or cut.
    """
    for joining in joinings:
        # Some may have been made by a process that died on its way.
        if not (joining.target / STATISTICS_NAME).is_file():
            _join(joining)
    return {}


def _join(joining: Joining) -> None:
    pieces = joining.pieces
    files = sorted(pieces.glob(f"*/*{ROWS_SUFFIX}"))
    held_out = _held_out_hashes(files, joining)
    joined = pieces / JOINED
    joined.mkdir(exist_ok=True)
    empty = 0
    with (
        _Part(joined, TRAINING, joining.dtype) as training,
        _Part(joined, HELD_OUT, joining.dtype) as kept,
        _Moving(training, kept) as moving,
    ):
        for file, rows, is_held in _rows_of(files, held_out, joining.width):
            is_empty = rows["tokens"][:, 0] == 0
            empty += int(is_empty.sum())
            training.count(rows[~is_held & ~is_empty])
            kept.count(rows[is_held & ~is_empty])
            moving.move(file.with_suffix(TOKENS_SUFFIX), rows["tokens"].sum(axis=1, dtype=np.int64), is_held)
    if not training.counts.documents:
        raise DataError(
            f"{joining.output}: no document of '{joining.name}' is left to train on ({empty} have no text); give more "
            "text or leave it out"
        )
    _write_offsets(files, held_out, joining.width, {joined / TRAINING: training.counts, joined / HELD_OUT: kept.counts})
    counted = {"training": asdict(training.counts), "held_out": asdict(kept.counts), "empty": empty}
    write_json(joined / STATISTICS_NAME, {**joining.facts, **counted, **joining.marks})
    joining.target.parent.mkdir(exist_ok=True)
    joined.rename(joining.target)
    shutil.rmtree(pieces)


class _Moving:
    """Appends the tokens of pieces to the part that each belongs to, and deletes the pieces, a few at a time."""

    def __init__(self, training: _Part, kept: _Part) -> None:
        self._training, self._kept = training, kept
        self._moved: list[Path] = []
        self._num_bytes = 0

    def move(self, file: Path, lengths: npt.NDArray[np.int64], is_held: npt.NDArray[np.bool_]) -> None:
        """One more piece, of documents of so many tokens; or know that an earlier attempt has moved it."""
        num_held = int(lengths[is_held].sum())
        if not file.exists():
            self._training.skip(int(lengths.sum()) - num_held)
            self._kept.skip(num_held)
            return
        tokens = np.fromfile(file, self._training.dtype)
        if len(tokens) != lengths.sum():
            raise _damaged(file)
        self._moved.append(file)
        self._num_bytes += tokens.nbytes
        if num_held:
            of_tokens = np.repeat(is_held, lengths)
            self._kept.write(tokens[of_tokens])
            tokens = tokens[~of_tokens]
        self._training.write(tokens)
        if self._num_bytes >= PIECE_BYTES:
            self._delete()

    def _delete(self) -> None:
        # What is written must be on the disk before the piece it came from is deleted.
        self._training.sync()
        self._kept.sync()
        for file in self._moved:
            file.unlink()
        self._moved, self._num_bytes = [], 0

    def __enter__(self) -> _Moving:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self._delete()


class _Part:
    """One file of tokens, of which an earlier attempt may have written a beginning."""

    def __init__(self, folder: Path, name: str, dtype: np.dtype[Any]) -> None:
        self.counts = PartCounts()
        self.dtype = dtype
        self._path = folder / f"{name}.bin"
        self._path.touch()
        self._stream: IO[bytes] = self._path.open("r+b")
        self._is_new = False

    def count(self, rows: npt.NDArray[np.void]) -> None:
        self.counts.documents += rows["tokens"].size
        for name in ("tokens", "characters", "unknown"):
            setattr(self.counts, name, getattr(self.counts, name) + int(rows[name].sum(dtype=np.int64)))

    def skip(self, num_tokens: int) -> None:
        """Pass over tokens that are there already."""
        if self._stream.seek(num_tokens * self.dtype.itemsize, os.SEEK_CUR) > self._path.stat().st_size:
            raise _damaged(self._path)

    def write(self, tokens: npt.NDArray[Any]) -> None:
        self._stream.write(tokens.data)
        self._is_new = self._is_new or len(tokens) > 0

    def sync(self) -> None:
        """All that is written is on the disk."""
        self._stream.flush()
        if self._is_new:
            os.fsync(self._stream.fileno())
        self._is_new = False

    def __enter__(self) -> _Part:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self._stream.truncate()
        self._stream.close()


def _held_out_hashes(files: Sequence[Path], joining: Joining) -> Hashes:
    """The smallest different hashes; fewer than asked for when that would leave none of the different documents."""
    number = _num_held_out(sum(file.stat().st_size for file in files) // row_type(joining.width).itemsize, joining)
    smallest = np.empty(0, np.uint64)
    if not number:
        return smallest
    for file in files:
        hashes = np.fromfile(file, row_type(joining.width))["hash"]
        # One more than asked for is kept, so that a language of copies of one document is seen to have no other.
        if len(smallest) > number:
            hashes = hashes[hashes < smallest[-1]]
        smallest = np.unique(np.concatenate([smallest, hashes]))[: number + 1]
    return smallest[: min(number, len(smallest) - 1)]


def _num_held_out(num_documents: int, joining: Joining) -> int:
    if num_documents < 2 or not joining.held_out_share:
        return 0
    return min(max(1, round(joining.held_out_share * num_documents)), joining.held_out_documents)


def _rows_of(
    files: Sequence[Path], held_out: Hashes, width: int
) -> Iterator[tuple[Path, npt.NDArray[np.void], npt.NDArray[np.bool_]]]:
    """The rows of each piece, and which of them are held out."""
    for file in files:
        rows = np.fromfile(file, row_type(width))
        yield file, rows, np.isin(rows["hash"], held_out)


def _write_offsets(files: Sequence[Path], held_out: Hashes, width: int, parts: Mapping[Path, PartCounts]) -> None:
    """Where each text of a part starts, and last where its last one ends, as np.save would write it."""
    for (path, counts), of_held in zip(parts.items(), (False, True), strict=True):
        with path.with_name(f"{path.name}.offsets.npy").open("wb") as stream:
            shape = (counts.documents + 1,)
            np.lib.format.write_array_header_1_0(stream, {"descr": "<u8", "fortran_order": False, "shape": shape})
            end = np.zeros(1, np.uint64)
            stream.write(end.tobytes())
            for _, rows, is_held in _rows_of(files, held_out, width):
                lengths = rows["tokens"][(is_held == of_held) & (rows["tokens"][:, 0] > 0)].ravel()
                if len(lengths):
                    ends = end + np.cumsum(lengths, dtype=np.uint64)
                    stream.write(ends.tobytes())
                    end = ends[-1:]
            stream.flush()
            os.fsync(stream.fileno())


def _damaged(file: Path) -> FolderError:
    return FolderError(f"{file} is not as it was written; delete the work folder it lies in and give the command again")
