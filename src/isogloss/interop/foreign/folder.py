"""Folders of foreign encoders, and of ours fine-tuned on them: transformers' own files, with our head beside them.

    model = read_folder(Path("bert-base-multilingual-cased"))      # ForeignEncoder
    write_folder(folder, task_model, source)                        # config.json, model.safetensors, tokenizer, head
    model = read_folder(folder)                                     # TaskModel

`AutoModel` loads the encoder of what is written. The head lies in `head.safetensors`, its kind and labels in
`head.json`: every family gets the very same head, which its own class of transformers would not give it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from isogloss.errors import CheckpointError
from isogloss.heads import TaskModel
from isogloss.interop.foreign.encoder import ForeignEncoder, read_encoder
from isogloss.interop.foreign.quiet import quiet, reason_of, require_transformers
from isogloss.interop.foreign.tokenizer import ForeignTokenizer, read_tokenizer
from isogloss.manifest import write_json

__all__ = ["HEAD_WEIGHTS", "read_folder", "read_folder_tokenizer", "write_folder"]

HEAD_NAME = "head.json"
HEAD_WEIGHTS = "head.safetensors"


def read_folder(folder: Path) -> ForeignEncoder | TaskModel:
    """The encoder of a transformers folder, with our head where one lies beside it; whole or not at all.

    Raises CheckpointError for what cannot be read and for what is no encoder, MissingExtraError without transformers.
    """
    require_transformers(str(folder))
    encoder = read_encoder(folder)
    if not (folder / HEAD_NAME).exists():
        return encoder
    path = folder / HEAD_WEIGHTS
    try:
        said = json.loads((folder / HEAD_NAME).read_text(encoding="utf-8"))
        model = TaskModel(encoder, said["kind"], said["labels"], dropout=said["dropout"])
        tensors = load_file(path)
        model.head.load_state_dict(tensors)
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
        raise CheckpointError(f"{path} cannot be read ({reason_of(error)}); copy or make the model again") from None
    if not all(torch.isfinite(tensor).all() for tensor in tensors.values()):
        raise CheckpointError(f"{path} holds values that are not finite; take an earlier checkpoint")
    return model


def read_folder_tokenizer(folder: Path) -> ForeignTokenizer:
    """The tokenizer beside such a model. Raises VocabularyError where there is none that can be read."""
    require_transformers(str(folder))
    return read_tokenizer(folder)


def write_folder(folder: Path, model: TaskModel, source: Path) -> tuple[dict[str, Any], str]:
    """Write the model, and the tokenizer of the folder `source`.

    Returns the content of config.json, and what a card says of the vocabulary.
    """
    assert isinstance(model.encoder, ForeignEncoder)
    tokenizer = read_tokenizer(source)
    with quiet():
        model.encoder.model.save_pretrained(str(folder))
        tokenizer.tokenizer.save_pretrained(str(folder))
    write_json(folder / HEAD_NAME, {"kind": model.kind, "labels": list(model.labels), "dropout": model.dropout})
    state = {name: tensor.detach().cpu().contiguous() for name, tensor in model.head.state_dict().items()}
    save_file(state, folder / HEAD_WEIGHTS, metadata={"format": "pt"})
    config: dict[str, Any] = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    return config, f"{tokenizer.size:,} pieces of its own tokenizer, fingerprint `{tokenizer.fingerprint[:16]}`"
