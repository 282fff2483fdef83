"""Small models of every head over a vocabulary of four scripts, and their exports."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest
import sentencepiece

from isogloss.checkpoint import save_model
from isogloss.export import Export, ExportSettings, export
from isogloss.heads import TaskModel
from isogloss.model import Encoder, MaskedLM, ModelSettings, initialise
from isogloss.phrasebook import documents
from isogloss.vocab import MODEL_NAME, Vocabulary

LANGUAGES = ("en", "ru", "sw", "th")
LENGTH = 64


@pytest.fixture(scope="session")
def texts() -> dict[str, list[str]]:
    """Lines of each language of the vocabulary."""
    return {code: [line for text in documents(code, 12, seed=1) for line in text.splitlines()] for code in LANGUAGES}


@pytest.fixture(scope="session")
def pieces_folder(tmp_path_factory: pytest.TempPathFactory, texts: dict[str, list[str]]) -> Path:
    folder, content = tmp_path_factory.mktemp("vocab"), io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=(line for lines in texts.values() for line in lines), model_writer=content, vocab_size=600,
        hard_vocab_limit=False, character_coverage=1.0, minloglevel=2, num_threads=1,
    )  # fmt: skip
    (folder / MODEL_NAME).write_bytes(content.getvalue())
    return folder


@pytest.fixture(scope="session")
def write_wide(pieces_folder: Path) -> Callable[..., Path]:
    """Writes a model folder of two layers, wide enough that its products are quantised."""

    def write(folder: Path, kind: str, **more: object) -> Path:
        settings = ModelSettings(
            width=64, num_layers=2, num_heads=2, feedforward=128, vocabulary_size=Vocabulary.load(pieces_folder).size,
            max_length=LENGTH, **more,  # type: ignore[arg-type]
        )  # fmt: skip
        model: MaskedLM | TaskModel | Encoder
        if kind == "encoder":
            model = Encoder(settings)
        elif kind in ("masked", "untied"):
            model = MaskedLM(settings, tied=kind == "masked")
        else:
            model = TaskModel(Encoder(settings), kind, ("no", "perhaps", "yes"))  # type: ignore[arg-type]
        initialise(model, 3, std=0.15)
        save_model(folder, model, vocabulary_folder=pieces_folder, parents=[], command="isogloss x", card=".")
        return folder

    return write


@pytest.fixture(scope="session")
def small(
    tmp_path_factory: pytest.TempPathFactory, write_wide: Callable[..., Path], texts: dict[str, list[str]]
) -> Callable[[str], tuple[Path, Path, Export]]:
    """A model of a head, its export for English and Swahili in int8, and the report; each made once."""
    made: dict[str, tuple[Path, Path, Export]] = {}
    corpus = tmp_path_factory.mktemp("texts")
    for code, lines in texts.items():
        (corpus / f"{code}.txt").write_text("\n".join(lines), encoding="utf-8")

    def get(kind: str) -> tuple[Path, Path, Export]:
        if kind not in made:
            folder = tmp_path_factory.mktemp("small")
            source = write_wide(folder / "model", kind)
            settings = ExportSettings(
                model=source, output=folder / "onnx", languages=("en", "sw"), corpus=corpus, int8=True
            )
            made[kind] = source, folder / "onnx", export(settings)
        return made[kind]

    return get
