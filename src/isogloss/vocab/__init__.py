"""Vocabularies: SentencePiece trained on raw text of many languages, with XLM-R's ids.

    settings = VocabSettings(corpus=Path("corpus"), output=Path("vocab"), size=8000)
    train_vocabulary(settings)
    vocabulary = Vocabulary.load("vocab")

``sample`` says how much of each language a vocabulary is trained on, ``train`` trains it: ``words`` cuts text (by its
``scripts``), ``counting`` counts it on disk, ``choosing`` takes what there is memory for, ``seeds`` finds the strings
that may become pieces, and ``learning`` has SentencePiece learn them (all in ``stages``). ``clustered`` does so for
groups of languages, which ``clusters`` finds, with as many pieces each as ``capacity`` says, and joins the models by
``union`` and ``rescoring``. ``layout`` maps text to ids and back, ``hub``
writes the files Hugging Face loads, ``check`` compares with other programs on the texts of ``probes``, ``tokenizer``
says what tasks ask of this and of any other tokenizer. How well a vocabulary serves its languages is counted on
``excerpts`` of their text by ``measuring`` and ``inventory``, several beside each other by ``comparing``, and told by
``report``.
"""

from isogloss.vocab.layout import MODEL_NAME, Vocabulary
from isogloss.vocab.tokenizer import Frame, Tokenizer
from isogloss.vocab.train import VocabSettings, train_vocabulary

__all__ = ["MODEL_NAME", "Frame", "Tokenizer", "VocabSettings", "Vocabulary", "train_vocabulary"]
