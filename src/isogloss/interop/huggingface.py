"""Hugging Face's names for our weights and settings, both ways. No transformers needed.

    config, tensors = to_hub(model)                 # what config.json and model.safetensors hold
    model = from_hub(config, tensors, where="xlm-roberta-base")

Each name of theirs is used or dropped by name: a weight that is missing, unknown, of another shape or not finite
raises CheckpointError before any model is made. Names of every age are read: with or without `roberta.`, with the
buffers that old versions stored, with a pooler or none, tied weights under either of their names.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import torch
from torch import Tensor

from isogloss.config import make_settings
from isogloss.errors import CheckpointError
from isogloss.heads import HeadKind, TaskModel
from isogloss.model import POSITION_OFFSET, Encoder, MaskedLM, ModelSettings

__all__ = ["from_hub", "hub_names", "is_ours", "to_hub"]

# Ours → theirs; {} is the number of the layer. Three names: queries, keys and values, one product with us.
ATTENTION = "encoder.layer.{}.attention"
ENCODER_NAMES: dict[str, tuple[str, ...]] = {
    "embeddings.pieces.weight": ("embeddings.word_embeddings.weight",),
    "embeddings.positions.weight": ("embeddings.position_embeddings.weight",),
    "embeddings.token_types.weight": ("embeddings.token_type_embeddings.weight",),
    "embeddings.languages.weight": ("embeddings.language_embeddings.weight",),
    "layers.{}.attention.qkv": tuple(f"{ATTENTION}.self.{part}" for part in ("query", "key", "value")),
    "layers.{}.attention.out": (f"{ATTENTION}.output.dense",),
    "layers.{}.feedforward.inner": ("encoder.layer.{}.intermediate.dense",),
    "layers.{}.feedforward.out": ("encoder.layer.{}.output.dense",),
}
NORM_NAMES: dict[str, dict[str, tuple[str, ...]]] = {
    "post": {
        "embeddings.norm": ("embeddings.LayerNorm",),
        "layers.{}.attention_norm": (f"{ATTENTION}.output.LayerNorm",),
        "layers.{}.feedforward_norm": ("encoder.layer.{}.output.LayerNorm",),
    },
    "pre": {
        "layers.{}.attention_norm": (f"{ATTENTION}.self_attn_layer_norm",),
        "layers.{}.feedforward_norm": ("encoder.layer.{}.LayerNorm",),
        "final_norm": ("encoder.LayerNorm",),
    },
}
HEAD_NAMES: dict[str, dict[str, tuple[str, ...]]] = {
    "masked": {"dense": ("lm_head.dense",), "norm": ("lm_head.layer_norm",), "bias": ("lm_head.bias",)},
    "sequence": {"dense": ("classifier.dense",), "out": ("classifier.out_proj",)},
    "token": {"out": ("classifier",)},
    "question": {"out": ("qa_outputs",)},
}
# Read, then left out: tables that count or are all zeros, a pooler trained for nothing in XLM-R.
DROPPED = {
    "roberta.embeddings.position_ids",
    "roberta.embeddings.token_type_ids",
    "roberta.pooler.dense.weight",
    "roberta.pooler.dense.bias",
}
TYPE_NAME = "roberta.embeddings.token_type_embeddings.weight"
PIECES_NAME = "roberta.embeddings.word_embeddings.weight"
# The masked head's product: its own weights in an untied model; in a tied one a second name of those on the right.
COPIES = {"lm_head.decoder.weight": PIECES_NAME, "lm_head.decoder.bias": "lm_head.bias"}

CLASSES = {
    "masked": "ForMaskedLM",
    "sequence": "ForSequenceClassification",
    "token": "ForTokenClassification",
    "question": "ForQuestionAnswering",
}
FAMILIES = {"post": ("xlm-roberta", "XLMRoberta"), "pre": ("xlm-roberta-xl", "XLMRobertaXL")}
# What their classes take for a setting that config.json leaves out, where the two families differ.
UNSAID: dict[str, dict[str, Any]] = {
    "post": {"layer_norm_eps": 1e-12, "type_vocab_size": 2},
    "pre": {"layer_norm_eps": 1e-5, "type_vocab_size": 1},
}
# What Hugging Face has no class for (language embeddings) goes under a type that it refuses rather than misreads.
OWN_TYPE = "isogloss"


def to_hub(model: MaskedLM | TaskModel | Encoder) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """The content of config.json and the weights under Hugging Face's names."""
    if isinstance(model, Encoder):
        kind, settings, ours = None, model.settings, model.state_dict(prefix="encoder.")
    else:
        kind = model.kind if isinstance(model, TaskModel) else "masked"
        settings, ours = model.encoder.settings, model.state_dict()
    tied = not isinstance(model, MaskedLM) or model.head.pieces is None
    tensors: dict[str, Tensor] = {}
    for name, theirs in hub_names(settings, kind, tied=tied).items():
        parts = ours[name].chunk(len(theirs))
        tensors.update({their: part.detach().cpu().contiguous() for their, part in zip(theirs, parts, strict=True)})
    if not settings.num_token_types:  # their class has at least one type, added to every token: all zeros
        tensors[TYPE_NAME] = torch.zeros(1, settings.width)
    if not tied:  # their untied product reads the bias under its second name, and stores the first for nothing
        tensors["lm_head.decoder.bias"] = tensors["lm_head.bias"].clone()
    if kind is None:  # their bare class has a pooler: with the identity in its place nothing is missing, nor made up
        pooler = {"dense.weight": torch.eye(settings.width), "dense.bias": torch.zeros(settings.width)}
        tensors = {name.removeprefix("roberta."): tensor for name, tensor in tensors.items()}
        tensors |= {f"pooler.{name}": tensor for name, tensor in pooler.items()}
    config = _to_config(settings, kind, model.labels if isinstance(model, TaskModel) else ())
    return config | {"tie_word_embeddings": tied}, tensors


def is_ours(config: Mapping[str, Any]) -> bool:
    """Whether a config.json describes the one encoder, or says nothing of what it describes."""
    return config.get("model_type") in (None, OWN_TYPE, *(model_type for model_type, _ in FAMILIES.values()))


def from_hub(config: Mapping[str, Any], tensors: Mapping[str, Tensor], *, where: str) -> MaskedLM | TaskModel | Encoder:
    """The model that these settings and weights describe: an Encoder if there is no head among the weights.

    Weights that are as we keep them are the model's own from now on, and no longer to be changed by others.
    Raises CheckpointError, opened by `where`, for another architecture and for weights that do not fit.
    """
    settings = _from_config(config, where)
    tensors = _prefixed(tensors, where)
    kind = _head_kind(tensors)
    tied = kind != "masked" or config.get("tie_word_embeddings") is not False
    tensors = _without_copies(tensors, where, tied=tied)
    names = hub_names(settings, kind, tied=tied)
    if settings.num_token_types == 0:
        tensors = _fold_token_type(tensors, where)
    wanted = {their for theirs in names.values() for their in theirs}
    if missing := sorted(wanted - set(tensors)):
        raise CheckpointError(
            f"{where}: weight {missing[0]} is missing ({len(missing)} in all): the weights are not whole, or not those "
            "that config.json describes; copy both from one place"
        )
    if unknown := sorted(set(tensors) - wanted - DROPPED):
        raise CheckpointError(
            f"{where}: weight {unknown[0]} is not known ({len(unknown)} in all): config.json describes another model; "
            "copy both from one place"
        )
    with torch.device("meta"):
        model = _build(settings, kind, config, tensors, where, tied=tied)
    state = {}
    for name, place in model.state_dict().items():
        theirs = names[name if kind else f"encoder.{name}"]
        for their in theirs:
            _check(their, tensors[their], (place.shape[0] // len(theirs), *place.shape[1:]), where)
        parts = [tensors[their].to(torch.float32) for their in theirs]
        # Not copied where there is nothing to put together: a table may be a gigabyte.
        state[name] = torch.cat(parts) if len(parts) > 1 else parts[0]
    model.load_state_dict(state, assign=True)
    return model


def _prefixed(tensors: Mapping[str, Tensor], where: str) -> dict[str, Tensor]:
    """The encoder's weights under `roberta.`, which a bare encoder and some tools leave out."""
    bodies = ("embeddings.", "encoder.", "pooler.")
    named = {f"roberta.{name}" if name.startswith(bodies) else name: tensor for name, tensor in tensors.items()}
    if len(named) < len(tensors):
        twice = sorted(name for name in tensors if f"roberta.{name}" in tensors)
        raise CheckpointError(f"{where}: weight {twice[0]} is there with and without 'roberta.'; remove one of them")
    return named


def _without_copies(tensors: Mapping[str, Tensor], where: str, *, tied: bool) -> dict[str, Tensor]:
    """Each tied weight once, under its first name; of an untied head the bias that its product reads."""
    kept = dict(tensors)
    if not tied:
        if "lm_head.decoder.bias" in kept:
            kept["lm_head.bias"] = kept.pop("lm_head.decoder.bias")
        return kept
    for name, first in COPIES.items():
        copy = kept.pop(name, None)
        if copy is not None and not torch.equal(kept.setdefault(first, copy), copy):
            raise CheckpointError(
                f"{where}: weight {name} differs from {first}, though config.json says they are tied; if the head is "
                'one of its own, write "tie_word_embeddings": false there'
            )
    return kept


def hub_names(settings: ModelSettings, kind: str | None, *, tied: bool = True) -> dict[str, tuple[str, ...]]:
    """Our names of all weights of a model, with theirs; layers and `.weight`/`.bias` spelled out."""
    absent = {
        "embeddings.token_types.weight": settings.num_token_types == 0,
        "embeddings.languages.weight": not settings.languages,
    }
    names: dict[str, tuple[str, ...]] = {}
    for ours, theirs in (ENCODER_NAMES | NORM_NAMES[settings.norm]).items():
        if not absent.get(ours, False):
            for number in range(settings.num_layers) if "{}" in ours else [0]:
                names[f"encoder.{ours.format(number)}"] = tuple(f"roberta.{their.format(number)}" for their in theirs)
    for ours, theirs in HEAD_NAMES[kind].items() if kind else ():
        names[f"head.{ours}"] = theirs
    if not tied:
        names["head.pieces.weight"] = ("lm_head.decoder.weight",)
    spelled: dict[str, tuple[str, ...]] = {}
    for ours, theirs in names.items():
        ends = [""] if ours.endswith(("weight", "bias")) else [".weight", ".bias"]
        spelled |= {ours + end: tuple(their + end for their in theirs) for end in ends}
    return spelled


def _head_kind(tensors: Mapping[str, Tensor]) -> str | None:
    """Which head these weights have; told by the weights, as a config may carry another class's name."""
    for kind, names in HEAD_NAMES.items():
        theirs = names["dense"] if "dense" in names else names["out"]
        if f"{theirs[0]}.weight" in tensors:
            return kind
    return None


def _fold_token_type(tensors: Mapping[str, Tensor], where: str) -> dict[str, Tensor]:
    """Add the one token type, which every token gets, to the positions, and drop its row."""
    folded = dict(tensors)
    name = "roberta.embeddings.position_embeddings.weight"
    row, positions = folded.pop(TYPE_NAME, None), folded.get(name)
    if row is not None and positions is not None:
        _check(TYPE_NAME, row, (1, *positions.shape[1:]), where)
        if row.any():  # a row of zeros, as we write it, would still turn -0.0 into 0.0
            folded[name] = positions.float() + row.float()
    return folded


def _check(name: str, tensor: Tensor, shape: tuple[int, ...], where: str) -> None:
    if tuple(tensor.shape) != shape:
        raise CheckpointError(
            f"{where}: weight {name} has shape {tuple(tensor.shape)}, config.json asks for {shape}; "
            "copy both from one place"
        )
    if not tensor.is_floating_point():
        raise CheckpointError(
            f"{where}: weight {name} is of type {str(tensor.dtype).removeprefix('torch.')}, not floating point; "
            "take the model before it was quantised"
        )
    if not torch.isfinite(tensor.to(torch.float32)).all():
        raise CheckpointError(
            f"{where}: weight {name} holds values that are not finite: its run diverged, or the file is damaged; "
            "take an earlier checkpoint or copy it again"
        )


def _build(
    settings: ModelSettings,
    kind: str | None,
    config: Mapping[str, Any],
    tensors: Mapping[str, Tensor],
    where: str,
    *,
    tied: bool,
) -> MaskedLM | TaskModel | Encoder:
    if kind is None:
        return Encoder(settings)
    if kind == "masked":
        return MaskedLM(settings, tied=tied)
    name = HEAD_NAMES[kind]["out"][0] + ".weight"
    num_rows = tensors[name].shape[0] if tensors[name].ndim else 0
    if kind == "question" and num_rows != 2:
        raise CheckpointError(f"{where}: weight {name} has {num_rows} rows; a question head has 2, start and end")
    labels = [] if kind == "question" else _labels(config, num_rows, name, where)
    dropout = config.get("classifier_dropout")
    if dropout is not None and (not isinstance(dropout, int | float) or not 0 <= dropout < 1):
        raise CheckpointError(f"{where}: config.json: classifier_dropout = {dropout!r} is no share; write null there")
    return TaskModel(Encoder(settings), cast(HeadKind, kind), labels, dropout=dropout)


def _labels(config: Mapping[str, Any], num_rows: int, name: str, where: str) -> list[str]:
    """The labels of a head's rows: `id2label`, or LABEL_0, LABEL_1, … as transformers calls those without names."""
    named = config.get("id2label") or {str(number): f"LABEL_{number}" for number in range(num_rows)}
    if not isinstance(named, Mapping):
        raise CheckpointError(f"{where}: config.json: id2label is no table of numbers and labels; copy it again")
    if sorted(named) != sorted(map(str, range(num_rows))):
        raise CheckpointError(
            f"{where}: weight {name} has {num_rows} rows, config.json names {len(named)} labels in id2label; "
            "copy both from one place"
        )
    return [str(named[str(number)]) for number in range(num_rows)]


def _to_config(settings: ModelSettings, kind: str | None, labels: tuple[str, ...]) -> dict[str, Any]:
    model_type, family = FAMILIES[settings.norm]
    config: dict[str, Any] = {
        "architectures": [family + (CLASSES[kind] if kind else "Model")],
        "model_type": model_type,
        "vocab_size": settings.vocabulary_size,
        "hidden_size": settings.width,
        "num_hidden_layers": settings.num_layers,
        "num_attention_heads": settings.num_heads,
        "intermediate_size": settings.feedforward,
        "max_position_embeddings": settings.max_length + POSITION_OFFSET,
        "hidden_dropout_prob": settings.dropout,
        "attention_probs_dropout_prob": settings.attention_dropout,
        "layer_norm_eps": settings.layer_norm_eps,
        "initializer_range": settings.initial_std,
        "type_vocab_size": settings.num_token_types or 1,
        "hidden_act": "gelu",
        "bos_token_id": 0,
        "pad_token_id": 1,
        "eos_token_id": 2,
        "dtype": "float32",
    }
    if settings.languages:
        config |= {"model_type": OWN_TYPE, "norm": settings.norm, "languages": list(settings.languages)}
    if labels:
        config["id2label"] = {str(number): label for number, label in enumerate(labels)}
        config["label2id"] = {label: number for number, label in enumerate(labels)}
    return config


def _from_config(config: Mapping[str, Any], where: str) -> ModelSettings:
    """Our settings from theirs; raises CheckpointError for an architecture that is not the one encoder's."""
    norms = {model_type: norm for norm, (model_type, _) in FAMILIES.items()} | {OWN_TYPE: config.get("norm")}
    model_type = config.get("model_type")
    if norms.get(str(model_type)) is None:
        raise CheckpointError(
            f"{where}: config.json: model_type = {model_type!r} is not read; known: {', '.join(norms)}; "
            "give the folder of such a model"
        )
    # Its weights have the names of a token head, its classifier means something else.
    if "ForMultipleChoice" in str(config.get("architectures")):
        raise CheckpointError(
            f"{where}: a multiple-choice head is not read; known: {', '.join(HEAD_NAMES)}; fine-tune one of those"
        )
    needed = {"hidden_act": "gelu", "pad_token_id": 1, "is_decoder": False}
    needed |= {"position_embedding_type": "absolute"}
    for key, value in needed.items():
        if config.get(key, value) != value:
            raise CheckpointError(
                f"{where}: config.json: {key} = {config[key]!r} is another model, XLM-RoBERTa has {value!r}; "
                "give the folder of such a model"
            )
    norm = str(norms[str(model_type)])
    config = UNSAID.get(norm, {}) | dict(config)
    try:
        num_types = int(config["type_vocab_size"])
        values = {
            "vocabulary_size": config["vocab_size"],
            "width": config["hidden_size"],
            "num_layers": config["num_hidden_layers"],
            "num_heads": config["num_attention_heads"],
            "feedforward": config["intermediate_size"],
            "max_length": config["max_position_embeddings"] - POSITION_OFFSET,
            "dropout": config.get("hidden_dropout_prob", 0.1),
            "attention_dropout": config.get("attention_probs_dropout_prob", 0.1),
            "layer_norm_eps": config["layer_norm_eps"],
            "initial_std": config.get("initializer_range", 0.02),
            "norm": norm,
            "languages": tuple(config.get("languages", ())),
            "num_token_types": num_types if num_types > 1 else 0,
        }
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(
            f"{where}: config.json is not whole ({type(error).__name__}: {error}); copy it again"
        ) from None
    return make_settings(ModelSettings, values, where=f"{where}: config.json")
