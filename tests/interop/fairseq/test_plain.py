"""The plain forward of fairseq's model beside torch's own transformer layers with the same weights."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from isogloss.interop.fairseq import plain_logits

V, D, H, INNER, POSITIONS = 30, 12, 3, 20, 11
ARGS = {"encoder_attention_heads": H}


def body(
    norm: str, *, older: bool
) -> tuple[nn.ModuleList, dict[str, Tensor], nn.Embedding, nn.Embedding, nn.LayerNorm]:
    """torch's modules, and their weights under fairseq's names."""
    torch.manual_seed(4)
    layers = nn.ModuleList(
        nn.TransformerEncoderLayer(D, H, INNER, 0.0, F.gelu, batch_first=True, norm_first=norm == "pre")
        for _ in range(2)
    ).eval()
    pieces, positions, outer = nn.Embedding(V, D), nn.Embedding(POSITIONS + 2, D), nn.LayerNorm(D)
    for parameter in [*layers.parameters(), *outer.parameters()]:
        nn.init.normal_(parameter, std=0.4)
    stem = "decoder" if older else "encoder"
    name = f"{stem}.sentence_encoder"
    tensors = {f"{name}.embed_tokens.weight": pieces.weight, f"{name}.embed_positions.weight": positions.weight}
    outer_name = "layer_norm" if norm == "pre" else "emb_layer_norm" if older else "layernorm_embedding"
    table = {"linear1": "fc1", "linear2": "fc2", "norm1": "self_attn_layer_norm", "norm2": "final_layer_norm"}
    modules = {f"{name}.{outer_name}": outer, f"{stem}.lm_head.layer_norm": nn.LayerNorm(D)}
    modules[f"{stem}.lm_head.dense"] = modules["classification_heads.nli.dense"] = nn.Linear(D, D)
    modules["classification_heads.nli.out_proj"] = nn.Linear(D, 3)
    for number, layer in enumerate(layers):
        modules |= {f"{name}.layers.{number}.{theirs}": getattr(layer, ours) for ours, theirs in table.items()}
        modules[f"{name}.layers.{number}.self_attn.out_proj"] = layer.self_attn.out_proj
        for end in ("weight", "bias"):
            joint = getattr(layer.self_attn, f"in_proj_{end}")
            if older:
                tensors[f"{name}.layers.{number}.self_attn.in_proj_{end}"] = joint
            else:
                parts = zip("qkv", joint.chunk(3), strict=True)
                tensors |= {f"{name}.layers.{number}.self_attn.{part}_proj.{end}": third for part, third in parts}
    tensors |= {f"{key}.{end}": getattr(module, end) for key, module in modules.items() for end in ("weight", "bias")}
    tensors[f"{stem}.lm_head.bias"] = torch.randn(V)
    return layers, tensors, pieces, positions, outer


@pytest.mark.parametrize(("norm", "older"), [("post", False), ("post", True), ("pre", False)])
def test_it_is_the_transformer_that_torch_has(norm: str, older: bool) -> None:
    layers, tensors, pieces, positions, outer = body(norm, older=older)
    ids = torch.tensor([0, 8, 29, 4, 4, 17, 2])
    with torch.no_grad():
        x = pieces(ids) + positions(torch.arange(len(ids)) + 2)
        x = (outer(x) if norm == "post" else x)[None]
        for layer in layers:
            x = layer(x)
        x = outer(x[0]) if norm == "pre" else x[0]
        stem = "decoder" if older else "encoder"
        dense = tensors[f"{stem}.lm_head.dense.weight"], tensors[f"{stem}.lm_head.dense.bias"]
        h = F.layer_norm(F.gelu(F.linear(x, *dense)), (D,))  # its norm is fresh: ones and zeros
        expected = h @ pieces.weight.T + tensors[f"{stem}.lm_head.bias"]
        assert torch.allclose(plain_logits(ARGS, tensors, ids), expected, atol=1e-4)
        out = tensors["classification_heads.nli.out_proj.weight"], tensors["classification_heads.nli.out_proj.bias"]
        expected = F.linear(torch.tanh(F.linear(x[0], *dense)), *out)
        assert torch.allclose(plain_logits(ARGS, tensors, ids, head="nli"), expected, atol=1e-4)
