"""The corpus room: text files in, clean text by language out, with every drop counted.

build_corpus(CorpusSettings(input="texts", output="corpus"))
for text in read_documents("corpus", "sw"): ...
"""

from __future__ import annotations

from isogloss.corpus.build import CorpusSettings, build_corpus
from isogloss.corpus.folder import Corpus, read_documents

__all__ = ["Corpus", "CorpusSettings", "build_corpus", "read_documents"]
