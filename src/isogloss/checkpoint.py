"""A model folder: Hugging Face's layout, written whole or not at all, read without transformers.

    save_model(Path("runs/demo/model"), model, vocabulary_folder=Path("vocab"), parents=[shards.manifest],
               command="isogloss pretrain", card="Pretrained on …")
    model = load_model("runs/demo/model")           # MaskedLM or TaskModel, by the head that lies there
    encoder = load_encoder("xlm-roberta-base")      # its encoder alone
    vocabulary = load_vocabulary(folder, encoder)   # that of the folder, once it is known to fit

Any XLM-RoBERTa folder is read, base to XXL, with or without our manifest; an encoder of another family through
transformers (`interop.foreign`), to be fine-tuned and compared. What cannot be read raises one line and gives no model.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import xxhash
from safetensors import SafetensorError
from safetensors.torch import save_file

from isogloss.errors import CheckpointError, FolderError, VocabularyError
from isogloss.heads import AnyEncoder, TaskModel
from isogloss.interop.foreign import HEAD_WEIGHTS, ForeignEncoder, read_folder, read_folder_tokenizer, write_folder
from isogloss.interop.huggingface import from_hub, is_ours, to_hub
from isogloss.interop.model_card import Card, CardScore, head_of, model_card
from isogloss.interop.onnx_model import GraphEncoder, read_exported
from isogloss.interop.sentence_transformers import Pooling, write_modules
from isogloss.interop.tokenizer_json import TOKENIZER_JSON, added_ids, sentencepiece_model
from isogloss.interop.weights import INDEX_NAMES, WEIGHTS_NAME, read_weights, weight_files
from isogloss.manifest import (
    EXPORTED,
    MANIFEST_NAME,
    MODELS,
    Manifest,
    building,
    hash_file,
    read_manifest,
    write_json,
    write_manifest,
)
from isogloss.model import Encoder, MaskedLM
from isogloss.vocab import MODEL_NAME, Tokenizer, Vocabulary
from isogloss.vocab.hub import write_hub_files

__all__ = [
    "CARD_NAME",
    "CONFIG_NAME",
    "FINETUNE",
    "Card",
    "CardScore",
    "ModelKind",
    "encoder_of",
    "fingerprint_of",
    "languages_of",
    "load_encoder",
    "load_model",
    "load_tokenizer",
    "load_vocabulary",
    "manifest_of",
    "name_of",
    "read_model",
    "require_ours",
    "save_model",
    "training_of",
    "write_vocabulary",
]

ModelKind = Literal["masked", "sequence", "token", "question"]

# The command whose models say how they were trained.
FINETUNE = "isogloss finetune"
CONFIG_NAME = "config.json"
CARD_NAME = "README.md"
TOKENIZER_CONFIG = "tokenizer_config.json"
# Beside the SentencePiece model, what AutoTokenizer reads.
HUB_NAMES = (TOKENIZER_JSON, TOKENIZER_CONFIG, "special_tokens_map.json")
# Weights are padded with unused pieces up to a multiple of a power of two, at most this one (XL: 250,880).
LARGEST_MULTIPLE = 1024


def save_model(
    folder: Path,
    model: MaskedLM | TaskModel | Encoder,
    *,
    vocabulary_folder: Path,
    parents: Sequence[Manifest],
    command: str,
    card: Card | str,
    training: Mapping[str, Any] | None = None,
    pooling: Pooling | None = None,
    more: Callable[[Path], None] = lambda _: None,
) -> Manifest:
    """Write the model, its vocabulary and a card; an earlier model at `folder` is replaced once the new one is whole.

    `card` is what README.md says, or its one sentence; `training` what scores of the model say about it (seed,
    setting, …), and `training_of` reads it again. An encoder is written as an embedding model with this `pooling`,
    which sentence-transformers loads; `more` adds files of its own to the folder, before the manifest lists them and
    after all others but the card. Raises FolderError when `vocabulary_folder` holds no vocabulary.
    """
    settings = encoder_of(model).settings
    foreign = isinstance(encoder_of(model), ForeignEncoder)
    if not foreign and not any((vocabulary_folder / name).is_file() for name in (MODEL_NAME, TOKENIZER_JSON)):
        raise FolderError(f"{vocabulary_folder} holds no {MODEL_NAME}; 'isogloss vocab train' makes such a folder")
    with building(folder) as beside:
        for leftover in beside.iterdir():  # of an attempt that was cut off
            shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
        if isinstance(model, TaskModel) and foreign:
            config, vocabulary = write_folder(beside, model, vocabulary_folder)
        else:
            config, vocabulary = _write_ours(beside, model, vocabulary_folder)
        if isinstance(model, Encoder):
            write_modules(beside, pooling or Pooling(), width=settings.width, max_length=settings.max_length)
        more(beside)
        card = Card(card) if isinstance(card, str) else card
        labels = list(model.labels) if isinstance(model, TaskModel) else []
        recorded = {"model": settings.model_dump(mode="json"), "head": head_of(model), "labels": labels}
        manifest = write_manifest(
            beside,
            kind="model",
            command=command,
            config=recorded if training is None else recorded | {"training": training},
            parents=parents,
            statistics={
                "num_parameters": sum(parameter.numel() for parameter in model.parameters()),
                "languages": list(card.languages),
            },
        )
        # After the manifest and not in it: the card is the user's to edit, its licence above all.
        name = card.name or name_of(folder)
        text = model_card(name, model, config, card, vocabulary=vocabulary, manifest=manifest)
        (beside / CARD_NAME).write_text(text, encoding="utf-8")
        return manifest


def name_of(folder: Path) -> str:
    """What people call the model in this folder: the folder's name, or that of its run."""
    return folder.resolve().parent.name if folder.name == "model" else folder.name


def languages_of(folder: Path) -> tuple[str, ...]:
    """The languages that our manifest says a model was trained on; none for a foreign folder."""
    if not (folder / MANIFEST_NAME).exists():
        return ()
    return tuple(read_manifest(folder, "model").statistics.get("languages", ()))


def load_model(folder: Path | str, *, kind: ModelKind | None = None) -> MaskedLM | TaskModel:
    """The model with its head, weights in fp32; `kind` refuses any other head.

    Raises CheckpointError naming the file, the weight and what is wrong with it; FolderError for a changed folder.
    """
    folder = Path(folder)
    model = read_model(folder)
    if not isinstance(model, MaskedLM | TaskModel):
        raise CheckpointError(f"{folder} holds an encoder without a head; fine-tune it first, or take a model with one")
    found = head_of(model)
    if kind is not None and found != kind:
        raise CheckpointError(f"{folder} holds a model with a {found} head, but a {kind} head is needed")
    return model


def load_encoder(folder: Path | str) -> AnyEncoder:
    """The encoder of any model folder, whatever head lies there."""
    return encoder_of(read_model(Path(folder)))


def encoder_of(model: MaskedLM | TaskModel | AnyEncoder) -> AnyEncoder:
    """The encoder under a head, or the encoder itself."""
    return model.encoder if isinstance(model, MaskedLM | TaskModel) else model


def require_ours(model: MaskedLM | TaskModel | AnyEncoder, folder: Path) -> None:
    """Raises CheckpointError for a model of `folder` whose encoder is of another family."""
    if not isinstance(encoder_of(model), Encoder):
        raise CheckpointError(
            f"{folder} holds an encoder of another family: it can be fine-tuned, scored and asked, but only models of "
            "XLM-RoBERTa are converted, exported, extended and trimmed; use transformers for it"
        )


def load_tokenizer(folder: Path, encoder: AnyEncoder) -> Tokenizer:
    """What turns texts into the ids of this encoder, whatever family it is of; raises as `load_vocabulary` does."""
    return read_folder_tokenizer(folder) if isinstance(encoder, ForeignEncoder) else load_vocabulary(folder, encoder)


def load_vocabulary(folder: Path, encoder: AnyEncoder) -> Vocabulary:
    """The vocabulary beside a model, from sentencepiece.bpe.model, or from tokenizer.json where that is all there is.

    Raises VocabularyError for a missing or damaged one, and for one that is another model's: with more pieces than the
    model has, or with fewer than padding or pieces added later (which `tokenizer.json` lists) account for.
    """
    file = folder / MODEL_NAME
    if not file.exists() and (folder / TOKENIZER_JSON).is_file():
        file = folder / TOKENIZER_JSON
        vocabulary = Vocabulary.from_bytes(sentencepiece_model(file), name=str(file))
    elif file.exists():
        vocabulary = Vocabulary.load(folder)
    else:
        raise VocabularyError(f"{folder} holds no {MODEL_NAME} and no {TOKENIZER_JSON}; copy the whole folder again")
    _tokenizer_settings(folder)  # damaged, they would be found out when the model is written, after its training
    size = encoder.settings.vocabulary_size
    num_known = max(vocabulary.size, max(added_ids(folder / TOKENIZER_JSON), default=-1) + 1)
    # The largest power of two that divides the size: what it may have been rounded up to.
    if not 0 <= size - num_known < min(size & -size, LARGEST_MULTIPLE):
        raise VocabularyError(
            f"{file} has {num_known} pieces, the model beside it {size}: one of them is another model's; "
            "copy the folder again"
        )
    return vocabulary


def training_of(folder: Path) -> Mapping[str, Any]:
    """What `save_model` was told about the training, or whatever wrote a tagger; empty where it was told nothing, and
    for a foreign folder.

    Raises FolderError for a fine-tuned model of ours that lacks it.
    """
    if not (folder / MANIFEST_NAME).exists():
        return {}
    manifest = read_manifest(folder, *MODELS)
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
        return read_manifest(folder, *MODELS).fingerprint
    files = [folder / CONFIG_NAME, *(folder / name for name in INDEX_NAMES), *weight_files(folder)]
    hashes = {path.name: hash_file(path) for path in sorted(files) if path.is_file()}
    return xxhash.xxh3_128(json.dumps(hashes).encode()).hexdigest()


def manifest_of(folder: Path) -> Manifest:
    """What a model folder says about itself; a foreign one has its fingerprint alone. For lineage."""
    if (folder / MANIFEST_NAME).exists():
        return read_manifest(folder, "model")
    return Manifest("model", "", "", {}, {}, {}, fingerprint=fingerprint_of(folder))


def read_model(folder: Path) -> MaskedLM | TaskModel | Encoder | ForeignEncoder | GraphEncoder:
    """Whatever model lies in a folder, with or without a head, weights in fp32; whole or not at all. Of a folder that
    was exported, its graph behind the same interface.

    Raises CheckpointError naming the file, the weight and what is wrong with it; FolderError for a changed folder.
    """
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
        manifest = read_manifest(folder, "model", EXPORTED)
        if manifest.kind == EXPORTED:
            return read_exported(folder, manifest)
        _check_hashes(folder, manifest)
    if not is_ours(config):
        return read_folder(folder)
    return from_hub(config, read_weights(folder), where=str(folder))


def _check_hashes(folder: Path, manifest: Manifest) -> None:
    for name in (CONFIG_NAME, WEIGHTS_NAME, HEAD_WEIGHTS):
        facts = manifest.files.get(name)
        if facts is not None and hash_file(folder / name) != facts["xxh3_128"]:
            raise CheckpointError(f"{folder / name} is not what {MANIFEST_NAME} says was written; copy it again")


def _write_ours(folder: Path, model: MaskedLM | TaskModel | Encoder, source: Path) -> tuple[dict[str, Any], str]:
    """Settings, weights and vocabulary; returns the content of config.json, and what a card says of the vocabulary."""
    config, tensors = to_hub(model)
    write_json(folder / CONFIG_NAME, config)
    try:
        save_file(tensors, folder / WEIGHTS_NAME, metadata={"format": "pt"})
    except SafetensorError as error:  # its own class for what the disk says
        raise FolderError(
            f"{folder / WEIGHTS_NAME} cannot be written ({error}); make room and give the command again"
        ) from None
    settings = encoder_of(model).settings
    write_vocabulary(folder, source, max_length=settings.max_length)
    return (
        config,
        f"{settings.vocabulary_size:,} pieces (SentencePiece), fingerprint `{hash_file(folder / MODEL_NAME)[:16]}`",
    )


def write_vocabulary(folder: Path, source: Path, *, max_length: int) -> None:
    """Write the vocabulary of `source` to `folder`, with what AutoTokenizer needs, made where the source lacks it.

    Raises VocabularyError where it cannot be read.
    """
    if (source / MODEL_NAME).is_file():
        shutil.copyfile(source / MODEL_NAME, folder / MODEL_NAME)
    else:
        (folder / MODEL_NAME).write_bytes(sentencepiece_model(source / TOKENIZER_JSON))
    if not (source / TOKENIZER_JSON).is_file():
        write_hub_files(folder, Vocabulary.load(folder / MODEL_NAME), max_length=max_length)
        return
    for name in HUB_NAMES:
        if (source / name).is_file():
            shutil.copyfile(source / name, folder / name)
    if (source / TOKENIZER_CONFIG).is_file():  # a vocabulary knows no model: texts are cut to the length of this one
        write_json(folder / TOKENIZER_CONFIG, _tokenizer_settings(source) | {"model_max_length": max_length})


def _tokenizer_settings(folder: Path) -> dict[str, Any]:
    """What tokenizer_config.json says; nothing where there is none. Raises VocabularyError for a damaged one."""
    path = folder / TOKENIZER_CONFIG
    try:
        settings = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    except (OSError, ValueError) as error:
        raise VocabularyError(f"{path} is damaged ({error}); copy the folder again, or delete it") from None
    if not isinstance(settings, dict):
        raise VocabularyError(f"{path} is damaged (no table at its top); copy the folder again, or delete it")
    return settings
