"""Baselines that are no transformers: BiLSTM-CRF (Lample et al. 2016), and contextual strings (Akbik et al. 2018).

    run = train_baseline(BaselineSettings(run="runs/lstm", task="panx", data="data/ner/panx"))
    tagger = load_tagger(run / "model")
    tagger.tag([["Anna", "lives", "in", "Oslo", "."]])      # [("B-PER", "O", "O", "B-LOC", "O")]

`crf` the layer above; `lexicon` and `vectors` what is known of words, `sentences` batches of them, `tagger` the
network, `strings` character language models through flair, and `language_models` their training; `folder` on disk,
`train` the run. Evaluation, tables and prediction files are those of the transformers.
"""

from isogloss.baselines.folder import is_tagger, load_tagger, save_tagger
from isogloss.baselines.tagger import Tagger, TaggerSettings
from isogloss.baselines.train import BaselineSettings, train_baseline

__all__ = [
    "BaselineSettings",
    "Tagger",
    "TaggerSettings",
    "is_tagger",
    "load_tagger",
    "save_tagger",
    "train_baseline",
]
