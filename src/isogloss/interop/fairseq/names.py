"""fairseq's names for our weights and settings, both ways.

    model, head, left_out = from_fairseq(args, tensors, rows_V, where="xlmr.base")  # rows_V: fairseq's id of ours
    args, tensors = to_fairseq(model, order_V, where="runs/demo")                   # order_V: our id of fairseq's

Each name of theirs is used or dropped by name: a weight that is missing, unknown, of another shape or not finite
raises CheckpointError before any model is made. What the weights show (widths, layers, which norm) is taken from them
and compared with the settings; only what they do not show, as the number of heads, is taken from the settings.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from isogloss.config import make_settings
from isogloss.errors import CheckpointError
from isogloss.heads import TaskModel
from isogloss.model import POSITION_OFFSET, Encoder, MaskedLM, ModelSettings

__all__ = ["MASKED", "from_fairseq", "num_rows_of", "to_fairseq"]

# Ours → theirs; {} is the number of the layer. Three names: queries, keys and values, one product with us.
BODY = "encoder.sentence_encoder"
LAYER = f"{BODY}.layers.{{}}"
EMBEDDING, POSITIONS = f"{BODY}.embed_tokens.weight", f"{BODY}.embed_positions.weight"
EMBEDDING_NORM, FINAL_NORM = f"{BODY}.layernorm_embedding", f"{BODY}.layer_norm"
BODY_NAMES: dict[str, tuple[str, ...]] = {
    "encoder.layers.{}.attention.qkv": tuple(f"{LAYER}.self_attn.{part}_proj" for part in ("q", "k", "v")),
    "encoder.layers.{}.attention.out": (f"{LAYER}.self_attn.out_proj",),
    "encoder.layers.{}.attention_norm": (f"{LAYER}.self_attn_layer_norm",),
    "encoder.layers.{}.feedforward.inner": (f"{LAYER}.fc1",),
    "encoder.layers.{}.feedforward.out": (f"{LAYER}.fc2",),
    "encoder.layers.{}.feedforward_norm": (f"{LAYER}.final_layer_norm",),
}
NORM_NAMES = {"post": {"encoder.embeddings.norm": (EMBEDDING_NORM,)}, "pre": {"encoder.final_norm": (FINAL_NORM,)}}
MASKED_NAMES = {"head.dense": ("encoder.lm_head.dense",), "head.norm": ("encoder.lm_head.layer_norm",)}
CLASSIFIER_NAMES = {"dense": "dense", "out": "out_proj"}
MASKED_BIAS, MASKED_WEIGHT = "encoder.lm_head.bias", "encoder.lm_head.weight"
# Ours whose rows are the vocabulary's.
BY_PIECE = {
    "encoder.embeddings.pieces.weight": (EMBEDDING,),
    "head.bias": (MASKED_BIAS,),
    "head.pieces.weight": (MASKED_WEIGHT,),  # of an untied head; a tied one has the embeddings under this name too
}
# The names of older checkpoints, and what replaced them.
OLDER_NAMES = ((r"^decoder\.", "encoder."), (r"\.emb_layer_norm\.", ".layernorm_embedding."))
# fairseq 0.12 keeps the weights of a layer a second time, for a faster forward pass; those that train are the others.
FAST_COPY = re.compile(r"\.layers\.\d+\.(in_proj|out_proj|fc1|fc2)_(weight|bias)")
# Numbers of fairseq's own formats: read, then left out. Without this one fairseq drops the final norm of XL and XXL.
VERSION, VERSION_WRITTEN = f"{BODY}.version", 3.0
DROPPED = {"encoder.version", VERSION}
# What an argument must be where it is given; another value is another model.
FIXED: dict[str, bool | str | None] = {
    "activation_fn": "gelu",
    "pooler_activation_fn": "tanh",
    "encoder_learned_pos": True,
    "no_scale_embedding": True,
    "no_token_positional_embeddings": False,
    "adaptive_input": False,
    "encoder_layers_to_keep": None,
    "spectral_norm_classification_head": False,
}
LAYER_NORM_EPS = 1e-5  # fairseq has no setting for it
# `head=MASKED` asks for the masked-LM head; the other is fairseq's own name for the head of a fine-tuned classifier.
MASKED = "masked"
CLASSIFIER = "sentence_classification_head"
HEAD_PATTERN = re.compile(r"classification_heads\.([^.]+)\.")


def num_rows_of(tensors: Mapping[str, Tensor], where: str) -> int:
    """Rows of the table of embeddings. Raises CheckpointError, opened by `where`, where there is no such table."""
    found = [tensors[name] for name in (EMBEDDING, EMBEDDING.replace("encoder", "decoder", 1)) if name in tensors]
    if not found or found[0].dim() != 2:
        raise CheckpointError(f"{where}: weight {EMBEDDING} is missing or no table; is it XLM-R?")
    return found[0].shape[0]


def from_fairseq(
    args: Mapping[str, Any],
    tensors: Mapping[str, Tensor],
    rows_V: Tensor,
    *,
    head: str | None = None,
    labels: Sequence[str] = (),
    where: str,
) -> tuple[MaskedLM | TaskModel, str, list[str]]:
    """The model that these settings and weights describe, fp32, the head it has and the names of those left out.

    `head` is MASKED or the name of a classification head; without it the only classification head is taken, or the
    masked-LM head where there is none. Raises CheckpointError, opened by `where`, for what does not fit.
    """
    tensors = _modern(tensors, where)
    chosen, left_out = _choose_head(tensors, head, where)
    settings = _settings(args, tensors, where, vocabulary_size=len(rows_V))
    tied = MASKED_WEIGHT not in tensors or torch.equal(tensors[MASKED_WEIGHT], tensors[EMBEDDING])
    names = _names(settings, chosen, tied=tied)
    _check_names(tensors, names, left_out, where)
    with torch.device("meta"):
        if chosen == MASKED:
            model: MaskedLM | TaskModel = MaskedLM(settings, tied=tied)
        else:
            model = _classifier(args, settings, tensors, chosen, labels, where)
    state = {}
    for name, place in model.state_dict().items():
        parts = [tensors[their] for their in names[name]]
        # The table may have rows that no id of ours asks for.
        num_rows = len(tensors[EMBEDDING]) if name in BY_PIECE else place.shape[0] // len(parts)
        for their, part in zip(names[name], parts, strict=True):
            _check(their, part, (num_rows, *place.shape[1:]), where)
        tensor = torch.cat([part.to(torch.float32) for part in parts])
        state[name] = tensor[rows_V] if name in BY_PIECE else tensor
    model.load_state_dict(state, assign=True)
    return model.eval(), chosen, left_out


def to_fairseq(model: MaskedLM | TaskModel, order_V: Tensor, *, where: str) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """`args` and the weights under fairseq's newer names; `order_V` holds our ids in the order of fairseq's.

    A classifier gets a masked-LM head of zeros, without which fairseq does not read it. Raises CheckpointError, opened
    by `where`, for a model that fairseq has no place for.
    """
    settings = model.encoder.settings
    kind = model.kind if isinstance(model, TaskModel) else MASKED
    if kind not in (MASKED, "sequence"):
        raise CheckpointError(f"{where}: fairseq's XLM-R has no {kind} head; masked and sequence heads are written")
    for key, value in {"languages": (), "num_token_types": 0, "layer_norm_eps": LAYER_NORM_EPS}.items():
        if (found := getattr(settings, key)) != value:
            raise CheckpointError(f"{where}: {key} = {found} has no place in fairseq, which knows {value} alone")
    tensors = {} if kind == MASKED else _no_masked_head(settings)
    tied = isinstance(model, TaskModel) or model.head.pieces is None
    names = _names(settings, MASKED if kind == MASKED else CLASSIFIER, tied=tied)
    for name, tensor in model.state_dict().items():
        theirs, tensor = names[name], tensor.detach().cpu()
        parts = (tensor[order_V],) if name in BY_PIECE else tensor.chunk(len(theirs))
        # Each part a tensor of its own: a chunk would be saved with the whole that it is a view of.
        tensors |= {their: part.clone() for their, part in zip(theirs, parts, strict=True)}
    if tied:
        tensors[MASKED_WEIGHT] = tensors[EMBEDDING]
    tensors[VERSION] = torch.tensor([VERSION_WRITTEN])
    return _args(model, settings) | {"untie_weights_roberta": not tied}, tensors


def _modern(tensors: Mapping[str, Tensor], where: str) -> dict[str, Tensor]:
    """The weights under the names of newer checkpoints; queries, keys and values apart."""
    modern: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        if FAST_COPY.search(name):
            continue
        for pattern, newer in OLDER_NAMES:
            name = re.sub(pattern, newer, name)
        if (joint := re.fullmatch(r"(.*\.self_attn\.)in_proj_(weight|bias)", name)) is None:
            found = {name: tensor}
        elif tensor.dim() and tensor.shape[0] % 3 == 0:
            found = {
                f"{joint[1]}{part}_proj.{joint[2]}": third for part, third in zip("qkv", tensor.chunk(3), strict=True)
            }
        else:
            raise CheckpointError(f"{where}: weight {name} has shape {tuple(tensor.shape)}, not that of three parts")
        if twice := sorted(set(found) & set(modern)):
            raise CheckpointError(f"{where}: weight {twice[0]} is there under an older and under a newer name")
        modern |= found
    return modern


def _choose_head(tensors: Mapping[str, Tensor], head: str | None, where: str) -> tuple[str, list[str]]:
    """The head to take, and the others that are there."""
    there = sorted({match[1] for name in tensors if (match := HEAD_PATTERN.match(name)) is not None})
    classifiers = list(there)
    if any(name.startswith("encoder.lm_head.") for name in tensors):
        there.append(MASKED)
    if head is None and len(classifiers) > 1:
        raise CheckpointError(f"{where} has several heads; choose one of {', '.join(there)} with --head")
    chosen = head or next(iter(there), MASKED)
    if head is not None and head not in there:
        raise CheckpointError(f"{where} has no head {head!r}; it has {', '.join(there) or 'none'}")
    return chosen, [name for name in there if name != chosen]


def _settings(
    args: Mapping[str, Any], tensors: Mapping[str, Tensor], where: str, *, vocabulary_size: int
) -> ModelSettings:
    """Our settings, from the shapes of the weights and from the args; raises CheckpointError where they disagree."""
    for key, value in FIXED.items():
        found = args.get(key, value)
        if isinstance(found, Tensor) or found != value:
            raise CheckpointError(f"{where}: {key} = {found!r} is another model; XLM-R has {value!r}")
    layers = {int(match[1]) for name in tensors if (match := re.match(rf"{BODY}\.layers\.(\d+)\.", name)) is not None}
    first = LAYER.format(0) + ".fc1.weight"
    for name in (EMBEDDING, POSITIONS, first):
        if name not in tensors or tensors[name].dim() != 2:
            raise CheckpointError(f"{where}: weight {name} is missing or no table; is it XLM-R?")
    norms = [norm for norm, name in (("post", EMBEDDING_NORM), ("pre", FINAL_NORM)) if f"{name}.weight" in tensors]
    if len(norms) != 1:
        raise CheckpointError(
            f"{where}: XLM-R has either {EMBEDDING_NORM} (base, large) or {FINAL_NORM} (XL, XXL); this model has "
            f"{'both' if norms else 'neither'}"
        )
    shown = {
        "encoder_embed_dim": tensors[EMBEDDING].shape[1],
        "encoder_layers": max(layers) + 1,
        "encoder_ffn_embed_dim": tensors[first].shape[0],
        "max_positions": tensors[POSITIONS].shape[0] - POSITION_OFFSET,
    }
    for key, size in shown.items():
        if isinstance(args.get(key), int) and args[key] != size:
            raise CheckpointError(f"{where}: {key} = {args[key]} in its settings, {size} in its weights")
    if "encoder_attention_heads" not in args:
        raise CheckpointError(f"{where}: its settings lack encoder_attention_heads, which the weights do not show")
    values = {
        "vocabulary_size": vocabulary_size,
        "width": shown["encoder_embed_dim"],
        "num_layers": shown["encoder_layers"],
        "num_heads": args["encoder_attention_heads"],
        "feedforward": shown["encoder_ffn_embed_dim"],
        "max_length": shown["max_positions"],
        "dropout": args.get("dropout", 0.1),
        "attention_dropout": args.get("attention_dropout", 0.1),
        "layer_norm_eps": LAYER_NORM_EPS,
        "norm": norms[0],
    }
    return make_settings(ModelSettings, values, where=f"{where}: settings of the model")


def _names(settings: ModelSettings, head: str, *, tied: bool) -> dict[str, tuple[str, ...]]:
    """Our names of all weights of a model, with theirs; layers and `.weight`/`.bias` spelled out."""
    names: dict[str, tuple[str, ...]] = dict(NORM_NAMES[settings.norm])
    for ours, theirs in BODY_NAMES.items():
        for number in range(settings.num_layers):
            names[ours.format(number)] = tuple(their.format(number) for their in theirs)
    if head == MASKED:
        names |= MASKED_NAMES
    else:
        names |= {f"head.{ours}": (f"classification_heads.{head}.{their}",) for ours, their in CLASSIFIER_NAMES.items()}
    spelled = {
        f"{ours}.{end}": tuple(f"{their}.{end}" for their in theirs)
        for ours, theirs in names.items()
        for end in ("weight", "bias")
    }
    absent = {"head.bias": head != MASKED, "head.pieces.weight": head != MASKED or tied}
    by_piece = {ours: theirs for ours, theirs in BY_PIECE.items() if not absent.get(ours, False)}
    return spelled | by_piece | {"encoder.embeddings.positions.weight": (POSITIONS,)}


def _check_names(
    tensors: Mapping[str, Tensor], names: Mapping[str, tuple[str, ...]], left_out: Sequence[str], where: str
) -> None:
    wanted = {their for theirs in names.values() for their in theirs}
    if missing := sorted(wanted - set(tensors)):
        raise CheckpointError(f"{where}: weight {missing[0]} is missing ({len(missing)} in all); the file is not whole")
    others = tuple("encoder.lm_head." if name == MASKED else f"classification_heads.{name}." for name in left_out)
    known = wanted | DROPPED | {MASKED_WEIGHT}
    if unknown := sorted(name for name in tensors if name not in known and not name.startswith(others)):
        raise CheckpointError(f"{where}: weight {unknown[0]} is not known ({len(unknown)} in all); is it XLM-R?")


def _check(name: str, tensor: Tensor, shape: tuple[int, ...], where: str) -> None:
    if tuple(tensor.shape) != shape:
        raise CheckpointError(f"{where}: weight {name} has shape {tuple(tensor.shape)}, the others ask for {shape}")
    if tensor.layout != torch.strided or tensor.device.type != "cpu" or not tensor.is_floating_point():
        raise CheckpointError(f"{where}: weight {name} is {tensor.dtype} ({tensor.layout}), not plain numbers")
    if not torch.isfinite(tensor).all():
        raise CheckpointError(f"{where}: weight {name} holds values that are not finite; its run diverged")


def _classifier(
    args: Mapping[str, Any],
    settings: ModelSettings,
    tensors: Mapping[str, Tensor],
    head: str,
    labels: Sequence[str],
    where: str,
) -> TaskModel:
    num_labels = tensors[f"classification_heads.{head}.out_proj.bias"].numel()
    if labels and len(labels) != num_labels:
        raise CheckpointError(f"{where}: label/dict.txt names {len(labels)} labels, the head {head} has {num_labels}")
    dropout = args.get("pooler_dropout", 0.0)
    if not isinstance(dropout, int | float) or not 0 <= dropout < 1:
        raise CheckpointError(f"{where}: pooler_dropout = {dropout!r} is no share from 0 to 1")
    named = labels or [f"LABEL_{number}" for number in range(num_labels)]
    return TaskModel(Encoder(settings), "sequence", named, dropout=float(dropout))


def _no_masked_head(settings: ModelSettings) -> dict[str, Tensor]:
    """A masked-LM head that says nothing, as fairseq makes no model without one."""
    width = settings.width
    ends = {"dense.weight": (width, width), "dense.bias": (width,)}
    ends |= {"layer_norm.weight": (width,), "layer_norm.bias": (width,), "bias": (settings.vocabulary_size,)}
    return {f"encoder.lm_head.{end}": torch.zeros(shape) for end, shape in ends.items()}


def _args(model: MaskedLM | TaskModel, settings: ModelSettings) -> dict[str, Any]:
    """What fairseq's `args` say of the model, and the little it asks of task and training."""
    pre = settings.norm == "pre"
    task: dict[str, Any] = {"task": "masked_lm", "criterion": "masked_lm"}
    if isinstance(model, TaskModel):
        task = {"task": "sentence_prediction", "criterion": "sentence_prediction", "num_classes": len(model.labels)}
        task |= {"classification_head_name": CLASSIFIER, "pooler_dropout": model.head.dropout}
        # Not given, fairseq takes the task for a regression, whose labels it does not read.
        task["regression_target"] = False
    return {
        **FIXED,
        **task,
        "data": ".",
        "arch": "roberta_prenorm" if pre else "roberta",
        "encoder_layers": settings.num_layers,
        "encoder_embed_dim": settings.width,
        "encoder_ffn_embed_dim": settings.feedforward,
        "encoder_attention_heads": settings.num_heads,
        "encoder_normalize_before": pre,
        "layernorm_embedding": not pre,
        "max_positions": settings.max_length,
        "tokens_per_sample": settings.max_length,
        "dropout": settings.dropout,
        "attention_dropout": settings.attention_dropout,
        "activation_dropout": 0.0,
    }
