"""Any encoder of transformers behind the interface of ours: packed ids → hidden states.

    encoder = read_encoder(Path("bert-base-multilingual-cased"))
    x_ND = encoder(ids_N, layout)                        # as isogloss.model.Encoder gives them

The layers are transformers' own, run on padded batches: the fair side of a comparison, not the fast one. Token types,
language embeddings and XLNet's `<cls>` at the end are made here from the ids, as the model's tokenizer would.

Shapes: N packed tokens, S sequences, T tokens of the longest, D width.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from isogloss.attention import Layout
from isogloss.config import make_settings
from isogloss.errors import CheckpointError, DataError, IsoglossError
from isogloss.interop.foreign.quiet import quiet, reason_of
from isogloss.interop.foreign.tokenizer import SequenceFormat, read_tokenizer
from isogloss.model import ModelSettings

__all__ = ["ForeignEncoder", "read_encoder"]

# What a model without a table of positions is taken to read, where its tokenizer does not say.
USUAL_LENGTH = 512
# Tokenizers that know no limit say 1e30.
LONGEST = 1 << 20
# Rows that a table of pieces may have beyond the tokenizer's: mDeBERTa-v3 has 898.
MOST_UNUSED = 1024
# Of a layer, in the name of its weight.
NUMBER = re.compile(r"\d+")
# What the families call one thing, in the order they are tried; XLNet's and XLM's names come last.
DROPOUTS = ("hidden_dropout_prob", "classifier_dropout", "dropout")
WIDTHS = ("intermediate_size", "d_inner")
SPREADS = ("initializer_range", "emb_init_std")


class ForeignEncoder(nn.Module):
    """A transformers model that takes and gives packed tokens; made with `read_encoder`.

    `settings` says its shape in our words: width, layers, longest sequence, languages that it embeds.
    """

    def __init__(self, model: Any, format: SequenceFormat, *, max_length: int, where: str) -> None:
        super().__init__()
        self.model = model
        self.format = format
        self.settings = _settings(model, max_length, where)
        self.compute_dtype = torch.float32
        config = model.config
        # XLNet's types are not a table but a distance, of any number.
        self._has_types = getattr(config, "type_vocab_size", 0) > 1 or config.model_type == "xlnet"

    def forward(self, ids_N: Tensor, layout: Layout, *, languages_S: Tensor | None = None) -> Tensor:
        """Hidden states of the last layer, (N, D) fp32. Without `languages_S` each is of the first language."""
        if layout.max_length > self.settings.max_length:
            raise DataError(
                f"a sequence has {layout.max_length} tokens, the model reads at most {self.settings.max_length}; "
                "cut it or split it into windows"
            )
        sequences_N, places_N = layout.sequences_N, self._places(ids_N, layout)
        shape = (layout.num_sequences, layout.max_length)
        ids_ST = ids_N.new_full(shape, self.format.pad_id)
        ids_ST[sequences_N, places_N] = ids_N
        mask_ST = torch.zeros_like(ids_ST)
        mask_ST[sequences_N, places_N] = 1
        more: dict[str, Tensor] = {}
        if self._has_types:
            more["token_type_ids"] = self._types(ids_ST)
        if self.settings.languages:
            languages_S = ids_ST.new_zeros(shape[0]) if languages_S is None else languages_S
            more["langs"] = languages_S[:, None].expand(shape).contiguous()
        with torch.autocast(ids_N.device.type, self.compute_dtype, enabled=self.compute_dtype != torch.float32):
            x_STD = self.model(input_ids=ids_ST, attention_mask=mask_ST, return_dict=True, **more).last_hidden_state
        x_ND: Tensor = x_STD[sequences_N, places_N].float()
        return x_ND

    def initialise(self, seed: int) -> None:
        """Fresh weights, drawn as the model's own class draws them."""
        make: Any = type(self.model)
        with torch.random.fork_rng(devices=[]), quiet():
            torch.manual_seed(seed)
            fresh = make(self.model.config, **_without_pooler(make))
        self.model.load_state_dict(fresh.state_dict())

    def _places(self, ids_N: Tensor, layout: Layout) -> Tensor:
        """Each token's column. A summary token that stands first here and last in the model goes there."""
        if not self.format.summary_is_last:
            return layout.positions_N
        firsts_S = ids_N[layout.offsets[:-1].long().clamp(max=len(ids_N) - 1)]
        lengths_S = layout.offsets.diff().long()
        moved_S = (firsts_S == self.format.summary_id) & (lengths_S > 0)
        moved_N, lengths_N = moved_S[layout.sequences_N], lengths_S[layout.sequences_N]
        return torch.where(moved_N, (layout.positions_N - 1) % lengths_N, layout.positions_N)

    def _types(self, ids_ST: Tensor) -> Tensor:
        """The token types that the model's tokenizer gives: the second text begins after the first separator."""
        first, second, summary = self.format.types
        separators_ST = (ids_ST == self.format.separator_id).long()
        is_second_ST = (separators_ST.cumsum(1) - separators_ST) > 0
        types_ST = torch.where(is_second_ST, second, first)
        return torch.where(ids_ST == self.format.summary_id, summary, types_ST)


def read_encoder(folder: Path) -> ForeignEncoder:
    """The encoder of a transformers folder, weights in fp32, whatever head lies there.

    Raises CheckpointError for a model that is no encoder, and for weights that are damaged, missing or not finite.
    """
    from transformers import AutoModel

    try:
        with quiet():
            config = _config(folder)
            model, told = AutoModel.from_pretrained(
                str(folder),
                config=config,
                local_files_only=True,
                trust_remote_code=False,
                dtype=torch.float32,
                output_loading_info=True,
                ignore_mismatched_sizes=True,  # their message for these names no weight; ours does
                **_without_pooler(_class_of(config)),
            )
    except CheckpointError:
        raise
    # Each of their classes fails in a way of its own over files that are missing or damaged.
    except Exception as error:
        raise CheckpointError(f"{folder} cannot be read ({reason_of(error)}); copy the whole folder again") from None
    _check_that_it_is_whole(model, told, str(folder))
    for name, tensor in model.state_dict().items():
        if tensor.is_floating_point() and not torch.isfinite(tensor).all():
            raise CheckpointError(
                f"{folder}: weight {name} holds values that are not finite: its run diverged, or the file is damaged; "
                "take an earlier checkpoint or copy it again"
            )
    tokenizer = read_tokenizer(folder)
    try:
        encoder = ForeignEncoder(
            model, tokenizer.format, max_length=_max_length(model, tokenizer.tokenizer), where=str(folder)
        )
        _check_that_it_looks_ahead(encoder.eval(), str(folder))
    except IsoglossError:
        raise
    except Exception as error:  # of images, of characters without a table, without a mask
        raise CheckpointError(
            f"{folder}: {config.model_type} is no encoder that reads ids under a mask ({reason_of(error)}); give the "
            "folder of one"
        ) from None
    if not 0 <= encoder.settings.vocabulary_size - tokenizer.size < MOST_UNUSED:
        raise CheckpointError(
            f"{folder}: its tokenizer has {tokenizer.size} pieces, the model {encoder.settings.vocabulary_size}: one "
            "of them is another model's; copy the folder again"
        )
    return encoder


def _check_that_it_is_whole(model: Any, told: Mapping[str, Any], where: str) -> None:
    """Raises CheckpointError where weights and config.json describe two models, going by what transformers told."""
    for name, found, wanted in sorted(told["mismatched_keys"]):
        raise CheckpointError(
            f"{where}: weight {name} has shape {tuple(found)}, config.json asks for {tuple(wanted)}; "
            "copy both from one place"
        )
    if missing := sorted(name for name in told["missing_keys"] if "pooler" not in name):
        raise CheckpointError(
            f"{where}: weight {missing[0]} is missing ({len(missing)} in all): the weights are not whole, or not "
            "those that config.json describes; copy both from one place"
        )
    # Weights of a head are left aside, but not layers beyond those that config.json counts.
    known = {NUMBER.sub("", name) for name in model.state_dict() if NUMBER.search(name)}
    bodies = {name: name.removeprefix(f"{model.base_model_prefix}.") for name in told["unexpected_keys"]}
    if unknown := sorted(name for name, body in bodies.items() if NUMBER.sub("", body) in known):
        raise CheckpointError(
            f"{where}: weight {unknown[0]} is not known ({len(unknown)} in all): config.json describes another model; "
            "copy both from one place"
        )


def _config(folder: Path) -> Any:
    from transformers import AutoConfig

    try:
        config = AutoConfig.from_pretrained(str(folder), local_files_only=True, trust_remote_code=False)
    except (OSError, ValueError, KeyError) as error:
        raise CheckpointError(
            f"{folder}: config.json is of a model that is not read: neither XLM-RoBERTa nor known to this transformers "
            f"({reason_of(error)}); give the folder of an encoder"
        ) from None
    if getattr(config, "is_encoder_decoder", False):
        raise CheckpointError(
            f"{folder}: {config.model_type} is an encoder with a decoder; give the folder of an encoder alone"
        )
    return config


def _class_of(config: Any) -> Any:
    from transformers import AutoModel

    return AutoModel._model_mapping[type(config)]


def _without_pooler(model_class: Any) -> dict[str, bool]:
    """A pooler is a part of some heads; ours is its own, and weights that are never read would only grow the model."""
    if isinstance(model_class, tuple):  # of Funnel there are two, without a pooler
        return {}
    return {"add_pooling_layer": False} if "add_pooling_layer" in inspect.signature(model_class).parameters else {}


def _settings(model: Any, max_length: int, where: str) -> ModelSettings:
    """The shape of a model in our words."""
    config = model.config
    languages = dict(getattr(config, "lang2id", None) or {}) if getattr(config, "use_lang_emb", False) else {}
    width = config.hidden_size
    values = {
        "vocabulary_size": model.get_input_embeddings().weight.shape[0],
        "width": width,
        "num_layers": config.num_hidden_layers,
        "num_heads": config.num_attention_heads,
        "feedforward": _first(config, WIDTHS, 4 * width),
        "max_length": max_length,
        "dropout": _first(config, DROPOUTS, 0.1),
        "initial_std": _first(config, SPREADS, 0.02),
        "languages": tuple(sorted(languages, key=lambda code: int(languages[code]))),
        "num_token_types": max(0, getattr(config, "type_vocab_size", 0)),
    }
    return make_settings(ModelSettings, values, where=f"{where}: config.json")


def _first(config: Any, names: tuple[str, ...], otherwise: float) -> Any:
    found = (getattr(config, name, None) for name in names)
    return next((value for value in found if value is not None), otherwise)


def _max_length(model: Any, tokenizer: Any) -> int:
    """The longest sequence: what the tokenizer says, and never more than the model's positions."""
    limits = [length for length in (tokenizer.model_max_length,) if 0 < length < LONGEST]
    positions = getattr(model.config, "max_position_embeddings", None)
    if positions is not None and positions > 0:
        for name, module in model.named_modules():
            # RoBERTa's kin count positions on from the padding id, whose row their table keeps.
            if "position" in name and isinstance(module, nn.Embedding) and module.padding_idx is not None:
                positions -= module.padding_idx + 1
        limits.append(positions)
    return min(limits, default=USUAL_LENGTH)


def _check_that_it_looks_ahead(encoder: ForeignEncoder, where: str) -> None:
    """A model whose first token does not change with the last reads left to right only, whatever it is called."""
    ids_N = torch.tensor([5, 6, 7, 8, 5, 6, 7, 9]) % encoder.settings.vocabulary_size
    with torch.no_grad():
        first_D, again_D = encoder(ids_N, Layout.of([4, 4]))[[0, 4]]
    if encoder.settings.num_layers and torch.equal(first_D, again_D):
        raise CheckpointError(
            f"{where}: {encoder.model.config.model_type} reads text from left to right only, it is no encoder; "
            "give the folder of an encoder"
        )
