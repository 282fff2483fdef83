"""fairseq, the first home of XLM-R: its checkpoint file, its ids and its names, both ways, without its code."""

from isogloss.interop.fairseq.file import read_checkpoint, write_checkpoint
from isogloss.interop.fairseq.ids import order_for, read_labels, read_symbols, rows_of, write_labels, write_symbols
from isogloss.interop.fairseq.names import MASKED, from_fairseq, num_rows_of, to_fairseq
from isogloss.interop.fairseq.plain import plain_logits

__all__ = [
    "MASKED",
    "from_fairseq",
    "num_rows_of",
    "order_for",
    "plain_logits",
    "read_checkpoint",
    "read_labels",
    "read_symbols",
    "rows_of",
    "to_fairseq",
    "write_checkpoint",
    "write_labels",
    "write_symbols",
]
