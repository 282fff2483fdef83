"""Encoders that are no XLM-RoBERTa, through transformers: fine-tuned and scored by the same heads, tasks and metrics.

`encoder` wraps their layers, `tokenizer` their tokenizers (`align` gives offsets where one has none), `folder` reads
and writes whole folders. Extra: hub.
"""

from isogloss.interop.foreign.encoder import ForeignEncoder
from isogloss.interop.foreign.folder import HEAD_WEIGHTS, read_folder, read_folder_tokenizer, write_folder
from isogloss.interop.foreign.tokenizer import ForeignTokenizer

__all__ = [
    "HEAD_WEIGHTS",
    "ForeignEncoder",
    "ForeignTokenizer",
    "read_folder",
    "read_folder_tokenizer",
    "write_folder",
]
