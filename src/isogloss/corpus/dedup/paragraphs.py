"""CCNet's paragraph hashes: normalise a line, SHA-1, the first 64 bits.

    hashes = hash_lines(texts, settings)          # Arrow strings → an Arrow list of uint64 for each, one a line
    append_hashes(path, hashes)                   # a source's hashes, one after the other: what repeats.py reads

The bits are read as a little-endian number. Among 1.5 thousand million distinct lines (CCNet's groups of fifty
shards) one in 16 groups has a pair that is confused by chance.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from isogloss.corpus.dedup.normalise import NormaliseSettings, normalise_lines, num_lines, text_blocks
from isogloss.corpus.extras import load_pyarrow

__all__ = ["HASH_DTYPE", "Hashes", "append_hashes", "hash_lines", "read_hashes"]

Hashes = npt.NDArray[np.uint64]
HASH_DTYPE = np.dtype("<u8")


def hash_lines(texts: Any, settings: NormaliseSettings | None = None) -> Any:
    """The hash of each line of each text: an Arrow large list of uint64, as long as ``texts``."""
    pa = load_pyarrow()
    hashes = [np.empty(0, HASH_DTYPE)]
    hashes += [_hash_block(normalise_lines(block, settings)) for block in text_blocks(texts)]
    offsets = np.concatenate(([0], np.cumsum(num_lines(texts))))
    return pa.LargeListArray.from_arrays(pa.array(offsets, pa.int64()), pa.array(np.concatenate(hashes), pa.uint64()))


def append_hashes(path: Path, hashes: Any) -> None:
    """Add the flat values of :func:`hash_lines` to a source's file."""
    with path.open("ab") as file:
        file.write(np.ascontiguousarray(hashes.flatten().to_numpy(zero_copy_only=False), HASH_DTYPE).data)


def read_hashes(paths: list[Path], num_hashes: int) -> Iterator[Hashes]:
    """The hashes of files one after the other, ``num_hashes`` at a time whatever the files' lengths."""
    buffer, filled = np.empty(num_hashes, HASH_DTYPE), 0
    for path in paths:
        with path.open("rb") as file:
            while read := file.readinto(buffer[filled:].data.cast("B")):
                assert read % HASH_DTYPE.itemsize == 0, f"{path} is no file of 64-bit hashes"
                filled += read // HASH_DTYPE.itemsize
                if filled == num_hashes:
                    yield buffer
                    filled = 0
    if filled:
        yield buffer[:filled]


def _hash_block(block: str) -> Hashes:
    sha1 = hashlib.sha1
    # The last line feed ends a line and begins none.
    lines = block.encode().split(b"\n")[:-1]
    digests = b"".join([sha1(line, usedforsecurity=False).digest() for line in lines])
    return np.frombuffer(digests, np.uint8).reshape(-1, 20)[:, :8].copy().view(HASH_DTYPE)[:, 0]
