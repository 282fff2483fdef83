"""A vocabulary for models of random weights: learned from the phrasebook, or any, and filled up to a table's size.

    make_vocabulary(folder, documents=1500, pieces=8000, size=250_002)      # → folder/vocab
    fill_vocabulary(Path("runs/vocab"), folder / "filled", 250_002)

Pieces that fill it up occur in no text: they are there because a model's table and its vocabulary have one size, and
tables as large as XLM-R's have a cost that benchmarks are to count.
"""

from __future__ import annotations

from pathlib import Path

from sentencepiece.sentencepiece_model_pb2 import ModelProto

from isogloss.corpus import CorpusSettings, build_corpus
from isogloss.phrasebook import PhrasebookSettings, write_text
from isogloss.vocab import MODEL_NAME, VocabSettings, Vocabulary, train_vocabulary
from isogloss.vocab.hub import write_hub_files

__all__ = ["fill_vocabulary", "make_vocabulary"]


def make_vocabulary(folder: Path, *, documents: int, pieces: int, size: int | None) -> Path:
    """A vocabulary folder of so many pieces, from so many documents a language, filled up to `size`; works below
    `folder`."""
    write_text(folder / "text", PhrasebookSettings(num_documents=documents))
    build_corpus(CorpusSettings(input=folder / "text", output=folder / "corpus"))
    learned = folder / "learned"
    settings = {"size": pieces, "model_type": "bpe", "character_coverage": 1}
    train_vocabulary(VocabSettings(corpus=folder / "corpus", output=learned, **settings))
    return fill_vocabulary(learned, folder / "vocab", size or Vocabulary.load(learned).size)


def fill_vocabulary(vocabulary: Path, target: Path, size: int) -> Path:
    """The vocabulary of one folder, with what Hugging Face reads, in another, where it has `size` pieces."""
    model = ModelProto()
    model.ParseFromString((vocabulary / MODEL_NAME).read_bytes())
    missing = size - Vocabulary.load(vocabulary).size
    if missing < 0:
        raise SystemExit(f"the vocabulary has {-missing:,} pieces more than the table, which has {size:,}")
    lowest = min(piece.score for piece in model.pieces)
    for number in range(missing):
        model.pieces.add(piece=f"\U000f0000{number}", score=lowest - 1 - number)
    target.mkdir()
    (target / MODEL_NAME).write_bytes(model.SerializeToString())
    write_hub_files(target, Vocabulary.load(target))
    return target
