"""Models with random weights and one small vocabulary, a folder each, and the same ready to be asked."""

from __future__ import annotations

import functools
import io
from collections.abc import Callable
from pathlib import Path

import pytest
import sentencepiece
import torch

from isogloss.checkpoint import save_model
from isogloss.heads import TaskModel
from isogloss.model import Encoder, MaskedLM, ModelSettings, initialise
from isogloss.predict import Predictor, load
from isogloss.vocab import MODEL_NAME, Vocabulary
from isogloss.vocab.hub import write_hub_files

LINES = [
    "Anna lives in Oslo.",
    "the moon is here and the dog runs near the river",
    "安娜住在奥斯陆。",
    "แอนนาอาศัยอยู่ในออสโล",
    "آنا تعيش في أوسلو",
    *(f"{who} {does} {where}" for who in ("Anna", "the dog", "the moon") for does in ("lives", "runs", "is")
      for where in ("in Oslo", "here", "near the river", "and runs", "on the river")),
]  # fmt: skip


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of models, which read 64 tokens and have vectors of 32 numbers."""
    folder = tmp_path_factory.mktemp("models")
    content = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(LINES * 5), model_writer=content, vocab_size=160, hard_vocab_limit=False,
        minloglevel=2,
    )  # fmt: skip
    (folder / "vocab").mkdir()
    (folder / "vocab" / MODEL_NAME).write_bytes(content.getvalue())
    vocabulary = Vocabulary.load(folder / "vocab")
    write_hub_files(folder / "vocab", vocabulary)
    shape = ModelSettings(
        vocabulary_size=vocabulary.size, width=32, num_layers=2, num_heads=2, feedforward=64, max_length=64
    )
    models = {
        "mlm": MaskedLM(shape),
        "sequence": TaskModel(Encoder(shape), "sequence", ("no", "yes")),
        "nli": TaskModel(Encoder(shape), "sequence", ("NEUTRAL", "Contradiction", "entailment")),
        "two": TaskModel(Encoder(shape), "sequence", ("entailment", "not_entailment")),
        "right": TaskModel(Encoder(shape), "sequence", ("right",)),
        "rating": TaskModel(Encoder(shape), "sequence", ("rating",)),
        "token": TaskModel(Encoder(shape), "token", ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")),
        "tags": TaskModel(Encoder(shape), "token", ("NOUN", "VERB", "PUNCT")),
        "question": TaskModel(Encoder(shape), "question", ()),
    }
    for name, model in models.items():
        initialise(model, seed=6)
        # Random weights of the usual size all but agree with each other: larger ones tell texts apart.
        with torch.no_grad():
            for weight in model.parameters():
                weight.mul_(6 if weight.ndim > 1 else 1)
        save_model(
            folder / name, model, vocabulary_folder=folder / "vocab", parents=[], command="test", card="A test model."
        )
    return folder


@pytest.fixture(scope="session")
def predictor(folder: Path) -> Callable[[str], Predictor]:
    """The model of this name, loaded once."""
    return functools.cache(lambda name: load(folder / name, device="cpu", precision="fp32"))
