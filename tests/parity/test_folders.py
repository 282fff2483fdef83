"""Folders as transformers of every age and other tools leave them: each gives the logits that transformers has."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from isogloss.attention import Layout
from isogloss.checkpoint import load_model, load_vocabulary, save_model
from isogloss.errors import CheckpointError, VocabularyError
from isogloss.heads import TaskModel
from isogloss.model import Encoder, MaskedLM, ModelSettings
from isogloss.predict import load
from isogloss.vocab import MODEL_NAME, Vocabulary

transformers = pytest.importorskip("transformers", reason="transformers is not installed: nothing to compare with")

Tensors = dict[str, torch.Tensor]
FAMILY = {"post": "XLMRoberta", "pre": "XLMRobertaXL"}
CLASS = {
    "masked": "ForMaskedLM",
    "sequence": "ForSequenceClassification",
    "token": "ForTokenClassification",
    "question": "ForQuestionAnswering",
}
IDS = torch.tensor([0, 7, 30, 8, 45, 2])
PIECES = "roberta.embeddings.word_embeddings.weight"


def theirs_new(kind: str = "masked", norm: str = "post", *, num_token_types: int = 1, **values: Any) -> Any:
    config = getattr(transformers, FAMILY[norm] + "Config")(
        vocab_size=50, hidden_size=24, num_hidden_layers=2, num_attention_heads=3, intermediate_size=40,
        max_position_embeddings=22, type_vocab_size=num_token_types, **values,
    )  # fmt: skip
    torch.manual_seed(2)
    model = getattr(transformers, FAMILY[norm] + CLASS.get(kind, kind))(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.1 * torch.randn_like(parameter)
    return model


def expected_logits(model: Any) -> torch.Tensor:
    with torch.no_grad():
        out = model(input_ids=IDS[None])
    logits = torch.stack((out.start_logits, out.end_logits), -1) if "start_logits" in out else out.logits
    result: torch.Tensor = logits[0] if logits.ndim == 3 else logits
    return result


def assert_reads(folder: Path, expected: torch.Tensor) -> None:
    model = load_model(folder).eval()
    layout = Layout.of([len(IDS)])
    with torch.no_grad():
        rows = torch.arange(len(IDS))
        logits = model.logits(IDS, layout, rows) if isinstance(model, MaskedLM) else model(IDS, layout)
    assert (logits - expected).abs().max() <= 1e-5 * expected.abs().max()


def rewrite(folder: Path, edit: Callable[[Tensors], Tensors]) -> None:
    tensors = edit(load_file(folder / "model.safetensors"))
    save_file({name: tensor.clone() for name, tensor in tensors.items()}, folder / "model.safetensors")


def renamed(old: str, new: str) -> Callable[[Tensors], Tensors]:
    return lambda tensors: {new if name == old else name: tensor for name, tensor in tensors.items()}


NAMES: dict[str, Callable[[Tensors], Tensors]] = {
    "as they are": lambda tensors: tensors,
    "without roberta.": lambda tensors: {name.removeprefix("roberta."): x for name, x in tensors.items()},
    "with buffers": lambda tensors: tensors | {
        "roberta.embeddings.position_ids": torch.arange(22)[None],
        "roberta.embeddings.token_type_ids": torch.zeros(1, 22, dtype=torch.long),
    },
    "with a pooler": lambda tensors: tensors | {
        "roberta.pooler.dense.weight": torch.ones(24, 24),
        "roberta.pooler.dense.bias": torch.ones(24),
    },
    "without token types": lambda tensors: {n: x for n, x in tensors.items() if "token_type" not in n},
}  # fmt: skip


@pytest.mark.parametrize("norm", FAMILY)
@pytest.mark.parametrize("kind", CLASS)
@pytest.mark.parametrize("names", NAMES)
def test_names_of_every_age(tmp_path: Path, names: str, kind: str, norm: str) -> None:
    model = theirs_new(kind, norm)
    if names == "without token types":
        with torch.no_grad():
            model.roberta.embeddings.token_type_embeddings.weight.zero_()
    model.save_pretrained(tmp_path)
    rewrite(tmp_path, NAMES[names])
    assert_reads(tmp_path, expected_logits(model))


@pytest.mark.parametrize("norm", FAMILY)
def test_settings_that_are_not_said(tmp_path: Path, norm: str) -> None:
    """Each family has its own; embeddings this small show which epsilon LayerNorm adds."""
    family = FAMILY[norm]
    model = theirs_new("masked", norm, num_token_types=2 if norm == "post" else 1)
    with torch.no_grad():
        model.roberta.embeddings.word_embeddings.weight.mul_(1e-3)
        model.roberta.embeddings.position_embeddings.weight.mul_(1e-3)
        model.roberta.embeddings.token_type_embeddings.weight.mul_(1e-3)
    model.save_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text(encoding="utf-8"))
    del config["layer_norm_eps"], config["type_vocab_size"]
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    expected = expected_logits(getattr(transformers, family + "ForMaskedLM").from_pretrained(tmp_path).eval())
    assert_reads(tmp_path, expected)


@pytest.mark.parametrize(
    "edit",
    [
        lambda tensors: (
            tensors | {"lm_head.decoder.weight": tensors[PIECES], "lm_head.decoder.bias": tensors["lm_head.bias"]}
        ),
        renamed(PIECES, "lm_head.decoder.weight"),
        renamed("lm_head.bias", "lm_head.decoder.bias"),
    ],
    ids=["stored twice", "pieces under the head's name", "bias under the product's name"],
)
def test_tied_weights_under_either_name(tmp_path: Path, edit: Callable[[Tensors], Tensors]) -> None:
    model = theirs_new()
    model.save_pretrained(tmp_path)
    rewrite(tmp_path, edit)
    assert_reads(tmp_path, expected_logits(model))


def to_torch(folder: Path, *, zipped: bool) -> None:
    torch.save(
        load_file(folder / "model.safetensors"), folder / "pytorch_model.bin", _use_new_zipfile_serialization=zipped
    )
    (folder / "model.safetensors").unlink()


def to_torch_parts(folder: Path) -> None:
    tensors = load_file(folder / "model.safetensors")
    files = {name: f"pytorch_model-0000{1 + number % 2}-of-00002.bin" for number, name in enumerate(tensors)}
    for file in set(files.values()):
        torch.save({name: tensors[name] for name in files if files[name] == file}, folder / file)
    (folder / "pytorch_model.bin.index.json").write_text(json.dumps({"weight_map": files}), encoding="utf-8")
    (folder / "model.safetensors").unlink()


FILES: dict[str, Callable[[Path], None]] = {
    "torch": lambda folder: to_torch(folder, zipped=True),
    "torch before 1.6": lambda folder: to_torch(folder, zipped=False),
    "torch in parts": to_torch_parts,
}


@pytest.mark.parametrize("norm", FAMILY)
@pytest.mark.parametrize("files", [*FILES, "safetensors in parts"])
def test_files_of_every_layout(tmp_path: Path, files: str, norm: str) -> None:
    model = theirs_new("token", norm)
    model.save_pretrained(tmp_path, max_shard_size="10KB" if files == "safetensors in parts" else "1GB")
    if files in FILES:
        FILES[files](tmp_path)
    assert (tmp_path / "model.safetensors").exists() is False
    assert_reads(tmp_path, expected_logits(model))


def test_the_released_xl_has_more_rows_than_pieces(vocabulary_folder: Path, tmp_path: Path) -> None:
    """As 250,002 pieces in 250,880 rows: here 50 in 56. The filled rows are in the logits, but fill no mask."""
    config = transformers.XLMRobertaXLConfig(
        vocab_size=56, hidden_size=24, num_hidden_layers=1, num_attention_heads=3, intermediate_size=40,
        max_position_embeddings=22,
    )  # fmt: skip
    other = transformers.XLMRobertaXLForMaskedLM(config).eval()
    with torch.no_grad():
        other.lm_head.bias[50:] = 9.0
    other.save_pretrained(tmp_path)
    shutil.copyfile(vocabulary_folder / MODEL_NAME, tmp_path / MODEL_NAME)
    predictor = load(tmp_path, device="cpu", precision="fp32")
    (logits,) = predictor.logits([IDS.tolist()])
    assert logits.shape == (len(IDS), 56)
    assert logits.argmax(-1).min() >= 50
    ((fills,),) = predictor.fill_mask(["anna <mask>"], top_k=50)
    assert sorted(fill.id for fill in fills) == list(range(50))


def test_a_vocabulary_that_transformers_5_saved(vocabulary_folder: Path, tmp_path: Path) -> None:
    """It writes tokenizer.json alone: the SentencePiece model in it comes back, and into what is saved from it."""
    theirs_new().save_pretrained(tmp_path / "theirs")
    transformers.AutoTokenizer.from_pretrained(vocabulary_folder).save_pretrained(tmp_path / "theirs")
    assert not (tmp_path / "theirs" / MODEL_NAME).exists()
    model = load_model(tmp_path / "theirs")
    known, found = Vocabulary.load(vocabulary_folder), load_vocabulary(tmp_path / "theirs", model.encoder)
    assert found.pieces == known.pieces
    assert found.scores == known.scores
    texts = ["anna  loni", " ½\u3000themo", "ﬁ\u200b二", ""]
    assert [ids.tolist() for ids in found.encode(texts)] == [ids.tolist() for ids in known.encode(texts)]
    save_model(tmp_path / "m", model, vocabulary_folder=tmp_path / "theirs", parents=[], command="test", card="")
    assert Vocabulary.load(tmp_path / "m").pieces == known.pieces


def test_a_vocabulary_of_sentencepiece_alone_gets_its_companions(vocabulary_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "bare").mkdir()
    shutil.copyfile(vocabulary_folder / MODEL_NAME, tmp_path / "bare" / MODEL_NAME)
    theirs_new().save_pretrained(tmp_path / "bare")
    model = load_model(tmp_path / "bare")
    save_model(tmp_path / "m", model, vocabulary_folder=tmp_path / "bare", parents=[], command="test", card="")
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path / "m")
    (ids,) = Vocabulary.load(vocabulary_folder).encode(["anna loni"])
    assert tokenizer("anna loni")["input_ids"] == [0, *ids.tolist(), 2]


def test_labels_without_names_are_called_as_transformers_calls_them(tmp_path: Path) -> None:
    other = theirs_new("sequence")
    other.save_pretrained(tmp_path)
    model = load_model(tmp_path)
    assert isinstance(model, TaskModel)
    assert model.labels == tuple(other.config.id2label.values()) == ("LABEL_0", "LABEL_1")


def test_a_head_that_no_task_asks_for_is_refused(tmp_path: Path) -> None:
    theirs_new("ForMultipleChoice").save_pretrained(tmp_path)
    with pytest.raises(CheckpointError, match=r"multiple-choice .*; fine"):
        load_model(tmp_path)


def test_a_tokenizer_is_needed_and_one_of_xlm_r(tmp_path: Path, vocabulary_folder: Path) -> None:
    theirs_new().save_pretrained(tmp_path)
    with pytest.raises(
        VocabularyError, match=r"holds no sentencepiece\.bpe\.model and no tokenizer\.json; copy the whole"
    ):
        load(tmp_path, device="cpu")
    encoder = Encoder(ModelSettings(vocabulary_size=50, width=2, num_heads=1, num_layers=0))
    content = json.loads((vocabulary_folder / "tokenizer.json").read_text(encoding="utf-8"))
    swapped = content["model"]["vocab"][1::-1] + content["model"]["vocab"][2:]
    for damage, message in (
        ({"model": content["model"] | {"vocab": swapped}}, "is no vocabulary of XLM-R .* put the model's sentence"),
        ({"model": content["model"] | {"type": "BPE"}}, "is no vocabulary of XLM-R"),
        ({"model": content["model"] | {"vocab": [["<s>"]]}}, "cannot be read .*; copy the model folder again"),
        ({"normalizer": {"type": "Precompiled"}}, "cannot be read .*; copy the model folder again"),
    ):
        (tmp_path / "tokenizer.json").write_text(json.dumps(content | damage), encoding="utf-8")
        with pytest.raises(VocabularyError, match=message) as caught:
            load_vocabulary(tmp_path, encoder)
        assert "\n" not in str(caught.value)
