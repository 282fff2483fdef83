"""ARPA files, written block by block through Arrow, and kenlm's binary form of them.

write_arpa(folder / "lm.arpa.gz", words, counts, read)    # read(n) gives the blocks of n-grams of n words
make_binary(folder / "lm.arpa.gz", folder / "lm.binary")  # by kenlm's build_binary, if the PATH has it
"""

from __future__ import annotations

import gzip
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from isogloss.corpus.extras import load_pyarrow
from isogloss.corpus.lm.kneser_ney import Grams
from isogloss.errors import DataError

__all__ = ["has_build_binary", "make_binary", "write_arpa"]

# Level 1: over half of the gain at a fifth of the time.
COMPRESSION_LEVEL = 1
PROGRAM = "build_binary"


def write_arpa(path: Path, words: Sequence[str], counts: Sequence[int], read: Callable[[int], Iterator[Grams]]) -> None:
    """Write a gzipped ARPA file of ``counts[n - 1]`` n-grams of n words; the same n-grams give the same bytes.

    Numbers are written with the digits of single precision, which is what kenlm keeps of them.
    """
    pa = load_pyarrow()
    spellings = pa.array(words, pa.string())
    # No name and no time in the head of the file: they would differ from one run to the next.
    with (
        path.open("wb") as raw,
        gzip.GzipFile(filename="", fileobj=raw, mode="wb", compresslevel=COMPRESSION_LEVEL, mtime=0) as stream,
    ):
        table = "".join(f"ngram {length}={count}\n" for length, count in enumerate(counts, start=1))
        stream.write(f"\\data\\\n{table}\n".encode())
        for length, count in enumerate(counts, start=1):
            stream.write(f"\\{length}-grams:\n".encode())
            written = 0
            for grams in read(length):
                stream.write(_lines(grams, spellings, pa))
                written += len(grams.probabilities)
            assert written == count, f"{written} {length}-grams where the head says {count}"
            stream.write(b"\n")
        stream.write(b"\\end\\\n")


def has_build_binary() -> bool:
    """Is kenlm's program for binary files on the PATH?"""
    return shutil.which(PROGRAM) is not None


def make_binary(arpa: Path, binary: Path) -> None:
    """kenlm's binary form of an ARPA file, which processes share; raises DataError if the program fails."""
    done = subprocess.run(
        [PROGRAM, "-T", f"{binary.parent}/", "probing", str(arpa), str(binary)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it says nothing"])[-1]
        raise DataError(f"{PROGRAM} could not make {binary} ({last}); set binary=no to do without it")


def _lines(grams: Grams, spellings: Any, pa: Any) -> bytes:
    join = pa.compute.binary_join_element_wise
    text = join(*(spellings.take(pa.array(column)) for column in grams.words), " ")
    parts = [_numbers(grams.probabilities, pa), text]
    if grams.backoffs is not None:
        parts.append(_numbers(grams.backoffs, pa))
    lines = join(join(*parts, "\t"), "", "\n")
    if not len(lines):
        return b""
    ends = np.frombuffer(lines.buffers()[1], np.int32)[lines.offset : lines.offset + len(lines) + 1]
    return bytes(memoryview(lines.buffers()[2])[ends[0] : ends[-1]])


def _numbers(values: Any, pa: Any) -> Any:
    # Adding nought turns -0 into 0.
    return pa.array((values + 0.0).astype(np.float32)).cast(pa.string())
