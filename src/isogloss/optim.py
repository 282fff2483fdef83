"""AdamW over parameter groups, and learning rates as pure functions of the step.

    optimizer = make_optimizer(model, settings)
    set_rate(optimizer, rate_at(step, settings, total_steps=1000))

Biases and norms do not decay. For fine-tuning the head may learn faster, each layer slower than the one above it, and
embeddings or lower layers may stand still.
"""

from __future__ import annotations

import math
import re
from typing import Any, Literal

import torch
from pydantic import Field, model_validator
from torch import nn

from isogloss.config import Duration, Settings
from isogloss.errors import ConfigError

__all__ = ["OptimSettings", "make_optimizer", "parameter_groups", "rate_at", "set_rate"]

# Other families call a layer `layer.3` and its parts, in XLM, `attentions.3`, `ffns.3`, `layer_norm1.3`.
_LAYER = re.compile(r"(?:^|\.)encoder\.(?:.+\.)?(?:layers?|attentions|ffns|layer_norm[12])\.([0-9]+)\.")
_EMBEDDINGS = re.compile(r"(?:^|\.)encoder\.(?:model\.)?(?:\w*embeddings?|layer_norm_emb)\.")
_ENCODER = re.compile(r"(?:^|\.)encoder\.")


class OptimSettings(Settings):
    """AdamW, its schedule, and which parts of the model learn how fast; the defaults are RoBERTa's."""

    peak_rate: float = Field(6e-4, gt=0, description="highest learning rate, reached at the end of the warmup")
    schedule: Literal["linear", "cosine", "wsd", "inverse-sqrt", "constant"] = Field(
        "linear",
        description="after the warmup: straight or cosine to the final rate, wsd: hold and fall at the end, "
        "inverse-sqrt: peak x sqrt(warmup / step), whatever the length of the run (XLM)",
    )
    warmup: Duration = Field(Duration("6 %"), description="from zero to the peak rate, as '24_000 steps' or '6 %'")
    decay: Duration = Field(Duration("20 %"), description="wsd only: length of the fall at the end")
    final_share: float = Field(0.0, ge=0, le=1, description="rate of the last step as a share of the peak")
    betas: tuple[float, float] = Field((0.9, 0.98), description="AdamW: decay of the two running means")
    eps: float = Field(1e-6, gt=0, description="AdamW: added to the root of the second mean")
    weight_decay: float = Field(0.01, ge=0, description="AdamW: decay of weights (never of biases and norms)")
    clip: float = Field(1.0, ge=0, description="longest gradient (2-norm of all of it); 0 switches clipping off")
    head_factor: float = Field(1.0, gt=0, description="rate of everything outside the encoder, times the others'")
    layer_factor: float = Field(1.0, gt=0, le=1, description="rate of a layer, times that of the layer above it")
    freeze_embeddings: bool = Field(False, description="the embeddings do not learn")
    freeze_layers: int = Field(0, ge=0, description="so many layers, from the lowest, do not learn")

    @model_validator(mode="after")
    def _betas_are_means(self) -> OptimSettings:
        if not all(0 <= beta < 1 for beta in self.betas):
            raise ValueError(f"betas = {list(self.betas)} must lie in 0 to 1, for example [0.9, 0.98]")
        return self


def rate_at(step: int, settings: OptimSettings, *, total_steps: int, tokens_per_step: int = 0) -> float:
    """The learning rate of step ``step`` (from 0) of ``total_steps``; the last step still learns."""
    lengths = {"total_steps": total_steps, "tokens_per_step": tokens_per_step}
    warmup = min(settings.warmup.steps(**lengths), total_steps)
    if step < warmup:
        return settings.peak_rate * (step + 1) / warmup
    start = warmup
    if settings.schedule == "wsd":
        start = max(warmup, total_steps - settings.decay.steps(**lengths))
    # Above 0 at the last step: a rate of zero there would be a step for nothing.
    left = 1.0 if settings.schedule == "constant" else min(1.0, (total_steps - step) / max(1, total_steps - start))
    if settings.schedule == "inverse-sqrt":
        left = math.sqrt(max(1, warmup) / (step + 1))
    if settings.schedule == "cosine":
        left = 0.5 * (1 - math.cos(math.pi * left))
    return settings.peak_rate * (settings.final_share + (1 - settings.final_share) * left)


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Give every group the rate times the group's own factor."""
    for group in optimizer.param_groups:
        group["lr"] = rate * group["rate_factor"]


def make_optimizer(model: nn.Module, settings: OptimSettings) -> torch.optim.AdamW:
    """AdamW over the model's groups; what is frozen is marked so in the model and left out."""
    optimizer = torch.optim.AdamW(
        parameter_groups(model, settings),
        lr=settings.peak_rate,
        betas=settings.betas,
        eps=settings.eps,
        fused=True,  # one kernel over all parameters, on CPU and CUDA
    )
    # Torch makes a parameter's means at its first gradient. Made here, the state of a run has the same names at every
    # step, also for parameters that have had no gradient yet, and a checkpoint can always be read back.
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            optimizer.state[parameter] = {
                "step": torch.zeros((), device=parameter.device),
                "exp_avg": torch.zeros_like(parameter),
                "exp_avg_sq": torch.zeros_like(parameter),
            }
    return optimizer


def parameter_groups(model: nn.Module, settings: OptimSettings) -> list[dict[str, Any]]:
    """Parameters that share a rate factor and a weight decay, in a fixed order; what stands still already is left out.

    Raises ConfigError when there are fewer layers than are to be frozen, or nothing is left that learns.
    """
    num_layers = 1 + max(
        (int(found[1]) for name, _ in model.named_parameters() if (found := _LAYER.search(name))), default=-1
    )
    if settings.freeze_layers > num_layers:
        raise ConfigError(f"freeze_layers = {settings.freeze_layers}, but the model has {num_layers} layers")
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        height = _height(name, num_layers)
        frozen = height < settings.freeze_layers if height >= 0 else settings.freeze_embeddings
        parameter.requires_grad_(parameter.requires_grad and not frozen)
        if not parameter.requires_grad:
            continue
        in_encoder = _ENCODER.search(name) is not None
        factor = (
            settings.layer_factor ** (num_layers - 1 - min(height, num_layers - 1))
            if in_encoder
            else settings.head_factor
        )
        # Vectors are biases and norms; every matrix, embeddings included, decays (fairseq and transformers alike).
        decay = settings.weight_decay if parameter.ndim > 1 else 0.0
        groups.setdefault((factor, decay), []).append(parameter)
    if not groups:
        raise ConfigError("every parameter is frozen: lower freeze_layers or set freeze_embeddings = false")
    return [
        {"params": parameters, "weight_decay": decay, "rate_factor": factor}
        for (factor, decay), parameters in sorted(groups.items(), key=lambda item: item[0], reverse=True)
    ]


def _height(name: str, num_layers: int) -> int:
    """How high a parameter stands: -1 for embeddings, the layer's number, and above the layers for all the rest."""
    if _EMBEDDINGS.search(name):
        return -1
    found = _LAYER.search(name)
    return int(found[1]) if found else num_layers
