"""The phrasebook: original everyday sentences in the 15 languages of XNLI, from a grammar and a lexicon of our own.

From one seed it yields any amount of running text, parallel sentences, sentence pairs with labels, sentences with
entities, and questions with answers: the demo's corpus, the tests' data, and a controlled world for studies.

    from isogloss.phrasebook import documents, pairs
    next(documents("sw", 1, seed=1))
    [(pair.premise, pair.hypothesis, pair.label) for pair in pairs("de", 3, seed=1, held_out=True)]
"""

from __future__ import annotations

from isogloss.phrasebook.grammar import LANGUAGES, realise
from isogloss.phrasebook.labelled import questions, tagged_sentences
from isogloss.phrasebook.pairs import LABELS, pairs
from isogloss.phrasebook.text import documents, parallel_sentences
from isogloss.phrasebook.write import PhrasebookSettings, write_labelled, write_parallel, write_phrasebook, write_text

__all__ = [
    "LABELS",
    "LANGUAGES",
    "PhrasebookSettings",
    "documents",
    "pairs",
    "parallel_sentences",
    "questions",
    "realise",
    "tagged_sentences",
    "write_labelled",
    "write_parallel",
    "write_phrasebook",
    "write_text",
]
