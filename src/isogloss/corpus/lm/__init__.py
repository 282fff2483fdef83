"""Language models of pieces: trained from any clean text, read by kenlm, for the perplexity of documents and its cuts.

train_models(LanguageModelSettings(input="texts/sw.txt", languages="sw", output="lm"))
LanguageModel.load("lm/sw").perplexities(["Habari ya asubuhi."])
frame = score_perplexity(frame, PerplexitySettings(models="lm", keep=("head", "middle", "all")))
"""

from __future__ import annotations

from isogloss.corpus.lm.cutoffs import Cutoffs, CutoffSettings
from isogloss.corpus.lm.normalise import NormalisationSettings
from isogloss.corpus.lm.score import LanguageModel
from isogloss.corpus.lm.step import Perplexity, PerplexitySettings, corpus_cutoffs, drop_reasons, score_perplexity

__all__ = [
    "CutoffSettings",
    "Cutoffs",
    "LanguageModel",
    "NormalisationSettings",
    "Perplexity",
    "PerplexitySettings",
    "corpus_cutoffs",
    "drop_reasons",
    "score_perplexity",
]
