"""A vocabulary of 50 pieces for tiny models of both sides, and transformers without its talk."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
import sentencepiece

from isogloss.vocab import MODEL_NAME, Vocabulary
from isogloss.vocab.hub import write_hub_files


@pytest.fixture(autouse=True)
def _quiet() -> None:
    transformers = pytest.importorskip("transformers", reason="transformers is not installed: nothing to compare with")
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()


@pytest.fixture(scope="session")
def vocabulary_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished vocab folder of 50 ids."""
    folder = tmp_path_factory.mktemp("vocab")
    content = io.BytesIO()
    syllables = ["an", "na", "lo", "os", "ni", "the", "mo", "on", "ro", "bi", "½", "一", "二"]
    texts = [f"{one}{two} {two}{one}{three}" for one in syllables for two in syllables for three in syllables[::3]]
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(texts), model_writer=content, vocab_size=48, minloglevel=2, num_threads=1
    )
    (folder / MODEL_NAME).write_bytes(content.getvalue())
    vocabulary = Vocabulary.load(folder)
    assert vocabulary.size == 50
    write_hub_files(folder, vocabulary)
    return folder
