"""fairseq's ids: dict.txt beside a vocabulary, and the rows by which one numbering becomes the other.

    symbols = read_symbols(Path("xlmr.base/dict.txt"))
    rows_V = rows_of(symbols, vocabulary, num_rows=250_002, where="xlmr.base")   # fairseq's id of each of ours
    order_V = order_for(vocabulary, num_rows=250_002)                            # our id of each that fairseq will give

fairseq numbers pieces by the lines of dict.txt after its four special ones and appends `<mask>` last, after any
`madeupword0000` that fills the table up. With us `<mask>` follows the pieces and rows without a piece come last. The
lines of dict.txt may stand in any order (fairseq sorts them by frequency where it makes the file itself).

Shape: V rows of the table of embeddings, ours or fairseq's.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from isogloss.errors import VocabularyError
from isogloss.vocab import Vocabulary
from isogloss.vocab.layout import FIRST_PIECES, MASK_PIECE

__all__ = ["order_for", "read_labels", "read_symbols", "rows_of", "write_labels", "write_symbols"]

FILLER = re.compile(r"madeupword\d+")
LARGEST_MULTIPLE = 1024


def read_symbols(path: Path) -> list[str]:
    """fairseq's pieces by its ids: four special ones, the lines of dict.txt, `<mask>`.

    Raises VocabularyError for a file that is missing, is not lines of "piece count", or has a piece twice.
    """
    symbols = [*FIRST_PIECES, *_lines(path)]
    if MASK_PIECE not in symbols:
        symbols.append(MASK_PIECE)
    if len(set(symbols)) < len(symbols):
        twice = next(symbol for place, symbol in enumerate(symbols) if symbol in symbols[:place])
        raise VocabularyError(f"{path} has the piece {twice!r} twice; copy it again")
    return symbols


def read_labels(path: Path) -> list[str]:
    """The labels of a classifier, the lines of `label/dict.txt`; [] where there is no such file. Raises as above."""
    return [line for line in _lines(path) if FILLER.fullmatch(line) is None] if path.is_file() else []


def rows_of(symbols: Sequence[str], vocabulary: Vocabulary, *, num_rows: int, where: str) -> Tensor:
    """fairseq's id of each of ours, (V,) int64; those without a piece come after `<mask>`, or are left out.

    They stay where they round the whole table up, as in XL (250,880), which Hugging Face's folders know too. Where they
    rounded fairseq's own table up before `<mask>` came, they are left out: no text ever yields them.

    Raises VocabularyError, opened by `where`, where dict.txt, the SentencePiece model and a table of `num_rows` differ.
    """
    if len(symbols) != num_rows:
        raise VocabularyError(
            f"{where}: dict.txt makes {len(symbols)} ids (with the special ones and <mask>), the weights have "
            f"{num_rows} rows: one of them is another model's"
        )
    places = {symbol: place for place, symbol in enumerate(symbols)}
    pieces = vocabulary.pieces
    if (missing := next((piece for piece in pieces if piece not in places), None)) is not None:
        raise VocabularyError(f"{where}: piece {missing!r} of the SentencePiece model is not in dict.txt")
    known = set(pieces)
    if len(known) < len(pieces):
        raise VocabularyError(f"{where}: the SentencePiece model has a piece twice, a special one among its own")
    extra = [symbol for symbol in symbols if symbol not in known]
    if (strange := next((symbol for symbol in extra if FILLER.fullmatch(symbol) is None), None)) is not None:
        raise VocabularyError(f"{where}: piece {strange!r} of dict.txt is not in the SentencePiece model")
    # The largest power of two that divides the size is what it may have been rounded up to.
    rounded_up = len(extra) < min(num_rows & -num_rows, LARGEST_MULTIPLE)
    return torch.tensor([places[symbol] for symbol in (*pieces, *(extra if rounded_up else ()))])


def order_for(vocabulary: Vocabulary, num_rows: int) -> Tensor:
    """Our id of each of the ids that fairseq gives, (V,) int64: `<mask>` goes behind the rows that have no piece."""
    pieces, extra = range(vocabulary.mask_id), range(vocabulary.size, num_rows)
    return torch.tensor([*pieces, *extra, vocabulary.mask_id])


def write_symbols(path: Path, vocabulary: Vocabulary, num_rows: int) -> None:
    """Write the dict.txt of this vocabulary and a table of `num_rows`; fairseq adds the special pieces itself.

    Raises VocabularyError for a piece that such a line cannot hold.
    """
    pieces = vocabulary.pieces[len(FIRST_PIECES) : vocabulary.mask_id]
    if (strange := next((piece for piece in pieces if "\n" in piece or not piece.strip()), None)) is not None:
        raise VocabularyError(f"piece {strange!r} cannot stand in fairseq's dict.txt")
    fillers = [f"madeupword{number:04}" for number in range(num_rows - vocabulary.size)]
    lines = [*(f"{piece} 1\n" for piece in pieces), *(f"{filler} 0\n" for filler in fillers)]
    path.write_bytes("".join(lines).encode("utf-8"))


def write_labels(path: Path, labels: Sequence[str]) -> None:
    """Write `label/dict.txt`. Raises VocabularyError for a label that such a line cannot hold."""
    if (strange := next((label for label in labels if "\n" in label or not label.strip()), None)) is not None:
        raise VocabularyError(f"label {strange!r} cannot stand in fairseq's label/dict.txt")
    path.parent.mkdir()
    path.write_bytes("".join(f"{label} 1\n" for label in labels).encode("utf-8"))


def _lines(path: Path) -> list[str]:
    try:
        text = path.read_bytes().decode("utf-8")
    except OSError as error:
        raise VocabularyError(
            f"{path} cannot be read ({error.strerror}); it lies beside the model in fairseq"
        ) from None
    except UnicodeDecodeError:
        raise VocabularyError(f"{path} is not UTF-8; copy it again") from None
    pieces = []
    # Not splitlines(): a piece may be what Unicode calls a line end.
    for number, line in enumerate(text.removesuffix("\n").split("\n"), start=1):
        piece, _, count = line.rstrip().rpartition(" ")
        if not piece or not count.isdecimal():
            raise VocabularyError(f"{path}, line {number}: {line[:60]!r} is not a piece and its count; copy it again")
        pieces.append(piece)
    return pieces
