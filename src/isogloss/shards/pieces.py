"""Text → pieces: what a unit of work writes, some megabytes of tokens at a time, with a row about each document.

    encode_parts([(read, Path("work/sw/00003"))], vocabulary=Path("vocab"), fingerprint="…", num_threads=1)

A document is one text, or a sentence and its translation. ``00000.bin`` holds the ids of each text followed by
``</s>``, and ``00000.rows`` a row a document: the hash that decides whether it is held out, and of each of its texts
the tokens, characters and unknown pieces. A document of which a text is empty has a row without tokens.
"""

from __future__ import annotations

import functools
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import numpy as np
import numpy.typing as npt
import xxhash

from isogloss.errors import VocabularyError
from isogloss.shards.read import dtype_for
from isogloss.vocab import Vocabulary

__all__ = ["ROWS_SUFFIX", "TOKENS_SUFFIX", "Reading", "encode_parts", "row_type"]

TOKENS_SUFFIX = ".bin"
ROWS_SUFFIX = ".rows"
# The texts of each document; asked for again, they are read again.
Reading = Callable[[], Iterable[tuple[str, ...]]]
# Characters encoded at a time: much more than a call costs, and little enough to forget about memory.
BATCH_CHARACTERS = 1 << 20
# A new piece after so many bytes of tokens, or so many documents: while pieces are joined, one is there twice.
PIECE_BYTES = 1 << 24
PIECE_ROWS = 1 << 20

Rows = npt.NDArray[np.void]


def row_type(width: int) -> np.dtype[Any]:
    """What is known of a document of ``width`` texts; ``tokens`` counts the ``</s>`` too."""
    counts = [(name, "<u4", (width,)) for name in ("tokens", "characters", "unknown")]
    return np.dtype([("hash", "<u8"), *counts])


def encode_parts(
    parts: Sequence[tuple[Reading, Path]], *, vocabulary: Path, fingerprint: str, num_threads: int
) -> dict[str, Any]:
    """Write the pieces of what each is read from into its folder, which is made anew.

    Returns the documents and the bytes of text of each, as ``parts``. Raises VocabularyError if the vocabulary is no
    longer the one of this fingerprint.
    """
    encoder = _loaded(vocabulary, fingerprint)
    return {"parts": [_encode_part(read, folder, encoder, num_threads) for read, folder in parts]}


def _encode_part(read: Reading, folder: Path, vocabulary: Vocabulary, num_threads: int) -> dict[str, int]:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    counts = {"documents": 0, "bytes": 0}
    with _PieceWriter(folder) as writer:
        for batch in _batches(read()):
            contents = ["\t".join(texts).encode("utf-8", errors="replace") for texts in batch]
            counts["documents"] += len(batch)
            counts["bytes"] += sum(map(len, contents)) - sum(len(texts) - 1 for texts in batch)
            tokens, rows = _encode(batch, vocabulary, num_threads)
            rows["hash"] = [xxhash.xxh3_64_intdigest(content) for content in contents]
            writer.write(tokens, rows)
    return counts


def _encode(
    batch: Sequence[tuple[str, ...]], vocabulary: Vocabulary, num_threads: int
) -> tuple[npt.NDArray[Any], Rows]:
    """The tokens of a batch as they come to lie on disk, and a row a document without its hash."""
    texts = [text for own in batch for text in own]
    ids, bounds = vocabulary.encode_flat(texts, num_threads=num_threads)
    lengths = np.diff(bounds)
    num_unknown = np.concatenate([[0], np.cumsum(ids == vocabulary.unk_id)])
    rows = np.zeros(len(batch), row_type(len(batch[0])))
    is_kept = (lengths.reshape(len(batch), -1) > 0).all(axis=1)
    for name, values in {
        "tokens": lengths + 1,
        "characters": np.fromiter(map(len, texts), np.int64, len(texts)),
        "unknown": np.diff(num_unknown[bounds]),
    }.items():
        rows[name][is_kept] = values.reshape(len(batch), -1)[is_kept]
    if not is_kept.all():
        of_texts = np.repeat(is_kept, len(batch[0]))
        ids, lengths = ids[np.repeat(of_texts, lengths)], lengths[of_texts]
    ends = np.cumsum(lengths + 1) - 1
    tokens = np.full(len(ids) + len(ends), vocabulary.eos_id, dtype_for(vocabulary.size))
    is_text = np.ones(len(tokens), np.bool_)
    is_text[ends] = False
    tokens[is_text] = ids
    return tokens, rows


class _PieceWriter:
    """Appends to a piece until it is large enough, then to the next one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._number = self._num_bytes = self._num_rows = 0
        self._streams: tuple[IO[bytes], IO[bytes]] | None = None

    def write(self, tokens: npt.NDArray[Any], rows: Rows) -> None:
        if self._streams is None:
            names = (f"{self._number:05d}{suffix}" for suffix in (TOKENS_SUFFIX, ROWS_SUFFIX))
            of_tokens, of_rows = ((self._folder / name).open("wb") for name in names)
            self._streams = of_tokens, of_rows
        self._streams[0].write(tokens.data)
        self._streams[1].write(rows.tobytes())
        self._num_bytes += tokens.nbytes
        self._num_rows += len(rows)
        if self._num_bytes >= PIECE_BYTES or self._num_rows >= PIECE_ROWS:
            self._close()

    def _close(self) -> None:
        for stream in self._streams or ():
            stream.close()
        self._streams = None
        self._number, self._num_bytes, self._num_rows = self._number + 1, 0, 0

    def __enter__(self) -> _PieceWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()


@functools.lru_cache(maxsize=1)
def _loaded(path: Path, fingerprint: str) -> Vocabulary:
    """A process that does many units loads it once."""
    vocabulary = Vocabulary.load(path)
    if vocabulary.fingerprint != fingerprint:
        raise VocabularyError(f"vocabulary {path} was changed while it was in use; give the command again")
    return vocabulary


def _batches(documents: Iterable[tuple[str, ...]]) -> Iterator[list[tuple[str, ...]]]:
    batch: list[tuple[str, ...]] = []
    characters = 0
    for document in documents:
        batch.append(document)
        characters += 1 + sum(map(len, document))
        if characters >= BATCH_CHARACTERS:
            yield batch
            batch, characters = [], 0
    if batch:
        yield batch
