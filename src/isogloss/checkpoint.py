"""A model folder: Hugging Face's layout, written whole or not at all, read without transformers.

    save_model(Path("runs/demo/model"), model, vocabulary_folder=Path("vocab"), parents=[shards.manifest],
               command="isogloss pretrain", card="Pretrained on …")
    model = load_model("runs/demo/model")           # MaskedLM or TaskModel, by the head that lies there
    encoder = load_encoder("xlm-roberta-base")      # its encoder alone

Any XLM-RoBERTa folder is read, base to XXL, with or without our manifest. What cannot be read raises one line and
gives no model.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import torch
import xxhash
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from isogloss.errors import CheckpointError, FolderError, VocabularyError
from isogloss.heads import TaskModel
from isogloss.interop.huggingface import from_hub, to_hub
from isogloss.manifest import MANIFEST_NAME, Manifest, building, hash_file, read_manifest, write_json, write_manifest
from isogloss.model import Encoder, MaskedLM
from isogloss.vocab import Vocabulary

__all__ = [
    "FINETUNE",
    "ModelKind",
    "fingerprint_of",
    "load_encoder",
    "load_model",
    "load_vocabulary",
    "save_model",
    "training_of",
]

ModelKind = Literal["masked", "sequence", "token", "question"]

# The command whose models say how they were trained.
FINETUNE = "isogloss finetune"
CONFIG_NAME = "config.json"
WEIGHTS_NAME = "model.safetensors"
INDEX_NAME = "model.safetensors.index.json"
TORCH_NAME = "pytorch_model.bin"
VOCABULARY_NAME = "sentencepiece.bpe.model"
VOCABULARY_NAMES = (VOCABULARY_NAME, "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json")


def save_model(
    folder: Path,
    model: MaskedLM | TaskModel,
    *,
    vocabulary_folder: Path,
    parents: Sequence[Manifest],
    command: str,
    card: str,
    training: Mapping[str, Any] | None = None,
) -> Manifest:
    """Write the model, its vocabulary and a card; an earlier model at `folder` is replaced once the new one is whole.

    `training` is what scores of the model say about it (seed, setting, …); `training_of` reads it again.
    Raises FolderError when `vocabulary_folder` holds no vocabulary.
    """
    if not (vocabulary_folder / VOCABULARY_NAME).is_file():
        raise FolderError(f"{vocabulary_folder} holds no {VOCABULARY_NAME}; 'isogloss vocab train' makes such a folder")
    config, tensors = to_hub(model)
    kind = model.kind if isinstance(model, TaskModel) else "masked"
    with building(folder) as beside:
        for leftover in beside.iterdir():  # of an attempt that was cut off
            shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
        write_json(beside / CONFIG_NAME, config)
        save_file(tensors, beside / WEIGHTS_NAME, metadata={"format": "pt"})
        for name in VOCABULARY_NAMES:
            if (vocabulary_folder / name).is_file():
                shutil.copyfile(vocabulary_folder / name, beside / name)
        (beside / "README.md").write_text(_card(folder.name, model, config, card), encoding="utf-8")
        settings = model.encoder.settings.model_dump(mode="json")
        labels = list(model.labels) if isinstance(model, TaskModel) else []
        config = {"model": settings, "head": kind, "labels": labels}
        return write_manifest(
            beside,
            kind="model",
            command=command,
            config=config if training is None else config | {"training": training},
            parents=parents,
            statistics={"num_parameters": sum(parameter.numel() for parameter in model.parameters())},
        )


def load_model(folder: Path | str, *, kind: ModelKind | None = None) -> MaskedLM | TaskModel:
    """The model with its head, weights in fp32; `kind` refuses any other head.

    Raises CheckpointError naming the file, the weight and what is wrong with it; FolderError for a changed folder.
    """
    folder = Path(folder)
    model = _read(folder)
    if isinstance(model, Encoder):
        raise CheckpointError(f"{folder} holds an encoder without a head; fine-tune it first, or take a model with one")
    found = model.kind if isinstance(model, TaskModel) else "masked"
    if kind is not None and found != kind:
        raise CheckpointError(f"{folder} holds a model with a {found} head, but a {kind} head is needed")
    return model


def load_encoder(folder: Path | str) -> Encoder:
    """The encoder of any model folder, whatever head lies there."""
    model = _read(Path(folder))
    return model if isinstance(model, Encoder) else model.encoder


def load_vocabulary(folder: Path, encoder: Encoder) -> Vocabulary:
    """The vocabulary beside a model. Raises VocabularyError for one with pieces that the model has no embedding of."""
    vocabulary = Vocabulary.load(folder)
    if vocabulary.size > encoder.settings.vocabulary_size:
        raise VocabularyError(
            f"{folder / VOCABULARY_NAME} has {vocabulary.size} pieces, the model beside it "
            f"{encoder.settings.vocabulary_size}: one of them is another model's; copy the folder again"
        )
    return vocabulary


def training_of(folder: Path) -> Mapping[str, Any]:
    """What `save_model` was told about the training; empty where it was told nothing, and for a foreign folder.

    Raises FolderError for a fine-tuned model of ours that lacks it.
    """
    if not (folder / MANIFEST_NAME).exists():
        return {}
    manifest = read_manifest(folder, "model")
    if "training" not in manifest.config and manifest.command == FINETUNE:
        raise FolderError(
            f"{folder / MANIFEST_NAME} does not say how it was fine-tuned (seed, setting): an earlier isogloss wrote "
            "it; fine-tune it again into another run folder"
        )
    training: Mapping[str, Any] = manifest.config.get("training", {})
    return training


def fingerprint_of(folder: Path) -> str:
    """What tells a model from others: the fingerprint of its manifest, or of a foreign one its settings and weights."""
    if (folder / MANIFEST_NAME).exists():
        return read_manifest(folder, "model").fingerprint
    names = sorted({CONFIG_NAME, TORCH_NAME, *(path.name for path in folder.glob("*.safetensors"))})
    hashes = {name: hash_file(folder / name) for name in names if (folder / name).is_file()}
    return xxhash.xxh3_128(json.dumps(hashes).encode()).hexdigest()


def _read(folder: Path) -> MaskedLM | TaskModel | Encoder:
    config_path = folder / CONFIG_NAME
    try:
        config: Any = json.loads(config_path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CheckpointError(f"{config_path} cannot be read ({error.strerror}); is {folder} a model folder?") from None
    except ValueError as error:
        raise CheckpointError(f"{config_path} is damaged ({error}); copy or make the model again") from None
    if not isinstance(config, dict):
        raise CheckpointError(f"{config_path} is damaged (no table at its top); copy or make the model again")
    if (folder / MANIFEST_NAME).exists():
        _check_hash(folder, read_manifest(folder, "model"))
    return from_hub(config, _read_weights(folder), where=str(folder))


def _check_hash(folder: Path, manifest: Manifest) -> None:
    facts = manifest.files.get(WEIGHTS_NAME)
    if facts is not None and hash_file(folder / WEIGHTS_NAME) != facts["xxh3_128"]:
        raise CheckpointError(f"{folder / WEIGHTS_NAME} is not what {MANIFEST_NAME} says was written; copy it again")


def _read_weights(folder: Path) -> dict[str, Tensor]:
    """All weights of a folder: one safetensors file, several with an index, or a pickle of tensors alone."""
    if (folder / WEIGHTS_NAME).exists():
        return _read_safetensors(folder / WEIGHTS_NAME)
    if (folder / INDEX_NAME).exists():
        try:
            parts = set(json.loads((folder / INDEX_NAME).read_text(encoding="utf-8"))["weight_map"].values())
        except (ValueError, KeyError, AttributeError, TypeError) as error:
            raise CheckpointError(f"{folder / INDEX_NAME} is damaged ({error}); copy the model again") from None
        return {name: tensor for part in sorted(parts) for name, tensor in _read_safetensors(folder / part).items()}
    if (folder / TORCH_NAME).exists():
        try:
            weights = torch.load(folder / TORCH_NAME, map_location="cpu", weights_only=True)
        except Exception as error:  # unpickling raises whatever the damage leads to
            raise CheckpointError(f"{folder / TORCH_NAME} cannot be read: {_first_line(error)}") from None
        return dict(weights)
    raise CheckpointError(f"{folder} holds no weights: neither {WEIGHTS_NAME}, nor {INDEX_NAME}, nor {TORCH_NAME}")


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path} cannot be read ({_first_line(error)}); copy or make the model again") from None


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")


def _card(name: str, model: MaskedLM | TaskModel, config: dict[str, Any], card: str) -> str:
    settings = model.encoder.settings
    rows = {
        "class": config["architectures"][0],
        "layers × width × heads": f"{settings.num_layers} × {settings.width} × {settings.num_heads}",
        "vocabulary": f"{settings.vocabulary_size:,} pieces",
        "longest sequence": f"{settings.max_length} tokens",
        "parameters": f"{sum(parameter.numel() for parameter in model.parameters()):,}",
    }
    if isinstance(model, TaskModel) and model.labels:
        rows["labels"] = ", ".join(model.labels)
    table = "".join(f"| {key} | {value} |\n" for key, value in rows.items())
    return f"""---
library_name: transformers
tags: [xlm-roberta, isogloss]
---

# {name}

{card}

| | |
|---|---|
{table}
Read it with `isogloss.checkpoint.load_model` or with transformers' `Auto` classes; `manifest.json` says from what it
was made.
"""
