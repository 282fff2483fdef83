"""Memory of a training step by part, from the model's own code.

    memory_of(model, shape, num_sequences=24, accumulate=2, device="cuda", dtype=torch.bfloat16).peak

Weights, gradients and AdamW's two means are fp32. What autograd keeps for the backward, in values a token and layer of
c bytes each (2 in bf16, 4 in fp32), with D width, F feed-forward width, H heads, A attended tokens:

    D     the layer's input                             read by the product of queries, keys and values (pre: by a norm)
    3 D   queries, keys and values
    H A   attention weights, and as many dropout factors where weights are dropped: short sequences on the CPU.
          Fused kernels keep one fp32 a head instead.
    D     the attention's output                        read by its product
    D D   the sum before a norm and the norm's output   (pre-norm: the input of a norm and its output)
    F F   the inner product's output and its GELU
    D     the second sum
    D D   dropout's factors after either part, if there is dropout; on CUDA one byte each
    4     fp32: means and inverse spreads of two norms

Beside the layers: the sums and dropout factors of the embeddings in fp32, the last norm of a pre-norm model, and in
bf16 a cast of every linear map's matrix. The loss (loss.py) holds the fp32 gradient of the piece embeddings, in bf16
their cast beside it, and one chunk of logits. The parts are not all there at once. On a CPU what comes and goes leaves
holes in the heap, which is not given back (devices.py): a measured share on top.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from isogloss.attention import SHORT_LENGTH, SHORT_LENGTH_FP32
from isogloss.loss import rows_of_chunk
from isogloss.model import ModelSettings
from isogloss.plan.arithmetic import BatchShape, linear_weights, num_parameters

__all__ = ["CUDA_BASE", "Memory", "memory_of"]

FP32 = 4
# Context and kernels of a CUDA process; assumed. The allocator's own figures leave them out.
CUDA_BASE = 600 << 20
# On a CPU, measured with glibc on runs of 0.5 to 0.75 GB after 50 steps: what kernels, threads, held-out text and the
# writer of TensorBoard add to a process that has only planned, and what the heap takes for each byte of tensors that
# come and go within a step.
CPU_ADDED = 115 << 20
CPU_HEAP = 1.6


@dataclass(frozen=True)
class Memory:
    """Bytes of a training step on one device.

    ``gradients``, ``activations`` and ``loss`` are each part's own largest size, ``heap`` is what the allocator holds
    beside them; ``peak`` is the most that is held at one time, ``peak_at`` says when. A checkpoint takes weights and
    means once more, in the memory of the CPU, while it is written beside the training; that is left out.
    """

    weights: int
    optimizer: int
    gradients: int
    activations: int
    loss: int
    heap: int
    base: int
    peak: int
    peak_at: str


def memory_of(
    model: ModelSettings,
    shape: BatchShape,
    *,
    num_sequences: int,
    accumulate: int,
    device: str,
    dtype: torch.dtype,
    num_parts: int = 1,
    base: int = 0,
) -> Memory:
    """Memory of a step that is cut into ``accumulate`` micro-batches of ``num_sequences`` sequences each.

    ``device`` is "cpu" or "cuda"; the model is sharded into ``num_parts``, 1 where each device has it whole; ``base``
    is what the process holds without a model.
    """
    whole = FP32 * num_parameters(model)
    weights = whole // num_parts
    table = FP32 * model.vocabulary_size * model.width
    saved, working = _activations(model, shape, num_sequences, device, dtype)
    loss = _loss(model, shape, num_sequences, device, dtype)
    # Gradients of earlier micro-batches lie there while the next one runs.
    earlier = weights if accumulate > 1 else 0
    # Of a sharded model what is outside the layers is gathered for the whole step, and two layers in turn.
    layers = FP32 * linear_weights(model)
    gathered = whole - layers + 2 * layers // max(1, model.num_layers) if num_parts > 1 else 0
    moments = {
        "loss": earlier + saved + loss,
        # The loss has given its gradient of the table, which waits for that of the embeddings.
        "backward of the last layer": earlier + saved + table + working,
        # Two gradients of the table until they are added up, beside those of all the rest.
        "backward of the embeddings": weights + table + (table if accumulate > 1 else 0),
    }
    peak_at = max(moments, key=lambda moment: moments[moment])
    heap = round((CPU_HEAP - 1) * moments[peak_at]) if device == "cpu" else 0
    base += CPU_ADDED if device == "cpu" else 0
    return Memory(
        weights=weights,
        optimizer=2 * weights,
        gradients=weights,
        activations=saved + working,
        loss=loss,
        heap=heap,
        base=base,
        peak=base + 3 * weights + gathered + moments[peak_at] + heap,
        peak_at=peak_at,
    )


def saved_bytes(model: ModelSettings, shape: BatchShape, *, num_sequences: int, device: str, dtype: torch.dtype) -> int:
    """What autograd keeps of the encoder and the head, the casts of weights among it; without the loss."""
    return _activations(model, shape, num_sequences, device, dtype)[0]


def _activations(
    model: ModelSettings, shape: BatchShape, num_sequences: int, device: str, dtype: torch.dtype
) -> tuple[int, int]:
    """Bytes kept for the backward, and the largest working set of one layer's backward."""
    value, width, inner = dtype.itemsize, model.width, model.feedforward
    num_tokens, num_targets = num_sequences * shape.tokens, num_sequences * shape.targets
    factor = value if device == "cpu" else 1  # bytes of one of dropout's factors
    dropped = 2 * factor * width if model.dropout else 0

    # Attention weights that are kept: by our own kernel for short sequences, and by torch where it has none with
    # dropout on the CPU.
    limit = SHORT_LENGTH if model.attention_dropout or dtype == torch.bfloat16 else SHORT_LENGTH_FP32
    plain = device == "cpu" and (shape.longest <= limit or model.attention_dropout > 0)
    scores = value * model.num_heads * shape.attended if plain else 0.0
    kept_scores = scores * (2 if model.attention_dropout else 1) if plain else FP32 * model.num_heads

    layer = value * (8 * width + 2 * inner) + dropped + kept_scores + 4 * FP32
    # The norm of the embeddings (post, fp32) or of the last layer (pre), and the embeddings' dropout.
    outside = (FP32 if model.norm == "post" else value) * width + 2 * FP32
    if model.dropout:
        outside += (FP32 if device == "cpu" else 1) * width
    head = num_targets * value * 4 * width
    casts = value * linear_weights(model) if value < FP32 else 0
    saved = num_tokens * (model.num_layers * layer + outside) + head + casts

    # Backward of the last layer: first its feed-forward part, then, with that part's values freed, its attention.
    feedforward = value * (2 * inner + 3 * width)
    attention = 3 * scores + 7 * value * width - feedforward
    return round(saved), round(num_tokens * max(feedforward, attention))


def _loss(model: ModelSettings, shape: BatchShape, num_sequences: int, device: str, dtype: torch.dtype) -> int:
    """The table's gradient, its cast, and a chunk of logits; see loss.py."""
    num_values, num_targets = model.vocabulary_size * model.width, num_sequences * shape.targets
    chunk = rows_of_chunk(model.vocabulary_size, model.width, device)
    # The fp32 gradient; in bf16 the cast table beside it.
    table = (FP32 + (dtype.itemsize if dtype.itemsize < FP32 else 0)) * num_values
    # On CUDA the softmax of a chunk is whole, in fp32, twice.
    bytes_a_logit = dtype.itemsize + (2 * FP32 if device == "cuda" else 0)
    return table + round(min(num_targets, chunk) * model.vocabulary_size * bytes_a_logit)
