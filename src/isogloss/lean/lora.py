"""LoRA (Hu et al. 2021, section 4.1): a weight stands still, and two narrow factors beside it learn.

    add_factors(model, LoraSettings(rank=8, targets=("query", "value")), seed=1)

    y = W x + b + alpha / rank · B A x            A: rank rows, random; B: rank columns, zeros at first

So training begins at the very model that was read. The encoder asks for no gradients but those of its factors, so that
the optimizer has no state for anything else and checkpoints hold nothing else. Where a selection takes the mean of
several steps, it is that of the factors.

Shapes: N tokens (any leading dimensions), I and O width of input and output, P adapted parts of a product, R rank.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from isogloss.config import Settings
from isogloss.dropout import drop
from isogloss.errors import ConfigError
from isogloss.heads import TaskModel
from isogloss.lean.plain import Replaced, replace_module
from isogloss.model import Attention, Encoder
from isogloss.randomness import key_of

__all__ = ["LoraSettings", "LowRank", "add_factors"]

# The parts of our one product for queries, keys and values, in their order.
QKV = ("query", "key", "value")
# What stands before the name that layers share: encoder.layers.3., encoder.model.encoder.layer.3.
_BEFORE = re.compile(r"^encoder\.(?:.*\.\d+\.|model\.)?")


class LoraSettings(Settings):
    """LoRA: which products get factors, and how narrow they are."""

    rank: int = Field(
        0, ge=0, description="width of the factors beside a weight; 0: no LoRA, the weights themselves learn"
    )
    alpha: float = Field(
        16.0, gt=0, description="what factors give counts alpha / rank times; a rate of 2e-4 to 1e-3 is usual with them"
    )
    targets: tuple[str, ...] = Field(
        ("query", "value"),
        min_length=1,
        description="products that get factors, by the ends of their names: query, key, value, attention.out, "
        "feedforward.inner, feedforward.out; in other families as they call them",
    )
    dropout: float = Field(0.0, ge=0, lt=1, description="share of the values that factors see dropped in training")
    adapter: bool = Field(
        False, description="write factors and head alone as well, MODEL/adapter, which peft puts on the same base model"
    )

    def __str__(self) -> str:
        return f"LoRA of rank {self.rank}, alpha {self.alpha:g}, on {', '.join(self.targets)}"


class LowRank(Replaced):
    """A linear map that stands still, and factors beside those parts of its output that are adapted.

    ``down`` (P·R, I) is shared by nothing; ``up`` (P, O / num_parts, R) holds zeros until something is learned.
    """

    def __init__(
        self,
        base: nn.Linear,
        settings: LoraSettings,
        *,
        parts: Sequence[int],
        num_parts: int,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.base = base
        self.parts, self.num_parts = tuple(parts), num_parts
        self.dropout, self.scale = settings.dropout, settings.alpha / settings.rank
        drawn = torch.rand(len(parts) * settings.rank, base.in_features, generator=generator)
        self.down = nn.Parameter((2 * drawn - 1) * base.in_features**-0.5)
        self.up = nn.Parameter(torch.zeros(len(parts), base.out_features // num_parts, settings.rank))

    def forward(self, x_NI: Tensor) -> Tensor:
        y_NO: Tensor = self.base(x_NI)
        seen_NI = drop(x_NI, self.dropout) if self.training else x_NI
        narrow_NR = F.linear(seen_NI, self.down.to(x_NI.dtype)) * self.scale
        return y_NO + F.linear(narrow_NR, self._up_OR().to(x_NI.dtype))

    @torch.no_grad()
    def plain(self) -> nn.Module:
        """The same map with its factors in the weight, which is a new one."""
        weight = self.base.weight
        merged = nn.Parameter(weight + (self.scale * (self._up_OR() @ self.down)).to(weight))
        shared = {id(parameter): parameter for parameter in self.base.parameters()}
        base: nn.Module = copy.deepcopy(self.base, {**shared, id(weight): merged})
        return base

    def _up_OR(self) -> Tensor:
        """The factors of all parts as one matrix, (O, P·R): each has its columns, and parts without factors no row."""
        blocks = [self.up.new_zeros(self.up.shape[1], 0)] * self.num_parts
        for part, of_part in zip(self.parts, self.up, strict=True):
            blocks[part] = of_part
        up_OR: Tensor = torch.block_diag(*blocks)  # type: ignore[no-untyped-call]
        return up_OR


def add_factors(model: TaskModel, settings: LoraSettings, *, seed: int) -> None:
    """Put factors beside the targets, in place, and let the rest of the encoder stand still; the head goes on learning.

    Raises ConfigError for a target that the encoder has no linear map for, and for an adapter of another family's.
    """
    if settings.adapter and not isinstance(model.encoder, Encoder):
        raise ConfigError(
            "lora.adapter: factors alone are written of XLM-RoBERTa only; set lora.adapter=false, the model that is "
            "saved has them in its weights"
        )
    maps = _linear_maps(model)
    known = list(dict.fromkeys(_BEFORE.sub("", name) for name in maps))
    for target in settings.targets:
        if not any(_is(name, target) for name in maps):
            raise ConfigError(
                f"lora.targets: no linear map of the model is called {target!r}; it has {', '.join(known)}"
            )
    chosen: dict[nn.Linear, list[int]] = {}
    sizes: dict[nn.Linear, int] = {}
    for name, (module, part, num_parts) in maps.items():
        if any(_is(name, target) for target in settings.targets):
            chosen.setdefault(module, []).append(part)
            sizes[module] = num_parts
    model.get_submodule("encoder").requires_grad_(False)
    generator = torch.Generator().manual_seed(key_of(seed, "lora") >> 1)
    for module, parts in chosen.items():
        factors = LowRank(module, settings, parts=parts, num_parts=sizes[module], generator=generator)
        replace_module(model, module, factors)


def _linear_maps(model: TaskModel) -> dict[str, tuple[nn.Linear, int, int]]:
    """The linear maps of the encoder by name: the module, and which of how many parts of its output it is."""
    found: dict[str, tuple[nn.Linear, int, int]] = {}
    for name, module in model.named_modules():
        if not name.startswith("encoder.") or not isinstance(module, nn.Linear):
            continue
        above, _, last = name.rpartition(".")
        if last == "qkv" and isinstance(model.get_submodule(above), Attention):
            found |= {f"{above}.{part}": (module, number, len(QKV)) for number, part in enumerate(QKV)}
        else:
            found[name] = (module, 0, 1)
    return found


def _is(name: str, target: str) -> bool:
    return name.endswith(f".{target}")
