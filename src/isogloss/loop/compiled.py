"""Layers under torch.compile: what stands between two products (norms, residuals, dropout, GELU, casts of weights)
becomes a pass or two over memory instead of one each.

    compile_layers(model)        # in place, before processes share the model; weights and their names stay
"""

from __future__ import annotations

import torch
from torch import nn

from isogloss.attention import attend
from isogloss.model import Attention, Layer

__all__ = ["compile_layers"]


def compile_layers(model: nn.Module) -> None:
    """Compile each layer of our encoder for any number of tokens; other families' encoders are left as they are.

    The first batch takes a minute or so on a CPU. Attention is kept out: its lengths, which are part of a graph,
    differ from batch to batch, and each mix of them would be compiled anew.
    """
    for module in model.modules():
        if isinstance(module, Attention):
            module.attend = torch.compiler.disable(attend)  # type: ignore[no-untyped-call]
        if isinstance(module, Layer):
            module.compile(dynamic=True)
