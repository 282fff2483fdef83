"""Modules that stand in another one's place while a model is trained, and the model as if they did not.

plain(model)        # the model with what each of them stands for; all other weights are the very same tensors
"""

from __future__ import annotations

import abc
import copy
from typing import TypeVar

from torch import nn

__all__ = ["Replaced", "plain", "replace_module"]

Model = TypeVar("Model", bound=nn.Module)


class Replaced(nn.Module, abc.ABC):
    """A module that training has in the place of another."""

    @abc.abstractmethod
    def plain(self) -> nn.Module:
        """What it stands for, with what was learned."""


def plain(model: Model) -> Model:
    """A model of the ordinary parts, to be saved; ``model`` is left as it is and must not learn meanwhile."""
    replaced = {id(module): module.plain() for module in model.modules() if isinstance(module, Replaced)}
    if not replaced:
        return model
    shared = {id(tensor): tensor for tensor in (*model.parameters(), *model.buffers())}
    changed: Model = copy.deepcopy(model, {**shared, **replaced})
    return changed


def replace_module(model: nn.Module, old: nn.Module, new: nn.Module) -> None:
    """Put ``new`` wherever ``old`` stands in the model, in training or in evaluation as that was."""
    new.train(old.training)
    for module in list(model.modules()):
        for name, child in list(module.named_children()):
            if child is old and module is not new:
                setattr(module, name, new)
