"""Embedding models beside sentence-transformers, both directions: the same vectors, and nothing that it warns of."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from isogloss.checkpoint import load_encoder, save_model
from isogloss.errors import ConfigError
from isogloss.interop.sentence_transformers import Pooling
from isogloss.model import Encoder, ModelSettings, initialise
from isogloss.predict import Predictor, load

transformers = pytest.importorskip("transformers", reason="transformers is not installed: nothing to compare with")

# The last one is longer than the model reads.
TEXTS = ["anna loni nairobi", "the moon 一二 ½", "", "  Xyz  ", "anna loni the moon nairobi " * 20]
SHAPE = ModelSettings(vocabulary_size=50, width=24, num_layers=2, num_heads=3, feedforward=40, max_length=20)
EVERY_POOLING = [Pooling(mode, normalise=normalise) for mode in ("cls", "mean-all") for normalise in (False, True)]


@pytest.fixture(scope="module")
def theirs() -> Any:
    return pytest.importorskip("sentence_transformers", reason="sentence-transformers is not installed")


@pytest.fixture
def embedding_folder(tmp_path: Path, vocabulary_folder: Path) -> Callable[[Pooling], Path]:
    def write(pooling: Pooling) -> Path:
        encoder = Encoder(SHAPE)
        initialise(encoder, 1)
        with torch.no_grad():
            for weight in encoder.parameters():
                weight.mul_(6 if weight.ndim > 1 else 1)
        save_model(
            tmp_path / "ours", encoder, vocabulary_folder=vocabulary_folder, parents=[], command="test", card="",
            pooling=pooling,
        )  # fmt: skip
        return tmp_path / "ours"

    return write


def ours(folder: Path) -> Predictor:
    return load(folder, device="cpu", precision="fp32")


def assert_near(one: Any, other: Any) -> None:
    assert np.abs(one - other).max() <= 1e-5 * np.abs(other).max()


@pytest.mark.parametrize("pooling", EVERY_POOLING, ids=str)
def test_it_loads_what_we_write_without_a_warning(
    theirs: Any, embedding_folder: Callable[[Pooling], Path], pooling: Pooling, caplog: pytest.LogCaptureFixture
) -> None:
    folder = embedding_folder(pooling)
    transformers.logging.set_verbosity_warning()
    transformers.logging.enable_propagation()
    with caplog.at_level(logging.WARNING):
        model = theirs.SentenceTransformer(str(folder), device="cpu")
        vectors = model.encode(TEXTS, show_progress_bar=False)
    assert not caplog.records
    assert model.max_seq_length == SHAPE.max_length
    assert_near(ours(folder).embed(TEXTS, pooling=pooling.mode, normalise=pooling.normalise), vectors)
    assert vectors.std(axis=0).min() > 1e-3, "texts are told apart"
    similarity = model.similarity(vectors[:1], vectors[1:2])
    assert similarity.shape == (1, 1)


@pytest.mark.parametrize("layout", ["at the top", "0_Transformer"])
@pytest.mark.parametrize("pooling", EVERY_POOLING, ids=str)
def test_we_load_what_it_saves(
    theirs: Any, embedding_folder: Callable[[Pooling], Path], tmp_path: Path, pooling: Pooling, layout: str
) -> None:
    model = theirs.SentenceTransformer(str(embedding_folder(pooling)), device="cpu")
    model.max_seq_length = 12
    saved = tmp_path / "saved"
    model.save(str(saved))
    if layout == "0_Transformer":  # as its first versions saved it
        steps = {"1_Pooling", "2_Normalize", "modules.json", "config_sentence_transformers.json", "README.md"}
        (saved / layout).mkdir()
        for path in [path for path in saved.iterdir() if path.name not in steps | {layout}]:
            path.rename(saved / layout / path.name)
        modules = json.loads((saved / "modules.json").read_text(encoding="utf-8"))
        modules[0]["path"] = layout
        (saved / "modules.json").write_text(json.dumps(modules), encoding="utf-8")
        model = theirs.SentenceTransformer(str(saved), device="cpu")
    vectors = model.encode(TEXTS, show_progress_bar=False)
    assert_near(ours(saved).embed(TEXTS), vectors)
    encoder = load_encoder(saved / layout if layout == "0_Transformer" else saved).state_dict()
    assert all(
        torch.equal(weight, encoder[name]) for name, weight in load_encoder(tmp_path / "ours").state_dict().items()
    )


def test_a_step_that_we_do_not_have_is_refused(
    theirs: Any, embedding_folder: Callable[[Pooling], Path], tmp_path: Path
) -> None:
    from sentence_transformers.models import Dense

    model = theirs.SentenceTransformer(str(embedding_folder(Pooling("cls"))), device="cpu")
    model.append(Dense(24, 8))
    model.save(str(tmp_path / "dense"))
    predictor = ours(tmp_path / "dense")
    with pytest.raises(ConfigError, match="Transformer → Pooling → Dense, which isogloss does not have"):
        predictor.embed(TEXTS)
    assert predictor.embed(TEXTS, pooling="cls").shape == (len(TEXTS), 24)
