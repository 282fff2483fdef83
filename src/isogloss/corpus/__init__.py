"""The corpus room: text and crawl files in, clean text by language out, with every drop counted.

build_corpus(CorpusSettings(input="texts", output="corpus"))
for text in read_documents("corpus", "sw"): ...
"""

from __future__ import annotations

from isogloss.corpus.build import CorpusSettings, build_corpus
from isogloss.corpus.fetch import FetchSettings, fetch_crawl
from isogloss.corpus.folder import Corpus, read_documents

__all__ = ["Corpus", "CorpusSettings", "FetchSettings", "build_corpus", "fetch_crawl", "read_documents"]
