"""How processes share one model: every one has it whole (DDP), or each keeps a part of it (FSDP2).

    network = share(model, processes, "sharded")      # what the loss is computed with
    with last_only(network, is_last): loss.backward() # gradients are exchanged once a step, at the last micro-batch
    state = whole_state(model)                        # on the first process, all weights

Gradients come out as the MEAN over processes with either, so a loss is multiplied by their number beforehand.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.distributed.checkpoint.state_dict import StateDictOptions, get_model_state_dict
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FSDPModule, fully_shard
from torch.distributed.tensor import DTensor
from torch.nn.parallel import DistributedDataParallel

from isogloss.processes import Processes

__all__ = ["Sharing", "as_number", "is_sharded", "last_only", "share", "whole_state"]

Sharing = Literal["whole", "sharded"]


def share(model: nn.Module, processes: Processes, sharing: Sharing) -> nn.Module:
    """The module to call in training. `model` itself stays what is saved, scored and named; sharded, its weights
    become parts of themselves."""
    if processes.count == 1:
        return model
    if sharing == "whole":
        device_ids = [processes.device] if processes.device.type == "cuda" else None
        # Their buckets are the gradients, not a second copy of them.
        return DistributedDataParallel(model, device_ids=device_ids, gradient_as_bucket_view=True)
    mesh = init_device_mesh(processes.device.type, (processes.count,))
    for layer in getattr(getattr(model, "encoder", None), "layers", ()):
        fully_shard(layer, mesh=mesh)
    # What is left, embeddings and head, is gathered together: they share the embedding's weight.
    fully_shard(model, mesh=mesh)
    return model


@contextlib.contextmanager
def last_only(network: nn.Module, is_last: bool) -> Iterator[None]:
    """Backward passes inside exchange gradients only if they are the step's last."""
    if isinstance(network, DistributedDataParallel) and not is_last:
        with network.no_sync():
            yield
        return
    if isinstance(network, FSDPModule):
        network.set_requires_gradient_sync(is_last)
    yield


def is_sharded(model: nn.Module) -> bool:
    """Whether the model's weights lie in parts over processes."""
    return isinstance(model, FSDPModule)


def as_number(tensor: Tensor) -> float:
    """A number that may lie in parts over processes."""
    whole: Any = tensor.full_tensor() if isinstance(tensor, DTensor) else tensor
    return float(whole.item())


def whole_state(model: nn.Module) -> dict[str, Any]:
    """All weights on the CPU, by the model's own names, in the first process; every process must ask."""
    state: dict[str, Any] = get_model_state_dict(
        model, options=StateDictOptions(full_state_dict=True, cpu_offload=torch.distributed.is_initialized())
    )
    return state
