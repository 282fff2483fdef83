"""Identification: the language of lines and documents by two opinions and classifiers of our own.

    identifier = Identifier(IdentifySettings())
    identifier.texts(["Habari ya asubuhi, rafiki yangu?"]).language(0)          # 'sw'
    found = identify_documents(identifier, ["First line\\nSecond line"])         # documents, lines, foreign lines
    frame = identify_step(frame, IdentifySettings())                            # of a Daft frame with a column "text"

settings.py has every threshold, scripts.py what a text is written in, opinions.py fastText and CLD2, labels.py what
they call a language, join.py how they are weighed, chinese.py, burmese.py and romanised.py what neither can say.
"""

from __future__ import annotations

from isogloss.corpus.identify.documents import identify_documents
from isogloss.corpus.identify.identified import REASONS, Identified, IdentifiedDocuments
from isogloss.corpus.identify.identifier import Identifier
from isogloss.corpus.identify.settings import IdentifySettings
from isogloss.corpus.identify.step import identify_step

__all__ = [
    "REASONS",
    "Identified",
    "IdentifiedDocuments",
    "Identifier",
    "IdentifySettings",
    "identify_documents",
    "identify_step",
]
