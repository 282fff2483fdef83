"""A model folder: whole or not at all, every weight accounted for, one clear line for what cannot be read."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

import isogloss.checkpoint as checkpoint
from isogloss.attention import Layout
from isogloss.checkpoint import load_encoder, load_model, load_vocabulary, save_model
from isogloss.errors import CheckpointError, FolderError, VocabularyError
from isogloss.heads import TaskModel
from isogloss.manifest import read_manifest
from isogloss.model import Encoder, MaskedLM, ModelSettings, initialise

KINDS = ("masked", "sequence", "token", "question")


def small_model(kind: str = "masked", *, seed: int = 1, **settings: Any) -> MaskedLM | TaskModel:
    shape = ModelSettings(
        **{"vocabulary_size": 40, "width": 16, "num_layers": 2, "num_heads": 2, "feedforward": 32, "max_length": 12}
        | settings
    )
    model = MaskedLM(shape) if kind == "masked" else TaskModel(Encoder(shape), kind, ("O", "B-PER"))  # type: ignore[arg-type]
    initialise(model, seed)
    return model.eval()


@pytest.fixture
def vocabulary(tmp_path: Path) -> Path:
    folder = tmp_path / "vocab"
    folder.mkdir()
    (folder / "sentencepiece.bpe.model").write_bytes(b"pieces")
    (folder / "tokenizer.json").write_text('{"model": {}}', encoding="utf-8")
    (folder / "report.md").write_text("not for a model", encoding="utf-8")
    return folder


@pytest.fixture
def save(tmp_path: Path, vocabulary: Path) -> Callable[..., Path]:
    def write(model: MaskedLM | TaskModel | None = None) -> Path:
        save_model(
            tmp_path / "model",
            small_model() if model is None else model,
            vocabulary_folder=vocabulary,
            parents=[],
            command="isogloss pretrain",
            card="Made by a test.",
        )
        return tmp_path / "model"

    return write


def same_weights(one: torch.nn.Module, other: torch.nn.Module) -> bool:
    ours, theirs = one.state_dict(), other.state_dict()
    return ours.keys() == theirs.keys() and all(torch.equal(ours[name], theirs[name]) for name in ours)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("settings", [{}, {"norm": "pre"}, {"languages": ("en", "sw", "zh"), "num_token_types": 2}])
def test_round_trip(save: Callable[..., Path], kind: str, settings: dict[str, Any]) -> None:
    model = small_model(kind, **settings)
    loaded = load_model(save(model), kind=kind)  # type: ignore[arg-type]
    assert type(loaded) is type(model)
    assert loaded.encoder.settings == model.encoder.settings
    assert same_weights(model, loaded)
    assert all(parameter.requires_grad for parameter in loaded.parameters())
    if isinstance(model, TaskModel) and isinstance(loaded, TaskModel):
        assert loaded.labels == model.labels


@pytest.mark.parametrize("kind", KINDS)
def test_the_encoder_of_any_head(save: Callable[..., Path], kind: str) -> None:
    model = small_model(kind)
    assert same_weights(load_encoder(save(model)), model.encoder)


def test_what_lies_in_the_folder(save: Callable[..., Path]) -> None:
    folder = save(small_model("token"))
    assert {path.name for path in folder.iterdir()} == {
        "README.md", "config.json", "manifest.json", "model.safetensors", "sentencepiece.bpe.model", "tokenizer.json",
    }  # fmt: skip
    manifest = read_manifest(folder, "model")
    assert manifest.config["head"] == "token"
    assert manifest.config["labels"] == ["O", "B-PER"]
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert "Made by a test." in card
    assert "XLMRobertaForTokenClassification" in card


def test_a_new_model_replaces_the_old_one_without_leftovers(save: Callable[..., Path], tmp_path: Path) -> None:
    save()
    (tmp_path / "model.tmp").mkdir()
    (tmp_path / "model.tmp" / "half.safetensors").write_bytes(b"cut off")
    model = small_model(seed=2)
    folder = save(model)
    assert not (folder / "half.safetensors").exists()
    assert same_weights(load_model(folder), model)


def test_a_failure_while_writing_keeps_the_old_model(
    save: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = small_model()
    folder = save(model)

    def full_disk(*_: Any, **__: Any) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(checkpoint, "save_file", full_disk)
    with pytest.raises(OSError, match="no space"):
        save(small_model(seed=2))
    assert same_weights(load_model(folder), model)


def test_a_vocabulary_is_needed(tmp_path: Path) -> None:
    with pytest.raises(FolderError, match=r"holds no sentencepiece.bpe.model; 'isogloss vocab train'"):
        save_model(
            tmp_path / "model", small_model(), vocabulary_folder=tmp_path, parents=[], command="x", card=""
        )  # fmt: skip
    assert not (tmp_path / "model").exists()


@pytest.mark.parametrize(
    ("pieces", "model_size", "fits"),
    [
        (40, 40, True),
        (41, 40, False),
        (33, 40, True),  # padded to a multiple of 8
        (32, 40, False),
        (39, 41, False),
        (250_002, 250_880, True),  # XL: to a multiple of 1,024
        (249_000, 250_880, False),
        (100, 1 << 12, False),
    ],
)
def test_a_vocabulary_of_another_size_is_refused(
    save: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, pieces: int, model_size: int, fits: bool
) -> None:
    folder = save()
    with torch.device("meta"):
        encoder = Encoder(ModelSettings(vocabulary_size=model_size, num_layers=0, width=2, num_heads=1))
    monkeypatch.setattr(checkpoint.Vocabulary, "load", lambda path: SimpleNamespace(size=pieces))
    if fits:
        assert load_vocabulary(folder, encoder).size == pieces
    else:
        message = rf"bpe\.model has {pieces} pieces, the model beside it {model_size}: one of .*; copy the folder again"
        with pytest.raises(VocabularyError, match=message):
            load_vocabulary(folder, encoder)


def test_pieces_added_later_are_counted(save: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    folder = save()
    encoder = load_encoder(folder)
    monkeypatch.setattr(checkpoint.Vocabulary, "load", lambda path: SimpleNamespace(size=30))
    for last, fits in ((39, True), (40, False), (31, False)):
        tokens = json.dumps(
            {"model": {}, "added_tokens": [{"id": number, "content": f"<{number}>"} for number in (0, 29, 30, last)]}
        )
        (folder / "tokenizer.json").write_text(tokens, encoding="utf-8")
        if fits:
            assert load_vocabulary(folder, encoder).size == 30
        else:
            with pytest.raises(VocabularyError, match=f"has {last + 1} pieces, the model beside it 40"):
                load_vocabulary(folder, encoder)


def edit_weights(folder: Path, edit: Callable[[dict[str, torch.Tensor]], None]) -> None:
    tensors = load_file(folder / "model.safetensors")
    edit(tensors)
    save_file(tensors, folder / "model.safetensors")
    (folder / "manifest.json").unlink(missing_ok=True)


def edit_config(folder: Path, **values: Any) -> None:
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    (folder / "config.json").write_text(json.dumps(config | values), encoding="utf-8")
    (folder / "manifest.json").unlink(missing_ok=True)


PIECES = "roberta.embeddings.word_embeddings.weight"
QUERY = "roberta.encoder.layer.1.attention.self.query.weight"


def not_finite(tensors: dict[str, torch.Tensor]) -> None:
    tensors[QUERY][3, 4] = float("nan")


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda tensors: tensors.pop(QUERY), f"weight {QUERY} is missing \\(1 in all\\)"),
        (lambda tensors: tensors.update({"bert.pooler": torch.zeros(1)}), "weight bert.pooler is not known"),
        (
            lambda tensors: tensors.update({PIECES: torch.zeros(41, 16)}),
            r"has shape \(41, 16\), config.json asks for \(40, 16\); copy both",
        ),
        (not_finite, f"weight {QUERY} holds values that are not finite"),
        (
            lambda tensors: tensors.update({"lm_head.decoder.weight": torch.ones(40, 16)}),
            "differs from roberta.embeddings.word_embeddings.weight, though config.json says they are tied",
        ),
        (
            lambda tensors: tensors.update({"lm_head.decoder.bias": torch.ones(40)}),
            "differs from lm_head.bias, though config.json says they are tied",
        ),
        (
            lambda tensors: tensors.update({QUERY: torch.ones(16, 16, dtype=torch.int8)}),
            f"weight {QUERY} is of type int8, not floating point; take the model before it was quantised",
        ),
        (
            lambda tensors: tensors.update({PIECES.removeprefix("roberta."): tensors[PIECES].clone()}),
            "word_embeddings.weight is there with and without 'roberta.'; remove one",
        ),
    ],
)
def test_weights_that_do_not_fit(
    save: Callable[..., Path], edit: Callable[[dict[str, torch.Tensor]], None], message: str
) -> None:
    folder = save()
    edit_weights(folder, edit)
    with pytest.raises(CheckpointError, match=message) as caught:
        load_model(folder)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {"model_type": "bert"},
            r"embeddings\..* is missing \(.* in all\): .* or not those that config.json describes",
        ),
        ({"model_type": "strange"}, "config.json is of a model that is not read: neither XLM-RoBERTa nor known"),
        ({"hidden_act": "relu"}, "hidden_act = 'relu' is another model"),
        ({"tie_word_embeddings": False}, "weight lm_head.decoder.weight is missing"),
        ({"is_decoder": True}, "is_decoder = True is another model"),
        ({"num_hidden_layers": 1}, r"layer\.1\..* is not known \(16 in all\): config.json describes another model"),
        ({"num_hidden_layers": 3}, r"layer\.2\..* is missing \(16 in all\): the weights are not whole"),
        ({"hidden_size": "wide"}, "wide"),
        ({"vocab_size": None}, "config.json"),
    ],
)
def test_another_architecture(save: Callable[..., Path], values: dict[str, Any], message: str) -> None:
    folder = save()
    edit_config(folder, **values)
    with pytest.raises(Exception, match=message) as caught:
        load_model(folder)
    assert type(caught.value).__name__ in ("CheckpointError", "ConfigError")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"id2label": {"0": "a", "1": "b", "2": "c"}}, "has 2 rows, config.json names 3 labels in id2label; copy both"),
        ({"id2label": {"0": "a", "2": "c"}}, "has 2 rows, config.json names 2 labels"),
        ({"id2label": ["a", "b"]}, "id2label is no table of numbers and labels"),
        ({"classifier_dropout": "much"}, "classifier_dropout = 'much' is no share; write null there"),
        ({"classifier_dropout": 1.5}, "classifier_dropout = 1.5 is no share"),
    ],
)
def test_labels_and_dropout_of_a_head(save: Callable[..., Path], values: dict[str, Any], message: str) -> None:
    folder = save(small_model("token"))
    edit_config(folder, **values)
    with pytest.raises(CheckpointError, match=message):
        load_model(folder)


def test_an_answer_has_a_start_and_an_end(save: Callable[..., Path]) -> None:
    folder = save(small_model("question"))
    three = {"qa_outputs.weight": torch.zeros(3, 16), "qa_outputs.bias": torch.zeros(3)}
    edit_weights(folder, lambda tensors: tensors.update(three))
    with pytest.raises(CheckpointError, match=r"qa_outputs.weight has 3 rows; a question head has 2, start and end"):
        load_model(folder)


def test_a_truncated_file(save: Callable[..., Path]) -> None:
    folder = save()
    data = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(data[:-100])
    with pytest.raises(FolderError, match="its manifest says"):
        load_model(folder)
    (folder / "manifest.json").unlink()
    with pytest.raises(CheckpointError, match=r"model.safetensors cannot be read .*; copy or make the model again"):
        load_model(folder)


def test_a_flipped_bit(save: Callable[..., Path]) -> None:
    folder = save()
    data = bytearray((folder / "model.safetensors").read_bytes())
    data[-1] ^= 1
    (folder / "model.safetensors").write_bytes(data)
    with pytest.raises(CheckpointError, match=r"is not what manifest.json says"):
        load_model(folder)


def test_missing_and_damaged_files(save: Callable[..., Path], tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"is .*nowhere a model folder"):
        load_model(tmp_path / "nowhere")
    folder = save()
    (folder / "manifest.json").unlink()
    (folder / "model.safetensors").unlink()
    with pytest.raises(CheckpointError, match="holds no weights"):
        load_model(folder)
    (folder / "config.json").write_text("{", encoding="utf-8")
    with pytest.raises(CheckpointError, match="is damaged"):
        load_model(folder)


def test_the_wrong_head_is_refused(save: Callable[..., Path]) -> None:
    folder = save(small_model("token"))
    with pytest.raises(CheckpointError, match="a token head, but a masked head is needed"):
        load_model(folder, kind="masked")


def test_several_files_and_torch_files_are_read(save: Callable[..., Path]) -> None:
    model = small_model()
    folder = save(model)
    (folder / "manifest.json").unlink()
    tensors = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    names = sorted(tensors)
    parts = {"part-1.safetensors": names[:9], "part-2.safetensors": names[9:]}
    for part, held in parts.items():
        save_file({name: tensors[name] for name in held}, folder / part)
    index = {"weight_map": {name: part for part, held in parts.items() for name in held}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index), encoding="utf-8")
    assert same_weights(load_model(folder), model)
    (folder / "part-2.safetensors").unlink()
    with pytest.raises(CheckpointError, match=r"part-2.safetensors cannot be read"):
        load_model(folder)
    (folder / "model.safetensors.index.json").unlink()
    torch.save(tensors, folder / "pytorch_model.bin")
    assert same_weights(load_model(folder), model)


def test_nothing_but_tensors_is_unpickled(save: Callable[..., Path], tmp_path: Path) -> None:
    folder = save()
    (folder / "manifest.json").unlink()
    (folder / "model.safetensors").unlink()
    torch.save({"weights": Path("anything")}, folder / "pytorch_model.bin")
    with pytest.raises(CheckpointError, match=r"pytorch_model.bin cannot be read"):
        load_model(folder)


def test_half_precision_files_become_fp32(save: Callable[..., Path]) -> None:
    folder = save()
    edit_weights(folder, lambda tensors: tensors.update({name: x.bfloat16() for name, x in tensors.items()}))
    assert {parameter.dtype for parameter in load_model(folder).parameters()} == {torch.float32}


def test_the_one_token_type_of_others_is_folded_into_the_positions(save: Callable[..., Path]) -> None:
    model = small_model()
    folder = save(model)
    row = torch.randn(1, 16)
    edit_weights(folder, lambda tensors: tensors.update({"roberta.embeddings.token_type_embeddings.weight": row}))
    loaded = load_model(folder)
    positions = loaded.encoder.embeddings.positions.weight
    torch.testing.assert_close(positions, model.encoder.embeddings.positions.weight + row)
    ids, layout = torch.arange(4, 10), Layout.of([6])
    assert not torch.allclose(loaded.encoder(ids, layout), model.encoder(ids, layout))
