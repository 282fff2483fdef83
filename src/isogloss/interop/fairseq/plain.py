"""fairseq's definition of XLM-R, written out plainly on its own names: what a conversion is compared with.

    logits_TV = plain_logits(args, tensors, ids_T)

It shares no code with the model and no name with the tables of the conversion, reads a checkpoint as it was stored
(older and newer names, queries, keys and values joint or apart), takes one sequence and is slow: a mistake in a table
then shows as a difference of logits. Computed in fp32 whatever the weights are kept in.

Shapes: T tokens of one sequence, D width, H heads, E width of a head, V vocabulary, L labels.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = ["plain_logits"]

EPS = 1e-5
FIRST_POSITION = 2  # padding_idx + 1


def plain_logits(
    args: Mapping[str, Any], tensors: Mapping[str, Tensor], ids_T: Tensor, *, head: str | None = None
) -> Tensor:
    """Logits by fairseq's ids: (T, V) of the masked-LM head, or (L,) of the classification head of this name.

    The ids are fairseq's, `<s>` first. The checkpoint is taken to be whole: it was converted before it is compared.
    """
    stem = "decoder" if any(name.startswith("decoder.") for name in tensors) else "encoder"
    body = f"{stem}.sentence_encoder"

    def weight(name: str) -> Tensor:
        return tensors[name].float()

    def linear(x: Tensor, name: str) -> Tensor:
        return F.linear(x, weight(f"{name}.weight"), weight(f"{name}.bias"))

    def norm(x: Tensor, name: str) -> Tensor:
        return F.layer_norm(x, x.shape[-1:], weight(f"{name}.weight"), weight(f"{name}.bias"), EPS)

    def attention(x_TD: Tensor, name: str) -> Tensor:
        if f"{name}.in_proj_weight" in tensors:
            joint = F.linear(x_TD, weight(f"{name}.in_proj_weight"), weight(f"{name}.in_proj_bias"))
            q_TD, k_TD, v_TD = joint.chunk(3, dim=-1)
        else:
            q_TD, k_TD, v_TD = (linear(x_TD, f"{name}.{part}_proj") for part in ("q", "k", "v"))
        heads = [part_TD.chunk(args["encoder_attention_heads"], dim=-1) for part_TD in (q_TD, k_TD, v_TD)]
        summed = [
            torch.softmax(q_TE @ k_TE.T / q_TE.shape[-1] ** 0.5, dim=-1) @ v_TE
            for q_TE, k_TE, v_TE in zip(*heads, strict=True)
        ]
        return linear(torch.cat(summed, dim=-1), f"{name}.out_proj")

    places_T = torch.arange(len(ids_T)) + FIRST_POSITION
    x_TD = tensors[f"{body}.embed_tokens.weight"][ids_T].float()
    x_TD = x_TD + tensors[f"{body}.embed_positions.weight"][places_T].float()
    for name in (f"{body}.emb_layer_norm", f"{body}.layernorm_embedding"):
        if f"{name}.weight" in tensors:
            x_TD = norm(x_TD, name)
    before = f"{body}.layer_norm.weight" in tensors
    number = 0
    while f"{body}.layers.{number}.fc1.weight" in tensors:
        layer = f"{body}.layers.{number}"
        inner_TD = norm(x_TD, f"{layer}.self_attn_layer_norm") if before else x_TD
        x_TD = x_TD + attention(inner_TD, f"{layer}.self_attn")
        x_TD = x_TD if before else norm(x_TD, f"{layer}.self_attn_layer_norm")
        inner_TD = norm(x_TD, f"{layer}.final_layer_norm") if before else x_TD
        x_TD = x_TD + linear(F.gelu(linear(inner_TD, f"{layer}.fc1")), f"{layer}.fc2")
        x_TD = x_TD if before else norm(x_TD, f"{layer}.final_layer_norm")
        number += 1
    if before:
        x_TD = norm(x_TD, f"{body}.layer_norm")
    if head is not None:
        name = f"classification_heads.{head}"
        return linear(torch.tanh(linear(x_TD[0], f"{name}.dense")), f"{name}.out_proj")
    x_TD = norm(F.gelu(linear(x_TD, f"{stem}.lm_head.dense")), f"{stem}.lm_head.layer_norm")
    tied = f"{stem}.lm_head.weight"
    table_VD = weight(tied if tied in tensors else f"{body}.embed_tokens.weight")
    return F.linear(x_TD, table_VD) + weight(f"{stem}.lm_head.bias")
