"""Files of word vectors as text: word2vec's and fastText's, whose first line says how many and how wide, and GloVe's.

vectors = read_vectors(Path("glove.6B.100d.txt"), width=100)
vectors.words[0], vectors.values[0]                    # "the", 100 numbers
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from isogloss.errors import DataError
from isogloss.tasks import FloatArray

__all__ = ["WordVectors", "read_vectors"]


@dataclass(frozen=True, eq=False)
class WordVectors:
    """Different words and their vectors, (words, width), in the order of the file."""

    words: tuple[str, ...]
    values: FloatArray


def read_vectors(path: Path, *, width: int, most: int = 500_000) -> WordVectors:
    """The first `most` vectors of a file; of a word that comes twice the first.

    Raises DataError with file and line for a vector of another width, and for what is no number.
    """
    words: dict[str, int] = {}
    values: list[FloatArray] = []
    for number, line in _lines(path):
        if len(values) == most:
            break
        cells = line.rstrip("\r\n").replace("\t", " ").rstrip(" ").split(" ")
        if number == 1 and len(cells) == 2 and all(cell.isdigit() for cell in cells):
            _check_width(f"{path}:1", int(cells[1]), width)
            continue
        # GloVe has a few words with spaces inside: the last cells are the numbers.
        word, numbers = " ".join(cells[:-width]), cells[-width:]
        if not word or (number == 1 and len(cells) - 1 != width):
            _check_width(f"{path}:{number}", len(cells) - 1, width)
        vector = _vector(f"{path}:{number}", word, numbers)
        if word not in words:
            words[word] = number
            values.append(vector)
    if not words:
        raise DataError(f"{path} holds no word vectors; a line is a word and its numbers with spaces between them")
    return WordVectors(tuple(words), np.stack(values))


def _vector(where: str, word: str, numbers: list[str]) -> FloatArray:
    try:
        vector = np.array(numbers, np.float32)
    except ValueError:
        wrong = next((cell for cell in numbers if not _is_number(cell)), numbers[0])
        raise DataError(f"{where}: {wrong[:20]!r} is no number; a line is a word and its numbers") from None
    if not np.isfinite(vector).all():
        raise DataError(f"{where}: the vector of {word[:40]!r} has a number that is not finite")
    return vector


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    number = 0
    try:
        # Words of crawled text hold line ends of other kinds.
        with path.open(encoding="utf-8", newline="\n") as stream:
            for number, line in enumerate(stream, start=1):
                yield number, line
    except UnicodeDecodeError as error:
        where = f"{path}, behind line {number},"
        raise DataError(f"{where} is not UTF-8 ({error.reason}); vectors are read as text, not as a .bin") from None
    except OSError as error:
        raise DataError(f"vectors = {path} cannot be read ({error.strerror})") from None


def _check_width(where: str, found: int, width: int) -> None:
    if found != width:
        raise DataError(
            f"{where}: vectors of {found} numbers, tagger.word_size is {width}; set tagger.word_size={found}"
        )


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
