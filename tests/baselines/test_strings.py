"""Contextual strings: through flair where it is installed; without it one line says how to install it."""

from __future__ import annotations

import importlib.util
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch

from isogloss.baselines import load_tagger, train_baseline
from isogloss.baselines.character_model import CharacterModel
from isogloss.baselines.language_models import StringsSettings, train_character_model
from isogloss.baselines.strings import ContextualStrings
from isogloss.devices import choose
from isogloss.errors import CheckpointError, ConfigError, DataError, FolderError, MissingExtraError
from isogloss.evaluate import EvaluateSettings, evaluate

Make = Callable[..., Any]
HAS_FLAIR = importlib.util.find_spec("flair") is not None
needs_flair = pytest.mark.skipif(not HAS_FLAIR, reason="flair is not installed: pip install 'isogloss[flair]'")
CPU = torch.device("cpu")
SENTENCES = [["Anna", "sees", "Oslo", "."], ["狗", "", "a b"], ["Oslo"]]


class Dictionary:
    """As flair pickles its list of characters."""

    def __init__(self, items: list[bytes]) -> None:
        self.idx2item = items
        self.item2idx = {item: number for number, item in enumerate(items)}
        self.add_unk = True


def flair_file(path: Path, *, is_forward: bool, old: bool = False, more: object = None) -> Path:
    """A file as flair writes it, with random weights, made without flair."""
    torch.manual_seed(3)
    characters = [b"<unk>", b"\n", *(bytes([code]) for code in range(32, 127))]
    lstm = torch.nn.LSTM(5, 6)
    weights = {"encoder.weight": torch.randn(len(characters), 5)}
    weights |= {f"decoder.{name}": tensor for name, tensor in torch.nn.Linear(6, len(characters)).state_dict().items()}
    weights |= {f"rnn.{name}": tensor for name, tensor in lstm.state_dict().items()}
    state = {
        "state_dict": weights,
        "dictionary": Dictionary(characters),
        "is_forward_lm": is_forward,
        **{"hidden_size": 6, "nlayers": 1, "embedding_size": 5, "nout": None, "dropout": 0.1},
        **({} if old else {"document_delimiter": "\n", "recurrent_type": "LSTM", "has_decoder": True}),
    }
    state |= {} if more is None else {"more": more}
    module, name = Dictionary.__module__, Dictionary.__qualname__
    Dictionary.__module__ = "flair.data"
    try:
        torch.save(state, path, pickle_module=_Pickle, pickle_protocol=4, _use_new_zipfile_serialization=not old)
    finally:
        Dictionary.__module__, Dictionary.__qualname__ = module, name
    return path


class _Pickle:
    """Python's own pickler, in Python, which does not look up what it names."""

    class Pickler(pickle._Pickler):  # type: ignore[name-defined]
        def save_global(self, obj: Any, name: str | None = None) -> None:
            if obj is not Dictionary:
                super().save_global(obj, name)
                return
            self.save("flair.data")
            self.save("Dictionary")
            self.write(pickle.STACK_GLOBAL)
            self.memoize(obj)

        dispatch: ClassVar[Any] = {**pickle._Pickler.dispatch, type: save_global}  # type: ignore[attr-defined]

    @staticmethod
    def dump(value: object, stream: Any, protocol: int) -> None:
        _Pickle.Pickler(stream, protocol).dump(value)


class Harmful:
    """Leaves a file where it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("old", [False, True])
def test_a_file_of_flair_becomes_plain_files(tmp_path: Path, old: bool) -> None:
    model = CharacterModel.read(flair_file(tmp_path / "lm.pt", is_forward=False, old=old))
    assert (model.is_forward, model.width) == (False, 6)
    assert model.characters[:3] == ("<unk>", "\n", " ")
    assert "decoder.bias" not in model.weights
    model.save(tmp_path / "lm")
    again = CharacterModel.read(tmp_path / "lm")
    assert (again.settings, again.characters) == (model.settings, model.characters)
    assert all(torch.equal(tensor, again.weights[name]) for name, tensor in model.weights.items())


@pytest.mark.parametrize("old", [False, True])
def test_code_in_a_file_is_not_run(tmp_path: Path, old: bool) -> None:
    path = flair_file(tmp_path / "lm.pt", is_forward=True, old=old, more=Harmful(tmp_path / "harmed"))
    with pytest.raises(CheckpointError, match=r"lm.pt is no character language model .*names .*nothing was run"):
        CharacterModel.read(path)
    assert not (tmp_path / "harmed").exists()


def test_other_files_are_no_models(tmp_path: Path) -> None:
    (tmp_path / "text.pt").write_text("text")
    (tmp_path / "empty.pt").touch()
    (tmp_path / "folder").mkdir()
    torch.save({"state_dict": {}}, tmp_path / "weights.pt")
    for name in ("text.pt", "empty.pt", "folder", "weights.pt", "nowhere.pt"):
        with pytest.raises(CheckpointError, match=name) as error:
            CharacterModel.read(tmp_path / name)
        assert "\n" not in str(error.value)


def test_a_model_that_reads_the_other_way_is_told(tmp_path: Path) -> None:
    path = flair_file(tmp_path / "lm.pt", is_forward=False)
    with pytest.raises(CheckpointError, match="reads backwards; exchange forward and backward"):
        ContextualStrings.read(forward=path, backward=None)


def test_text_and_models_are_not_given_together() -> None:
    with pytest.raises(ValueError, match="trains both models"):
        StringsSettings(corpus="corpus", forward="lm.pt")


@pytest.mark.skipif(HAS_FLAIR, reason="flair is installed")
def test_without_flair_a_line_says_how_to_install_it(settings_for: Make, tmp_path: Path) -> None:
    path = flair_file(tmp_path / "lm.pt", is_forward=True)
    asked = {"tagger": {"embeddings": ["contextual-strings"]}, "strings": {"forward": path}}
    with pytest.raises(MissingExtraError, match=r"transformers < 5.*pip install 'isogloss\[flair\]'"):
        train_baseline(settings_for(tmp_path / "run", **asked))
    assert not (tmp_path / "run").exists()


@needs_flair
def test_states_are_those_of_flair_itself(tmp_path: Path) -> None:
    """And of a sentence alone, whatever stands beside it, also after they were written and read."""
    from flair.data import Sentence
    from flair.embeddings import FlairEmbeddings
    from flair.models import LanguageModel

    paths = {
        name: flair_file(tmp_path / f"{name}.pt", is_forward=name == "forward") for name in ("forward", "backward")
    }
    strings = ContextualStrings.read(**paths)
    states = strings.states(SENTENCES, CPU)
    assert states.shape == (8, 12)
    assert np.isfinite(states).all()
    strings.save(tmp_path / "strings")
    assert np.array_equal(ContextualStrings.load(tmp_path / "strings").states(SENTENCES, CPU), states)
    alone = np.concatenate([strings.states([words], CPU) for words in SENTENCES])
    np.testing.assert_allclose(alone, states, atol=1e-6)
    backward, forward = (
        FlairEmbeddings(LanguageModel.load_language_model(paths[name])) for name in ("backward", "forward")
    )
    sentence = Sentence(SENTENCES[0])
    for place, embeddings in enumerate((backward, forward)):
        embeddings.embed(sentence)
        own = np.stack([token.get_embedding().numpy() for token in sentence])
        np.testing.assert_allclose(own, states[:4, 6 * place : 6 * place + 6], atol=1e-6)
        sentence.clear_embeddings()


@needs_flair
def test_strings_are_trained_and_learned_from(settings_for: Make, entities: Path, tmp_path: Path) -> None:
    """From text to a tagger that stands in the table; started again, each part finds itself done."""
    (tmp_path / "texts").mkdir()
    lines = [line.split("\t")[0] for line in (entities / "train.en.tsv").read_text(encoding="utf-8").splitlines()]
    text = " ".join(lines).replace("  ", "\n")
    (tmp_path / "texts" / "en.txt").write_text(text, encoding="utf-8")
    strings = {"corpus": tmp_path / "texts", "hidden": 32, "character_size": 8, "batch_size": 4, "sequence_length": 40}
    tagger = {"embeddings": ["words", "contextual-strings"], "word_size": 16, "hidden": 16}
    settings = settings_for(tmp_path / "run", tagger=tagger, strings=strings, steps=120, validate_every="60 steps")
    run = train_baseline(settings)
    known = {path: path.read_bytes() for path in (run / "strings").rglob("*") if path.is_file()}
    assert not [path for path in run.rglob("*.pt") if "checkpoints" not in path.parts]
    assert train_baseline(settings) == run
    assert known == {path: path.read_bytes() for path in (run / "strings").rglob("*") if path.is_file()}
    asked = EvaluateSettings(models=(run,), task="ner", data=entities, split="dev", output=tmp_path, device="cpu")
    found = [score for score in evaluate(asked) if score.architecture]
    assert [score.architecture for score in found] == ["BiLSTM-CRF, contextual strings"]
    assert found[0].value > 90
    # The folder has all that it takes.
    (run / "strings").rename(tmp_path / "elsewhere")
    assert load_tagger(run / "model").tag([["Anna", "sleeps"]])[0][1] == "O"
    (tmp_path / "elsewhere").rename(run / "strings")
    narrower = settings.model_copy(update={"strings": settings.strings.model_copy(update={"hidden": 16})})
    with pytest.raises(FolderError, match=r"strings.* was made with hidden = 32, now 16"):
        train_baseline(narrower)


@needs_flair
def test_too_little_text_is_told(tmp_path: Path) -> None:
    (tmp_path / "en.txt").write_text("Anna sleeps.\n", encoding="utf-8")
    settings = StringsSettings(corpus=tmp_path / "en.txt")
    with pytest.raises(DataError, match="too few for a language model"):
        train_character_model(settings, tmp_path / "lm", is_forward=True, device=choose("cpu"))
    assert not (tmp_path / "lm").exists()


def test_strings_that_are_asked_for_are_to_be_given(settings_for: Make, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"strings.corpus=FOLDER to train small ones"):
        train_baseline(settings_for(tmp_path / "run", tagger={"embeddings": ["words", "contextual-strings"]}))
